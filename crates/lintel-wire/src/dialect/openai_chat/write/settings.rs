//! Settings as members of a body.

use lintel_types::canon::{Depth, Format, JsonSchema, ReasoningAsk, Set, Settings};

use super::super::super::depth::effort_of;
use super::super::super::{Notes, Target};
use super::super::terms;
use crate::hosts::Host;
use crate::json::write::Object;

/// Writes the settings, tools' apart.
pub(super) fn write(o: &mut Object<'_>, s: &Settings, target: &Target<'_>, notes: &mut Notes) {
    let host = target.host;
    if let Some(most) = &s.max_output {
        let ours = terms::is_openai(host);
        let key = if ours {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        o.int(key, most.value);
    }
    sampling(o, s, host, notes);
    shape(o, s, host, notes);
    if let Some(ask) = &s.reasoning {
        if terms::has_reasoning_object(host) {
            reasoning_object(o, &ask.value);
        } else {
            effort(o, ask, target, notes);
        }
    }
    records(o, s, host, notes);
}

/// The value of a setting under the key that the host takes; else it is named.
fn taken<'s, T>(
    set: &'s Option<Set<T>>,
    key: &str,
    host: &Host,
    notes: &mut Notes,
) -> Option<&'s T> {
    let set = set.as_ref()?;
    if terms::takes(host, key) {
        return Some(&set.value);
    }
    notes.drop_path(set.at);
    None
}

fn sampling(o: &mut Object<'_>, s: &Settings, host: &Host, notes: &mut Notes) {
    let floats = [
        ("temperature", &s.temperature),
        ("top_p", &s.top_p),
        ("presence_penalty", &s.presence_penalty),
        ("frequency_penalty", &s.frequency_penalty),
    ];
    for (key, set) in floats {
        if let Some(value) = taken(set, key, host, notes) {
            o.num(key, *value);
        }
    }
    let counts = [
        ("top_k", &s.top_k),
        ("n", &s.choices),
        ("top_logprobs", &s.top_logprobs),
    ];
    for (key, set) in counts {
        if let Some(value) = taken(set, key, host, notes) {
            o.int(key, *value);
        }
    }
    if let Some(seed) = &s.seed {
        let mistral = host.name == "mistral";
        let key = if mistral { "random_seed" } else { "seed" };
        o.signed(key, seed.value);
    }
    if let Some(value) = taken(&s.logprobs, "logprobs", host, notes) {
        o.bool("logprobs", *value);
    }
    if let Some(value) = taken(&s.logit_bias, "logit_bias", host, notes) {
        o.raw("logit_bias", value.as_str());
    }
}

fn shape(o: &mut Object<'_>, s: &Settings, host: &Host, notes: &mut Notes) {
    if let Some(stop) = s.stop.as_ref().filter(|s| !s.value.is_empty()) {
        // OpenAI takes four.
        let most = if terms::is_openai(host) {
            4
        } else {
            usize::MAX
        };
        if stop.value.len() > most {
            notes.emulate(stop.at);
        }
        o.array("stop", |a| {
            stop.value.iter().take(most).for_each(|text| {
                a.str(text);
            });
        });
    }
    if let Some(format) = &s.format {
        o.object("response_format", |o| match &format.value {
            Format::Text => {
                o.str("type", "text");
            }
            Format::JsonObject => {
                o.str("type", "json_object");
            }
            Format::JsonSchema(schema) => {
                o.str("type", "json_schema")
                    .object("json_schema", |o| json_schema(o, schema));
            }
        });
    }
    if let Some(value) = taken(&s.verbosity, "verbosity", host, notes) {
        o.str("verbosity", value);
    }
}

fn json_schema(o: &mut Object<'_>, schema: &JsonSchema) {
    // The name is demanded.
    o.str("name", schema.name.as_deref().unwrap_or("answer"))
        .str_if("description", schema.description.as_deref())
        .raw("schema", schema.schema.as_str());
    if let Some(strict) = schema.strict {
        o.bool("strict", strict);
    }
}

/// OpenRouter's `reasoning`.
fn reasoning_object(o: &mut Object<'_>, ask: &ReasoningAsk) {
    o.object("reasoning", |o| {
        match &ask.depth {
            Some(Depth::Off) => o.str("effort", "none"),
            Some(Depth::Auto) => o.bool("enabled", true),
            Some(Depth::Effort(word)) => o.str("effort", word),
            Some(Depth::Budget(tokens)) => o.int("max_tokens", *tokens),
            None => o,
        };
        if let Some(show) = ask.show {
            o.bool("exclude", !show);
        }
        o.str_if("summary", ask.summary.as_deref());
    });
}

/// `reasoning_effort`, which knows neither budgets nor what to show.
fn effort(o: &mut Object<'_>, ask: &Set<ReasoningAsk>, target: &Target<'_>, notes: &mut Notes) {
    let idle = terms::never_reasons(target.model);
    match &ask.value.depth {
        Some(Depth::Off) if !idle => {
            o.str("reasoning_effort", "none");
        }
        Some(Depth::Effort(word)) => {
            o.str("reasoning_effort", word);
        }
        Some(Depth::Budget(_)) if idle => notes.drop_path(ask.at),
        Some(Depth::Budget(tokens)) => {
            o.str("reasoning_effort", effort_of(*tokens));
            notes.emulate(ask.at);
        }
        // The model decides, and a model that never reasons does as it is asked.
        Some(Depth::Auto | Depth::Off) | None => {}
    }
    if ask.value.show.is_some() || ask.value.summary.is_some() {
        match &ask.value.depth {
            Some(Depth::Effort(_) | Depth::Budget(_)) => notes.emulate(ask.at),
            _ => notes.drop_path(ask.at),
        }
    }
}

fn records(o: &mut Object<'_>, s: &Settings, host: &Host, notes: &mut Notes) {
    let ours = terms::is_openai(host);
    if let Some(user) = taken(&s.user, "user", host, notes) {
        o.str("user", user);
    }
    if let Some(store) = &s.store {
        if ours {
            o.bool("store", store.value);
        } else if store.value {
            notes.drop_path(store.at);
        }
    }
    if let Some(metadata) = &s.metadata {
        // OpenAI keeps labels only with answers that it stores, and refuses them otherwise.
        let kept = !ours || s.store.as_ref().is_some_and(|s| s.value);
        if kept {
            o.raw("metadata", metadata.value.as_str());
        } else {
            notes.drop_path(metadata.at);
        }
    }
    let Some(tier) = &s.service_tier else { return };
    match tier.value.as_str() {
        _ if !terms::takes(host, "service_tier") => notes.drop_path(tier.at),
        word @ ("auto" | "default" | "flex" | "priority" | "scale") => {
            o.str("service_tier", word);
        }
        // Anthropic's word for the tier that isn't bought in advance.
        "standard_only" => {
            o.str("service_tier", "default");
            notes.emulate(tier.at);
        }
        _ => notes.drop_path(tier.at),
    }
}
