//! What is posted to have a video made.

use serde_json::{Value, json};

/// The least video that every path accepts: 15 frames.
pub fn short(image_url: &str) -> Value {
    json!({ "image_url": image_url, "length": 1, "frame_rate": 15 })
}

/// The same, to be answered later.
pub fn short_to(image_url: &str, webhook_url: &str) -> Value {
    with(short(image_url), json!({ "webhook_url": webhook_url }))
}

/// Adds and replaces fields.
pub fn with(mut order: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().expect("fields") {
        order[name] = value.clone();
    }
    order
}
