//! The log: its settings, and its lines in JSON.

use std::io::{self, Write};

use env_logger::fmt::Formatter;
use log::Record;
use serde_json::json;

use crate::setting::{Setting, assign};

#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Each line is an object; else it is text.
    pub is_json: bool,
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[Setting {
        key: "log.format",
        env: None,
        accepts: "text or json",
        set: |s, text| {
            let is_json = match text {
                "text" => Some(false),
                "json" => Some(true),
                _ => None,
            };
            assign(&mut s.is_json, is_json)
        },
    }];
}

/// What begins the id of a job in a message.
const JOB: &str = "job ";
/// The length of an id.
const ID: usize = 36;

/// One object a line, with the id of the job that the message is about.
pub fn json(formatter: &mut Formatter, record: &Record) -> io::Result<()> {
    let message = record.args().to_string();
    let mut line = json!({
        "time": formatter.timestamp_millis().to_string(),
        "level": record.level().as_str().to_lowercase(),
        "target": record.target(),
        "message": message,
    });
    if let Some(job) = job_of(&message) {
        line["job"] = job.into();
    }
    writeln!(formatter, "{line}")
}

fn job_of(message: &str) -> Option<&str> {
    message.match_indices(JOB).find_map(|(at, _)| {
        let id = message.get(at + JOB.len()..at + JOB.len() + ID)?;
        let is_id = |c: char| c.is_ascii_hexdigit() || c == '-';
        id.chars().all(is_id).then_some(id)
    })
}
