//! One count of a usage object: what is believed, what is bounded, what is no count at all.
//!
//! Knows no provider's words. Invariant: a count that is present and can't be believed as it stands is
//! never passed over in silence: [`Counts::doubtful`] says so, and the row is flagged.

use std::borrow::Cow;
use std::cell::Cell;

use crate::json::Node;

/// The most tokens that one count of one attempt is believed to hold: ten times the largest context
/// window on offer (10 million tokens in 2026). Sums of a rollup stay exact for 92 billion such counts.
pub(super) const MOST_TOKENS: u64 = 100_000_000;
/// The most server-side searches that one attempt is believed to have made. Each is charged by itself,
/// so the bound is far below the one for tokens.
pub(super) const MOST_SEARCHES: u64 = 10_000;

/// Reads the counts of one usage object. The object is walked once: two dozen spellings are asked for,
/// and walking it for each would cost more than the rest of the answer.
pub(super) struct Counts<'a> {
    /// Members, and members of members.
    fields: Vec<Field<'a>>,
    doubtful: Cell<bool>,
}

struct Field<'a> {
    /// The place in `fields` of the member it stands in.
    inside: Option<usize>,
    key: Cow<'a, str>,
    value: Node<'a>,
}

impl<'a> Counts<'a> {
    pub(super) fn of(usage: Node<'a>) -> Self {
        let mut fields = Vec::with_capacity(24);
        for (key, value) in usage.members() {
            let at = fields.len();
            fields.push(Field {
                inside: None,
                key,
                value,
            });
            fields.extend(value.members().map(|(key, value)| Field {
                inside: Some(at),
                key,
                value,
            }));
        }
        Self {
            fields,
            doubtful: Cell::new(false),
        }
    }

    /// The tokens at `path`; above [`MOST_TOKENS`], that many. None when absent, null or no count.
    pub(super) fn tokens(&self, path: &[&str]) -> Option<u64> {
        self.clamped(path, MOST_TOKENS)
    }

    /// The searches at `path`; above [`MOST_SEARCHES`], that many.
    pub(super) fn searches(&self, path: &[&str]) -> Option<u64> {
        self.clamped(path, MOST_SEARCHES)
    }

    /// The tokens at `path`, from which something else is inferred: none too when there are too many.
    pub(super) fn plausible(&self, path: &[&str]) -> Option<u64> {
        let tokens = self.read(path)?;
        let plausible = tokens <= MOST_TOKENS;
        self.doubt(!plausible);
        plausible.then_some(tokens)
    }

    /// Whether any count that was asked for was out of bounds, or was there and was no whole number.
    pub(super) fn doubtful(&self) -> bool {
        self.doubtful.get()
    }

    fn clamped(&self, path: &[&str], most: u64) -> Option<u64> {
        let count = self.read(path)?;
        self.doubt(count > most);
        Some(count.min(most))
    }

    fn read(&self, path: &[&str]) -> Option<u64> {
        let value = self.at(path).filter(|n| !n.is_null())?;
        let count = value.u64();
        self.doubt(count.is_none());
        count
    }

    fn at(&self, path: &[&str]) -> Option<Node<'a>> {
        let find = |inside: Option<usize>, key: &str| {
            let this = |f: &Field<'_>| f.inside == inside && f.key == key;
            self.fields.iter().position(this)
        };
        let mut place = None;
        for key in path {
            place = Some(find(place, key)?);
        }
        self.fields.get(place?).map(|f| f.value)
    }

    fn doubt(&self, doubt: bool) {
        self.doubtful.set(self.doubtful.get() || doubt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn check(value: &str, tokens: Option<u64>, plausible: Option<u64>, doubtful: bool) {
        let doc = format!(r#"{{"a":{{"n":{value}}}}}"#);
        let counts = Counts::of(json::parse(doc.as_bytes()).unwrap());
        assert_eq!(counts.tokens(&["a", "n"]), tokens, "{value}");
        assert_eq!(counts.doubtful(), doubtful, "{value}");
        assert_eq!(counts.plausible(&["a", "n"]), plausible, "{value}");
        assert_eq!(counts.doubtful(), doubtful, "{value}");
    }

    #[test]
    fn only_whole_numbers_within_bounds_are_beyond_doubt() {
        check("0", Some(0), Some(0), false);
        check("12.0", Some(12), Some(12), false);
        check("null", None, None, false);
        check("100000000", Some(MOST_TOKENS), Some(MOST_TOKENS), false);
        check("100000001", Some(MOST_TOKENS), None, true);
        check("18446744073709551615", Some(MOST_TOKENS), None, true);
        for nonsense in [
            "1e30",
            "18446744073709551616",
            "\"three\"",
            "\"3\"",
            "-5",
            "1.5",
            "true",
            "{}",
            "[3]",
        ] {
            check(nonsense, None, None, true);
        }
    }

    #[test]
    fn what_is_absent_is_no_doubt_and_searches_have_their_own_bound() {
        let counts = Counts::of(json::parse(br#"{"s":10000,"many":10001}"#).unwrap());
        assert_eq!(counts.tokens(&["x", "y"]), None);
        assert_eq!(counts.searches(&["s"]), Some(10_000));
        assert!(!counts.doubtful());
        assert_eq!(counts.searches(&["many"]), Some(MOST_SEARCHES));
        assert!(counts.doubtful());
    }
}
