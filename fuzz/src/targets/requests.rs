//! Requests across protocols: every dialect's, read and written in every other.

use lintel_wire::dialect::{DIALECTS, Dialect, Encoded, Target as To};
use lintel_wire::hosts::{Host, generic};
use lintel_wire::provider::PROVIDERS;
use lintel_wire::surface::{Head, Place, spec};

use crate::corpus::Part;
use crate::laws::{bounded, is_json, shown};
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "requests",
    laws: "what is read can be written in every dialect as JSON whose head its own surface takes; the same request is written the same; a rewritten request is rewritten to itself",
    run,
    seeds: Part::Requests,
    words: &[
        "\"role\":\"tool\"",
        "\"tool_calls\":[]",
        "\"content\":null",
        "\"content\":[]",
        "\"type\":\"tool_use\"",
        "\"type\":\"tool_result\"",
        "\"functionCall\":{}",
        "\"toolUse\":{}",
        "\"parts\":[]",
        "\"response_format\":{\"type\":\"json_schema\"}",
        "\"tools\":[]",
        "\"tool_choice\":\"required\"",
        "\"stop\":[\"\"]",
        "\"temperature\":99",
        "\"max_tokens\":0",
        "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1}",
        "\"n\":3",
        "\"$ref\":\"#\"",
        "\"cache_control\":{\"type\":\"ephemeral\"}",
        "data:image/png;base64,AA==",
        "\\u0000",
        "null",
    ],
};

const MODEL: &str = "m";

fn run(data: &[u8]) {
    for from in DIALECTS {
        let place = Place {
            model: Some(MODEL.into()),
            ..Place::default()
        };
        let Ok(head) = spec(from.surface()).head(data, &place) else {
            continue;
        };
        let Ok(request) = from.decode_request(data, &head) else {
            continue;
        };
        let again = from.decode_request(data, &head);
        assert!(
            again.is_ok_and(|r| r == request),
            "the reader changes its mind"
        );
        for to in DIALECTS {
            for host in hosts(*to) {
                let written = to.encode_request(&request, &To { model: MODEL, host });
                assert_eq!(
                    written,
                    to.encode_request(&request, &To { model: MODEL, host }),
                    "the writer changes its mind"
                );
                let names = format!(
                    "{} to {} at {}",
                    from.surface().name(),
                    to.surface().name(),
                    host.name
                );
                sound(&names, data, *to, host, &written);
            }
        }
    }
}

/// The hosts at which the dialect is the one that is spoken to others.
fn hosts(to: &dyn Dialect) -> Vec<&'static Host> {
    let speaks = |p: &&&dyn lintel_wire::provider::ProviderSpec| p.conversation() == to.surface();
    let mut hosts: Vec<&'static Host> = PROVIDERS
        .iter()
        .filter(speaks)
        .map(|p| generic(p.protocol()))
        .collect();
    if hosts.is_empty() {
        // The Responses API is spoken natively only; its writer must hold all the same.
        hosts.push(generic(to.surface().protocol()));
    }
    hosts
}

fn sound(names: &str, data: &[u8], to: &dyn Dialect, host: &'static Host, written: &Encoded) {
    is_json(names, &written.body);
    bounded(names, data.len(), written.body.len());
    let place = Place {
        model: Some(MODEL.into()),
        ..Place::default()
    };
    let head: Head = spec(to.surface())
        .head(&written.body, &place)
        .unwrap_or_else(|e| {
            panic!(
                "{names}: its own head refuses it: {}: {}",
                e.message(),
                shown(&written.body)
            )
        });
    // Members that nobody here knows cross within a family as they are, and may be nonsense to the reader.
    let Ok(read) = to.decode_request(&written.body, &head) else {
        return;
    };
    let twice = to.encode_request(&read, &To { model: MODEL, host });
    let head = spec(to.surface()).head(&twice.body, &place).unwrap();
    let settled = to
        .decode_request(&twice.body, &head)
        .map(|r| to.encode_request(&r, &To { model: MODEL, host }).body);
    assert_eq!(
        settled.ok().as_deref().map(shown),
        Some(shown(&twice.body)),
        "{names}: rewriting never settles: {}",
        shown(data)
    );
}
