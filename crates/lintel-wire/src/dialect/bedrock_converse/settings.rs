//! The settings of a request: `inferenceConfig`, `outputConfig`, and what Anthropic's models take beside them.

use lintel_types::Error;
use lintel_types::canon::{Depth, Format, JsonSchema, RawJson, ReasoningAsk, Request, Set};

use super::request::keep;
use crate::json::{self, Node};
use crate::surface::bad_field;

/// Reads the top-level member `key`; false when it is none of the settings.
pub(super) fn decode(key: &str, value: Node<'_>, request: &mut Request) -> Result<bool, Error> {
    match key {
        "inferenceConfig" => inference(value, request)?,
        "additionalModelRequestFields" => additional(value, request),
        "outputConfig" => output(value, request),
        "serviceTier" => {
            let Some(tier) = value.get("type").and_then(|t| t.text()) else {
                return Ok(false);
            };
            request.settings.service_tier = Some(Set::new(tier.into_owned(), "$.serviceTier"));
        }
        "requestMetadata" => {
            let labels = RawJson::new(value.raw());
            request.settings.metadata = Some(Set::new(labels, "$.requestMetadata"));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn inference(value: Node<'_>, request: &mut Request) -> Result<(), Error> {
    let settings = &mut request.settings;
    let at = |key: &str| value.get(key).filter(|n| !n.is_null());
    if let Some(n) = at("maxTokens") {
        const PATH: &str = "$.inferenceConfig.maxTokens";
        let n = n.u64().ok_or_else(|| bad_field(PATH, "a whole number"))?;
        settings.max_output = Some(Set::new(n, PATH));
    }
    if let Some(n) = at("temperature") {
        settings.temperature = Some(number(n, "$.inferenceConfig.temperature")?);
    }
    if let Some(n) = at("topP") {
        settings.top_p = Some(number(n, "$.inferenceConfig.topP")?);
    }
    if let Some(list) = at("stopSequences") {
        const PATH: &str = "$.inferenceConfig.stopSequences";
        let texts: Option<Vec<String>> = list
            .items()
            .map(|t| t.text().map(|t| t.into_owned()))
            .collect();
        let texts = texts.ok_or_else(|| bad_field(PATH, "an array of texts"))?;
        settings.stop = (!texts.is_empty()).then(|| Set::new(texts, PATH));
    }
    const KNOWN: [&str; 4] = ["maxTokens", "temperature", "topP", "stopSequences"];
    keep(request, "inferenceConfig", value, &KNOWN);
    Ok(())
}

fn number(node: Node<'_>, path: &'static str) -> Result<Set<f64>, Error> {
    let number = node.f64().ok_or_else(|| bad_field(path, "a number"))?;
    Ok(Set::new(number, path))
}

/// What goes to the model as it is: Anthropic's own words for thinking and for the k likeliest tokens are read.
fn additional(value: Node<'_>, request: &mut Request) {
    let mut known = Vec::new();
    if let Some(k) = value.get("top_k").and_then(|k| k.u64()) {
        known.push("top_k");
        request.settings.top_k = Some(Set::new(k, "$.additionalModelRequestFields.top_k"));
    }
    let effort = effort(value);
    let ask = value.get("thinking").and_then(|t| thinking(t, &effort));
    if let Some(ask) = ask {
        known.push("thinking");
        if matches!(ask.depth, Some(Depth::Effort(_))) {
            known.push("output_config");
        }
        let at = "$.additionalModelRequestFields.thinking";
        request.settings.reasoning = Some(Set::new(ask, at));
    }
    keep(request, "additionalModelRequestFields", value, &known);
}

/// `output_config.effort`, where nothing else is in that object.
fn effort(value: Node<'_>) -> Option<String> {
    let config = value.get("output_config")?;
    let alone = config.members().count() == 1;
    let effort = config.get("effort").filter(|_| alone)?;
    effort.text().map(|t| t.into_owned())
}

fn thinking(value: Node<'_>, effort: &Option<String>) -> Option<ReasoningAsk> {
    let depth = match &*value.get("type")?.text()? {
        "enabled" => Depth::Budget(value.get("budget_tokens")?.u64()?),
        "adaptive" => effort.clone().map_or(Depth::Auto, Depth::Effort),
        "disabled" => Depth::Off,
        _ => return None,
    };
    let display = value.get("display").and_then(|d| d.text());
    Some(ReasoningAsk {
        depth: Some(depth),
        show: display.map(|d| d != "omitted"),
        summary: None,
    })
}

fn output(value: Node<'_>, request: &mut Request) {
    let format = value.get("textFormat").and_then(schema);
    let known: &[&str] = match format {
        Some(_) => &["textFormat"],
        None => &[],
    };
    keep(request, "outputConfig", value, known);
    let at = "$.outputConfig.textFormat";
    request.settings.format = format.map(|f| Set::new(Format::JsonSchema(f), at));
}

fn schema(format: Node<'_>) -> Option<JsonSchema> {
    let schema = format.at(&["structure", "jsonSchema"])?;
    let text = |key: &str| schema.get(key).and_then(|t| t.text());
    let raw = text("schema")?;
    json::parse(raw.as_bytes()).ok()?;
    Some(JsonSchema {
        name: text("name").map(|t| t.into_owned()),
        description: text("description").map(|t| t.into_owned()),
        schema: RawJson::new(raw.into_owned()),
        strict: None,
    })
}
