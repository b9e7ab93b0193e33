//! The videos that somebody listens to: read together, however many listen.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use log::warn;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::video::VideoObject;
use crate::api::Service;
use crate::errors::chain;
use crate::job::{JobId, PublicState};
use crate::jobs::{ASKED_TIME, JobEvent, JobStatus};

/// Between looks at all jobs that are listened to.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A video as it was when it was last looked at.
#[derive(Clone)]
pub struct Snapshot {
    pub state: PublicState,
    /// The video object, in JSON.
    pub json: Bytes,
}

type Channel = watch::Sender<Option<Snapshot>>;

/// Cheap to clone.
#[derive(Clone, Default)]
pub struct Watched {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    channels: Mutex<HashMap<JobId, Channel>>,
    /// Somebody listens to a job that nobody did.
    changed: Notify,
}

impl Watched {
    /// Listens to a job. The first snapshot comes at once.
    pub async fn listen(
        &self,
        status: &JobStatus,
        service: &Service,
    ) -> watch::Receiver<Option<Snapshot>> {
        let snapshot = Snapshot::of(status, service).await;
        let mut channels = self.channels();
        let channel = channels.entry(status.job.id).or_default();
        // A later one may be there already.
        let is_later = channel
            .borrow()
            .as_ref()
            .is_some_and(|known| known.state.is_end());
        if !is_later {
            channel.send_replace(Some(snapshot));
        }
        let receiver = channel.subscribe();
        drop(channels);
        self.shared.changed.notify_one();
        receiver
    }

    /// Looks at the jobs as long as the service runs.
    pub async fn run(self, service: Arc<Service>) {
        let mut events = service.jobs.events();
        let mut asked = Asked::default();
        loop {
            let ids = self.ids();
            if ids.is_empty() {
                self.shared.changed.notified().await;
                continue;
            }
            if asked.is_due(&ids)
                && let Err(error) = service.jobs.ask_for_progress(&ids).await
            {
                warn!("progress is told late: {}", chain(&error));
            }
            match service.jobs.statuses(&ids).await {
                Ok(statuses) => self.tell(&statuses, &service).await,
                Err(error) => warn!("videos cannot be looked at: {}", chain(&error)),
            }
            // Until a job has ended to which somebody listens.
            let ended = async {
                while let Ok(event) = events.recv().await {
                    if matches!(event, JobEvent::Finished(id) if self.channels().contains_key(&id))
                    {
                        return;
                    }
                }
            };
            let _ = tokio::time::timeout(LOOK_INTERVAL, ended).await;
            // At most so often, however many jobs end.
            sleep(LOOK_INTERVAL / 20).await;
        }
    }

    async fn tell(&self, statuses: &[JobStatus], service: &Service) {
        for status in statuses {
            let snapshot = Snapshot::of(status, service).await;
            if let Some(channel) = self.channels().get(&status.job.id) {
                channel.send_replace(Some(snapshot));
            }
        }
    }

    /// The jobs that somebody listens to.
    fn ids(&self) -> Vec<JobId> {
        let mut channels = self.channels();
        channels.retain(|_, channel| channel.receiver_count() > 0);
        channels.keys().copied().collect()
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<JobId, Channel>> {
        let channels = &self.shared.channels;
        channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The jobs whose progress was asked for, and when.
#[derive(Default)]
struct Asked(Option<(Instant, HashSet<JobId>)>);

impl Asked {
    /// Whether to ask again: there are others, or the time is nearly over for which these were asked.
    fn is_due(&mut self, ids: &[JobId]) -> bool {
        let is_known = |(at, known): &(Instant, HashSet<JobId>)| {
            at.elapsed() < ASKED_TIME / 4 && ids.iter().all(|id| known.contains(id))
        };
        let is_due = !self.0.as_ref().is_some_and(is_known);
        if is_due {
            self.0 = Some((Instant::now(), ids.iter().copied().collect()));
        }
        is_due
    }
}

impl Snapshot {
    async fn of(status: &JobStatus, service: &Service) -> Self {
        let object = VideoObject::of(status, service).await;
        Self {
            state: object.state(),
            json: serde_json::to_vec(&object).unwrap_or_default().into(),
        }
    }
}
