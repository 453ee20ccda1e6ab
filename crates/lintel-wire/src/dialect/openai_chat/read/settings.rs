//! Settings: the members of a body that say how to answer.

use lintel_types::Error;
use lintel_types::canon::{Depth, Format, JsonSchema, RawJson, ReasoningAsk, Set, Settings};

use super::said;
use crate::json::{Kind, Node};
use crate::surface::bad_field;

const NUMBER: &str = "a number";
const COUNT: &str = "a whole number, not negative";
const FLAG: &str = "true or false";
const TEXT: &str = "a string";

/// Reads the member `key`; false when it is no setting that is known.
pub(super) fn read(key: &str, node: Node<'_>, s: &mut Settings) -> Result<bool, Error> {
    match key {
        "max_completion_tokens" => set(
            &mut s.max_output,
            node.u64(),
            "$.max_completion_tokens",
            COUNT,
        )?,
        "max_tokens" if s.max_output.is_none() => {
            set(&mut s.max_output, node.u64(), "$.max_tokens", COUNT)?;
        }
        // The newer word counts, wherever it stands.
        "max_tokens" => {}
        "n" => set(&mut s.choices, node.u64(), "$.n", COUNT)?,
        "stop" => set(
            &mut s.stop,
            stops(node),
            "$.stop",
            "a string or an array of strings",
        )?,
        "response_format" => return format(node, s),
        "reasoning_effort" => {
            let word = node
                .text()
                .ok_or_else(|| bad_field("$.reasoning_effort", TEXT))?;
            reasoning(s, "$.reasoning_effort")
                .depth
                .get_or_insert(depth(&word));
        }
        "reasoning" if node.kind() == Kind::Object => ask(node, reasoning(s, "$.reasoning")),
        "parallel_tool_calls" => set(
            &mut s.parallel_tools,
            node.bool(),
            "$.parallel_tool_calls",
            FLAG,
        )?,
        "user" => set(&mut s.user, text(node), "$.user", TEXT)?,
        "metadata" => set(&mut s.metadata, object(node), "$.metadata", "an object")?,
        "service_tier" => set(&mut s.service_tier, text(node), "$.service_tier", TEXT)?,
        "store" => set(&mut s.store, node.bool(), "$.store", FLAG)?,
        "verbosity" => set(&mut s.verbosity, text(node), "$.verbosity", TEXT)?,
        _ => return sampling(key, node, s),
    }
    Ok(true)
}

fn sampling(key: &str, node: Node<'_>, s: &mut Settings) -> Result<bool, Error> {
    match key {
        "temperature" => set(&mut s.temperature, node.f64(), "$.temperature", NUMBER)?,
        "top_p" => set(&mut s.top_p, node.f64(), "$.top_p", NUMBER)?,
        "top_k" => set(&mut s.top_k, node.u64(), "$.top_k", COUNT)?,
        "seed" => set(&mut s.seed, whole(node), "$.seed", "a whole number")?,
        // Mistral's word.
        "random_seed" => set(&mut s.seed, whole(node), "$.random_seed", "a whole number")?,
        "presence_penalty" => set(
            &mut s.presence_penalty,
            node.f64(),
            "$.presence_penalty",
            NUMBER,
        )?,
        "frequency_penalty" => set(
            &mut s.frequency_penalty,
            node.f64(),
            "$.frequency_penalty",
            NUMBER,
        )?,
        "logit_bias" => set(&mut s.logit_bias, object(node), "$.logit_bias", "an object")?,
        "logprobs" => set(&mut s.logprobs, node.bool(), "$.logprobs", FLAG)?,
        "top_logprobs" => set(&mut s.top_logprobs, node.u64(), "$.top_logprobs", COUNT)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn set<T>(
    slot: &mut Option<Set<T>>,
    value: Option<T>,
    at: &'static str,
    wants: &str,
) -> Result<(), Error> {
    let value = value.ok_or_else(|| bad_field(at, wants))?;
    *slot = Some(Set::new(value, at));
    Ok(())
}

fn whole(node: Node<'_>) -> Option<i64> {
    (node.kind() == Kind::Number).then(|| node.raw().parse().ok())?
}

fn text(node: Node<'_>) -> Option<String> {
    node.text().map(|t| t.into_owned())
}

fn object(node: Node<'_>) -> Option<RawJson> {
    (node.kind() == Kind::Object).then(|| RawJson::new(node.raw()))
}

fn stops(node: Node<'_>) -> Option<Vec<String>> {
    match node.kind() {
        Kind::String => Some(vec![text(node)?]),
        Kind::Array => node.items().map(text).collect(),
        _ => None,
    }
}

/// What is asked for of reasoning so far: two members may say it.
fn reasoning<'s>(s: &'s mut Settings, at: &'static str) -> &'s mut ReasoningAsk {
    let nothing = ReasoningAsk {
        depth: None,
        show: None,
        summary: None,
    };
    &mut s.reasoning.get_or_insert(Set::new(nothing, at)).value
}

fn depth(word: &str) -> Depth {
    match word {
        "none" => Depth::Off,
        word => Depth::Effort(word.to_owned()),
    }
}

/// OpenRouter's `reasoning`.
/// <https://openrouter.ai/docs/use-cases/reasoning-tokens>
fn ask(node: Node<'_>, ask: &mut ReasoningAsk) {
    let enabled = node.get("enabled").and_then(|e| e.bool());
    let said_depth = node
        .get("max_tokens")
        .and_then(|n| n.u64())
        .map(Depth::Budget)
        .or_else(|| said(node, "effort").map(|word| depth(&word)))
        .or(enabled.map(|on| if on { Depth::Auto } else { Depth::Off }));
    ask.depth = said_depth.or(ask.depth.take());
    let exclude = node.get("exclude").and_then(|e| e.bool());
    ask.show = exclude.map(|hidden| !hidden).or(ask.show);
    if let Some(summary) = said(node, "summary") {
        ask.summary = Some(summary.into_owned());
    }
}

/// Reads `response_format`; false for a kind that isn't known.
fn format(node: Node<'_>, s: &mut Settings) -> Result<bool, Error> {
    const AT: &str = "$.response_format";
    let format = match said(node, "type").as_deref() {
        Some("text") => Format::Text,
        Some("json_object") => Format::JsonObject,
        Some("json_schema") => {
            let wants = "an object with the schema in `schema`";
            let inside = node.get("json_schema");
            let bad = || bad_field("$.response_format.json_schema", wants);
            let inside = inside
                .filter(|i| i.kind() == Kind::Object)
                .ok_or_else(bad)?;
            // OpenAI's reference lets the schema be absent: anything goes.
            let schema = inside.get("schema");
            Format::JsonSchema(JsonSchema {
                name: said(inside, "name").map(|n| n.into_owned()),
                description: said(inside, "description").map(|d| d.into_owned()),
                schema: RawJson::new(schema.map_or("{}", |s| s.raw())),
                strict: inside.get("strict").and_then(|s| s.bool()),
            })
        }
        Some(_) => return Ok(false),
        None => return Err(bad_field(AT, "an object with a `type`")),
    };
    s.format = Some(Set::new(format, AT));
    Ok(true)
}
