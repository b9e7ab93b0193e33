//! What the tests share: the real binary, the servers beside it, and eyes for its videos.

pub mod api;
pub mod browser;
pub mod bucket;
pub mod client;
pub mod cluster;
pub mod cmyk;
pub mod download;
pub mod frames;
pub mod host;
pub mod listing;
pub mod machine_clock;
pub mod order;
pub mod photos;
pub mod picture;
pub mod probe;
pub mod raw;
pub mod render;
pub mod scratch;
pub mod service;
pub mod sink;
pub mod target;
pub mod tiff;
pub mod wait;
pub mod wire;
