//! Kinora from outside: the real binary on a free port, with a photo server and a webhook sink beside it.
//!
//! Every test has its own data directory and runs beside all others, in any order.

mod avif;
mod bad_input;
mod beats;
mod chaos;
mod check;
mod cli;
mod cluster;
mod cluster_database;
mod colour;
mod doors;
mod durability;
mod encoding;
mod envelopes;
mod events;
mod framing;
mod geometry;
mod guard;
mod health;
mod heif;
mod house;
mod http_errors;
mod idempotency;
mod keys;
mod listing_api;
mod listing_errors;
mod listing_order;
mod listing_upload;
mod memory;
mod motion;
mod object_storage;
mod odd_files;
mod orders;
mod payload;
mod pipelining;
mod presets;
mod previews;
mod queue;
mod reuse;
mod scenes;
#[path = "../servers/mod.rs"]
mod servers;
mod settings;
mod slow_readers;
mod soundtrack;
mod status;
mod stop;
mod store_outage;
mod support;
mod tiff;
mod titles;
mod variants;
mod videos;
mod webhook;
