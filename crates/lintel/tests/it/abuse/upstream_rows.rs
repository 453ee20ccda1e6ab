//! What providers do wrong, row by row.

use std::time::Duration;

use super::upstream::{Misdeed, REFUSES, Wants};
use crate::harness::http::chunk;
use crate::harness::{Act, Script, Speech};
use Wants::{AsItCame, Booked, Broken, Error, Nothing, Passes};

const TRUNCATED: Wants = Error(502, "upstream_truncated", "truncated");
const MALFORMED: Wants = Error(502, "upstream_malformed", "malformed");
const SILENT: Wants = Error(504, "upstream_timeout", "timeout.first_token");
const ODD: Wants = AsItCame(200, "malformed");

const fn both(name: &'static str, wants: Wants, script: fn(Speech, bool) -> Script) -> Misdeed {
    Misdeed {
        name,
        script,
        whole: wants,
        streamed: wants,
        hasty: false,
    }
}

const fn whole(name: &'static str, wants: Wants, script: fn(Speech, bool) -> Script) -> Misdeed {
    Misdeed {
        streamed: Nothing,
        ..both(name, wants, script)
    }
}

const fn streamed(name: &'static str, wants: Wants, script: fn(Speech, bool) -> Script) -> Misdeed {
    Misdeed {
        whole: Nothing,
        ..both(name, wants, script)
    }
}

const fn hasty(row: Misdeed) -> Misdeed {
    Misdeed { hasty: true, ..row }
}

/// These bytes, then the end.
fn says(bytes: impl AsRef<[u8]>) -> Script {
    Script::default().raw(bytes.as_ref()).then(Act::Close)
}

/// A head of a good answer with `more` lines, then the good body as `stream` says.
fn good_with(speech: Speech, stream: bool, more: &str) -> Script {
    let kind = if stream {
        speech.stream_type()
    } else {
        "application/json"
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{more}transfer-encoding: chunked\r\n\r\n"
    );
    let pieces = if stream {
        speech.events()
    } else {
        vec![speech.answer().to_vec()]
    };
    pieces
        .iter()
        .fold(Script::default().raw(head.as_bytes()), |s, p| s.chunk(p))
        .end()
}

/// A good status with `body` whole, as JSON or as the stream's type.
fn with_body(speech: Speech, stream: bool, body: &[u8]) -> Script {
    let kind = if stream {
        speech.stream_type()
    } else {
        "application/json"
    };
    Script::reply("200 OK", &[("content-type", kind)], body)
}

/// A stream up to its first content.
fn begun(speech: Speech) -> Script {
    let head = Script::chunked("200 OK", &[("content-type", speech.stream_type())]);
    speech.events()[..speech.begun()]
        .iter()
        .fold(head, |s, e| s.chunk(e))
}

/// The rest of a stream.
fn rest(speech: Speech, script: Script) -> Script {
    speech.events()[speech.begun()..]
        .iter()
        .fold(script, |s, e| s.chunk(e))
        .end()
}

/// A head of a good answer that announces `length` bytes.
fn announced(speech: Speech, stream: bool, length: &str) -> Script {
    let kind = if stream {
        speech.stream_type()
    } else {
        "application/json"
    };
    Script::default().raw(
        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n")
            .as_bytes(),
    )
}

fn chunked(speech: Speech, stream: bool) -> Script {
    let kind = if stream {
        speech.stream_type()
    } else {
        "application/json"
    };
    Script::chunked("200 OK", &[("content-type", kind)])
}

fn limited(retry_after: &str) -> Script {
    Script::reply("429 Too Many Requests", &[("content-type", "application/json"), ("retry-after", retry_after)], br#"{"error":{"message":"slow down, please","type":"rate_limit_error","param":null,"code":null}}"#)
}

/// Every misdeed.
pub(super) const ROWS: &[Misdeed] = &[
    // Before a head.
    both(
        REFUSES,
        Error(502, "upstream_unreachable", "connect"),
        |_, _| Script::default(),
    ),
    both("closes at once", TRUNCATED, |_, _| {
        Script::default().then(Act::Close)
    }),
    both("resets at once", TRUNCATED, |_, _| {
        Script::default().then(Act::Reset)
    }),
    hasty(both("says nothing", SILENT, |_, _| {
        Script::default().then(Act::Hold)
    })),
    hasty(both("drips its head, a byte at a time", SILENT, |_, _| {
        b"HTTP/1.1 200 OK\r\nx-slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            .iter()
            .fold(Script::default(), |s, b| {
                s.raw(&[*b]).then(Act::Wait(Duration::from_millis(25)))
            })
    })),
    both("ends inside its head", TRUNCATED, |_, _| {
        says("HTTP/1.1 200 OK\r\ncontent-ty")
    }),
    // The head.
    both("speaks another protocol", MALFORMED, |_, _| {
        says("SSH-2.0-OpenSSH_9.6\r\n\r\n")
    }),
    both("answers without a head", MALFORMED, |s, _| says(s.answer())),
    both("answers in HTTP/2", MALFORMED, |_, _| {
        says(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64")
    }),
    both("answers with a TLS alert", MALFORMED, |_, _| {
        says(b"\x15\x03\x01\x00\x02\x02\x16")
    }),
    both("sends a status of two digits", MALFORMED, |_, _| {
        says("HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n")
    }),
    both("sends a status that is a word", MALFORMED, |_, _| {
        says("HTTP/1.1 abc OK\r\ncontent-length: 0\r\n\r\n")
    }),
    both("sends a header without a colon", MALFORMED, |_, _| {
        says("HTTP/1.1 200 OK\r\nbroken\r\n\r\n")
    }),
    both("sends a NUL in a header", MALFORMED, |_, _| {
        says("HTTP/1.1 200 OK\r\nx-a: b\0c\r\n\r\n")
    }),
    both("sends endless headers", MALFORMED, |_, _| {
        Script::default()
            .raw(b"HTTP/1.1 200 OK\r\n")
            .then(Act::Repeat(
                b"x-more: and more and more and more\r\n".to_vec(),
                1_000_000,
            ))
    }),
    both("sends one endless header", MALFORMED, |_, _| {
        Script::default()
            .raw(b"HTTP/1.1 200 OK\r\nx-long: ")
            .then(Act::Repeat(vec![b'x'; 65536], 1_000))
    }),
    both("sends 300 headers", MALFORMED, |s, stream| {
        good_with(s, stream, &"x-a: b\r\n".repeat(300))
    }),
    both("switches protocols unasked", MALFORMED, |_, _| {
        says(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        )
    }),
    both("sends 50 early hints first", Passes, |s, stream| {
        let hints = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(50);
        Script(
            [
                Script::default().raw(hints.as_bytes()).0,
                good_with(s, stream, "").0,
            ]
            .concat(),
        )
    }),
    hasty(both("sends early hints for ever", SILENT, |_, _| {
        Script::default().then(Act::Repeat(
            b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(8),
            1_000_000,
        ))
    })),
    both("redirects", MALFORMED, |_, _| {
        Script::reply("302 Found", &[("location", "http://evil.example/")], b"")
    }),
    both("answers 304", MALFORMED, |_, _| {
        Script::default().raw(b"HTTP/1.1 304 Not Modified\r\netag: \"x\"\r\n\r\n")
    }),
    both("answers 204 with a body behind it", Nothing, |s, _| {
        says([b"HTTP/1.1 204 No Content\r\n\r\n", s.answer()].concat())
    }),
    both(
        "sets cookies, names itself, and forges our headers",
        Passes,
        |s, stream| {
            good_with(
                s,
                stream,
                "set-cookie: a=b\r\nserver: x\r\nx-powered-by: y\r\nalt-svc: h3=\":443\"\r\nx-lintel-cost: 0\r\nx-lintel-attempts: 77\r\nx-lintel-error-origin: client\r\nx-should-retry: true\r\naccess-control-allow-origin: *\r\nlocation: http://evil.example/\r\n",
            )
        },
    ),
    both("folds a header to smuggle another", Nothing, |s, stream| {
        good_with(s, stream, "x-a: b\r\n set-cookie: a=b\r\n")
    }),
    // Lengths and chunks.
    whole("announces more than it sends", TRUNCATED, |s, stream| {
        announced(s, stream, "9000")
            .raw(s.answer())
            .then(Act::Close)
    }),
    whole("announces less than it sends", ODD, |s, stream| {
        announced(s, stream, "20").raw(s.answer()).then(Act::Close)
    }),
    both("announces two lengths", MALFORMED, |s, stream| {
        announced(s, stream, "5\r\ncontent-length: 6")
            .raw(s.answer())
            .then(Act::Close)
    }),
    both("announces a negative length", MALFORMED, |s, stream| {
        announced(s, stream, "-1").raw(s.answer()).then(Act::Close)
    }),
    both(
        "announces a length that no number holds",
        MALFORMED,
        |s, stream| {
            announced(s, stream, "99999999999999999999999")
                .raw(s.answer())
                .then(Act::Close)
        },
    ),
    whole("announces a terabyte", TRUNCATED, |s, stream| {
        announced(s, stream, "1099511627776")
            .raw(s.answer())
            .then(Act::Close)
    }),
    whole("sends a bad chunk size", TRUNCATED, |s, stream| {
        chunked(s, stream).raw(b"zz\r\n{\"id\":").then(Act::Close)
    }),
    whole(
        "sends a chunk size that overflows",
        TRUNCATED,
        |s, stream| {
            chunked(s, stream)
                .raw(b"ffffffffffffffffff\r\n{")
                .then(Act::Close)
        },
    ),
    whole(
        "sends a chunk that is longer than its size",
        TRUNCATED,
        |s, stream| {
            chunked(s, stream)
                .raw(b"2\r\n{\"id\":1}\r\n0\r\n\r\n")
                .then(Act::Close)
        },
    ),
    whole("ends inside a chunk", TRUNCATED, |s, stream| {
        chunked(s, stream).raw(b"ff\r\n{\"id\":").then(Act::Close)
    }),
    whole("ends without its last chunk", TRUNCATED, |s, stream| {
        chunked(s, stream).chunk(s.answer()).then(Act::Close)
    }),
    whole(
        "sends an endless chunk extension",
        TRUNCATED,
        |s, stream| {
            chunked(s, stream)
                .raw(b"2;")
                .then(Act::Repeat(vec![b'x'; 4096], 1_000))
        },
    ),
    both("sends trailers", Passes, |s, stream| {
        let mut script = good_with(s, stream, "");
        script.0.pop();
        script.raw(b"0\r\nset-cookie: a=b\r\nx-t: 1\r\n\r\n")
    }),
    both(
        "sends every byte in a chunk of its own",
        Passes,
        |s, stream| {
            let body = if stream {
                s.events().concat()
            } else {
                s.answer().to_vec()
            };
            chunked(s, stream)
                .raw(&body.iter().flat_map(|b| chunk(&[*b])).collect::<Vec<_>>())
                .end()
        },
    ),
    both("compresses its answer unasked", MALFORMED, |s, stream| {
        good_with(s, stream, "content-encoding: gzip\r\n")
    }),
    // Bodies.
    whole("sends nothing in a 200", ODD, |s, stream| {
        with_body(s, stream, b"")
    }),
    whole("sends cut JSON", ODD, |s, stream| {
        with_body(s, stream, &s.answer()[..s.answer().len() - 9])
    }),
    whole("sends HTML in a 200", ODD, |_, _| {
        Script::reply(
            "200 OK",
            &[("content-type", "text/html")],
            b"<html><body>Log in</body></html>",
        )
    }),
    whole("sends an array", ODD, |s, stream| {
        with_body(s, stream, b"[1,2,3]")
    }),
    whole("sends invalid UTF-8", ODD, |s, stream| {
        with_body(s, stream, b"{\"id\":\"\xc3\x28\"}")
    }),
    whole("sends a key twice", ODD, |s, stream| {
        with_body(
            s,
            stream,
            &[&s.answer()[..s.answer().len() - 1], b",\"x\":1,\"x\":2}"].concat(),
        )
    }),
    whole("nests 100,000 deep", ODD, |s, stream| {
        with_body(
            s,
            stream,
            format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes(),
        )
    }),
    whole("sends white space without end", MALFORMED, |s, stream| {
        chunked(s, stream).then(Act::Repeat(chunk(&[b' '; 65536]), 1_000))
    }),
    whole("sends more than the cap", MALFORMED, |s, stream| {
        chunked(s, stream)
            .chunk(b"{\"a\":\"")
            .then(Act::Repeat(chunk(&[b'x'; 65536]), 1_000))
    }),
    // Errors.
    both(
        "answers 500 with its own error",
        Error(500, "", "server_error"),
        |s, _| Script::json("500 Internal Server Error", s.error_body()),
    ),
    both(
        "answers 500 with HTML",
        Error(500, "", "server_error"),
        |_, _| {
            Script::reply(
                "500 Oops",
                &[("content-type", "text/html")],
                b"<html>evil.example</html>",
            )
        },
    ),
    both(
        "answers 503 with nothing",
        Error(503, "", "overloaded"),
        |_, _| Script::reply("503 Busy", &[], b""),
    ),
    both("answers 599", Error(599, "", "server_error"), |s, _| {
        Script::json("599 Odd", s.error_body())
    }),
    both(
        "answers 500 without end",
        Error(500, "", "server_error"),
        |_, _| {
            Script::chunked("500 Oops", &[("content-type", "application/json")])
                .then(Act::Repeat(chunk(&[b'x'; 65536]), 1_000))
        },
    ),
    both(
        "answers 500 and ends inside its body",
        Error(500, "", "server_error"),
        |_, _| {
            Script::chunked("500 Oops", &[("content-type", "application/json")])
                .raw(b"ff\r\n{\"er")
                .then(Act::Close)
        },
    ),
    both(
        "refuses our credential",
        Error(502, "upstream_credential", "credential"),
        |s, _| {
            Script::reply(
                "401 Unauthorized",
                &[
                    ("content-type", "application/json"),
                    ("www-authenticate", "Bearer"),
                ],
                s.error_body(),
            )
        },
    ),
    both(
        "says 429 with `retry-after` of a century",
        Error(429, "", "rate_limited"),
        |_, _| limited("3155760000"),
    ),
    both(
        "says 429 with `retry-after` that is none",
        Error(429, "", "rate_limited"),
        |_, _| limited("soon"),
    ),
    both(
        "says 429 with a negative `retry-after`",
        Error(429, "", "rate_limited"),
        |_, _| limited("-5"),
    ),
    both(
        "says 429 with `retry-after` in the past",
        Error(429, "", "rate_limited"),
        |_, _| limited("Sun, 06 Nov 1994 08:49:37 GMT"),
    ),
    both(
        "says 429 with `retry-after` that no number holds",
        Error(429, "", "rate_limited"),
        |_, _| limited("99999999999999999999999"),
    ),
    // Streams before content.
    streamed("ends a stream at once", TRUNCATED, |s, stream| {
        chunked(s, stream).end()
    }),
    streamed("streams what can't be read", TRUNCATED, |s, stream| {
        chunked(s, stream).chunk(&s.event(b"{not json}")).end()
    }),
    streamed("streams what is not UTF-8", TRUNCATED, |s, stream| {
        chunked(s, stream)
            .chunk(&s.event(b"{\"a\":\"\xc3\x28\"}"))
            .end()
    }),
    streamed("sends an event without end", MALFORMED, |s, stream| {
        chunked(s, stream)
            .chunk(&s.event(b"{")[..6])
            .then(Act::Repeat(chunk(&[b'x'; 65536]), 1_000))
    }),
    hasty(streamed(
        "opens a stream and says nothing",
        SILENT,
        |s, stream| chunked(s, stream).then(Act::Hold),
    )),
    streamed("begins with an error event", Nothing, |s, stream| {
        chunked(s, stream).chunk(&s.error_event()).end()
    }),
    // Streams after content.
    streamed("closes mid-stream", Broken("truncated"), |s, _| {
        begun(s).then(Act::Close)
    }),
    streamed("resets mid-stream", Broken("truncated"), |s, _| {
        begun(s)
            .then(Act::Wait(Duration::from_millis(30)))
            .then(Act::Reset)
    }),
    streamed(
        "ends a stream before its end",
        Broken("truncated"),
        |s, _| begun(s).end(),
    ),
    hasty(streamed(
        "falls silent mid-stream",
        Broken("timeout.idle"),
        |s, _| begun(s).then(Act::Hold),
    )),
    streamed(
        "sends a bad chunk mid-stream",
        Broken("truncated"),
        |s, _| begun(s).raw(b"zz\r\n").then(Act::Close),
    ),
    streamed(
        "sends an event without end mid-stream",
        Broken("malformed"),
        |s, _| {
            begun(s)
                .chunk(&s.event(b"{")[..6])
                .then(Act::Repeat(chunk(&[b'x'; 65536]), 1_000))
        },
    ),
    streamed("reports an error mid-stream", Nothing, |s, _| {
        begun(s).chunk(&s.error_event()).end()
    }),
    streamed(
        "streams nonsense between good events",
        Booked("malformed"),
        |s, _| rest(s, begun(s).chunk(&s.event(b"{not json}"))),
    ),
];
