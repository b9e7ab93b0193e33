//! Real servers of object storage, PostgreSQL and the driver of a browser, each test's own, and a proxy that breaks what goes between.
//!
//! `scripts/install-test-servers` installs the servers.

#![allow(dead_code, reason = "each test crate uses a part of it")]

pub mod azurite;
pub mod chromium;
pub mod fake_gcs;
mod gateway;
mod http;
pub mod link;
mod listener;
pub mod ports;
pub mod postgres;
mod process;
pub mod proxy;
pub mod seaweedfs;
mod signature;
mod wire;

/// The bucket, or container, that every server has from its start.
const BUCKET: &str = "videos";
