//! Panics: a line in the log, with the thread, the place and the message.

use std::panic::{self, PanicHookInfo};
use std::thread;

use log::error;

/// Logs every panic of the process, whoever catches it.
pub fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let thread = thread::current();
        let place = info.location().map(ToString::to_string);
        error!(
            "thread {:?} panicked at {}: {:?}",
            thread.name().unwrap_or("without a name"),
            place.unwrap_or_default(),
            message(info)
        );
    }));
}

fn message<'a>(info: &'a PanicHookInfo) -> &'a str {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a payload that is no text")
}
