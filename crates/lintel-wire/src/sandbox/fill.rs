//! Makes a value that a JSON schema accepts: arguments for tools, structured output.
//!
//! Understood: types, `enum`, `const`, `$ref` inside the document, `allOf`, `anyOf`, `oneOf` (first
//! alternative), required and optional properties, `additionalProperties`, `propertyNames`, sizes, bounds,
//! `multipleOf`, `uniqueItems`, `prefixItems`, common formats and the patterns of [`super::pattern`]. Not
//! understood: `not`, `if`, `contains`, `patternProperties`, `dependentSchemas`. Work is bounded whatever
//! the schema says: below [`LOOSE_DEPTH`], or after [`LOOSE_NODES`] values, only what is required is filled.

use serde_json::{Map, Value};

use super::dice::Dice;
use super::number::{integer, number};
use super::pattern;
use super::schema::{self, Plain};

const LOOSE_DEPTH: usize = 6;
const LOOSE_NODES: usize = 500;
/// Deeper, or after more values, everything is null: only a schema that nothing satisfies gets here.
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 20_000;
const MAX_ITEMS: usize = 1_000;
const MAX_CHARS: usize = 10_000;
const WORD: &str = "sandbox";

/// A value for `schema`.
pub(super) fn fill(schema: &Value, dice: &mut Dice) -> Value {
    Filler {
        root: schema,
        dice,
        nodes: 0,
        salt: 0,
        unique: false,
    }
    .value(schema, 0)
}

/// The same for a tool's arguments, which are always an object.
pub(super) fn fill_object(schema: &Value, dice: &mut Dice) -> Value {
    match fill(schema, dice) {
        Value::Object(map) => Value::Object(map),
        _ => Value::Object(Map::new()),
    }
}

struct Filler<'a> {
    root: &'a Value,
    dice: &'a mut Dice,
    /// Values made so far.
    nodes: usize,
    /// Makes the members of a list differ, where `unique` asks for it.
    salt: usize,
    /// Inside a list with `uniqueItems`: choices follow the salt instead of the dice.
    unique: bool,
}

impl Filler<'_> {
    fn pick(&mut self, options: usize) -> usize {
        if self.unique {
            self.salt % options.max(1)
        } else {
            self.dice.below(options)
        }
    }

    fn tight(&self, depth: usize) -> bool {
        depth >= LOOSE_DEPTH || self.nodes >= LOOSE_NODES
    }

    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Value::Null;
        }
        let Some(schema) = schema::plain(self.root, schema, self.tight(depth)) else {
            return Value::Null;
        };
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(options) = schema.get("enum").and_then(Value::as_array) {
            return options
                .get(self.pick(options.len()))
                .cloned()
                .unwrap_or(Value::Null);
        }
        match kind(&schema) {
            "object" => self.object(&schema, depth),
            "array" => self.array(&schema, depth),
            "integer" => integer(&schema, self.salt),
            "number" => number(&schema, self.salt),
            "boolean" => Value::Bool(self.pick(2) == 1),
            "null" => Value::Null,
            _ => Value::String(self.string(&schema)),
        }
    }

    fn object(&mut self, schema: &Plain, depth: usize) -> Value {
        let tight = self.tight(depth);
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let most = size(schema, "maxProperties").unwrap_or(usize::MAX);
        let optional_room = most.saturating_sub(required.len());
        let (mut map, mut optional) = (Map::new(), 0);
        for (name, property) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let needed = required.contains(&name.as_str());
            if !needed && (tight || optional >= optional_room || *property == Value::Bool(false)) {
                continue;
            }
            optional += usize::from(!needed);
            map.insert(name.clone(), self.value(property, depth + 1));
        }
        let any = Value::Bool(true);
        let extra = schema.get("additionalProperties").unwrap_or(&any);
        for name in required {
            if !map.contains_key(name) {
                map.insert(name.to_owned(), self.value(extra, depth + 1));
            }
        }
        let is_map = extra.is_object() && !schema.contains_key("properties") && !tight;
        let least = size(schema, "minProperties")
            .unwrap_or(0)
            .max(usize::from(is_map))
            .min(MAX_ITEMS)
            .min(most);
        for i in 0..least.saturating_sub(map.len()) {
            let name = self.name(schema.get("propertyNames"), i, depth);
            map.insert(name, self.value(extra, depth + 1));
        }
        Value::Object(map)
    }

    /// The name of an additional property.
    fn name(&mut self, rule: Option<&Value>, i: usize, depth: usize) -> String {
        let outside = (self.salt, self.unique);
        (self.salt, self.unique) = (i, true);
        let made = rule.map(|rule| self.value(rule, depth + 1));
        (self.salt, self.unique) = outside;
        match made {
            Some(Value::String(name)) => name,
            _ => format!("key{}", i + 1),
        }
    }

    fn array(&mut self, schema: &Plain, depth: usize) -> Value {
        let prefix = schema
            .get("prefixItems")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let any = Value::Bool(true);
        let items = schema.get("items").unwrap_or(&any);
        let least = size(schema, "minItems").unwrap_or(0).min(MAX_ITEMS);
        let wanted = if self.tight(depth) {
            least
        } else {
            least
                .max(prefix.len())
                .max(usize::from(*items != Value::Bool(false)))
        };
        let count = wanted.min(size(schema, "maxItems").unwrap_or(MAX_ITEMS));
        let unique = schema
            .get("uniqueItems")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let (salt, inside) = (self.salt, self.unique);
        self.unique |= unique;
        let mut list: Vec<Value> = Vec::new();
        for i in 0..count {
            let mut tries = 0;
            let item = loop {
                self.salt = if unique { i + tries } else { salt };
                let item = self.value(prefix.get(i).unwrap_or(items), depth + 1);
                tries += 1;
                if !unique || tries > count || !list.contains(&item) {
                    break item;
                }
            };
            list.push(item);
        }
        (self.salt, self.unique) = (salt, inside);
        Value::Array(list)
    }

    fn string(&mut self, schema: &Plain) -> String {
        if let Some(made) = schema
            .get("pattern")
            .and_then(Value::as_str)
            .and_then(|p| pattern::sample(p, self.dice))
        {
            return made;
        }
        if let Some(known) = schema
            .get("format")
            .and_then(Value::as_str)
            .and_then(format)
        {
            return known.to_owned();
        }
        let mut text = if self.salt > 0 {
            format!("{WORD} {}", self.salt)
        } else {
            WORD.to_owned()
        };
        let least = size(schema, "minLength").unwrap_or(0).min(MAX_CHARS);
        if text.len() < least {
            text.extend(std::iter::repeat_n('x', least - text.len()));
        }
        // One byte a character: the text is ASCII.
        text.truncate(size(schema, "maxLength").unwrap_or(MAX_CHARS));
        text
    }
}

/// The type to fill: the first one named that isn't null, else what the keywords suggest.
fn kind(schema: &Plain) -> &str {
    let has = |names: &[&str]| names.iter().any(|n| schema.contains_key(*n));
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|n| *n != "null")
            .unwrap_or("null"),
        _ if has(&[
            "properties",
            "required",
            "additionalProperties",
            "minProperties",
        ]) =>
        {
            "object"
        }
        _ if has(&["items", "prefixItems", "minItems"]) => "array",
        _ if has(&[
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
        ]) =>
        {
            "number"
        }
        _ => "string",
    }
}

fn size(schema: &Plain, key: &str) -> Option<usize> {
    let value = schema.get(key)?;
    value
        .as_u64()
        .map(|n| n as usize)
        .or_else(|| value.as_f64().filter(|f| *f >= 0.0).map(|f| f as usize))
}

/// Examples of the formats of JSON Schema 2020-12, section 7.3 of the validation vocabulary.
fn format(name: &str) -> Option<&'static str> {
    Some(match name {
        "date-time" => "2024-01-02T03:04:05Z",
        "date" => "2024-01-02",
        "time" => "03:04:05Z",
        "duration" => "P1D",
        "email" | "idn-email" => "sandbox@example.com",
        "hostname" | "idn-hostname" => "sandbox.example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uri" | "iri" => "https://example.com/sandbox",
        "uri-reference" | "iri-reference" => "/sandbox",
        "uuid" => "00000000-0000-4000-8000-000000000000",
        "json-pointer" => "/sandbox",
        "regex" => "^sandbox$",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn check(schema: &Value, seed: u64) -> Result<(), String> {
        let value = fill(schema, &mut Dice::new(seed));
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(schema)
            .map_err(|e| format!("bad schema: {e}"))?;
        validator
            .validate(&value)
            .map_err(|e| format!("{e}: {value} for {schema}"))
    }

    #[test]
    fn values_of_schemas_as_people_write_them_validate() {
        let node = json!({ "type": "object", "properties": { "v": { "type": "string" }, "next": { "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] },
            "kids": { "type": "array", "items": { "$ref": "#/$defs/node" } } }, "required": ["v", "next", "kids"], "additionalProperties": false });
        for schema in [
            json!({}),
            json!(true),
            json!({ "$ref": "#/$defs/node", "$defs": { "node": node } }),
            json!({ "type": "object", "properties": { "self": { "$ref": "#" } } }),
            json!({ "type": ["integer", "null"], "minimum": 3 }),
            json!({ "allOf": [{ "type": "object", "properties": { "a": { "minimum": 2 } }, "required": ["a"] }, { "properties": { "a": { "type": "integer", "maximum": 2 }, "b": { "const": 1 } }, "required": ["b"] }] }),
            json!({ "oneOf": [{ "type": "object", "properties": { "kind": { "const": "a" } }, "required": ["kind"] }, { "type": "object", "properties": { "kind": { "const": "b" } }, "required": ["kind"] }] }),
            json!({ "type": "array", "items": { "enum": ["x", "y", "z"] }, "minItems": 3, "uniqueItems": true }),
            json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 2, "maxItems": 2, "uniqueItems": true }),
            json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }], "items": false, "minItems": 2 }),
            json!({ "type": "object", "additionalProperties": { "type": "number" }, "minProperties": 3 }),
            json!({ "type": "object", "propertyNames": { "enum": ["red", "blue"] }, "additionalProperties": { "type": "integer" }, "minProperties": 2 }),
            json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }),
            json!({ "type": "number", "minimum": 0.3, "multipleOf": 0.5 }),
            json!({ "type": "integer", "exclusiveMaximum": -7, "multipleOf": 5 }),
            json!({ "type": "string", "minLength": 20, "maxLength": 20 }),
            json!({ "type": "string", "maxLength": 3 }),
            json!({ "type": "string", "pattern": "^[A-Z]{3}-\\d{4}$" }),
            json!({ "properties": { "a": { "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "null" }] } }, "required": ["a", "b"] }),
        ] {
            for seed in 0..30 {
                assert_eq!(check(&schema, seed), Ok(()));
            }
        }
        for format in [
            "date-time",
            "date",
            "time",
            "duration",
            "email",
            "hostname",
            "ipv4",
            "ipv6",
            "uri",
            "uri-reference",
            "uuid",
            "json-pointer",
            "regex",
        ] {
            assert_eq!(
                check(&json!({ "type": "string", "format": format }), 1),
                Ok(())
            );
        }
    }

    #[test]
    fn work_is_bounded_whatever_the_schema_says() {
        let wide = json!({ "$ref": "#/$defs/n", "$defs": { "n": { "type": "object", "required": ["a", "b"], "properties": {
            "a": { "type": "array", "minItems": 1_000_000, "items": { "$ref": "#/$defs/n" } }, "b": { "$ref": "#/$defs/n" } } } } });
        for schema in [
            wide,
            json!({ "$ref": "#" }),
            json!({ "$ref": "#/nowhere" }),
            json!({ "$ref": "https://example.com/schema" }),
            json!({ "allOf": [{ "$ref": "#" }, { "$ref": "#" }] }),
            json!({ "type": "string", "minLength": 4_000_000_000u64 }),
            json!({ "enum": [] }),
            json!({ "type": "integer", "minimum": 9.9e300, "multipleOf": 1e300 }),
            json!({ "type": "number", "multipleOf": 0 }),
            json!({ "minimum": "a", "type": 7, "required": 3, "properties": [] }),
            json!(false),
        ] {
            assert!(
                fill(&schema, &mut Dice::new(1)).to_string().len() < 2_000_000,
                "{schema}"
            );
        }
    }

    /// Schemas as structured output and tools use them, nested up to four deep.
    fn schemas() -> impl Strategy<Value = Value> {
        let bounds = |low: &'static str, high: &'static str| {
            (0i64..40, 0i64..40).prop_map(move |(a, b)| json!({ low: a, high: a + b }))
        };
        let typed = |kind: &'static str, rest: BoxedStrategy<Value>| {
            rest.prop_map(move |mut rest| {
                rest.as_object_mut()
                    .unwrap()
                    .insert("type".into(), kind.into());
                rest
            })
        };
        let leaf = prop_oneof![
            typed("string", bounds("minLength", "maxLength").boxed()),
            typed("integer", bounds("minimum", "maximum").boxed()),
            typed("number", bounds("minimum", "maximum").boxed()),
            (1i64..9, -50i64..50).prop_map(
                |(step, low)| json!({ "type": "integer", "multipleOf": step, "minimum": low })
            ),
            Just(json!({ "type": "boolean" })),
            Just(json!({ "type": "null" })),
            proptest::collection::vec("[a-z]{1,5}", 1..5).prop_map(|all| json!({ "enum": all })),
            any::<i32>().prop_map(|n| json!({ "const": n })),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                (inner.clone(), 0usize..3, 0usize..3).prop_map(|(items, least, more)| json!({ "type": "array", "items": items, "minItems": least, "maxItems": least + more })),
                (proptest::collection::btree_map("[a-z]{1,6}", (inner.clone(), any::<bool>()), 0..5), any::<bool>()).prop_map(|(all, open)| {
                    let required: Vec<&String> = all.iter().filter(|(_, (_, required))| *required).map(|(name, _)| name).collect();
                    let properties: Map<String, Value> = all.iter().map(|(name, (schema, _))| (name.clone(), schema.clone())).collect();
                    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": open })
                }),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(|all| json!({ "anyOf": all })),
                inner.clone().prop_map(|one| json!({ "allOf": [one] })),
                inner.prop_map(|one| json!({ "type": "object", "additionalProperties": one, "minProperties": 1 })),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_fill_validates(schema in schemas(), seed in any::<u64>()) {
            prop_assert_eq!(check(&schema, seed), Ok(()));
        }

        #[test]
        fn every_fill_of_a_referenced_schema_validates(schema in schemas(), seed in any::<u64>()) {
            let root = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/s" }, "b": { "type": "array", "items": { "$ref": "#/$defs/s" } } }, "required": ["a"], "$defs": { "s": schema } });
            prop_assert_eq!(check(&root, seed), Ok(()));
        }
    }
}
