//! Surfaces beside the conversations: embeddings, the older completions, counting.

use serde_json::{Value, json};

use super::{MESSAGES, ask, events, json as whole};
use crate::surface::{ANTHROPIC_COUNT_TOKENS, OPENAI_COMPLETIONS, OPENAI_EMBEDDINGS};

fn embed(model: &str, body: Value) -> Value {
    whole(&ask(OPENAI_EMBEDDINGS, model, &body))
}

fn floats(value: &Value) -> Vec<f32> {
    let list = value.as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn decoded(text: &str) -> Vec<f32> {
    let six = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let bits: Vec<u8> = text
        .bytes()
        .filter(|c| *c != b'=')
        .flat_map(|c| (0..6).rev().map(move |at| (six(c) >> at) & 1))
        .collect();
    let bytes: Vec<u8> = bits
        .chunks_exact(8)
        .map(|b| b.iter().fold(0, |acc, bit| acc << 1 | bit))
        .collect();
    let four = |b: &[u8]| f32::from_le_bytes(b.try_into().unwrap());
    bytes.chunks_exact(4).map(four).collect()
}

#[test]
fn embeddings_of_texts_and_tokens_in_either_encoding() {
    let plain = embed("sandbox", json!({ "input": "hello there" }));
    let vector = floats(&plain["data"][0]["embedding"]);
    assert_eq!(vector.len(), 1536);
    assert_eq!(
        plain["usage"],
        json!({ "prompt_tokens": 3, "total_tokens": 3 })
    );
    let body = json!({ "input": ["hello there", "other"], "encoding_format": "base64" });
    let packed = embed("sandbox", body);
    assert_eq!(packed["data"][1]["index"], 1);
    let same = decoded(packed["data"][0]["embedding"].as_str().unwrap());
    assert_eq!(same, vector, "both encodings hold the same numbers");
    assert_eq!(packed["usage"]["total_tokens"], 5);
    let tokens = embed(
        "sandbox",
        json!({ "input": [[1, 2, 3], [4]], "dimensions": 8 }),
    );
    assert_eq!(floats(&tokens["data"][1]["embedding"]).len(), 8);
    assert_eq!(tokens["usage"]["prompt_tokens"], 4);
    let one = embed("sandbox-in500", json!({ "input": [7, 8] }));
    assert_eq!(one["data"].as_array().unwrap().len(), 1);
    assert_eq!(one["usage"]["prompt_tokens"], 500);
}

#[test]
fn embeddings_refuse_what_the_real_api_refuses() {
    for (body, param) in [
        (json!({}), "input"),
        (json!({ "input": "" }), "input"),
        (json!({ "input": [] }), "input"),
        (json!({ "input": ["a", ""] }), "input"),
        (json!({ "input": ["a", 1] }), "input"),
        (json!({ "input": vec!["a"; 2049] }), "input"),
        (
            json!({ "input": vec!["a"; 2048], "dimensions": 1000 }),
            "input",
        ),
        (json!({ "input": "a", "dimensions": 0 }), "dimensions"),
        (json!({ "input": "a", "dimensions": 3073 }), "dimensions"),
        (
            json!({ "input": "a", "encoding_format": "hex" }),
            "encoding_format",
        ),
    ] {
        let script = ask(OPENAI_EMBEDDINGS, "sandbox", &body);
        assert_eq!(
            (script.status, &whole(&script)["error"]["param"]),
            (400, &json!(param))
        );
    }
    let silent = embed("sandbox-nousage", json!({ "input": "a" }));
    assert!(silent.get("usage").is_none());
    let odd = embed("sandbox-contradict", json!({ "input": "a" }));
    assert_ne!(odd["usage"]["prompt_tokens"], odd["usage"]["total_tokens"]);
    let error = ask(OPENAI_EMBEDDINGS, "sandbox-e429", &json!({ "input": "a" }));
    assert_eq!(
        (error.status, &whole(&error)["error"]["code"]),
        (429, &json!("rate_limit_exceeded"))
    );
}

#[test]
fn completions_say_the_same_whole_and_streamed() {
    for (body, text, finish) in [
        (
            json!({ "prompt": "go on", "max_tokens": 100 }),
            "The sandbox heard: go on",
            "stop",
        ),
        (
            json!({ "prompt": ["go on"], "max_tokens": 2 }),
            "The sand",
            "length",
        ),
        (
            json!({ "prompt": "go on", "max_tokens": 100, "stop": "heard" }),
            "The sandbox ",
            "stop",
        ),
        (
            json!({ "prompt": [1, 2, 3], "max_tokens": 100 }),
            "The sandbox heard no text.",
            "stop",
        ),
        (
            json!({ "max_tokens": 100 }),
            "The sandbox heard no text.",
            "stop",
        ),
    ] {
        let one = whole(&ask(OPENAI_COMPLETIONS, "sandbox", &body));
        assert_eq!(
            (&one["object"], &one["choices"][0]["text"]),
            (&json!("text_completion"), &json!(text))
        );
        assert_eq!(one["choices"][0]["finish_reason"], finish);
        let mut streamed = body.clone();
        streamed["stream"] = json!(true);
        let silent = events(&ask(OPENAI_COMPLETIONS, "sandbox", &streamed));
        assert!(silent.iter().all(|e| e.get("usage").is_none()));
        streamed["stream_options"] = json!({ "include_usage": true });
        let told = events(&ask(OPENAI_COMPLETIONS, "sandbox", &streamed));
        let said: String = told
            .iter()
            .filter_map(|e| e["choices"][0]["text"].as_str())
            .collect();
        assert_eq!(said, text);
        assert_eq!(told.last().unwrap()["usage"], one["usage"]);
        assert!(told[0]["usage"].is_null() && told[0].get("usage").is_some());
    }
    let two = whole(&ask(
        OPENAI_COMPLETIONS,
        "sandbox",
        &json!({ "prompt": "a", "n": 2 }),
    ));
    assert_eq!(two["choices"].as_array().unwrap().len(), 2);
    for body in [
        json!({ "prompt": ["a", "b"] }),
        json!({ "prompt": 7 }),
        json!({ "prompt": "a", "n": 0 }),
    ] {
        assert_eq!(
            ask(OPENAI_COMPLETIONS, "sandbox", &body).status,
            400,
            "{body}"
        );
    }
}

#[test]
fn a_count_is_what_messages_report() {
    let mut body = json!({ "system": "be kind", "messages": [{ "role": "user", "content": "hello" }], "tools": [{ "name": "f", "input_schema": { "type": "object" } }] });
    for model in ["sandbox", "sandbox-in500", "sandbox-cached9000"] {
        let counted = whole(&ask(ANTHROPIC_COUNT_TOKENS, model, &body));
        body["max_tokens"] = json!(5);
        let usage = whole(&ask(MESSAGES, model, &body))["usage"].clone();
        let input = usage["input_tokens"].as_u64().unwrap()
            + usage["cache_read_input_tokens"].as_u64().unwrap();
        assert_eq!(counted, json!({ "input_tokens": input }), "{model}");
    }
    let refused = ask(
        ANTHROPIC_COUNT_TOKENS,
        "sandbox",
        &json!({ "messages": [] }),
    );
    assert_eq!(
        (refused.status, &whole(&refused)["type"]),
        (400, &json!("error"))
    );
}
