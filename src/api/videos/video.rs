//! The video object: an order on its way, with its outputs.

use serde::Serialize;
use utoipa::ToSchema;

use super::DialectData;
use crate::api::Service;
use crate::api::timestamp::rfc3339;
use crate::job::{
    FailureCode, Job, JobId, Outcome, PublicState, SkippedPhoto, StoredVideo, VideoUrls,
};
use crate::jobs::JobStatus;
use crate::spec::{Frame, VideoSpec};

/// Of the outputs of dialects that do not name theirs.
const UNNAMED: &str = "video";

#[derive(Serialize, ToSchema)]
pub struct VideoObject {
    #[schema(value_type = String, format = "uuid")]
    id: JobId,
    client_id: Option<String>,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    #[schema(value_type = String)]
    state: PublicState,
    /// From 0 to 1.
    progress: f64,
    queue_position: Option<u32>,
    outputs: Vec<Output>,
    skipped: Vec<Skipped>,
    warnings: Vec<String>,
    error: Option<Error>,
    created_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    node: Option<String>,
}

/// One video of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = VideoOutput)]
struct Output {
    name: String,
    url: Option<String>,
    thumbnail_url: Option<String>,
    /// Pixels; known before the end if they do not depend on a photo.
    width: Option<u32>,
    height: Option<u32>,
    /// Seconds.
    duration: f64,
    size_bytes: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SkippedPhoto)]
struct Skipped {
    /// Among the photos of the order, from 0.
    index: usize,
    #[schema(value_type = String)]
    code: FailureCode,
    message: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = VideoError)]
struct Error {
    #[schema(value_type = String)]
    code: FailureCode,
    message: String,
}

impl VideoObject {
    pub async fn of(status: &JobStatus, service: &Service) -> Self {
        let urls = service.urls(&status.job).await;
        Self {
            progress: (status.progress * 1000.0).round() / 1000.0,
            queue_position: status.queue_position,
            ..Self::finished(&status.job, &urls)
        }
    }

    /// Of a job that has ended, with the addresses of its videos.
    pub fn finished(job: &Job, urls: &[VideoUrls]) -> Self {
        let finish = job.finish.as_ref();
        let outcome = finish.map(|finish| &finish.outcome);
        let stored = outcome.and_then(|outcome| outcome.as_ref().ok());
        let remarks = stored.map(|videos| videos.remarks.clone());
        let remarks = remarks.unwrap_or_default();
        let DialectData {
            outputs,
            mut warnings,
        } = DialectData::of(job);
        warnings.extend(remarks.warnings);
        Self {
            id: job.id,
            client_id: job.request.client_id.clone(),
            state: job.public_state(),
            progress: if stored.is_some() { 1.0 } else { 0.0 },
            queue_position: None,
            outputs: outputs_of(job, outputs, urls),
            skipped: remarks.skipped.into_iter().map(Skipped::from).collect(),
            warnings,
            error: outcome.and_then(Error::of),
            created_at: rfc3339(job.created_at),
            started_at: job.started_at.map(rfc3339),
            finished_at: finish.map(|finish| rfc3339(finish.at)),
            node: finish.map(|finish| finish.process.node.clone()),
        }
    }

    pub fn state(&self) -> PublicState {
        self.state
    }
}

fn outputs_of(job: &Job, names: Vec<String>, urls: &[VideoUrls]) -> Vec<Output> {
    let finish = job.finish.as_ref();
    let stored = finish.and_then(|finish| finish.outcome.as_ref().ok());
    let mut stored = stored.into_iter().flat_map(|videos| videos.all());
    let mut urls = urls.iter();
    let mut names = names.into_iter();
    let output = |spec| {
        let name = names.next().unwrap_or_else(|| UNNAMED.to_owned());
        Output::new(name, spec, stored.next(), urls.next())
    };
    job.request.specs.iter().map(output).collect()
}

impl Output {
    fn new(
        name: String,
        spec: &VideoSpec,
        stored: Option<&StoredVideo>,
        urls: Option<&VideoUrls>,
    ) -> Self {
        let planned = match spec.output.frame {
            Frame::Size(size) => Some(size),
            Frame::LikeFirstPhoto => None,
        };
        let size = stored.map(|video| video.facts.size).or(planned);
        Self {
            name,
            url: urls.map(|urls| urls.video.clone()),
            thumbnail_url: urls.and_then(|urls| urls.thumbnail.clone()),
            width: size.map(|size| size.width),
            height: size.map(|size| size.height),
            duration: spec.output.seconds(),
            size_bytes: stored.map(|video| video.facts.bytes),
        }
    }
}

impl From<SkippedPhoto> for Skipped {
    fn from(SkippedPhoto { index, failure }: SkippedPhoto) -> Self {
        Self {
            index,
            code: failure.code,
            message: failure.message,
        }
    }
}

impl Error {
    fn of(outcome: &Outcome) -> Option<Self> {
        let failure = outcome.as_ref().err()?;
        Some(Self {
            code: failure.code,
            message: failure.message.clone(),
        })
    }
}
