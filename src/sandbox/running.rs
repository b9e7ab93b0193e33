//! A child process: killed in time, waited for, and asked how it has ended.

use std::io::{self, PipeReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::sentence;

/// Between two checks whether a process has ended.
const WAIT_INTERVAL: Duration = Duration::from_millis(2);

/// A process; killed when this is dropped.
pub struct Running {
    /// Shared with the watchdog.
    child: Arc<Mutex<Child>>,
    stderr: PipeReader,
}

/// Kills a process at its deadline, when its work is cancelled, or when the runtime ends.
pub struct Watchdog {
    task: AbortHandle,
    late: Arc<AtomicBool>,
    /// Set by whoever comes first: the watchdog when it kills, or what it is watched for when it is done.
    is_off: Arc<AtomicBool>,
}

/// Kills a process when this is dropped, unless its watchdog is off.
struct Killer {
    child: Arc<Mutex<Child>>,
    is_off: Arc<AtomicBool>,
}

/// How a process has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was given no more memory, and gave up.
    OutOfMemory,
    /// It has used all of its time on the processor.
    OutOfTime,
    /// In any other way, which may be that it was killed; and what it has said last.
    Exited(ExitStatus, String),
}

/// Of what a process says at its end, in bytes.
const LAST_WORDS: usize = 4096;

/// The most that a pipe holds.
const PIPE_BYTES: u64 = 1 << 20;

/// What the runtimes of Rust and C++, and libheif, say when they are given no memory.
const OUT_OF_MEMORY: [&str; 3] = [
    "memory allocation of",
    "bad_alloc",
    "Memory allocation error",
];

impl Running {
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let (stderr, theirs) = io::pipe()?;
        // Who says too much loses the rest, and does not wait for somebody to read it.
        ioctl_fionbio(&theirs, true)?;
        ioctl_fionbio(&stderr, true)?;
        // Out of reach of a Ctrl-C at the terminal, which is the service's to answer.
        let child = command.stderr(theirs).process_group(0).spawn()?;
        Ok(Self {
            child: Arc::new(Mutex::new(child)),
            stderr,
        })
    }

    /// Its input and its output, once.
    pub fn pipes(&self) -> Option<(ChildStdin, ChildStdout)> {
        let mut child = lock(&self.child);
        child.stdin.take().zip(child.stdout.take())
    }

    pub fn is_alive(&self) -> bool {
        matches!(lock(&self.child).try_wait(), Ok(None))
    }

    /// Has it killed after `time`, when `cancel` is cancelled, or when the runtime ends.
    pub fn watch(&self, time: Duration, runtime: &Handle, cancel: &CancellationToken) -> Watchdog {
        let cancel = cancel.clone();
        let late = Arc::new(AtomicBool::new(false));
        let is_off = Arc::new(AtomicBool::new(false));
        let killer = Killer {
            child: self.child.clone(),
            is_off: is_off.clone(),
        };
        let is_late = late.clone();
        let task = runtime.spawn(async move {
            let cancelled = tokio::time::timeout(time, cancel.cancelled()).await;
            is_late.store(cancelled.is_err(), Ordering::Relaxed);
            drop(killer);
        });
        Watchdog {
            task: task.abort_handle(),
            late,
            is_off,
        }
    }

    /// Waits for its end without holding the lock, which the watchdog needs.
    pub fn wait(&self) -> io::Result<Ending> {
        loop {
            if lock(&self.child).try_wait()?.is_some() {
                return self.end();
            }
            thread::sleep(WAIT_INTERVAL);
        }
    }

    /// Ends it, unless it has just ended by itself, and tells how.
    pub fn end(&self) -> io::Result<Ending> {
        let mut child = lock(&self.child);
        let status = kill(&mut child)?;
        drop(child);
        Ok(Ending::of(status, &self.last_words()))
    }
}

impl Running {
    /// What has been said until now. More may be to come if a process has given its output to others.
    fn last_words(&self) -> String {
        let mut words = Vec::new();
        // Err: there is no more, or nothing is known of it.
        let _ = (&self.stderr).take(PIPE_BYTES).read_to_end(&mut words);
        let start = words.len().saturating_sub(LAST_WORDS);
        String::from_utf8_lossy(&words[start..]).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Err: it is gone already.
        let _ = kill(&mut lock(&self.child));
    }
}

fn kill(child: &mut Child) -> io::Result<ExitStatus> {
    kill_all(child);
    child.wait()
}

/// With the processes that it has started, should the system have let it.
fn kill_all(child: &mut Child) {
    // Err: it was waited for, and its number may be another's.
    if let Ok(None) = child.try_wait() {
        let _ = rustix::process::kill_process_group(Pid::from_child(child), Signal::KILL);
    }
    // Changes nothing for one that is dead.
    let _ = child.kill();
}

impl Ending {
    fn of(status: ExitStatus, words: &str) -> Self {
        let signal = status.signal().and_then(Signal::from_named_raw);
        let is_out_of_memory = || OUT_OF_MEMORY.iter().any(|sign| words.contains(sign));
        match signal {
            Some(Signal::XCPU) => Self::OutOfTime,
            Some(Signal::ABORT) | None if !status.success() && is_out_of_memory() => {
                Self::OutOfMemory
            }
            _ => Self::Exited(status, sentence(words)),
        }
    }
}

impl Watchdog {
    /// Leaves the process alone from now on. Tells whether it has until now.
    pub fn stop(self) -> bool {
        !self.is_off.swap(true, Ordering::Relaxed)
    }

    /// Whether it has killed the process because of its deadline.
    pub fn was_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.is_off.store(true, Ordering::Relaxed);
        self.task.abort();
    }
}

impl Drop for Killer {
    fn drop(&mut self) {
        if !self.is_off.swap(true, Ordering::Relaxed) {
            kill_all(&mut lock(&self.child));
        }
    }
}

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    // A handle to a process cannot be left half changed.
    child.lock().unwrap_or_else(PoisonError::into_inner)
}
