//! Events of a video, as they happen (server-sent events, WHATWG HTML 9.2).

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::watched::Snapshot;
use super::{Problem, find};
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::openapi::{CommonErrors, DeletedErrors, ItemErrors};
use crate::job::PublicState;
use crate::metrics::metrics;

/// Between two events at most; so a connection that is gone is noticed.
const INTERVAL: Duration = Duration::from_millis(500);

/// The id of the last event. Who has had it has had all.
const LAST_ID: &str = "end";

/// Tells of a video as it is made.
#[utoipa::path(
    get,
    path = "/api/videos/{id}/events",
    operation_id = "video_events",
    params(
        ("id" = String, Path, format = "uuid"),
        ("Last-Event-ID" = Option<String>, Header, description = "Of the last event that was heard"),
    ),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 204, description = "There are no more"),
        CommonErrors<Problem>, ItemErrors<Problem>, DeletedErrors<Problem>
    ),
)]
pub async fn events(
    request: HttpRequest,
    id: Path<String>,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    let last_id = request.headers().get("last-event-id");
    let status = find(&service, &id).await?;
    if last_id.is_some_and(|id| id == LAST_ID) {
        // Keeps browsers from asking again.
        return Ok(HttpResponse::NoContent().finish());
    }
    let listener = Listener {
        snapshots: service.watched.listen(&status, &service).await,
        closing: service.jobs.closing(),
        is_first: true,
        has_ended: false,
        _counted: Counted::new(),
    };
    let events = stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // For proxies that would wait for more.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events))
}

/// One connection.
struct Listener {
    snapshots: watch::Receiver<Option<Snapshot>>,
    /// The service is stopping: clients connect again, to another node or after the start.
    closing: CancellationToken,
    is_first: bool,
    has_ended: bool,
    _counted: Counted,
}

/// One of those who listen, until it is dropped.
struct Counted;

impl Counted {
    fn new() -> Self {
        metrics().event_listeners.inc();
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics().event_listeners.dec();
    }
}

impl Listener {
    /// The next event; `None` after the last.
    async fn next(&mut self) -> Option<Bytes> {
        if self.has_ended {
            return None;
        }
        if !std::mem::replace(&mut self.is_first, false) {
            let changed = timeout(INTERVAL, self.snapshots.changed());
            // Err: nothing has changed, or nobody looks any more, and it is told again.
            let _ = self.closing.run_until_cancelled(changed).await?;
        }
        let snapshot = self.snapshots.borrow_and_update().clone()?;
        self.has_ended = snapshot.state.is_end();
        Some(event(&snapshot))
    }
}

fn event(snapshot: &Snapshot) -> Bytes {
    let name = match snapshot.state {
        PublicState::Queued | PublicState::Running => "progress",
        end => end.name(),
    };
    let mut event = BytesMut::with_capacity(snapshot.json.len() + 64);
    if snapshot.state.is_end() {
        event.extend_from_slice(format!("id: {LAST_ID}\n").as_bytes());
    }
    event.extend_from_slice(format!("event: {name}\ndata: ").as_bytes());
    event.extend_from_slice(&snapshot.json);
    event.extend_from_slice(b"\n\n");
    event.freeze()
}
