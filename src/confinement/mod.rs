//! What a process gives up before it touches what strangers sent: memory, time, files, system calls.
//!
//! ```text
//! launch ─ other programs, confined
//! syscalls ─ which system calls are left (seccomp)
//! files ─ which files are left (Landlock)
//! ```
//!
//! Only for processes that do nothing else: nothing of it can be taken back. Where the kernel knows no
//! filter, the resource limits hold alone, and the caller is told.

#[cfg(target_os = "linux")]
mod files;
mod launch;
#[cfg(target_os = "linux")]
mod syscalls;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use launch::{
    NOT_EXECUTABLE, NOT_STARTED, SUBCOMMAND, become_program, converter, encoder, this_program,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Of the main thread's stack, which [`Limits::memory`] does not count.
const STACK_BYTES: u64 = 8 << 20;

/// For programs and libraries, for the stacks of threads and for what allocators reserve.
const ADDRESSES_BEYOND_MEMORY: u64 = 2 << 30;

/// What is left to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access<'a> {
    /// The pipes that it has.
    Pipes,
    /// The files in a directory and the system's programs, but no network and no further processes.
    Directory {
        directory: &'a Path,
        /// The files in it that may be written.
        results: &'a [PathBuf],
        /// Where its program is, if not among the system's.
        program: Option<&'a Path>,
    },
    /// Files and programs, but no network.
    Files,
}

/// Resource limits; see getrlimit(2).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of data: heap, stacks of threads, private mappings.
    pub memory: u64,
    /// Of the processor, on all threads together; `None`: no limit.
    pub cpu: Option<Duration>,
    /// Open files.
    pub files: u64,
    /// Bytes of any file that is written; `None`: no limit.
    pub file_bytes: Option<u64>,
}

/// Confines this process and all that it starts. Call it while there is one thread.
///
/// Tells what the system does not know, as words for a sentence.
///
/// # Errors
/// If a resource limit cannot be set.
pub fn confine(limits: Limits, access: Access<'_>) -> io::Result<Vec<&'static str>> {
    lower(Resource::Core, 0, 0)?;
    lower(Resource::Nofile, limits.files, limits.files)?;
    if let Some(bytes) = limits.file_bytes {
        lower(Resource::Fsize, bytes, bytes)?;
    }
    limit_memory(limits.memory)?;
    limit_addresses(limits.memory, access)?;
    if access != Access::Files {
        lower(Resource::Stack, STACK_BYTES, STACK_BYTES)?;
    }
    if let Some(cpu) = limits.cpu {
        limit_cpu(cpu)?;
    }
    #[cfg(target_os = "linux")]
    drop_capabilities(access)?;
    Ok(restrict(access))
}

/// What a root user may do beyond others. Programs keep the right to reach files that another user owns.
#[cfg(target_os = "linux")]
fn drop_capabilities(access: Access<'_>) -> io::Result<()> {
    use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
    let left = match access {
        Access::Pipes => CapabilitySet::empty(),
        Access::Directory { .. } | Access::Files => {
            CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH
        }
    };
    let now = capabilities(None)?;
    let sets = CapabilitySets {
        effective: now.effective & left,
        permitted: now.permitted & left,
        inheritable: CapabilitySet::empty(),
    };
    Ok(set_capabilities(None, sets)?)
}

/// Ends this process with the thread that has started it.
///
/// # Errors
/// If the system refuses.
pub fn die_with_parent() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}

/// Lowers the limit of data, in bytes, for good.
///
/// # Errors
/// If the system refuses.
pub fn limit_memory(bytes: u64) -> io::Result<()> {
    let lowered = lower(Resource::Data, bytes, bytes);
    // Darwin counts no data, and refuses to pretend.
    if cfg!(target_os = "linux") {
        lowered
    } else {
        Ok(())
    }
}

/// Addresses that nothing is written to cost tables of the kernel, which no other limit counts.
fn limit_addresses(memory: u64, access: Access<'_>) -> io::Result<()> {
    // Darwin refuses it.
    if access == Access::Files || !cfg!(target_os = "linux") {
        return Ok(());
    }
    let bytes = memory + ADDRESSES_BEYOND_MEMORY;
    lower(Resource::As, bytes, bytes)
}

/// Lowers the limit of time on the processor to `cpu` from now on. It can be raised again up to that of [`confine`].
pub fn limit_cpu_for_now(cpu: Duration) -> io::Result<()> {
    let maximum = getrlimit(Resource::Cpu).maximum;
    let seconds = whole_seconds(used_cpu() + cpu);
    let current = Some(maximum.map_or(seconds, |maximum| seconds.min(maximum.saturating_sub(1))));
    Ok(setrlimit(Resource::Cpu, Rlimit { current, maximum })?)
}

/// The process gets a signal of its own for this, SIGXCPU, and a second later one that it cannot survive.
fn limit_cpu(cpu: Duration) -> io::Result<()> {
    let seconds = whole_seconds(used_cpu() + cpu);
    lower(Resource::Cpu, seconds, seconds + 1)
}

/// What this process has used until now.
fn used_cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    used.try_into().unwrap_or_default()
}

/// As limits of time on the processor are, rounded up.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Never raises a limit.
fn lower(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let limit = getrlimit(resource).maximum;
    let within = |value: u64| Some(limit.map_or(value, |limit| value.min(limit)));
    let limit = Rlimit {
        current: within(current),
        maximum: within(maximum),
    };
    Ok(setrlimit(resource, limit)?)
}

#[cfg(target_os = "linux")]
fn restrict(access: Access<'_>) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if files::leave(access).is_err() {
        missing.push("Landlock");
    }
    if syscalls::filter(access).is_err() {
        missing.push("seccomp filters");
    }
    missing
}

#[cfg(not(target_os = "linux"))]
fn restrict(_: Access<'_>) -> Vec<&'static str> {
    vec!["filters for system calls and files"]
}
