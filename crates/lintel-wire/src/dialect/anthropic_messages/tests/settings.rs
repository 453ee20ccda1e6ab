//! Settings, reasoning, schemas and tools: what each becomes for which model, and what is named.

use lintel_types::canon::{
    Depth, Format, FunctionTool, JsonSchema, RawJson, ReasoningAsk, Request, Set, ToolChoice,
    ToolKind,
};
use serde_json::{Value, json};

use super::*;

/// A model that knows none of the newer words.
const OLD: &str = "claude-3-5-sonnet-20241022";

fn think(depth: Depth) -> Request {
    asking(|r| r.settings.reasoning = ask(depth))
}

fn ask(depth: Depth) -> Option<Set<ReasoningAsk>> {
    let ask = ReasoningAsk {
        depth: Some(depth),
        show: None,
        summary: None,
    };
    set(ask, "$.reasoning_effort")
}

fn schema(text: &str) -> Option<Set<Format>> {
    let schema = JsonSchema {
        name: Some("answer".into()),
        description: None,
        schema: RawJson::new(text),
        strict: Some(true),
    };
    set(Format::JsonSchema(schema), "$.response_format")
}

const CLOSED: &str =
    r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}"#;
const OPEN: &str = r#"{"type":"object","additionalProperties":{"type":"string"}}"#;

#[test]
fn the_cap_follows_the_model() {
    check(&hello(), OLD, "/max_tokens", json!(8192), &[], &[]);
    check(&hello(), MODEL, "/max_tokens", json!(32_000), &[], &[]);
    let big = asking(|r| r.settings.max_output = set(100_000, "$.max_tokens"));
    check(
        &big,
        OLD,
        "/max_tokens",
        json!(8192),
        &[],
        &["$.max_tokens"],
    );
    check(
        &big,
        "claude-opus-4-6",
        "/max_tokens",
        json!(100_000),
        &[],
        &[],
    );
}

#[test]
fn sampling_is_what_the_model_takes() {
    let request = asking(|r| {
        r.settings.temperature = set(1.5, "$.temperature");
        r.settings.top_p = set(0.9, "$.top_p");
        r.settings.top_k = set(4, "$.top_k");
    });
    check(
        &request,
        OLD,
        "/temperature",
        json!(1),
        &[],
        &["$.temperature"],
    );
    check(&request, OLD, "/top_p", json!(0.9), &[], &["$.temperature"]);
    check(
        &request,
        MODEL,
        "/top_p",
        Value::Null,
        &["$.top_p"],
        &["$.temperature"],
    );
    check(
        &request,
        "claude-opus-4-7",
        "/temperature",
        Value::Null,
        &["$.temperature", "$.top_p", "$.top_k"],
        &[],
    );
    let mut thinking = request;
    thinking.settings.reasoning = ask(Depth::Budget(2_048));
    thinking.settings.temperature = set(0.2, "$.temperature");
    check(
        &thinking,
        MODEL,
        "/temperature",
        Value::Null,
        &["$.temperature", "$.top_p", "$.top_k"],
        &[],
    );
}

#[test]
fn reasoning_is_asked_for_as_the_model_knows_it() {
    let at = "$.reasoning_effort";
    let budget = |tokens: u64| json!({ "type": "enabled", "budget_tokens": tokens });
    let adaptive = json!({ "type": "adaptive" });
    let effort = |word: &str| think(Depth::Effort(word.into()));
    check(
        &effort("high"),
        MODEL,
        "/thinking",
        budget(24_576),
        &[],
        &[at],
    );
    check(
        &effort("xhigh"),
        MODEL,
        "/thinking",
        budget(32_768),
        &[],
        &[at],
    );
    check(
        &effort("xhigh"),
        MODEL,
        "/max_tokens",
        json!(40_960),
        &[],
        &[at],
    );
    check(&effort("high"), OLD, "/thinking", Value::Null, &[at], &[]);
    check(
        &effort("high"),
        "claude-sonnet-4-6",
        "/thinking",
        adaptive.clone(),
        &[],
        &[],
    );
    check(
        &effort("high"),
        "claude-sonnet-4-6",
        "/output_config",
        json!({ "effort": "high" }),
        &[],
        &[],
    );
    check(
        &effort("xhigh"),
        "claude-sonnet-4-6",
        "/output_config/effort",
        json!("max"),
        &[],
        &[at],
    );
    check(
        &effort("xhigh"),
        "claude-opus-4-7",
        "/output_config/effort",
        json!("xhigh"),
        &[],
        &[],
    );
    check(
        &effort("minimal"),
        "claude-opus-4-7",
        "/output_config/effort",
        json!("low"),
        &[],
        &[at],
    );
    check(
        &think(Depth::Budget(5_000)),
        "claude-opus-4-7",
        "/output_config/effort",
        json!("medium"),
        &[],
        &[at],
    );
    check(
        &think(Depth::Budget(5_000)),
        "claude-opus-4-6",
        "/thinking",
        budget(5_000),
        &[],
        &[],
    );
    check(
        &think(Depth::Budget(10)),
        MODEL,
        "/thinking",
        budget(1_024),
        &[],
        &[at],
    );
    check(
        &think(Depth::Auto),
        "claude-opus-5",
        "/thinking",
        adaptive,
        &[],
        &[],
    );
    check(
        &think(Depth::Auto),
        MODEL,
        "/thinking",
        budget(8_192),
        &[],
        &[at],
    );
    check(
        &think(Depth::Off),
        MODEL,
        "/thinking",
        json!({ "type": "disabled" }),
        &[],
        &[],
    );
    check(
        &think(Depth::Off),
        "claude-opus-4-8",
        "/thinking",
        Value::Null,
        &[],
        &[],
    );
    check(
        &think(Depth::Off),
        "claude-sonnet-5-5",
        "/thinking",
        json!({ "type": "between_tools" }),
        &[],
        &[at],
    );
    check(
        &think(Depth::Off),
        "claude-opus-5-5",
        "/output_config",
        json!({ "effort": "low" }),
        &[],
        &[at],
    );
    let summary = asking(|r| {
        let ask = ReasoningAsk {
            depth: None,
            show: None,
            summary: Some("detailed".into()),
        };
        r.settings.reasoning = set(ask, "$.reasoning");
    });
    check(
        &summary,
        "claude-opus-4-7",
        "/thinking",
        json!({ "type": "adaptive", "display": "summarized" }),
        &[],
        &["$.reasoning"],
    );
}

#[test]
fn a_budget_gives_way() {
    let at = "$.reasoning_effort";
    let capped = |cap| {
        let mut request = think(Depth::Budget(9_000));
        request.settings.max_output = set(cap, "$.max_tokens");
        request
    };
    check(
        &capped(4_000),
        MODEL,
        "/thinking/budget_tokens",
        json!(3_000),
        &[],
        &[at],
    );
    check(
        &capped(4_000),
        MODEL,
        "/max_tokens",
        json!(4_000),
        &[],
        &[at],
    );
    check(
        &capped(1_025),
        MODEL,
        "/thinking/budget_tokens",
        json!(1_024),
        &[],
        &[at],
    );
    check(&capped(1_000), MODEL, "/thinking", Value::Null, &[at], &[]);
    // A forced tool excludes a budget, not what the model sees fit.
    let mut forced = think(Depth::Budget(2_000));
    forced.tools.push(function("f", None));
    forced.tool_choice = set(ToolChoice::Required, "$.tool_choice");
    check(&forced, MODEL, "/thinking", Value::Null, &[at], &[]);
    forced.settings.reasoning = ask(Depth::Auto);
    check(
        &forced,
        "claude-opus-4-6",
        "/thinking",
        json!({ "type": "adaptive" }),
        &[],
        &[],
    );
    // A loop of calls whose thinking is lost can't be gone on with in thought.
    let mut loop_ = think(Depth::Budget(2_000));
    loop_
        .messages
        .push(message(Role::Assistant, vec![call("c", "{}")]));
    loop_
        .messages
        .push(message(Role::Tool, vec![result("c", "1")]));
    check(&loop_, MODEL, "/thinking", Value::Null, &[at], &[]);
}

#[test]
fn schemas_are_native_where_they_can_be() {
    let at = "$.response_format";
    let closed = asking(|r| r.settings.format = schema(CLOSED));
    let native =
        json!({ "type": "json_schema", "schema": serde_json::from_str::<Value>(CLOSED).unwrap() });
    check(&closed, MODEL, "/output_config/format", native, &[], &[]);
    let (body, encoded) = encode(&closed, OLD);
    assert!(encoded.json_tool);
    assert_eq!(
        body["tool_choice"],
        json!({ "type": "tool", "name": "lintel_json_answer" })
    );
    assert_eq!(
        body["tools"][0]["input_schema"]["properties"]["a"]["type"],
        "string"
    );
    assert_eq!(encoded.notes.emulated, [at]);
    let open = asking(|r| r.settings.format = schema(OPEN));
    check(
        &open,
        MODEL,
        "/tool_choice/name",
        json!("lintel_json_answer"),
        &[],
        &[at],
    );
    check(
        &open,
        "claude-opus-5-5",
        "/tool_choice",
        Value::Null,
        &[at],
        &[],
    );
    let nearly = asking(|r| {
        r.settings.format =
            schema(r#"{"type":"object","properties":{"n":{"type":"integer","minimum":0}}}"#)
    });
    check(
        &nearly,
        MODEL,
        "/output_config/format/schema/properties/n",
        json!({ "type": "integer" }),
        &[],
        &[at],
    );
    let any = asking(|r| r.settings.format = set(Format::JsonObject, at));
    check(
        &any,
        MODEL,
        "/tools/0/input_schema",
        json!({ "type": "object" }),
        &[],
        &[at],
    );
    let array = asking(|r| r.settings.format = schema(r#"{"type":"array"}"#));
    check(&array, OLD, "/tools", Value::Null, &[at], &[]);
    // Beside other tools the answer is one of the things that the model may call.
    let mut tools = closed;
    tools.tools.push(function("f", None));
    check(
        &tools,
        OLD,
        "/tool_choice",
        json!({ "type": "any" }),
        &[],
        &[at],
    );
    tools.tool_choice = set(ToolChoice::Named("f".into()), "$.tool_choice");
    check(&tools, OLD, "/tool_choice/name", json!("f"), &[at], &[]);
}

#[test]
fn tools_and_their_choice() {
    let request = |choice| {
        asking(|r| {
            r.tools = vec![
                function("f", None),
                function("g", Some(r#"{"properties":{}}"#)),
            ];
            r.tool_choice = set(choice, "$.tool_choice");
        })
    };
    check(
        &request(ToolChoice::Auto),
        MODEL,
        "/tools/1/input_schema",
        json!({ "type": "object", "properties": {} }),
        &[],
        &[],
    );
    check(
        &request(ToolChoice::None),
        MODEL,
        "/tool_choice",
        json!({ "type": "none" }),
        &[],
        &[],
    );
    let among = ToolChoice::Among {
        names: vec!["g".into()],
        required: true,
    };
    check(
        &request(among.clone()),
        MODEL,
        "/tool_choice",
        json!({ "type": "any" }),
        &[],
        &["$.tool_choice"],
    );
    check(
        &request(among),
        MODEL,
        "/tools/0/name",
        json!("g"),
        &[],
        &["$.tool_choice"],
    );
    let named = request(ToolChoice::Named("g".into()));
    check(
        &named,
        MODEL,
        "/tool_choice",
        json!({ "type": "tool", "name": "g" }),
        &[],
        &[],
    );
    check(
        &named,
        "claude-opus-5-5",
        "/tool_choice",
        json!({ "type": "auto" }),
        &[],
        &["$.tool_choice"],
    );
    check(
        &named,
        "claude-opus-5-5",
        "/tools/0/name",
        json!("g"),
        &[],
        &["$.tool_choice"],
    );
    let mut serial = request(ToolChoice::Auto);
    serial.tool_choice = None;
    serial.settings.parallel_tools = set(false, "$.parallel_tool_calls");
    check(
        &serial,
        MODEL,
        "/tool_choice",
        json!({ "type": "auto", "disable_parallel_tool_use": true }),
        &[],
        &[],
    );
    let none = asking(|r| r.tool_choice = set(ToolChoice::Required, "$.tool_choice"));
    check(
        &none,
        MODEL,
        "/tool_choice",
        Value::Null,
        &["$.tool_choice"],
        &[],
    );
    let strict = asking(|r| {
        let tool = |parameters: &str| {
            ToolKind::Function(FunctionTool {
                name: "f".into(),
                description: None,
                parameters: Some(RawJson::new(parameters)),
                strict: Some(true),
            })
        };
        r.tools = vec![function("f", None)];
        r.tools[0].kind = tool(CLOSED);
    });
    check(&strict, MODEL, "/tools/0/strict", json!(true), &[], &[]);
    check(
        &strict,
        OLD,
        "/tools/0/strict",
        Value::Null,
        &["$.tools[0].strict"],
        &[],
    );
    let custom = asking(|r| {
        r.tools = vec![function("f", None)];
        r.tools[0].kind = ToolKind::Opaque {
            kind: "custom".into(),
            protocol: OPENAI,
            raw: RawJson::new("{}"),
        };
    });
    check(&custom, MODEL, "/tools", Value::Null, &["$.tools[0]"], &[]);
}

#[test]
fn what_has_no_word_is_named_unless_it_asks_for_nothing() {
    let request = asking(|r| {
        let s = &mut r.settings;
        s.choices = set(2, "$.n");
        s.seed = set(1, "$.seed");
        s.presence_penalty = set(0.0, "$.presence_penalty");
        s.frequency_penalty = set(0.1, "$.frequency_penalty");
        s.logprobs = set(true, "$.logprobs");
        s.top_logprobs = set(2, "$.top_logprobs");
        s.logit_bias = set(RawJson::new("{\"1\":2}"), "$.logit_bias");
        s.metadata = set(RawJson::new("{}"), "$.metadata");
        s.store = set(false, "$.store");
        s.verbosity = set("low".into(), "$.verbosity");
        s.stop = set(vec!["\n".into(), "x".into()], "$.stop");
        s.user = set("u".into(), "$.user");
        s.service_tier = set("flex".into(), "$.service_tier");
    });
    let dropped = [
        "$.n",
        "$.seed",
        "$.frequency_penalty",
        "$.logit_bias",
        "$.logprobs",
        "$.top_logprobs",
        "$.metadata",
        "$.verbosity",
        "$.stop",
        "$.service_tier",
    ];
    check(
        &request,
        MODEL,
        "/stop_sequences",
        json!(["x"]),
        &dropped,
        &[],
    );
    check(
        &request,
        MODEL,
        "/metadata",
        json!({ "user_id": "u" }),
        &dropped,
        &[],
    );
    for (word, written, emulated) in [
        ("default", "standard_only", [].as_slice()),
        ("priority", "auto", &["$.service_tier"]),
    ] {
        let tier = asking(|r| r.settings.service_tier = set(word.to_owned(), "$.service_tier"));
        check(&tier, MODEL, "/service_tier", json!(written), &[], emulated);
    }
}
