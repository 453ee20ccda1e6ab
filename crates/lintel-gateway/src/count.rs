//! Counting tokens where no target of the route can: an estimate from bytes, answered by Lintel itself and marked so.
//!
//! The rule: text, tools and whatever else is written out weigh one token for four bytes of JSON; an image weighs
//! 1600 tokens, the most that Anthropic charges for one of ordinary size; a document, a sound or a film that lies in
//! the body weighs 3000 for every 64 KB begun, a page or two, and as much as one of those where only its address is known.
//! <https://docs.anthropic.com/en/docs/build-with-claude/vision>

use bytes::Bytes;
use lintel_types::{ContentPart, ContentSource, Error, Modality};

use crate::head::Parsed;
use crate::usage;

/// Tokens of an image.
const IMAGE: u64 = 1_600;
/// Tokens of a stretch of a document, a sound or a film.
const STRETCH: u64 = 3_000;
/// Bytes of a stretch.
const STRETCH_BYTES: u64 = 64 * 1024;

/// An answer that no provider gave.
pub(crate) struct Counted {
    /// The answer, in the caller's dialect.
    pub(crate) body: Bytes,
}

/// Answers a call that only counts.
pub(crate) fn answer(parsed: &Parsed, write: fn(u64) -> Bytes) -> Result<Counted, Error> {
    let parts = parsed.spec.parts(parsed.body.bytes())?;
    Ok(Counted {
        body: write(tokens(&parts)),
    })
}

/// What the parts weigh.
fn tokens(parts: &[ContentPart]) -> u64 {
    let (mut written, mut media) = (0_u64, 0_u64);
    for part in parts {
        let size = part.size as u64;
        match part.modality {
            Modality::Image => media = media.saturating_add(IMAGE),
            Modality::Document | Modality::Audio | Modality::Video => {
                let stretches = match part.source {
                    ContentSource::Inline(_) => size.div_ceil(STRETCH_BYTES),
                    ContentSource::Url(_) | ContentSource::File(_) => 1,
                };
                media = media.saturating_add(stretches.saturating_mul(STRETCH));
            }
            Modality::Text
            | Modality::ToolCall
            | Modality::ToolResult
            | Modality::Reasoning
            | Modality::Unknown => written = written.saturating_add(size),
        }
    }
    usage::estimate(written).saturating_add(media)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lintel_types::Label;

    fn part(
        modality: Modality,
        size: usize,
        source: fn(std::ops::Range<usize>) -> ContentSource,
    ) -> ContentPart {
        ContentPart {
            modality,
            source: source(0..size),
            size,
            label: Label::User,
        }
    }

    #[test]
    fn the_rule() {
        use ContentSource::{File, Inline, Url};
        let check = |parts: &[ContentPart], want: u64| assert_eq!(tokens(parts), want);
        check(&[], 0);
        check(&[part(Modality::Text, 5, Inline)], 2);
        check(
            &[
                part(Modality::Text, 5, Inline),
                part(Modality::ToolResult, 3, Inline),
            ],
            2,
        );
        check(
            &[
                part(Modality::Image, 1 << 20, Inline),
                part(Modality::Image, 20, Url),
            ],
            3_200,
        );
        check(&[part(Modality::Document, 65_537, Inline)], 6_000);
        check(
            &[
                part(Modality::Document, 9, File),
                part(Modality::Unknown, 4, Inline),
            ],
            3_001,
        );
    }
}
