//! The matrix keeps its word: nothing is lost in silence, and the page is what the code does.

use super::*;
use crate::provider::{PROVIDERS, speak};
use crate::surface::SURFACES;

const BEGIN: &str = "<!-- capabilities: begin -->";
const END: &str = "<!-- capabilities: end -->";

#[test]
fn what_is_neither_dropped_nor_emulated_arrives() {
    for from in SURFACES.iter().map(|s| s.surface()) {
        for to in PROVIDERS.iter().map(|p| p.protocol()) {
            let host = hosts::generic(to);
            let Some(spoken) = speak(to, host, from, None) else {
                continue;
            };
            let (Some(client), Some(target)) = (dialect::of(from), dialect::of(spoken.surface))
            else {
                continue;
            };
            let at = Target {
                model: probes::newest_model(spoken.surface),
                host,
            };
            for feature in FEATURES {
                let lost = match feature.probe {
                    Probe::Asks(set, kept) => loses_request(client, target, at, set, kept),
                    Probe::Answers(set, kept) => loses_reply(client, target, at, set, kept),
                };
                assert!(
                    !lost,
                    "{}: from {} to {}: gone, and not named",
                    feature.name,
                    from.name(),
                    spoken.surface.name()
                );
            }
        }
    }
}

fn loses_request(
    client: &dyn Dialect,
    target: &dyn Dialect,
    at: Target<'_>,
    set: fn(&mut Request),
    kept: fn(&Request) -> bool,
) -> bool {
    let mut probe = probes::plain_request();
    set(&mut probe);
    let written = client.encode_request(&probe, &fullest(client.surface()));
    let Some(asked) = read_back(client, &written).filter(|r| clean(&written) && kept(r)) else {
        return false;
    };
    let sent = target.encode_request(&asked, &at);
    clean(&sent) && !read_back(target, &sent).is_some_and(|r| kept(&r))
}

fn loses_reply(
    client: &dyn Dialect,
    target: &dyn Dialect,
    at: Target<'_>,
    set: fn(&mut Reply),
    kept: fn(&Reply) -> bool,
) -> bool {
    let way = probes::way(at.host);
    let mut probe = probes::plain_reply();
    set(&mut probe);
    let given = target.encode_reply(&probe, &way);
    let read = target.decode_reply(&given.body, &way).ok();
    let Some(reply) = read.filter(|r| clean(&given) && kept(r)) else {
        return false;
    };
    let shown = client.encode_reply(&reply, &way);
    clean(&shown)
        && !client
            .decode_reply(&shown.body, &way)
            .is_ok_and(|r| kept(&r))
}

#[test]
fn the_page_is_what_the_code_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let wanted = format!(
        "{before}{BEGIN}\n{}\n{END}{after}",
        super::page().trim_end()
    );
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    assert!(
        page == wanted || std::env::var_os("UPDATE_DOCS").is_some(),
        "docs/compatibility.md is stale: UPDATE_DOCS=1 cargo test -p lintel-wire"
    );
}
