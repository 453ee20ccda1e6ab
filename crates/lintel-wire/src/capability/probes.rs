//! What probes are made of: plain requests and answers, what is added to them, and what is looked for afterwards.

use std::sync::Arc;

use lintel_types::canon::{
    At, CacheMark, Choice, Citation, Depth, Format, FunctionTool, JsonSchema, Message, Part,
    PartKind, RawJson, Reasoning, ReasoningAsk, Reply, Request, Role, Set, Settings, Source, Stop,
    StopReason, Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use lintel_types::{Meter, Surface, Usage};

use crate::dialect::Way;
use crate::hosts::Host;
use crate::provider::OPENAI;

pub(super) const AT: &str = "$.probe";

pub(super) fn set<T>(value: T) -> Option<Set<T>> {
    Some(Set::new(value, AT))
}

/// A request that every dialect can say.
pub(super) fn plain_request() -> Request {
    Request {
        model: "m".into(),
        messages: vec![said(Role::User, text("hi"))],
        settings: Settings {
            // Some dialects demand it.
            max_output: set(40_000),
            ..Settings::default()
        },
        ..Request::default()
    }
}

/// An answer that every dialect can say.
pub(super) fn plain_reply() -> Reply {
    let mut usage = Usage::new();
    usage.add(Meter::Input, 10).add(Meter::Output, 20);
    Reply {
        id: Some("id_1".into()),
        model: Some("m".into()),
        created: Some(1),
        choices: vec![Choice {
            parts: vec![part(text("hello"))],
            stop: Some(stop(StopReason::EndTurn)),
            logprobs: None,
        }],
        usage: Some(usage),
    }
}

pub(super) fn way(host: &'static Host) -> Way {
    Way {
        host,
        model: "m".into(),
        id: "ex_1".into(),
        now: 1,
        include_usage: true,
        json_tool: false,
        request: Arc::new(plain_request()),
    }
}

/// A model that knows every word of its surface's dialect.
pub(super) fn newest_model(surface: Surface) -> &'static str {
    match surface.protocol().name() {
        "anthropic" => "claude-opus-4-6",
        "bedrock" => "anthropic.claude-opus-4-6-v1:0",
        "gemini" | "vertex" => "gemini-3-pro",
        _ => "gpt-5",
    }
}

pub(super) fn part(kind: PartKind) -> Part {
    Part::new(kind, At::new(AT))
}

pub(super) fn text(text: &str) -> PartKind {
    PartKind::text(text)
}

pub(super) fn inline(media_type: &str) -> Source {
    Source::Inline {
        media_type: media_type.into(),
        data: "AAAA".into(),
    }
}

pub(super) fn image(source: Source) -> PartKind {
    PartKind::Image {
        source,
        detail: None,
    }
}

pub(super) fn document() -> PartKind {
    PartKind::Document {
        source: inline("application/pdf"),
        title: None,
        context: None,
        citations: None,
    }
}

pub(super) fn said(role: Role, kind: PartKind) -> Message {
    Message {
        role,
        name: None,
        parts: vec![part(kind)],
        at: At::new(AT),
    }
}

pub(super) fn lead(request: &mut Request, role: Role) {
    request.messages.insert(0, said(role, text("be kind")));
}

pub(super) fn has_instructions(request: &Request) -> bool {
    let instructs = |m: &Message| matches!(m.role, Role::System | Role::Developer);
    request.messages.iter().any(instructs)
}

pub(super) fn show(request: &mut Request, kind: PartKind) {
    request.messages.push(said(Role::User, kind));
}

pub(super) fn any(request: &Request, is: fn(&PartKind) -> bool) -> bool {
    let mut parts = request.messages.iter().flat_map(|m| &m.parts);
    parts.any(|p| is(&p.kind))
}

pub(super) fn tool(strict: Option<bool>) -> Tool {
    let schema = r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#;
    Tool {
        kind: ToolKind::Function(FunctionTool {
            name: "f".into(),
            description: Some("does f".into()),
            parameters: Some(RawJson::new(schema)),
            strict,
        }),
        cache: None,
        at: At::new(AT),
    }
}

pub(super) fn is_function(tool: &Tool) -> bool {
    matches!(&tool.kind, ToolKind::Function(f) if f.name == "f" && f.parameters.is_some())
}

pub(super) fn is_strict(tool: &Tool) -> bool {
    matches!(&tool.kind, ToolKind::Function(f) if f.strict == Some(true))
}

pub(super) fn choose(request: &mut Request, choice: ToolChoice) {
    request.tools = vec![tool(None)];
    request.tool_choice = set(choice);
}

pub(super) fn chosen(request: &Request, choice: &ToolChoice) -> bool {
    let asked = request.tool_choice.as_ref().map(|c| &c.value);
    // Calling one of a single tool is calling that tool.
    let only = |c: &ToolChoice| matches!((c, choice), (ToolChoice::Among { names, required: true }, ToolChoice::Named(n)) if names.len() == 1 && names.first() == Some(n));
    asked.is_some_and(|c| c == choice || only(c))
}

pub(super) fn called(id: &str) -> PartKind {
    PartKind::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: r#"{"a":"b"}"#.into(),
        custom: false,
        seal: None,
    })
}

pub(super) fn call(request: &mut Request, answer: PartKind, is_error: bool) {
    request.tools = vec![tool(None)];
    request.messages.push(said(Role::Assistant, called("c1")));
    let result = PartKind::ToolResult(ToolResult {
        call_id: "c1".into(),
        name: Some("f".into()),
        parts: vec![part(answer)],
        is_error,
    });
    request.messages.push(said(Role::Tool, result));
}

pub(super) fn result(request: &Request, is: fn(&ToolResult) -> bool) -> bool {
    let mut parts = request.messages.iter().flat_map(|m| &m.parts);
    parts.any(|p| matches!(&p.kind, PartKind::ToolResult(t) if is(t)))
}

pub(super) fn schema() -> Format {
    let schema = r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#;
    Format::JsonSchema(JsonSchema {
        name: Some("answer".into()),
        description: None,
        schema: RawJson::new(schema),
        strict: Some(true),
    })
}

pub(super) fn format(request: &Request) -> Option<&Format> {
    request.settings.format.as_ref().map(|f| &f.value)
}

pub(super) fn reason(request: &mut Request, depth: Depth) {
    request.settings.reasoning = set(ReasoningAsk {
        depth: Some(depth),
        show: None,
        summary: None,
    });
}

pub(super) fn reasons(request: &Request) -> bool {
    let asked = request.settings.reasoning.as_ref().map(|r| &r.value.depth);
    matches!(asked, Some(Some(Depth::Effort(_) | Depth::Budget(_))))
}

pub(super) fn mark(request: &mut Request) {
    for part in request.messages.iter_mut().flat_map(|m| &mut m.parts) {
        part.cache = Some(CacheMark { ttl: None });
    }
}

pub(super) fn stop(reason: StopReason) -> Stop {
    Stop {
        reason,
        word: String::new(),
        sequence: None,
    }
}

pub(super) fn add(reply: &mut Reply, kind: PartKind, reason: StopReason) {
    for choice in &mut reply.choices {
        choice.parts.push(part(kind.clone()));
        choice.stop = Some(stop(reason));
    }
}

pub(super) fn lead_with_reasoning(reply: &mut Reply) {
    let thought = PartKind::Reasoning(Reasoning {
        text: "let me see".into(),
        ..Reasoning::default()
    });
    for choice in &mut reply.choices {
        choice.parts.insert(0, part(thought.clone()));
    }
}

pub(super) fn cite(reply: &mut Reply) {
    let citation = Citation {
        url: Some("https://example.com".into()),
        title: Some("Example".into()),
        quote: None,
        span: Some((0, 5)),
        protocol: OPENAI,
        raw: RawJson::new(
            r#"{"type":"url_citation","url_citation":{"url":"https://example.com","title":"Example","start_index":0,"end_index":5}}"#,
        ),
    };
    for part in reply.choices.iter_mut().flat_map(|c| &mut c.parts) {
        if let PartKind::Text { citations, .. } = &mut part.kind {
            citations.push(citation.clone());
        }
    }
}

pub(super) fn refuse(reply: &mut Reply) {
    for choice in &mut reply.choices {
        choice.parts = vec![part(PartKind::Refusal("I can't help with that".into()))];
        choice.stop = Some(stop(StopReason::Refusal));
    }
}

pub(super) fn ends(reply: &mut Reply, reason: StopReason) {
    for choice in &mut reply.choices {
        choice.stop = Some(stop(reason));
    }
}

pub(super) fn ended(reply: &Reply, reason: StopReason) -> bool {
    let stops = reply.choices.iter().filter_map(|c| c.stop.as_ref());
    stops.into_iter().any(|s| s.reason == reason)
}

/// Ended by the model's own refusal or by a filter: no dialect but Gemini's tells the two apart.
pub(super) fn held_back(reply: &Reply) -> bool {
    ended(reply, StopReason::Refusal) || ended(reply, StopReason::ContentFilter)
}

pub(super) fn used(reply: &mut Reply, meter: Meter) {
    if let Some(usage) = &mut reply.usage {
        usage.add(meter, 5);
    }
}

pub(super) fn parts(reply: &Reply) -> impl Iterator<Item = &Part> {
    reply.choices.iter().flat_map(|c| &c.parts)
}

pub(super) fn shows(reply: &Reply, is: fn(&PartKind) -> bool) -> bool {
    parts(reply).any(|p| is(&p.kind))
}
