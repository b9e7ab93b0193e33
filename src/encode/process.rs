//! A running ffmpeg: its input, its last messages, and its end.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{ChildStderr, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use ffmpeg_sidecar::child::FfmpegChild;
use log::debug;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::EncodeError;
use super::child::EncoderChild;
use super::mark::Mark;
use super::pipe::FramePipe;
use crate::confinement::{NOT_EXECUTABLE, NOT_STARTED};
use crate::metrics::metrics;
use crate::spec::Size;

/// Before each frame of a YUV4MPEG2 stream.
const FRAME_MARK: &[u8] = b"FRAME\n";

/// For the last frames to be encoded, and the file to be put in order.
const FINISH_PATIENCE: Duration = Duration::from_secs(120);

/// For the end of a program that was killed, or takes no more frames, and for its last messages.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// What the system says of a program that is not there, or cannot be run.
const MISSING: [&str; 3] = [
    "No such file or directory",
    "Permission denied",
    "Exec format error",
];

/// Messages of ffmpeg that are remembered, to explain a failure.
const MAX_MESSAGES: usize = 8;

/// A running ffmpeg; killed when this is dropped.
pub struct Encoding {
    child: EncoderChild,
    frames: FramePipe,
    messages: Option<Messages>,
    watchdog: AbortHandle,
    /// Its end is counted.
    has_ended: bool,
    /// And it said that all went well.
    has_succeeded: bool,
}

/// How ffmpeg ended, and its last messages.
#[derive(Debug, thiserror::Error)]
#[error("ffmpeg ended with {status}, saying {text:?}")]
pub struct FfmpegExit {
    status: String,
    text: String,
}

impl Encoding {
    /// Takes over a child that was just started, and kills it when `cancel` is cancelled: even while
    /// the frames' thread waits for a program that does not move.
    pub(super) fn new(
        child: FfmpegChild,
        mark: Mark,
        runtime: &Handle,
        cancel: &CancellationToken,
    ) -> Result<Self, EncodeError> {
        let child = EncoderChild::new(child, mark);
        let (stdin, stderr) = child.take_pipes();
        let (watched, cancelled) = (child.clone(), cancel.clone());
        let watchdog = runtime.spawn(async move {
            cancelled.cancelled().await;
            // It reads of all processes.
            tokio::task::spawn_blocking(move || watched.kill());
        });
        let begin = || {
            let frames = FramePipe::new(stdin, cancel.clone())?;
            Ok((frames, stderr.map(Messages::read).transpose()?))
        };
        match begin() {
            Ok((frames, messages)) => Ok(Self {
                child,
                frames,
                messages,
                watchdog: watchdog.abort_handle(),
                has_ended: false,
                has_succeeded: false,
            }),
            Err(error) => {
                watchdog.abort();
                child.end();
                Err(EncodeError::NotStarted(error))
            }
        }
    }

    /// Tells the size of the frames, and how many make a second. Goes before the first.
    pub fn write_header(&mut self, size: Size, rate: u32) -> Result<(), EncodeError> {
        let Size { width, height } = size;
        // Progressive, square pixels, 4:2:0 with the chroma sited left. See yuv4mpeg(5).
        let header = format!("YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420mpeg2\n");
        let written = self.frames.copy(header.as_bytes());
        written.map_err(|error| self.broken(&error))
    }

    /// Writes the next frame: its Y, Cb and Cr planes, one after the other. Gives back a buffer that is not needed any
    /// more: of this frame, or of the one before.
    pub fn write(&mut self, frame: Vec<u8>) -> Result<Option<Vec<u8>>, EncodeError> {
        let marked = self.frames.copy(FRAME_MARK);
        let written = marked.and_then(|()| self.frames.frame(frame));
        written.map_err(|error| self.broken(&error))
    }

    /// A broken pipe only says that ffmpeg is gone; its messages say why.
    fn broken(&mut self, error: &io::Error) -> EncodeError {
        self.frames.close();
        if error.kind() == io::ErrorKind::TimedOut {
            return self.stalled();
        }
        let status = self.child.wait(END_PATIENCE).ok();
        self.note_end("failed");
        self.explain(status)
    }

    fn stalled(&mut self) -> EncodeError {
        self.child.end();
        self.note_end("stalled");
        EncodeError::Stalled
    }

    /// Counts the end of ffmpeg, once.
    fn note_end(&mut self, result: &str) {
        if !std::mem::replace(&mut self.has_ended, true) {
            metrics().ffmpeg_exits.with_label_values(&[result]).inc();
        }
    }

    /// Ends the video, and waits until it is whole.
    pub fn finish(&mut self) -> Result<(), EncodeError> {
        self.frames.close();
        let status = match self.child.wait(FINISH_PATIENCE) {
            Ok(status) => status,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(self.stalled()),
            Err(error) => return Err(EncodeError::NoVideo(error)),
        };
        self.note_end(if status.success() { "ok" } else { "failed" });
        self.has_succeeded = status.success();
        if status.success() {
            Ok(())
        } else {
            Err(self.explain(Some(status)))
        }
    }

    /// It left no video, although it said that all went well: whatever still runs of it is ended with this.
    pub fn mark_as_failed(&mut self) {
        self.has_succeeded = false;
    }

    fn explain(&mut self, status: Option<ExitStatus>) -> EncodeError {
        let messages = self.messages.take();
        let text = messages.map(Messages::last).unwrap_or_default();
        if text.contains("No space left on device") {
            return EncodeError::DiskFull;
        }
        let not_started = [NOT_STARTED, NOT_EXECUTABLE].map(|code| Some(code.into()));
        let is_missing = MISSING.iter().any(|words| text.contains(words));
        // Else there was no memory for it, or no process.
        if is_missing && not_started.contains(&status.and_then(|status| status.code())) {
            return EncodeError::NotStarted(io::Error::other(text));
        }
        let status = status.map_or_else(|| "no status".to_owned(), |status| status.to_string());
        EncodeError::Died(FfmpegExit { status, text })
    }
}

impl Drop for Encoding {
    fn drop(&mut self) {
        self.watchdog.abort();
        if !self.has_succeeded {
            self.note_end("killed");
            self.child.end();
        }
    }
}

/// The last lines that ffmpeg has said. They are read as they come, so that it never blocks on a full pipe.
struct Messages {
    lines: Arc<Mutex<VecDeque<String>>>,
    /// Disconnected at the end.
    end: Receiver<()>,
}

impl Messages {
    fn read(stderr: ChildStderr) -> io::Result<Self> {
        let lines = Arc::<Mutex<VecDeque<String>>>::default();
        let (ended, end) = bounded(0);
        let shared = lines.clone();
        let reader = thread::Builder::new().name("ffmpeg-log".into());
        reader.spawn(move || {
            let _ended = ended;
            read_lines(stderr, &shared);
        })?;
        Ok(Self { lines, end })
    }

    /// Those of a program that has ended. What it left behind may keep the pipe open.
    fn last(self) -> String {
        // Err: at the end, or too late.
        let _ = self.end.recv_timeout(END_PATIENCE);
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        lines.join(" | ")
    }
}

fn read_lines(stderr: ChildStderr, last: &Mutex<VecDeque<String>>) {
    // A bound on each line, for a program that is not ffmpeg at all.
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    while matches!((&mut reader).take(4096).read_until(b'\n', &mut line), Ok(read) if read > 0) {
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        debug!("ffmpeg: {text:?}");
        let mut lines = last.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MAX_MESSAGES {
            lines.pop_front();
        }
        lines.push_back(text);
        line.clear();
    }
}
