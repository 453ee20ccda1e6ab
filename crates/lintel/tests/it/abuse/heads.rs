//! What is wrong with a request's line and headers, the key aside.

use super::keyring::Keyring;
use super::requests::{Fault, MODEL, answer};
use crate::harness::{Door, Request, Tongue};

type Make = fn(&Door, &Keyring) -> Option<Request>;

const fn head(name: &'static str, status: u16, code: &'static str, make: Make) -> Fault {
    Fault {
        name,
        make,
        answer: answer(status, code),
        of_body: false,
    }
}

fn good(d: &Door, k: &Keyring) -> Request {
    d.request(&k.good, MODEL)
}

/// With another content type.
fn kind(d: &Door, k: &Keyring, value: &str) -> Option<Request> {
    d.has_body().then(|| {
        good(d, k)
            .without("content-type")
            .header("content-type", value)
    })
}

/// With an encoding.
fn coded(d: &Door, k: &Keyring, value: &str) -> Option<Request> {
    d.has_body()
        .then(|| good(d, k).header("content-encoding", value))
}

/// At the door's path, edited.
fn path(d: &Door, k: &Keyring, edit: impl FnOnce(&str) -> String) -> Option<Request> {
    Some(good(d, k).target(&edit(&d.path_for(MODEL))))
}

/// The model in the path, as written.
fn named(d: &Door, k: &Keyring, model: &str) -> Option<Request> {
    let in_path = matches!(d.tongue, Tongue::Gemini | Tongue::Bedrock);
    in_path.then(|| good(d, k).target(&d.path.replace("{model}", model)))
}

/// Every fault of a head.
pub(super) const HEADS: &[Fault] = &[
    head(
        "`content-type: text/plain`",
        415,
        "unsupported_media_type",
        |d, k| kind(d, k, "text/plain"),
    ),
    head(
        "a form's content type",
        415,
        "unsupported_media_type",
        |d, k| kind(d, k, "application/x-www-form-urlencoded"),
    ),
    head(
        "a multipart content type",
        415,
        "unsupported_media_type",
        |d, k| kind(d, k, "multipart/form-data; boundary=x"),
    ),
    head(
        "`application/jsonx`",
        415,
        "unsupported_media_type",
        |d, k| kind(d, k, "application/jsonx"),
    ),
    head(
        "a content type that is none",
        415,
        "unsupported_media_type",
        |d, k| kind(d, k, ";;=,"),
    ),
    head(
        "`content-encoding: gzip`",
        415,
        "unsupported_encoding",
        |d, k| coded(d, k, "gzip"),
    ),
    head(
        "`content-encoding: deflate`",
        415,
        "unsupported_encoding",
        |d, k| coded(d, k, "deflate"),
    ),
    head(
        "`content-encoding: br`",
        415,
        "unsupported_encoding",
        |d, k| coded(d, k, "br"),
    ),
    head(
        "`content-encoding: zstd`",
        415,
        "unsupported_encoding",
        |d, k| coded(d, k, "zstd"),
    ),
    head(
        "`content-encoding: identity, gzip`",
        415,
        "unsupported_encoding",
        |d, k| coded(d, k, "identity, gzip"),
    ),
    head(
        "`content-encoding` twice, `identity` first",
        415,
        "unsupported_encoding",
        |d, k| coded(d, k, "identity").map(|r| r.header("content-encoding", "gzip")),
    ),
    head(
        "an unknown encoding",
        415,
        "unsupported_encoding",
        |d, k| coded(d, k, "rot13"),
    ),
    head("`content-encoding: identity`", 200, "", |d, k| {
        coded(d, k, "identity")
    }),
    head("GET where it is POST", 405, "method_not_allowed", |d, k| {
        d.has_body().then(|| good(d, k).method("GET"))
    }),
    head("PUT", 405, "method_not_allowed", |d, k| {
        Some(good(d, k).method("PUT"))
    }),
    head("PATCH", 405, "method_not_allowed", |d, k| {
        Some(good(d, k).method("PATCH"))
    }),
    head("OPTIONS", 405, "method_not_allowed", |d, k| {
        Some(good(d, k).method("OPTIONS"))
    }),
    head("TRACE", 405, "method_not_allowed", |d, k| {
        Some(good(d, k).method("TRACE"))
    }),
    head(
        "a method that nobody knows",
        405,
        "method_not_allowed",
        |d, k| Some(good(d, k).method("BREW")),
    ),
    head(
        "a method in lower case",
        405,
        "method_not_allowed",
        |d, k| Some(good(d, k).method("post")),
    ),
    head("POST where it is GET", 405, "method_not_allowed", |d, k| {
        (!d.has_body()).then(|| good(d, k).method("POST").body("{}"))
    }),
    head("a slash behind the path", 404, "unknown_path", |d, k| {
        path(d, k, |p| {
            p.replacen(
                p.split('?').next().unwrap(),
                &format!("{}/", p.split('?').next().unwrap()),
                1,
            )
        })
    }),
    head(
        "two slashes before the path",
        404,
        "unknown_path",
        |d, k| path(d, k, |p| format!("/{p}")),
    ),
    head("a dot segment", 404, "unknown_path", |d, k| {
        path(d, k, |p| format!("/.{p}"))
    }),
    head("a way up and back", 404, "unknown_path", |d, k| {
        path(d, k, |p| format!("/v1/..{p}"))
    }),
    head("an encoded way up", 404, "unknown_path", |d, k| {
        path(d, k, |p| format!("/v1/%2e%2e{p}"))
    }),
    head("the path in upper case", 404, "unknown_path", |d, k| {
        path(d, k, str::to_uppercase)
    }),
    head(
        "a letter of the path encoded",
        404,
        "unknown_path",
        |d, k| {
            path(d, k, |p| {
                p.replacen("/v1", "/%761", 1)
                    .replacen("/model/", "/%6dodel/", 1)
            })
        },
    ),
    head(
        "an encoded slash in the path",
        404,
        "unknown_path",
        |d, k| path(d, k, |p| format!("/%2F{}", &p[1..])),
    ),
    head("a NUL in the path", 404, "unknown_path", |d, k| {
        path(d, k, |p| format!("/%00{p}"))
    }),
    head("a parameter in the path", 404, "unknown_path", |d, k| {
        path(d, k, |p| format!("/;a=b{p}"))
    }),
    head("`*`", 404, "unknown_path", |d, k| {
        Some(good(d, k).target("*"))
    }),
    head(
        "a model in the path that is no encoding",
        404,
        "unknown_path",
        |d, k| named(d, k, "%zz"),
    ),
    head(
        "a model in the path that is no UTF-8",
        404,
        "unknown_path",
        |d, k| named(d, k, "%ff%fe"),
    ),
    head("no model in the path", 404, "unknown_path", |d, k| {
        named(d, k, "")
    }),
    head(
        "a NUL as model in the path",
        404,
        "model_not_found",
        |d, k| named(d, k, "%00"),
    ),
    head(
        "a way up as model in the path",
        404,
        "model_not_found",
        |d, k| named(d, k, "%2e%2e%2f%2e%2e"),
    ),
    head(
        "a line feed in the path's model",
        404,
        "model_not_found",
        |d, k| named(d, k, "up%0d%0aset-cookie:x"),
    ),
    head(
        "a model in the path, encoded twice",
        404,
        "model_not_found",
        |d, k| named(d, k, "up%252Fm"),
    ),
    head("a deadline that is none", 400, "invalid_header", |d, k| {
        d.has_body()
            .then(|| good(d, k).header("x-lintel-deadline", "soon"))
    }),
    head(
        "a feature that is too long",
        400,
        "invalid_header",
        |d, k| {
            d.has_body()
                .then(|| good(d, k).header("x-lintel-feature", &"f".repeat(129)))
        },
    ),
    head(
        "a user with bytes over 127",
        400,
        "invalid_header",
        |d, k| {
            d.has_body()
                .then(|| good(d, k).header("x-lintel-user", "h\u{e9}"))
        },
    ),
    head("a broken `traceparent`", 200, "", |d, k| {
        d.has_body()
            .then(|| good(d, k).header("traceparent", "00-zz-zz-zz"))
    }),
];
