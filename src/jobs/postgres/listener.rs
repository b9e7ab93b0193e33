//! What is told between nodes, and what is found if nobody tells.

use std::sync::Arc;
use std::time::Duration;

use log::{info, warn};
use sqlx::postgres::PgListener;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep, timeout};

use super::database::{Database, StoreError};
use super::store::Store;
use super::wake::Wake;
use crate::errors::chain;
use crate::jobs::backend::JobEvent;
use crate::jobs::row;

/// How often a connection that tells nothing is asked whether it is there, and how long it may take.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Between attempts to connect.
const CONNECT_AGAIN: Duration = Duration::from_millis(500);

/// Between looks for lapsed leases.
const LEASES_INTERVAL: Duration = Duration::from_secs(2);

/// Passes on what other nodes tell, over one connection after the other.
pub async fn listen(
    mut listener: PgListener,
    database: Database,
    wake: Arc<Wake>,
    events: broadcast::Sender<JobEvent>,
) {
    loop {
        let lost = follow(&mut listener, &wake, &events).await;
        warn!("nothing is heard of other nodes: {}", chain(&lost));
        listener = listen_again(&database).await;
        // What was told while nobody listened.
        wake.all();
        let _ = events.send(JobEvent::Missed);
    }
}

async fn listen_again(database: &Database) -> PgListener {
    loop {
        sleep(CONNECT_AGAIN).await;
        match database.listener().await {
            Ok(listener) => return listener,
            Err(error) => warn!("nothing is heard of other nodes: {}", chain(&error)),
        }
    }
}

/// Until the connection is lost.
async fn follow(
    listener: &mut PgListener,
    wake: &Wake,
    events: &broadcast::Sender<JobEvent>,
) -> StoreError {
    listener.eager_reconnect(false);
    loop {
        match timeout(CHECK_INTERVAL, listener.try_recv()).await {
            Ok(Ok(Some(told))) => pass_on(told.payload(), wake, events),
            Ok(Ok(None)) => return StoreError::NoAnswer,
            Ok(Err(error)) => return error.into(),
            Err(_) => {
                let answer = sqlx::query("SELECT").execute(&mut *listener);
                match timeout(CHECK_INTERVAL, answer).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return error.into(),
                    Err(_) => return StoreError::NoAnswer,
                }
            }
        }
    }
}

/// Anything else is of a newer version.
fn pass_on(told: &str, wake: &Wake, events: &broadcast::Sender<JobEvent>) {
    let Some((what, which)) = told.split_once(' ') else {
        return;
    };
    let event = match (what, which.parse()) {
        ("finished", Ok(id)) => JobEvent::Finished(id),
        ("cancel", Ok(id)) => JobEvent::CancelRequested(id),
        ("progress", Ok(id)) => JobEvent::ProgressAsked(id),
        ("queued", _) => {
            let lane = which.parse().ok().and_then(|number| row::lane(number).ok());
            return lane.into_iter().for_each(|lane| wake.job_waits(lane));
        }
        _ => return,
    };
    // Err: nobody listens.
    let _ = events.send(event);
}

/// Looks for lapsed leases, of whichever node. After a time in which the store did not answer, holders get
/// the length of a lease to renew theirs.
pub async fn put_lapsed_back(store: Store, lease: Duration) {
    let mut answers_since = Instant::now();
    loop {
        sleep(LEASES_INTERVAL.min(lease / 4)).await;
        let looked = match answers_since.elapsed() < lease {
            true => store.database.probe().await.map(|()| 0),
            false => store.put_lapsed_back().await,
        };
        match looked {
            Ok(0) => {}
            Ok(count) => {
                info!("{count} jobs are back in the queue: nobody has renewed their leases")
            }
            Err(_) => answers_since = Instant::now(),
        }
    }
}
