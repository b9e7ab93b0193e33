//! The processes that services have started to encode videos.

use std::fs;
use std::process::Command;

pub struct Encoder {
    pub pid: u32,
    /// Names the file that it writes.
    pub command: String,
}

impl Encoder {
    /// Those of a service's process.
    pub fn of(parent: u32) -> Vec<Self> {
        children(parent)
            .into_iter()
            .filter_map(|pid| {
                let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
                let encodes = command.contains("yuv4mpegpipe");
                encodes.then_some(Self { pid, command })
            })
            .collect()
    }

    /// `false`: it has ended by itself.
    pub fn signal(&self, name: &str) -> bool {
        signal(self.pid, name)
    }
}

pub fn signal(pid: u32, name: &str) -> bool {
    let sent = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .output();
    sent.is_ok_and(|output| output.status.success())
}

/// Its children, those that have ended and wait for it included.
pub fn children(parent: u32) -> Vec<u32> {
    let line = format!("PPid:\t{parent}");
    let processes = fs::read_dir("/proc").expect("processes");
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_ours = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status"));
        status.is_ok_and(|status| status.lines().any(|it| it == line))
    };
    pids.filter(is_ours).collect()
}

/// Whether a process has ended, and waits for its parent or is gone.
pub fn is_dead(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    status.map_or(true, |status| status.contains("State:\tZ"))
}

/// Those of its children that have ended, and that it has not looked after.
pub fn zombies(parent: u32) -> Vec<u32> {
    let mut children = children(parent);
    children.retain(|pid| is_dead(*pid));
    children
}
