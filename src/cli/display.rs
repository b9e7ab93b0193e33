//! What is seen of a rendering at a terminal, and how it is stopped from there.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Handle;

use crate::app::StopSignals;
use crate::pipeline::wav_beside;
use crate::render::Progress;

/// What a shell calls a program that was ended by Ctrl-C.
pub const EXIT_INTERRUPTED: u8 = 130;

/// Shows how far it is: a bar on a terminal, plain lines elsewhere. Ctrl-C and SIGTERM stop it.
pub struct Display {
    bar: ProgressBar,
    stopped: Arc<AtomicBool>,
}

impl Display {
    pub fn new(runtime: &Handle, part: PathBuf) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = stopped.clone();
        runtime.spawn(async move {
            let Ok(mut signals) = StopSignals::new() else {
                return;
            };
            signals.next().await;
            stop.store(true, Ordering::Relaxed);
            // Told twice, it does not wait for a download either.
            signals.next().await;
            // Err: it is not there any more.
            let _ = std::fs::remove_file(wav_beside(&part));
            let _ = std::fs::remove_file(part);
            std::process::exit(EXIT_INTERRUPTED.into());
        });
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} frames, {eta} left");
        let bar = ProgressBar::no_length()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, stopped }
    }

    pub fn close(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Display {
    fn frames_done(&self, done: u32, of: u32) {
        self.bar.set_length(of.into());
        self.bar.set_position(done.into());
        let tenths = |frames: u32| u64::from(frames) * 10 / u64::from(of);
        if self.bar.is_hidden() && tenths(done) > tenths(done - 1) {
            eprintln!("{done} of {of} frames");
        }
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
