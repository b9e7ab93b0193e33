//! Frames and sound → MP4: ffmpeg as a child process, with fixed arguments, fed with a YUV4MPEG2 stream.
//!
//! ```text
//! settings ─ which ffmpeg, codec and preset
//! codec ─ ffmpeg's arguments for a preset
//! limit ─ the bit rate at which a file stays small enough
//! process ─ a running ffmpeg, and how it ends; child ─ its process, with all that it starts
//! pipe ─ its frames' way to it
//! output ─ whether it has left the whole video
//! ```
//!
//! The stream's header tells the frames' size and rate, so ffmpeg can be started before they are known:
//! it gets ready while the photo is decoded. Its arguments are our own words and a file name of our own
//! making, never anything a user sent. It runs without network.

mod child;
mod codec;
mod limit;
mod mark;
mod output;
mod pipe;
mod preset;
mod process;
mod settings;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use ffmpeg_sidecar::command::FfmpegCommand;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub use codec::Codec;
pub use limit::SizeLimit;
use mark::Mark;
use output::Expected;
pub use output::OutputError;
pub use preset::Preset;
pub use process::{Encoding, FfmpegExit};
pub use settings::Settings;

use crate::confinement;
use crate::errors::is_shortage;
use crate::spec::Size;

/// Says what the frames are: BT.709 in limited range. A filter that only labels, which every version
/// of ffmpeg since 5 passes on to the encoder and the container.
const LABELS: &str =
    "setparams=range=limited:color_primaries=bt709:color_trc=bt709:colorspace=bt709";

/// AAC, as every player knows it. Without its noise substitution (PNS), which raises peaks.
const SOUND: [&str; 10] = [
    "-c:a", "aac", "-aac_pns", "0", "-b:a", "160k", "-ar", "48000", "-ac", "2",
];
/// Of the sound, at most.
const SOUND_BITS_PER_SECOND: f64 = 168e3;

/// Threads of the encoder. Frames wait for one another: two for a core keep the cores busy, and three where haste is all
/// that counts. Each costs the memory of three frames, and some time. Several videos keep the cores busy with less.
const MAX_ENCODER_THREADS: usize = 8;

/// For the probe, which takes a fraction of a second.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Encodes raw frames; cheap to clone.
#[derive(Clone)]
pub struct Encoder {
    ffmpeg: PathBuf,
    codec: &'static Codec,
    preset: Option<Preset>,
    runtime: Handle,
}

/// A video to encode.
#[derive(Clone, Debug)]
pub struct EncodeOrder<'a> {
    pub file: &'a Path,
    /// A WAV file.
    pub sound: Option<&'a Path>,
    /// Of the sound, as a fraction of its own.
    pub volume: f64,
    /// Unless the settings name one.
    pub usual_preset: Preset,
    /// Frames a second.
    pub frame_rate: u32,
    /// Where players are to begin when their users jump, in seconds from the start; beside one every five
    /// seconds.
    pub keyframes: Vec<f64>,
    /// All frames are gradients without texture.
    pub is_soft: bool,
    pub limit: Option<SizeLimit>,
    /// Videos that are encoded at the same time, and share the cores.
    pub videos: usize,
}

/// The longest time from one keyframe to the next, in seconds.
const KEYFRAME_INTERVAL: u32 = 5;

/// Why there is no video. The texts are for callers; the log gets the causes as well.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("the video encoder (ffmpeg) could not be started")]
    NotStarted(#[source] io::Error),
    #[error("the video encoder stopped unexpectedly")]
    Died(#[source] FfmpegExit),
    #[error("the disk is full")]
    DiskFull,
    #[error("the video cannot be made in {max_bytes} bytes: it has {bytes} at the lowest quality")]
    TooLarge { bytes: u64, max_bytes: u64 },
    #[error("the video encoder made no progress")]
    Stalled,
    #[error("the video encoder left no video")]
    NoVideo(#[source] io::Error),
    #[error("the video encoder left no whole video")]
    NotWhole(#[source] OutputError),
}

impl EncodeError {
    /// Whether the same may well succeed when it is tried again.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::NotStarted(error) => is_shortage(error),
            Self::TooLarge { .. } => false,
            Self::Died(_)
            | Self::DiskFull
            | Self::Stalled
            | Self::NoVideo(_)
            | Self::NotWhole(_) => true,
        }
    }
}

impl Encoder {
    /// `runtime` runs the watchdogs.
    pub fn new(settings: &Settings, runtime: Handle) -> Self {
        Self {
            ffmpeg: settings.ffmpeg.clone(),
            codec: settings.codec,
            preset: settings.preset,
            runtime,
        }
    }

    /// What its settings do to files.
    pub fn fingerprint(&self) -> String {
        let Self { codec, preset, .. } = self;
        format!("{} {preset:?}", codec.name)
    }

    /// Whether ffmpeg is there and can encode: it makes a video of one grey frame, which nobody
    /// keeps. Blocks.
    pub fn probe(&self) -> Result<(), EncodeError> {
        let cancel = CancellationToken::new();
        let late = cancel.clone();
        self.runtime.spawn(async move {
            let ended = late.cancelled();
            if tokio::time::timeout(PROBE_TIMEOUT, ended).await.is_err() {
                late.cancel();
            }
        });
        let _ended = cancel.clone().drop_guard();
        let (width, height) = self.codec.probe;
        let size = Size { width, height };
        let output = ["-f", "null", "-"].map(OsString::from);
        let order = EncodeOrder {
            file: Path::new(""),
            sound: None,
            volume: 1.0,
            usual_preset: Preset::default(),
            frame_rate: 30,
            keyframes: Vec::new(),
            is_soft: false,
            limit: None,
            videos: 1,
        };
        let mut encoding = self.spawn(&order, &output, &cancel)?;
        encoding.write_header(size, 30)?;
        encoding.write(vec![128; size.frame_bytes()])?;
        encoding.finish()
    }

    /// The same off the async runtime. What is wrong goes into the log, and into the error in words
    /// for anybody.
    pub async fn check(&self) -> Result<(), EncodeError> {
        let encoder = self.clone();
        let probed = tokio::task::spawn_blocking(move || encoder.probe()).await;
        probed.unwrap_or_else(|panic| Err(EncodeError::NotStarted(io::Error::other(panic))))
    }

    /// Starts an encoding. ffmpeg is killed when `cancel` is cancelled.
    pub fn start(
        &self,
        order: &EncodeOrder,
        cancel: &CancellationToken,
    ) -> Result<Encoding, EncodeError> {
        let muxer = ["-movflags", "+faststart", "-f", "mp4"].map(OsString::from);
        let output = [&muxer[..], &[file_url(order.file)]].concat();
        self.spawn(order, &output, cancel)
    }

    /// Fails unless the file of an order is the whole video; else gives its size in bytes.
    pub fn check_output(
        &self,
        order: &EncodeOrder,
        size: Size,
        frames: u32,
    ) -> Result<u64, EncodeError> {
        let expected = Expected {
            size,
            frames,
            frame_rate: order.frame_rate,
            has_sound: order.sound.is_some(),
        };
        output::check(order.file, expected).map_err(|error| match error {
            OutputError::Unreadable(error) => EncodeError::NoVideo(error),
            other => EncodeError::NotWhole(other),
        })
    }

    fn spawn(
        &self,
        order: &EncodeOrder,
        output: &[OsString],
        cancel: &CancellationToken,
    ) -> Result<Encoding, EncodeError> {
        let preset = self.preset.unwrap_or(order.usual_preset);
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = match (order.videos, preset) {
            (1, Preset::Fast) => 3 * cores,
            (videos, _) => 2 * cores / videos,
        }
        .clamp(1, MAX_ENCODER_THREADS);
        let mut command =
            confinement::encoder(self.ffmpeg.as_os_str()).map_err(EncodeError::NotStarted)?;
        let mark = Mark::set_on(&mut command);
        // As FfmpegCommand expects them.
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut command = FfmpegCommand::from(command);
        let limit = order.limit;
        let limit = limit.map(|limit| limit::arguments(limit, order.sound.is_some()));
        command
            .hide_banner()
            .args(["-nostats", "-loglevel", "error", "-y"])
            .args(["-f", "yuv4mpegpipe", "-i", "pipe:0"]);
        match order.sound {
            None => command.arg("-an"),
            Some(wav) => command
                .args(["-f", "wav", "-i"])
                .arg(file_url(wav))
                .args(["-map", "0:v", "-map", "1:a"])
                .args(["-af", &format!("volume={:.4}", order.volume)])
                .args(SOUND),
        };
        command
            .args(["-vf", LABELS, "-chroma_sample_location", "left"])
            .args((self.codec.arguments)(preset, threads, order.is_soft))
            .args(limit.into_iter().flatten())
            .args(["-g", &(KEYFRAME_INTERVAL * order.frame_rate).to_string()])
            .args(
                keyframes(&order.keyframes, order.frame_rate)
                    .into_iter()
                    .flatten(),
            )
            .args(["-color_range", "tv", "-colorspace", "bt709"])
            .args(["-color_primaries", "bt709", "-color_trc", "bt709"])
            .args(output);
        // Out of reach of a Ctrl-C at the terminal, which is ours to answer.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command.as_inner_mut(), 0);
        let child = command.spawn().map_err(EncodeError::NotStarted)?;
        Encoding::new(child, mark, &self.runtime, cancel)
    }
}

/// ffmpeg's arguments for keyframes at these times, in seconds. They are told a quarter of a frame early: some versions
/// take the nearest frame, and some the first that is not before.
fn keyframes(times: &[f64], frame_rate: u32) -> Option<[String; 2]> {
    let early = 0.25 / f64::from(frame_rate);
    let told = times.iter().map(|time| (time - early).max(0.0));
    let mut times: Vec<String> = told.map(|time| format!("{time:.4}")).collect();
    times.dedup();
    (!times.is_empty()).then(|| ["-force_key_frames".to_owned(), times.join(",")])
}

/// A file's name for ffmpeg. The protocol's name keeps it from finding another in a path with a
/// colon.
fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}
