//! The process of an encoder with all that it starts: a wrapper may be in front of it.

use std::io;
use std::process::{ChildStderr, ChildStdin, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ffmpeg_sidecar::child::FfmpegChild;
use log::warn;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::mark::Mark;

/// Between two checks whether it has ended.
const WAIT_INTERVAL: Duration = Duration::from_millis(2);

/// The same of one that the system cannot end.
const LONG_WAIT_INTERVAL: Duration = Duration::from_secs(1);

/// For processes that were killed to be gone.
const KILL_PATIENCE: Duration = Duration::from_secs(2);

/// Leads a process group of its own. Cheap to clone: the watchdog has one too.
#[derive(Clone)]
pub struct EncoderChild {
    leader: Arc<Mutex<Leader>>,
    mark: Arc<Mark>,
}

struct Leader {
    child: FfmpegChild,
    /// Once it has ended. Its number may be another's by then.
    status: Option<ExitStatus>,
}

impl EncoderChild {
    pub fn new(child: FfmpegChild, mark: Mark) -> Self {
        let leader = Leader {
            child,
            status: None,
        };
        Self {
            leader: Arc::new(Mutex::new(leader)),
            mark: Arc::new(mark),
        }
    }

    pub fn take_pipes(&self) -> (Option<ChildStdin>, Option<ChildStderr>) {
        let child = &mut self.lock().child;
        (child.take_stdin(), child.take_stderr())
    }

    /// Ends it, and all that it has started.
    pub fn kill(&self) {
        self.lock().kill_group();
        self.mark.kill_marked();
    }

    /// Waits for its end, at most so long. What it has left behind in its group is ended.
    pub fn wait(&self, patience: Duration) -> io::Result<ExitStatus> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.lock().status()? {
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
        if !matches!(self.wait(KILL_PATIENCE), Err(error) if error.kind() == io::ErrorKind::TimedOut)
        {
            return;
        }
        warn!("an encoder cannot be ended at the moment");
        let left = self.clone();
        let waiting = thread::Builder::new().name("encoder-end".into());
        // Err: it stays a zombie, for as long as this process lives.
        let _ = waiting.spawn(move || {
            while matches!(left.lock().status(), Ok(None)) {
                thread::sleep(LONG_WAIT_INTERVAL);
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Leader> {
        // A handle to a process cannot be left half changed.
        let leader = &self.leader;
        leader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leader {
    /// How it has ended, if it has. Its group is ended first: until its end is taken note of, nobody else has its number.
    fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            if self.has_ended() {
                self.kill_group();
            }
            self.status = self.child.as_inner_mut().try_wait()?;
        }
        Ok(self.status)
    }

    fn has_ended(&mut self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let ended = self.pid().map(|pid| waitid(WaitId::Pid(pid), options));
        matches!(ended, Some(Ok(Some(_))))
    }

    /// Also if it has ended itself: what it has started may go on.
    fn kill_group(&mut self) {
        if let (None, Some(pid)) = (self.status, self.pid()) {
            // Err: all of them have ended.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    fn pid(&mut self) -> Option<Pid> {
        Pid::from_raw(self.child.as_inner().id().cast_signed())
    }
}
