//! Where a provider is called and with what: rows with gaps, versions, regions, and kinds of credentials.

use lintel_config::{Credential, Provider, ServiceAccount};

use crate::support::{key_file, load, load_with, problems};

fn provider(yaml: &str) -> Provider {
    let loaded = load(&format!("providers:\n  p: {yaml}\n")).unwrap();
    Provider::clone(loaded.snapshot.provider("p").unwrap())
}

/// The problems of a provider `p`, without the place in the file.
fn check(yaml: &str, expect: &[&str]) {
    let found = problems(&format!("providers:\n  p: {yaml}\n"));
    let shown: Vec<&str> = found
        .iter()
        .map(|line| line.split_once(": providers.p").unwrap().1)
        .collect();
    assert_eq!(shown, expect, "{yaml}");
}

#[test]
fn a_row_is_found_by_its_host_names_end() {
    for resource in [
        "mine.openai.azure.com",
        "mine.cognitiveservices.azure.com",
        "mine.services.ai.azure.com",
    ] {
        let p = provider(&format!(
            "{{ protocol: openai, base_url: 'https://{resource}', api_version: '2024-10-21', api_key: '${{KEY}}' }}"
        ));
        assert_eq!(p.host.name, "azure");
        assert_eq!(p.api_version.as_deref(), Some("2024-10-21"));
    }
}

#[test]
fn a_local_row_needs_nothing() {
    let loaded = load(
        "providers:\n  ollama: { protocol: openai }\n  mine: { protocol: openai, host: vllm }\n",
    );
    let loaded = loaded.unwrap();
    assert_eq!(loaded.warnings, []);
    let base = |name: &str| loaded.snapshot.provider(name).unwrap().base().to_string();
    assert_eq!(base("ollama"), "http://127.0.0.1:11434/v1");
    assert_eq!(base("mine"), "http://127.0.0.1:8000/v1");
}

#[test]
fn an_account_of_its_own_needs_a_base_url() {
    check(
        "{ protocol: openai, host: azure, api_key: '${KEY}' }",
        &[
            ": `base_url` is missing: at azure it is the account's own, such as https://RESOURCE.openai.azure.com",
        ],
    );
    check(
        "{ protocol: openai, host: snowflake, api_key: '${KEY}' }",
        &[
            ": `base_url` is missing: at snowflake it is the account's own, such as https://ACCOUNT.snowflakecomputing.com/api/v2/cortex/v1",
        ],
    );
}

#[test]
fn what_has_no_use_is_refused() {
    check(
        "{ protocol: openai, host: groq, region: eu, location: eu, project: x, api_version: v1 }",
        &[
            ".region: groq has no region: remove this",
            ".location: groq has no location: remove this",
            ".project: groq has no project: remove this",
            ".api_version: groq has no api version: remove this",
        ],
    );
    check(
        "{ protocol: sandbox, region: eu, aws: { access_key_id: '${KEY}', secret_access_key: '${KEY}' } }",
        &[
            ".region: the sandbox answers inside this process: remove this, or change the protocol",
            ".aws: the sandbox answers inside this process: remove this, or change the protocol",
        ],
    );
    check(
        "{ protocol: openai, host: azure, base_url: 'https://r.openai.azure.com', api_version: '1?x=y' }",
        &[
            ".api_version: letters, digits and hyphens stand here, and nothing that could change a URL",
        ],
    );
}

#[test]
fn a_credential_of_the_wrong_kind_and_every_bad_part_of_it_are_found_at_once() {
    check(
        "{ protocol: openai, host: groq, service_account: 'file:/none', aws: { access_key_id: AKIA, secret_access_key: '${GONE}', session_token: '${KEY}' } }",
        &[
            ".service_account: groq doesn't take this: write `api_key`",
            ".service_account: can't read /none: entity not found; check the path and that this user may read it",
            ".aws: groq doesn't take this: write `api_key`",
            ".aws.access_key_id: a secret doesn't belong in this file: put it in an environment variable and write \"${NAME}\", or in a file and write \"file:/path\"",
            ".aws.secret_access_key: environment variable GONE is not set: export it before starting, or remove this line",
        ],
    );
}

#[test]
fn a_service_account_signs_and_shows_nothing() {
    let text = key_file("https://oauth2.googleapis.com/token");
    let account = ServiceAccount::parse(&text).unwrap();
    assert_eq!(&*account.email, "lintel@acme-1.iam.gserviceaccount.com");
    assert_eq!(account.project.as_deref(), Some("acme-1"));
    let signature = account.sign(b"message").unwrap();
    let key = ring::signature::UnparsedPublicKey::new(
        &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        account.public_key(),
    );
    assert!(key.verify(b"message", &signature).is_ok());
    assert!(key.verify(b"another", &signature).is_err());
    assert!(account.is_same(&ServiceAccount::parse(&text).unwrap()));
    let shown = format!("{:?}", Credential::ServiceAccount(account));
    assert_eq!(
        shown,
        "ServiceAccount(ServiceAccount(lintel@acme-1.iam.gserviceaccount.com, https://oauth2.googleapis.com/token))"
    );
}

#[test]
fn a_bad_key_file_says_what_is_wrong_and_repeats_nothing() {
    let text =
        "providers:\n  p: { protocol: openai, host: groq, service_account: 'file:/k.json' }\n";
    let bad = "{\"type\":\"service_account\",\"private_key\":\"s3cret\"}";
    let found = load_with(text, &[], &[("/k.json", bad)]).unwrap_err();
    let found = found.to_string();
    assert!(
        found.contains("service_account: file /k.json: no service account's key file"),
        "{found}"
    );
    assert!(!found.contains("s3cret"));
}

/// The provider `p` of `yaml` and the warnings, with a service account's key file at `/k.json`.
fn vertex(yaml: &str) -> Result<(Provider, Vec<String>), String> {
    let key = key_file("https://oauth2.googleapis.com/token");
    let text = format!("providers:\n  p: {yaml}\n");
    let loaded = load_with(&text, &[("KEY", "k")], &[("/k.json", &key)]);
    let loaded = loaded.map_err(|problems| problems.to_string())?;
    let warnings = loaded.warnings.iter().map(ToString::to_string).collect();
    let provider = Provider::clone(loaded.snapshot.provider("p").unwrap());
    Ok((provider, warnings))
}

#[test]
fn vertex_is_called_where_location_and_project_say() {
    let at = |yaml: &str| vertex(yaml).unwrap().0.base().to_string();
    assert_eq!(
        at("{ protocol: vertex, location: global, service_account: 'file:/k.json' }"),
        "https://aiplatform.googleapis.com/v1/projects/acme-1/locations/global",
        "the project is the account's"
    );
    assert_eq!(
        at(
            "{ protocol: vertex, location: europe-west4, project: other, service_account: 'file:/k.json' }"
        ),
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/other/locations/europe-west4"
    );
    let own = "{ protocol: vertex, base_url: 'https://psc.example/v1/projects/a/locations/b', service_account: 'file:/k.json' }";
    let (provider, warnings) = vertex(own).unwrap();
    assert_eq!(provider.host.name, "vertex-compatible");
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn vertex_says_what_it_lacks() {
    check(
        "{ protocol: vertex }",
        &[
            ": `location` is missing: vertex has one API each, such as location: europe-west4, or global",
            ": `project` is missing: write the project that is billed",
        ],
    );
    check(
        "{ protocol: vertex, location: 'a/b', project: p, api_key: '${KEY}', region: eu }",
        &[
            ".location: letters, digits and hyphens stand here, and nothing that could change a URL",
            ".api_key: vertex doesn't take this: write `service_account`",
            ".region: vertex has no region: remove this",
        ],
    );
    check(
        "{ protocol: vertex, host: vertex, base_url: 'https://x.example/v1/projects/a/locations/b', location: b }",
        &[".location: the base URL says it already: remove this, or remove `base_url`"],
    );
    let (_, warnings) = vertex("{ protocol: vertex, location: global, project: p }").unwrap();
    assert_eq!(
        warnings,
        [
            "lintel.yaml:2:3: providers.p: no `service_account`, so calls go without a credential; usual here: service_account: file:/path/to/key.json"
        ]
    );
    let reports = vertex("{ protocol: openai, host: groq, service_account: 'file:/k.json' }");
    assert!(reports.unwrap_err().contains("groq doesn't take this"));
}
