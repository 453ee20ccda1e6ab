//! A canonical request as a body for an Anthropic target, and the names of all that this API can't be told.
//!
//! Decides the order of members and the settings; what is said in the conversation, of tools and of thinking is
//! decided in their own files. Must not know whose dialect the client speaks.

use lintel_types::canon::{At, Extra, PartKind, Request, Set, Settings};

use super::super::unsaid::is_inner;
use super::super::{Encoded, Notes, Target};
use super::models::{self, Model, Sampling};
use super::reasoning::{self, Circumstances, Output};
use super::tools::{self, Toolbox};
use super::turns::{self, Turn, Turns, Voice};
use super::write_block::block;
use crate::json;
use crate::json::write::{self, Object};
use crate::provider::ANTHROPIC;

/// Writes `request` for `target`.
pub(super) fn write(request: &Request, target: &Target<'_>) -> Encoded {
    let model = models::model(target.model);
    let mut notes = Notes::default();
    let turns = turns::plan(request, &model, &mut notes);
    let tools = tools::plan(request, &model, &mut notes);
    let circumstances = Circumstances {
        forced: tools.forces(),
        thoughtless: turns.thoughtless_loop(),
    };
    let output = reasoning::plan(request, &model, circumstances, &mut notes);
    unsaid(&request.settings, &mut notes);
    let mut body = String::with_capacity(1_024);
    write::object(&mut body, |o| {
        o.str("model", target.model).int("max_tokens", output.cap);
        if request.stream {
            o.bool("stream", true);
        }
        conversation(&turns, o, &mut notes);
        tools.write(o);
        output.write(o);
        output_config(request, &tools, &output, o);
        sampling(&request.settings, &model, &output, o, &mut notes);
        rest(&request.settings, o, &mut notes);
        extras(&request.extras, o, &mut notes);
    });
    Encoded {
        body: body.into_bytes(),
        notes,
        json_tool: tools.json_tool(),
    }
}

fn conversation(turns: &Turns<'_>, o: &mut Object<'_>, notes: &mut Notes) {
    if !turns.system.is_empty() {
        o.array("system", |a| {
            turns.system.iter().for_each(|part| block(part, false, a));
        });
    }
    o.array("messages", |a| {
        for (i, turn) in turns.list.iter().enumerate() {
            let last = i + 1 == turns.list.len();
            a.object(|o| {
                o.str("role", turn.voice.role());
                content(turn, last, o, notes);
            });
        }
    });
}

fn content(turn: &Turn<'_>, last: bool, o: &mut Object<'_>, notes: &mut Notes) {
    o.array("content", |a| {
        if turn.parts.is_empty() {
            // A turn that only the API needs: the shortest text that it takes.
            a.object(|o| {
                o.str("type", "text").str("text", ".");
            });
        }
        let prefill = last && turn.voice == Voice::Assistant;
        for (i, part) in turn.parts.iter().enumerate() {
            let trim = prefill && i + 1 == turn.parts.len();
            if let (true, PartKind::Text { text, .. }) = (trim, &part.kind)
                && text.trim_end().len() < text.len()
            {
                notes.emulate(part.at.as_str());
            }
            block(part, trim, a);
        }
    });
}

fn output_config(request: &Request, tools: &Toolbox<'_>, output: &Output, o: &mut Object<'_>) {
    let own = |e: &&Extra| e.protocol == ANTHROPIC && e.key == "output_config";
    let more = request.extras.iter().filter(own);
    let nothing = tools.format.is_none() && output.effort.is_none();
    if nothing && more.clone().next().is_none() {
        return;
    }
    o.object("output_config", |o| {
        o.str_if("effort", output.effort);
        if let Some(schema) = &tools.format {
            o.object("format", |o| {
                o.str("type", "json_schema").raw("schema", schema);
            });
        }
        for extra in more {
            let Ok(object) = json::parse(extra.value.as_str().as_bytes()) else {
                continue;
            };
            for (key, value) in object.members() {
                let said = (key == "effort" && output.effort.is_some())
                    || (key == "format" && tools.format.is_some());
                if !said {
                    o.raw(&key, value.raw());
                }
            }
        }
    });
}

/// Sampling parameters, as far as the model takes them. The API's temperature ends at 1.
fn sampling(
    settings: &Settings,
    model: &Model,
    output: &Output,
    o: &mut Object<'_>,
    notes: &mut Notes,
) {
    let none = model.sampling == Sampling::None;
    let mut one = false;
    if let Some(set) = &settings.temperature {
        let value = set.value.clamp(0.0, 1.0);
        // What is the default anyway is not lost when it isn't said.
        if none || (output.thinks() && value < 1.0) {
            if set.value != 1.0 {
                notes.drop_path(set.at);
            }
        } else {
            if value != set.value {
                notes.emulate(set.at);
            }
            o.num("temperature", value);
            one = model.sampling == Sampling::One;
        }
    }
    if let Some(set) = &settings.top_p {
        // Beside thinking the API takes 0.95 to 1.
        let refused = none || one || (output.thinks() && set.value < 0.95);
        if !refused {
            o.num("top_p", set.value);
        } else if set.value != 1.0 {
            notes.drop_path(set.at);
        }
    }
    if let Some(set) = &settings.top_k {
        if none || output.thinks() {
            notes.drop_path(set.at);
        } else {
            o.int("top_k", set.value);
        }
    }
}

fn rest(settings: &Settings, o: &mut Object<'_>, notes: &mut Notes) {
    if let Some(set) = &settings.stop {
        // The API refuses sequences of nothing but white space.
        let kept = || set.value.iter().filter(|s| !s.trim().is_empty());
        if kept().count() < set.value.len() {
            notes.drop_path(set.at);
        }
        if kept().next().is_some() {
            o.array("stop_sequences", |a| {
                kept().for_each(|s| {
                    a.str(s);
                });
            });
        }
    }
    if let Some(user) = &settings.user {
        o.object("metadata", |o| {
            o.str("user_id", &user.value);
        });
    }
    if let Some(set) = &settings.service_tier {
        let word = match set.value.as_str() {
            "auto" => Some("auto"),
            "standard_only" | "default" | "standard" => Some("standard_only"),
            // Whether there is priority capacity is not the request's to say.
            "priority" => {
                notes.emulate(set.at);
                Some("auto")
            }
            _ => {
                notes.drop_path(set.at);
                None
            }
        };
        o.str_if("service_tier", word);
    }
}

fn extras(extras: &[Extra], o: &mut Object<'_>, notes: &mut Notes) {
    for extra in extras {
        if extra.protocol != ANTHROPIC || is_inner(extra) {
            notes.drop(&extra.at);
        } else if extra.key != "output_config" {
            if o.has(&extra.key) {
                notes.drop(&extra.at);
            } else {
                o.raw(&extra.key, extra.value.as_str());
            }
        }
    }
}

/// Names the settings that this API has no word for. A value that asks for what happens anyway is no loss.
fn unsaid(settings: &Settings, notes: &mut Notes) {
    fn lost<T>(set: &Option<Set<T>>, harmless: impl Fn(&T) -> bool, notes: &mut Notes) {
        if let Some(set) = set.as_ref().filter(|s| !harmless(&s.value)) {
            notes.drop(&At::new(set.at));
        }
    }
    lost(&settings.choices, |n| *n <= 1, notes);
    lost(&settings.seed, |_| false, notes);
    lost(&settings.presence_penalty, |p| *p == 0.0, notes);
    lost(&settings.frequency_penalty, |p| *p == 0.0, notes);
    lost(&settings.logit_bias, |b| b.as_str().trim() == "{}", notes);
    lost(&settings.logprobs, |asked| !asked, notes);
    lost(&settings.top_logprobs, |n| *n == 0, notes);
    lost(&settings.metadata, |_| false, notes);
    lost(&settings.store, |asked| !asked, notes);
    lost(&settings.verbosity, |_| false, notes);
}
