//! Decoding processes that are started ahead, so that no file waits for one.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use log::warn;
use tokio_util::sync::CancellationToken;

use super::process::DecodeProcess;
use super::{SandboxError, Settings};

/// Processes that wait in the channel; one more waits for a place in it.
const IN_CHANNEL: usize = 1;

/// How long one may take to come, on a machine that is very busy.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Between two tries to start one.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Between two looks whether the work was cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(20);

pub struct Pool {
    ready: Receiver<DecodeProcess>,
}

impl Pool {
    /// Starts the thread that starts the processes. They live no longer than it does: the system kills
    /// them with the thread of their parent.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let (sender, ready) = bounded(IN_CHANNEL);
        thread::Builder::new()
            .name("sandbox".into())
            .spawn(move || keep_ready(&settings, &sender))?;
        Ok(Self { ready })
    }

    /// A process that waits for a file.
    pub fn take(&self, cancel: &CancellationToken) -> Result<DecodeProcess, SandboxError> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if cancel.is_cancelled() {
                return Err(SandboxError::Cancelled);
            }
            match self.ready.recv_timeout(CANCEL_INTERVAL) {
                // Somebody may have killed it while it waited.
                Ok(process) if process.running.is_alive() => return Ok(process),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Err(SandboxError::NotStarted)
    }
}

fn keep_ready(settings: &Settings, ready: &Sender<DecodeProcess>) {
    let told = AtomicBool::new(false);
    let mut failing = false;
    loop {
        match DecodeProcess::start(settings) {
            Ok((process, missing)) => {
                failing = false;
                tell(&missing, &told);
                if ready.send(process).is_err() {
                    return;
                }
            }
            Err(error) => {
                if !failing {
                    warn!("no process for decoding could be started: {error}");
                }
                failing = true;
                thread::sleep(RETRY_INTERVAL);
            }
        }
    }
}

/// Tells once what the system lacks.
fn tell(missing: &[String], told: &AtomicBool) {
    if missing.is_empty() || told.swap(true, Ordering::Relaxed) {
        return;
    }
    warn!(
        "photos and music are decoded without {}, which this system does not have; memory and time are limited all the same",
        missing.join(" and ")
    );
}
