//! Work that is divided between threads.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does `work` for each item, on the calling thread and on up to `threads - 1` others named `name`.
///
/// A thread that cannot be started is not missed: those that run do its share.
pub fn for_each<T: Send>(
    name: &str,
    threads: usize,
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(T) + Sync,
) {
    let items = Mutex::new(items);
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let share = || {
        while let Some(item) = next() {
            work(item);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            let thread = thread::Builder::new().name(name.to_owned());
            if thread.spawn_scoped(scope, share).is_err() {
                break;
            }
        }
        share();
    });
}
