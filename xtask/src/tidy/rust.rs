//! Just enough of Rust's lexis to tell code from comments, strings and tests.
//!
//! Not a parser: it blanks out what is not code and keeps every line where it is, so that a rule can
//! look for words and say where they stand.

/// `text` without comments and without what stands inside string and character literals.
pub(crate) fn code(text: &str) -> String {
    split(text).0
}

/// `text` without anything but comments.
pub(crate) fn comments(text: &str) -> String {
    split(text).1
}

/// `text` up to its test module: what ships.
pub(crate) fn without_tests(text: &str) -> &str {
    let mut at = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let is_test = line.starts_with("#[cfg(test)]")
            && lines
                .peek()
                .is_some_and(|next| next.starts_with("mod ") || next.starts_with("#["));
        if is_test {
            return text.get(..at).unwrap_or(text);
        }
        at += line.len();
    }
    text
}

/// Whether `word` stands in `line` on its own, not as part of a longer name or path.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|s| s.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|s| s.chars().next());
        let starts_alone = !word.starts_with(part_of_name) || !before.is_some_and(part_of_name);
        let ends_alone = !word.ends_with(part_of_name) || !after.is_some_and(part_of_name);
        starts_alone && ends_alone
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Code,
    Line,
    Block(u32),
    Text,
    Raw(usize),
}

/// (code, comments): each the text's length in lines, with the other's characters blanked.
fn split(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comment) = (
        String::with_capacity(text.len()),
        String::with_capacity(text.len()),
    );
    let mut state = In::Code;
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let rest = chars.get(at..).unwrap_or_default();
        let (next, taken) = step(state, rest);
        let literal = c == '\'' && taken > 1;
        for &c in rest.iter().take(taken) {
            let is_comment =
                matches!(state, In::Line | In::Block(_)) || matches!(next, In::Line | In::Block(_));
            let is_code = state == In::Code && next == In::Code && !literal;
            code.push(if is_code || c == '\n' { c } else { ' ' });
            comment.push(if is_comment || c == '\n' { c } else { ' ' });
        }
        state = next;
        at += taken.max(1);
        debug_assert!(taken > 0, "stuck at {c}");
    }
    (code, comment)
}

/// The state after the next token of `rest`, and the token's length.
fn step(state: In, rest: &[char]) -> (In, usize) {
    let starts =
        |text: &str| rest.len() >= text.len() && text.chars().zip(rest).all(|(a, b)| a == *b);
    match state {
        In::Code if starts("//") => (In::Line, 2),
        In::Code if starts("/*") => (In::Block(1), 2),
        In::Code if starts("\"") => (In::Text, 1),
        In::Code if starts("r\"") || starts("r#") || starts("br\"") || starts("br#") => {
            raw_start(rest)
        }
        In::Code if starts("'") => (In::Code, character(rest)),
        // A name goes as one token, so that the `r` of `for` starts no raw string.
        In::Code => (
            In::Code,
            rest.iter()
                .take_while(|c| c.is_alphanumeric() || **c == '_')
                .count()
                .max(1),
        ),
        In::Line if starts("\n") => (In::Code, 1),
        In::Block(depth) if starts("/*") => (In::Block(depth + 1), 2),
        In::Block(1) if starts("*/") => (In::Code, 2),
        In::Block(depth) if starts("*/") => (In::Block(depth - 1), 2),
        In::Text if starts("\\") => (In::Text, 2.min(rest.len())),
        In::Text if starts("\"") => (In::Code, 1),
        In::Raw(hashes)
            if starts("\"") && rest.iter().skip(1).take_while(|c| **c == '#').count() >= hashes =>
        {
            (In::Code, 1 + hashes)
        }
        other => (other, 1),
    }
}

fn raw_start(rest: &[char]) -> (In, usize) {
    let prefix = rest.iter().take_while(|c| matches!(c, 'b' | 'r')).count();
    let hashes = rest.iter().skip(prefix).take_while(|c| **c == '#').count();
    match rest.get(prefix + hashes) {
        Some('"') => (In::Raw(hashes), prefix + hashes + 1),
        // A raw identifier.
        _ => (In::Code, prefix + hashes),
    }
}

/// The length of a character literal, or of the quote that starts a lifetime.
fn character(rest: &[char]) -> usize {
    match (rest.get(1), rest.get(2)) {
        (Some('\\'), _) => rest
            .iter()
            .skip(3)
            .position(|c| *c == '\'')
            .map_or(1, |at| at + 4),
        (Some(_), Some('\'')) => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected_code: &str, expected_comments: &str) {
        let squeeze = |s: String| s.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeeze(code(text)), expected_code);
        assert_eq!(squeeze(comments(text)), expected_comments);
        assert_eq!(code(text).lines().count(), text.lines().count());
    }

    #[test]
    fn tells_code_from_comments_and_strings() {
        check("let a = 1; // two\nlet b;", "let a = 1; let b;", "// two");
        check("a /* x /* y */ z */ b", "a b", "/* x /* y */ z */");
        check(r#"f("// no \" comment") // yes"#, "f( )", "// yes");
        check("r#\"a \" // \"# + br\"//\" + x", "+ + x", "");
        check(
            "match c { '\"' => 1, '\\'' => 2, 'a' => 3 } // q",
            "match c { => 1, => 2, => 3 }",
            "// q",
        );
        check(
            "fn f<'a>(x: &'a str) -> r#type { for x in y {} }",
            "fn f<'a>(x: &'a str) -> r#type { for x in y {} }",
            "",
        );
    }

    #[test]
    fn tests_end_what_ships() {
        assert_eq!(
            without_tests("fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n"),
            "fn a() {}\n\n"
        );
        let one_item = "#[cfg(test)]\nfn a() {}\nfn b() {}\n";
        assert_eq!(without_tests(one_item), one_item);
    }

    #[test]
    fn words_stand_alone() {
        assert!(has_word("unsafe { x }", "unsafe") && has_word("a(unsafe{})", "unsafe"));
        assert!(!has_word("unsafe_code", "unsafe") && !has_word("not_unsafe", "unsafe"));
        assert!(
            has_word("use std::net::IpAddr;", "std::net") && !has_word("std::network", "std::net")
        );
        assert!(has_word("TcpStream::connect(a)", "TcpStream::connect"));
    }
}
