//! Reload: atomic, under running calls; a bad file changes nothing and is reported.

use crate::harness::script::Gate;
use crate::harness::{Act, Config, Face, Lintel, Route, Script, Stage, dialect, until};

fn changed(stage: &Stage, to: &str) -> Config {
    Config::of(&stage.provider).route("chat", Route::to(to))
}

fn write(stage: &Stage, text: &str) {
    // As careful editors do: the file is never half written.
    let (path, next) = (
        stage.lintel.dir.path().join("lintel.yaml"),
        stage.lintel.dir.path().join("next"),
    );
    std::fs::write(&next, text).unwrap();
    std::fs::rename(&next, &path).unwrap();
}

fn yaml(stage: &Stage, config: &Config) -> String {
    config.yaml(&stage.lintel.dir.path().join("store"))
}

#[test]
fn a_good_file_changes_new_calls_and_leaves_running_ones() {
    let gate = Gate::default();
    let held = gate.clone();
    let choose = move |seen: &crate::harness::Seen| {
        if seen.model() != "old" {
            return dialect::answer(seen);
        }
        let events = dialect::face_of(seen).events();
        let begun = events[..3]
            .iter()
            .fold(Script::stream_head(), |s, e| s.chunk(e.as_bytes()))
            .then(Act::Gate(held.clone()));
        events[3..]
            .iter()
            .fold(begun, |s, e| s.chunk(e.as_bytes()))
            .end()
    };
    let stage = Stage::with(choose, |c| c.route("chat", Route::to("up/old")));
    let mut client = stage.connect();
    client
        .send(&stage.request(Face::Openai, "chat", true, "before").bytes())
        .unwrap();
    client.head().unwrap();
    let mut text = client.until(b"\"hel\"").unwrap();
    write(&stage, &yaml(&stage, &changed(&stage, "up/new")));
    stage.lintel.signal("HUP");
    let mut calls = 1;
    until("the new route", || {
        calls += 1;
        let mut client = stage.connect();
        client
            .send(
                &stage
                    .request(Face::Openai, "chat", true, &stage.session())
                    .bytes(),
            )
            .unwrap();
        client.head().unwrap();
        let _ = client.until(b"\"hel\"");
        !stage.provider.for_model("new").is_empty()
    });
    gate.open();
    text.extend(client.rest().0);
    assert_eq!(String::from_utf8_lossy(&text), Face::Openai.client_stream());
    let (reply, session) = stage.call(Face::Openai, "chat", false);
    assert_eq!(reply.status, 200);
    let (before, after) = (stage.lintel.row("before"), stage.lintel.row(&session));
    assert_eq!(
        (
            before.outcome(),
            &before.attempts()[0]["model"],
            &after.attempts()[0]["model"]
        ),
        ("success", &"old".into(), &"new".into())
    );
    assert_ne!(
        before.text("config"),
        after.text("config"),
        "a row tells which configuration decided"
    );
    stage.balance(calls + 1);
}

#[test]
fn a_bad_file_keeps_the_last_good_one() {
    let stage = Stage::with(dialect::answer, |c| c.route("chat", Route::to("up/old")));
    let (_, first) = stage.call(Face::Openai, "chat", false);
    let bad = format!(
        "{}no_such_setting: 1\n",
        yaml(&stage, &changed(&stage, "up/new"))
    );
    write(&stage, &bad);
    stage.lintel.signal("HUP");
    until("the report", || {
        stage.lintel.output().contains("no_such_setting")
    });
    let (reply, second) = stage.call(Face::Openai, "chat", false);
    assert_eq!(reply.status, 200);
    let (first, second) = (stage.lintel.row(&first), stage.lintel.row(&second));
    assert_eq!(
        (&second.attempts()[0]["model"], second.text("config")),
        (&"old".into(), first.text("config"))
    );
    // Asked over the control API, the answer names the fault.
    let refused = stage.lintel.ask("POST", "/api/v1/reload");
    assert!(
        refused.status >= 400 && refused.text().contains("no_such_setting"),
        "{} {}",
        refused.status,
        refused.text()
    );
    for text in [
        "",
        "routes: [",
        "\u{0}",
        "listen: 127.0.0.1:0\nlisten: 127.0.0.1:0\n",
    ] {
        write(&stage, text);
        let reply = stage.lintel.ask("POST", "/api/v1/reload");
        assert!(
            text.is_empty() || reply.status >= 400,
            "{text:?}: {}",
            reply.text()
        );
    }
    std::fs::remove_file(stage.lintel.dir.path().join("lintel.yaml")).unwrap();
    assert!(stage.lintel.ask("POST", "/api/v1/reload").status >= 400);
    // And when the file is good again, so is the reload.
    write(&stage, &yaml(&stage, &changed(&stage, "up/new")));
    assert_eq!(stage.lintel.ask("POST", "/api/v1/reload").status, 200);
    stage.call(Face::Openai, "chat", false);
    stage.provider.wait_for("new", 1);
    stage.quiet();
}

#[test]
fn a_changed_file_is_noticed_without_a_signal() {
    let stage = Stage::with(dialect::answer, |c| c.route("chat", Route::to("up/old")));
    write(&stage, &yaml(&stage, &changed(&stage, "up/new")));
    until("the new route", || {
        stage.call(Face::Openai, "chat", false);
        !stage.provider.for_model("new").is_empty()
    });
}

#[test]
fn keys_outlive_a_reload_and_a_restart() {
    let mut stage = Stage::with(dialect::answer, |c| c.route("chat", Route::to("up/old")));
    write(&stage, &yaml(&stage, &changed(&stage, "up/new")));
    stage.lintel.signal("HUP");
    stage.still_serves("m");
    stage.lintel.stop();
    let again = Lintel::start_in(stage.lintel.dir.clone(), &changed(&stage, "up/new"));
    let reply = again
        .connect()
        .call(&Face::Openai.request(&stage.key.secret, "chat", false));
    assert_eq!(reply.status, 200, "{}", reply.text());
    until("rows of both lives", || again.rows().len() == 5);
}
