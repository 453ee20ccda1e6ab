//! Secrets: how configuration refers to them, and how they are kept from every text that Lintel writes.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A secret value. `Debug` shows `***`; there is no `Display` and no `Serialize`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps `value`.
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self(value.into())
    }

    /// The value, to be written to a provider and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A reference to a secret that can't be followed. No message repeats the text that was written: it may be the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// The text is no reference.
    #[error(
        "a secret doesn't belong in this file: put it in an environment variable and write \"${{NAME}}\", or in a file and write \"file:/path\""
    )]
    Literal,
    /// The variable isn't set.
    #[error("environment variable {0} is not set: export it before starting, or remove this line")]
    Unset(String),
    /// The variable or file is empty.
    #[error("{0} is empty: a secret needs at least one character")]
    Empty(String),
    /// The file can't be read.
    #[error("can't read {path}: {cause}; check the path and that this user may read it")]
    Unreadable {
        /// As written.
        path: String,
        /// The operating system's words.
        cause: String,
    },
    /// The value can't stand in a header.
    #[error("{0} holds a line break or another character that can't be sent in a header")]
    Unsendable(String),
}

/// Follows `${NAME}` or `file:/path` to what can stand in a header. White space around a file's content (the newline
/// that editors add) is cut off.
pub fn resolve(
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Secret, BadSecret> {
    let (value, whence) = follow(text, env, read)?;
    if !value.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return Err(BadSecret::Unsendable(whence));
    }
    Ok(Secret::new(value))
}

/// Follows `${NAME}` or `file:/path` to whatever stands there, and says where that is.
pub(crate) fn follow(
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<(String, String), BadSecret> {
    let (value, whence) = if let Some(name) = variable(text) {
        let value = env(name).ok_or_else(|| BadSecret::Unset(name.to_owned()))?;
        (value, format!("environment variable {name}"))
    } else if let Some(path) = text.strip_prefix("file:").filter(|p| !p.is_empty()) {
        let unreadable = |e: io::Error| BadSecret::Unreadable {
            path: path.to_owned(),
            cause: e.to_string(),
        };
        (
            read(Path::new(path)).map_err(unreadable)?,
            format!("file {path}"),
        )
    } else {
        return Err(BadSecret::Literal);
    };
    let value = value.trim();
    if value.is_empty() {
        return Err(BadSecret::Empty(whence));
    }
    Ok((value.to_owned(), whence))
}

/// Whether `text` refers to a secret.
pub(crate) fn is_reference(text: &str) -> bool {
    variable(text).is_some() || text.strip_prefix("file:").is_some_and(|p| !p.is_empty())
}

/// The name in `${NAME}`.
fn variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    let fits = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(text: &str) -> Result<Secret, BadSecret> {
        let env = |name: &str| match name {
            "KEY" => Some("sk-1".to_owned()),
            "BLANK" => Some(" ".to_owned()),
            "BROKEN" => Some("a\nb".to_owned()),
            _ => None,
        };
        let read = |path: &Path| {
            if path == Path::new("/k") {
                Ok("sk-2\n".to_owned())
            } else {
                Err(io::Error::other("no such file"))
            }
        };
        resolve(text, &env, &read)
    }

    #[test]
    fn follows_variables_and_files() {
        assert_eq!(follow("${KEY}").unwrap().expose(), "sk-1");
        assert_eq!(follow("file:/k").unwrap().expose(), "sk-2");
        assert_eq!(
            follow("${GONE}").unwrap_err(),
            BadSecret::Unset("GONE".into())
        );
        assert_eq!(
            follow("${BLANK}").unwrap_err(),
            BadSecret::Empty("environment variable BLANK".into())
        );
        assert!(matches!(
            follow("${BROKEN}").unwrap_err(),
            BadSecret::Unsendable(_)
        ));
        assert!(matches!(
            follow("file:/gone").unwrap_err(),
            BadSecret::Unreadable { .. }
        ));
    }

    #[test]
    fn a_literal_is_refused_and_never_repeated() {
        for text in [
            "sk-literal",
            "$KEY",
            "${}",
            "${1A}",
            "prefix-${KEY}",
            "file:",
            "",
        ] {
            let refused = follow(text).unwrap_err();
            assert_eq!(refused, BadSecret::Literal, "{text}");
            assert!(!refused.to_string().contains("sk-literal"));
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("sk-1")), "***");
    }
}
