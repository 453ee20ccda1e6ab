//! Errors: the caller's dialect, one status table, whose fault it was, and whether to retry.

use crate::harness::config::UPSTREAM_SECRET;
use crate::harness::{FACES, Face, Request, Script, Stage, dialect};

/// An error of a client's making: the name, the request, the status, the code.
type Case = (&'static str, fn(Face, &str) -> Request, u16, &'static str);

const CLIENT_FAULTS: &[Case] = &[
    (
        "no key",
        |f, _| {
            f.request("x", &f.direct("m"), false)
                .without("authorization")
                .without("x-api-key")
        },
        401,
        "missing_api_key",
    ),
    (
        "wrong key",
        |f, _| f.request(&format!("lk_{}", "A".repeat(43)), &f.direct("m"), false),
        401,
        "invalid_api_key",
    ),
    (
        "malformed key",
        |f, _| f.request("sk-not-ours", &f.direct("m"), false),
        401,
        "invalid_api_key",
    ),
    (
        "no such provider",
        |f, key| f.request(key, "nowhere/m", false),
        404,
        "model_not_found",
    ),
    (
        "no such route",
        |f, key| f.request(key, "no-such-route", false),
        404,
        "model_not_found",
    ),
    (
        "not JSON",
        |f, key| f.head(key).body("{"),
        400,
        "invalid_json",
    ),
    (
        "no model",
        |f, key| f.head(key).body(r#"{"messages":[]}"#),
        400,
        "invalid_field",
    ),
    (
        "wrong type",
        |f, key| {
            f.head(key)
                .without("content-type")
                .header("content-type", "text/plain")
                .body("{}")
        },
        415,
        "unsupported_media_type",
    ),
    (
        "compressed",
        |f, key| {
            f.request(key, &f.direct("m"), false)
                .header("content-encoding", "gzip")
        },
        415,
        "unsupported_encoding",
    ),
];

#[test]
fn a_clients_fault_is_told_in_its_own_dialect() {
    let stage = Stage::good();
    for face in FACES {
        for (name, request, status, code) in CLIENT_FAULTS {
            let reply = stage.connect().call(&request(face, &stage.key.secret));
            let fault = face.error(&reply);
            assert_eq!(
                (reply.status, fault.code.as_str()),
                (*status, *code),
                "{face:?} {name}: {}",
                reply.text()
            );
            assert_eq!(
                reply.header("x-lintel-error-origin"),
                Some("client"),
                "{face:?} {name}"
            );
            assert_eq!(
                reply.header("x-should-retry"),
                Some("false"),
                "{face:?} {name}"
            );
            assert!(reply.header("x-request-id").unwrap().starts_with("ex_"));
            assert!(
                fault.message.len() > 10 && !fault.message.contains(&stage.key.secret),
                "{}",
                fault.message
            );
            if face == Face::Anthropic {
                assert_eq!(
                    reply.json()["request_id"].as_str(),
                    reply.header("x-request-id")
                );
            }
        }
    }
    assert!(
        stage.provider.seen().is_empty(),
        "nothing of this reaches a provider"
    );
    stage.idle();
    stage.still_serves("m");
    stage.quiet();
}

/// Words that no client may read, in every place where a provider puts words.
const LEAKS: &[&str] = &[
    "org-AbCdEf0123456789abcdef01",
    "proj_AbCdEf0123456789",
    "sk-proj-AbCdEf0123456789AbCdEf0123456789",
    "sk-ant-api03-AbCdEf0123456789AbCdEf0123456789",
    "https://internal.provider.example:8443/v1/x",
    "10.20.30.40:8000",
    "req_0123456789abcdef0123456789abcdef",
];

/// Statuses that a provider answers with, what its error says, and what the client gets: status and origin.
const PROVIDER_FAULTS: &[(&str, &str, u16)] = &[
    ("400 Bad Request", "invalid_request_error", 400),
    ("404 Not Found", "model_not_found", 404),
    ("413 Payload Too Large", "request_too_large", 413),
    ("422 Unprocessable Entity", "invalid_request_error", 422),
    ("429 Too Many Requests", "rate_limit_error", 429),
    ("500 Internal Server Error", "server_error", 500),
    ("503 Service Unavailable", "overloaded_error", 503),
    ("529 Site Overloaded", "overloaded_error", 529),
];

#[test]
fn a_providers_error_keeps_its_words_but_no_secrets() {
    let stage = Stage::with(
        |seen| {
            let face = dialect::face_of(seen);
            let model = seen.model();
            let at: usize = model.strip_prefix("fault").unwrap_or("0").parse().unwrap();
            let (status, kind, _) = PROVIDER_FAULTS[at];
            let message = format!(
                "it failed for this reason: {} (key {UPSTREAM_SECRET})",
                LEAKS.join(" and ")
            );
            Script::json(status, face.provider_error(kind, &message).as_bytes())
        },
        |config| {
            (0..PROVIDER_FAULTS.len()).fold(config, |config, at| {
                FACES.into_iter().fold(config, |config, face| {
                    let route = crate::harness::Route::to(&face.direct(&format!("fault{at}")))
                        .set("attempts", "1");
                    config.route(&format!("{}-{at}", face.provider()), route)
                })
            })
        },
    );
    for face in FACES {
        for (at, (_, kind, status)) in PROVIDER_FAULTS.iter().enumerate() {
            for stream in [false, true] {
                let (reply, session) =
                    stage.call(face, &format!("{}-{at}", face.provider()), stream);
                let fault = face.error(&reply);
                assert_eq!(
                    (reply.status, fault.kind.as_str()),
                    (*status, *kind),
                    "{face:?}: {}",
                    reply.text()
                );
                if face == Face::Openai {
                    assert_eq!(
                        (fault.code.as_str(), &reply.json()["error"]["param"]),
                        (*kind, &"messages".into())
                    );
                }
                assert!(
                    fault.message.contains("it failed for this reason"),
                    "{}",
                    fault.message
                );
                let retry = matches!(*status, 429 | 500..);
                assert_eq!(
                    reply.header("x-should-retry"),
                    Some(if retry { "true" } else { "false" }),
                    "{status}"
                );
                let all = format!("{:?} {}", reply.head, reply.text());
                for leak in LEAKS.iter().chain(&[UPSTREAM_SECRET]) {
                    assert!(!all.contains(leak), "{leak} in {all}");
                }
                let row = stage.lintel.row(&session);
                assert_eq!(row.status(), u64::from(*status));
                // Who says so stands in the header and the row alike; a request that the provider finds
                // wrong is a client error all the same, so that it doesn't count against the provider.
                let side = reply.header("x-lintel-error-origin").unwrap();
                assert_eq!((row.text("side"), side), ("provider", "provider"));
                let wrong_request = matches!(*status, 400 | 404 | 413 | 422);
                let outcome = if wrong_request {
                    "client_error"
                } else {
                    "provider_error"
                };
                assert_eq!(row.outcome(), outcome, "{status}");
                assert!(
                    !row.0.to_string().contains(UPSTREAM_SECRET),
                    "the log holds no credential"
                );
            }
        }
    }
    stage.balance(FACES.len() * PROVIDER_FAULTS.len() * 2);
}

#[test]
fn a_refused_credential_is_the_operators_affair() {
    let stage = Stage::new(|seen| {
        let face = dialect::face_of(seen);
        let status = if seen.model() == "401" {
            "401 Unauthorized"
        } else {
            "403 Forbidden"
        };
        Script::json(
            status,
            face.provider_error(
                "invalid_api_key",
                &format!("Incorrect API key provided: {UPSTREAM_SECRET}"),
            )
            .as_bytes(),
        )
    });
    for face in FACES {
        for model in ["401", "403"] {
            let (reply, session) = stage.call(face, &face.direct(model), false);
            let fault = face.error(&reply);
            assert_eq!(
                (reply.status, fault.code.as_str()),
                (502, "upstream_credential"),
                "{}",
                reply.text()
            );
            assert!(!reply.text().contains("sk-"), "{}", reply.text());
            assert_eq!(
                stage.lintel.row(&session).classes(),
                ["credential"],
                "the same credential is not tried twice"
            );
        }
    }
    stage.balance(4);
}

#[test]
fn an_error_that_is_no_json_is_told_in_the_dialect() {
    let stage = Stage::with(
        |seen| match seen.model().as_str() {
            "html" => Script::reply(
                "502 Bad Gateway",
                &[("content-type", "text/html")],
                b"<html>internal.provider.example nginx</html>",
            ),
            "empty" => Script::reply("500 Internal Server Error", &[], b""),
            "redirect" => Script::reply(
                "302 Found",
                &[("location", "http://127.0.0.1:1/elsewhere")],
                b"",
            ),
            _ => Script::json("400 Bad Request", b"{\"detail\":\"no such voice\"}"),
        },
        |config| {
            ["html", "empty", "redirect", "voyage"]
                .into_iter()
                .fold(config, |config, model| {
                    FACES.into_iter().fold(config, |config, face| {
                        config.route(
                            &format!("{}-{model}", face.provider()),
                            crate::harness::Route::to(&face.direct(model)).set("attempts", "1"),
                        )
                    })
                })
        },
    );
    for face in FACES {
        for (model, status) in [
            ("html", 502),
            ("empty", 500),
            ("redirect", 502),
            ("voyage", 400),
        ] {
            let (reply, _) = stage.call(face, &format!("{}-{model}", face.provider()), false);
            assert_eq!(reply.status, status, "{model}: {}", reply.text());
            let fault = face.error(&reply);
            assert!(
                !fault.message.contains("provider.example") && !fault.message.contains('<'),
                "{}",
                fault.message
            );
            let side = reply.header("x-lintel-error-origin");
            assert!(
                side == Some("provider") || status == 400,
                "{model}: {side:?}"
            );
            assert_eq!(reply.header("location"), None);
            if model == "redirect" {
                // Followed, it would have ended at a port where nobody listens.
                assert_eq!(fault.code, "upstream_malformed");
            }
        }
    }
    stage.balance(8);
}

#[test]
fn a_providers_429_tells_the_client_when_to_return() {
    let stage = Stage::with(
        |seen| {
            let face = dialect::face_of(seen);
            let body = face.provider_error("rate_limit_error", "slow down");
            Script::reply(
                "429 Too Many Requests",
                &[("content-type", "application/json"), ("retry-after", "17")],
                body.as_bytes(),
            )
        },
        |config| {
            FACES.into_iter().fold(config, |c, f| {
                c.route(
                    f.provider(),
                    crate::harness::Route::to(&f.direct("m")).set("attempts", "1"),
                )
            })
        },
    );
    for face in FACES {
        let (reply, _) = stage.call(face, face.provider(), false);
        assert_eq!(
            (
                reply.status,
                reply.header("retry-after"),
                reply.header("x-should-retry")
            ),
            (429, Some("17"), Some("true"))
        );
    }
    stage.balance(2);
}
