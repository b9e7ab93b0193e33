//! A job as its database gives it: text and numbers, the same in each.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::job::{Finish, Job, JobId, JobRequest, JobState, Lane, Outcome, Timestamp};
use crate::jobs::backend::WebhookState;
use crate::spec::VideoSpec;

/// The row of a job. JSON is in text, times are in milliseconds since the Unix epoch.
#[derive(sqlx::FromRow)]
pub struct JobRow {
    pub id: String,
    pub dialect: String,
    pub endpoint: String,
    pub dialect_data: Option<String>,
    pub client_id: Option<String>,
    pub webhook_url: Option<String>,
    pub lane: i64,
    pub spec: String,
    pub state: String,
    pub attempt: i64,
    pub crashes: i64,
    pub cancel_requested: bool,
    pub unstored: Option<String>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub outcome: Option<String>,
    pub process: Option<String>,
    pub deleted_at: Option<i64>,
}

/// What a row holds and this version cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the job store holds a row that cannot be read: {0}")]
pub struct Unreadable(String);

type Result<T> = std::result::Result<T, Unreadable>;

impl JobRow {
    pub fn into_job(self) -> Result<Job> {
        let specs = specs(&self.spec)?;
        Ok(Job {
            id: parsed(&self.id)?,
            state: state(&self.state)?,
            attempt: u32::try_from(self.attempt).map_err(unreadable)?,
            crashes: u32::try_from(self.crashes).map_err(unreadable)?,
            cancel_requested: self.cancel_requested,
            unstored: self.unstored.as_deref().map(from_json).transpose()?,
            created_at: Timestamp(self.created_at),
            started_at: self.started_at.map(Timestamp),
            claimed: None,
            finish: self.finish(&specs)?,
            deleted_at: self.deleted_at.map(Timestamp),
            request: JobRequest {
                dialect: self.dialect,
                endpoint: self.endpoint,
                client_id: self.client_id,
                webhook_url: self.webhook_url,
                lane: lane(self.lane)?,
                specs,
                dialect_data: self.dialect_data.as_deref().map(from_json).transpose()?,
            },
        })
    }

    fn finish(&self, specs: &[VideoSpec]) -> Result<Option<Finish>> {
        let ended = self.finished_at.zip(self.outcome.as_deref());
        let Some(((at, outcome), process)) = ended.zip(self.process.as_deref()) else {
            return Ok(None);
        };
        let mut outcome: Outcome = from_json(outcome)?;
        if let (Ok(videos), Some(spec)) = (&mut outcome, specs.first())
            && videos.first.facts.frame_rate == 0
        {
            videos.first.facts.frame_rate = spec.output.frame_rate;
        }
        Ok(Some(Finish {
            at: Timestamp(at),
            outcome,
            process: from_json(process)?,
        }))
    }
}

/// The specifications as they are stored: of one video, as older versions know it, or of several.
pub fn specs_to_json(specs: &[VideoSpec]) -> Result<String> {
    match specs {
        [spec] => to_json(spec),
        specs => to_json(&specs),
    }
}

/// What tells specifications apart.
pub fn spec_hash(specs: &[VideoSpec]) -> Result<String> {
    let hash = Sha256::digest(specs_to_json(specs)?);
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn specs(text: &str) -> Result<Vec<VideoSpec>> {
    match text.starts_with('[') {
        true => from_json(text),
        false => Ok(vec![from_json(text)?]),
    }
}

/// The id and the state of a job.
pub fn id_and_state((id, found): &(String, String)) -> Result<(JobId, JobState)> {
    Ok((parsed(id)?, state(found)?))
}

pub fn webhook_state(name: &str) -> Result<WebhookState> {
    WebhookState::named(name).ok_or_else(|| unreadable(name))
}

pub fn lane(number: i64) -> Result<Lane> {
    match number {
        0 => Ok(Lane::Express),
        1 => Ok(Lane::Normal),
        other => Err(Unreadable(format!("lane {other}"))),
    }
}

/// As it is stored: lanes are served in the order of their numbers.
pub fn lane_number(lane: Lane) -> i64 {
    match lane {
        Lane::Express => 0,
        Lane::Normal => 1,
    }
}

fn state(name: &str) -> Result<JobState> {
    match name {
        "queued" => Ok(JobState::Queued),
        "running" => Ok(JobState::Running),
        "done" => Ok(JobState::Done),
        other => Err(unreadable(other)),
    }
}

pub fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(unreadable)
}

pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(unreadable)
}

pub fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<T> {
    text.parse()
        .map_err(|error: T::Err| unreadable(error.to_string()))
}

fn unreadable(what: impl ToString) -> Unreadable {
    Unreadable(what.to_string())
}
