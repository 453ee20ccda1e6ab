//! `generationConfig`, both ways.

use std::borrow::Cow;

use lintel_types::canon::{Extra, Format, JsonSchema, RawJson, Request, Set, Settings};

use super::request::extra;
use super::{schema, thinking};
use crate::dialect::{Notes, Target};
use crate::json::write::{self, Object};
use crate::json::{self, Node};
use crate::surface::gemini_generate::is;

/// Most texts to stop at that Google takes.
const MOST_STOPS: usize = 5;

/// What says the shape of the answer: it takes several members.
#[derive(Default)]
struct Shape<'a> {
    mime: Option<(String, Node<'a>)>,
    schema: Option<(String, Node<'a>)>,
}

/// Reads `generationConfig`. What has no canonical word, or no value of the right type, is an extra.
pub(super) fn read(config: Node<'_>, request: &mut Request) {
    let mut shape = Shape::default();
    for (key, value) in config.members().filter(|(_, v)| !v.is_null()) {
        if is(&key, "responseMimeType") {
            shape.mime = Some((key.into_owned(), value));
        } else if [
            "responseSchema",
            "responseJsonSchema",
            "_responseJsonSchema",
        ]
        .iter()
        .any(|k| is(&key, k))
        {
            shape.schema = Some((key.into_owned(), value));
        } else if member(&key, value, &mut request.settings).is_none() {
            request.extras.push(config_extra(&key, value));
        }
    }
    read_shape(shape, request);
}

fn config_extra(key: &str, value: Node<'_>) -> Extra {
    extra(&format!("generationConfig.{key}"), value)
}

/// One member of the config; none when it isn't understood.
fn member(key: &str, value: Node<'_>, s: &mut Settings) -> Option<()> {
    if is(key, "temperature") {
        s.temperature = Some(Set::new(value.f64()?, "$.generationConfig.temperature"));
    } else if is(key, "topP") {
        s.top_p = Some(Set::new(value.f64()?, "$.generationConfig.topP"));
    } else if is(key, "topK") {
        s.top_k = Some(Set::new(value.u64()?, "$.generationConfig.topK"));
    } else if is(key, "candidateCount") {
        s.choices = Some(Set::new(value.u64()?, "$.generationConfig.candidateCount"));
    } else if is(key, "maxOutputTokens") {
        s.max_output = Some(Set::new(value.u64()?, "$.generationConfig.maxOutputTokens"));
    } else if is(key, "stopSequences") {
        let texts = value.items().filter_map(|t| t.text());
        let texts = texts.map(|t| t.into_owned()).collect();
        s.stop = Some(Set::new(texts, "$.generationConfig.stopSequences"));
    } else if is(key, "presencePenalty") {
        let at = "$.generationConfig.presencePenalty";
        s.presence_penalty = Some(Set::new(value.f64()?, at));
    } else if is(key, "frequencyPenalty") {
        let at = "$.generationConfig.frequencyPenalty";
        s.frequency_penalty = Some(Set::new(value.f64()?, at));
    } else if is(key, "seed") {
        s.seed = Some(Set::new(
            value.raw().parse().ok()?,
            "$.generationConfig.seed",
        ));
    } else if is(key, "responseLogprobs") {
        let at = "$.generationConfig.responseLogprobs";
        s.logprobs = Some(Set::new(value.bool()?, at));
    } else if is(key, "logprobs") {
        s.top_logprobs = Some(Set::new(value.u64()?, "$.generationConfig.logprobs"));
    } else if is(key, "thinkingConfig") {
        s.reasoning = Some(thinking::read(value));
    } else {
        return None;
    }
    Some(())
}

fn read_shape(shape: Shape<'_>, request: &mut Request) {
    let mime = shape.mime.as_ref().and_then(|(_, value)| value.text());
    let json = matches!(mime.as_deref(), None | Some("application/json"));
    let format = match (&shape.schema, mime.as_deref()) {
        (Some((key, value)), _) if json => {
            let schema = if is(key, "responseSchema") {
                schema::of_openapi(*value)
            } else {
                RawJson::new(value.raw())
            };
            let format = Format::JsonSchema(JsonSchema {
                name: None,
                description: None,
                schema,
                strict: None,
            });
            Some(Set::new(format, "$.generationConfig.responseSchema"))
        }
        (None, Some("application/json")) => Some(at_mime(Format::JsonObject)),
        (None, Some("text/plain")) => Some(at_mime(Format::Text)),
        // Such as `text/x.enum`, with the schema that it needs.
        (schema, _) => {
            let both = shape.mime.iter().chain(schema);
            request
                .extras
                .extend(both.map(|(key, value)| config_extra(key, *value)));
            None
        }
    };
    request.settings.format = format;
}

fn at_mime(format: Format) -> Set<Format> {
    Set::new(format, "$.generationConfig.responseMimeType")
}

/// Writes `generationConfig`, if there is anything to say.
pub(super) fn write(
    request: &Request,
    extras: &[&Extra],
    target: &Target<'_>,
    o: &mut Object<'_>,
    notes: &mut Notes,
) {
    let mut out = String::new();
    write::object(&mut out, |g| {
        numbers(&request.settings, g, notes);
        format(&request.settings, g);
        if let Some(ask) = &request.settings.reasoning {
            thinking::write(ask, target.model, g, notes);
        }
        for extra in extras {
            let key = extra.key.rsplit('.').next().unwrap_or_default();
            g.raw(key, extra.value.as_str());
        }
    });
    if out != "{}" {
        o.raw("generationConfig", &out);
    }
    unsaid(&request.settings, notes);
}

fn numbers(s: &Settings, g: &mut Object<'_>, notes: &mut Notes) {
    let mut int = |key, set: &Option<Set<u64>>| {
        if let Some(set) = set {
            g.int(key, set.value);
        }
    };
    int("maxOutputTokens", &s.max_output);
    int("topK", &s.top_k);
    int("candidateCount", &s.choices);
    int("logprobs", &s.top_logprobs);
    let mut num = |key, set: &Option<Set<f64>>| {
        if let Some(set) = set {
            g.num(key, set.value);
        }
    };
    num("temperature", &s.temperature);
    num("topP", &s.top_p);
    num("presencePenalty", &s.presence_penalty);
    num("frequencyPenalty", &s.frequency_penalty);
    if let Some(flag) = &s.logprobs {
        g.bool("responseLogprobs", flag.value);
    }
    if let Some(seed) = &s.seed {
        // Google's seed has 32 bits.
        if i32::try_from(seed.value).is_ok() {
            g.signed("seed", seed.value);
        } else {
            notes.drop_path(seed.at);
        }
    }
    if let Some(stop) = s.stop.as_ref().filter(|s| !s.value.is_empty()) {
        if stop.value.len() > MOST_STOPS {
            notes.emulate(stop.at);
        }
        g.array("stopSequences", |a| {
            let taken = stop.value.iter().take(MOST_STOPS);
            taken.for_each(|text| {
                a.str(text);
            });
        });
    }
}

fn format(s: &Settings, g: &mut Object<'_>) {
    match s.format.as_ref().map(|f| &f.value) {
        None => {}
        Some(Format::Text) => {
            g.str("responseMimeType", "text/plain");
        }
        Some(Format::JsonObject) => {
            g.str("responseMimeType", "application/json");
        }
        Some(Format::JsonSchema(schema)) => {
            g.str("responseMimeType", "application/json");
            let schema = described(schema.schema.as_str(), schema.description.as_deref());
            g.raw("responseJsonSchema", &schema);
        }
    }
}

/// A schema with what it is for: Google has no other place for that.
fn described<'s>(schema: &'s str, description: Option<&str>) -> Cow<'s, str> {
    let root = json::parse(schema.as_bytes()).ok();
    let says_so = |r: Node<'_>| r.get("description").is_some();
    let (Some(text), Some(inner)) = (description, schema.trim().strip_prefix('{')) else {
        return Cow::Borrowed(schema);
    };
    if root.is_none_or(says_so) {
        return Cow::Borrowed(schema);
    }
    let more = if inner.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    Cow::Owned(format!(
        r#"{{"description":{}{more}{inner}"#,
        write::quoted(text)
    ))
}

/// What Google can't be told. A wish that is how Google behaves anyway is granted, not left out.
fn unsaid(s: &Settings, notes: &mut Notes) {
    let mut name = |at: Option<&'static str>| {
        if let Some(at) = at {
            notes.drop_path(at);
        }
    };
    name(s.logit_bias.as_ref().map(|x| x.at));
    name(s.parallel_tools.as_ref().filter(|x| !x.value).map(|x| x.at));
    name(s.user.as_ref().map(|x| x.at));
    name(s.metadata.as_ref().map(|x| x.at));
    name(s.service_tier.as_ref().map(|x| x.at));
    name(s.store.as_ref().filter(|x| x.value).map(|x| x.at));
    name(s.verbosity.as_ref().map(|x| x.at));
}
