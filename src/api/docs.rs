//! `/api/docs`: the API's description as a page, rendered here from the OpenAPI document.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use askama::Template;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::ApiDoc;
use crate::page::{Page, View};

/// How deep examples go into nested schemas.
const DEPTH: usize = 6;

/// The document, as it is served.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(ApiDoc::openapi()).unwrap_or_default());

/// Operations of one tag.
struct Group {
    name: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    scopes: Vec<String>,
    parameters: Vec<Field>,
    body: Option<Shape>,
    body_example: String,
    answers: Vec<Answer>,
    curl: String,
}

struct Answer {
    status: String,
    description: String,
    shape: Option<Shape>,
}

/// A type: its words, and the named schema that it links to.
struct Shape {
    words: String,
    /// Empty when it is no schema of its own.
    schema: String,
}

/// A parameter or a property.
struct Field {
    name: String,
    /// Where a parameter stands: path, query or header.
    place: String,
    is_required: bool,
    shape: Shape,
    description: String,
}

struct Schema {
    name: String,
    description: String,
    fields: Vec<Field>,
    /// Of an enumeration.
    values: Vec<String>,
}

#[derive(Template)]
#[template(path = "api/docs.html")]
struct DocsPage {
    page: Page,
    intro: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

/// `GET /api/docs`
pub async fn show_docs(page: Page) -> Response {
    let base_url = page.base_url.clone();
    let view = DocsPage {
        page: page.titled_key("api-title").canonical_path("/api/docs"),
        intro: prose(&DOCUMENT["info"]),
        groups: groups(&DOCUMENT, &base_url),
        schemas: schemas(&DOCUMENT),
    };
    View(view).into_response()
}

fn groups(document: &'static Value, base_url: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, methods) in entries(&document["paths"]) {
        for (method, details) in entries(methods) {
            let operation = operation(document, base_url, method, path, details);
            let name = details["tags"][0].as_str().unwrap_or("").to_owned();
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.operations.push(operation),
                None => groups.push(Group { name, operations: vec![operation] }),
            }
        }
    }
    groups
}

fn operation(document: &Value, base_url: &str, method: &str, path: &str, details: &Value) -> Operation {
    let method = method.to_uppercase();
    let parameters: Vec<Field> = list(&details["parameters"])
        .iter()
        .map(|parameter| Field {
            name: text(parameter, "name").to_owned(),
            place: text(parameter, "in").to_owned(),
            is_required: parameter["required"] == true,
            shape: shape(&parameter["schema"]),
            description: prose(parameter),
        })
        .collect();
    let body = &details["requestBody"]["content"]["application/json"]["schema"];
    let body_example = if body.is_null() {
        String::new()
    } else {
        serde_json::to_string_pretty(&example(document, body, DEPTH)).unwrap_or_default()
    };
    let scopes = scopes(details);
    Operation {
        id: format!("{}-{}", method.to_lowercase(), path.replace(['/', '{', '}'], "-").replace("--", "-")),
        curl: curl(base_url, &method, path, scopes.is_some(), &body_example),
        scopes: scopes.unwrap_or_default(),
        summary: text(details, "summary").to_owned(),
        description: prose(details),
        body: (!body.is_null()).then(|| shape(body)),
        body_example,
        answers: answers(details),
        parameters,
        method,
        path: path.to_owned(),
    }
}

/// The scopes of an operation; none when it needs no token.
fn scopes(details: &Value) -> Option<Vec<String>> {
    let needed = list(&details["security"]).iter().find_map(|scheme| scheme["token"].as_array())?;
    Some(needed.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn answers(details: &Value) -> Vec<Answer> {
    entries(&details["responses"])
        .map(|(status, answer)| {
            let content = entries(&answer["content"]).next().map(|(_, content)| &content["schema"]);
            Answer { status: status.to_owned(), description: prose(answer), shape: content.map(shape) }
        })
        .collect()
}

fn curl(base_url: &str, method: &str, path: &str, has_token: bool, body: &str) -> String {
    let mut lines = vec![match method {
        "GET" => format!("curl '{base_url}{path}'"),
        _ => format!("curl -X {method} '{base_url}{path}'"),
    }];
    if has_token {
        lines.push("-H \"Authorization: Bearer $TOKEN\"".into());
    }
    if !body.is_empty() {
        lines.push("-H 'Content-Type: application/json'".into());
        lines.push(format!("-d '{}'", body.replace('\'', "'\\''")));
    }
    lines.join(" \\\n  ")
}

fn schemas(document: &'static Value) -> Vec<Schema> {
    entries(&document["components"]["schemas"])
        .map(|(name, schema)| Schema {
            name: name.to_owned(),
            description: prose(schema),
            fields: fields(document, schema),
            values: values(schema),
        })
        .collect()
}

/// The values of an enumeration, with or without words of their own.
fn values(schema: &Value) -> Vec<String> {
    let parts = list(&schema["oneOf"]).iter().flat_map(|part| list(&part["enum"]));
    list(&schema["enum"])
        .iter()
        .chain(parts)
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect()
}

/// The properties of an object, those of its parts too.
fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let required: BTreeSet<&str> = list(&schema["required"]).iter().filter_map(Value::as_str).collect();
    let own = entries(&schema["properties"]).map(|(name, property)| Field {
        name: name.to_owned(),
        place: String::new(),
        is_required: required.contains(name),
        shape: shape(property),
        description: prose(property),
    });
    let parts = list(&schema["allOf"]).iter().flat_map(|part| fields(document, resolve(document, part)));
    own.chain(parts).collect()
}

/// A schema in words: `string`, `array of Article`, ...
fn shape(schema: &Value) -> Shape {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or(reference).to_owned();
        return Shape { words: name.clone(), schema: name };
    }
    let choices = list(&schema["oneOf"]).iter().chain(list(&schema["anyOf"]));
    let choices: Vec<Shape> = choices.filter(|choice| choice["type"] != "null").map(shape).collect();
    if !choices.is_empty() {
        let words = choices.iter().map(|choice| choice.words.as_str()).collect::<Vec<_>>().join(" | ");
        let schema = if choices.len() == 1 { choices[0].schema.clone() } else { String::new() };
        return Shape { words, schema };
    }
    if !schema["items"].is_null() {
        let items = shape(&schema["items"]);
        return Shape { words: format!("array of {}", items.words), schema: items.schema };
    }
    let values = values(schema);
    let kind = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" | ")
        }
        _ => "any".into(),
    };
    let words = match text(schema, "format") {
        _ if !values.is_empty() => values.join(" | "),
        "" => kind,
        format => format!("{kind} ({format})"),
    };
    Shape { words, schema: String::new() }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(schema),
        None => schema,
    }
}

/// A value of a schema: the one it gives itself, or one made up from its type.
fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolve(document, schema);
    let given = [&schema["example"], &schema["examples"][0], &schema["default"]];
    if let Some(given) = given.into_iter().find(|given| !given.is_null()) {
        return given.clone();
    }
    if depth == 0 {
        return Value::Null;
    }
    if let Some(value) = values(schema).into_iter().next() {
        return value.into();
    }
    let mut choices = list(&schema["oneOf"]).iter().chain(list(&schema["anyOf"]));
    if let Some(choice) = choices.find(|choice| choice["type"] != "null") {
        return example(document, choice, depth - 1);
    }
    if !schema["items"].is_null() {
        return json!([example(document, &schema["items"], depth - 1)]);
    }
    let mut object = Map::new();
    for part in list(&schema["allOf"]) {
        if let Value::Object(more) = example(document, part, depth - 1) {
            object.extend(more);
        }
    }
    for (name, property) in entries(&schema["properties"]) {
        object.insert(name.to_owned(), example(document, property, depth - 1));
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").unwrap_or(&Value::Null),
        kind => kind,
    };
    match kind.as_str() {
        Some("string") if schema["format"] == "date-time" => "2026-01-31T08:00:00Z".into(),
        Some("string") => "…".into(),
        Some("integer" | "number") => 1.into(),
        Some("boolean") => true.into(),
        _ => Value::Object(object),
    }
}

fn entries(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn list(array: &Value) -> &[Value] {
    array.as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or("")
}

/// A description as HTML: doc comments are Markdown.
fn prose(object: &Value) -> String {
    comrak::markdown_to_html(text(object, "description"), &comrak::Options::default())
}
