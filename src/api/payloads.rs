//! The bodies of requests, checked without a service: for tests that try many.

use serde_json::Value;

use super::{digitalcarbon, revid, videos};
use crate::listing::template::Templates;
use crate::net::Policy;

/// Whether a body makes a video at `POST /paid/image/convert/video`.
pub fn image_to_video(body: &[u8]) -> bool {
    json(body).is_some_and(|payload| revid::accepts(payload, &guard()))
}

/// Whether a body makes a video at `POST /v1-beta/generate-video`, with the bundled templates.
pub fn listing_video(body: &[u8]) -> bool {
    let Ok(templates) = Templates::load(None) else {
        return false;
    };
    json(body).is_some_and(|payload| digitalcarbon::accepts(payload, &guard(), &templates))
}

/// Whether a body makes videos at `POST /api/videos`, with the bundled templates.
pub fn videos(body: &[u8]) -> bool {
    let Ok(templates) = Templates::load(None) else {
        return false;
    };
    json(body).is_some_and(|payload| videos::accepts(payload, &guard(), &templates))
}

fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

/// Without networks that the operator opens.
fn guard() -> Policy {
    Policy::new(Vec::new())
}
