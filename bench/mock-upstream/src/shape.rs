//! Decides what an answer looks like from the model's name alone: `mock-d60-n20-i10-b1024`.
//!
//! It knows nothing of HTTP. A part it doesn't understand is skipped, so a gateway may put its own
//! prefix before the name.

use std::time::Duration;

/// The shape of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// `d`: from the request's last byte to the answer's first.
    pub(crate) delay: Duration,
    /// `n`: content chunks of a stream, at least one.
    pub(crate) chunks: u32,
    /// `i`: between two chunks.
    pub(crate) interval: Duration,
    /// `b`: bytes of a plain answer's body.
    pub(crate) bytes: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            chunks: 20,
            interval: Duration::from_millis(10),
            bytes: 1024,
        }
    }
}

/// A plain answer is never longer than this, whatever the name asks for.
const MOST_BYTES: usize = 16 << 20;

impl Shape {
    /// The shape that `model` asks for.
    pub(crate) fn of(model: &str) -> Self {
        let mut shape = Self::default();
        for part in model.split(['-', '/', ':']) {
            let Some(letter) = part.chars().next().filter(char::is_ascii) else {
                continue;
            };
            let Some(value) = part.get(1..).and_then(|digits| digits.parse::<u32>().ok()) else {
                continue;
            };
            match letter {
                'd' => shape.delay = Duration::from_millis(value.into()),
                'n' => shape.chunks = value.max(1),
                'i' => shape.interval = Duration::from_millis(value.into()),
                'b' => shape.bytes = (value as usize).min(MOST_BYTES),
                _ => {}
            }
        }
        shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_letter() {
        let shape = Shape::of("mock-d60-n7-i10-b2048");
        assert_eq!(shape.delay, Duration::from_millis(60));
        assert_eq!(shape.chunks, 7);
        assert_eq!(shape.interval, Duration::from_millis(10));
        assert_eq!(shape.bytes, 2048);
    }

    #[test]
    fn a_prefix_or_an_unknown_part_changes_nothing() {
        assert_eq!(
            Shape::of("mock/mock-x9-d5"),
            Shape {
                delay: Duration::from_millis(5),
                ..Shape::default()
            }
        );
        assert_eq!(Shape::of("gpt-4o"), Shape::default());
        assert_eq!(Shape::of("é1-"), Shape::default());
    }

    #[test]
    fn a_stream_has_at_least_one_chunk() {
        assert_eq!(Shape::of("mock-n0").chunks, 1);
    }
}
