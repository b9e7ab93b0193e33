//! Ctrl-C and SIGTERM during a rendering.

use std::path::PathBuf;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::app::StopSignals;
use crate::pipeline::wav_beside;

/// What a shell expects of a program that was ended by Ctrl-C.
pub const EXIT_INTERRUPTED: u8 = 130;

/// Cancels the rendering of `parts` at the first signal, and ends the process at the second.
pub fn cancel_on_signals(runtime: &Handle, cancel: &CancellationToken, parts: Vec<PathBuf>) {
    let cancel = cancel.clone();
    runtime.spawn(async move {
        let Ok(mut signals) = StopSignals::new() else {
            return;
        };
        signals.next().await;
        cancel.cancel();
        // The second does not wait for a decoder either.
        signals.next().await;
        for part in parts {
            // Err: it is not there any more.
            let _ = std::fs::remove_file(wav_beside(&part));
            let _ = std::fs::remove_file(part);
        }
        std::process::exit(EXIT_INTERRUPTED.into());
    });
}
