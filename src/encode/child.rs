//! The process of an encoder with all that it starts: a wrapper may be in front of it.

use std::io;
use std::process::{ChildStderr, ChildStdin, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ffmpeg_sidecar::child::FfmpegChild;
use log::warn;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Between two checks whether it has ended.
const WAIT_INTERVAL: Duration = Duration::from_millis(2);

/// For processes that were killed to be gone.
const KILL_PATIENCE: Duration = Duration::from_secs(2);

/// Leads a process group of its own. Cheap to clone: the watchdog has one too.
#[derive(Clone)]
pub struct EncoderChild(Arc<Mutex<FfmpegChild>>);

impl EncoderChild {
    pub fn new(child: FfmpegChild) -> Self {
        Self(Arc::new(Mutex::new(child)))
    }

    pub fn take_pipes(&self) -> (Option<ChildStdin>, Option<ChildStderr>) {
        let mut child = self.lock();
        (child.take_stdin(), child.take_stderr())
    }

    /// Ends it, and all that it has started.
    pub fn kill(&self) {
        let mut child = self.lock();
        // Also if it has ended itself: what it has started may go on.
        if has_ended(&mut child).is_some() {
            kill_group(&mut child);
        }
    }

    /// Waits for its end, at most so long. What it has started and left behind is ended.
    pub fn wait(&self, patience: Duration) -> io::Result<ExitStatus> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.take_note()? {
                return Ok(status);
            }
            if began.elapsed() > patience {
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::sleep(WAIT_INTERVAL);
        }
    }

    /// Ends it, and waits until it is gone. One that the system cannot end now is waited for in the background.
    pub fn end(&self) {
        self.kill();
        if self.wait(KILL_PATIENCE).is_ok() {
            return;
        }
        warn!("an encoder cannot be ended at the moment");
        let left = self.clone();
        let waiting = thread::Builder::new().name("encoder-end".into());
        // Err: it stays a zombie, for as long as this process lives.
        let _ = waiting.spawn(move || while left.wait(Duration::MAX).is_err() {});
    }

    /// How it has ended, if it has.
    fn take_note(&self) -> io::Result<Option<ExitStatus>> {
        let mut child = self.lock();
        if has_ended(&mut child) == Some(true) {
            kill_group(&mut child);
        }
        child.as_inner_mut().try_wait()
    }

    fn lock(&self) -> MutexGuard<'_, FfmpegChild> {
        // A handle to a process cannot be left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it has ended. `None`: that was taken note of before, and its number may be another's by now.
fn has_ended(child: &mut FfmpegChild) -> Option<bool> {
    let pid = Pid::from_raw(child.as_inner().id().cast_signed())?;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let ended = waitid(WaitId::Pid(pid), options).ok()?;
    Some(ended.is_some())
}

fn kill_group(child: &mut FfmpegChild) {
    if let Some(pid) = Pid::from_raw(child.as_inner().id().cast_signed()) {
        // Err: all of them have ended.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}
