//! The heads of requests on every surface: what decisions are made on, and the edits in place.

use lintel_types::SpanEdit;
use lintel_wire::resources;
use lintel_wire::surface::{Head, OPENAI_EMBEDDINGS, Place, SURFACES, SurfaceSpec};
use serde_json::Value;

use crate::corpus::Part;
use crate::laws::{is_json, shown};
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "heads",
    laws: "the head says what serde_json reads; every edit leaves one document that differs in that one thing",
    run,
    seeds: Part::Requests,
    words: &[
        "\"model\":\"m\"",
        "\"stream\":true",
        "\"stream_options\":{\"include_usage\":false}",
        "\"lintel\":{}",
        "\"max_tokens\":1",
        "\"n\":2",
        "\"messages\":[]",
        "\"input\":\"x\"",
        "\"contents\":[]",
        "\"previous_response_id\":\"resp_1\"",
        "\"file_id\":\"file-1\"",
        "null",
        ",",
    ],
};

fn run(data: &[u8]) {
    for spec in SURFACES {
        let place = Place {
            model: Some("m".into()),
            ..Place::default()
        };
        if let Ok(head) = spec.head(data, &place) {
            sound(*spec, data, &head);
        }
        let _ = spec.parts(data);
        let _ = resources::named(spec.surface(), data);
    }
}

fn sound(spec: &dyn SurfaceSpec, data: &[u8], head: &Head) {
    if data.is_empty() {
        return;
    }
    let name = spec.surface().name();
    let Ok(value) = serde_json::from_slice::<Value>(data) else {
        // A number or a half surrogate that serde_json has no room for.
        return;
    };
    if let Some(span) = &head.model_span {
        let there: String = serde_json::from_slice(&data[span.clone()]).unwrap();
        assert_eq!(
            (&there, value["model"].as_str()),
            (&head.model, Some(head.model.as_str())),
            "{name}"
        );
        let edited = edit(
            data,
            &SpanEdit {
                range: span.clone(),
                with: bytes::Bytes::from_static(b"\"other\""),
            },
        );
        let mut wanted = value.clone();
        wanted["model"] = "other".into();
        assert_eq!(is_json(name, &edited), wanted, "{name}: {}", shown(data));
        // What only counts, or embeds, has no stream to ask for.
        let streams = !spec.is_free() && spec.surface() != OPENAI_EMBEDDINGS;
        assert_eq!(head.stream, streams && value["stream"] == true, "{name}");
    }
    if let Some(strip) = &head.strip_ours {
        let mut wanted = value.clone();
        wanted.as_object_mut().unwrap().remove("lintel").unwrap();
        assert_eq!(
            is_json(name, &edit(data, strip)),
            wanted,
            "{name}: {}",
            shown(data)
        );
    }
    if let Some(ask) = &head.ask_usage {
        let mut wanted = value.clone();
        if !wanted["stream_options"].is_object() {
            wanted["stream_options"] = Value::Object(serde_json::Map::new());
        }
        wanted["stream_options"]["include_usage"] = true.into();
        assert_eq!(
            is_json(name, &edit(data, ask)),
            wanted,
            "{name}: {}",
            shown(data)
        );
    }
}

fn edit(data: &[u8], edit: &SpanEdit) -> Vec<u8> {
    [
        &data[..edit.range.start],
        &edit.with,
        &data[edit.range.end..],
    ]
    .concat()
}
