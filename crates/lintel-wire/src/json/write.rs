//! Writing JSON straight into a string: no tree, no copy of what is carried as it is.
//!
//! Members are written in the order of the calls; the caller never writes a comma. What is called `raw` must
//! be valid JSON already.

use std::fmt::Write as _;

/// Writes one object to the end of `out`.
pub fn object(out: &mut String, fill: impl FnOnce(&mut Object<'_>)) {
    let start = out.len();
    out.push('{');
    fill(&mut Object {
        out,
        first: true,
        start,
    });
    out.push('}');
}

/// Writes one array to the end of `out`.
pub fn array(out: &mut String, fill: impl FnOnce(&mut Array<'_>)) {
    out.push('[');
    fill(&mut Array { out, first: true });
    out.push(']');
}

/// Writes `text` as a JSON string to the end of `out`.
pub fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        if escaped.is_empty() {
            // Writing to a String can't fail.
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escaped);
        }
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.push('"');
}

/// `text` as a JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    string(&mut out, text);
    out
}

fn number(out: &mut String, value: f64) {
    // JSON knows neither infinity nor NaN; no reader gives one.
    let value = if value.is_finite() { value } else { 0.0 };
    let _ = write!(out, "{value}");
}

/// An object under way.
pub struct Object<'o> {
    out: &'o mut String,
    first: bool,
    /// Where its brace stands.
    start: usize,
}

impl Object<'_> {
    fn key(&mut self, key: &str) -> &mut String {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        string(self.out, key);
        self.out.push(':');
        self.out
    }

    /// Whether a member of this name has been written. Reads what stands there: for the rare member whose name is
    /// somebody else's choice.
    pub fn has(&self, key: &str) -> bool {
        let written = self.out.get(self.start..).unwrap_or_default();
        let closed = format!("{written}}}");
        super::parse_object(closed.as_bytes())
            .is_ok_and(|members| members.iter().any(|m| m.key == key))
    }

    /// A string.
    pub fn str(&mut self, key: &str, value: &str) -> &mut Self {
        string(self.key(key), value);
        self
    }

    /// A string, if there is one.
    pub fn str_if(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.str(key, value);
        }
        self
    }

    /// A string, or `null`.
    pub fn str_or_null(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.str(key, value),
            None => self.null(key),
        }
    }

    /// A whole number.
    pub fn int(&mut self, key: &str, value: u64) -> &mut Self {
        let _ = write!(self.key(key), "{value}");
        self
    }

    /// A whole number that may be negative.
    pub fn signed(&mut self, key: &str, value: i64) -> &mut Self {
        let _ = write!(self.key(key), "{value}");
        self
    }

    /// A number.
    pub fn num(&mut self, key: &str, value: f64) -> &mut Self {
        number(self.key(key), value);
        self
    }

    /// A boolean.
    pub fn bool(&mut self, key: &str, value: bool) -> &mut Self {
        self.key(key).push_str(if value { "true" } else { "false" });
        self
    }

    /// `null`.
    pub fn null(&mut self, key: &str) -> &mut Self {
        self.key(key).push_str("null");
        self
    }

    /// A value that is JSON already.
    pub fn raw(&mut self, key: &str, json: &str) -> &mut Self {
        self.key(key).push_str(json);
        self
    }

    /// An object.
    pub fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        object(self.key(key), fill);
        self
    }

    /// An array.
    pub fn array(&mut self, key: &str, fill: impl FnOnce(&mut Array<'_>)) -> &mut Self {
        array(self.key(key), fill);
        self
    }
}

/// An array under way.
pub struct Array<'o> {
    out: &'o mut String,
    first: bool,
}

impl Array<'_> {
    fn next(&mut self) -> &mut String {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        self.out
    }

    /// A string.
    pub fn str(&mut self, value: &str) -> &mut Self {
        string(self.next(), value);
        self
    }

    /// A value that is JSON already.
    pub fn raw(&mut self, json: &str) -> &mut Self {
        self.next().push_str(json);
        self
    }

    /// An object.
    pub fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        object(self.next(), fill);
        self
    }

    /// Whether nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn knows_what_it_has_written() {
        let mut out = String::from("before ");
        object(&mut out, |o| {
            assert!(!o.has("a"));
            o.str("a", "x\"}").object("b", |b| {
                b.int("c", 1);
                assert!(b.has("c") && !b.has("a"));
            });
            assert!(o.has("a") && o.has("b") && !o.has("c"));
        });
    }

    #[test]
    fn writes_what_was_asked_for_in_order() {
        let mut out = String::new();
        object(&mut out, |o| {
            o.str("s", "a\"\n\u{1}")
                .int("i", 7)
                .num("f", 0.7)
                .num("w", 1.0);
            o.signed("n", -3)
                .bool("b", true)
                .null("z")
                .raw("r", "[1, 2]");
            o.str_if("absent", None).str_or_null("none", None);
            o.object("o", |o| {
                o.array("a", |a| {
                    a.str("x").raw("1").object(|_| {});
                });
            });
        });
        assert_eq!(
            out,
            r#"{"s":"a\"\n\u0001","i":7,"f":0.7,"w":1,"n":-3,"b":true,"z":null,"r":[1, 2],"none":null,"o":{"a":["x",1,{}]}}"#
        );
    }

    proptest! {
        #[test]
        fn every_string_reads_back(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&quoted(&text)).unwrap(), text);
        }
    }
}
