//! The life of a call that goes well: bytes, log row, ledger and metrics, on both surfaces.

use crate::harness::script::Gate;
use crate::harness::{Act, FACES, Face, Metrics, Script, Stage, dialect};

#[test]
fn answers_come_back_byte_for_byte_and_are_booked() {
    let stage = Stage::good();
    let mut client = stage.connect();
    let cases: Vec<(Face, bool)> = FACES
        .into_iter()
        .flat_map(|face| [(face, false), (face, true)])
        .collect();
    for (face, stream) in cases.iter().copied() {
        let session = stage.session();
        let model = face.direct("m");
        let reply = client.call(&stage.request(face, &model, stream, &session));
        let whole = if stream {
            face.client_stream()
        } else {
            String::from_utf8_lossy(face.answer()).into_owned()
        };
        assert_eq!(
            (reply.status, reply.text()),
            (200, whole),
            "{face:?} stream {stream}"
        );
        assert!(reply.ended.is_ok());
        let wants = if stream {
            "text/event-stream"
        } else {
            "application/json"
        };
        assert_eq!(reply.header("content-type"), Some(wants));
        assert_eq!(reply.header("x-lintel-attempts"), Some("1"));
        assert!(
            reply
                .header("x-lintel-overhead-us")
                .unwrap()
                .parse::<u64>()
                .is_ok()
        );
        assert_eq!(reply.header("x-lintel-degraded"), None);
        // The cost of a stream is known only at its end.
        assert_eq!(
            reply.header("x-lintel-cost"),
            (!stream).then_some("0.00002025")
        );

        let row = stage.lintel.row(&session);
        assert_eq!(
            reply.header("x-request-id"),
            Some(row.exchange().as_str()),
            "the id is ours"
        );
        assert_eq!(
            (row.kind(), row.outcome(), row.status()),
            ("settled", "success", 200)
        );
        assert_eq!(
            (
                row.text("surface"),
                row.text("route"),
                row.0["stream"] == true
            ),
            (face.name(), model.as_str(), stream)
        );
        assert_eq!(
            row.meters(),
            [
                ("input".to_owned(), Face::USAGE.0),
                ("output".to_owned(), Face::USAGE.1)
            ]
            .into()
        );
        assert_eq!(row.0["request_bytes"], face.body(&model, stream).len());
        assert_eq!(row.0["response_bytes"], reply.body.len());
        assert_eq!(
            row.text("finish_reason"),
            if face == Face::Openai {
                "stop"
            } else {
                "end_turn"
            }
        );
        assert_eq!(
            row.cost(),
            20_250,
            "9 tokens at 1.50 and 3 at 2.25 dollars a million"
        );
        let attempt = &row.attempts()[0];
        assert_eq!(
            (
                row.attempts().len(),
                &attempt["provider"],
                &attempt["model"]
            ),
            (1, &face.provider().into(), &"m".into())
        );
        assert!(
            attempt["estimated"] != true && attempt["inconsistent"] != true,
            "{attempt}"
        );
    }
    let rows = stage.balance(cases.len());
    assert!(rows.iter().all(|r| r.0["who"]["tenant"] == "acme"
        && r.0["who"]["project"] == "search"
        && r.0["who"]["key"] == stage.key.id.as_str()));
    let metrics = Metrics::of(&stage.lintel);
    for face in FACES {
        assert_eq!(
            metrics.calls(&[("surface", face.name()), ("outcome", "success")]),
            2.0
        );
    }
    let connections: std::collections::BTreeSet<usize> =
        stage.provider.seen().iter().map(|s| s.connection).collect();
    assert!(
        connections.len() <= 2,
        "one connection a provider serves all calls of one client: {connections:?}"
    );
}

/// What a client sends, and what must reach the provider. `M` stands for the name that differs.
const REWRITES: &[(Face, &str, &str)] = &[
    (
        Face::Openai,
        r#"{"model":M,"messages":[]}"#,
        r#"{"model":M,"messages":[]}"#,
    ),
    (
        Face::Openai,
        "{ \"temperature\" : 1.50,\n\t\"messages\":[{\"role\":\"user\",\"content\":\"\\u00e9\\/\\ud83d\\ude00 \\\"model\\\":\\\"x\\\"\"}] ,\"x_new\":{\"model\":\"inner\",\"a\":[1e300,-0,6.240930669504435e-7]} , \"model\" : M }\r\n",
        "{ \"temperature\" : 1.50,\n\t\"messages\":[{\"role\":\"user\",\"content\":\"\\u00e9\\/\\ud83d\\ude00 \\\"model\\\":\\\"x\\\"\"}] ,\"x_new\":{\"model\":\"inner\",\"a\":[1e300,-0,6.240930669504435e-7]} , \"model\" : M }\r\n",
    ),
    (
        Face::Openai,
        r#"{"model":M,"messages":[],"stream":true}"#,
        r#"{"model":M,"messages":[],"stream":true,"stream_options":{"include_usage":true}}"#,
    ),
    (
        Face::Openai,
        r#"{"model":M,"stream":true,"stream_options":{"include_usage":true},"messages":[]}"#,
        r#"{"model":M,"stream":true,"stream_options":{"include_usage":true},"messages":[]}"#,
    ),
    (
        Face::Openai,
        r#"{"model":M,"stream":true,"stream_options":{"include_usage":false},"messages":[]}"#,
        r#"{"model":M,"stream":true,"stream_options":{"include_usage":true},"messages":[]}"#,
    ),
    (
        Face::Openai,
        r#"{"model":M,"stream":true,"stream_options":{"include_obfuscation":false},"messages":[]}"#,
        r#"{"model":M,"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false},"messages":[]}"#,
    ),
    (
        Face::Openai,
        r#"{"model":M,"lintel":{"tag":"ours"},"messages":[]}"#,
        r#"{"model":M,"messages":[]}"#,
    ),
    (
        Face::Anthropic,
        r#"{"model":M,"max_tokens":5,"stream":true,"thinking":{"type":"enabled"},"messages":[]}"#,
        r#"{"model":M,"max_tokens":5,"stream":true,"thinking":{"type":"enabled"},"messages":[]}"#,
    ),
];

#[test]
fn the_providers_body_differs_only_where_it_must() {
    let stage = Stage::good();
    for (at, (face, sent, wanted)) in REWRITES.iter().enumerate() {
        let name = format!("m{at}");
        let quoted = |model: &str| format!("\"{model}\"");
        let body = sent.replacen('M', &quoted(&face.direct(&name)), 1);
        let reply = stage
            .connect()
            .call(&face.head(&stage.key.secret).body(&body));
        assert_eq!(reply.status, 200, "{body}: {}", reply.text());
        let seen = stage.provider.wait_for(&name, 1);
        assert_eq!(
            String::from_utf8_lossy(&seen.body),
            wanted.replacen('M', &quoted(&name), 1)
        );
    }
    // An escaped name is the name that it spells.
    let escaped = r#"{"model":"\u0075p\/esc","messages":[]}"#;
    let reply = stage
        .connect()
        .call(&Face::Openai.head(&stage.key.secret).body(escaped));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        stage.provider.wait_for("esc", 1).body,
        br#"{"model":"esc","messages":[]}"#
    );
    stage.balance(REWRITES.len() + 1);
}

#[test]
fn the_usage_event_reaches_only_a_client_that_asked() {
    let stage = Stage::good();
    let ask = |options: &str| {
        let body = format!(r#"{{"model":"up/m","messages":[],"stream":true{options}}}"#);
        stage
            .connect()
            .call(&Face::Openai.head(&stage.key.secret).body(&body))
            .text()
    };
    assert_eq!(
        ask(r#","stream_options":{"include_usage":true}"#),
        Face::Openai.events().concat()
    );
    assert_eq!(
        ask(r#","stream_options":{"include_usage":false}"#),
        Face::Openai.client_stream()
    );
    assert_eq!(ask(""), Face::Openai.client_stream());
    stage.balance(3);
}

/// Usage in a chunk that also carries content or the reason to stop is content: it stays.
const MIXED: &[&str] = &[
    "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,\"total_tokens\":12}}\n\n",
    "data: [DONE]\n\n",
];

#[test]
fn a_stream_is_the_same_however_it_is_cut() {
    let stage = Stage::new(|seen| {
        let model = seen.model();
        let (shape, cut) = model.split_once('-').unwrap();
        let face = dialect::face_of(seen);
        let bytes = match shape {
            "mixed" => MIXED.concat(),
            _ => face.events().concat(),
        };
        let size = cut.parse().unwrap();
        bytes
            .as_bytes()
            .chunks(size)
            .fold(Script::stream_head(), Script::chunk)
            .end()
    });
    let cuts = [1, 2, 3, 7, 64, 1 << 20];
    for cut in cuts {
        for face in FACES {
            let (reply, session) = stage.call(face, &face.direct(&format!("plain-{cut}")), true);
            assert_eq!(
                reply.text(),
                face.client_stream(),
                "{face:?} cut every {cut} bytes"
            );
            assert_eq!(
                stage.lintel.row(&session).meters().values().sum::<u64>(),
                Face::USAGE.0 + Face::USAGE.1
            );
        }
        let (reply, session) = stage.call(Face::Openai, &format!("up/mixed-{cut}"), true);
        assert_eq!(reply.text(), MIXED.concat());
        let row = stage.lintel.row(&session);
        assert_eq!(
            (
                row.meters().values().sum::<u64>(),
                row.text("finish_reason")
            ),
            (12, "length")
        );
    }
    stage.balance(cuts.len() * 3);
}

#[test]
fn the_first_content_is_not_held_back_for_what_follows() {
    let gate = Gate::default();
    let held = gate.clone();
    let stage = Stage::new(move |seen| {
        let face = dialect::face_of(seen);
        let (first, rest) = face
            .events()
            .split_at(if face == Face::Openai { 3 } else { 4 });
        let first = first
            .iter()
            .fold(Script::stream_head(), |s, e| s.chunk(e.as_bytes()));
        rest.iter()
            .fold(first.then(Act::Gate(held.clone())), |s, e| {
                s.chunk(e.as_bytes())
            })
            .end()
    });
    for face in FACES {
        let mut client = stage.connect();
        client
            .send(
                &stage
                    .request(face, &face.direct("m"), true, &stage.session())
                    .bytes(),
            )
            .unwrap();
        assert!(client.head().unwrap().start.starts_with("HTTP/1.1 200"));
        let begun = client.until(b"\"hel\"").unwrap();
        assert!(
            face.client_stream()
                .starts_with(&*String::from_utf8_lossy(&begun))
        );
    }
    gate.open();
    stage.balance(2);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let stage = Stage::good();
    let mut client = stage.connect();
    let mut both = stage
        .request(Face::Openai, "up/m", false, &stage.session())
        .bytes();
    both.extend(
        stage
            .request(Face::Anthropic, "claude/m", false, &stage.session())
            .bytes(),
    );
    client.send(&both).unwrap();
    assert_eq!(client.reply().body, Face::Openai.answer());
    assert_eq!(client.reply().body, Face::Anthropic.answer());
    stage.balance(2);
}

#[test]
fn a_chunked_body_and_an_expected_continue_are_taken() {
    let stage = Stage::good();
    let mut client = stage.connect();
    let face = Face::Openai;
    let head = face
        .head(&stage.key.secret)
        .header("transfer-encoding", "chunked");
    client.send(&head.head_bytes()).unwrap();
    let body = face.body("up/chunked", false);
    let (first, second) = body.as_bytes().split_at(20);
    for piece in [first, second, b""] {
        client.send(&crate::harness::http::chunk(piece)).unwrap();
    }
    assert_eq!(client.reply().status, 200);
    assert_eq!(
        stage.provider.wait_for("chunked", 1).body,
        face.body("chunked", false).as_bytes()
    );

    let request = face
        .request(&stage.key.secret, "up/continued", false)
        .header("expect", "100-continue");
    client.send(&request.head_bytes()).unwrap();
    assert!(client.head().unwrap().start.starts_with("HTTP/1.1 100"));
    client
        .send(face.body("up/continued", false).as_bytes())
        .unwrap();
    assert_eq!(client.reply().status, 200);
    stage.balance(2);
}
