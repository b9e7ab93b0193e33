//! Decoding processes that are started ahead, so that no file waits for one.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use log::warn;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::process::{DecodeProcess, START_TIMEOUT};
use super::{SandboxError, Settings};

/// Processes that wait in the channel; one more waits for a place in it.
const IN_CHANNEL: usize = 1;

/// Between two tries to start one.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Between two looks whether the work was cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(20);

pub struct Pool {
    ready: Receiver<DecodeProcess>,
    /// Cancelled with the pool.
    dropped: CancellationToken,
}

impl Pool {
    /// Starts the thread that starts the processes. They live no longer than it does: the system kills
    /// them with the thread of their parent.
    pub fn start(settings: Settings, runtime: Handle) -> io::Result<Self> {
        let (sender, ready) = bounded(IN_CHANNEL);
        let dropped = CancellationToken::new();
        let is_dropped = dropped.clone();
        thread::Builder::new()
            .name("sandbox".into())
            .spawn(move || keep_ready(&settings, &runtime, &sender, &is_dropped))?;
        Ok(Self { ready, dropped })
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

impl Drop for Pool {
    fn drop(&mut self) {
        self.dropped.cancel();
    }
}

fn keep_ready(
    settings: &Settings,
    runtime: &Handle,
    ready: &Sender<DecodeProcess>,
    dropped: &CancellationToken,
) {
    let mut is_told = false;
    let mut is_failing = false;
    while !dropped.is_cancelled() {
        match DecodeProcess::start(settings, runtime, dropped) {
            Ok((process, missing)) => {
                is_failing = false;
                if !missing.is_empty() && !is_told {
                    tell(&missing);
                    is_told = true;
                }
                if ready.send(process).is_err() {
                    return;
                }
            }
            Err(error) => {
                if !is_failing && !dropped.is_cancelled() {
                    warn!("no process for decoding could be started: {error}");
                }
                is_failing = true;
                thread::sleep(RETRY_INTERVAL);
            }
        }
    }
}

/// Tells what the system lacks.
fn tell(missing: &[String]) {
    warn!(
        "photos and music are decoded without {}, which this system does not have; memory and time are limited all the same",
        missing.join(" and ")
    );
}
