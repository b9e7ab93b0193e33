//! Webhooks: signed, sent from the outbox and retried.
//!
//! Delivery is at least once, with the same id and the same bytes at every attempt, signed by
//! Standard Webhooks 1.0.0 (<https://www.standardwebhooks.com>).

mod receivers;
mod schedule;
mod sender;
mod settings;
mod signature;

pub use receivers::MOST_IN_FLIGHT;
pub use schedule::lifetime;
pub use sender::WebhookSender;
pub use settings::Settings;
pub use signature::Secret;
