//! The examples of the repository, started with the real binary against stand-ins: each does what its header says.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::client::Reply;
use crate::harness::dialect::{self, Face};
use crate::harness::process::{Key, Lintel};
use crate::harness::temp::Temp;
use crate::harness::{Provider, Script, until};
use crate::transport::{authority, curl, issue};

/// Starts an example: as it is written, but for ports, folders and the addresses that `edit` gives to its providers.
fn start(name: &str, edit: impl FnOnce(&mut Value, &Temp)) -> Lintel {
    let dir = Arc::new(Temp::new());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut tree = lintel_config::written(&text, name).unwrap();
    tree["listen"] = json!("127.0.0.1:0");
    // A socket file stands where the test's other files are.
    let at_a_file = tree
        .pointer("/admin/listen")
        .and_then(Value::as_str)
        .is_some_and(|a| a.starts_with("unix:"));
    let admin = if at_a_file {
        format!("unix:{}/admin.sock", dir.path().display())
    } else {
        "127.0.0.1:0".to_owned()
    };
    tree["admin"] = json!({ "listen": admin });
    tree["store"] = json!(dir.path().join("store"));
    for prices in tree
        .pointer_mut("/prices/files")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        *prices = json!(folder.join(prices.as_str().unwrap()));
    }
    edit(&mut tree, &dir);
    // JSON is YAML.
    std::fs::write(dir.path().join("lintel.yaml"), tree.to_string()).unwrap();
    let env = [
        ("OPENAI_API_KEY", "k-openai"),
        ("ANTHROPIC_API_KEY", "k-anthropic"),
        ("AZURE_OPENAI_API_KEY", "k-azure"),
    ];
    Lintel::try_start(dir, &["serve", "--config", "lintel.yaml"], &env)
        .unwrap_or_else(|said| panic!("{name}: {said}"))
}

/// Sends a provider's calls to a stand-in, which is described by the row that the provider has.
fn at(tree: &mut Value, provider: &str, host: &str, url: String) {
    tree["providers"][provider]["host"] = json!(host);
    tree["providers"][provider]["base_url"] = json!(url);
}

fn url(provider: &Provider) -> String {
    format!("http://{}/v1", provider.addr)
}

fn dead() -> String {
    format!("http://127.0.0.1:{}/v1", Provider::dead_port())
}

fn call(lintel: &Lintel, face: Face, key: &Key, model: &str) -> Reply {
    lintel
        .connect()
        .call(&face.request(&key.secret, model, false))
}

fn key_in(lintel: &Lintel, tenant: &str, project: &str) -> Key {
    let out = lintel.cli(&[
        "key",
        "create",
        "--tenant",
        tenant,
        "--project",
        project,
        "--json",
    ]);
    let made: Value = serde_json::from_str(&out).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    Key {
        id: text("id"),
        secret: text("key"),
    }
}

#[test]
fn laptop() {
    let llama = Provider::start(dialect::answer);
    let lintel = start("laptop.yaml", |tree, _| {
        at(tree, "ollama", "ollama", dead());
        at(tree, "llamacpp", "llamacpp", dead());
    });
    let key = lintel.key(&["--direct"]);
    let reply = call(&lintel, Face::Openai, &key, "chat");
    assert_eq!(
        (reply.status, reply.header("x-lintel-attempts")),
        (200, Some("3")),
        "{}",
        reply.text()
    );
    assert_eq!(
        reply.header("x-lintel-degraded"),
        Some("tier=3; cause=connect")
    );
    until("a line for a person", || {
        lintel.output().contains(" INFO  call request_id=ex_")
    });
    assert!(
        lintel.output().contains(" DEBUG attempt "),
        "every attempt too"
    );
    let lintel = start("laptop.yaml", |tree, _| {
        at(tree, "ollama", "ollama", url(&llama))
    });
    let key = lintel.key(&[]);
    let reply = call(&lintel, Face::Openai, &key, "chat");
    assert_eq!(
        (reply.status, reply.header("x-lintel-degraded")),
        (200, None),
        "{}",
        reply.text()
    );
    assert_eq!(
        llama.wait_for("llama3.2", 1).head.get("authorization"),
        None,
        "no key goes to this machine's server"
    );
}

#[test]
fn two_providers() {
    let openai = Provider::start(|seen| match seen.model().as_str() {
        "gpt-4o" => Script::json(
            "503 Service Unavailable",
            b"{\"error\":{\"message\":\"busy\"}}",
        ),
        _ => dialect::answer(seen),
    });
    let anthropic = Provider::start(dialect::answer);
    let lintel = start("two-providers.yaml", |tree, _| {
        at(tree, "openai", "openai", url(&openai));
        at(
            tree,
            "anthropic",
            "anthropic",
            format!("http://{}", anthropic.addr),
        );
        at(tree, "local", "vllm", dead());
    });
    let key = lintel.key(&[]);
    let reply = call(&lintel, Face::Openai, &key, "chat");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(
        reply
            .header("x-lintel-degraded")
            .is_some_and(|d| d.starts_with("tier=2; cause=")),
        "{:?}",
        reply.header("x-lintel-degraded")
    );
    openai.wait_for("gpt-4o-mini", 1);
    let native = call(&lintel, Face::Anthropic, &key, "claude");
    assert_eq!(
        (native.status, native.body.as_slice()),
        (200, Face::Anthropic.answer()),
        "byte for byte"
    );
    assert_eq!(
        anthropic
            .wait_for("claude-sonnet-4-5", 1)
            .head
            .get("x-api-key"),
        Some("k-anthropic")
    );
}

#[test]
fn saas() {
    let upstream = Provider::start(dialect::answer);
    let lintel = start("saas.yaml", |tree, _| {
        at(tree, "openai", "openai", url(&upstream));
        at(
            tree,
            "claude",
            "anthropic",
            format!("http://{}", upstream.addr),
        );
    });
    let assistant = key_in(&lintel, "acme", "assistant");
    let batch = key_in(&lintel, "acme", "batch");
    let globex = key_in(&lintel, "globex", "assistant");
    assert_eq!(call(&lintel, Face::Openai, &assistant, "chat").status, 200);
    assert_eq!(call(&lintel, Face::Openai, &globex, "chat").status, 200);
    assert_eq!(call(&lintel, Face::Openai, &batch, "bulk").status, 200);
    let before = upstream.seen().len();
    for (key, route) in [(&assistant, "bulk"), (&batch, "chat")] {
        let refused = call(&lintel, Face::Openai, key, route);
        assert_eq!(
            (refused.status, Face::Openai.error(&refused).code.as_str()),
            (403, "model_not_allowed")
        );
    }
    assert_eq!(upstream.seen().len(), before, "no provider heard of it");
    until("the books", || {
        let usage: Value =
            serde_json::from_str(&lintel.cli(&["usage", "--by", "tenant,project", "--json"]))
                .unwrap();
        let text = usage.to_string();
        text.contains("acme") && text.contains("globex") && text.contains("batch")
    });
    let body = format!(
        "{{\"model\":\"chat\",\"messages\":[{{\"role\":\"user\",\"content\":\"{}\"}}]}}",
        "x".repeat(4 << 20)
    );
    let large = lintel
        .connect()
        .call(&Face::Openai.head(&assistant.secret).body(body));
    assert_eq!(large.status, 413);
}

#[test]
fn regulated() {
    let house = Provider::start(dialect::answer);
    let lintel = start("regulated.yaml", |tree, dir| {
        std::fs::write(dir.path().join("house.key"), "k-house\n").unwrap();
        at(tree, "house", "openai-compatible", url(&house));
        tree["providers"]["house"]["api_key"] =
            json!(format!("file:{}", dir.path().join("house.key").display()));
        // TLS with a CA of one's own and the private name are tried with the connections to providers.
        let provider = tree["providers"]["house"].as_object_mut().unwrap();
        provider.remove("tls");
        provider.remove("private_addresses");
        provider.remove("host");
    });
    let key = key_in(&lintel, "claims", "letters");
    let reply = call(&lintel, Face::Openai, &key, "assistant");
    // 9 tokens in, 3 out, at the house's own price.
    assert_eq!(
        (reply.status, reply.header("x-lintel-cost")),
        (200, Some("0.0000072")),
        "{}",
        reply.text()
    );
    assert_eq!(
        house.wait_for("house-70b", 1).head.get("authorization"),
        Some("Bearer k-house")
    );
    let body = r#"{"model":"assistant","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}]}"#;
    let refused = lintel
        .connect()
        .call(&Face::Anthropic.head(&key.secret).body(body));
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(
        refused.text().contains("cache_control"),
        "the place is named: {}",
        refused.text()
    );
    assert_eq!(house.seen().len(), 1, "and nothing was sent");
}

#[test]
fn clouds() {
    let azure = Provider::start(|_| Script::json("200 OK", Face::Openai.answer()));
    let lintel = start("clouds.yaml", |tree, _| {
        for name in ["azure", "azure-dated"] {
            at(tree, name, "azure", format!("http://{}", azure.addr));
        }
        // What Google and Amazon ask for is tried with their own stand-ins.
        for (section, names) in [
            ("providers", ["vertex", "bedrock"]),
            ("routes", ["gemini", "nova"]),
        ] {
            names
                .iter()
                .for_each(|name| drop(tree[section].as_object_mut().unwrap().remove(*name)));
        }
    });
    let key = lintel.key(&["--direct"]);
    for (model, start) in [
        ("azure/gpt-4o", "/openai/v1/chat/completions"),
        ("azure-dated/gpt-4o", "/openai/deployments/gpt-4o/"),
    ] {
        assert_eq!(call(&lintel, Face::Openai, &key, model).status, 200);
        let seen = azure.seen();
        let last = seen.last().unwrap();
        assert!(last.head.start.contains(start), "{}", last.head.start);
        assert_eq!(last.head.get("api-key"), Some("k-azure"));
    }
}

#[test]
fn edge() {
    let upstream = Provider::start(dialect::answer);
    let lintel = start("edge.yaml", |tree, dir| {
        let folder = dir.path();
        issue(folder, &authority(folder), "edge", 300);
        std::fs::write(folder.join("openai.key"), "k-openai\n").unwrap();
        for (key, file) in [("cert", "cert.pem"), ("key", "key.pem")] {
            tree["tls"][key] = json!(format!("file:{}", folder.join(file).display()));
        }
        tree["providers"]["openai"]["api_key"] =
            json!(format!("file:{}", folder.join("openai.key").display()));
        at(tree, "openai", "openai", url(&upstream));
    });
    let folder = lintel.dir.path().to_owned();
    let socket = folder.join("admin.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let made = lintel.cli_at(
        &format!("unix:{}", socket.display()),
        &[
            "key",
            "create",
            "--tenant",
            "acme",
            "--project",
            "search",
            "--json",
        ],
    );
    let key: Value = serde_json::from_slice(&made.stdout).unwrap();
    let bearer = format!("authorization: Bearer {}", key["key"].as_str().unwrap());
    let ca = folder.join("ca.pem").display().to_string();
    let address = format!("https://{}/v1/chat/completions", lintel.addr);
    let body = Face::Openai.body("chat", false);
    let args = [
        "--cacert",
        &ca,
        "-s",
        "-H",
        &bearer,
        "-H",
        "content-type: application/json",
        "-d",
        &body,
        &address,
    ];
    let Some(answer) = curl(&args) else { return };
    assert!(answer.ends_with(" 200"), "version and status: {answer}");
    upstream.wait_for("gpt-4.1-mini", 1);
}
