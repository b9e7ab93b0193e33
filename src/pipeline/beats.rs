//! The beats of a soundtrack, and what to say of cuts that are not on them.

use std::fs::File;
use std::path::Path;

use log::error;

use crate::render::{BEAT_SLACK, Composition};
use crate::sound::{self, Beats};

/// Of a soundtrack that is ready. `None` if there are none that can be told.
pub fn find(wav: &Path) -> Option<Beats> {
    let read = File::open(wav).and_then(sound::read_wav);
    // It was written just now.
    let read = read.inspect_err(|error| error!("the soundtrack cannot be read: {error}"));
    let (rate, frames) = read.ok()?;
    Beats::find(frames, rate)
}

/// About a video whose photos cannot change on beats, although that was asked for, or only at a price.
pub fn warning(composition: &Composition, beats: Option<&Beats>) -> Option<String> {
    let spec = composition.spec;
    let photos = spec.scenes.len();
    if !spec.cut_on_beat {
        return None;
    }
    if let Some(deviation) = composition.beat_deviation() {
        let percent = 100.0 * deviation;
        return (deviation > BEAT_SLACK).then(|| {
            format!(
                "to change on a beat, one photo is shown {percent:.0} % longer or shorter than its share"
            )
        });
    }
    let reason = match (&spec.soundtrack, beats) {
        (None, _) => "there is no music".to_owned(),
        (_, None) => "the music has no beat that can be told".to_owned(),
        (_, Some(beats)) => format!(
            "{:.0} beats a minute are too few or too irregular for {photos} photos in {} s",
            beats.tempo, spec.output.length
        ),
    };
    Some(format!("{reason}: the photos do not change on beats"))
}
