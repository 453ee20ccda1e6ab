//! Holds a tree against a JSON Schema and reports all that doesn't fit, with the nearest valid word.
//!
//! It reads the part of JSON Schema that the structs generate (a test walks the schema and refuses any
//! other keyword). What is wrong is cut out of the tree as far as it can be, so that the later stages
//! can still look at the rest and report that too.

mod keywords;

use serde_json::{Map, Value};

use self::keywords::{branches, found, in_words, is_of, refuse_format, types, words};
use crate::path::Path;
use crate::problem::Report;

/// Checks `value` against `schema`, and cuts out what is wrong. False when nothing usable is left.
pub(crate) fn check(schema: &Value, value: &mut Value, report: &mut Report<'_>) -> bool {
    Shape {
        root: schema,
        report,
    }
    .node(schema, value, &Path::default())
}

struct Shape<'r, 's, 'd> {
    root: &'s Value,
    report: &'r mut Report<'d>,
}

impl<'s> Shape<'_, 's, '_> {
    /// Checks one node. True when what is left of it can be used.
    fn node(&mut self, schema: &'s Value, value: &mut Value, path: &Path) -> bool {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let found = target
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer));
            return found.is_none_or(|schema| self.node(schema, value, path));
        }
        if let Some(words) = words(schema) {
            return self.word(&words, value, path);
        }
        if let Some(branches) = branches(schema) {
            return self.choice(branches, value, path);
        }
        if !self.kind(schema, value, path) {
            return false;
        }
        match value {
            Value::String(text) => self.text(schema, text, path),
            Value::Number(number) => self.number(schema, number.as_f64().unwrap_or(f64::NAN), path),
            Value::Array(list) => self.list(schema, list, path),
            Value::Object(map) => self.mapping(schema, map, path),
            Value::Null | Value::Bool(_) => true,
        }
    }

    /// Whether the value is of one of the schema's types.
    fn kind(&mut self, schema: &Value, value: &Value, path: &Path) -> bool {
        let types = types(schema);
        if types.is_empty() || types.iter().any(|t| is_of(value, t)) {
            return true;
        }
        // `drain: 30` lacks its unit; quotes would not help.
        let format = schema
            .get("format")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if let Some(message) = value
            .as_number()
            .and_then(|number| refuse_format(format, &number.to_string()))
        {
            self.report.problem(path, message);
            return false;
        }
        let expected: Vec<&str> = types
            .iter()
            .filter(|t| **t != "null")
            .map(|t| in_words(t))
            .collect();
        let quotes =
            types.contains(&"string") && matches!(value, Value::Number(_) | Value::Bool(_));
        let remedy = if quotes { " (put it in quotes)" } else { "" };
        self.report.problem(
            path,
            format!(
                "expected {}, found {}{remedy}",
                expected.join(" or "),
                found(value)
            ),
        );
        false
    }

    /// One of several shapes: the one that fits, else the one that was meant.
    fn choice(&mut self, branches: &'s [Value], value: &mut Value, path: &Path) -> bool {
        let (nothing, branches): (Vec<&Value>, Vec<&Value>) =
            branches.iter().partition(|b| types(b) == ["null"]);
        if value.is_null() && !nothing.is_empty() {
            return true;
        }
        for branch in branches.iter().copied() {
            let mut scratch = Report::new("", self.report.document());
            let fits = check_branch(self.root, branch, &mut value.clone(), path, &mut scratch);
            if fits && scratch.problems.is_empty() {
                return self.node(branch, value, path);
            }
        }
        let alike: Vec<&Value> = branches
            .iter()
            .copied()
            .filter(|branch| self.is_alike(branch, value))
            .collect();
        let best = match (alike.as_slice(), branches.as_slice()) {
            ([only], _) | (_, [only]) => Some(*only),
            (several, _) => several
                .iter()
                .copied()
                .find(|branch| self.shares_a_key(branch, value)),
        };
        if let Some(branch) = best {
            return self.node(branch, value, path);
        }
        let mut options: Vec<String> = Vec::new();
        branches
            .iter()
            .for_each(|branch| self.describe(branch, &mut options));
        let message = format!("expected {}, found {}", options.join(" or "), found(value));
        self.report.problem_near(
            path,
            message,
            value.as_str().unwrap_or_default(),
            options.iter().map(String::as_str),
        );
        false
    }

    /// Whether `branch` takes values of this kind, other than certain words.
    fn is_alike(&self, branch: &'s Value, value: &Value) -> bool {
        let branch = self.resolved(branch);
        words(branch).is_none() && types(branch).iter().any(|t| is_of(value, t))
    }

    /// Whether `value` has a key of `branch`.
    fn shares_a_key(&self, branch: &'s Value, value: &Value) -> bool {
        let properties = self
            .resolved(branch)
            .get("properties")
            .and_then(Value::as_object);
        let keys = value.as_object().into_iter().flat_map(Map::keys);
        properties
            .is_some_and(|properties| keys.into_iter().any(|key| properties.contains_key(key)))
    }

    fn resolved(&self, schema: &'s Value) -> &'s Value {
        let target = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|t| t.strip_prefix('#'));
        target
            .and_then(|pointer| self.root.pointer(pointer))
            .unwrap_or(schema)
    }

    /// What a branch accepts, for people.
    fn describe(&self, branch: &'s Value, options: &mut Vec<String>) {
        let branch = self.resolved(branch);
        if let Some(inner) = branches(branch) {
            inner.iter().for_each(|b| self.describe(b, options));
        } else if let Some(words) = words(branch) {
            options.extend(words.iter().map(|w| (*w).to_owned()));
        } else if let Some(keys) = branch.get("required").and_then(Value::as_array) {
            options.push(format!(
                "{{{}: …}}",
                keys.iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(": …, ")
            ));
        } else {
            options.extend(
                types(branch)
                    .iter()
                    .filter(|t| **t != "null")
                    .map(|t| in_words(t).to_owned()),
            );
        }
    }

    fn word(&mut self, words: &[&str], value: &Value, path: &Path) -> bool {
        let Value::String(text) = value else {
            self.report.problem(
                path,
                format!("expected {}, found {}", words.join(" or "), found(value)),
            );
            return false;
        };
        if words.contains(&text.as_str()) {
            return true;
        }
        self.report.problem_near(
            path,
            format!("`{text}` is none of {}", words.join(", ")),
            text,
            words.iter().copied(),
        );
        false
    }

    fn text(&mut self, schema: &Value, text: &str, path: &Path) -> bool {
        let shortest = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
        if (text.chars().count() as u64) < shortest {
            self.report.problem(path, "may not be empty");
            return false;
        }
        let refused = schema
            .get("format")
            .and_then(Value::as_str)
            .and_then(|format| refuse_format(format, text));
        if let Some(message) = &refused {
            self.report.problem(path, message);
        }
        refused.is_none()
    }

    fn number(&mut self, schema: &Value, number: f64, path: &Path) -> bool {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let widest = match schema.get("format").and_then(Value::as_str) {
            Some("uint32") => Some(f64::from(u32::MAX)),
            _ => None,
        };
        let (low, high) = (bound("minimum"), bound("maximum").or(widest));
        if low.is_none_or(|low| number >= low) && high.is_none_or(|high| number <= high) {
            return true;
        }
        let message = match (low, high) {
            (Some(low), Some(high)) => format!("{number} is not between {low} and {high}"),
            (Some(low), None) => format!("{number} is less than {low}"),
            (_, high) => format!("{number} is more than {}", high.unwrap_or_default()),
        };
        self.report.problem(path, message);
        false
    }

    /// A list can be used when every element can: cutting one out would move the others.
    fn list(&mut self, schema: &'s Value, list: &mut [Value], path: &Path) -> bool {
        if (list.len() as u64) < schema.get("minItems").and_then(Value::as_u64).unwrap_or(0) {
            self.report.problem(path, "may not be empty");
            return false;
        }
        let Some(items) = schema.get("items") else {
            return true;
        };
        let mut usable = true;
        for (i, item) in list.iter_mut().enumerate() {
            usable &= self.node(items, item, &path.index(i));
        }
        usable
    }

    fn mapping(&mut self, schema: &'s Value, map: &mut Map<String, Value>, path: &Path) -> bool {
        if (map.len() as u64)
            < schema
                .get("minProperties")
                .and_then(Value::as_u64)
                .unwrap_or(0)
        {
            self.report.problem(path, "may not be empty");
            return false;
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let missing: Vec<&str> = required
            .iter()
            .copied()
            .filter(|key| !map.contains_key(*key))
            .collect();
        for key in &missing {
            self.report.problem(path, format!("`{key}` is missing"));
        }
        let mut usable = missing.is_empty();
        map.retain(|key, value| {
            let at = path.key(key);
            match (properties.and_then(|p| p.get(key)), others) {
                (Some(member), _) => {
                    let good = self.node(member, value, &at);
                    usable &= good || !required.contains(&key.as_str());
                    good
                }
                (None, Some(Value::Bool(false))) => {
                    self.report.unknown_key(
                        &at,
                        key,
                        properties
                            .into_iter()
                            .flat_map(Map::keys)
                            .map(String::as_str),
                    );
                    false
                }
                (None, Some(member)) => self.node(member, value, &at),
                (None, None) => true,
            }
        });
        usable
    }
}

/// One branch of a choice, reported elsewhere.
fn check_branch(
    root: &Value,
    branch: &Value,
    value: &mut Value,
    path: &Path,
    report: &mut Report<'_>,
) -> bool {
    Shape { root, report }.node(branch, value, path)
}
