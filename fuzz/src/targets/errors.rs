//! Errors in every dialect, of any text: ours, and what a provider's say.

use bytes::Bytes;
use lintel_types::{Error, Kind};
use lintel_wire::framing::{Framing, FramingKind};
use lintel_wire::provider::read_error;
use lintel_wire::scrub::scrub;
use lintel_wire::surface::{ErrorBody, SURFACES};

use crate::corpus::Part;
use crate::laws::is_json;
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "errors",
    laws: "an error of any text is one JSON document that says it, and one event; a scrubbed text holds no secret and scrubs to itself",
    run,
    seeds: Part::None,
    words: &[
        "sk-proj-AbCdEf0123456789AbCdEf0123456789",
        "lk_AbCdEf0123456789AbCdEf",
        "https://a.internal:8443/x",
        "org-AbCdEf0123456789",
        "\"",
        "\\",
        "\u{2028}",
        "\r\n\r\n",
        "data: x",
        "{\"error\":{\"message\":\"",
        "\"code\":",
        "10.1.2.3:80",
    ],
};

fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let error = Error::client(Kind::InvalidRequest, "invalid_field", text.as_ref());
    let ours = ErrorBody::ours(&error, Some("ex_1"));
    let read = read_error(data);
    let theirs = ErrorBody {
        message: read.message.as_str().into(),
        kind_name: read.kind_name.as_deref().map(Into::into),
        kind: Kind::Upstream,
        status: None,
        code: read.code.as_deref().map(Into::into),
        param: read.param.as_deref().map(Into::into),
        request_id: Some("ex_1"),
    };
    assert!(
        read.message.chars().count() <= 2_001,
        "{} characters",
        read.message.chars().count()
    );
    for spec in SURFACES {
        let name = spec.surface().name();
        for body in [&ours, &theirs] {
            let json = is_json(name, &spec.error(body));
            let told = ["/error/message", "/message"]
                .iter()
                .find_map(|p| json.pointer(p)?.as_str());
            assert_eq!(told, Some(body.message.as_ref()), "{name}");
            one_event(name, spec.stream_error(body));
            for (_, value) in spec.error_headers(body) {
                assert!(value.to_str().is_ok());
            }
        }
    }
    let clean = scrub(&text);
    assert_eq!(scrub(&clean), clean, "scrubbing never settles");
    for secret in [
        "sk-proj-AbCdEf0123456789AbCdEf0123456789",
        "lk_AbCdEf0123456789AbCdEf",
    ] {
        assert!(!scrub(&format!("{text} {secret} {text}")).contains(secret));
    }
}

fn one_event(name: &str, written: Bytes) {
    let kind = if written.first() == Some(&0) {
        FramingKind::AwsEvents
    } else {
        FramingKind::Sse
    };
    let mut framing = Framing::new(kind, usize::MAX);
    let block = framing
        .push(written)
        .unwrap_or_else(|e| panic!("{name}: {e:?}"));
    let data: Vec<Bytes> = framing.events(block).filter_map(|e| e.data).collect();
    assert!(
        framing.finish().is_ok_and(|rest| rest.is_empty()),
        "{name}: an event that is not whole"
    );
    let said: Vec<&Bytes> = data.iter().filter(|d| *d != "[DONE]").collect();
    assert_eq!(said.len(), 1, "{name}: {data:?}");
    is_json(name, said[0]);
}
