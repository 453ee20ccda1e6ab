//! Paths: which surface they name, and percent-encoding.

use lintel_wire::percent;
use lintel_wire::surface::SURFACES;

use crate::corpus::Part;
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "places",
    laws: "a path names at most one surface; a model read from a path reads back from its own segment; decoding undoes encoding",
    run,
    seeds: Part::None,
    words: &[
        "/v1/",
        "/v1beta/models/",
        "/model/",
        ":generateContent",
        ":streamGenerateContent",
        "/converse",
        "/converse-stream",
        "/v1/responses/",
        "/cancel",
        "/input_items",
        "%2F",
        "%2f",
        "%00",
        "%25",
        "..",
        "//",
        ";",
        "?",
    ],
};

fn run(data: &[u8]) {
    let Ok(path) = std::str::from_utf8(data) else {
        return;
    };
    let named: Vec<&str> = SURFACES
        .iter()
        .filter(|s| s.place(path).is_some())
        .map(|s| s.surface().name())
        .collect();
    assert!(named.len() <= 1, "{path:?} names {named:?}");
    for spec in SURFACES {
        let Some(place) = spec.place(path) else {
            continue;
        };
        assert!(!spec.methods(&place).is_empty());
        if let Some(model) = &place.model {
            assert!(!model.is_empty(), "{path:?} names no model");
            assert_eq!(
                percent::decode(&percent::segment(model)).as_deref(),
                Some(model.as_str())
            );
        }
        if let Some(object) = &place.object {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            assert!(
                !object.id.is_empty() && object.id.chars().all(plain),
                "{path:?}: {object:?}"
            );
        }
    }
    let mut encoded = String::new();
    percent::encode(path, &mut encoded);
    assert!(encoded.is_ascii() && percent::decode(&encoded).as_deref() == Some(path));
    let segment = percent::segment(path);
    assert!(
        !segment.contains(['/', '?', '#', '\r', '\n', '\0', ' '])
            && segment != ".."
            && segment != "."
    );
    if let Some(decoded) = percent::decode(path) {
        assert!(decoded.len() <= path.len());
    }
}
