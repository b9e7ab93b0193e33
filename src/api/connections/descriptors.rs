//! File descriptors: as many as the system gives, and enough left for work.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::webhooks;

/// For jobs, the job store, uploads and the listener, and for the webhooks that are in flight.
const FOR_WORK: u64 = 256 + webhooks::MOST_IN_FLIGHT as u64;

/// What is left for connections is shared with the files that they are sent.
const PER_CONNECTION: u64 = 2;

/// Raises the limit of this process to the most that it may have, and tells how many connections that is
/// enough for.
pub fn for_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Err: a system that allows less than it says, such as macOS.
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let Some(descriptors) = now else {
        return usize::MAX;
    };
    let left = descriptors.saturating_sub(FOR_WORK).max(descriptors / 2) / PER_CONNECTION;
    usize::try_from(left).unwrap_or(usize::MAX).max(1)
}
