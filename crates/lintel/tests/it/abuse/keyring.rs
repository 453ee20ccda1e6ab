//! Keys in every state, and what is wrong with a request's key: each state in each place where a key may stand.

use super::requests::{Fault, MODEL, answer};
use crate::harness::{Door, Request, Stage, Tongue, until};

/// A key in each state.
pub(super) struct Keyring {
    pub(super) good: String,
    /// A second good one.
    other: String,
    /// One that may call routes alone.
    pub(super) narrow: String,
    expired: String,
    revoked: String,
    disabled: String,
}

impl Keyring {
    pub(super) fn of(stage: &Stage) -> Keyring {
        let key = |more: &[&str]| stage.lintel.key(more);
        let expired = key(&["--direct", "--expires", "1s"]);
        let (revoked, disabled) = (key(&["--direct"]), key(&["--direct"]));
        stage.lintel.cli(&["key", "revoke", &revoked.id]);
        stage.lintel.cli(&["key", "disable", &disabled.id]);
        until("the key to expire", || {
            let door = Door::called("models");
            stage
                .connect()
                .call(&door.request(&expired.secret, ""))
                .status
                == 401
        });
        Keyring {
            good: key(&["--direct"]).secret,
            other: key(&["--direct"]).secret,
            narrow: key(&[]).secret,
            expired: expired.secret,
            revoked: revoked.secret,
            disabled: disabled.secret,
        }
    }

    /// Keys of nobody, for tables.
    pub(super) fn sample() -> Keyring {
        let key = |n: &str| format!("lk_{}", n.repeat(43));
        Keyring {
            good: key("a"),
            other: key("b"),
            narrow: key("c"),
            expired: key("d"),
            revoked: key("e"),
            disabled: key("f"),
        }
    }

    pub(super) fn all(&self) -> [&str; 6] {
        [
            &self.good,
            &self.other,
            &self.narrow,
            &self.expired,
            &self.revoked,
            &self.disabled,
        ]
    }
}

/// A request with a body and no key.
fn unkeyed(door: &Door) -> Request {
    let request = door.bare(MODEL);
    if door.has_body() {
        request.body(door.body_for(MODEL))
    } else {
        request
    }
}

/// With a header.
fn with(door: &Door, name: &str, value: &str) -> Option<Request> {
    Some(unkeyed(door).header(name, value))
}

/// With `key` in the query, which Gemini's doors take.
fn in_query(door: &Door, query: &str) -> Option<Request> {
    (door.tongue == Tongue::Gemini).then(|| unkeyed(door).query(query))
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

fn signed(key: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20150830/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=5f"
    )
}

const UNKNOWN: &str = "lk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const fn key(
    name: &'static str,
    code: &'static str,
    make: fn(&Door, &Keyring) -> Option<Request>,
) -> Fault {
    Fault {
        name,
        make,
        answer: answer(401, code),
        of_body: false,
    }
}

/// The states of a key in one place.
macro_rules! states {
    ($place:literal, $with:expr) => {
        &[
            key(
                concat!("an empty key in ", $place),
                "invalid_api_key",
                |d, _| $with(d, ""),
            ),
            key(
                concat!("an unknown key in ", $place),
                "invalid_api_key",
                |d, _| $with(d, UNKNOWN),
            ),
            key(
                concat!("another provider's key in ", $place),
                "invalid_api_key",
                |d, _| $with(d, "sk-proj-0123456789abcdef"),
            ),
            key(
                concat!("an expired key in ", $place),
                "expired_key",
                |d, k| $with(d, &k.expired),
            ),
            key(
                concat!("a revoked key in ", $place),
                "revoked_key",
                |d, k| $with(d, &k.revoked),
            ),
            key(
                concat!("a disabled key in ", $place),
                "disabled_key",
                |d, k| $with(d, &k.disabled),
            ),
            key(
                concat!("a key cut short in ", $place),
                "invalid_api_key",
                |d, k| $with(d, &k.good[..20]),
            ),
            key(
                concat!("an endless key in ", $place),
                "invalid_api_key",
                |d, k| $with(d, &k.good.repeat(20)),
            ),
        ]
    };
}

const IN_BEARER: &[Fault] = states!("`authorization: Bearer`", |d: &Door, k: &str| with(
    d,
    "authorization",
    &bearer(k)
));
const IN_X_API_KEY: &[Fault] = states!("`x-api-key`", |d: &Door, k: &str| with(d, "x-api-key", k));
const IN_API_KEY: &[Fault] = states!("`api-key`", |d: &Door, k: &str| with(d, "api-key", k));
const IN_GOOG: &[Fault] = states!("`x-goog-api-key`", |d: &Door, k: &str| with(
    d,
    "x-goog-api-key",
    k
));
const IN_SIGNATURE: &[Fault] = states!("an AWS signature", |d: &Door, k: &str| with(
    d,
    "authorization",
    &signed(k)
));
const IN_QUERY: &[Fault] = states!("`?key=`", |d: &Door, k: &str| in_query(
    d,
    &format!("key={k}")
));

/// Keys that contradict each other, and what is no key at all.
const MIXED: &[Fault] = &[
    key("no key", "missing_api_key", |d, _| Some(unkeyed(d))),
    key("a key in a cookie", "missing_api_key", |d, k| {
        with(d, "cookie", &format!("key={}", k.good))
    }),
    key("`authorization: Basic`", "invalid_api_key", |d, _| {
        with(d, "authorization", "Basic dXNlcjpwYXNz")
    }),
    key(
        "`authorization` without a scheme",
        "invalid_api_key",
        |d, k| with(d, "authorization", &k.good),
    ),
    key(
        "`authorization: Bearer` and nothing",
        "invalid_api_key",
        |d, _| with(d, "authorization", "Bearer"),
    ),
    key("a key with a space in it", "invalid_api_key", |d, k| {
        with(
            d,
            "authorization",
            &format!("Bearer {} {}", &k.good[..9], &k.good[9..]),
        )
    }),
    key("a key with bytes over 127", "invalid_api_key", |d, k| {
        with(d, "x-api-key", &format!("{}\u{e9}", k.good))
    }),
    key("two keys in two headers", "conflicting_keys", |d, k| {
        with(d, "x-api-key", &k.good).map(|r| r.header("authorization", &bearer(&k.other)))
    }),
    key(
        "two keys in one header, twice",
        "conflicting_keys",
        |d, k| with(d, "x-api-key", &k.good).map(|r| r.header("x-api-key", &k.other)),
    ),
    key(
        "two keys in `authorization`, twice",
        "conflicting_keys",
        |d, k| {
            with(d, "authorization", &bearer(&k.good))
                .map(|r| r.header("authorization", &bearer(&k.other)))
        },
    ),
    key(
        "a good key and an unknown one",
        "conflicting_keys",
        |d, k| with(d, "api-key", &k.good).map(|r| r.header("x-goog-api-key", UNKNOWN)),
    ),
    key(
        "two keys, in the query and in a header",
        "conflicting_keys",
        |d, k| {
            in_query(d, &format!("key={}", k.good)).map(|r| r.header("x-goog-api-key", &k.other))
        },
    ),
    key("two keys in the query", "conflicting_keys", |d, k| {
        in_query(d, &format!("key={}&key={}", k.good, k.other))
    }),
];

/// Every fault of a key.
pub(super) fn keys() -> impl Iterator<Item = &'static Fault> {
    [
        MIXED,
        IN_BEARER,
        IN_X_API_KEY,
        IN_API_KEY,
        IN_GOOG,
        IN_SIGNATURE,
        IN_QUERY,
    ]
    .into_iter()
    .flatten()
}
