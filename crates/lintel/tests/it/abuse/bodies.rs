//! What is wrong with a body.

use super::keyring::Keyring;
use super::requests::{CAP, Fault, MODEL, answer};
use crate::harness::{Door, Request};

/// A body that is no acceptable JSON, wherever it comes.
const fn json(name: &'static str, make: fn(&Door, &Keyring) -> Option<Request>) -> Fault {
    Fault {
        name,
        make,
        answer: answer(400, "invalid_json"),
        of_body: true,
    }
}

/// A body whose JSON is good and says something impossible.
const fn field(name: &'static str, make: fn(&Door, &Keyring) -> Option<Request>) -> Fault {
    Fault {
        name,
        make,
        answer: answer(400, "invalid_field"),
        of_body: true,
    }
}

/// What looks wrong and is not: it passes.
const fn passes(name: &'static str, make: fn(&Door, &Keyring) -> Option<Request>) -> Fault {
    Fault {
        name,
        make,
        answer: answer(200, ""),
        of_body: true,
    }
}

const fn other(
    name: &'static str,
    status: u16,
    code: &'static str,
    make: fn(&Door, &Keyring) -> Option<Request>,
) -> Fault {
    Fault {
        name,
        make,
        answer: answer(status, code),
        of_body: true,
    }
}

/// These bytes as the body.
fn raw(d: &Door, k: &Keyring, body: impl AsRef<[u8]>) -> Option<Request> {
    d.has_body().then(|| d.request(&k.good, MODEL).body(body))
}

/// The good body, edited.
fn edit(d: &Door, k: &Keyring, edit: impl FnOnce(&str) -> Vec<u8>) -> Option<Request> {
    d.has_body()
        .then(|| edit(&d.body_for(MODEL)))
        .and_then(|b| raw(d, k, b))
}

/// The good body with one more member, as written.
fn member(d: &Door, k: &Keyring, text: &str) -> Option<Request> {
    member_bytes(d, k, text.as_bytes())
}

fn member_bytes(d: &Door, k: &Keyring, text: &[u8]) -> Option<Request> {
    edit(d, k, |body| {
        [&body.as_bytes()[..body.len() - 1], b",", text, b"}"].concat()
    })
}

/// The good body with its model's value replaced, where it has one.
fn model(d: &Door, k: &Keyring, value: &str) -> Option<Request> {
    let named = format!("\"{MODEL}\"");
    d.names_model_in_body()
        .then(|| edit(d, k, |b| b.replace(&named, value).into()))?
}

/// The good body with what it is about replaced, where that must be an array.
fn content(d: &Door, k: &Keyring, value: &str) -> Option<Request> {
    let key = format!("\"{}\":", d.content);
    (!d.content.is_empty()).then(|| {
        edit(d, k, |b| {
            let from = b.find(&key).unwrap() + key.len();
            let to = b.rfind(']').unwrap() + 1;
            [&b[..from], value, &b[to..]].concat().into()
        })
    })?
}

/// Doors whose body can ask for a stream.
fn streams(d: &Door, k: &Keyring, value: &str) -> Option<Request> {
    let asks = matches!(d.name, "chat" | "responses" | "messages" | "completions");
    if asks {
        member(d, k, &format!("\"stream\":{value}"))
    } else {
        None
    }
}

fn deep(levels: usize) -> String {
    format!("\"x\":{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// Every fault of a body.
pub(super) const BODIES: &[Fault] = &[
    json("no body", |d, k| raw(d, k, "")),
    json("a space", |d, k| raw(d, k, " ")),
    json("`null`", |d, k| raw(d, k, "null")),
    json("a number", |d, k| raw(d, k, "7")),
    json("a string", |d, k| raw(d, k, "\"hello\"")),
    json("an array around it", |d, k| {
        edit(d, k, |b| format!("[{b}]").into())
    }),
    json("cut in a key", |d, k| raw(d, k, "{\"mess")),
    json("cut after a key", |d, k| raw(d, k, "{\"messages\"")),
    json("cut after a colon", |d, k| raw(d, k, "{\"messages\":")),
    json("cut in a string", |d, k| raw(d, k, "{\"x\":\"hel")),
    json("cut in an escape", |d, k| raw(d, k, "{\"x\":\"\\u00")),
    json("cut in a number", |d, k| raw(d, k, "{\"x\":-")),
    json("cut in a word", |d, k| raw(d, k, "{\"x\":tru")),
    json("cut in an array", |d, k| raw(d, k, "{\"x\":[1,")),
    json("cut before its last brace", |d, k| {
        edit(d, k, |b| b[..b.len() - 1].into())
    }),
    json("a comma too many", |d, k| {
        edit(d, k, |b| format!("{},}}", &b[..b.len() - 1]).into())
    }),
    json("a comma too few", |d, k| {
        edit(d, k, |b| format!("{} \"x\":1}}", &b[..b.len() - 1]).into())
    }),
    json("single quotes", |d, k| {
        edit(d, k, |b| b.replace('"', "'").into())
    }),
    json("a key without quotes", |d, k| member(d, k, "x:1")),
    json("a comment", |d, k| {
        edit(d, k, |b| format!("/* hi */{b}").into())
    }),
    json("`NaN`", |d, k| member(d, k, "\"x\":NaN")),
    json("`Infinity`", |d, k| member(d, k, "\"x\":-Infinity")),
    json("a number in hexadecimal", |d, k| member(d, k, "\"x\":0x10")),
    json("a number with a leading zero", |d, k| {
        member(d, k, "\"x\":01")
    }),
    json("a number with a plus", |d, k| member(d, k, "\"x\":+1")),
    json("a number without digits behind its point", |d, k| {
        member(d, k, "\"x\":1.")
    }),
    json("an unknown escape", |d, k| member(d, k, "\"x\":\"\\x41\"")),
    json("a bare line feed in a string", |d, k| {
        member(d, k, "\"x\":\"a\nb\"")
    }),
    json("a NUL in a string", |d, k| member(d, k, "\"x\":\"a\0b\"")),
    json("a NUL between members", |d, k| member(d, k, "\0\"x\":1")),
    json("a NUL after the end", |d, k| {
        edit(d, k, |b| format!("{b}\0").into())
    }),
    json("a byte order mark", |d, k| {
        edit(d, k, |b| format!("\u{feff}{b}").into())
    }),
    json("UTF-16", |d, k| {
        edit(d, k, |b| {
            b.encode_utf16().flat_map(u16::to_le_bytes).collect()
        })
    }),
    json("a broken UTF-8 sequence", |d, k| {
        member_bytes(d, k, b"\"x\":\"\xc3\x28\"")
    }),
    json("overlong UTF-8", |d, k| {
        member_bytes(d, k, b"\"x\":\"\xc0\xaf\"")
    }),
    json("a surrogate in UTF-8", |d, k| {
        member_bytes(d, k, b"\"x\":\"\xed\xa0\x80\"")
    }),
    json("Latin-1", |d, k| member_bytes(d, k, b"\"x\":\"h\xe9\"")),
    json("a second document", |d, k| {
        edit(d, k, |b| format!("{b}{b}").into())
    }),
    json("words after the end", |d, k| {
        edit(d, k, |b| format!("{b} ok").into())
    }),
    json("a key twice", |d, k| member(d, k, "\"x\":1,\"x\":2")),
    json("a key twice, once escaped", |d, k| {
        member(d, k, "\"x\":1,\"\\u0078\":2")
    }),
    json("a key twice, deep inside", |d, k| {
        member(d, k, "\"x\":[{\"y\":{\"z\":1,\"z\":1}}]")
    }),
    json("the model twice", |d, k| {
        model(d, k, "\"up/m\",\"model\":\"up/other\"")
    }),
    json("nested 200 deep", |d, k| member(d, k, &deep(200))),
    json("nested 30,000 deep", |d, k| member(d, k, &deep(30_000))),
    json("nested and never closed", |d, k| {
        raw(d, k, "{\"a\":".repeat(10_000))
    }),
    json("a form", |d, k| raw(d, k, "model=up%2Fm&prompt=hello")),
    json("XML", |d, k| {
        raw(
            d,
            k,
            "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
        )
    }),
    json("gzip that nobody announced", |d, k| {
        raw(
            d,
            k,
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0",
        )
    }),
    field("no model", |d, k| {
        d.names_model_in_body()
            .then(|| edit(d, k, |b| b.replacen("\"model\":\"up/m\",", "", 1).into()))?
    }),
    field("a model that is a number", |d, k| model(d, k, "7")),
    field("a model that is `null`", |d, k| model(d, k, "null")),
    field("a model that is an array", |d, k| model(d, k, "[\"up/m\"]")),
    field("a model that is an object", |d, k| {
        model(d, k, "{\"id\":\"up/m\"}")
    }),
    field("an empty model", |d, k| model(d, k, "\"\"")),
    field("a model of 30,000 bytes", |d, k| {
        model(d, k, &format!("\"{}\"", "m".repeat(30_000)))
    }),
    field("its content a string", |d, k| content(d, k, "\"hi\"")),
    field("its content a number", |d, k| content(d, k, "7")),
    field("its content an object", |d, k| content(d, k, "{}")),
    field("`stream` a string", |d, k| streams(d, k, "\"yes\"")),
    field("`stream` a number", |d, k| streams(d, k, "1")),
    field("`stream` an array", |d, k| streams(d, k, "[]")),
    other("a model that nobody has", 404, "model_not_found", |d, k| {
        (d.has_body()).then(|| d.request(&k.good, "nowhere/m"))
    }),
    other(
        "a model with a NUL in it",
        404,
        "model_not_found",
        |d, k| model(d, k, "\"up\\u0000/m\""),
    ),
    other("a model that climbs", 404, "model_not_found", |d, k| {
        model(d, k, "\"../../etc/passwd\"")
    }),
    other(
        "a provider's model, by a key for routes",
        403,
        "model_not_allowed",
        |d, k| (d.has_body()).then(|| d.request(&k.narrow, MODEL)),
    ),
    other("a byte over the cap", 413, "request_too_large", |d, k| {
        edit(d, k, |b| {
            format!("{b}{}", " ".repeat(CAP + 1 - b.len())).into()
        })
    }),
    passes("exactly the cap", |d, k| {
        edit(d, k, |b| format!("{b}{}", " ".repeat(CAP - b.len())).into())
    }),
    passes("nested 100 deep", |d, k| member(d, k, &deep(100))),
    passes("a number that no float holds", |d, k| {
        member(d, k, "\"x\":1e400")
    }),
    passes("a number of 1,000 digits", |d, k| {
        member(d, k, &format!("\"x\":{}", "9".repeat(1_000)))
    }),
    passes("half of a surrogate pair, escaped", |d, k| {
        member(d, k, "\"x\":\"\\ud800\"")
    }),
    passes("an escaped NUL", |d, k| member(d, k, "\"x\":\"\\u0000\"")),
    passes("white space around and inside", |d, k| {
        edit(d, k, |b| {
            format!("\r\n\t {} \n", b.replace(':', " :\t")).into()
        })
    }),
];
