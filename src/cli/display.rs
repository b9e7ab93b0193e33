//! The progress of a rendering: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use crate::pipeline::Observer;

pub struct ProgressDisplay {
    bar: ProgressBar,
}

impl ProgressDisplay {
    pub fn new() -> Self {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} frames, {eta} left");
        let bar = ProgressBar::no_length()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar }
    }

    pub fn close(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for ProgressDisplay {
    fn frames_done(&self, done: u32, of: u32) {
        self.bar.set_length(of.into());
        self.bar.set_position(done.into());
        let tenths = |frames: u32| u64::from(frames) * 10 / u64::from(of);
        if self.bar.is_hidden() && tenths(done) > tenths(done - 1) {
            eprintln!("{done} of {of} frames");
        }
    }
}
