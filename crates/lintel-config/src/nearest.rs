//! The known word nearest to a mistyped one.

/// The candidate with the fewest edits, if they are few enough for a slip of the hand: about a third of the word, never all of it.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let length = word.chars().count();
    let allowed = ((length + 1) / 3).max(1).min(length.saturating_sub(1));
    let scored = candidates
        .into_iter()
        .map(|c| (edits(&normal(word), &normal(c)), c));
    scored
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// Case and the kind of dash make no difference to a reader.
fn normal(word: &str) -> Vec<char> {
    word.chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c == '-' || c == ' ' { '_' } else { c })
        .collect()
}

/// Edits between two words: insertions, deletions, substitutions and swaps of neighbours
/// (the "optimal string alignment" distance; Damerau 1964).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |line: &[usize], k: usize| line.get(k).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&above, j) + usize::from(ca != cb))
                .min(at(&above, j + 1) + 1)
                .min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        let count = |a: &str, b: &str| edits(&normal(a), &normal(b));
        for (a, b, expect) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("listne", "listen", 1),
            ("kitten", "sitting", 3),
            ("first-token", "First_Token", 0),
        ] {
            assert_eq!(count(a, b), expect, "{a} {b}");
        }
    }

    #[test]
    fn finds_slips_and_nothing_else() {
        let known = ["deadline", "connect", "first_token", "idle"];
        assert_eq!(nearest("deadlin", known), Some("deadline"));
        assert_eq!(nearest("first-tokn", known), Some("first_token"));
        assert_eq!(nearest("retries", known), None);
        assert_eq!(nearest("adnim", ["admin", "listen"]), Some("admin"));
        assert_eq!(nearest("x", ["y", "z"]), None);
        assert_eq!(nearest("", known), None);
    }
}
