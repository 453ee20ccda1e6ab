//! Schemas: Google's older form is a subset of OpenAPI's, with types in capitals; JSON Schema is what is carried.
//! <https://ai.google.dev/api/caching#Schema>

use lintel_types::canon::RawJson;

use crate::json::write::{self, Object};
use crate::json::{Kind, Node};

/// The same schema in JSON Schema's words.
pub(super) fn of_openapi(node: Node<'_>) -> RawJson {
    let mut out = String::with_capacity(node.raw().len());
    schema(node, &mut out);
    RawJson::new(out)
}

fn schema(node: Node<'_>, out: &mut String) {
    if node.kind() != Kind::Object {
        return out.push_str(node.raw());
    }
    let nullable = node.get("nullable").and_then(|n| n.bool()) == Some(true);
    write::object(out, |o| {
        for (key, value) in node.members() {
            member(&key, value, nullable, o);
        }
    });
}

fn member(key: &str, value: Node<'_>, nullable: bool, o: &mut Object<'_>) {
    match key {
        "type" => {
            o.raw(key, &kind(value, nullable));
        }
        "nullable" => {}
        // Orders of properties are a hint to Google's models alone.
        "propertyOrdering" | "property_ordering" => {}
        "properties" | "$defs" | "defs" => {
            o.object(if key == "defs" { "$defs" } else { key }, |o| {
                for (name, property) in value.members() {
                    o.raw(&name, &whole(property));
                }
            });
        }
        "items" | "additionalProperties" | "additional_properties" => {
            o.raw(camel(key), &whole(value));
        }
        "anyOf" | "any_of" | "oneOf" | "allOf" | "prefixItems" => {
            o.array(camel(key), |a| {
                for branch in value.items() {
                    a.raw(&whole(branch));
                }
            });
        }
        // Counts are 64 bits wide, which Google's JSON writes as texts.
        "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" => {
            let text = value.text().filter(|t| t.parse::<u64>().is_ok());
            o.raw(key, text.as_deref().unwrap_or(value.raw()));
        }
        _ => {
            o.raw(key, value.raw());
        }
    }
}

fn whole(node: Node<'_>) -> String {
    let mut out = String::with_capacity(node.raw().len());
    schema(node, &mut out);
    out
}

fn camel(key: &str) -> &str {
    match key {
        "any_of" => "anyOf",
        "additional_properties" => "additionalProperties",
        key => key,
    }
}

/// A type in JSON Schema's words. Google's are words in capitals.
fn kind(value: Node<'_>, nullable: bool) -> String {
    let Some(word) = value.text() else {
        return value.raw().to_owned();
    };
    let mut out = String::new();
    let word = word.to_ascii_lowercase();
    if nullable && word != "null" {
        write::array(&mut out, |a| {
            a.str(&word).str("null");
        });
    } else {
        write::string(&mut out, &word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn check(openapi: &str, wanted: &str) {
        let schema = of_openapi(json::parse(openapi.as_bytes()).unwrap());
        assert_eq!(schema.as_str(), wanted);
    }

    #[test]
    fn types_are_lower_case_and_nullable_is_one_of_them() {
        check(
            r#"{"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true,"enum":["A"]},"n":{"type":"ARRAY","items":{"type":"INTEGER"},"minItems":"1"}},"required":["type"],"propertyOrdering":["n","type"]}"#,
            r#"{"type":"object","properties":{"type":{"type":["string","null"],"enum":["A"]},"n":{"type":"array","items":{"type":"integer"},"minItems":1}},"required":["type"]}"#,
        );
        check(
            r#"{"any_of":[{"type":"NUMBER"},{"type":"NULL"}],"additional_properties":{"type":"BOOLEAN"}}"#,
            r#"{"anyOf":[{"type":"number"},{"type":"null"}],"additionalProperties":{"type":"boolean"}}"#,
        );
    }

    #[test]
    fn json_schema_stays_what_it_is() {
        let plain = r#"{"type":["string","null"],"description":"TYPE","default":{"type":"X"}}"#;
        check(plain, plain);
        check("true", "true");
    }
}
