//! Bad input from providers: each gets its documented answer, is booked once, and leaves nothing behind.

use crate::harness::http::chunk;
use crate::harness::{
    Act, Config, FACES, Face, Provider, Route, Script, Seen, Stage, dialect, until,
};

/// A provider's misbehaviour before any content: its name, what it does, and what the client and the log get.
struct Early {
    name: &'static str,
    script: fn(Face) -> Script,
    /// Whether it can be tried in answer to a stream and to a plain call.
    stream: &'static [bool],
    class: &'static str,
}

const BOTH: &[bool] = &[false, true];
const PLAIN: &[bool] = &[false];
const STREAM: &[bool] = &[true];

const EARLY: &[Early] = &[
    Early {
        name: "closes at once",
        script: |_| Script::default().then(Act::Close),
        stream: BOTH,
        class: "truncated",
    },
    Early {
        name: "resets at once",
        script: |_| Script::default().then(Act::Reset),
        stream: BOTH,
        class: "truncated",
    },
    Early {
        name: "not HTTP",
        script: |_| {
            Script::default()
                .raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
                .then(Act::Close)
        },
        stream: BOTH,
        class: "malformed",
    },
    Early {
        name: "half a head",
        script: |_| {
            Script::default()
                .raw(b"HTTP/1.1 200 OK\r\ncontent-ty")
                .then(Act::Close)
        },
        stream: BOTH,
        class: "truncated",
    },
    Early {
        name: "endless headers",
        script: |_| {
            Script::default()
                .raw(b"HTTP/1.1 200 OK\r\n")
                .then(Act::Repeat(
                    b"x-more: and more and more and more\r\n".to_vec(),
                    1_000_000,
                ))
        },
        stream: BOTH,
        class: "malformed",
    },
    Early {
        name: "one endless header",
        script: |_| {
            Script::default()
                .raw(b"HTTP/1.1 200 OK\r\nx-long: ")
                .then(Act::Repeat(vec![b'x'; 65536], 1_000))
        },
        stream: BOTH,
        class: "malformed",
    },
    Early {
        name: "a length longer than the body",
        script: |_| {
            Script::default().raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"id\":").then(Act::Close)
        },
        stream: PLAIN,
        class: "truncated",
    },
    Early {
        name: "closes mid-chunk",
        script: |_| {
            Script::chunked("200 OK", &[("content-type", "application/json")])
                .raw(b"ff\r\n{\"id\":")
                .then(Act::Close)
        },
        stream: PLAIN,
        class: "truncated",
    },
    Early {
        name: "a bad chunk size",
        script: |_| {
            Script::chunked("200 OK", &[("content-type", "application/json")])
                .raw(b"zz\r\n{\"id\":")
                .then(Act::Close)
        },
        stream: PLAIN,
        class: "truncated",
    },
    Early {
        name: "an endless line",
        script: |_| {
            Script::stream_head()
                .chunk(b"data: ")
                .then(Act::Repeat(chunk(&[b'x'; 65536]), 1_000))
        },
        stream: STREAM,
        class: "malformed",
    },
    Early {
        name: "a stream that ends at once",
        script: |_| Script::stream_head().end(),
        stream: STREAM,
        class: "truncated",
    },
    Early {
        name: "a stream of nonsense",
        script: |_| Script::stream_head().chunk(b"data: {not json}\n\n").end(),
        stream: STREAM,
        class: "truncated",
    },
    Early {
        name: "a stream that is not UTF-8",
        script: |_| {
            Script::stream_head()
                .chunk(b"data: {\"a\":\"\xc3\x28\"}\n\n")
                .end()
        },
        stream: STREAM,
        class: "truncated",
    },
    Early {
        name: "an answer over the cap",
        script: |_| {
            Script::chunked("200 OK", &[("content-type", "application/json")])
                .chunk(b"{\"a\":\"")
                .then(Act::Repeat(chunk(&[b'x'; 65536]), 1_000))
        },
        stream: PLAIN,
        class: "malformed",
    },
];

fn stage_of(
    choose: impl Fn(&Seen) -> Script + Send + Sync + 'static,
    models: usize,
    dead: u16,
) -> Stage {
    Stage::with(choose, |config: Config| {
        let config = config
            .limit("event", "256KB")
            .limit("response", "1MB")
            .openai("up-dead", dead)
            .anthropic("claude-dead", dead);
        FACES.into_iter().fold(config, |config, face| {
            let once = |target: &str| {
                Route::to(target)
                    .set("attempts", "1")
                    .set("first_token", "5s")
                    .set("idle", "5s")
            };
            let config = config.route(
                &format!("{}-dead", face.provider()),
                once(&format!("{}-dead/m", face.provider())),
            );
            (0..models).fold(config, |c, at| {
                c.route(
                    &format!("{}-{at}", face.provider()),
                    once(&face.direct(&at.to_string())),
                )
            })
        })
    })
}

#[test]
fn before_the_first_byte() {
    let choose = |seen: &Seen| match seen.model().parse::<usize>() {
        Ok(at) => (EARLY[at].script)(dialect::face_of(seen)),
        Err(_) => dialect::answer(seen),
    };
    let stage = stage_of(choose, EARLY.len(), Provider::dead_port());
    stage.still_serves("m");
    let (files, resident) = (stage.lintel.files(), stage.lintel.resident());
    let mut calls = 4;
    let mut wrong = Vec::new();
    for face in FACES {
        for (at, early) in EARLY.iter().enumerate() {
            for stream in early.stream {
                let (reply, session) =
                    stage.call(face, &format!("{}-{at}", face.provider()), *stream);
                calls += 1;
                assert_eq!(
                    reply.status,
                    502,
                    "{face:?} {}, stream {stream}: {}",
                    early.name,
                    reply.text()
                );
                let fault = face.error(&reply);
                assert!(!fault.message.is_empty());
                assert_eq!(
                    reply.header("x-lintel-error-origin"),
                    Some("provider"),
                    "{}",
                    early.name
                );
                let row = stage.lintel.row(&session);
                if (row.outcome(), row.classes()) != ("provider_error", vec![early.class]) {
                    wrong.push(format!(
                        "{face:?} {}: {} {:?}, not {}",
                        early.name,
                        row.outcome(),
                        row.classes(),
                        early.class
                    ));
                }
            }
        }
        let (reply, session) = stage.call(face, &format!("{}-dead", face.provider()), false);
        calls += 1;
        assert_eq!(reply.status, 502, "{}", reply.text());
        assert_eq!(stage.lintel.row(&session).classes(), ["connect"]);
    }
    stage.still_serves("m");
    stage.balance(calls + 4);
    assert!(wrong.is_empty(), "{wrong:#?}");
    until("no connection of a misbehaving provider to be kept", || {
        stage.lintel.files() <= files + 2
    });
    let grown = stage.lintel.resident().saturating_sub(resident);
    assert!(grown < 48 << 20, "memory grew by {grown} bytes");
}

#[test]
fn a_cut_plain_answer_never_looks_whole() {
    // The head promises more than comes: a client must not take the piece for the answer.
    let stage = stage_of(
        |seen| {
            let answer = dialect::face_of(seen).answer();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            Script::default()
                .raw(head.as_bytes())
                .raw(&answer[..answer.len() - 1])
                .then(Act::Close)
        },
        1,
        Provider::dead_port(),
    );
    for face in FACES {
        let (reply, session) = stage.call(face, &format!("{}-0", face.provider()), false);
        assert!(reply.status == 502 || reply.ended.is_err(), "{reply:?}");
        assert_eq!(stage.lintel.row(&session).classes(), ["truncated"]);
    }
    stage.balance(2);
}
