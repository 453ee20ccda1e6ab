//! Settings to their places in a request for Bedrock. What has no place is named.

use lintel_types::canon::{Request, Set};

use super::model::Model;
use super::plan::{Shape, Thinking};
use crate::dialect::Notes;
use crate::json::write::Object;
use crate::json::{self, Kind, Node};

/// Writes the members of `inferenceConfig`.
pub(super) fn inference(
    o: &mut Object<'_>,
    request: &Request,
    thinking: &Thinking<'_>,
    notes: &mut Notes,
) {
    let settings = &request.settings;
    if let Some(set) = &settings.max_output {
        o.int("maxTokens", set.value);
    }
    // A model that thinks samples in its own way, and refuses to be told another.
    if let Some(set) = &settings.temperature {
        match set.value {
            t if thinking.is_on() && t != 1.0 => notes.drop_path(set.at),
            t if t > 1.0 => {
                notes.emulate(set.at);
                o.num("temperature", 1.0);
            }
            t => {
                o.num("temperature", t);
            }
        }
    }
    if let Some(set) = &settings.top_p {
        match set.value {
            p if thinking.is_on() && p < 0.95 => notes.drop_path(set.at),
            p => {
                o.num("topP", p);
            }
        }
    }
    if let Some(set) = settings.stop.as_ref().filter(|s| !s.value.is_empty()) {
        o.array("stopSequences", |a| {
            set.value.iter().for_each(|text| {
                a.str(text);
            });
        });
    }
}

/// Writes what Anthropic's models take beside Converse's own settings.
pub(super) fn additional(
    o: &mut Object<'_>,
    request: &Request,
    model: Model<'_>,
    thinking: &Thinking<'_>,
    notes: &mut Notes,
) {
    match thinking {
        Thinking::Unsaid => {}
        Thinking::Off => {
            o.object("thinking", |o| {
                o.str("type", "disabled");
            });
        }
        Thinking::Budget(budget) => {
            o.object("thinking", |o| {
                o.str("type", "enabled").int("budget_tokens", *budget);
            });
        }
        Thinking::Adaptive(effort, show) => {
            let display = show.map(|show| if show { "summarized" } else { "omitted" });
            o.object("thinking", |o| {
                o.str("type", "adaptive").str_if("display", display);
            });
            if let Some(effort) = effort {
                o.object("output_config", |o| {
                    o.str("effort", effort);
                });
            }
        }
    }
    if let Some(set) = &request.settings.top_k {
        match model.is_claude() && !thinking.is_on() {
            true => {
                o.int("top_k", set.value);
            }
            false => notes.drop_path(set.at),
        }
    }
}

/// Writes the members of `outputConfig`.
pub(super) fn output(o: &mut Object<'_>, shape: &Shape<'_>) {
    let Shape::Native(schema) = shape else { return };
    o.object("textFormat", |o| {
        o.str("type", "json_schema").object("structure", |o| {
            o.object("jsonSchema", |o| {
                // The schema is a text here.
                o.str("schema", schema.schema.as_str())
                    .str_if("name", schema.name.as_deref())
                    .str_if("description", schema.description.as_deref());
            });
        });
    });
}

/// Writes the settings that are members of the body, and names those that have no place at all.
pub(super) fn others(o: &mut Object<'_>, request: &Request, notes: &mut Notes) {
    let settings = &request.settings;
    if let Some(set) = &settings.service_tier {
        match set.value.as_str() {
            tier @ ("default" | "priority" | "flex" | "reserved") => {
                o.object("serviceTier", |o| {
                    o.str("type", tier);
                });
            }
            _ => notes.drop_path(set.at),
        }
    }
    if let Some(set) = &settings.metadata {
        match labels(set.value.as_str()) {
            Labels::None => {}
            Labels::Taken => {
                o.raw("requestMetadata", set.value.as_str());
            }
            Labels::Refused => notes.drop_path(set.at),
        }
    }
    fn unless<T>(set: &Option<Set<T>>, means_nothing: impl Fn(&T) -> bool, notes: &mut Notes) {
        if let Some(set) = set.as_ref().filter(|s| !means_nothing(&s.value)) {
            notes.drop_path(set.at);
        }
    }
    unless(&settings.choices, |n| *n == 1, notes);
    unless(&settings.seed, |_| false, notes);
    unless(&settings.presence_penalty, |p| *p == 0.0, notes);
    unless(&settings.frequency_penalty, |p| *p == 0.0, notes);
    unless(&settings.logit_bias, |_| false, notes);
    unless(&settings.logprobs, |wanted| !*wanted, notes);
    unless(&settings.top_logprobs, |n| *n == 0, notes);
    unless(&settings.parallel_tools, |may| *may, notes);
    unless(&settings.user, |_| false, notes);
    // Bedrock keeps nothing.
    unless(&settings.store, |keep| !*keep, notes);
    unless(&settings.verbosity, |_| false, notes);
}

/// Whether labels are such as Bedrock takes.
enum Labels {
    None,
    Taken,
    Refused,
}

fn labels(raw: &str) -> Labels {
    const MOST: usize = 16;
    let fits = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == ' ' || ":_@$#=/+,-.".contains(c);
        text.len() <= 256 && text.chars().all(plain)
    };
    let Ok(root) = json::parse(raw.as_bytes()) else {
        return Labels::Refused;
    };
    let count = root.members().count();
    let mut members = root.members();
    match root.kind() == Kind::Object && count <= MOST {
        true if count == 0 => Labels::None,
        true if members.all(|(k, v): (_, Node<'_>)| {
            fits(&k) && !k.is_empty() && v.text().is_some_and(|v| fits(&v))
        }) =>
        {
            Labels::Taken
        }
        _ => Labels::Refused,
    }
}
