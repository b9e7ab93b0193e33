//! Kinora turns still photographs into videos.
//!
//! Several HTTP dialects ask for a video, one specification says what is wanted, and one pipeline
//! makes it:
//!
//! ```text
//! api::revid ─────────┐                        ┌─ fetch ─ decode ─ render ─ encode ─ store ─┐
//! api::digitalcarbon ─┼─▶ VideoSpec ─▶ jobs ─▶ worker ─▶ jobs::pipeline                     ├─▶ webhook
//! cli render ─────────┘        (durable, bounded)                                           └─▶ status
//! ```
//!
//! | module | holds | knows |
//! |---|---|---|
//! | [`video`], [`job`], [`setting`] | plain data | nobody |
//! | [`template`] | titles as data: TOML and facts → overlays | `video` |
//! | [`listing`] | photos and facts of a property → specification | `template` |
//! | [`net`] | the only way out: address policy, downloads, posts, uploads | data |
//! | [`picture`] | bytes → an upright, colour-true picture in Y, Cb, Cr | data |
//! | [`sound`] | bytes → PCM as long as the video | nobody |
//! | [`render`] | pictures and specification → frames → ffmpeg | `picture` |
//! | [`storage`] | finished videos and their addresses | data |
//! | [`jobs`] | the queue, the record, the workers and the pipeline | all of the above |
//! | [`webhook`] | the outbox's postman | `jobs`' record, `net` |
//! | [`api`] | HTTP | `jobs`' handle |
//! | [`allocator`] | what becomes of freed memory | nobody |
//! | [`config`], [`app`], [`cli`] | settings, the composition root, the command line | all |

#![deny(unsafe_code)]

pub mod allocator;
pub mod api;
pub mod app;
pub mod cli;
pub mod config;
mod errors;
pub mod job;
pub mod jobs;
pub mod listing;
pub mod net;
pub mod picture;
pub mod render;
pub mod setting;
pub mod sound;
pub mod storage;
pub mod template;
pub mod video;
pub mod webhook;
