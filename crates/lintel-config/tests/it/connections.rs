//! How providers are reached: what `lintel check` finds in files of certificates and keys.

use rcgen::{CertificateParams, KeyPair};

use crate::support::load_with;

struct Pems {
    cert: String,
    key: String,
    other_key: String,
}

fn pems() -> Pems {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    Pems {
        cert: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
        other_key: KeyPair::generate().unwrap().serialize_pem(),
    }
}

/// The problems of a provider with this `tls`, without the place in the file.
fn check(url: &str, tls: &str, expect: &[&str]) {
    let pems = pems();
    let text = format!("providers:\n  p: {{ protocol: openai, base_url: '{url}', tls: {tls} }}\n");
    let files = [
        ("/cert.pem", &*pems.cert),
        ("/key.pem", &pems.key),
        ("/other.pem", &pems.other_key),
        ("/text.pem", "hello"),
        (
            "/locked.pem",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        ),
    ];
    let found = match load_with(&text, &[], &files) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    };
    let shown: Vec<&str> = found
        .iter()
        .map(|line| line.split_once(": providers.p.tls").unwrap().1)
        .collect();
    assert_eq!(shown, expect, "{tls}");
    assert!(!shown.iter().any(|line| line.contains("AAAA")));
}

#[test]
fn files_and_pairs_are_checked() {
    let https = "https://localhost/v1";
    check(https, "{ ca: 'file:/cert.pem' }", &[]);
    check(
        https,
        "{ cert: 'file:/cert.pem', key: 'file:/key.pem' }",
        &[],
    );
    check(https, "{}", &[]);
    check(
        https,
        "{ ca: 'file:/gone.pem', cert: 'file:/cert.pem', key: 'file:/other.pem' }",
        &[
            ".ca: can't read /gone.pem: entity not found; check the path and that this user may read it",
            ".key: is not the key of the certificate in `cert`: the two must be made together",
        ],
    );
    check(
        https,
        "{ ca: 'file:/text.pem', cert: 'file:/text.pem', key: 'file:/text.pem' }",
        &[
            ".ca: file /text.pem holds no certificate: it must be PEM, with a block that begins with -----BEGIN CERTIFICATE-----",
            ".cert: file /text.pem holds no certificate: it must be PEM, with a block that begins with -----BEGIN CERTIFICATE-----",
            ".key: file /text.pem holds no private key: it must be PEM, such as a block that begins with -----BEGIN PRIVATE KEY-----",
        ],
    );
    check(
        https,
        "{ cert: 'file:/cert.pem', key: 'file:/locked.pem' }",
        &[
            ".key: file /locked.pem holds an encrypted private key, which nobody would be there to decrypt at a start: decrypt it with `openssl pkey`, and keep the file readable to this user alone",
        ],
    );
    check(
        https,
        "{ cert: 'file:/cert.pem' }",
        &[".cert: `key` is missing: a certificate is shown by whoever holds its private key"],
    );
    check(
        https,
        "{ key: 'file:/key.pem' }",
        &[".key: `cert` is missing: write the certificate that this key belongs to"],
    );
    check(
        https,
        "{ ca: '/cert.pem' }",
        &[".ca: is not where PEM stands: write file:/path"],
    );
    check(
        "http://localhost/v1",
        "{ ca: 'file:/cert.pem' }",
        &[": there is no TLS over http: write `base_url: https://…`, or remove this"],
    );
}

#[test]
fn a_certificate_that_cannot_be_read_is_told() {
    for file in ["/broken.pem", "/odd.pem"] {
        let text = format!(
            "providers:\n  p: {{ protocol: openai, base_url: 'https://localhost', tls: {{ ca: 'file:{file}' }} }}\n"
        );
        let files = [
            ("/broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n"),
            (
                "/odd.pem",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            ),
        ];
        let problems = load_with(&text, &[], &files).unwrap_err().to_string();
        assert!(
            problems.contains(&format!("providers.p.tls.ca: file {file}")),
            "{problems}"
        );
    }
}

#[test]
fn a_rotated_certificate_is_the_same_configuration_and_another_connection() {
    let load = |ca: &Pems, shown: &Pems| {
        let text = "providers:\n  p: { protocol: openai, base_url: 'https://localhost', tls: { ca: 'file:/ca', cert: 'file:/cert', key: 'file:/key' } }\n";
        let files = [
            ("/ca", &*ca.cert),
            ("/cert", &shown.cert),
            ("/key", &shown.key),
        ];
        let snapshot = load_with(text, &[], &files).unwrap().snapshot;
        let id = snapshot.providers[0].peer.id;
        (snapshot.hash, id)
    };
    let (a, b) = (pems(), pems());
    let (first, rotated, other_ca) = (load(&a, &a), load(&a, &b), load(&b, &a));
    assert_eq!(first, load(&a, &a));
    assert_eq!(first.0, rotated.0);
    assert_ne!(first.1, rotated.1);
    assert_ne!(first.0, other_ca.0);
    assert_ne!(first.1, other_ca.1);
}

/// The problems of a provider with this `proxy` and these variables, and the proxy that it has.
fn proxied(proxy: &str, env: &[(&str, &str)]) -> Result<Option<String>, String> {
    let text = format!(
        "providers:\n  p: {{ protocol: openai, base_url: 'https://api.example.com'{proxy} }}\n"
    );
    let loaded = load_with(&text, env, &[("/proxy", "http://u:secret@10.0.0.1:3128\n")]);
    match loaded {
        Ok(loaded) => {
            let shown = format!("{:?}", loaded.snapshot);
            assert!(!shown.contains("secret"));
            let proxy = loaded.snapshot.providers[0].peer.proxy.clone();
            Ok(proxy.map(|p| p.place.to_string()))
        }
        Err(problems) => {
            let text = problems.to_string();
            assert!(!text.contains("secret"), "{text}");
            Err(text.split_once(": providers.p").unwrap().1.to_owned())
        }
    }
}

#[test]
fn a_proxy_is_the_providers_own_or_the_environments() {
    let at = |url: &str| Ok(Some(url.to_owned()));
    let env = [("HTTPS_PROXY", "http://u:secret@env:1")];
    assert_eq!(proxied("", &[]), Ok(None));
    assert_eq!(proxied("", &env), at("http://env:1"));
    assert_eq!(proxied(", proxy: off", &env), Ok(None));
    assert_eq!(proxied(", proxy: 'http://own:2'", &env), at("http://own:2"));
    assert_eq!(
        proxied(", proxy: 'file:/proxy'", &env),
        at("http://10.0.0.1:3128")
    );
    assert_eq!(
        proxied(", proxy: '${MINE}'", &[("MINE", "u:secret@mine:4")]),
        at("http://mine:4")
    );
}

#[test]
fn a_proxy_that_cannot_be_used_is_a_problem_and_never_passed_by() {
    let told = proxied("", &[("HTTPS_PROXY", "socks5://u:secret@env:1")]).unwrap_err();
    let expect = ": environment variable HTTPS_PROXY: a proxy is spoken to over http://";
    assert!(
        told.starts_with(expect) && told.contains("`proxy: off`"),
        "{told}"
    );
    let told = proxied(", proxy: 'http://u:secret@own:2'", &[]).unwrap_err();
    assert!(
        told.starts_with(".proxy: a password doesn't belong in this file"),
        "{told}"
    );
    let told = proxied(", proxy: 'http://169.254.169.254'", &[]).unwrap_err();
    assert!(told.contains("cloud metadata"), "{told}");
    let told = proxied(", proxy: '${GONE}'", &[]).unwrap_err();
    assert!(told.contains("GONE is not set"), "{told}");
}

#[test]
fn a_pool_has_defaults_and_numbers_that_fit() {
    let load = |pool: &str| {
        let text = format!(
            "providers:\n  p: {{ protocol: openai, base_url: 'http://localhost', pool: {{ {pool} }} }}\n"
        );
        load_with(&text, &[], &[])
    };
    let usual = load("").unwrap().snapshot.providers[0].peer.pool;
    assert_eq!(usual, lintel_config::peer::PoolSettings::default());
    let set = load("warm: 2, keep: 9, idle: 5s, max_age: 1m").unwrap();
    let set = set.snapshot.providers[0].peer.pool;
    assert_eq!((set.warm, set.keep), (2, 9));
    assert_eq!((set.idle.as_secs(), set.max_age.as_secs()), (5, 60));
    for (pool, expect) in [
        (
            "warm: 2, keep: 1",
            "pool.warm: 2 can't be kept open where `keep` allows 1",
        ),
        ("idle: 0s", "pool.idle: must be longer than nothing"),
        ("max_age: 0ms", "pool.max_age: must be longer than nothing"),
        ("idle: soon", "pool.idle: `soon` is not a length of time"),
        ("warm: 1000", "pool.warm: "),
    ] {
        let problems = load(pool).unwrap_err().to_string();
        assert!(problems.contains(expect), "{pool}: {problems}");
    }
}

#[test]
fn what_a_provider_is_shown_is_watched_and_its_dates_are_told() {
    let pems = pems();
    let text = "providers:\n  p: { protocol: openai, base_url: 'https://localhost', tls: { ca: 'file:/ca', cert: 'file:/cert', key: 'file:/key' } }\n";
    let files = [
        ("/ca", &*pems.cert),
        ("/cert", &pems.cert),
        ("/key", &pems.key),
    ];
    let snapshot = load_with(text, &[], &files).unwrap().snapshot;
    let watched = snapshot.certificate_files();
    for (file, _) in files {
        assert!(
            watched
                .iter()
                .any(|path| path == std::path::Path::new(file)),
            "{file}"
        );
    }
    let at = |years: i64| lintel_types::Timestamp::from_micros(years * 365 * 86_400 * 1_000_000);
    assert_eq!(snapshot.expiring(at(2025 - 1970)), []);
    let told = snapshot.expiring(at(5000 - 1970));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].path, "providers.p.tls.cert");
    assert!(
        told[0].message.contains("has expired"),
        "{}",
        told[0].message
    );
}
