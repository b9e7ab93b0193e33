//! JSON Schemas, embedded, and the rules that a payload breaks, in our words.

mod violation;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

pub use violation::{Violation, capitalised, dotted};

/// Of a value in an error's text; it may be as long as the body.
const MAX_VALUE_CHARS: usize = 80;

/// Compiles an embedded schema.
pub fn compile(schema: &str) -> Validator {
    compile_with(schema, is_http_url)
}

/// The same, with another meaning of `format: uri`.
pub fn compile_with(schema: &str, is_uri: fn(&str) -> bool) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .with_format("uri", is_uri)
        .build(&parse(schema))
        .unwrap_or_else(|error| panic!("an embedded schema does not compile: {error}: {schema}"))
}

/// Parses an embedded schema.
pub fn parse(schema: &str) -> Value {
    serde_json::from_str(schema)
        .unwrap_or_else(|error| panic!("an embedded schema is not JSON: {error}: {schema}"))
}

/// What `format: uri` asserts: an absolute http(s) URL, as RFC 3986 spells it. The URL parser alone
/// would mend what a browser mends: white space, backslashes, missing slashes.
pub fn is_http_url(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let is_plain = !text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || c == '\\');
    is_http && is_plain && url::Url::parse(text).is_ok_and(|url| url.has_host())
}

/// Every rule that `payload` breaks.
pub fn violations(schema: &Validator, payload: &Value) -> Vec<Violation> {
    let errors = schema.iter_errors(payload);
    errors.map(|error| violation(&error)).collect()
}

/// The fields of `payload` that a schema of nested objects and arrays does not name, as JSON
/// pointers.
pub fn unknown_fields(schema: &Value, payload: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    find_unknown(schema, payload, "", &mut unknown);
    unknown
}

fn find_unknown(schema: &Value, value: &Value, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let Some(known) = schema.get("properties") else {
                return;
            };
            for (name, value) in fields {
                let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                match known.get(name) {
                    Some(schema) => find_unknown(schema, value, &path, unknown),
                    None => unknown.push(path),
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else {
                return;
            };
            for (index, item) in items.iter().enumerate() {
                find_unknown(schema, item, &format!("{path}/{index}"), unknown);
            }
        }
        _ => {}
    }
}

fn violation(error: &ValidationError) -> Violation {
    let place = error.instance_path().to_string();
    match error.kind() {
        ValidationErrorKind::Required { property } => Violation::new(
            format!("{place}/{}", property.as_str().unwrap_or_default()),
            "is required",
        ),
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let names = shorten(&unexpected.join(", "));
            Violation::of_value(place, format!("unknown field {names:?} is not allowed"))
        }
        ValidationErrorKind::Format { format } if format == "uri" => {
            let value = shorten(&error.instance().to_string());
            Violation::of_value(place, format!("{value} is not an absolute http(s) URL"))
        }
        _ => {
            let value = shorten(&error.instance().to_string());
            Violation::of_value(place, error.masked_with(value).to_string())
        }
    }
}

pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
