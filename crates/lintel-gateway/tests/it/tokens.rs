//! Tokens of a service account: fetched once, shared, asked for again only as often as it helps.

use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lintel_config::{Credential, Peer, Provider, Reach, ServiceAccount};
use lintel_types::{FailureClass, Phase};
use serde_json::{Value, json};

use crate::plane::{Plane, load};
use crate::server::{ANSWER, Seen, Server};

/// A service account whose key is made for this run. Needs the `openssl` command: the libraries in the tree sign
/// with RSA keys, but make none.
fn account(tokens: &Server) -> ServiceAccount {
    static KEY: LazyLock<String> = LazyLock::new(|| {
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
        String::from_utf8(made.stdout).unwrap()
    });
    let file = json!({
        "type": "service_account", "private_key_id": "k1", "private_key": *KEY,
        "client_email": "lintel@acme.example", "token_uri": format!("http://{}/token", tokens.address),
    });
    ServiceAccount::parse(&file.to_string()).unwrap()
}

/// A plane whose provider is called with tokens from `tokens`.
fn plane(tokens: &Server, provider: &Server) -> Plane {
    let mut snapshot = load(&format!(
        "listen: 127.0.0.1:0\nproviders:\n  up: {{ protocol: openai, base_url: 'http://{}/v1' }}\nprices: {{ unknown_model: allow_unpriced }}\n",
        provider.address
    ));
    let account = account(tokens);
    let place = account.token_uri.clone();
    let peer = Peer::new(&Arc::from("up"), place, Reach::default());
    let changed = Provider {
        credential: Some(Credential::ServiceAccount(account)),
        tokens: Some(Arc::new(peer)),
        ..Provider::clone(&snapshot.providers[0])
    };
    snapshot.providers[0] = Arc::new(changed);
    Plane::with(snapshot, None)
}

fn good() -> Server {
    Server::start(|_, _| (200, ANSWER.to_owned()))
}

fn token(n: usize) -> (u16, String) {
    (
        200,
        json!({ "access_token": format!("ya29.{n}"), "expires_in": 3600, "token_type": "Bearer" })
            .to_string(),
    )
}

#[test]
fn one_token_serves_many_calls() {
    let (tokens, provider) = (Server::start(|n, _| token(n)), good());
    let plane = plane(&tokens, &provider);
    for _ in 0..3 {
        assert!(plane.call("up/m", false).contains("200 OK"));
    }
    assert_eq!(tokens.seen().len(), 1);
    for seen in provider.seen() {
        assert_eq!(seen.header("authorization"), "Bearer ya29.1");
    }
    plane.rows(3);
}

#[test]
fn calls_at_once_share_one_exchange() {
    let tokens = Server::start(|n, _| {
        std::thread::sleep(Duration::from_millis(300));
        token(n)
    });
    let provider = good();
    let plane = plane(&tokens, &provider);
    let calls: Vec<_> = (0..8).map(|_| plane.send("up/m", false)).collect();
    for mut call in calls {
        let mut answer = String::new();
        let _ = std::io::Read::read_to_string(&mut call, &mut answer);
        assert!(answer.contains("200 OK"), "{answer}");
    }
    assert_eq!(tokens.seen().len(), 1);
    plane.rows(8);
}

#[test]
fn the_assertion_is_what_was_asked_for_and_signed() {
    let (tokens, provider) = (Server::start(|n, _| token(n)), good());
    let plane = plane(&tokens, &provider);
    assert!(plane.call("up/m", false).contains("200 OK"));
    let seen: Seen = tokens.seen().remove(0);
    assert_eq!(seen.line, "POST /token HTTP/1.1");
    assert_eq!(
        seen.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(seen.header("host"), tokens.address.to_string());
    let jwt = seen
        .body
        .strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
        .unwrap();
    let parts: Vec<&str> = jwt.split('.').collect();
    let part = |i: usize| URL_SAFE_NO_PAD.decode(parts[i]).unwrap();
    let json = |i: usize| serde_json::from_slice::<Value>(&part(i)).unwrap();
    assert_eq!(
        json(0),
        json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" })
    );
    let claims = json(1);
    let uri = format!("http://{}/token", tokens.address);
    assert_eq!(claims["iss"], "lintel@acme.example");
    assert_eq!(claims["aud"], uri);
    assert_eq!(
        claims["scope"],
        "https://www.googleapis.com/auth/cloud-platform"
    );
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let issued = claims["iat"].as_u64().unwrap();
    assert!(now.abs_diff(issued) < 60);
    assert_eq!(claims["exp"].as_u64(), Some(issued + 3_600));
    let account = account(&tokens);
    let key = ring::signature::UnparsedPublicKey::new(
        &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        account.public_key(),
    );
    let signed = format!("{}.{}", parts[0], parts[1]);
    assert!(key.verify(signed.as_bytes(), &part(2)).is_ok());
    plane.rows(1);
}

#[test]
fn a_refused_exchange_fails_the_call_and_is_not_repeated_at_once() {
    let tokens = Server::start(|_, _| {
        let text = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
        (400, text.to_owned())
    });
    let provider = good();
    let plane = plane(&tokens, &provider);
    for _ in 0..2 {
        let answer = plane.call("up/m", false);
        assert!(
            answer.contains("502 ")
                && answer.contains("upstream_credential")
                && answer.contains("service account"),
            "{answer}"
        );
        assert!(!answer.contains("invalid_grant"), "the cause is the log's");
    }
    assert_eq!(tokens.seen().len(), 1);
    assert_eq!(provider.seen().len(), 0);
    for row in plane.rows(2) {
        let attempt = &row.attempts[0];
        assert_eq!(
            (attempt.class, attempt.phase, row.cost.nanos()),
            (Some(FailureClass::Credential), Some(Phase::BeforeSend), 0)
        );
    }
}

#[test]
fn an_exchange_that_fails_in_passing_is_repeated_within_the_call() {
    let tokens = Server::start(|n, _| match n {
        1 => (503, "{}".to_owned()),
        n => token(n),
    });
    let provider = good();
    let plane = plane(&tokens, &provider);
    assert!(plane.call("up/m", false).contains("200 OK"));
    assert_eq!(tokens.seen().len(), 2);
    assert_eq!(provider.seen()[0].header("authorization"), "Bearer ya29.2");
    plane.rows(1);
}
