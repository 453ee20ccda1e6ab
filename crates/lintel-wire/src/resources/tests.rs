//! Which objects each surface names and makes.

use super::*;
use crate::surface::{
    ANTHROPIC_COUNT_TOKENS, ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES,
    Place, spec,
};
use ResourceKind::*;
use lintel_types::Protocol;

fn check(surface: Surface, body: &str, wanted: &[(ResourceKind, &str, &str)]) {
    let found = named(surface, body.as_bytes());
    if let Ok((_, may_name)) = json::parse_object_watching(body.as_bytes(), watch(surface)) {
        assert!(may_name || wanted.is_empty(), "not read at all: {body}");
    }
    let seen: Vec<_> = found
        .iter()
        .map(|n| (n.kind, n.id.as_str(), n.path.as_str()))
        .collect();
    assert_eq!(seen, wanted, "{body}");
}

fn check_made(surface: Surface, body: &str, wanted: &[(ResourceKind, &str)]) {
    let found = made(surface, json::parse(body.as_bytes()).unwrap());
    let seen: Vec<_> = found.iter().map(|m| (m.kind, &*m.id)).collect();
    assert_eq!(seen, wanted, "{body}");
}

#[test]
fn responses_name_what_is_stored() {
    check(
        OPENAI_RESPONSES,
        r#"{"previous_response_id":"resp_1","conversation":{"id":"conv_1"},"prompt":{"id":"pmpt_1","variables":{"f":{"type":"input_file","file_id":"file_9"}}},
            "metadata":{"file_id":"not_one"},
            "input":[{"type":"item_reference","id":"rs_1"},
              {"role":"user","content":[{"type":"input_file","file_id":"file_1"},{"type":"input_image","file_id":null,"image_url":"x"}]},
              {"type":"function_call","id":"fc_own","arguments":"{\"file_id\":\"not_one\"}"},
              {"type":"function_call_output","call_id":"c","output":[{"type":"input_image","file_id":"file_2"}]},
              {"type":"computer_call_output","output":{"file_id":"file_3"}},
              {"type":"code_interpreter_call","container_id":"cntr_1"}],
            "tools":[{"type":"file_search","vector_store_ids":["vs_1","vs_2"]},{"type":"code_interpreter","container":"cntr_2"},
              {"type":"code_interpreter","container":{"type":"auto","file_ids":["file_4"]}},
              {"type":"function","name":"f","parameters":{"file_id":"not_one"}},
              {"type":"image_generation","input_image_mask":{"file_id":"file_5"}}]}"#,
        &[
            (Response, "resp_1", "$.previous_response_id"),
            (Conversation, "conv_1", "$.conversation.id"),
            (Item, "rs_1", "$.input[0].id"),
            (File, "file_1", "$.input[1].content[0].file_id"),
            (File, "file_2", "$.input[3].output[0].file_id"),
            (File, "file_3", "$.input[4].output.file_id"),
            (Container, "cntr_1", "$.input[5].container_id"),
            (VectorStore, "vs_1", "$.tools[0].vector_store_ids[0]"),
            (VectorStore, "vs_2", "$.tools[0].vector_store_ids[1]"),
            (Container, "cntr_2", "$.tools[1].container"),
            (File, "file_4", "$.tools[2].container.file_ids[0]"),
            (File, "file_5", "$.tools[4].input_image_mask.file_id"),
            (File, "file_9", "$.prompt.variables.f.file_id"),
        ],
    );
    // A reference needs no type; what is said out needs no row.
    check(
        OPENAI_RESPONSES,
        r#"{"input":[{"id":"msg_1"},{"type":null,"id":"msg_2"},{"id":"msg_3","role":"assistant","content":"hi"}]}"#,
        &[
            (Item, "msg_1", "$.input[0].id"),
            (Item, "msg_2", "$.input[1].id"),
        ],
    );
    check(
        OPENAI_RESPONSES,
        r#"{"previous_response_id":null,"conversation":"conv_2","input":"file_id"}"#,
        &[(Conversation, "conv_2", "$.conversation")],
    );
    check(OPENAI_RESPONSES, "{", &[]);
}

#[test]
fn responses_make_what_they_store() {
    let output = r#""output":[{"type":"message","id":"msg_1","content":[{"annotations":[{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile"}]}]},{"type":"code_interpreter_call","id":"ci_1","container_id":"cntr_1"}]"#;
    let wanted = [
        (Response, "resp_1"),
        (Item, "msg_1"),
        (Item, "ci_1"),
        (Container, "cntr_1"),
    ];
    let stored = format!(r#"{{"id":"resp_1","store":true,{output}}}"#);
    check_made(OPENAI_RESPONSES, &stored, &wanted);
    let event = format!(r#"{{"type":"response.completed","response":{stored}}}"#);
    check_made(OPENAI_RESPONSES, &event, &wanted);
    let unstored = format!(r#"{{"id":"resp_1","store":false,{output}}}"#);
    check_made(OPENAI_RESPONSES, &unstored, &[(Container, "cntr_1")]);
    let queued = r#"{"id":"resp_2","status":"queued","output":[]}"#;
    check_made(OPENAI_RESPONSES, queued, &[(Response, "resp_2")]);
    let delta = r#"{"type":"response.output_text.delta","item_id":"msg_1","delta":"x"}"#;
    check_made(OPENAI_RESPONSES, delta, &[]);
    check_made(OPENAI_RESPONSES, r#"{"error":{"message":"m"}}"#, &[]);
}

#[test]
fn other_surfaces_name_theirs() {
    check(
        OPENAI_CHAT,
        r#"{"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file_1"}}]},{"role":"user","content":"file_id"}]}"#,
        &[(File, "file_1", "$.messages[0].content[0].file.file_id")],
    );
    check(
        ANTHROPIC_MESSAGES,
        r#"{"container":{"id":"container_1","skills":[]},"messages":[{"role":"user","content":[
            {"type":"document","source":{"type":"file","file_id":"file_1"}},{"type":"container_upload","file_id":"file_2"},
            {"type":"tool_result","content":[{"type":"image","source":{"type":"file","file_id":"file_3"}}]},
            {"type":"tool_use","input":{"file_id":"not_one"}}]}]}"#,
        &[
            (Container, "container_1", "$.container.id"),
            (File, "file_1", "$.messages[0].content[0].source.file_id"),
            (File, "file_2", "$.messages[0].content[1].file_id"),
            (
                File,
                "file_3",
                "$.messages[0].content[2].content[0].source.file_id",
            ),
        ],
    );
    check_made(
        ANTHROPIC_MESSAGES,
        r#"{"type":"message","container":{"id":"container_1"},"content":[{"type":"bash_code_execution_tool_result","content":{"content":[{"type":"bash_code_execution_output","file_id":"file_1"}]}}]}"#,
        &[(Container, "container_1"), (File, "file_1")],
    );
    check_made(
        ANTHROPIC_MESSAGES,
        r#"{"type":"message_delta","delta":{"container":{"id":"container_1"}},"usage":{}}"#,
        &[(Container, "container_1")],
    );
    let gemini = Surface::new("gemini.generate", Protocol::new("gemini"));
    check(
        gemini,
        r#"{"cachedContent":"cachedContents/1","contents":[{"parts":[{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/abc"}},
            {"file_data":{"file_uri":"https://www.youtube.com/watch?v=1"}},{"fileData":{"fileUri":"https://example.com/files/x"}},{"functionCall":{"args":{"fileUri":"files/no"}}}]}],
            "tools":[{"fileSearch":{"fileSearchStoreNames":["fileSearchStores/1"]}}]}"#,
        &[
            (CachedContent, "cachedContents/1", "$.cachedContent"),
            (File, "files/abc", "$.contents[0].parts[0].fileData.fileUri"),
            (
                VectorStore,
                "fileSearchStores/1",
                "$.tools[0].fileSearch.fileSearchStoreNames[0]",
            ),
        ],
    );
}

#[test]
fn an_address_of_googles_files_is_one_however_it_is_written() {
    let gemini = Surface::new("gemini.generate", Protocol::new("gemini"));
    for address in [
        "HTTPS://GENERATIVELANGUAGE.GOOGLEAPIS.COM/v1beta/files/abc",
        "https://generativelanguage.googleapis.com/v1beta/f%69les/abc",
        "https://generativelanguage.googleapis.com/v1beta/files/abc:download",
        "files/abc/",
    ] {
        let body =
            format!(r#"{{"contents":[{{"parts":[{{"fileData":{{"fileUri":"{address}"}}}}]}}]}}"#);
        let place = "$.contents[0].parts[0].fileData.fileUri";
        check(gemini, &body, &[(File, address, place)]);
    }
}

#[test]
fn an_id_is_seen_however_its_key_is_written() {
    check(
        OPENAI_CHAT,
        r#"{"messages":[{"content":[{"file":{"file\u005fid":"file_1"}}]}]}"#,
        &[(File, "file_1", "$.messages[0].content[0].file.file_id")],
    );
    check(
        OPENAI_RESPONSES,
        r#"{"previous\u005fresponse_id":"resp_1","input":[{"type":"\u0069tem_reference","id":"rs_1"}]}"#,
        &[
            (Response, "resp_1", "$.previous_response_id"),
            (Item, "rs_1", "$.input[0].id"),
        ],
    );
}

#[test]
fn nearly_no_request_is_read_twice() {
    let place = Place {
        model: Some("m".into()),
        ..Place::default()
    };
    let plain = r#"{"model":"m","messages":[{"role":"user","content":"file_id, \u00e4, \"container\":1"}],
        "input":[{"type":"message","content":"item_reference"}],"contents":[]}"#;
    for (surface, id) in [
        (OPENAI_CHAT, "file_id"),
        (OPENAI_RESPONSES, "vector_store_ids"),
        (ANTHROPIC_MESSAGES, "container"),
        (GEMINI_GENERATE, "cached_content"),
    ] {
        let may_name = |body: &str| {
            let head = spec(surface).head(body.as_bytes(), &place);
            head.unwrap().may_name_objects
        };
        assert!(!may_name(plain), "{}", surface.name());
        let deep = plain.replacen('{', &format!(r#"{{"tools":[[{{"{id}":"x"}}]],"#), 1);
        assert!(may_name(&deep), "{}", surface.name());
    }
}

#[test]
fn counting_names_what_sending_would() {
    let body = r#"{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"file_1"}}]}]}"#;
    let path = "$.messages[0].content[0].source.file_id";
    check(ANTHROPIC_COUNT_TOKENS, body, &[(File, "file_1", path)]);
}
