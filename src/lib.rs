//! Kinora turns still photographs into videos.
//!
//! HTTP dialects and the command line describe a video as one plain specification; one pipeline
//! makes it; a job backend decides when; a storage keeps the result.
//!
//! ```text
//! api::revid ─────────┐                 ┌─ claim ─▶ worker ─▶ pipeline: fetch ▸ decode ▸ render ▸ encode ▸ store
//! api::digitalcarbon ─┴─▶ Jobs::submit ─▶ backend ◀─ finish ─────┘
//!                          (VideoSpec)  └─▶ outbox ─▶ webhooks
//! cli render ─▶ pipeline (no job)
//! ```
//!
//! | module | holds | may import |
//! |---|---|---|
//! | [`spec`] | what a video is: scenes, motion, overlays, output. Plain data | – |
//! | [`job`] | a job, its state and its outcome. Plain data | `spec` |
//! | [`setting`] | one row of a module's table of settings | – |
//! | [`media_type`] | what a file is, identified by its bytes | – |
//! | [`net`] | outbound HTTP: address policy, downloads, posts, uploads | `spec`, `job` |
//! | [`picture`] | bytes → an upright, colour-managed planar picture; logos | `spec`, `media_type` |
//! | [`sound`] | bytes → PCM as long as the video | `spec`, `media_type` |
//! | [`sandbox`] | `picture` and `sound` in child processes, limited and killable | `spec`, `picture`, `sound`, `confinement` |
//! | [`confinement`] | what a process gives up: memory, time, files, system calls | `allocator` |
//! | [`subject`] | what has to be seen of a photo: faces, or what stands out | `spec`, `picture` |
//! | [`titles`] | overlays → layers that are blended into frames | `spec`, `picture` |
//! | [`render`] | pictures and specification → frames | `spec`, `picture`, `subject`, `titles` |
//! | [`encode`] | frames and PCM → MP4: the ffmpeg process | `spec`, `confinement` |
//! | [`storage`] | finished videos and their addresses | `spec`, `job` |
//! | [`listing`] | property facts and a template → specification | `spec` |
//! | `schema` | JSON Schemas, and the rules that a payload breaks | – |
//! | [`order`] | the order of videos, in JSON → specifications | `spec`, `schema`, `listing`, `net`, `render` |
//! | [`pipeline`] | how one video is made; needs no job | all of the above but `listing`, `schema` and `order` |
//! | [`jobs`] | submit, wait, status; the backend and the workers | `spec`, `job`, `pipeline` |
//! | [`webhooks`] | signature, sender, schedule | `job`, `jobs`, `net` |
//! | [`api`] | HTTP: one folder for each dialect | `spec`, `job`, `jobs`, `listing`, `order`, `webhooks` |
//! | `client` | a client of the own API, for the command line | – |
//! | `metrics`, `request_id`, `logging` | what the process counts; which request is answered; the log | – |
//! | [`allocator`] | what becomes of freed memory | – |
//! | [`config`], [`app`], [`cli`] | settings, the composition root, the command line | all |

#![deny(unsafe_code)]

pub mod allocator;
pub mod api;
pub mod app;
pub mod cli;
mod client;
pub mod config;
pub mod confinement;
pub mod encode;
mod errors;
pub mod job;
pub mod jobs;
pub mod listing;
mod logging;
pub mod media_type;
mod metrics;
pub mod net;
pub mod order;
pub mod picture;
pub mod pipeline;
pub mod render;
mod request_id;
pub mod sandbox;
mod schema;
pub mod setting;
pub mod sound;
pub mod spec;
pub mod storage;
pub mod subject;
pub mod titles;
pub mod webhooks;
