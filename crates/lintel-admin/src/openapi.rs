//! `GET /api/v1/openapi.json`: the description of the control API, made from the table of operations.
//!
//! Every schema comes from the type that is parsed or shown. Requests and answers are described apart,
//! because a field that may be left out of a request may still be in every answer.
//! <https://spec.openapis.org/oas/v3.1.1>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::Fact;
use crate::codes::Code;
use crate::operation::{BASE, Call, Operation};
use crate::operations;
use crate::problem::{Problem, Shown};

/// The description.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Document(&'static Value);

impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        "Document".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "object", "required": ["openapi", "info", "paths"] })
    }
}

pub(crate) async fn get(_: Call) -> Result<Fact<Document>, Problem> {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
    Ok(Fact(Document(&DOCUMENT)))
}

/// The whole document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut read = settings.clone().for_deserialize().into_generator();
    let mut shown = settings.for_serialize().into_generator();
    let problem = shown.subschema_for::<Shown<'_>>();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for row in operations::all() {
        let described = operation(row, &mut read, &mut shown, &problem);
        let method = row.method.as_str().to_ascii_lowercase();
        paths.entry(row.path).or_default().insert(method, described);
    }
    let mut schemas = shown.take_definitions(true);
    schemas.extend(read.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lintel control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What administrators and their scripts read and change. docs/api.md has the rules that hold for every operation.",
        },
        "servers": [{ "url": BASE }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas,
        },
    })
}

fn operation(
    row: &Operation,
    read: &mut SchemaGenerator,
    shown: &mut SchemaGenerator,
    problem: &Schema,
) -> Value {
    let roles = row.needs.roles().iter().map(|role| role.name());
    let mut described = json!({
        "operationId": row.id,
        "summary": row.summary,
        "description": format!("Needs the permission `{}`: {}.", row.needs.name(), roles.collect::<Vec<_>>().join(", ")),
        "tags": [row.path.split('/').nth(1).unwrap_or_default()],
        "parameters": parameters(row, read),
        "responses": responses(row, shown, problem),
    });
    if let (Some(body), Some(fields)) = (row.shape.body, described.as_object_mut()) {
        let content = json!({ "application/json": { "schema": body(read) } });
        fields.insert(
            "requestBody".into(),
            json!({ "required": true, "content": content }),
        );
    }
    described
}

fn parameters(row: &Operation, read: &mut SchemaGenerator) -> Vec<Value> {
    let mut all = members((row.shape.path)(read), "path");
    all.extend(members((row.shape.query)(read), "query"));
    let mut header = |name: &str, text: &str, schema: Value| {
        all.push(json!({ "name": name, "in": "header", "required": false, "description": text, "schema": schema }));
    };
    if row.edits() {
        let text =
            "The object's tag as it was read: another one by now is refused with `etag_mismatch`.";
        header(
            "If-Match",
            text,
            json!({ "type": "string", "examples": ["*"] }),
        );
    }
    if row.creates() {
        let text = "Makes a repetition of this call safe for 24 hours.";
        let schema = json!({ "type": "string", "pattern": "^[!-~]{1,255}$" });
        header("Idempotency-Key", text, schema);
    }
    all
}

/// The members of an object's schema as parameters.
fn members(schema: Schema, place: &str) -> Vec<Value> {
    let schema = schema.to_value();
    let required = |name: &str| {
        let listed = schema.get("required").and_then(Value::as_array);
        listed.is_some_and(|names| names.iter().any(|each| each == name))
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = without_null(schema.clone());
        let text = schema
            .as_object_mut()
            .and_then(|fields| fields.remove("description"));
        let mut parameter =
            json!({ "name": name, "in": place, "required": required(name), "schema": schema });
        if let (Some(text), Some(fields)) = (text, parameter.as_object_mut()) {
            fields.insert("description".into(), text);
        }
        parameter
    };
    properties.into_iter().flatten().map(parameter).collect()
}

/// A parameter that may be left out is no parameter that may be null.
fn without_null(schema: Value) -> Value {
    let Value::Object(mut fields) = schema else {
        return schema;
    };
    let is_null = |each: &Value| *each == json!("null") || *each == json!({ "type": "null" });
    if let Some(Value::Array(types)) = fields.get("type") {
        let only = types.iter().find(|each| !is_null(each)).cloned();
        fields.extend(only.map(|only| ("type".to_owned(), only)));
    }
    if let Some(Value::Array(choices)) = fields.remove("anyOf") {
        let choices = choices.into_iter().filter(|each| !is_null(each));
        choices
            .filter_map(|each| each.as_object().cloned())
            .for_each(|only| fields.extend(only));
    }
    Value::Object(fields)
}

fn responses(row: &Operation, shown: &mut SchemaGenerator, problem: &Schema) -> Value {
    let mut success = Map::new();
    let mut headers = Map::new();
    success.insert(
        "description".into(),
        json!(if row.creates() { "Made." } else { "Done." }),
    );
    let schema = (row.shape.answer)(shown);
    success.insert(
        "content".into(),
        json!({ "application/json": { "schema": schema } }),
    );
    if row.shape.tagged {
        headers.insert("ETag".into(), header("The object's tag, for `If-Match`."));
    }
    if row.creates() {
        headers.insert(
            "Location".into(),
            header("Where the new object can be read."),
        );
        success.insert("links".into(), links(row));
    }
    success.insert("headers".into(), Value::Object(headers));
    let mut all = Map::from_iter([(row.shape.status.to_string(), Value::Object(success))]);
    let errors = row.errors();
    for chunk in errors.chunk_by(|a, b| a.status == b.status) {
        if let [first, ..] = chunk {
            all.insert(
                first.status.to_string(),
                refusal(first.status, chunk, problem),
            );
        }
    }
    Value::Object(all)
}

fn refusal(status: u16, codes: &[&'static Code], problem: &Schema) -> Value {
    let lines = codes
        .iter()
        .map(|code| format!("`{}`: {}.", code.name, code.when));
    let names: Vec<&str> = codes.iter().map(|code| code.name).collect();
    let schema = json!({ "allOf": [problem, { "properties": { "code": { "enum": names } } }] });
    let headers = match status {
        401 => json!({ "WWW-Authenticate": header("The scheme: `Bearer`.") }),
        429 => json!({ "Retry-After": header("Seconds to wait.") }),
        _ => json!({}),
    };
    json!({
        "description": lines.collect::<Vec<_>>().join(" "),
        "headers": headers,
        "content": { "application/problem+json": { "schema": schema } },
    })
}

fn header(text: &str) -> Value {
    json!({ "description": text, "required": true, "schema": { "type": "string" } })
}

/// Where a new object goes on: the operations on the path of one of its kind.
fn links(row: &Operation) -> Value {
    let mut all = Map::new();
    for next in operations::rows_under(row.path) {
        let parameter = next
            .path
            .trim_start_matches(row.path)
            .trim_matches(['/', '{', '}']);
        let member = if parameter == "id" { "id" } else { "name" };
        let from = format!("$response.body#/{member}");
        all.insert(
            next.id.into(),
            json!({ "operationId": next.id, "parameters": { parameter: from } }),
        );
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` inside `value`.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|each| references(each, found));
            }
            Value::Array(items) => items.iter().for_each(|each| references(each, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_nothing_is_left_over() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        for reference in &found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(
                document.pointer(pointer).is_some(),
                "{reference} leads nowhere"
            );
        }
        for name in document["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys()
        {
            let reference = format!("#/components/schemas/{name}");
            assert!(
                found.contains(&reference.as_str()),
                "{name} is used nowhere"
            );
            assert!(
                !name.ends_with(|c: char| c.is_ascii_digit()),
                "two types are called {name}"
            );
        }
    }

    #[test]
    fn a_request_and_an_answer_of_one_name_have_one_schema() {
        let settings = SchemaSettings::draft2020_12().with(|s| s.meta_schema = None);
        let mut read = settings.clone().for_deserialize().into_generator();
        let mut shown = settings.for_serialize().into_generator();
        for row in operations::all() {
            (row.shape.path)(&mut read);
            (row.shape.query)(&mut read);
            row.shape.body.map(|body| body(&mut read));
            (row.shape.answer)(&mut shown);
        }
        let shown = shown.take_definitions(true);
        for (name, schema) in read.take_definitions(true) {
            assert_eq!(shown.get(&name).unwrap_or(&schema), &schema, "{name}");
        }
    }

    #[test]
    fn a_nullable_member_is_a_plain_parameter() {
        for (nullable, plain) in [
            (
                json!({"type": ["string", "null"]}),
                json!({"type": "string"}),
            ),
            (json!({"type": "string"}), json!({"type": "string"})),
            (
                json!({"anyOf": [{"$ref": "#/a"}, {"type": "null"}]}),
                json!({"$ref": "#/a"}),
            ),
        ] {
            assert_eq!(without_null(nullable), plain);
        }
    }

    #[test]
    fn headers_that_are_read_are_described() {
        let document = document();
        let has = |path: &str, method: &str, name: &str| {
            let parameters = document["paths"][path][method]["parameters"]
                .as_array()
                .unwrap();
            parameters.iter().any(|parameter| parameter["name"] == name)
        };
        for row in operations::all() {
            let method = row.method.as_str().to_ascii_lowercase();
            assert_eq!(
                has(row.path, &method, "If-Match"),
                row.edits(),
                "{}",
                row.id
            );
            assert_eq!(
                has(row.path, &method, "Idempotency-Key"),
                row.creates(),
                "{}",
                row.id
            );
        }
    }

    #[test]
    fn a_parameter_is_never_null() {
        let document = document();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for operation in methods.as_object().unwrap().values() {
                for parameter in operation["parameters"].as_array().unwrap() {
                    assert!(
                        !parameter["schema"].to_string().contains("null"),
                        "{path}: {parameter}"
                    );
                    assert!(parameter["description"].is_string(), "{path}: {parameter}");
                }
            }
        }
    }
}
