//! The head, the parts and the errors of the Responses surface.

use super::*;
use lintel_types::Kind;

fn head(body: &str) -> Result<Head, Error> {
    OpenaiResponses.head(body.as_bytes(), &Place::default())
}

#[test]
fn the_head_takes_every_form_of_input() {
    let head_of =
        head(r#"{"model":"m","input":"hi","stream":true,"max_output_tokens":50}"#).unwrap();
    assert!(head_of.stream && head_of.ask_usage.is_none());
    assert_eq!(head_of.max_output, Some(50));
    for input in [
        r#""input":[]"#,
        r#""input":null"#,
        r#""prompt":{"id":"pmpt_1"}"#,
    ] {
        assert!(
            head(&format!(r#"{{"model":"m",{input}}}"#)).is_ok(),
            "{input}"
        );
    }
}

#[test]
fn refusals_name_the_path() {
    let check = |body: &str, says: &str| {
        let error = head(body).unwrap_err();
        assert!(error.message().contains(says), "{body}: {error}");
    };
    check(r#"{"input":"x"}"#, "$.model");
    check(r#"{"model":"m","input":{}}"#, "$.input");
    check(r#"{"model":"m","input":7}"#, "$.input");
    check(r#"{"model":"m","input":"x","stream":1}"#, "$.stream");
}

#[test]
fn parts_are_labelled_references_to_every_kind_of_item() {
    let body = r#"{"model":"m","instructions":"be kind","prompt":{"id":"p","variables":{"city":"Oslo"}},"input":[
        {"role":"user","content":"hi"},
        {"type":"message","role":"developer","content":[{"type":"input_text","text":"short"}]},
        {"role":"user","content":[{"type":"input_image","image_url":"https://x/y.png"},{"type":"input_image","image_url":"data:image/png;base64,AA"},
            {"type":"input_file","file_id":"file_1"},{"type":"input_file","file_data":"data:x"},{"type":"novel"}]},
        {"type":"reasoning","id":"rs","summary":[],"encrypted_content":"x"},
        {"type":"message","role":"assistant","content":[{"type":"output_text","text":"yes","annotations":[]},{"type":"refusal","refusal":"no"}]},
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
        {"type":"function_call_output","call_id":"c","output":"42"},
        {"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"42"},{"type":"input_image","file_id":"f"}]},
        {"type":"custom_tool_call","call_id":"d","name":"g","input":"x"},
        {"type":"web_search_call","id":"w"},{"type":"computer_call_output","call_id":"k","output":{}},
        {"type":"mcp_approval_response","approval_request_id":"a","approve":true},
        {"type":"item_reference","id":"msg_1"},{"type":"novel_item"}]}"#;
    let parts = OpenaiResponses.parts(body.as_bytes()).unwrap();
    let seen: Vec<_> = parts.iter().map(|p| (p.modality, p.label)).collect();
    use Label::{Assistant, System, Tool, User};
    use Modality::{Document, Image, Reasoning, Text, ToolCall, ToolResult, Unknown};
    assert_eq!(
        seen,
        [
            (Text, System),
            (Text, User),
            (Text, User),
            (Text, System),
            (Image, User),
            (Image, User),
            (Document, User),
            (Document, User),
            (Unknown, User),
            (Reasoning, Assistant),
            (Text, Assistant),
            (Text, Assistant),
            (ToolCall, Assistant),
            (ToolResult, Tool),
            (ToolResult, Tool),
            (Image, Tool),
            (ToolCall, Assistant),
            (ToolResult, Tool),
            (ToolResult, Tool),
            (ToolResult, Tool),
            (Unknown, Assistant),
            (Unknown, User)
        ]
    );
    let at = |source: &ContentSource| match source {
        ContentSource::Url(span) => format!("url {}", &body[span.clone()]),
        ContentSource::File(span) => format!("file {}", &body[span.clone()]),
        ContentSource::Inline(span) => body[span.clone()].to_owned(),
    };
    assert_eq!(at(&parts[2].source), "\"hi\"");
    assert_eq!(at(&parts[4].source), "url \"https://x/y.png\"");
    assert_eq!(at(&parts[5].source), "\"data:image/png;base64,AA\"");
    assert_eq!(at(&parts[6].source), "file \"file_1\"");
    assert_eq!(at(&parts[15].source), "file \"f\"");
}

#[test]
fn errors_have_the_form_that_sdks_raise_on() {
    let ours = Error::client(
        Kind::Authentication,
        "expired_key",
        "the key \"lk_…\" expired\n",
    );
    let body = OpenaiResponses.error(&ErrorBody::ours(&ours, None));
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["error"]["code"], "expired_key");
    assert_eq!(value["error"]["type"], "authentication_error");

    let mut error = ErrorBody::ours(&ours, None);
    error.code = Some("502".into());
    let event = OpenaiResponses.stream_error(&error);
    let text = std::str::from_utf8(&event).unwrap();
    let data = text.strip_prefix("event: error\ndata: ").unwrap();
    let value: serde_json::Value = serde_json::from_str(data.trim_end()).unwrap();
    assert_eq!(value["type"], "error");
    assert_eq!(value["code"], "502");
    assert_eq!(value["message"], value["error"]["message"]);
    assert_eq!(value["error"]["code"], "502");
    assert_eq!(value["sequence_number"], 0);
    assert!(value["param"].is_null());
    assert!(text.ends_with("}\n\n"));
}
