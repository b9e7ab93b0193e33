//! Follows the machine's clock when that is set.

use std::sync::Arc;
use std::time::Duration;

use log::{error, info};

use super::backend::Backend;
use crate::errors::chain;
use crate::job::clock_step;

const INTERVAL: Duration = Duration::from_secs(1);
/// In milliseconds: what it is corrected by all the time stays below.
const LEAST_STEP: i64 = 1000;

/// For as long as the process runs.
pub async fn follow(backend: Arc<dyn Backend>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let step = clock_step();
        if step.abs() < LEAST_STEP {
            continue;
        }
        match backend.follow_clock(step).await {
            Ok(()) => info!("the machine's clock was set by {} s", step as f64 / 1000.0),
            Err(error) => error!("the clock of the jobs could not be set: {}", chain(&error)),
        }
    }
}
