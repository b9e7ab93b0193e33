//! Kills a process at a system call, by strace.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::encoder;

/// For strace to let go.
const PATIENCE: Duration = Duration::from_secs(2);

/// What it does with its job store, its videos, its neighbours and its encoders.
const CALLS: [&str; 12] = [
    "fdatasync",
    "fsync",
    "pwrite64",
    "openat",
    "unlink",
    "renameat2,rename",
    "linkat,link",
    "ftruncate",
    "sendto,writev",
    "connect",
    "accept4",
    "clone3,vfork",
];

/// Whether strace is there, and may look at a process that it has not started.
pub fn can_be_traced(pid: u32) -> bool {
    let Ok(mut strace) = tracer(pid).args(["-e", "trace=none"]).spawn() else {
        return false;
    };
    thread::sleep(Duration::from_millis(300));
    let is_running = matches!(strace.try_wait(), Ok(None));
    stop(&mut strace);
    is_running
}

/// Lets the process die before it does something for the `n`th time from now on. Tells at what.
pub fn kill_at_call(pid: u32, rng: &mut Rng) -> (Tracer, &'static str) {
    let call = CALLS[rng.usize(..CALLS.len())];
    let strace = tracer(pid)
        .args(["-e", &format!("trace={call}")])
        .args([
            "-e",
            &format!("inject={call}:signal=KILL:when={}", rng.u32(1..5)),
        ])
        .spawn();
    (Tracer(strace.expect("strace")), call)
}

fn tracer(pid: u32) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-p", &pid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Lets go of the process when it is dropped.
pub struct Tracer(Child);

impl Drop for Tracer {
    fn drop(&mut self) {
        stop(&mut self.0);
    }
}

/// It leaves what it traces as it was, unless it waits for something that has died.
fn stop(strace: &mut Child) {
    encoder::signal(strace.id(), "INT");
    let deadline = Instant::now() + PATIENCE;
    while matches!(strace.try_wait(), Ok(None)) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    // Err: it has ended already.
    let _ = strace.kill();
    let _ = strace.wait();
}
