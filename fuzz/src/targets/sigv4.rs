//! Signatures of AWS: whatever is signed, the same thing gives the same signature, and no other does.

use lintel_wire::percent;
use lintel_wire::sigv4::{Keys, Signing, ToSign, payload_hash, sign};

use crate::corpus::Part;
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "sigv4",
    laws: "signing never fails on a path that we write; order and case of what is equal don't tell; a change of path, query or body does; the secret stands nowhere",
    run,
    seeds: Part::None,
    words: &[
        "%2F",
        "/model/",
        "/converse",
        "?",
        "&a=b",
        "=",
        " ",
        "%",
        "\u{e9}",
        "a=1&a=2",
        "&&",
    ],
};

const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";

fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (model, query) = text.split_once('?').unwrap_or((&text, ""));
    let path = format!("/model/{}/converse", percent::segment(model));
    let mut members = String::new();
    for member in query.split('&').take(8) {
        let (name, value) = member.split_once('=').unwrap_or((member, ""));
        members.push_str(&format!(
            "{}{}={}",
            if members.is_empty() { "" } else { "&" },
            percent::segment(name),
            percent::segment(value)
        ));
    }
    let payload = payload_hash([data]);
    let halves = data.split_at(data.len() / 2);
    assert_eq!(payload, payload_hash([halves.0, halves.1]), "pieces tell");
    let first = signature(&path, &members, &payload);
    assert_eq!(first, signature(&path, &members, &payload));
    assert_ne!(
        first,
        signature(&format!("{path}-"), &members, &payload),
        "the path does not tell"
    );
    assert_ne!(
        first,
        signature(&path, &format!("{members}&zz=1"), &payload),
        "the query does not tell"
    );
    assert_ne!(
        first,
        signature(&path, &members, &payload_hash([data, b"x"])),
        "the body does not tell"
    );
    let mut turned: Vec<&str> = members.split('&').collect();
    turned.reverse();
    assert_eq!(
        first,
        signature(&path, &turned.join("&"), &payload),
        "the order of the query tells"
    );
}

fn signature(path: &str, query: &str, payload: &str) -> String {
    let keys = Keys {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: SECRET.into(),
        session_token: None,
    };
    let signing = Signing {
        region: "us-east-1",
        service: "bedrock",
        now: 1_440_938_160,
    };
    let request = ToSign {
        method: "POST",
        host: "bedrock-runtime.us-east-1.amazonaws.com",
        path,
        query,
        headers: &[("content-type", "application/json")],
        payload,
    };
    let headers = sign(&request, &keys, &signing).unwrap_or_else(|e| panic!("{path}: {e}"));
    let (_, value) = headers.last().unwrap();
    let text = value.to_str().unwrap();
    assert!(!text.contains(SECRET) && value.is_sensitive());
    let hex = text.rsplit_once("Signature=").unwrap().1;
    assert!(hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    text.to_owned()
}
