//! Paths, heads, parts and errors of the surface.

use std::borrow::Cow;

use lintel_types::Kind;

use super::*;

fn place(path: &str) -> Option<(String, bool)> {
    let place = GeminiGenerate.place(path)?;
    Some((place.model.unwrap(), place.stream))
}

#[test]
fn model_and_verb_stand_in_the_path() {
    let found = |model: &str, stream| Some((model.to_owned(), stream));
    assert_eq!(
        place("/v1beta/models/gemini-2.5-pro:generateContent"),
        found("gemini-2.5-pro", false)
    );
    assert_eq!(
        place("/v1/models/openai/gpt-4o:streamGenerateContent"),
        found("openai/gpt-4o", true)
    );
    assert_eq!(
        place("/v1beta/models/local%2Fllama3%3A8b:generateContent"),
        found("local/llama3:8b", false)
    );
    assert_eq!(
        place("/v1beta/models/local/llama3:8b:generateContent"),
        found("local/llama3:8b", false)
    );
    for other in [
        "/v1beta/models/m:countTokens",
        "/v1beta/models/:generateContent",
        "/v1beta/models/m",
        "/v1beta/models/%zz:generateContent",
        "/v2/models/m:generateContent",
    ] {
        assert_eq!(place(other), None, "{other}");
    }
}

fn head(body: &str) -> Result<Head, Error> {
    let place = GeminiGenerate
        .place("/v1beta/models/m:streamGenerateContent")
        .unwrap();
    GeminiGenerate.head(body.as_bytes(), &place)
}

#[test]
fn the_head_is_read_in_either_spelling() {
    for body in [
        r#"{"contents":[],"generationConfig":{"maxOutputTokens":7,"candidateCount":2},"lintel":{}}"#,
        r#"{"contents":[],"generation_config":{"max_output_tokens":7,"candidate_count":2},"lintel":{}}"#,
    ] {
        let head = head(body).unwrap();
        assert_eq!((head.model.as_str(), head.stream), ("m", true));
        assert_eq!((head.max_output, head.choices), (Some(7), 2));
        assert!(head.model_span.is_none() && head.strip_ours.is_some());
    }
}

#[test]
fn refusals_name_the_path() {
    let says = |body: &str| head(body).unwrap_err().message().to_owned();
    assert!(says("{}").contains("$.contents"));
    assert!(says(r#"{"contents":"hi"}"#).contains("$.contents"));
    assert!(says("[]").contains("object"));
    let nowhere = GeminiGenerate.head(br#"{"contents":[]}"#, &Place::default());
    assert!(nowhere.unwrap_err().message().contains("{model}"));
}

#[test]
fn parts_are_labelled_references() {
    let body = r#"{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[
        {"role":"user","parts":[{"text":"hi"},{"inline_data":{"mime_type":"image/png","data":"AAAA"}},{"fileData":{"fileUri":"https://x/y.mp4","mimeType":"video/mp4"}}]},
        {"role":"model","parts":[{"text":"hm","thought":true},{"functionCall":{"name":"f","args":{}}}]},
        {"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}},{"file_data":{"file_uri":"https://generativelanguage.googleapis.com/v1beta/files/a"}},{"novel":1}]}]}"#;
    let parts = GeminiGenerate.parts(body.as_bytes()).unwrap();
    let seen: Vec<_> = parts.iter().map(|p| (p.modality, p.label)).collect();
    assert_eq!(
        seen,
        [
            (Modality::Text, Label::System),
            (Modality::Text, Label::User),
            (Modality::Image, Label::User),
            (Modality::Video, Label::User),
            (Modality::Reasoning, Label::Assistant),
            (Modality::ToolCall, Label::Assistant),
            (Modality::ToolResult, Label::Tool),
            (Modality::Document, Label::User),
            (Modality::Unknown, Label::User),
        ]
    );
    assert!(
        matches!(&parts[3].source, ContentSource::Url(s) if &body[s.clone()] == "\"https://x/y.mp4\"")
    );
    assert!(matches!(&parts[7].source, ContentSource::File(_)));
}

#[test]
fn errors_are_the_dialects_own() {
    let error = Error::client(
        Kind::Authentication,
        "expired_key",
        "the key \"lk\" expired\n",
    );
    let body = GeminiGenerate.stream_error(&ErrorBody::ours(&error, Some("ex_1")));
    let text = std::str::from_utf8(&body).unwrap();
    let data = text
        .strip_prefix("data: ")
        .and_then(|t| t.strip_suffix("\r\n\r\n"))
        .unwrap();
    let value: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(value["error"]["code"], 401);
    assert_eq!(value["error"]["status"], "UNAUTHENTICATED");
    assert_eq!(value["error"]["details"][0]["reason"], "expired_key");
    assert_eq!(value["error"]["details"][0]["domain"], "lintel");
    assert_eq!(value["error"]["details"][1]["requestId"], "ex_1");
}

#[test]
fn a_providers_error_keeps_its_words() {
    let error = ErrorBody {
        message: Cow::Borrowed("full"),
        kind_name: Some(Cow::Borrowed("RESOURCE_EXHAUSTED")),
        kind: Kind::Upstream,
        status: None,
        code: Some(Cow::Borrowed("429")),
        param: None,
        request_id: None,
    };
    let body = GeminiGenerate.error(&error);
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["error"]["code"], 429);
    assert_eq!(value["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(value["error"]["details"], serde_json::json!([]));
    // A status that no kind has is told as it goes out.
    let sent = ErrorBody {
        code: None,
        status: Some(500),
        ..error.clone()
    };
    let value: serde_json::Value = serde_json::from_slice(&GeminiGenerate.error(&sent)).unwrap();
    assert_eq!(value["error"]["code"], 500);
    // Another protocol's type is no status of Google's.
    let foreign = ErrorBody {
        kind_name: Some(Cow::Borrowed("invalid_request_error")),
        kind: Kind::InvalidRequest,
        code: Some(Cow::Borrowed("null")),
        ..error
    };
    let value: serde_json::Value = serde_json::from_slice(&GeminiGenerate.error(&foreign)).unwrap();
    assert_eq!(value["error"]["status"], "INVALID_ARGUMENT");
    assert_eq!(value["error"]["code"], 400);
}
