//! What the command line says of configurations, held against a running process: shown, compared, migrated, imported.

use std::process::Output;
use std::sync::Arc;

use crate::harness::client::Request;
use crate::harness::config::UPSTREAM_SECRET;
use crate::harness::dialect::{self, Face};
use crate::harness::process::{Lintel, command};
use crate::harness::temp::Temp;
use crate::harness::{Provider, Route, Script, Stage, until};

fn text(out: &Output) -> (String, String) {
    (
        String::from_utf8_lossy(&out.stdout).into_owned(),
        String::from_utf8_lossy(&out.stderr).into_owned(),
    )
}

#[test]
fn what_is_in_force_is_shown_without_secrets_and_compared_with_the_file() {
    let stage = Stage::with(dialect::answer, |c| c.route("chat", Route::to("up/m")));
    let file = stage.lintel.dir.path().join("lintel.yaml");
    let file = file.to_str().unwrap();
    let shown = stage.lintel.cli(&["config", "show", "--config", file]);
    let running = stage.lintel.cli(&["config", "show", "--running"]);
    assert!(
        shown.contains(&format!(
            "api_key: \"${{TEST_UPSTREAM_KEY}}\"  # set, {} characters",
            UPSTREAM_SECRET.len()
        )),
        "{shown}"
    );
    for text in [&shown, &running] {
        assert!(!text.contains(UPSTREAM_SECRET), "{text}");
        assert!(
            text.contains("deadline: 10m") && text.contains("${TEST_UPSTREAM_KEY}"),
            "{text}"
        );
    }
    let hash: serde_json::Value = serde_json::from_str(
        &stage
            .lintel
            .cli(&["config", "show", "--config", file, "--json"]),
    )
    .unwrap();
    let status: serde_json::Value = stage.lintel.ask("GET", "/api/v1/status").json();
    assert_eq!(hash["config"], status["config"]);
    let metrics = stage.lintel.ask("GET", "/metrics").text();
    assert!(metrics.contains(&format!("hash=\"{}\"", hash["config"].as_str().unwrap())));

    let same = stage.lintel.try_cli(&["config", "diff", "--config", file]);
    assert_eq!(same.status.code(), Some(0), "{:?}", text(&same));
    // Beside the file in force: a watched one would be reloaded.
    let other = stage.lintel.dir.path().join("other.yaml");
    let changed = std::fs::read_to_string(file)
        .unwrap()
        .replace("\nroutes:\n", "\nlog: { level: warn }\nroutes:\n");
    std::fs::write(&other, changed).unwrap();
    let differs = stage
        .lintel
        .try_cli(&["config", "diff", "--config", other.to_str().unwrap()]);
    let (said, _) = text(&differs);
    assert_eq!(differs.status.code(), Some(1));
    assert!(
        said.contains("- log.level: \"info\"\n+ log.level: \"warn\"\n"),
        "{said}"
    );
}

#[test]
fn a_file_with_an_old_name_runs_warns_and_is_migrated_in_place() {
    let dir = Arc::new(Temp::new());
    let path = dir.path().join("lintel.yaml");
    let file = "listen: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\nproviders: { box: { protocol: sandbox } }\nroutes:\n  chat:\n    total: 1m   # one attempt\n    tiers: [ { targets: [ { provider: box, model: sandbox } ] } ]\n";
    std::fs::write(&path, file).unwrap();
    let lintel =
        Lintel::try_start(Arc::clone(&dir), &["serve", "--config", "lintel.yaml"], &[]).unwrap();
    assert!(
        lintel.output().contains("`total` is called `per_attempt`"),
        "{}",
        lintel.output()
    );
    let printed = lintel.try_cli(&["config", "migrate", path.to_str().unwrap()]);
    let (migrated, said) = text(&printed);
    assert_eq!(migrated, file.replace("total:", "per_attempt:"));
    assert!(
        said.contains("lintel.yaml:6: routes.chat.per_attempt: `total` to be renamed"),
        "{said}"
    );
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        file,
        "nothing is written unasked"
    );
    lintel.cli(&["config", "migrate", path.to_str().unwrap(), "--write"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), migrated);
    let same = lintel.try_cli(&["config", "diff", "--config", path.to_str().unwrap()]);
    assert_eq!(
        same.status.code(),
        Some(0),
        "the same configuration under its new name: {:?}",
        text(&same)
    );
}

#[test]
fn an_imported_configuration_serves() {
    let provider = Provider::start(dialect::answer);
    let dir = Arc::new(Temp::new());
    let source = format!(
        "model_list:\n  - model_name: gpt-4o\n    litellm_params: {{ model: openai/gone, api_base: 'http://127.0.0.1:{}/v1', api_key: os.environ/FIRST_KEY }}\n  - model_name: spare\n    litellm_params: {{ model: openai/m, api_base: 'http://127.0.0.1:{}/v1', api_key: sk-a-literal-secret }}\nrouter_settings: {{ fallbacks: [ {{ gpt-4o: [spare] }} ], num_retries: 0, routing_strategy: least-busy }}\n",
        Provider::dead_port(),
        provider.addr.port()
    );
    std::fs::write(dir.path().join("config.yaml"), source).unwrap();
    let run = |args: &[&str]| command(&dir).args(args).output().unwrap();
    let out = run(&[
        "import",
        "litellm",
        "config.yaml",
        "--out",
        "lintel.yaml",
        "--json",
    ]);
    let answer: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        answer["unset"],
        serde_json::json!(["FIRST_KEY", "OPENAI_API_KEY"])
    );
    let lost: Vec<&str> = answer["lost"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        lost,
        [
            "model_list[1].litellm_params.api_key",
            "router_settings.routing_strategy"
        ]
    );
    assert!(!String::from_utf8_lossy(&out.stdout).contains("literal"));
    let again = run(&["import", "litellm", "config.yaml", "--out", "lintel.yaml"]);
    assert_eq!(again.status.code(), Some(1), "a file is not overwritten");
    // The ports of a test; everything else as it was imported.
    let path = dir.path().join("lintel.yaml");
    let imported = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        format!("listen: 127.0.0.1:0\nadmin: {{ listen: 127.0.0.1:0 }}\n{imported}"),
    )
    .unwrap();
    let env = [("FIRST_KEY", "one"), ("OPENAI_API_KEY", "two")];
    let lintel = Lintel::try_start(
        Arc::clone(&dir),
        &["serve", "--config", "lintel.yaml"],
        &env,
    )
    .unwrap();
    let key = lintel.key(&[]);
    let reply = lintel
        .connect()
        .call(&Face::Openai.request(&key.secret, "gpt-4o", false));
    assert_eq!(
        (reply.status, reply.header("x-lintel-attempts")),
        (200, Some("2")),
        "{}",
        reply.text()
    );
    let seen = provider.wait_for("m", 1);
    assert_eq!(seen.head.get("authorization"), Some("Bearer two"));
}

/// What must never be written anywhere, by where it was planted.
const PLANTED: [(&str, &str); 7] = [
    (
        "a header of the key",
        "lk_planted0header0000000000000000000000000000000000",
    ),
    (
        "?key=",
        "lk_planted0query00000000000000000000000000000000000",
    ),
    ("a cookie", "planted-cookie"),
    ("a header that nobody reads", "planted-unknown-header"),
    ("a message", "planted-message-text"),
    ("a member that nobody knows", "planted-unknown-member"),
    ("the query", "planted-query-member"),
];

#[test]
fn what_is_secret_is_in_no_log_metric_file_or_error() {
    let stage = Stage::new(|seen| match seen.model().as_str() {
        "refuses" => Script::json(
            "401 Unauthorized",
            format!("{{\"error\":{{\"message\":\"bad key {UPSTREAM_SECRET}\"}}}}").as_bytes(),
        ),
        "broken" => Script::json("200 OK", b"not json"),
        _ => dialect::answer(seen),
    });
    let [header, query, cookie, unknown, message, member, other] =
        PLANTED.map(|(_, secret)| secret);
    let mut answers = Vec::new();
    let mut errors = Vec::new();
    let paths = [
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/messages",
        "/v1/embeddings",
        "/v1/completions",
        "/v1beta/models/up%2Fm:generateContent",
        "/model/up%2Fm/converse",
        "/v1/models",
        "/nowhere",
    ];
    for path in paths {
        for model in ["up/m", "up/refuses", "up/broken", "nobody"] {
            for good in [false, true] {
                let key = if good {
                    stage.key.secret.as_str()
                } else {
                    header
                };
                let body = format!(
                    "{{\"model\":\"{model}\",\"max_tokens\":9,\"messages\":[{{\"role\":\"user\",\"content\":\"{message}\"}}],\"input\":\"{message}\",\"prompt\":\"{message}\",\"contents\":[{{\"parts\":[{{\"text\":\"{message}\"}}]}}],\"x\":\"{member}\"}}"
                );
                for whole in [true, false] {
                    let body = if whole {
                        body.as_str()
                    } else {
                        &body[..body.len() - 1]
                    };
                    let request =
                        Request::new("POST", &format!("{path}?other={other}&key={query}"))
                            .header("content-type", "application/json")
                            .header("authorization", &format!("Bearer {key}"))
                            .header("cookie", cookie)
                            .header("x-unknown", unknown)
                            .header("connection", "close")
                            .body(body);
                    let reply = stage.lintel.connect().call(&request);
                    if reply.status >= 400 {
                        errors.push(reply.text());
                        assert!(
                            reply
                                .header("x-request-id")
                                .is_some_and(|id| id.starts_with("ex_")),
                            "{path} {model}: {}",
                            reply.status
                        );
                    }
                    answers.push(reply.status);
                }
            }
        }
    }
    assert!(
        answers.contains(&200) && answers.contains(&401) && answers.contains(&400),
        "{answers:?}"
    );
    until("every line", || {
        stage.lintel.output().matches("\"msg\":\"call\"").count() >= 20
    });
    let mut places = vec![
        ("the log".to_owned(), stage.lintel.output()),
        (
            "metrics".to_owned(),
            stage.lintel.ask("GET", "/metrics").text(),
        ),
        (
            "the request log".to_owned(),
            stage
                .lintel
                .ask("GET", "/api/v1/exchanges?limit=500")
                .text(),
        ),
        ("error answers".to_owned(), errors.join("\n")),
    ];
    let mut folders = vec![stage.lintel.dir.path().join("store")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                places.push((
                    path.display().to_string(),
                    String::from_utf8_lossy(&bytes).into_owned(),
                ));
            }
        }
    }
    assert!(
        places.len() > 6,
        "journal and databases are looked at: {}",
        places.len()
    );
    let own = [
        ("the provider's credential", UPSTREAM_SECRET),
        ("the caller's key", stage.key.secret.as_str()),
    ];
    for (place, text) in &places {
        for (what, secret) in PLANTED.iter().chain(&own) {
            assert!(!text.contains(secret), "{what} is in {place}");
        }
    }
}

#[test]
fn the_log_follows_a_reload_to_text_and_to_a_sample() {
    let stage = Stage::good();
    let path = stage.lintel.dir.path().join("lintel.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let next = stage.lintel.dir.path().join("next");
    std::fs::write(
        &next,
        format!("{text}\nlog: {{ format: text, sample: 0%, level: debug }}\n"),
    )
    .unwrap();
    std::fs::rename(&next, &path).unwrap();
    stage.lintel.signal("HUP");
    until("a line for people", || {
        stage
            .lintel
            .output()
            .contains(" INFO  configuration reloaded ")
    });
    stage.lintel.forget_output();
    assert_eq!(stage.call(Face::Openai, "up/m", false).0.status, 200);
    assert_eq!(stage.call(Face::Openai, "nobody", false).0.status, 404);
    until("the line of the failure", || {
        stage.lintel.output().contains(" call request_id=ex_")
    });
    let said = stage.lintel.output();
    assert!(!said.contains("outcome=success"), "left out: {said}");
    assert!(said.contains(" DEBUG attempt request_id=ex_"), "{said}");
    assert!(
        said.contains("auth=accepted") && said.contains("outcome=client_error"),
        "{said}"
    );
    let metrics = stage.lintel.ask("GET", "/metrics").text();
    assert!(
        metrics.contains("lintel_log_lines_unsampled_total 1\n"),
        "{metrics}"
    );
    let open = metrics
        .lines()
        .find_map(|l| l.strip_prefix("process_open_fds "))
        .unwrap();
    assert!(open.parse::<f64>().unwrap() >= 3.0);
}

#[test]
fn every_event_that_is_logged_is_in_the_page() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/logs.md")).unwrap();
    let mut folders: Vec<_> = ["lintel", "lintel-gateway", "lintel-admin", "lintel-store"]
        .map(|name| root.join("crates").join(name).join("src"))
        .into();
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for level in ["Error", "Warn", "Info", "Debug"] {
                // The message stands behind the level, on the same line or the next.
                for rest in code.split(&format!("Level::{level},")).skip(1) {
                    let Some(message) = rest.trim_start().strip_prefix('"') else {
                        continue;
                    };
                    let message = message.split('"').next().unwrap();
                    assert!(
                        page.contains(&format!("`{message}`")),
                        "{}: docs/logs.md lacks `{message}`: a row in crates/lintel-telemetry/src/log_page/events.md",
                        path.display()
                    );
                    found += 1;
                }
            }
        }
    }
    assert!(found >= 12, "{found}");
}
