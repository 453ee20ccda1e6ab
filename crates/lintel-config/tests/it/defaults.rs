//! The configuration of somebody who has none.

use lintel_config::defaults;
use lintel_policy::UnknownModel;
use lintel_wire::provider::SANDBOX;

fn env<'e>(set: &'e [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'e {
    |name| {
        set.iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| (*value).to_owned())
    }
}

#[test]
fn with_nothing_set_there_is_the_sandbox_on_loopback() {
    let loaded = defaults(&env(&[])).unwrap();
    let s = loaded.snapshot;
    assert_eq!(loaded.warnings, []);
    assert!(s.listen.ip().is_loopback() && s.admin.is_local());
    assert_eq!(s.providers.len(), 1);
    let route = &s.routes["sandbox"];
    assert_eq!(
        (
            &*route.tiers[0].targets[0].provider,
            &*route.tiers[0].targets[0].model
        ),
        ("sandbox", "sandbox")
    );
    assert_eq!(s.provider("sandbox").unwrap().protocol, SANDBOX);
    assert_eq!(s.unknown_model, UnknownModel::AllowUnpriced);
    assert_eq!(s.hash, defaults(&env(&[])).unwrap().snapshot.hash);
}

#[test]
fn a_usual_variable_brings_its_provider() {
    let s = defaults(&env(&[
        ("OPENAI_API_KEY", "sk-1"),
        ("ANTHROPIC_API_KEY", "sk-2"),
        ("GROQ_API_KEY", " "),
        // Needs a base URL of its own: nothing that a variable could say.
        ("AZURE_OPENAI_API_KEY", "sk-3"),
    ]))
    .unwrap()
    .snapshot;
    let names: Vec<&str> = s.providers.iter().map(|p| &*p.name).collect();
    assert_eq!(names, ["anthropic", "openai", "sandbox"]);
    assert!(s.providers.iter().enumerate().all(|(i, p)| p.index == i));
    assert_eq!(
        s.provider("openai")
            .unwrap()
            .credential
            .as_ref()
            .and_then(|c| c.key())
            .unwrap()
            .expose(),
        "sk-1"
    );
    assert_eq!(
        s.provider("anthropic").unwrap().base().to_string(),
        "https://api.anthropic.com"
    );
}

#[test]
fn a_second_variable_counts_where_the_first_is_not_set() {
    let key = |set: &[(&str, &str)], name: &str| {
        let s = defaults(&env(set)).unwrap().snapshot;
        let provider = s.provider(name)?;
        Some(provider.credential.as_ref()?.key()?.expose().to_owned())
    };
    let both = [("GOOGLE_API_KEY", "b"), ("GEMINI_API_KEY", "a")];
    assert_eq!(key(&both, "google").as_deref(), Some("a"));
    assert_eq!(key(&both, "gemini").as_deref(), Some("a"));
    let second = [("GOOGLE_API_KEY", "b")];
    assert_eq!(key(&second, "google").as_deref(), Some("b"));
    assert_eq!(key(&second, "gemini"), None);
}

#[test]
fn addresses_and_store_can_be_overridden_but_not_wrongly() {
    let set = [
        ("LINTEL_LISTEN", "127.0.0.1:0"),
        ("LINTEL_ADMIN_LISTEN", "[::1]:0"),
        ("LINTEL_STORE", "/tmp/x"),
    ];
    let s = defaults(&env(&set)).unwrap().snapshot;
    assert_eq!(
        (s.listen.port(), s.admin.to_string(), s.store.to_str()),
        (0, "[::1]:0".into(), Some("/tmp/x"))
    );
    let wrong = defaults(&env(&[
        ("LINTEL_LISTEN", "8080"),
        ("LINTEL_ADMIN_LISTEN", "0.0.0.0:8081"),
        ("OPENAI_API_KEY", "a\nb"),
    ]))
    .unwrap_err();
    let shown: Vec<String> = wrong.0.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "built-in defaults: listen: `8080` is not an address: write an IP address and a port, such as 127.0.0.1:8080 or 0.0.0.0:8080",
            "built-in defaults: admin.listen: 0.0.0.0:8081 is off loopback: set the environment variable LINTEL_ADMIN_TOKEN, or listen at 127.0.0.1",
            "built-in defaults: providers.openai.api_key: environment variable OPENAI_API_KEY holds a line break or another character that can't be sent in a header",
        ]
    );
}

#[test]
fn a_host_with_regions_needs_one() {
    let key = ("AWS_BEARER_TOKEN_BEDROCK", "b");
    let without = defaults(&env(&[key])).unwrap().snapshot;
    assert!(without.provider("bedrock").is_none());
    for region in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        let s = defaults(&env(&[key, (region, "eu-west-1")]))
            .unwrap()
            .snapshot;
        let provider = s.provider("bedrock").unwrap();
        assert_eq!(
            provider.base().to_string(),
            "https://bedrock-runtime.eu-west-1.amazonaws.com"
        );
        assert_eq!(provider.host.name, "bedrock");
    }
}
