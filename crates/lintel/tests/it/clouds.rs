//! Hosts that are more than a base URL and a key: Azure's paths, servers on this machine, Vertex AI's tokens.

use std::process::Command;
use std::sync::Arc;

use crate::harness::client::Request;
use crate::harness::config::{Config, UPSTREAM_SECRET};
use crate::harness::dialect::Face;
use crate::harness::process::{Key, Lintel};
use crate::harness::provider::{Provider, Seen};
use crate::harness::script::Script;
use crate::harness::temp::Temp;

const GEMINI_ANSWER: &str = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}],  "usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3,"totalTokenCount":12}}"#;

/// Path and query of a request.
fn target(seen: &Seen) -> &str {
    seen.head.start.split(' ').nth(1).unwrap_or_default()
}

/// A Lintel with `providers` beside the usual ones, and a key that may call them.
fn lintel(provider: &Provider, providers: &[(&str, String)]) -> (Lintel, Key) {
    let more = |config: Config, (name, yaml): &(&str, String)| config.provider(name, yaml);
    let config = providers.iter().fold(Config::of(provider), more);
    let lintel = Lintel::start(&config);
    let key = lintel.key(&["--direct"]);
    (lintel, key)
}

#[test]
fn azure_is_called_at_either_generation_of_its_paths() {
    let provider = Provider::start(|_| Script::json("200 OK", Face::Openai.answer()));
    let azure = |version: &str| {
        format!(
            "{{ protocol: openai, host: azure, base_url: 'http://{}', api_key: \"${{TEST_UPSTREAM_KEY}}\"{version} }}",
            provider.addr
        )
    };
    let (lintel, key) = lintel(
        &provider,
        &[
            ("new", azure("")),
            ("old", azure(", api_version: '2024-12-01-preview'")),
        ],
    );
    for (model, path) in [
        ("new/gpt-4o", "/openai/v1/chat/completions"),
        (
            "old/gpt-4o",
            "/openai/deployments/gpt-4o/chat/completions?api-version=2024-12-01-preview",
        ),
        (
            "old/my?own#4o",
            "/openai/deployments/my%3Fown%234o/chat/completions?api-version=2024-12-01-preview",
        ),
    ] {
        let reply = lintel
            .connect()
            .call(&Face::Openai.request(&key.secret, model, false));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let seen = provider.seen().pop().unwrap();
        assert_eq!(target(&seen), path);
        assert_eq!(seen.head.get("api-key"), Some(UPSTREAM_SECRET));
        assert_eq!(seen.head.get("authorization"), None);
        assert_eq!(seen.model(), model.split_once('/').unwrap().1);
    }
}

#[test]
fn a_server_on_this_machine_needs_no_key_and_gets_none() {
    let provider = Provider::start(|_| Script::json("200 OK", Face::Openai.answer()));
    let vllm = format!(
        "{{ protocol: openai, base_url: 'http://{}/v1' }}",
        provider.addr
    );
    let (lintel, key) = lintel(&provider, &[("vllm", vllm)]);
    let call = Face::Openai.request(&key.secret, "vllm/llama", false);
    assert_eq!(lintel.connect().call(&call).status, 200);
    let seen = provider.wait_for("llama", 1);
    assert_eq!(target(&seen), "/v1/chat/completions");
    for header in ["authorization", "api-key", "x-api-key"] {
        assert_eq!(seen.head.get(header), None, "{header}");
    }
}

#[test]
fn what_a_host_cannot_use_is_refused_before_anything_starts() {
    let dir = Arc::new(Temp::new());
    let config = Config::default().provider(
        "a",
        "{ protocol: openai, host: azure, region: west, api_key: \"${TEST_UPSTREAM_KEY}\" }",
    );
    let config = config.provider("v", "{ protocol: vertex, service_account: /key.json }");
    Lintel::write_config(&dir, &config);
    let said = Lintel::try_start(dir, &["serve", "--config", "lintel.yaml"], &[]);
    let said = said.err().unwrap_or_default();
    for expected in [
        "providers.a: `base_url` is missing: at azure it is the account's own, such as https://RESOURCE.openai.azure.com",
        "providers.a.region: azure has no region: remove this",
        "providers.v.service_account: a secret doesn't belong in this file",
        "providers.v: `location` is missing",
        "providers.v: `project` is missing",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

/// A service account's key file. The key is made for this run, by the `openssl` command: the libraries in the tree
/// sign with RSA keys, but make none.
fn key_file(token_uri: &str) -> String {
    let made = Command::new("openssl")
        .args([
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
        ])
        .output()
        .unwrap();
    let key = String::from_utf8(made.stdout).unwrap();
    serde_json::json!({
        "type": "service_account", "project_id": "acme-1", "private_key_id": "k1", "private_key": key,
        "client_email": "lintel@acme-1.iam.gserviceaccount.com", "token_uri": token_uri,
    })
    .to_string()
}

#[test]
fn vertex_is_called_with_tokens_that_its_account_was_given() {
    let provider = Provider::start(|seen| match target(seen) {
        "/token" => Script::json(
            "200 OK",
            br#"{"access_token":"ya29.given","expires_in":3599,"token_type":"Bearer"}"#,
        ),
        path if path.contains(":streamGenerateContent") => {
            Script::stream(&[format!("data: {GEMINI_ANSWER}\r\n\r\n")])
        }
        _ => Script::json("200 OK", GEMINI_ANSWER.as_bytes()),
    });
    let dir = Arc::new(Temp::new());
    let file = dir.path().join("key.json");
    std::fs::write(&file, key_file(&format!("http://{}/token", provider.addr))).unwrap();
    let vertex = format!(
        "{{ protocol: vertex, base_url: 'http://{}/v1/projects/acme-1/locations/global', service_account: 'file:{}' }}",
        provider.addr,
        file.display()
    );
    let config = Config::of(&provider).provider("vertex", &vertex);
    let lintel = Lintel::start_in(dir, &config);
    let key = lintel.key(&["--direct"]);
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#;
    for verb in ["generateContent", "streamGenerateContent?alt=sse"] {
        let path = format!("/v1beta/models/vertex/gemini-2.5-flash:{verb}");
        let request = Request::new("POST", &path)
            .header("content-type", "application/json")
            .header("x-goog-api-key", &key.secret)
            .body(body);
        let reply = lintel.connect().call(&request);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.text().contains(GEMINI_ANSWER), "{}", reply.text());
        let seen = provider.seen().pop().unwrap();
        let expected = format!(
            "/v1/projects/acme-1/locations/global/publishers/google/models/gemini-2.5-flash:{verb}"
        );
        assert_eq!(target(&seen), expected);
        assert_eq!(seen.head.get("authorization"), Some("Bearer ya29.given"));
        assert_eq!(seen.head.get("x-goog-api-key"), None);
        assert_eq!(seen.body, body.as_bytes());
    }
    let exchanges = provider
        .seen()
        .iter()
        .filter(|s| target(s) == "/token")
        .count();
    assert_eq!(exchanges, 1);
    let said = lintel.output();
    assert!(!said.contains("ya29.given") && !said.contains("PRIVATE KEY"));
}

const CONVERSE_ANSWER: &str = r#"{"metrics":{"latencyMs":1},"output":{"message":{"content":[{"text":"hi"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":9,"outputTokens":3,"totalTokens":12}}"#;

/// The signature that a request to Bedrock must carry, by AWS's description of Signature Version 4.
fn signature(seen: &Seen) -> String {
    use ring::{digest, hmac};
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let hash = |bytes: &[u8]| hex(digest::digest(&digest::SHA256, bytes).as_ref());
    let header = |name| seen.head.get(name).unwrap_or_default();
    let names = ["content-type", "host", "x-amz-date"];
    let fields: String = names
        .iter()
        .map(|n| format!("{n}:{}\n", header(n)))
        .collect();
    // What is encoded in the path is encoded once more.
    let path = target(seen).replace('%', "%25");
    let signed = names.join(";");
    let canonical = format!("POST\n{path}\n\n{fields}\n{signed}\n{}", hash(&seen.body));
    let stamp = header("x-amz-date");
    let scope = format!("{}/eu-central-1/bedrock/aws4_request", &stamp[..8]);
    let text = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}",
        hash(canonical.as_bytes())
    );
    let mac = |key: &[u8], text: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    };
    let secret = format!("AWS4{UPSTREAM_SECRET}").into_bytes();
    let key = scope.split('/').fold(secret, |key, word| mac(&key, word));
    let signature = hex(&mac(&key, &text));
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/{scope}, SignedHeaders={signed}, Signature={signature}"
    )
}

#[test]
fn bedrock_is_called_with_signatures_or_with_a_key() {
    let provider = Provider::start(|_| Script::json("200 OK", CONVERSE_ANSWER.as_bytes()));
    let dir = Arc::new(Temp::new());
    std::fs::write(dir.path().join("id"), "AKIAEXAMPLE\n").unwrap();
    let base = format!("protocol: bedrock, base_url: 'http://{}'", provider.addr);
    let keys = format!(
        "{{ {base}, region: eu-central-1, aws: {{ access_key_id: 'file:{}', secret_access_key: \"${{TEST_UPSTREAM_KEY}}\" }} }}",
        dir.path().join("id").display()
    );
    let bearer = format!("{{ {base}, api_key: \"${{TEST_UPSTREAM_KEY}}\" }}");
    let config = Config::of(&provider)
        .provider("signed", &keys)
        .provider("keyed", &bearer);
    let lintel = Lintel::start_in(dir, &config);
    let key = lintel.key(&["--direct"]);
    for name in ["signed", "keyed"] {
        let path = format!("/model/{name}%2Feu.amazon.nova-micro-v1%3A0/converse");
        let request = Request::new("POST", &path)
            .header("content-type", "application/json")
            .header("authorization", &format!("Bearer {}", key.secret))
            .body(r#"{"messages":[{"role":"user","content":[{"text":"hello"}]}]}"#);
        let reply = lintel.connect().call(&request);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.text(), CONVERSE_ANSWER);
        let seen = provider.seen().pop().unwrap();
        assert_eq!(target(&seen), "/model/eu.amazon.nova-micro-v1%3A0/converse");
        let expected = match name {
            "signed" => signature(&seen),
            _ => format!("Bearer {UPSTREAM_SECRET}"),
        };
        assert_eq!(
            seen.head.get("authorization"),
            Some(expected.as_str()),
            "{name}"
        );
    }
}
