//! Kinora from outside: the real binary on a free port, with a photo server and a webhook sink beside it.
//!
//! Every test has its own data directory and runs beside all others, in any order.

mod bad_input;
mod cli;
mod colour;
mod durability;
mod encoding;
mod envelopes;
mod geometry;
mod guard;
mod health;
mod house;
mod http_errors;
mod keys;
mod listing_api;
mod listing_errors;
mod listing_order;
mod listing_upload;
mod memory;
mod payload;
mod presets;
mod queue;
mod scenes;
mod settings;
mod soundtrack;
mod status;
mod stop;
mod support;
mod titles;
mod videos;
mod webhook;
