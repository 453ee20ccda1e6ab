//! Headers are allow-lists, both ways: one row a header.

use crate::harness::config::UPSTREAM_SECRET;
use crate::harness::{FACES, Face, Script, Stage};

/// What becomes of a client's header on its way to the provider.
enum Fate {
    /// It arrives as it is.
    Passes,
    /// It never arrives.
    Dropped,
    /// Something else stands in its place.
    Becomes(&'static str),
}
use Fate::{Becomes, Dropped, Passes};

/// Stands for the caller's key.
const KEY: &str = "the caller's key";

/// Name, value, and its fate at an OpenAI and at an Anthropic provider.
const UP: &[(&str, &str, Fate, Fate)] = &[
    ("user-agent", "OpenAI/Python 1.2.3", Passes, Passes),
    (
        "idempotency-key",
        "stainless-python-retry-1",
        Passes,
        Passes,
    ),
    ("openai-beta", "assistants=v2", Passes, Dropped),
    (
        "anthropic-beta",
        "prompt-caching-2024-07-31",
        Dropped,
        Passes,
    ),
    ("anthropic-version", "2023-06-01", Dropped, Passes),
    (
        "accept-encoding",
        "gzip, br",
        Becomes("identity"),
        Becomes("identity"),
    ),
    ("content-type", "application/json", Passes, Passes),
    ("cookie", "session=client-cookie", Dropped, Dropped),
    ("x-forwarded-for", "10.9.8.7", Dropped, Dropped),
    ("x-forwarded-host", "inside.test", Dropped, Dropped),
    ("x-forwarded-proto", "https", Dropped, Dropped),
    ("x-forwarded-port", "443", Dropped, Dropped),
    ("forwarded", "for=10.9.8.7", Dropped, Dropped),
    ("x-real-ip", "10.9.8.7", Dropped, Dropped),
    ("via", "1.1 inside.test", Dropped, Dropped),
    ("proxy-authorization", "Basic cHJveHk=", Dropped, Dropped),
    ("api-key", KEY, Dropped, Dropped),
    ("x-goog-api-key", KEY, Dropped, Dropped),
    ("openai-organization", "org-client", Dropped, Dropped),
    ("openai-project", "proj-client", Dropped, Dropped),
    ("te", "trailers", Dropped, Dropped),
    ("referer", "http://inside.test/", Dropped, Dropped),
    ("origin", "http://inside.test", Dropped, Dropped),
    ("x-request-id", "client-correlation", Dropped, Dropped),
    ("x-lintel-feature", "summary", Dropped, Dropped),
    ("x-lintel-user", "u-1", Dropped, Dropped),
    ("x-lintel-session", "headers", Dropped, Dropped),
    ("x-lintel-tag-team", "blue", Dropped, Dropped),
    ("x-stainless-lang", "python", Dropped, Dropped),
    ("x-never-heard-of", "1", Dropped, Dropped),
    ("connection", "keep-alive, x-hop", Dropped, Dropped),
    ("x-hop", "1", Dropped, Dropped),
];

#[test]
fn towards_the_provider() {
    let stage = Stage::good();
    for face in FACES {
        let mut request = face.request(&stage.key.secret, &face.direct("m"), false);
        for (name, value, ..) in UP {
            let value = if *value == KEY {
                &stage.key.secret
            } else {
                *value
            };
            request = request.without(name).header(name, value);
        }
        assert_eq!(stage.connect().call(&request).status, 200);
        let seen = stage.provider.seen().pop().unwrap();
        for (name, value, openai, anthropic) in UP {
            let fate = if face == Face::Openai {
                openai
            } else {
                anthropic
            };
            let got = seen.head.get(name);
            match fate {
                Passes => assert_eq!(got, Some(*value), "{face:?} {name}"),
                Becomes(other) => assert_eq!(got, Some(*other), "{face:?} {name}"),
                // Hop-by-hop fields of Lintel's own connection are its own affair; the client's words aren't in them.
                Dropped => assert!(
                    got.is_none() || (*name == "connection" && !got.unwrap().contains("x-hop")),
                    "{face:?} {name}: {got:?}"
                ),
            }
        }
        let (credential, absent) = match face {
            Face::Openai => (
                ("authorization", format!("Bearer {UPSTREAM_SECRET}")),
                "x-api-key",
            ),
            Face::Anthropic => (("x-api-key", UPSTREAM_SECRET.to_owned()), "authorization"),
        };
        assert_eq!(seen.head.get(credential.0), Some(credential.1.as_str()));
        assert_eq!(seen.head.get(absent), None);
        assert_eq!(
            seen.head.get("host"),
            Some(stage.provider.addr.to_string().as_str())
        );
        assert_eq!(
            seen.head.get("content-length"),
            Some(seen.body.len().to_string().as_str())
        );
        let all = format!("{:?}", seen.head);
        assert!(
            !all.contains(&stage.key.secret) && !all.contains("lintel.test"),
            "{all}"
        );
    }
    let rows = stage.balance(2);
    for row in rows {
        let who = &row.0["who"];
        assert_eq!(
            (&who["feature"], &who["user"], &who["tags"]),
            (
                &"summary".into(),
                &"u-1".into(),
                &serde_json::json!([["team", "blue"]])
            )
        );
        assert_eq!(row.text("client_request_id"), "client-correlation");
    }
}

#[test]
fn a_key_in_the_other_dialects_place_is_taken_too() {
    let stage = Stage::good();
    let body = Face::Openai.body("up/m", false);
    let swapped = Face::Openai
        .head("")
        .without("authorization")
        .header("x-api-key", &stage.key.secret)
        .body(&body);
    assert_eq!(stage.connect().call(&swapped).status, 200);
    let body = Face::Anthropic.body("claude/m", false);
    let swapped = Face::Anthropic
        .head("")
        .without("x-api-key")
        .header("authorization", &format!("Bearer {}", stage.key.secret))
        .body(&body);
    assert_eq!(stage.connect().call(&swapped).status, 200);
    for seen in stage.provider.seen() {
        assert!(!format!("{:?}", seen.head).contains(&stage.key.secret));
    }
    stage.balance(2);
}

#[test]
fn the_trace_goes_on() {
    let stage = Stage::good();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = stage
        .request(Face::Openai, "up/m", false, "traced")
        .header("traceparent", &format!("00-{trace}-b7ad6b7169203331-01"));
    assert_eq!(stage.connect().call(&request).status, 200);
    let seen = stage.provider.wait_for("m", 1);
    let sent = seen.head.get("traceparent").expect("a traceparent");
    assert!(
        sent.starts_with(&format!("00-{trace}-")) && sent.len() == 55,
        "{sent}"
    );
    assert!(
        !sent.contains("b7ad6b7169203331"),
        "the attempt is the parent now: {sent}"
    );
    assert_eq!(stage.lintel.row("traced").text("trace_id"), trace);
    // A header that is no trace is no trace.
    let request = stage
        .request(Face::Openai, "up/m", false, "untraced")
        .header("traceparent", "00-zz-\u{e9}");
    assert_eq!(stage.connect().call(&request).status, 200);
    assert_eq!(stage.lintel.row("untraced").text("trace_id"), "");
    let seen = stage.provider.wait_for("m", 2);
    assert_eq!(seen.head.get("traceparent"), None, "and goes nowhere");
    stage.balance(2);
}

/// Headers of a provider that never reach a client.
const SECRET_DOWN: &[(&str, &str)] = &[
    ("openai-organization", "org-of-the-operator"),
    ("openai-project", "proj_of_the_operator"),
    ("anthropic-organization-id", "f00-of-the-operator"),
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("x-ratelimit-reset-requests", "6ms"),
    ("x-ratelimit-limit-tokens", "200000"),
    ("anthropic-ratelimit-requests-remaining", "49"),
    ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:00Z"),
    ("retry-after", "7"),
    ("set-cookie", "__cf_bm=upstream-cookie"),
    ("server", "cloudflare"),
    ("cf-ray", "8c0ffee"),
    ("x-envoy-upstream-service-time", "77"),
    ("strict-transport-security", "max-age=1"),
    ("alt-svc", "h3=\":443\""),
    ("x-never-heard-of", "1"),
    ("keep-alive", "timeout=5"),
    ("x-lintel-cost", "0"),
    ("x-lintel-error-origin", "provider"),
    ("access-control-allow-origin", "*"),
];

#[test]
fn towards_the_client() {
    let stage = Stage::new(|seen| {
        let face = crate::harness::dialect::face_of(seen);
        let mut headers = SECRET_DOWN.to_vec();
        headers.push(if face == Face::Openai {
            ("x-request-id", "req_of_the_provider")
        } else {
            ("request-id", "req_of_the_provider")
        });
        headers.push(("openai-processing-ms", "345"));
        if seen.stream() {
            headers.push(("content-type", "text/event-stream; charset=utf-8"));
            let begun = Script::chunked("200 OK", &headers);
            return face
                .events()
                .iter()
                .fold(begun, |s, e| s.chunk(e.as_bytes()))
                .end();
        }
        headers.push(("content-type", "application/json; charset=utf-8"));
        Script::reply("200 OK", &headers, face.answer())
    });
    for face in FACES {
        for stream in [false, true] {
            let (reply, session) = stage.call(face, &face.direct("m"), stream);
            assert_eq!(reply.status, 200);
            for (name, value) in SECRET_DOWN {
                assert_ne!(reply.header(name), Some(*value), "{face:?} {name}");
            }
            let row = stage.lintel.row(&session);
            assert_eq!(reply.header("x-request-id"), Some(row.exchange().as_str()));
            assert_eq!(
                row.attempts()[0]["provider_request_id"],
                "req_of_the_provider"
            );
            let renamed: Vec<&str> = reply
                .head
                .headers
                .iter()
                .filter(|(_, v)| v == "req_of_the_provider")
                .map(|(n, _)| n.as_str())
                .collect();
            assert_eq!(
                renamed,
                ["x-lintel-provider-request-id"],
                "the provider's id has one other name"
            );
            assert!(
                reply.head.headers.iter().any(|(_, v)| v == "345"),
                "the provider's processing time: {:?}",
                reply.head.headers
            );
            let kind = if stream {
                "text/event-stream; charset=utf-8"
            } else {
                "application/json; charset=utf-8"
            };
            assert_eq!(reply.header("content-type"), Some(kind));
        }
    }
    stage.balance(4);
}
