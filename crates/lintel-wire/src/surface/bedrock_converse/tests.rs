//! Paths, heads, parts and errors of the surface.

use super::*;

fn place(path: &str) -> Option<(String, bool)> {
    let place = BedrockConverse.place(path)?;
    Some((place.model?, place.stream))
}

#[test]
fn the_path_names_the_model_and_the_stream() {
    let named = |model: &str, stream| Some((model.to_owned(), stream));
    assert_eq!(
        place("/model/amazon.nova-lite-v1%3A0/converse"),
        named("amazon.nova-lite-v1:0", false)
    );
    assert_eq!(place("/model/chat/converse-stream"), named("chat", true));
    assert_eq!(
        place("/model/up%2Fgpt-4o/converse"),
        named("up/gpt-4o", false)
    );
    assert_eq!(
        place("/model/up/gpt-4o/converse"),
        named("up/gpt-4o", false)
    );
    for other in [
        "/model//converse",
        "/model/x/invoke",
        "/model/%zz/converse",
        "/model/%ff/converse",
        "/model/converse",
        "/v1/messages",
    ] {
        assert_eq!(place(other), None, "{other}");
    }
}

fn head(body: &str) -> Result<Head, Error> {
    let place = BedrockConverse.place("/model/m/converse-stream").unwrap();
    BedrockConverse.head(body.as_bytes(), &place)
}

#[test]
fn the_head_is_read_from_path_and_body() {
    let read = head(r#"{"lintel":{},"messages":[],"inferenceConfig":{"maxTokens":7}}"#).unwrap();
    assert_eq!((&*read.model, read.stream), ("m", true));
    assert_eq!((read.max_output, read.model_span), (Some(7), None));
    assert!(read.strip_ours.is_some());
    assert!(head("{}").is_ok(), "a stored prompt needs no messages");
    for (body, says) in [("[]", "object"), (r#"{"messages":"hi"}"#, "$.messages")] {
        assert!(head(body).unwrap_err().message().contains(says), "{body}");
    }
}

#[test]
fn parts_are_labelled_references() {
    let body = r#"{"system":[{"text":"s"},{"cachePoint":{"type":"default"}}],"messages":[
        {"role":"user","content":[{"text":"hi"},{"image":{"format":"png","source":{"bytes":"aaaa"}}},{"document":{"name":"d","source":{"s3Location":{"uri":"s3://b/k"}}}}]},
        {"role":"assistant","content":[{"reasoningContent":{}},{"toolUse":{"name":"f"}},{"novel":1}]},
        {"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"text":"42"},{"json":{}},{"image":{"source":{"bytes":"b"}}}]}}]}]}"#;
    let parts = BedrockConverse.parts(body.as_bytes()).unwrap();
    let seen: Vec<_> = parts.iter().map(|p| (p.modality, p.label)).collect();
    assert_eq!(
        seen,
        [
            (Modality::Text, Label::System),
            (Modality::Text, Label::User),
            (Modality::Image, Label::User),
            (Modality::Document, Label::User),
            (Modality::Reasoning, Label::Assistant),
            (Modality::ToolCall, Label::Assistant),
            (Modality::Unknown, Label::Assistant),
            (Modality::ToolResult, Label::Tool),
            (Modality::ToolResult, Label::Tool),
            (Modality::Image, Label::Tool),
        ]
    );
    let at = |part: &ContentPart| match &part.source {
        ContentSource::Inline(span) | ContentSource::Url(span) => body[span.clone()].to_owned(),
        ContentSource::File(_) => String::new(),
    };
    assert_eq!(
        (at(&parts[2]), at(&parts[3])),
        ("\"aaaa\"".into(), "\"s3://b/k\"".into())
    );
}

#[test]
fn errors_are_named_as_sdks_expect() {
    let error = Error::client(Kind::BudgetExceeded, "budget_exceeded", "spent");
    let body = ErrorBody::ours(&error, Some("ex_1"));
    assert_eq!(
        BedrockConverse.error(&body),
        r#"{"message":"spent","code":"budget_exceeded","requestId":"ex_1"}"#
    );
    let (name, value) = BedrockConverse.error_headers(&body).remove(0);
    assert_eq!(name, "x-amzn-errortype");
    assert_eq!(value, "ServiceQuotaExceededException");
    let own = ErrorBody {
        kind_name: Some("ModelNotReadyException".into()),
        ..body.clone()
    };
    assert_eq!(
        BedrockConverse.error_headers(&own).remove(0).1,
        "ModelNotReadyException"
    );
    let frame = BedrockConverse.stream_error(&body);
    let data: Vec<_> = aws_events::events(frame).filter_map(|e| e.data).collect();
    assert_eq!(
        data,
        [r#"{"exception":{"type":"throttlingException","message":"spent"}}"#]
    );
}
