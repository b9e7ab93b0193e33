//! JSON Schemas, embedded, and their errors in our words.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::error::ApiError;
use super::fault::Fault;

/// Of a value in an error's text; it may be as long as the body.
const MAX_VALUE_CHARS: usize = 80;

/// Compiles an embedded schema.
pub fn compile(schema: &str) -> Validator {
    let validator = serde_json::from_str(schema).ok().and_then(|schema: Value| {
        jsonschema::options()
            .should_validate_formats(true)
            .with_format("uri", is_http_url)
            .build(&schema)
            .ok()
    });
    validator.unwrap_or_else(|| panic!("an embedded schema does not compile: {schema}"))
}

/// What `format: uri` asserts: an absolute http(s) URL, as RFC 3986 spells it. The URL parser alone
/// would mend what a browser mends: white space, backslashes, missing slashes.
fn is_http_url(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let is_plain = !text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || c == '\\');
    is_http && is_plain && url::Url::parse(text).is_ok_and(|url| url.has_host())
}

/// Errs with every rule that `payload` breaks.
pub fn validate(schema: &Validator, payload: &Value) -> Result<(), ApiError> {
    let faults: Vec<Fault> = schema
        .iter_errors(payload)
        .map(|error| fault(&error))
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(ApiError::InvalidPayload(faults))
    }
}

fn fault(error: &ValidationError) -> Fault {
    let place = error.instance_path().to_string();
    match error.kind() {
        ValidationErrorKind::Required { property } => Fault::new(
            format!("{place}/{}", property.as_str().unwrap_or_default()),
            "is required",
        ),
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let names = shorten(&unexpected.join(", "));
            Fault::of_value(place, format!("unknown field {names:?} is not allowed"))
        }
        ValidationErrorKind::Format { format } if format == "uri" => {
            let value = shorten(&error.instance().to_string());
            Fault::of_value(place, format!("{value} is not an absolute http(s) URL"))
        }
        _ => {
            let value = shorten(&error.instance().to_string());
            Fault::of_value(place, error.masked_with(value).to_string())
        }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
