//! Attempts: by tier, then by weight; disclosed, bounded, and never after the first byte.

use crate::harness::{
    Act, FACES, Face, Metrics, Provider, Route, Row, Script, Seen, Stage, dialect,
};

/// An error that says of itself that the provider is full.
fn overloaded(face: Face) -> String {
    match face {
        Face::Openai => r#"{"error":{"message":"full","type":"overloaded","code":503}}"#.into(),
        Face::Anthropic => face.provider_error("overloaded_error", "full"),
    }
}

/// What a provider does with a model's name.
fn choose(seen: &Seen) -> Script {
    let face = dialect::face_of(seen);
    let fault = |status: &str, kind: &str| {
        Script::json(status, face.provider_error(kind, "not today").as_bytes())
    };
    match seen.model().as_str() {
        "500" => fault("500 Internal Server Error", "server_error"),
        "503" => fault("503 Service Unavailable", "overloaded_error"),
        "429" => fault("429 Too Many Requests", "rate_limit_error"),
        "400" => fault("400 Bad Request", "invalid_request_error"),
        "closes" => Script::default().then(Act::Close),
        "closes-after-head" => Script::stream_head().then(Act::Close),
        "comments-only" => Script::stream_head()
            .chunk(b": thinking\n\n")
            .then(Act::Close),
        "garbage" => Script::json("200 OK", b"\xff\xfe{"),
        "error-inside" => Script::json("200 OK", overloaded(face).as_bytes()),
        "error-event" => Script::stream(&[format!("event: error\ndata: {}\n\n", overloaded(face))]),
        "hold" => Script(vec![Act::Hold]),
        _ => dialect::answer(seen),
    }
}

fn tiers(face: Face, names: &[&str]) -> Route {
    names.iter().fold(Route::new(), |route, name| {
        route.tier(&[(&face.direct(name), 1)])
    })
}

/// A first tier that fails, and the class of its failure.
const FAILING: &[(&str, &str)] = &[
    ("500", "server_error"),
    ("503", "overloaded"),
    ("429", "rate_limited"),
    ("closes", "truncated"),
    ("dead", "connect"),
    ("hold", "timeout.first_token"),
];

#[test]
fn a_failed_tier_gives_way_to_the_next() {
    let dead = Provider::dead_port();
    let stage = Stage::with(choose, |config| {
        let config = config
            .openai("up-dead", dead)
            .anthropic("claude-dead", dead);
        FACES.into_iter().fold(config, |config, face| {
            FAILING.iter().fold(config, |config, (name, _)| {
                let first = if *name == "dead" {
                    format!("{}-dead/m", face.provider())
                } else {
                    face.direct(name)
                };
                let route = Route::new()
                    .tier(&[(&first, 1)])
                    .tier(&[(&face.direct("m"), 1)])
                    .set("first_token", "250ms");
                config.route(&format!("{}-{name}", face.provider()), route)
            })
        })
    });
    for face in FACES {
        for (name, class) in FAILING {
            for stream in [false, true] {
                let (reply, session) =
                    stage.call(face, &format!("{}-{name}", face.provider()), stream);
                assert_eq!(reply.status, 200, "{face:?} {name}: {}", reply.text());
                assert_eq!(reply.header("x-lintel-attempts"), Some("2"));
                assert_eq!(
                    reply.header("x-lintel-degraded"),
                    Some(format!("tier=2; cause={class}").as_str())
                );
                let whole = if stream {
                    face.client_stream().into_bytes()
                } else {
                    face.answer().to_vec()
                };
                assert_eq!(reply.body, whole);
                let row = stage.lintel.row(&session);
                assert_eq!(
                    (row.outcome(), row.classes()),
                    ("success", vec![*class, ""])
                );
                assert_eq!(row.text("degraded"), format!("tier=2; cause={class}"));
                let legs: Vec<&str> = row
                    .attempts()
                    .iter()
                    .map(|a| a["leg"].as_str().unwrap())
                    .collect();
                assert_eq!(legs, ["primary", "retry"]);
                assert_eq!(
                    [&row.attempts()[0]["tier"], &row.attempts()[1]["tier"]],
                    [1, 2]
                );
                // A failed attempt that told no usage costs nothing; the answer is booked once.
                assert_eq!(row.attempts()[1]["lines"].as_array().unwrap().len(), 2);
            }
        }
    }
    let rows = stage.balance(FACES.len() * FAILING.len() * 2);
    assert_eq!(stage.lintel.usage().attempts, rows.len() as u64 * 2);
}

#[test]
fn another_target_of_the_tier_is_no_degradation() {
    let stage = Stage::with(choose, |c| {
        c.route(
            "pair",
            Route::new().tier(&[("up/500", 1_000_000), ("up/m", 1)]),
        )
    });
    let (reply, session) = stage.call(Face::Openai, "pair", false);
    assert_eq!(
        (
            reply.status,
            reply.header("x-lintel-attempts"),
            reply.header("x-lintel-degraded")
        ),
        (200, Some("2"), None)
    );
    assert_eq!(stage.lintel.row(&session).text("degraded"), "");
    stage.balance(1);
}

#[test]
fn weights_are_shares() {
    let stage = Stage::with(choose, |c| {
        c.route(
            "shared",
            Route::new().tier(&[("up/three", 3), ("up/one", 1)]),
        )
    });
    let calls = 400;
    let mut client = stage.connect();
    for _ in 0..calls {
        assert_eq!(
            client
                .call(&stage.request(Face::Openai, "shared", false, &stage.session()))
                .status,
            200
        );
    }
    // Mean 300, standard deviation 8.7: six of them on both sides, one run in five hundred million.
    let three = stage.provider.for_model("three").len();
    assert!(
        (248..=352).contains(&three),
        "{three} of {calls} to the target of weight 3 of 4"
    );
    stage.balance(calls);
}

#[test]
fn attempts_are_bounded_and_the_last_error_is_told() {
    let stage = Stage::with(choose, |c| {
        FACES.into_iter().fold(c, |c, face| {
            c.route(
                &format!("{}-bound", face.provider()),
                tiers(face, &["500", "503", "429", "m"]).set("attempts", "3"),
            )
        })
    });
    for face in FACES {
        let (reply, session) = stage.call(face, &format!("{}-bound", face.provider()), false);
        assert_eq!(
            (reply.status, reply.header("x-lintel-attempts")),
            (429, Some("3")),
            "{}",
            reply.text()
        );
        face.error(&reply);
        let row = stage.lintel.row(&session);
        assert_eq!(
            row.classes(),
            ["server_error", "overloaded", "rate_limited"]
        );
    }
    assert_eq!(stage.provider.for_model("m").len(), 0);
    stage.balance(2);
}

#[test]
fn what_the_request_itself_got_wrong_is_not_tried_again() {
    let stage = Stage::with(choose, |c| {
        FACES
            .into_iter()
            .fold(c, |c, f| c.route(f.provider(), tiers(f, &["400", "m"])))
    });
    for face in FACES {
        let (reply, _) = stage.call(face, face.provider(), false);
        assert_eq!(
            (reply.status, reply.header("x-lintel-attempts")),
            (400, Some("1"))
        );
    }
    assert_eq!(stage.provider.for_model("m").len(), 0);
    stage.balance(2);
}

#[test]
fn a_stream_without_content_is_not_the_first_byte() {
    let stage = Stage::with(choose, |config| {
        FACES.into_iter().fold(config, |config, face| {
            ["closes-after-head", "comments-only"]
                .into_iter()
                .fold(config, |config, name| {
                    config.route(
                        &format!("{}-{name}", face.provider()),
                        tiers(face, &[name, "m"]),
                    )
                })
        })
    });
    for face in FACES {
        for name in ["closes-after-head", "comments-only"] {
            let (reply, session) = stage.call(face, &format!("{}-{name}", face.provider()), true);
            assert_eq!(
                (reply.status, reply.text()),
                (200, face.client_stream()),
                "{face:?} {name}"
            );
            assert_eq!(stage.lintel.row(&session).classes(), ["truncated", ""]);
        }
    }
    stage.balance(4);
}

/// Answers with status 200 that are none: the model's name, whether it answers a stream, and the class.
const NO_ANSWERS: &[(&str, bool, &str)] = &[
    ("garbage", false, "malformed"),
    ("error-inside", false, "overloaded"),
    ("error-event", true, "overloaded"),
];

#[test]
fn an_answer_that_is_none_gives_way_too() {
    let stage = Stage::with(choose, |config| {
        FACES.into_iter().fold(config, |config, face| {
            NO_ANSWERS.iter().fold(config, |config, (name, ..)| {
                config.route(
                    &format!("{}-{name}", face.provider()),
                    tiers(face, &[name, "m"]),
                )
            })
        })
    });
    for face in FACES {
        for (name, stream, class) in NO_ANSWERS {
            let (reply, session) =
                stage.call(face, &format!("{}-{name}", face.provider()), *stream);
            let whole = if *stream {
                face.client_stream()
            } else {
                String::from_utf8_lossy(face.answer()).into_owned()
            };
            assert_eq!(
                (reply.status, reply.text()),
                (200, whole),
                "{face:?} {name}"
            );
            assert_eq!(stage.lintel.row(&session).classes(), [*class, ""]);
        }
    }
    stage.balance(FACES.len() * NO_ANSWERS.len());
}

#[test]
fn one_target_is_tried_again_after_the_time_it_asked_for() {
    let turns = std::sync::atomic::AtomicUsize::new(0);
    let stage = Stage::new(move |seen| {
        if turns.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0 {
            return dialect::answer(seen);
        }
        Script::reply(
            "429 Too Many Requests",
            &[("content-type", "application/json"), ("retry-after", "1")],
            b"{\"error\":{\"message\":\"slow\"}}",
        )
    });
    let begun = std::time::Instant::now();
    let (reply, session) = stage.call(Face::Openai, "up/m", false);
    assert_eq!(
        (reply.status, reply.header("x-lintel-attempts")),
        (200, Some("2"))
    );
    assert!(
        begun.elapsed() >= std::time::Duration::from_secs(1),
        "came back after {:?}",
        begun.elapsed()
    );
    assert_eq!(reply.header("x-lintel-degraded"), None);
    assert_eq!(stage.lintel.row(&session).classes(), ["rate_limited", ""]);
    stage.balance(1);
}

#[test]
fn a_kept_connection_that_died_costs_the_client_nothing() {
    let stage = Stage::new(|seen| {
        let reply = dialect::answer(seen);
        // Says nothing and closes after its answer, as idle providers do.
        if seen.model() == "last" {
            reply.then(Act::Close)
        } else {
            reply
        }
    });
    for _ in 0..20 {
        let (reply, _) = stage.call(Face::Openai, "up/last", false);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let rows: Vec<Row> = stage.balance(20);
    assert!(rows.iter().all(|r| r.outcome() == "success"));
    assert_eq!(
        Metrics::of(&stage.lintel).calls(&[("outcome", "success")]),
        20.0
    );
}
