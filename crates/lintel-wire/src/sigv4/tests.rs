//! Against the published `aws4_testsuite`: <https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html>

use super::*;

const NOW: i64 = 1_440_938_160; // 2015-08-30 12:36:00 UTC
const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

fn keys(token: Option<&str>) -> Keys {
    Keys {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: token.map(str::to_owned),
    }
}

struct Case<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
    token: Option<&'a str>,
}

const GET: Case<'_> = Case {
    method: "GET",
    path: "/",
    query: "",
    headers: &[],
    body: "",
    token: None,
};

fn check(case: &Case<'_>, signed: &str, signature: &str) {
    let payload = payload_hash([case.body.as_bytes()]);
    let request = ToSign {
        method: case.method,
        host: "example.amazonaws.com",
        path: case.path,
        query: case.query,
        headers: case.headers,
        payload: &payload,
    };
    let signing = Signing {
        region: "us-east-1",
        service: "service",
        now: NOW,
    };
    let headers = sign(&request, &keys(case.token), &signing).unwrap();
    let wanted = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, Signature={signature}"
    );
    let (name, authorization) = headers.last().unwrap();
    assert_eq!(
        (name, authorization.to_str().unwrap()),
        (&AUTHORIZATION, &*wanted),
        "{}",
        case.path
    );
    assert!(headers.iter().all(|(_, v)| v.is_sensitive()));
    assert_eq!(headers[0].1, "20150830T123600Z");
    assert_eq!(headers.len(), if case.token.is_some() { 3 } else { 2 });
}

#[test]
fn vanilla_requests() {
    check(
        &GET,
        "host;x-amz-date",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    );
    check(
        &Case {
            method: "POST",
            ..GET
        },
        "host;x-amz-date",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    );
}

#[test]
fn a_session_token_is_signed() {
    check(
        &Case {
            method: "POST",
            token: Some(TOKEN),
            ..GET
        },
        "host;x-amz-date;x-amz-security-token",
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    );
}

#[test]
fn paths_and_queries_are_encoded_and_sorted() {
    check(
        &Case {
            path: "/\u{1234}",
            ..GET
        },
        "host;x-amz-date",
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    );
    check(
        &Case {
            path: "/example space/",
            ..GET
        },
        "host;x-amz-date",
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    );
    check(
        &Case {
            query: "Param2=value2&Param1=value1",
            ..GET
        },
        "host;x-amz-date",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    );
    check(
        &Case {
            query: "\u{1234}=bar",
            ..GET
        },
        "host;x-amz-date",
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    );
}

#[test]
fn further_headers_are_signed_with_their_spaces_folded() {
    check(
        &Case {
            headers: &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            ..GET
        },
        "host;my-header1;my-header2;x-amz-date",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    );
    check(
        &Case {
            method: "POST",
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: "Param1=value1",
            ..GET
        },
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    );
}

#[test]
fn what_is_encoded_in_a_models_path_is_encoded_again() {
    let request = ToSign {
        method: "POST",
        host: "h",
        path: "/model/amazon.nova-lite-v1%3A0/converse",
        query: "",
        headers: &[],
        payload: "",
    };
    let (text, _) = canonical::request(&request, "t", None);
    assert_eq!(
        text.lines().nth(1),
        Some("/model/amazon.nova-lite-v1%253A0/converse")
    );
}

#[test]
fn secrets_do_not_show_and_pieces_hash_as_one() {
    assert_eq!(format!("{:?}", keys(Some("t"))), "Keys(…)");
    let pieces: [&[u8]; 3] = [b"a", b"", b"bc"];
    assert_eq!(payload_hash(pieces), payload_hash([&b"abc"[..]]));
    let broken = Keys {
        session_token: Some("a\nb".into()),
        ..keys(None)
    };
    let request = ToSign {
        method: "GET",
        host: "h",
        path: "/",
        query: "",
        headers: &[],
        payload: "",
    };
    let signing = Signing {
        region: "r",
        service: "s",
        now: 0,
    };
    assert!(sign(&request, &broken, &signing).is_err());
}
