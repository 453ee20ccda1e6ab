//! Citations: Google names its sources once, and says which bytes of the answer rest on which of them.
//! <https://ai.google.dev/api/generate-content#GroundingMetadata>

use lintel_types::canon::{Citation, RawJson};

use crate::json::write::Object;
use crate::json::{self, Node};
use crate::provider::GEMINI;
use crate::surface::gemini_generate::get;

/// Kinds of sources in `groundingChunks`.
const SOURCES: [&str; 3] = ["web", "retrievedContext", "maps"];

/// A citation, and where it stands.
pub(super) struct Found {
    pub(super) citation: Citation,
    /// Bytes of the part's text: first, and one past the last.
    pub(super) bytes: Option<(u64, u64)>,
    /// Which of the content's parts; Google leaves out a zero.
    pub(super) part: usize,
}

/// The citations that a candidate reports.
pub(super) fn read(candidate: Node<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    if let Some(grounding) = get(candidate, "groundingMetadata") {
        grounded(grounding, &mut found);
    }
    let cited = get(candidate, "citationMetadata");
    let sources = cited.and_then(|c| get(c, "citationSources").or_else(|| get(c, "citations")));
    for source in sources.iter().flat_map(Node::items) {
        found.push(Found {
            citation: citation(source, source),
            bytes: segment(source),
            part: 0,
        });
    }
    found
}

fn grounded(grounding: Node<'_>, found: &mut Vec<Found>) {
    let chunks = get(grounding, "groundingChunks");
    let chunks: Vec<Node<'_>> = chunks.iter().flat_map(Node::items).collect();
    let before = found.len();
    let supports = get(grounding, "groundingSupports");
    for support in supports.iter().flat_map(Node::items) {
        let Some(place) = support.get("segment") else {
            continue;
        };
        let indices = get(support, "groundingChunkIndices");
        for index in indices.iter().flat_map(Node::items) {
            let index = index.u64().and_then(|i| usize::try_from(i).ok());
            let Some(chunk) = index.and_then(|i| chunks.get(i)) else {
                continue;
            };
            let part = get(place, "partIndex").and_then(|p| p.u64());
            found.push(Found {
                citation: of_chunk(*chunk),
                bytes: segment(place),
                part: part.and_then(|p| usize::try_from(p).ok()).unwrap_or(0),
            });
        }
    }
    // Sources that nothing rests on by name are sources all the same.
    if found.len() == before {
        found.extend(chunks.into_iter().map(|chunk| Found {
            citation: of_chunk(chunk),
            bytes: None,
            part: 0,
        }));
    }
}

fn segment(node: Node<'_>) -> Option<(u64, u64)> {
    let end = get(node, "endIndex")?.u64()?;
    let start = get(node, "startIndex").and_then(|s| s.u64()).unwrap_or(0);
    Some((start, end))
}

fn of_chunk(chunk: Node<'_>) -> Citation {
    let source = SOURCES.iter().find_map(|key| get(chunk, key));
    citation(source.unwrap_or(chunk), chunk)
}

fn citation(source: Node<'_>, raw: Node<'_>) -> Citation {
    let text = |key: &str| {
        let text = get(source, key).and_then(|n| n.text());
        text.filter(|t| !t.is_empty()).map(|t| t.into_owned())
    };
    Citation {
        url: text("uri"),
        title: text("title"),
        quote: text("text"),
        span: None,
        protocol: GEMINI,
        raw: RawJson::new(raw.raw()),
    }
}

/// A place in bytes of `text` as one in characters.
pub(super) fn in_characters(bytes: Option<(u64, u64)>, text: &str) -> Option<(u64, u64)> {
    let (start, end) = bytes?;
    let characters = |at: u64| {
        let at = usize::try_from(at).ok()?;
        Some(text.get(..at)?.chars().count() as u64)
    };
    Some((characters(start)?, characters(end)?)).filter(|(start, end)| start <= end)
}

/// A place in characters of `text` as one in bytes.
fn in_bytes(span: (u64, u64), text: &str) -> Option<(usize, usize)> {
    let byte = |at: u64| {
        let at = usize::try_from(at).ok()?;
        let mut ends = text.char_indices().map(|(i, _)| i).chain([text.len()]);
        ends.nth(at)
    };
    Some((byte(span.0)?, byte(span.1)?)).filter(|(start, end)| start <= end)
}

/// A citation to be written: the part it stands on, that part's text, and itself.
pub(super) type Cited<'a> = (usize, &'a str, &'a Citation);

/// Whether Google has a word for the citation: its own, or a page's address.
pub(super) fn is_sayable(citation: &Citation) -> bool {
    citation.protocol == GEMINI || citation.url.is_some()
}

/// Writes `groundingMetadata`, if there is anything to say.
pub(super) fn write(cited: &[Cited<'_>], o: &mut Object<'_>) {
    let cited: Vec<&Cited<'_>> = cited.iter().filter(|(_, _, c)| is_sayable(c)).collect();
    if cited.is_empty() {
        return;
    }
    let mut chunks: Vec<String> = Vec::new();
    let places: Vec<usize> = cited
        .iter()
        .map(|(_, _, citation)| {
            let chunk = chunk(citation);
            let known = chunks.iter().position(|c| *c == chunk);
            known.unwrap_or_else(|| {
                chunks.push(chunk);
                chunks.len() - 1
            })
        })
        .collect();
    o.object("groundingMetadata", |g| {
        g.array("groundingChunks", |a| {
            chunks.iter().for_each(|c| {
                a.raw(c);
            });
        });
        g.array("groundingSupports", |a| {
            for ((part, text, citation), chunk) in cited.iter().zip(&places) {
                let Some((start, end)) = citation.span.and_then(|s| in_bytes(s, text)) else {
                    continue;
                };
                a.object(|s| {
                    s.object("segment", |s| {
                        if *part > 0 {
                            s.int("partIndex", *part as u64);
                        }
                        s.int("startIndex", start as u64)
                            .int("endIndex", end as u64)
                            .str("text", text.get(start..end).unwrap_or_default());
                    });
                    s.array("groundingChunkIndices", |i| {
                        i.raw(&chunk.to_string());
                    });
                });
            }
        });
    });
}

fn chunk(citation: &Citation) -> String {
    let own = citation.protocol == GEMINI;
    let is_chunk = |raw: &str| {
        json::parse(raw.as_bytes()).is_ok_and(|n| SOURCES.iter().any(|s| get(n, s).is_some()))
    };
    if own && is_chunk(citation.raw.as_str()) {
        return citation.raw.as_str().to_owned();
    }
    let mut out = String::new();
    json::write::object(&mut out, |o| {
        o.object("web", |w| {
            w.str_if("uri", citation.url.as_deref())
                .str_if("title", citation.title.as_deref());
        });
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_characters_are_told_apart() {
        let text = "Über uns";
        assert_eq!(in_characters(Some((0, 5)), text), Some((0, 4)));
        assert_eq!(in_bytes((0, 4), text), Some((0, 5)));
        assert_eq!(
            in_characters(Some((1, 5)), text),
            None,
            "inside a character"
        );
        assert_eq!(in_bytes((0, 99), text), None);
    }

    #[test]
    fn what_is_written_reads_back() {
        let found = |json: &str| read(json::parse(json.as_bytes()).unwrap());
        let text = "Über uns";
        let first = found(
            r#"{"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a","title":"A"}},{"web":{"uri":"https://b"}}],"groundingSupports":[{"segment":{"endIndex":5,"text":"Über"},"groundingChunkIndices":[0,1,9]}]}}"#,
        );
        assert_eq!(first.len(), 2);
        let mut citations: Vec<Citation> = first.into_iter().map(|f| f.citation).collect();
        citations.iter_mut().for_each(|c| c.span = Some((0, 4)));
        let cited: Vec<Cited<'_>> = citations.iter().map(|c| (0, text, c)).collect();
        let mut out = String::new();
        json::write::object(&mut out, |o| write(&cited, o));
        let again = found(&out);
        assert_eq!(again.len(), 2);
        assert_eq!(again[0].bytes, Some((0, 5)));
        assert_eq!(again[1].citation.url.as_deref(), Some("https://b"));
    }
}
