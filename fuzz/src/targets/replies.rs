//! Whole answers: what every provider's reader says of them, and every translation.

use std::sync::Arc;

use lintel_types::Usage;
use lintel_types::canon::Request;
use lintel_wire::dialect::{self, DIALECTS};
use lintel_wire::hosts::generic;
use lintel_wire::provider::{PROVIDERS, read_error};
use lintel_wire::surface::SURFACES;

use crate::corpus::Part;
use crate::laws::{bounded, grammar, is_json, way};
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "replies",
    laws: "every reader gives the same facts twice; a translated answer is JSON of bounded size; its replay as a stream keeps the grammar; tokens are neither made nor lost",
    run,
    seeds: Part::Replies,
    words: &[
        "\"usage\":{}",
        "\"usage\":null",
        "\"prompt_tokens\":18446744073709551615",
        "\"input_tokens\":-1",
        "\"choices\":[]",
        "\"candidates\":[]",
        "\"content\":[]",
        "\"error\":{\"code\":429}",
        "\"output\":[]",
        "\"finish_reason\":null",
        "\"stop_reason\":\"tool_use\"",
        "\"id\":\"resp_1\"",
        "1e308",
        "null",
    ],
};

fn run(data: &[u8]) {
    let _ = read_error(data);
    for provider in PROVIDERS {
        let host = generic(provider.protocol());
        for surface in SURFACES.iter().map(|s| s.surface()) {
            if provider.endpoint(surface).is_none() {
                continue;
            }
            let facts = provider.reply(host, surface, data);
            assert_eq!(
                facts,
                provider.reply(host, surface, data),
                "the reader changes its mind"
            );
            assert!(
                facts.content_bytes <= data.len() as u64,
                "{} bytes of content in {}",
                facts.content_bytes,
                data.len()
            );
            let error = provider.error(&http::HeaderMap::new(), data);
            let _ = provider.failure(400, &error);
        }
        let Some(target) = dialect::of(provider.conversation()) else {
            continue;
        };
        let way = way(host, Arc::new(Request::default()));
        let Ok(reply) = target.decode_reply(data, &way) else {
            continue;
        };
        grammar(&dialect::events(&reply));
        for client in DIALECTS {
            let names = format!("{} to {}", target.surface().name(), client.surface().name());
            let written = client.encode_reply(&reply, &way);
            is_json(&names, &written.body);
            bounded(&names, data.len(), written.body.len());
            if client.surface() == target.surface() {
                let again = target.decode_reply(&written.body, &way);
                let again =
                    again.unwrap_or_else(|e| panic!("{names}: its own reader refuses it: {e:?}"));
                conserved(&names, reply.usage.as_ref(), again.usage.as_ref());
            }
        }
    }
}

/// Tokens are neither made nor lost on the way, as long as their numbers agree with each other.
fn conserved(names: &str, said: Option<&Usage>, told: Option<&Usage>) {
    let (Some(said), Some(told)) = (said, told) else {
        return;
    };
    let sound = !said.inconsistent && !told.inconsistent;
    let small = said.input_tokens().max(said.output_tokens()) < 1 << 40;
    if sound && small {
        assert_eq!(
            (told.input_tokens(), told.output_tokens()),
            (said.input_tokens(), said.output_tokens()),
            "{names}: {said:?}, then {told:?}"
        );
    }
}
