//! Text answers and the rule by which tokens are counted.

use super::config::MAX_TOKENS;
use super::dice::{Dice, hash};

/// Bytes of a token.
pub(super) const TOKEN_BYTES: usize = 4;
/// How much of the user's words is repeated.
const ECHO_BYTES: usize = 400;
/// What fills an answer up to the length that was asked for.
const WORDS: [&str; 16] = [
    "beam", "load", "stone", "arch", "wall", "span", "frame", "joint", "plumb", "level", "brick",
    "post", "brace", "truss", "door", "light",
];

/// The tokens of `text`: as many characters as fit in four bytes, at least one.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut end = rest.len().min(TOKEN_BYTES);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (token, after) = rest.split_at_checked(end)?;
        rest = after;
        (!token.is_empty()).then_some(token)
    })
}

/// How many tokens `text` has.
pub(super) fn count(text: &str) -> u64 {
    tokens(text).count() as u64
}

/// The first `max` tokens of `text`, and whether something was cut off.
pub(super) fn first_tokens(text: &str, max: usize) -> (&str, bool) {
    let kept: usize = tokens(text).take(max).map(str::len).sum();
    (text.get(..kept).unwrap_or(text), kept < text.len())
}

/// An answer to `said`, exactly `length` tokens long if a length is given. `choice` is 0 for the first answer.
pub(super) fn answer(
    said: &str,
    tool_result: bool,
    choice: usize,
    length: Option<usize>,
) -> String {
    let heard = said
        .get(..floor_boundary(said, ECHO_BYTES))
        .unwrap_or(said)
        .trim();
    let mut text = match (heard.is_empty(), tool_result) {
        (true, _) => "The sandbox heard no text.".to_owned(),
        (false, true) => format!("The tool answered: {heard}"),
        (false, false) => format!("The sandbox heard: {heard}"),
    };
    if choice > 0 {
        text.push_str(&format!(" (answer {})", choice + 1));
    }
    let Some(length) = length.map(|n| n.min(MAX_TOKENS)) else {
        return text;
    };
    let mut dice = Dice::new(hash(said.as_bytes()).wrapping_add(choice as u64));
    // Every token but the last has at least one byte: stop once enough bytes are certain to hold enough tokens.
    while text.len() < length * TOKEN_BYTES {
        text.push(' ');
        text.push_str(
            WORDS
                .get(dice.below(WORDS.len()))
                .copied()
                .unwrap_or("beam"),
        );
    }
    first_tokens(&text, length).0.to_owned()
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_derives_from_what_was_said() {
        assert_eq!(answer("hello", false, 0, None), "The sandbox heard: hello");
        assert_eq!(
            answer(" 21 °C ", true, 1, None),
            "The tool answered: 21 °C (answer 2)"
        );
        assert_eq!(answer("", false, 0, None), "The sandbox heard no text.");
    }

    proptest! {
        #[test]
        fn tokens_make_up_the_text(text in ".*") {
            let all: Vec<&str> = tokens(&text).collect();
            prop_assert_eq!(all.concat(), text.as_str());
            prop_assert!(all.iter().all(|t| !t.is_empty() && t.len() <= TOKEN_BYTES));
        }

        #[test]
        fn a_given_length_is_met_exactly(said in ".{0,300}", length in 0usize..300, choice in 0usize..3) {
            prop_assert_eq!(count(&answer(&said, false, choice, Some(length))), length as u64);
        }

        #[test]
        fn cutting_keeps_the_first_tokens(text in ".*", max in 0usize..50) {
            let (kept, cut) = first_tokens(&text, max);
            prop_assert!(text.starts_with(kept));
            prop_assert_eq!(cut, count(&text) > max as u64);
            prop_assert_eq!(count(kept), count(&text).min(max as u64));
        }
    }
}
