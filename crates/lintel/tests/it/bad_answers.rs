//! Answers that begin well: what follows them, what stands inside them, what they say they used.

use crate::harness::{FACES, Face, Script, Stage, dialect, until};

#[test]
fn bytes_after_an_answer_poison_no_other_call() {
    // More bytes than the length: the rest must never be read as the next call's answer.
    let stage = Stage::new(|seen| {
        let face = dialect::face_of(seen);
        let extra = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 21\r\n\r\n{\"forged\":\"by host\"}\n";
        if seen.model() == "m" {
            dialect::answer(seen)
        } else {
            Script::json("200 OK", face.answer()).raw(extra)
        }
    });
    for _ in 0..10 {
        for face in FACES {
            let (reply, _) = stage.call(face, &face.direct("long"), false);
            assert_eq!((reply.status, reply.body.as_slice()), (200, face.answer()));
            // Bytes that are still under way when the next request leaves can't be told from its answer:
            // HTTP/1.1 has no names for answers. Those that have come must be noticed.
            let sent = || stage.provider.seen().iter().all(|seen| seen.done());
            until("the provider to have sent everything", sent);
            let (reply, _) = stage.call(face, &face.direct("m"), false);
            assert_eq!(
                (reply.status, reply.text().contains("forged")),
                (200, false),
                "{}",
                reply.text()
            );
        }
    }
    stage.balance(40);
}

/// An error event inside a 200, as real hosts send it.
const ERRORS_INSIDE: &[(Face, &str, &str)] = &[
    (
        Face::Openai,
        "groq",
        "event: error\ndata: {\"error\":{\"message\":\"tool call failed\",\"type\":\"invalid_request_error\",\"code\":\"tool_use_failed\",\"status_code\":400}}\n\n",
    ),
    (
        Face::Openai,
        "openrouter",
        "data: {\"id\":\"g\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}],\"error\":{\"code\":502,\"message\":\"provider disconnected\"}}\n\n",
    ),
    (
        Face::Anthropic,
        "anthropic",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
    ),
];

#[test]
fn an_error_inside_a_200() {
    let stage = Stage::new(|seen| {
        let face = dialect::face_of(seen);
        let (name, at) = (seen.model(), if face == Face::Openai { 3 } else { 5 });
        let (kind, late) = name.split_once('-').unwrap_or((&name, ""));
        let Some((.., event)) = ERRORS_INSIDE.iter().find(|(_, n, _)| *n == kind) else {
            return dialect::answer(seen);
        };
        let begun = if late.is_empty() {
            Script::stream_head()
        } else {
            face.events()[..at]
                .iter()
                .fold(Script::stream_head(), |s, e| s.chunk(e.as_bytes()))
        };
        begun.chunk(event.as_bytes()).end()
    });
    for (face, name, event) in ERRORS_INSIDE {
        // After content: the client sees the provider's own event, and nothing that looks like a whole answer.
        let (reply, session) = stage.call(*face, &face.direct(&format!("{name}-late")), true);
        assert_eq!(reply.status, 200);
        assert!(
            reply.text().contains("\"hel\"") && !reply.text().contains(face.terminal()),
            "{}",
            reply.text()
        );
        let message = event
            .split("\"message\":\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        assert!(reply.text().contains(message), "{name}: {}", reply.text());
        let row = stage.lintel.row(&session);
        assert_eq!(
            (row.outcome(), row.text("side")),
            ("provider_error", "provider"),
            "{name}: {}",
            row.0
        );
        assert_eq!(row.attempts().len(), 1);
    }
    for (face, name, event) in ERRORS_INSIDE.iter().filter(|(_, n, _)| *n != "openrouter") {
        // Before content, and with no other target to ask: it passes as it came, and is booked as an error.
        let (reply, session) = stage.call(*face, &face.direct(name), true);
        assert_eq!((reply.status, reply.text().as_str()), (200, *event));
        assert_eq!(stage.lintel.row(&session).outcome(), "provider_error");
    }
    stage.balance(ERRORS_INSIDE.len() * 2 - 1);
}

/// Usage that contradicts itself: OpenAI's and Anthropic's words.
const CONTRADICTORY: &[(Face, &str)] = &[
    (
        Face::Openai,
        r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":5}"#,
    ),
    (
        Face::Openai,
        r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":50}}"#,
    ),
    (
        Face::Openai,
        r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"image_tokens":18446744073709551615,"video_tokens":1}}"#,
    ),
    (
        Face::Openai,
        r#"{"prompt_tokens":-5,"completion_tokens":3,"total_tokens":-2}"#,
    ),
    (
        Face::Openai,
        r#"{"prompt_tokens":1e30,"completion_tokens":"three","total_tokens":null}"#,
    ),
    (Face::Anthropic, r#"{"input_tokens":-1,"output_tokens":3}"#),
    (
        Face::Anthropic,
        r#"{"input_tokens":9,"output_tokens":"many"}"#,
    ),
];

#[test]
fn contradictory_usage_passes_and_is_flagged() {
    let stage = Stage::new(|seen| {
        let face = dialect::face_of(seen);
        let Ok(at) = seen.model().parse::<usize>() else {
            return dialect::answer(seen);
        };
        Script::json("200 OK", with_usage(face, CONTRADICTORY[at].1).as_bytes())
    });
    let mut wrong = Vec::new();
    for (at, (face, usage)) in CONTRADICTORY.iter().enumerate() {
        let (reply, session) = stage.call(*face, &face.direct(&at.to_string()), false);
        if (reply.status, reply.text()) != (200, with_usage(*face, usage)) {
            wrong.push(format!(
                "{usage} doesn't pass: {} {}",
                reply.status,
                reply.text()
            ));
        }
        let row = stage.lintel.row(&session);
        let attempt = &row.attempts()[0];
        let kept = attempt["inconsistent"] == true && attempt["raw_usage"] == *usage;
        if !kept && attempt["estimated"] != true {
            wrong.push(format!("{usage} is believed: {}", row.0));
        }
    }
    stage.balance(CONTRADICTORY.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn absurd_usage_does_not_break_the_books() {
    const ABSURD: &str = r#"{"prompt_tokens":18446744073709551615,"completion_tokens":18446744073709551615,"total_tokens":1}"#;
    let stage = Stage::new(|seen| match seen.model().as_str() {
        "absurd" => Script::json("200 OK", with_usage(Face::Openai, ABSURD).as_bytes()),
        _ => dialect::answer(seen),
    });
    for _ in 0..2 {
        let (reply, session) = stage.call(Face::Openai, "up/absurd", false);
        assert_eq!(reply.status, 200);
        let row = stage.lintel.row(&session);
        assert_eq!(row.attempts()[0]["inconsistent"], true, "{}", row.0);
    }
    let (_, after) = stage.call(Face::Openai, "up/m", false);
    assert_eq!(stage.lintel.row(&after).cost(), 20_250);
    until("all three in the ledger", || {
        let out = stage.lintel.try_cli(&["usage", "--by", "tenant", "--json"]);
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(
            out.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&out.stderr)
        );
        text.contains("\"requests\": 3") || text.contains("\"requests\":3")
    });
    stage.idle();
    stage.quiet();
}

fn with_usage(face: Face, usage: &str) -> String {
    let answer = String::from_utf8_lossy(face.answer()).into_owned();
    let at = answer.find("\"usage\":").unwrap() + "\"usage\":".len();
    format!("{}{usage}}}", &answer[..at])
}

/// Answers with a good status that are none: name, content type, body.
const ODD: &[(&str, &str, &[u8])] = &[
    ("HTML", "text/html", b"<html>log in</html>"),
    (
        "invalid-JSON",
        "application/json",
        b"{\"id\":\"1\",\"choices\":[",
    ),
    (
        "invalid-UTF-8",
        "application/json",
        b"{\"id\":\"\xc3\x28\",\"choices\":[]}",
    ),
    ("empty", "application/json", b""),
    ("something-else", "application/json", b"[1,2,3]"),
    (
        "a-lying-type",
        "application/octet-stream",
        b"{\"detail\":\"method=POST\"}",
    ),
];

#[test]
fn an_odd_answer_passes_as_it_came_and_is_booked_as_a_failure() {
    let stage = Stage::new(|seen| {
        let model = seen.model();
        let odd = ODD.iter().find(|(name, ..)| *name == model);
        odd.map_or_else(
            || dialect::answer(seen),
            |(_, kind, body)| Script::reply("200 OK", &[("content-type", kind)], body),
        )
    });
    for face in FACES {
        for (name, kind, body) in ODD {
            for stream in [false, true] {
                let (reply, session) = stage.call(face, &face.direct(name), stream);
                assert_eq!(
                    (reply.status, reply.body.as_slice()),
                    (200, *body),
                    "{face:?} {name}"
                );
                assert_eq!(reply.header("content-type"), Some(*kind));
                let row = stage.lintel.row(&session);
                assert_eq!(
                    (row.outcome(), row.classes()),
                    ("provider_error", vec!["malformed"]),
                    "{face:?} {name}: {}",
                    row.0
                );
            }
        }
    }
    stage.balance(ODD.len() * 4);
}

/// Answers that are unusual and lawful: name, and the bytes before the plain answer's body or the stream's chunks.
const LAWFUL: &[(&str, &str)] = &[
    (
        "early-hints",
        "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: T\r\n",
    ),
    (
        "continue",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: T\r\n",
    ),
    ("no-reason", "HTTP/1.1 200\r\ncontent-type: T\r\n"),
    (
        "parameters",
        "HTTP/1.1 200 OK\r\nContent-Type: T; charset=UTF-8\r\n",
    ),
    ("upper-case", "HTTP/1.1 200 OK\r\nCONTENT-TYPE: U\r\n"),
];

#[test]
fn unusual_but_lawful_answers_are_answers() {
    let stage = Stage::new(|seen| {
        let (face, stream) = (dialect::face_of(seen), seen.stream());
        let model = seen.model();
        let Some((_, head)) = LAWFUL.iter().find(|(name, _)| *name == model) else {
            return dialect::answer(seen);
        };
        let kind = if stream {
            "text/event-stream"
        } else {
            "application/json"
        };
        let head = head
            .replace(": T", &format!(": {kind}"))
            .replace(": U", &format!(": {}", kind.to_uppercase()));
        let begun = Script::default()
            .raw(head.as_bytes())
            .raw(b"Transfer-Encoding: chunked\r\n\r\n");
        // Chunk extensions and trailers are part of the framing, not of the body.
        let chunk = |s: Script, data: &str| {
            s.raw(format!("{:X};ext=\"1\"\r\n{data}\r\n", data.len()).as_bytes())
        };
        let whole = String::from_utf8_lossy(face.answer()).into_owned();
        let pieces: Vec<&str> = if stream {
            face.events().to_vec()
        } else {
            vec![&whole]
        };
        pieces
            .into_iter()
            .fold(begun, chunk)
            .raw(b"0\r\nx-trailer: 1\r\n\r\n")
    });
    for face in FACES {
        for (name, _) in LAWFUL {
            for stream in [false, true] {
                let (reply, session) = stage.call(face, &face.direct(name), stream);
                let whole = if stream {
                    face.client_stream()
                } else {
                    String::from_utf8_lossy(face.answer()).into_owned()
                };
                assert_eq!(
                    (reply.status, reply.text()),
                    (200, whole),
                    "{face:?} {name}, stream {stream}"
                );
                let row = stage.lintel.row(&session);
                assert_eq!(
                    (row.outcome(), row.meters().values().sum::<u64>()),
                    ("success", 12),
                    "{name}: {}",
                    row.0
                );
            }
        }
    }
    stage.balance(LAWFUL.len() * 4);
}

#[test]
fn a_compressed_answer_is_never_passed_off_as_plain() {
    // Asked for identity, it sends gzip all the same.
    let stage = Stage::new(|_| {
        let headers = [
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ];
        Script::reply(
            "200 OK",
            &headers,
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0",
        )
    });
    for face in FACES {
        let (reply, session) = stage.call(face, &face.direct("m"), false);
        let honest = reply.status == 502 || reply.header("content-encoding") == Some("gzip");
        assert!(honest, "{:?} {:?}", reply.head, reply.text());
        assert_ne!(
            stage.lintel.row(&session).outcome(),
            "success",
            "its usage can't be read"
        );
    }
    stage.balance(2);
}
