//! Streams of every provider, metered and translated to every dialect.

use std::sync::Arc;

use bytes::Bytes;
use lintel_types::Protocol;
use lintel_types::canon::{Event, Request};
use lintel_wire::dialect::{self, DIALECTS, Way};
use lintel_wire::framing::{BadFrame, Framing, FramingKind};
use lintel_wire::hosts::generic;
use lintel_wire::provider::{PROVIDERS, ProviderSpec, ReplyFacts};

use crate::corpus::Part;
use crate::laws::{bounded, grammar, is_json, way};
use crate::pieces::cuts;
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "streams",
    laws: "every cut gives the same facts, the same canonical events and the same translation; canonical events keep their grammar; what is written is events of JSON, of bounded size",
    run,
    seeds: Part::Streams,
    words: &[
        "data: ",
        "\n\n",
        "data: [DONE]\n\n",
        "event: error\n",
        "\"type\":\"message_stop\"",
        "\"type\":\"content_block_start\"",
        "\"type\":\"content_block_stop\"",
        "\"index\":1",
        "\"delta\":{}",
        "\"finish_reason\":\"stop\"",
        "\"usage\":{\"prompt_tokens\":1}",
        "\"candidates\":[]",
        "\"type\":\"response.completed\"",
        "\"tool_calls\":[{\"index\":0}]",
        "\"partialArgs\":[]",
        "null",
    ],
};

/// What came of one reading.
#[derive(PartialEq)]
struct Read {
    facts: ReplyFacts,
    bad: Option<BadFrame>,
    events: Vec<Event>,
    written: Vec<(Protocol, Vec<u8>)>,
}

fn run(data: &[u8]) {
    for provider in PROVIDERS {
        let kind = provider.framing(provider.conversation());
        let aws = data.first() == Some(&0);
        if (kind == FramingKind::AwsEvents) != aws && !data.is_empty() {
            continue;
        }
        let whole = read(*provider, &[data]);
        let cut = read(*provider, &cuts(data, 3));
        let name = provider.protocol().name();
        assert!(
            whole.facts == cut.facts,
            "{name}: {:?} or {:?}",
            whole.facts,
            cut.facts
        );
        assert!(
            whole.events == cut.events,
            "{name}: {:?} or {:?}",
            whole.events,
            cut.events
        );
        assert!(whole == cut, "{name}: the cut tells");
        assert!(whole.facts.content_bytes <= data.len() as u64, "{name}");
        grammar(&whole.events);
        for (to, written) in &whole.written {
            bounded(to.name(), data.len(), written.len());
            well_formed(&format!("{name} to {}", to.name()), written);
        }
    }
}

fn read(provider: &'static dyn ProviderSpec, pieces: &[&[u8]]) -> Read {
    let surface = provider.conversation();
    let host = generic(provider.protocol());
    let way: Way = way(host, Arc::new(Request::default()));
    let target = dialect::of(surface).unwrap();
    let mut framing = Framing::new(provider.framing(surface), 1 << 20);
    let mut meter = provider.meter(host, surface);
    let mut decoder = target.decoder(&way);
    let mut encoders: Vec<_> = DIALECTS
        .iter()
        .map(|d| (d.surface().protocol(), d.encoder(&way), Vec::new()))
        .collect();
    let (mut all, mut bad) = (Vec::new(), None);
    let mut take = |data: Option<&[u8]>| {
        let mut events = Vec::new();
        match data {
            Some(data) => {
                let _ = meter.event(data);
                decoder.event(data, &mut events);
            }
            None => decoder.finish(&mut events),
        }
        for event in &events {
            for (_, encoder, out) in &mut encoders {
                encoder.event(event, out);
            }
        }
        all.extend(events);
    };
    for piece in pieces {
        match framing.push(Bytes::copy_from_slice(piece)) {
            Ok(block) => framing
                .events(block)
                .filter_map(|e| e.data)
                .for_each(|d| take(Some(&d))),
            Err(e) => {
                bad = Some(e);
                break;
            }
        }
    }
    match framing.finish() {
        Ok(block) => framing
            .events(block)
            .filter_map(|e| e.data)
            .for_each(|d| take(Some(&d))),
        Err(e) => bad = bad.or(Some(e)),
    }
    take(None);
    let written = encoders.into_iter().map(|(p, _, out)| (p, out)).collect();
    Read {
        facts: meter.facts().clone(),
        bad,
        events: all,
        written,
    }
}

/// Events of JSON, framed as their content type says.
fn well_formed(names: &str, written: &[u8]) {
    let kind = if written.first() == Some(&0) {
        FramingKind::AwsEvents
    } else {
        FramingKind::Sse
    };
    let mut framing = Framing::new(kind, usize::MAX);
    let block = framing
        .push(Bytes::copy_from_slice(written))
        .unwrap_or_else(|e| panic!("{names}: {e:?}"));
    assert_eq!(
        block.len(),
        written.len(),
        "{names}: the last event is not whole"
    );
    for event in framing.events(block) {
        if let Some(data) = event.data.filter(|d| d != "[DONE]") {
            is_json(names, &data);
        }
    }
}
