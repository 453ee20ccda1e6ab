//! Bad input from clients: each gets its documented answer, is counted once, and leaves nothing behind.

use crate::harness::{FACES, Metrics, Request, Stage};

/// A bad body: its name, how it is made of the model's quoted name, and the status and code that it gets.
type BadBody = (&'static str, fn(&str) -> Vec<u8>, u16, &'static str);

const BODIES: &[BadBody] = &[
    ("empty", |_| Vec::new(), 400, "invalid_json"),
    (
        "truncated",
        |m| format!(r#"{{"model":{m},"messages":[{{"role":"us"#).into(),
        400,
        "invalid_json",
    ),
    (
        "truncated in an escape",
        |m| format!(r#"{{"model":{m},"messages":[],"x":"\u00"#).into(),
        400,
        "invalid_json",
    ),
    (
        "nested too deep",
        |m| {
            format!(
                r#"{{"model":{m},"messages":{}{}}}"#,
                "[".repeat(100_000),
                "]".repeat(100_000)
            )
            .into()
        },
        400,
        "invalid_json",
    ),
    (
        "nested and never closed",
        |m| format!(r#"{{"model":{m},"messages":{}"#, "[{\"a\":".repeat(100_000)).into(),
        400,
        "invalid_json",
    ),
    (
        "not UTF-8",
        |m| {
            [
                format!(r#"{{"model":{m},"messages":[{{"role":"user","content":""#).as_bytes(),
                b"\xc3\x28",
                br#""}]}"#,
            ]
            .concat()
        },
        400,
        "invalid_json",
    ),
    (
        "overlong UTF-8",
        |m| {
            [
                format!(r#"{{"model":{m},"messages":[],"x":""#).as_bytes(),
                b"\xc0\xaf",
                br#""}"#,
            ]
            .concat()
        },
        400,
        "invalid_json",
    ),
    (
        "UTF-16",
        |m| {
            format!(r#"{{"model":{m},"messages":[]}}"#)
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect()
        },
        400,
        "invalid_json",
    ),
    (
        "a byte order mark",
        |m| format!("\u{feff}{{\"model\":{m},\"messages\":[]}}").into(),
        400,
        "invalid_json",
    ),
    (
        "the model twice",
        |m| format!(r#"{{"model":{m},"messages":[],"model":"other"}}"#).into(),
        400,
        "invalid_json",
    ),
    (
        "the model twice, once escaped",
        |m| format!(r#"{{"model":{m},"messages":[],"mod\u0065l":"other"}}"#).into(),
        400,
        "invalid_json",
    ),
    (
        "a key twice, deep",
        |m| {
            format!(
                r#"{{"model":{m},"messages":[{{"role":"user","content":"a","role":"system"}}]}}"#
            )
            .into()
        },
        400,
        "invalid_json",
    ),
    (
        "something after the end",
        |m| format!(r#"{{"model":{m},"messages":[]}}{{}}"#).into(),
        400,
        "invalid_json",
    ),
    (
        "NaN",
        |m| format!(r#"{{"model":{m},"messages":[],"temperature":NaN}}"#).into(),
        400,
        "invalid_json",
    ),
    (
        "a bare control character",
        |m| format!("{{\"model\":{m},\"messages\":[],\"x\":\"\u{1}\"}}").into(),
        400,
        "invalid_json",
    ),
    (
        "single quotes",
        |_| b"{'model':'m'}".to_vec(),
        400,
        "invalid_json",
    ),
    ("an array", |m| format!("[{m}]").into(), 400, "invalid_json"),
    ("null", |_| b"null".to_vec(), 400, "invalid_json"),
    (
        "no model",
        |_| br#"{"messages":[]}"#.to_vec(),
        400,
        "invalid_field",
    ),
    (
        "a model of the wrong type",
        |_| br#"{"model":7,"messages":[]}"#.to_vec(),
        400,
        "invalid_field",
    ),
    (
        "an empty model",
        |_| br#"{"model":"","messages":[]}"#.to_vec(),
        400,
        "invalid_field",
    ),
    (
        "an endless model",
        |_| format!(r#"{{"model":"{}","messages":[]}}"#, "m".repeat(100_000)).into(),
        400,
        "invalid_field",
    ),
    (
        "no messages",
        |m| format!(r#"{{"model":{m}}}"#).into(),
        400,
        "invalid_field",
    ),
    (
        "messages of the wrong type",
        |m| format!(r#"{{"model":{m},"messages":"hi"}}"#).into(),
        400,
        "invalid_field",
    ),
    (
        "a stream of the wrong type",
        |m| format!(r#"{{"model":{m},"messages":[],"stream":"yes"}}"#).into(),
        400,
        "invalid_field",
    ),
];

#[test]
fn bad_bodies() {
    let stage = Stage::good();
    for face in FACES {
        let mut client = stage.connect();
        for (name, body, status, code) in BODIES {
            let session = stage.session();
            let body = body(&format!("\"{}\"", face.direct("m")));
            let reply = client.call(
                &face
                    .head(&stage.key.secret)
                    .header("x-lintel-session", &session)
                    .body(&body),
            );
            assert_eq!(reply.status, *status, "{face:?} {name}: {}", reply.text());
            assert_eq!(
                face.error(&reply).code,
                *code,
                "{face:?} {name}: {}",
                reply.text()
            );
            let row = stage.lintel.row(&session);
            assert_eq!(
                (row.outcome(), row.text("code"), row.status()),
                ("client_error", *code, u64::from(*status))
            );
            assert_eq!(
                (row.attempts().len(), &row.0["request_bytes"]),
                (0, &body.len().into())
            );
            // The connection is as good as before.
            let model = face.direct("m");
            assert_eq!(
                client
                    .call(&stage.request(face, &model, false, &stage.session()))
                    .status,
                200,
                "after {name}"
            );
        }
    }
    let rows = stage.balance(BODIES.len() * 4);
    assert_eq!(
        rows.iter()
            .filter(|r| r.outcome() == "client_error")
            .count(),
        BODIES.len() * 2
    );
    let metrics = Metrics::of(&stage.lintel);
    assert_eq!(
        metrics.calls(&[("outcome", "client_error")]),
        BODIES.len() as f64 * 2.0
    );
}

/// A bad head around a good body: its name, what is wrong with it, status and code.
type BadHead = (&'static str, fn(Request) -> Request, u16, &'static str);

const HEADS: &[BadHead] = &[
    (
        "text",
        |r| {
            r.without("content-type")
                .header("content-type", "text/plain")
        },
        415,
        "unsupported_media_type",
    ),
    (
        "a form",
        |r| {
            r.without("content-type")
                .header("content-type", "multipart/form-data; boundary=x")
        },
        415,
        "unsupported_media_type",
    ),
    (
        "gzip",
        |r| r.header("content-encoding", "gzip"),
        415,
        "unsupported_encoding",
    ),
    (
        "an unknown encoding",
        |r| r.header("content-encoding", "zstd, br"),
        415,
        "unsupported_encoding",
    ),
];

#[test]
fn bad_types_and_encodings() {
    let stage = Stage::good();
    for face in FACES {
        for (name, wrong, status, code) in HEADS {
            let reply = stage.connect().call(&wrong(stage.request(
                face,
                &face.direct("m"),
                false,
                &stage.session(),
            )));
            assert_eq!(
                (reply.status, face.error(&reply).code.as_str()),
                (*status, *code),
                "{face:?} {name}: {}",
                reply.text()
            );
        }
        for fine in [
            "application/json; charset=utf-8",
            "Application/JSON;charset=\"UTF-8\"",
            "application/json",
        ] {
            let request = stage.request(face, &face.direct("m"), false, &stage.session());
            let reply = stage
                .connect()
                .call(&request.without("content-type").header("content-type", fine));
            assert_eq!(reply.status, 200, "{fine}: {}", reply.text());
        }
        let request = stage
            .request(face, &face.direct("m"), false, &stage.session())
            .header("content-encoding", "identity");
        assert_eq!(stage.connect().call(&request).status, 200);
    }
    stage.balance(FACES.len() * (HEADS.len() + 4));
}
