//! How the processes that an encoder has started are told from all others, wherever they went: a wrapper may start them
//! in groups and sessions of their own.

use std::process::Command;

use uuid::Uuid;

/// In the environment of the encoder, and of all that it starts.
const VARIABLE: &str = "KINORA_ENCODER";

pub struct Mark(String);

impl Mark {
    /// Of a process that is to be started.
    pub fn set_on(command: &mut Command) -> Self {
        let mark = Uuid::new_v4().simple().to_string();
        command.env(VARIABLE, &mark);
        Self(mark)
    }

    /// Ends all that have it. Where the system does not tell environments, none.
    #[cfg(target_os = "linux")]
    pub fn kill_marked(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let marked = format!("{VARIABLE}={}", self.0);
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return;
        };
        let names = processes.flatten().map(|entry| entry.file_name());
        for pid in names.filter_map(|name| name.to_str()?.parse().ok()) {
            // Err: it has ended, or is another user's.
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            if let Some(pid) = Pid::from_raw(pid)
                && variables.any(|variable| variable == marked.as_bytes())
            {
                // Err: it has ended meanwhile.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub fn kill_marked(&self) {}
}
