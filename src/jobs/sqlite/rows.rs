//! Rows of the job store, read and written.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::StoreError;
use crate::job::{Finish, Job, JobId, JobRequest, JobState, Lane, Outcome, Timestamp};
use crate::spec::VideoSpec;

type Result<T> = std::result::Result<T, StoreError>;

/// What [`job`] reads.
pub const JOB_COLUMNS: &str = "id, dialect, endpoint, dialect_data, client_id, webhook_url, lane, \
    spec, state, attempt, cancel_requested, unstored, created_at, started_at, changed_at, outcome, process";

pub fn job(row: &SqliteRow) -> Result<Job> {
    let started_at: Option<i64> = row.try_get("started_at")?;
    let dialect_data: Option<&str> = row.try_get("dialect_data")?;
    let unstored: Option<&str> = row.try_get("unstored")?;
    let spec = from_json(row.try_get("spec")?)?;
    Ok(Job {
        id: id(row)?,
        state: state(row)?,
        attempt: row.try_get("attempt")?,
        cancel_requested: row.try_get("cancel_requested")?,
        unstored: unstored.map(from_json).transpose()?,
        created_at: Timestamp(row.try_get("created_at")?),
        started_at: started_at.map(Timestamp),
        finish: finish(row, &spec)?,
        request: JobRequest {
            dialect: row.try_get("dialect")?,
            endpoint: row.try_get("endpoint")?,
            client_id: row.try_get("client_id")?,
            webhook_url: row.try_get("webhook_url")?,
            lane: lane(row)?,
            spec,
            dialect_data: dialect_data.map(from_json).transpose()?,
        },
    })
}

pub fn id(row: &SqliteRow) -> Result<JobId> {
    let text: String = row.try_get("id")?;
    text.parse().map_err(|_| StoreError::Unreadable(text))
}

pub fn lane(row: &SqliteRow) -> Result<Lane> {
    match row.try_get("lane")? {
        0 => Ok(Lane::Express),
        1 => Ok(Lane::Normal),
        other => Err(StoreError::Unreadable(format!("lane {other}"))),
    }
}

/// As it is stored: lanes are served in the order of their numbers.
pub fn lane_number(lane: Lane) -> i64 {
    match lane {
        Lane::Express => 0,
        Lane::Normal => 1,
    }
}

pub fn state(row: &SqliteRow) -> Result<JobState> {
    match row.try_get("state")? {
        "queued" => Ok(JobState::Queued),
        "running" => Ok(JobState::Running),
        "done" => Ok(JobState::Done),
        other => Err(StoreError::Unreadable(other.to_owned())),
    }
}

fn finish(row: &SqliteRow, spec: &VideoSpec) -> Result<Option<Finish>> {
    let (outcome, process): (Option<&str>, Option<&str>) =
        (row.try_get("outcome")?, row.try_get("process")?);
    let (Some(outcome), Some(process)) = (outcome, process) else {
        return Ok(None);
    };
    let mut outcome: Outcome = from_json(outcome)?;
    if let Ok(video) = &mut outcome
        && video.facts.frame_rate == 0
    {
        video.facts.frame_rate = spec.output.frame_rate;
    }
    Ok(Some(Finish {
        at: Timestamp(row.try_get("changed_at")?),
        outcome,
        process: from_json(process)?,
    }))
}

pub fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable(error.to_string()))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable(error.to_string()))
}
