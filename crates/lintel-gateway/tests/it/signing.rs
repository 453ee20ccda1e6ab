//! AWS signatures of what goes out, recomputed by the server from what came in.

use std::sync::Arc;
use std::time::SystemTime;

use lintel_config::{Credential, Provider};
use lintel_types::Timestamp;
use lintel_types::time::civil_from_days;
use lintel_wire::sigv4::Keys;
use ring::digest::{SHA256, digest};
use ring::hmac;

use crate::plane::{Plane, load};
use crate::server::{Seen, Server};

const ANSWER: &str = r#"{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The `authorization` that a request must have, by AWS's description of Signature Version 4.
fn expected(seen: &Seen) -> String {
    let stamp = seen.header("x-amz-date");
    let names = ["content-type", "host", "x-amz-date", "x-amz-security-token"];
    let fields: String = names
        .iter()
        .map(|name| format!("{name}:{}\n", seen.header(name)))
        .collect();
    let path = seen.line.split(' ').nth(1).unwrap();
    let canonical = format!(
        "POST\n{path}\n\n{fields}\n{}\n{}",
        names.join(";"),
        hex(digest(&SHA256, seen.body.as_bytes()).as_ref())
    );
    let day = &stamp[..8];
    let scope = format!("{day}/eu-central-1/bedrock/aws4_request");
    let hash = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hash}");
    let with = |key: &[u8], text: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    };
    let mut key = b"AWS4s3cret".to_vec();
    for word in [day, "eu-central-1", "bedrock", "aws4_request"] {
        key = with(&key, word);
    }
    format!(
        "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/{scope}, SignedHeaders={}, Signature={}",
        names.join(";"),
        hex(&with(&key, &text))
    )
}

#[test]
fn what_goes_out_is_signed() {
    let server = Server::start(|_, _| (200, ANSWER.to_owned()));
    let mut snapshot = load(&format!(
        "listen: 127.0.0.1:0\nproviders:\n  up: {{ protocol: openai, base_url: 'http://{}/v1' }}\nprices: {{ unknown_model: allow_unpriced }}\n",
        server.address
    ));
    let changed = Provider {
        credential: Some(Credential::Aws(Keys {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: "s3cret".into(),
            session_token: Some("session".into()),
        })),
        region: Some("eu-central-1".into()),
        ..Provider::clone(&snapshot.providers[0])
    };
    snapshot.providers[0] = Arc::new(changed);
    let plane = Plane::with(snapshot, None);
    for stream in [false, true] {
        assert!(plane.call("up/m", stream).contains("200 OK"));
    }
    for seen in server.seen() {
        assert_eq!(seen.header("authorization"), expected(&seen));
        assert_eq!(seen.header("x-amz-security-token"), "session");
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let today = |seconds: u64| {
            let days = Timestamp::from_millis((seconds * 1_000).try_into().unwrap()).as_micros();
            let (y, m, d) = civil_from_days(days.div_euclid(86_400_000_000));
            format!("{y:04}{m:02}{d:02}")
        };
        // A minute either way: the day may end while the test runs.
        let day = &seen.header("x-amz-date")[..8];
        assert!([today(now - 60), today(now)].contains(&day.to_owned()));
    }
    plane.rows(2);
}
