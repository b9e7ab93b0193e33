//! What an encoder has left: whether it is the whole video.

use std::fs::File;
use std::io::{self, BufReader};
use std::panic::catch_unwind;
use std::path::Path;

use re_mp4::{Mp4, Track, TrackKind};

use crate::spec::Size;

/// Of a duration, in seconds: of a frame and of a packet of sound.
const TOLERANCE: f64 = 0.1;

/// What the file has to hold.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub size: Size,
    pub frames: u32,
    /// A second.
    pub frame_rate: u32,
    pub has_sound: bool,
}

/// Why a file is not the video. For the log.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
    #[error("the file is no MP4")]
    NotMp4(#[source] re_mp4::Error),
    #[error("the tables of the file contradict one another")]
    Damaged,
    #[error("the file has {0} video tracks and {1} of sound")]
    Tracks(usize, usize),
    #[error("the file has {0} frames of {1}x{2}")]
    Frames(usize, u16, u16),
    #[error("a track of the file lasts {0:.3} s")]
    Duration(f64),
    #[error("the file ends before its last frame")]
    Cut,
}

/// Checks the boxes and the tables of a file, and gives its size in bytes. Its pictures are not decoded.
pub fn check(file: &Path, expected: Expected) -> Result<u64, OutputError> {
    let file = File::open(file).map_err(OutputError::Unreadable)?;
    let bytes = file.metadata().map_err(OutputError::Unreadable)?.len();
    // It panics on tables that contradict one another.
    let read = catch_unwind(|| Mp4::read(BufReader::new(file), bytes));
    let mp4 = read.map_err(|_| OutputError::Damaged)?;
    let mp4 = mp4.map_err(OutputError::NotMp4)?;
    let of_kind = |kind| {
        let tracks = mp4.tracks().values();
        let tracks = tracks.filter(move |track| track.kind == Some(kind));
        tracks.collect::<Vec<&Track>>()
    };
    let (videos, sounds) = (of_kind(TrackKind::Video), of_kind(TrackKind::Audio));
    let [video] = videos[..] else {
        return Err(OutputError::Tracks(videos.len(), sounds.len()));
    };
    if sounds.len() != usize::from(expected.has_sound) {
        return Err(OutputError::Tracks(videos.len(), sounds.len()));
    }
    let size = (u32::from(video.width), u32::from(video.height));
    let frames = video.samples.len();
    if frames != expected.frames as usize || size != (expected.size.width, expected.size.height) {
        return Err(OutputError::Frames(frames, video.width, video.height));
    }
    let seconds = f64::from(expected.frames) / f64::from(expected.frame_rate);
    for track in videos.iter().chain(&sounds) {
        let lasts = track.duration as f64 / track.timescale.max(1) as f64;
        if (lasts - seconds).abs() > TOLERANCE {
            return Err(OutputError::Duration(lasts));
        }
        let is_there = |end: u64| end <= bytes;
        let mut ends = track.samples.iter().map(|it| it.offset + it.size);
        if !ends.all(is_there) {
            return Err(OutputError::Cut);
        }
    }
    Ok(bytes)
}
