//! The encoder: ffmpeg as a child process, with fixed arguments, fed with a YUV4MPEG2 stream.
//!
//! The stream's header tells the frames' size and rate, so that ffmpeg can be started before they
//! are known: it gets ready while the photo is decoded. Its arguments are our own words and a file
//! name of our own making, never anything a user sent.

mod preset;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdin, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ffmpeg_sidecar::child::FfmpegChild;
use ffmpeg_sidecar::command::FfmpegCommand;
use log::debug;

pub use preset::Preset;

use crate::allocator;
use crate::setting::{Setting, put};
use crate::spec::Size;

/// Says what the frames are: BT.709 in limited range. A filter that only labels, which every version
/// of ffmpeg since 5 passes on to the encoder and the container.
const LABELS: &str =
    "setparams=range=limited:color_primaries=bt709:color_trc=bt709:colorspace=bt709";

/// AAC, as every player knows it. Without its noise substitution (PNS), which raises peaks.
const SOUND: [&str; 10] = [
    "-c:a", "aac", "-aac_pns", "0", "-b:a", "160k", "-ar", "48000", "-ac", "2",
];

/// Threads of the encoder. Two for a core keep the cores busy while frames wait for one another;
/// each costs the memory of three frames.
const MAX_ENCODING_THREADS: usize = 8;

/// What the pipe to ffmpeg holds: the most that Linux allows without privileges.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// Before each frame of a YUV4MPEG2 stream.
const FRAME_MARK: &[u8] = b"FRAME\n";

/// For the probe, which takes a fraction of a second.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two looks of the guard.
const GUARD_INTERVAL: Duration = Duration::from_millis(100);
/// Between two looks for ffmpeg's end.
const WAIT_INTERVAL: Duration = Duration::from_millis(2);

/// How much of what ffmpeg said is kept to explain a failure.
const KEPT_LINES: usize = 8;

#[derive(Clone, Debug)]
pub struct Settings {
    /// The ffmpeg binary: a path, or a name to be found on the PATH.
    pub ffmpeg: PathBuf,
    /// How much the encoder works, if not as usual.
    pub preset: Option<Preset>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            preset: None,
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "video.ffmpeg",
            env: Some("KINORA_FFMPEG"),
            accepts: "the path of an ffmpeg binary",
            set: |s, text| put(&mut s.ffmpeg, Some(text.into())),
        },
        Setting {
            key: "video.preset",
            env: Some("KINORA_PRESET"),
            accepts: "fast, balanced or small",
            set: |s, text| put(&mut s.preset, Preset::named(text).map(Some)),
        },
    ];
}

/// Encodes raw frames to H.264 in MP4; cheap to clone.
#[derive(Clone, Debug)]
pub struct Encoder {
    ffmpeg: PathBuf,
    preset: Option<Preset>,
}

/// Why there is no video. The texts are for callers; the log gets the causes as well.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("the video encoder (ffmpeg) could not be started")]
    NotStarted(#[source] io::Error),
    #[error("the video encoder stopped unexpectedly")]
    Died {
        #[source]
        said: LastWords,
    },
    #[error("the disk is full")]
    DiskFull,
    #[error("the video encoder left no video")]
    Output(#[source] io::Error),
}

/// How ffmpeg ended, and what it said last.
#[derive(Debug, thiserror::Error)]
#[error("ffmpeg ended with {status}, saying {text:?}")]
pub struct LastWords {
    status: String,
    text: String,
}

impl Encoder {
    pub fn new(settings: &Settings) -> Self {
        Self {
            ffmpeg: settings.ffmpeg.clone(),
            preset: settings.preset,
        }
    }

    /// Whether ffmpeg is there and can encode: it makes a video of one grey frame and throws it
    /// away.
    pub fn probe(&self) -> Result<(), EncodeError> {
        let deadline = Instant::now() + PROBE_TIMEOUT;
        let size = Size {
            width: 64,
            height: 64,
        };
        let mut encoding = self.spawn(
            None,
            Preset::default(),
            &["-f", "null", "-"].map(OsString::from),
        )?;
        let late = || Instant::now() >= deadline;
        encoding.guarded(late, |encoding| {
            encoding.announce(size, 30)?;
            encoding.write(&vec![128; size.frame_bytes()])?;
            encoding.finish()
        })
    }

    /// Starts an encoding into a file, with the soundtrack of a WAV file if there is one; by the
    /// `usual` preset, unless the settings want another.
    pub fn start(
        &self,
        file: &Path,
        sound: Option<&Path>,
        usual: Preset,
    ) -> Result<Encoding, EncodeError> {
        let muxer = ["-movflags", "+faststart", "-f", "mp4"].map(OsString::from);
        let output = [&muxer[..], &[file_url(file)]].concat();
        self.spawn(sound, self.preset.unwrap_or(usual), &output)
    }

    fn spawn(
        &self,
        sound: Option<&Path>,
        preset: Preset,
        output: &[OsString],
    ) -> Result<Encoding, EncodeError> {
        let threads = thread::available_parallelism()
            .map_or(2, |cores| 2 * cores.get())
            .min(MAX_ENCODING_THREADS);
        let mut command = FfmpegCommand::new_with_path(&self.ffmpeg);
        command
            .hide_banner()
            .args(["-nostats", "-loglevel", "error", "-y"])
            .args(["-f", "yuv4mpegpipe", "-i", "pipe:0"]);
        match sound {
            None => command.arg("-an"),
            Some(wav) => command
                .args(["-f", "wav", "-i"])
                .arg(file_url(wav))
                .args(["-map", "0:v", "-map", "1:a"])
                .args(SOUND),
        };
        command
            .args(["-vf", LABELS, "-chroma_sample_location", "left"])
            .args(["-c:v", "libx264", "-profile:v", "high"])
            .args(["-threads", &threads.to_string()])
            .args(preset.x264())
            .args(["-color_range", "tv", "-colorspace", "bt709"])
            .args(["-color_primaries", "bt709", "-color_trc", "bt709"])
            .args(output);
        allocator::spare(command.as_inner_mut());
        // Out of reach of a Ctrl-C at the terminal, which is ours to answer.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command.as_inner_mut(), 0);
        let mut child = command.spawn().map_err(EncodeError::NotStarted)?;
        let stdin = child.take_stdin();
        if let Some(pipe) = &stdin {
            // A third of a frame at a time. Err: the system allows less, and it takes more turns.
            #[cfg(target_os = "linux")]
            let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
        }
        let said = child
            .take_stderr()
            .map(listen)
            .transpose()
            .map_err(EncodeError::NotStarted)?;
        let child = Arc::new(Mutex::new(child));
        Ok(Encoding { child, stdin, said })
    }
}

/// A file's name for ffmpeg. The protocol's name keeps it from finding another in a path with a
/// colon.
fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

/// A running ffmpeg; ended with the value.
pub struct Encoding {
    /// Shared with the guard, who may have to end it.
    child: Arc<Mutex<FfmpegChild>>,
    stdin: Option<ChildStdin>,
    said: Option<JoinHandle<Vec<String>>>,
}

impl Encoding {
    /// Does `work`, and ends ffmpeg once `stopped` says so: even if `work` is stuck, waiting for a
    /// program that does not move.
    pub fn guarded<T>(
        &mut self,
        stopped: impl Fn() -> bool + Send,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let child = self.child.clone();
        let (working, done) = mpsc::channel::<()>();
        thread::scope(move |scope| {
            // Ends with the work, whichever way that ends.
            let _working = working;
            scope.spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = done.recv_timeout(GUARD_INTERVAL) {
                    if stopped() {
                        // Err: it has just ended by itself.
                        let _ = held(&child).kill();
                        return;
                    }
                }
            });
            work(self)
        })
    }

    /// Tells the size of the frames, and how many make a second. Goes before the first.
    pub fn announce(&mut self, size: Size, rate: u32) -> Result<(), EncodeError> {
        let Size { width, height } = size;
        // Progressive, square pixels, 4:2:0 with the chroma sited left. See yuv4mpeg(5).
        let header = format!("YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420mpeg2\n");
        self.send(header.as_bytes())
    }

    /// Hands over the next frame: its Y, Cb and Cr planes, one after the other.
    pub fn write(&mut self, frame: &[u8]) -> Result<(), EncodeError> {
        self.send(FRAME_MARK)?;
        self.send(frame)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let written = match &mut self.stdin {
            Some(stdin) => stdin.write_all(bytes),
            None => Ok(()),
        };
        // A broken pipe only says that ffmpeg is gone; its last words say why.
        written.map_err(|_| self.post_mortem())
    }

    /// Ends the video, and waits until it is whole.
    pub fn finish(&mut self) -> Result<(), EncodeError> {
        self.stdin = None;
        let status = self.wait().map_err(EncodeError::Output)?;
        if status.success() {
            Ok(())
        } else {
            Err(self.explain(Some(status)))
        }
    }

    fn post_mortem(&mut self) -> EncodeError {
        self.stdin = None;
        let status = self.wait().ok();
        self.explain(status)
    }

    /// Waits for ffmpeg's end without holding it, so that the guard can hasten it.
    fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = held(&self.child).as_inner_mut().try_wait()? {
                return Ok(status);
            }
            thread::sleep(WAIT_INTERVAL);
        }
    }

    fn explain(&mut self, status: Option<ExitStatus>) -> EncodeError {
        let lines = self
            .said
            .take()
            .and_then(|listener| listener.join().ok())
            .unwrap_or_default();
        let text = lines.join(" | ");
        if text.contains("No space left on device") {
            return EncodeError::DiskFull;
        }
        let status = status.map_or_else(|| "no status".to_owned(), |status| status.to_string());
        EncodeError::Died {
            said: LastWords { status, text },
        }
    }
}

impl Drop for Encoding {
    fn drop(&mut self) {
        // Both fail if the child is gone, as it should be.
        let mut child = held(&self.child);
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn held(child: &Mutex<FfmpegChild>) -> MutexGuard<'_, FfmpegChild> {
    // A handle to a process cannot be left half changed.
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Drains ffmpeg's log, lest it blocks on a full pipe, and keeps the last lines.
fn listen(stderr: ChildStderr) -> io::Result<JoinHandle<Vec<String>>> {
    thread::Builder::new().name("ffmpeg-log".into()).spawn(move || {
        let mut kept = VecDeque::with_capacity(KEPT_LINES);
        // A bound on each line, for a program that is not ffmpeg at all.
        let mut reader = BufReader::new(stderr);
        let mut line = Vec::new();
        while matches!((&mut reader).take(4096).read_until(b'\n', &mut line), Ok(read) if read > 0) {
            let text = String::from_utf8_lossy(&line).trim().to_owned();
            debug!("ffmpeg: {text:?}");
            if kept.len() == KEPT_LINES {
                kept.pop_front();
            }
            kept.push_back(text);
            line.clear();
        }
        kept.into()
    })
}
