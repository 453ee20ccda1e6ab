//! Makes a text that a regular expression matches, for the expressions that people put into schemas.
//!
//! Understood: literals, classes, `.`, `\d \w \s`, groups, alternatives, quantifiers, anchors at the ends.
//! Anything else (look-around, back-references, properties) gives no sample. Depth and length are bounded.

use std::iter::Peekable;
use std::str::Chars;

use super::dice::Dice;

const MAX_DEPTH: usize = 16;
const MAX_CHARS: usize = 4_096;

#[derive(Debug)]
enum Node {
    /// One of these characters; ranges, both ends included.
    Class(Vec<(char, char)>),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, usize),
}

/// A text that `pattern` matches; `None` when the pattern isn't understood.
pub(super) fn sample(pattern: &str, dice: &mut Dice) -> Option<String> {
    let mut chars = pattern.chars().peekable();
    let node = either(&mut chars, 0)?;
    let mut out = String::new();
    (chars.next().is_none() && write(&node, dice, &mut out)).then_some(out)
}

/// Appends a match of `node`; false when it grew too long.
fn write(node: &Node, dice: &mut Dice, out: &mut String) -> bool {
    match node {
        Node::Class(ranges) => {
            if let Some((from, to)) = ranges.get(dice.below(ranges.len())) {
                let span = (*to as u32).saturating_sub(*from as u32) + 1;
                let at = *from as u32 + dice.below(span as usize) as u32;
                out.push(char::from_u32(at).unwrap_or(*from));
            }
            out.len() <= MAX_CHARS
        }
        Node::Sequence(nodes) => nodes.iter().all(|n| write(n, dice, out)),
        Node::Either(nodes) => nodes
            .get(dice.below(nodes.len()))
            .is_some_and(|n| write(n, dice, out)),
        Node::Repeat(node, times) => (0..*times).all(|_| write(node, dice, out)),
    }
}

type Source<'a> = Peekable<Chars<'a>>;

fn either(chars: &mut Source<'_>, depth: usize) -> Option<Node> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut options = vec![sequence(chars, depth)?];
    while chars.next_if_eq(&'|').is_some() {
        options.push(sequence(chars, depth)?);
    }
    Some(Node::Either(options))
}

fn sequence(chars: &mut Source<'_>, depth: usize) -> Option<Node> {
    let mut nodes = Vec::new();
    while let Some(c) = chars.next_if(|c| !matches!(c, '|' | ')')) {
        let node = match c {
            '^' | '$' => continue,
            '(' => group(chars, depth)?,
            '[' => class(chars)?,
            '\\' => Node::Class(escape(chars.next()?)?),
            '.' => Node::Class(vec![('a', 'z')]),
            '*' | '+' | '?' => return None,
            literal => Node::Class(vec![(literal, literal)]),
        };
        nodes.push(match quantifier(chars)? {
            1 => node,
            times => Node::Repeat(Box::new(node), times),
        });
    }
    Some(Node::Sequence(nodes))
}

fn group(chars: &mut Source<'_>, depth: usize) -> Option<Node> {
    if chars.next_if_eq(&'?').is_some() {
        match chars.next()? {
            ':' => {}
            // A named group, unless it looks behind.
            'P' | '<' => {
                let name: String = chars.by_ref().take_while(|c| *c != '>').collect();
                if name.starts_with(['=', '!']) {
                    return None;
                }
            }
            _ => return None,
        }
    }
    let inner = either(chars, depth + 1)?;
    chars.next_if_eq(&')').map(|_| inner)
}

/// How often to repeat: the least the quantifier allows, but once where it may be left out.
fn quantifier(chars: &mut Source<'_>) -> Option<usize> {
    let times = match chars.peek() {
        Some('*' | '+' | '?') => {
            chars.next();
            1
        }
        Some('{') => {
            chars.next();
            let range: String = chars.by_ref().take_while(|c| *c != '}').collect();
            let (least, most) = range.split_once(',').unwrap_or((&range, &range));
            let least: usize = least.trim().parse().ok()?;
            let most = if most.trim().is_empty() {
                usize::MAX
            } else {
                most.trim().parse().ok()?
            };
            least.max(1).min(most)
        }
        _ => return Some(1),
    };
    chars.next_if_eq(&'?');
    Some(times)
}

fn escape(c: char) -> Option<Vec<(char, char)>> {
    Some(match c {
        'd' => vec![('0', '9')],
        'w' => vec![('a', 'z'), ('0', '9')],
        's' => vec![(' ', ' ')],
        't' => vec![('\t', '\t')],
        'n' => vec![('\n', '\n')],
        'r' => vec![('\r', '\r')],
        punctuation if !punctuation.is_alphanumeric() => vec![(punctuation, punctuation)],
        _ => return None,
    })
}

fn class(chars: &mut Source<'_>) -> Option<Node> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges: Vec<(char, char)> = Vec::new();
    loop {
        let from = match chars.next()? {
            ']' => break,
            '\\' => match escape(chars.next()?)?.as_slice() {
                [(one, same)] if one == same => *one,
                many => {
                    ranges.extend_from_slice(many);
                    continue;
                }
            },
            c => c,
        };
        if chars.next_if_eq(&'-').is_none() {
            ranges.push((from, from));
            continue;
        }
        match chars.next_if(|c| *c != ']') {
            Some('\\') => ranges.push((from, chars.next()?)),
            Some(to) => ranges.push((from, to)),
            None => ranges.extend([(from, from), ('-', '-')]),
        }
    }
    if negated {
        let free = (' '..='~')
            .rev()
            .find(|c| !ranges.iter().any(|(from, to)| (*from..=*to).contains(c)))?;
        ranges = vec![(free, free)];
    }
    (!ranges.is_empty() && ranges.iter().all(|(from, to)| from <= to))
        .then_some(Node::Class(ranges))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_match_their_pattern() {
        for pattern in [
            "^[A-Z]{2}\\d{4}$",
            "^(foo|bar)+$",
            "[^a-z ]",
            "^\\+?[0-9-]{7,15}$",
            "^[\\w.-]+@[\\w-]+\\.[a-z]{2,}$",
            "^(?:a|b)?c*$",
            "^#(?<hex>[0-9a-fA-F]{6})$",
            "^$",
            "a|b|",
            "^\\d{4}-\\d{2}-\\d{2}$",
            "[]a]x",
        ] {
            for seed in 0..20 {
                let Some(text) = sample(pattern, &mut Dice::new(seed)) else {
                    assert_eq!(pattern, "[]a]x", "a class may not be empty");
                    continue;
                };
                let valid = jsonschema::is_valid(
                    &serde_json::json!({ "pattern": pattern }),
                    &serde_json::Value::from(text.as_str()),
                );
                assert!(valid, "{pattern} does not match {text:?}");
            }
        }
    }

    #[test]
    fn gives_up_on_what_it_does_not_know() {
        let deep = format!("{}a{}", "(".repeat(99), ")".repeat(99));
        for pattern in [
            "(?=a)b",
            "(?<!a)b",
            "\\bword",
            "(a",
            "a)",
            "*a",
            "[z-a]",
            "[a",
            "\\p{L}",
            "((a{99}){99}){99}",
            &deep,
        ] {
            assert_eq!(sample(pattern, &mut Dice::new(1)), None, "{pattern}");
        }
    }
}
