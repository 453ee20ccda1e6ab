//! `POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent`, the Gemini dialect; also under
//! `/v1/`, where the official SDKs may be told to call. <https://ai.google.dev/api/generate-content>
//!
//! Model and verb stand in the path. Google reads every key in `camelCase` and in `snake_case`; so does this.

use bytes::Bytes;
use lintel_types::{ContentPart, ContentSource, Error, Label, Modality, Surface};

use super::{ErrorBody, Head, Place, SurfaceSpec, bad_field, bad_json, members, strip};
use crate::json::{self, Member, Node};
use crate::percent;
use crate::provider::GEMINI;

mod error;

/// The surface's name.
pub const GEMINI_GENERATE: Surface = Surface::new("gemini.generate", GEMINI);

/// Where models stand, in the order in which paths are tried.
const MODELS: [&str; 2] = ["/v1beta/models/", "/v1/models/"];

/// The surface.
pub(super) struct GeminiGenerate;

impl SurfaceSpec for GeminiGenerate {
    fn surface(&self) -> Surface {
        GEMINI_GENERATE
    }

    fn path(&self) -> &'static str {
        "/v1beta/models/{model}:generateContent"
    }

    fn place(&self, path: &str) -> Option<Place> {
        let rest = MODELS.iter().find_map(|m| path.strip_prefix(m))?;
        // A model's name may hold colons of its own.
        let (model, verb) = rest.rsplit_once(':')?;
        let stream = match verb {
            "generateContent" => false,
            "streamGenerateContent" => true,
            _ => return None,
        };
        let model = percent::decode(model).filter(|m| !m.is_empty())?;
        Some(Place {
            model: Some(model.into_owned()),
            stream,
            object: None,
        })
    }

    /// Never `key`: that is the caller's credential.
    fn query(&self) -> &'static [&'static str] {
        &["alt"]
    }

    fn head(&self, body: &[u8], place: &Place) -> Result<Head, Error> {
        let (members, may_name_objects) = members(GEMINI_GENERATE, body)?;
        let model = place.model.as_deref().unwrap_or_default();
        if model.is_empty() || model.len() > 256 {
            return Err(bad_field("{model}", "a name of 1 to 256 bytes in the path"));
        }
        match either(&members, "contents") {
            Some(contents) if contents.kind() == json::Kind::Array => {}
            Some(_) => return Err(bad_field("$.contents", "an array")),
            None => {
                return Err(bad_field(
                    "$.contents",
                    "present: an array of the conversation's turns",
                ));
            }
        }
        let config = either(&members, "generationConfig");
        let number = |key| config.and_then(|c| get(c, key)).and_then(|n| n.u64());
        Ok(Head {
            model: model.to_owned(),
            model_span: None,
            stream: place.stream,
            max_output: number("maxOutputTokens"),
            choices: number("candidateCount").unwrap_or(1),
            ask_usage: None,
            strip_ours: strip(&members, "lintel"),
            may_name_objects,
        })
    }

    fn parts(&self, body: &[u8]) -> Result<Vec<ContentPart>, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let mut parts = Vec::new();
        if let Some(system) = either(&members, "systemInstruction") {
            content_parts(system, Label::System, &mut parts);
        }
        for content in either(&members, "contents").iter().flat_map(Node::items) {
            let role = content.get("role").and_then(|r| r.text());
            let label = match role.as_deref() {
                Some("model") => Label::Assistant,
                Some("function") => Label::Tool,
                _ => Label::User,
            };
            content_parts(content, label, &mut parts);
        }
        Ok(parts)
    }

    fn error(&self, error: &ErrorBody<'_>) -> Bytes {
        Bytes::from(error::json(error))
    }

    fn stream_error(&self, error: &ErrorBody<'_>) -> Bytes {
        Bytes::from(format!("data: {}\r\n\r\n", error::json(error)))
    }
}

/// Whether `key`, in either spelling, is `camel`.
pub(crate) fn is(key: &str, camel: &str) -> bool {
    if key == camel {
        return true;
    }
    let mut snake = key.chars();
    let spelled = camel.chars().all(|c| {
        if c.is_ascii_uppercase() {
            snake.next() == Some('_') && snake.next() == Some(c.to_ascii_lowercase())
        } else {
            snake.next() == Some(c)
        }
    });
    spelled && snake.next().is_none()
}

/// The value of `camel` in either spelling.
pub(crate) fn get<'a>(node: Node<'a>, camel: &str) -> Option<Node<'a>> {
    let found = node.members().find(|(key, _)| is(key, camel));
    found.map(|(_, value)| value)
}

/// The top-level member `camel` in either spelling.
fn either<'a>(members: &[Member<'a>], camel: &str) -> Option<Node<'a>> {
    let found = members.iter().find(|m| is(&m.key, camel));
    found.map(|m| m.value)
}

/// The items of an array; Google takes a lone object for an array of one.
pub(crate) fn list<'a>(node: Node<'a>) -> impl Iterator<Item = Node<'a>> + use<'a> {
    let lone = (node.kind() == json::Kind::Object).then_some(node);
    node.items().chain(lone)
}

fn content_parts(content: Node<'_>, label: Label, out: &mut Vec<ContentPart>) {
    if content.kind() == json::Kind::String {
        return out.push(part(content, Modality::Text, label));
    }
    let parts = content.get("parts");
    out.extend(
        parts
            .into_iter()
            .flat_map(list)
            .map(|p| content_part(p, label)),
    );
}

fn content_part(node: Node<'_>, label: Label) -> ContentPart {
    let thought = node.get("thought").and_then(|t| t.bool()) == Some(true);
    for (key, value) in node.members() {
        if key == "text" {
            let modality = if thought {
                Modality::Reasoning
            } else {
                Modality::Text
            };
            return part(value, modality, label);
        }
        if is(&key, "inlineData") {
            return part(get(value, "data").unwrap_or(value), medium(value), label);
        }
        if is(&key, "fileData") {
            return file(value, label);
        }
        if ["functionCall", "toolCall", "executableCode"]
            .iter()
            .any(|k| is(&key, k))
        {
            return part(value, Modality::ToolCall, label);
        }
        if ["functionResponse", "toolResponse", "codeExecutionResult"]
            .iter()
            .any(|k| is(&key, k))
        {
            return part(value, Modality::ToolResult, Label::Tool);
        }
    }
    part(node, Modality::Unknown, label)
}

fn part(node: Node<'_>, modality: Modality, label: Label) -> ContentPart {
    ContentPart {
        modality,
        size: node.span().len(),
        source: ContentSource::Inline(node.span()),
        label,
    }
}

fn file(data: Node<'_>, label: Label) -> ContentPart {
    let uri = get(data, "fileUri").unwrap_or(data);
    let source = if is_stored(&uri.text().unwrap_or_default()) {
        ContentSource::File(uri.span())
    } else {
        ContentSource::Url(uri.span())
    };
    ContentPart {
        modality: medium(data),
        source,
        size: uri.span().len(),
        label,
    }
}

/// Whether Google itself holds the file at `uri`: its files API and its storage. Else it is an address of the web.
pub(crate) fn is_stored(uri: &str) -> bool {
    uri.starts_with("gs://")
        || uri.starts_with("files/")
        || uri.starts_with("https://generativelanguage.googleapis.com/")
}

fn medium(data: Node<'_>) -> Modality {
    let kind = get(data, "mimeType")
        .and_then(|m| m.text())
        .unwrap_or_default();
    match kind.split('/').next() {
        Some("image") => Modality::Image,
        Some("audio") => Modality::Audio,
        Some("video") => Modality::Video,
        _ => Modality::Document,
    }
}

#[cfg(test)]
mod tests;
