//! JSON Schemas, embedded, and their errors in our words.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::error::{ApiError, Fault};

/// Of the text of one error; a value may be as long as the body.
const MAX_MESSAGE_CHARS: usize = 300;

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

/// What `format: uri` asserts: an absolute http(s) URL.
fn is_http_url(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
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
            let names: Vec<&str> = unexpected.iter().map(String::as_str).collect();
            Fault::new(
                place,
                shorten(format!(
                    "unknown field {:?} is not allowed",
                    names.join(", ")
                )),
            )
        }
        ValidationErrorKind::Format { format } if format == "uri" => Fault::new(
            place,
            shorten(format!(
                "{} is not an absolute http(s) URL",
                error.instance()
            )),
        ),
        _ => Fault::new(place, shorten(error.to_string())),
    }
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
