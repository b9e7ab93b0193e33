//! What every job backend and every storage promises: one suite for each, run against all that there
//! are. A new one adds a harness and passes the suite as it is.

mod backend;
mod interleavings;
mod local;
mod model;
mod object;
mod postgres;
#[path = "../servers/mod.rs"]
mod servers;
mod sqlite;
mod storage;
