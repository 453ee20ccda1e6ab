//! The examples in the repository load, and mean what their comments say.

use std::sync::Arc;
use std::time::Duration;

use lintel_config::{Credential, Durability, Loaded, Snapshot};
use lintel_policy::{Inspection, OnDisconnect, UnknownModel};
use lintel_types::{Meter, Timestamp};
use lintel_wire::provider::ANTHROPIC;

use crate::support::{is_secret, load, load_with, read_anything, root};

/// Loads an example with every variable set, and every file outside of the repository holding a key.
fn example(name: &str) -> Loaded {
    let path = root().join("examples").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let loaded = lintel_config::load(
        &text,
        path.to_str().unwrap(),
        &|name| is_secret(name).then(|| format!("value of {name}")),
        &read_anything,
    );
    loaded.unwrap_or_else(|problems| panic!("{problems}"))
}

fn snapshot(name: &str) -> Snapshot {
    let loaded = example(name);
    assert_eq!(loaded.warnings, [], "{name}");
    loaded.snapshot
}

#[test]
fn every_example_is_one_of_these() {
    let mut names: Vec<String> = std::fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|n| n.ends_with(".yaml"));
    names.sort();
    assert_eq!(
        names,
        [
            "alerts.yaml",
            "clouds.yaml",
            "edge.yaml",
            "laptop.yaml",
            "minimal.yaml",
            "regulated-prices.yaml",
            "regulated.yaml",
            "saas.yaml",
            "team-prices.yaml",
            "team.yaml",
            "two-providers.yaml"
        ]
    );
}

#[test]
fn minimal() {
    let s = snapshot("minimal.yaml");
    assert_eq!(
        (s.listen.to_string(), s.admin.to_string(), s.store.to_str()),
        (
            "127.0.0.1:8080".into(),
            "127.0.0.1:8081".into(),
            Some("./.lintel")
        )
    );
    let openai = s.provider("openai").unwrap();
    assert_eq!(
        (
            openai.host.name,
            &*openai.base().authority,
            &*openai.base().path
        ),
        ("openai", "api.openai.com", "/v1")
    );
    assert_eq!(
        openai
            .credential
            .as_ref()
            .and_then(|c| c.key())
            .unwrap()
            .expose(),
        "value of OPENAI_API_KEY"
    );
    let target = &s.routes["chat"].tiers[0].targets[0];
    assert_eq!(
        (
            &*target.provider,
            target.provider_index,
            &*target.model,
            target.weight
        ),
        ("openai", openai.index, "gpt-4o-mini", 1)
    );
    assert_eq!(s.unknown_model, UnknownModel::Refuse);
    assert_eq!(s.limits.body_bytes, 32 << 20);
}

#[test]
fn two_providers() {
    let s = snapshot("two-providers.yaml");
    let chat = &s.routes["chat"];
    assert_eq!(
        (chat.deadline, chat.first_token, chat.idle, chat.attempts),
        (
            Duration::from_secs(120),
            Duration::from_secs(20),
            Duration::from_secs(30),
            4
        )
    );
    assert_eq!(
        chat.tiers
            .iter()
            .map(|t| t.targets.len())
            .collect::<Vec<_>>(),
        [2, 1]
    );
    let local = s.provider("local").unwrap();
    assert_eq!(
        (
            local.host.name,
            local.base().https,
            local.base().port,
            local.credential.is_none()
        ),
        ("openai-compatible", false, 8000, true)
    );
    assert_eq!(
        s.routes["claude"].on_disconnect,
        OnDisconnect::Drain(Duration::from_secs(10))
    );
    assert_eq!(s.provider("anthropic").unwrap().protocol, ANTHROPIC);
    assert_eq!(s.unknown_model, UnknownModel::AllowUnpriced);
}

#[test]
fn clouds() {
    let s = snapshot("clouds.yaml");
    let base = |name: &str| s.provider(name).unwrap().base().to_string();
    assert_eq!(s.provider("azure").unwrap().host.name, "azure");
    let dated = s.provider("azure-dated").unwrap();
    assert_eq!(dated.api_version.as_deref(), Some("2024-10-21"));
    assert_eq!(
        base("vertex"),
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/acme-1/locations/europe-west4"
    );
    let vertex = s.provider("vertex").unwrap();
    assert!(matches!(
        vertex.credential,
        Some(Credential::ServiceAccount(_))
    ));
    assert_eq!(base("ollama"), "http://127.0.0.1:11434/v1");
    let bedrock = s.provider("bedrock").unwrap();
    assert_eq!(
        base("bedrock"),
        "https://bedrock-runtime.eu-central-1.amazonaws.com"
    );
    assert_eq!(bedrock.region.as_deref(), Some("eu-central-1"));
    assert!(matches!(bedrock.credential, Some(Credential::Aws(_))));
}

#[test]
fn team() {
    let s = snapshot("team.yaml");
    assert!(!s.listen.ip().is_loopback());
    assert_eq!(
        (s.durability, s.node.0, s.log.calls),
        (Durability::Disk, 1, true)
    );
    assert_eq!(
        s.provider("openai")
            .unwrap()
            .credential
            .as_ref()
            .and_then(|c| c.key())
            .unwrap()
            .expose(),
        "a-planted-secret"
    );
    assert_eq!(s.provider("openai-batch").unwrap().host.name, "openai");
    assert!(
        s.provider("drill")
            .unwrap()
            .sandbox
            .as_ref()
            .unwrap()
            .error_status
            .is_some()
    );
    assert_eq!(
        s.routes["raw/embeddings-free"].inspection,
        Inspection::Uninspected
    );
    assert_eq!(s.routes["chat"].inspection, Inspection::Inspected);
    let now = Timestamp::from_millis(1_795_000_000_000);
    let contracted = s
        .prices
        .lookup("openai-batch", "openai", "gpt-4.1-mini", now)
        .unwrap();
    assert_eq!(
        (
            contracted.rate_of(Meter::Input).unwrap().to_string(),
            &*contracted.source
        ),
        ("0.32".into(), "contract 2026-17")
    );
    assert_eq!(
        s.prices
            .lookup("openai", "openai", "gpt-4.1-mini", now)
            .unwrap()
            .rate_of(Meter::Input)
            .unwrap()
            .to_string(),
        "0.4"
    );
    let acme = &s.tenants[0];
    assert_eq!(
        (
            &*acme.name,
            &*acme.projects[0].name,
            acme.projects[0].routes.clone()
        ),
        ("acme", "search", Some(vec![Arc::from("chat")]))
    );
    assert_eq!(acme.projects[1].routes, None);
    assert_eq!(
        (s.limits.in_flight, s.limits.header_bytes, s.limits.drain),
        (5_000, 32 << 10, Duration::from_secs(60))
    );
}

#[test]
fn the_host_row_is_inferred_in_this_order() {
    let host = |body: &str| {
        let text = format!("providers:\n  groq: {{ {body} }}\n");
        let loaded = load_with(&text, &[], &[]).unwrap_or_else(|p| panic!("{p}"));
        loaded.snapshot.providers[0].host.name
    };
    assert_eq!(
        host("protocol: openai, host: mistral, base_url: 'https://api.openai.com/v1'"),
        "mistral"
    );
    assert_eq!(
        host("protocol: openai, host: openai-compatible, base_url: 'https://api.openai.com/v1'"),
        "openai-compatible"
    );
    assert_eq!(
        host("protocol: openai, base_url: 'https://api.openai.com/v1'"),
        "openai"
    );
    assert_eq!(
        host("protocol: openai, base_url: 'http://127.0.0.1:9/v1'"),
        "groq"
    );
    assert_eq!(host("protocol: openai"), "groq");
    assert_eq!(
        host("protocol: anthropic, base_url: 'https://api.groq.com/anthropic'"),
        "anthropic-compatible"
    );
    assert_eq!(host("protocol: sandbox"), "sandbox");
    // One host name, two protocols: the row is the one that speaks this provider's.
    let google = "https://generativelanguage.googleapis.com/v1beta";
    assert_eq!(host("protocol: gemini"), "google");
    assert_eq!(
        host(&format!("protocol: gemini, base_url: '{google}'")),
        "google"
    );
    assert_eq!(
        host(&format!("protocol: openai, base_url: '{google}/openai'")),
        "gemini"
    );
    assert_eq!(
        host("protocol: gemini, base_url: 'http://127.0.0.1:9/v1'"),
        "gemini-compatible"
    );
}

#[test]
fn the_compatible_row_keeps_its_name() {
    let base = |body: &str| {
        let text = format!("providers:\n  gemini: {{ {body} }}\n");
        let loaded = load_with(&text, &[], &[]).unwrap_or_else(|p| panic!("{p}"));
        loaded.snapshot.providers[0].base().path.clone()
    };
    assert_eq!(base("protocol: openai"), "/v1beta/openai");
    assert_eq!(base("protocol: gemini"), "/v1beta");
}

#[test]
fn base_urls_are_kept_as_written_but_for_the_last_slash() {
    let text =
        "providers:\n  p: { protocol: openai, base_url: 'https://gw.example.com:8443/team/v1/' }\n";
    let base = load(text).unwrap().snapshot.providers[0].base().clone();
    assert_eq!(
        (&*base.authority, &*base.path, base.to_string().as_str()),
        (
            "gw.example.com:8443",
            "/team/v1",
            "https://gw.example.com:8443/team/v1"
        )
    );
}

#[test]
fn the_hash_follows_meaning_and_not_spelling_or_secrets() {
    let hash = |text: &str, key: &str| {
        load_with(text, &[("KEY", key)], &[])
            .unwrap_or_else(|p| panic!("{p}"))
            .snapshot
            .hash
    };
    let a = "providers:\n  p: { protocol: openai, base_url: 'http://127.0.0.1:1/v1', api_key: '${KEY}' }\nroutes:\n  r: { tiers: [{ targets: [{ provider: p, model: gpt-4o }] }] }\n";
    let respelled = "# the same\nroutes: { r: { attempts: 3, tiers: [{ targets: [{ model: gpt-4o, provider: p }] }] } }\nproviders: { p: { api_key: '${KEY}', base_url: 'http://127.0.0.1:1/v1/', protocol: openai } }\n";
    let base = hash(a, "one");
    assert_eq!(
        (base.len(), base.bytes().all(|b| b.is_ascii_hexdigit())),
        (16, true)
    );
    assert_eq!(base, hash(a, "two"));
    assert_eq!(base, hash(respelled, "one"));
    for other in [
        a.replace("gpt-4o", "gpt-4o-mini"),
        a.replace(":1/", ":2/"),
        format!("{a}node: 1\n"),
        format!("{a}limits: {{ body: 1MB }}\n"),
        a.replace(", api_key: '${KEY}'", ""),
    ] {
        assert_ne!(base, hash(&other, "one"), "{other}");
    }
}

#[test]
fn no_secret_is_shown_by_debug() {
    let text = "providers:\n  p: { protocol: openai, base_url: 'http://127.0.0.1:1/v1', api_key: '${KEY}' }\n";
    let loaded = load_with(text, &[("KEY", "sk-very-secret")], &[]).unwrap();
    assert!(!format!("{loaded:?}").contains("very-secret"));
}

#[test]
fn every_example_is_sound_and_warns_of_nothing() {
    for name in [
        "clouds",
        "edge",
        "laptop",
        "minimal",
        "regulated",
        "saas",
        "team",
        "two-providers",
    ] {
        snapshot(&format!("{name}.yaml"));
    }
}
