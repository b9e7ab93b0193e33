//! A running ffmpeg: its input, its last messages, and its end.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{ChildStderr, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ffmpeg_sidecar::child::FfmpegChild;
use log::debug;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::EncodeError;
use super::pipe::FramePipe;
use crate::confinement::{NOT_EXECUTABLE, NOT_STARTED};
use crate::metrics::metrics;
use crate::spec::Size;

/// Before each frame of a YUV4MPEG2 stream.
const FRAME_MARK: &[u8] = b"FRAME\n";

/// Between two checks whether ffmpeg has ended.
const WAIT_INTERVAL: Duration = Duration::from_millis(2);

/// Messages of ffmpeg that are remembered, to explain a failure.
const MAX_MESSAGES: usize = 8;

/// A running ffmpeg; killed when this is dropped.
pub struct Encoding {
    /// Shared with the watchdog.
    child: Arc<Mutex<FfmpegChild>>,
    frames: FramePipe,
    messages: Option<JoinHandle<Vec<String>>>,
    watchdog: AbortHandle,
    /// Its end is counted.
    has_ended: bool,
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
        mut child: FfmpegChild,
        runtime: &Handle,
        cancel: &CancellationToken,
    ) -> Result<Self, EncodeError> {
        let frames = FramePipe::new(child.take_stdin());
        let stderr = child.take_stderr();
        let child = Arc::new(Mutex::new(child));
        let (watched, cancel) = (child.clone(), cancel.clone());
        let watchdog = runtime.spawn(async move {
            cancel.cancelled().await;
            // Err: it has just ended by itself.
            let _ = lock(&watched).kill();
        });
        let mut encoding = Self {
            child,
            frames,
            messages: None,
            watchdog: watchdog.abort_handle(),
            has_ended: false,
        };
        let messages = stderr.map(read_messages).transpose();
        encoding.messages = messages.map_err(EncodeError::NotStarted)?;
        Ok(encoding)
    }

    /// Tells the size of the frames, and how many make a second. Goes before the first.
    pub fn write_header(&mut self, size: Size, rate: u32) -> Result<(), EncodeError> {
        let Size { width, height } = size;
        // Progressive, square pixels, 4:2:0 with the chroma sited left. See yuv4mpeg(5).
        let header = format!("YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420mpeg2\n");
        let written = self.frames.copy(header.as_bytes());
        written.map_err(|_| self.broken())
    }

    /// Writes the next frame: its Y, Cb and Cr planes, one after the other. Gives back a buffer that is not needed any
    /// more: of this frame, or of the one before.
    pub fn write(&mut self, frame: Vec<u8>) -> Result<Option<Vec<u8>>, EncodeError> {
        let marked = self.frames.copy(FRAME_MARK);
        let written = marked.and_then(|()| self.frames.frame(frame));
        written.map_err(|_| self.broken())
    }

    /// A broken pipe only says that ffmpeg is gone; its messages say why.
    fn broken(&mut self) -> EncodeError {
        self.frames.close();
        let status = self.wait().ok();
        self.note_end("failed");
        self.explain(status)
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
        let status = self.wait().map_err(EncodeError::Output)?;
        self.note_end(if status.success() { "ok" } else { "failed" });
        if status.success() {
            Ok(())
        } else {
            Err(self.explain(Some(status)))
        }
    }

    /// Waits for ffmpeg's end without holding the lock, which the watchdog needs.
    fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = lock(&self.child).as_inner_mut().try_wait()? {
                return Ok(status);
            }
            thread::sleep(WAIT_INTERVAL);
        }
    }

    fn explain(&mut self, status: Option<ExitStatus>) -> EncodeError {
        let messages = self.messages.take();
        let lines = messages.and_then(|reader| reader.join().ok());
        let text = lines.unwrap_or_default().join(" | ");
        if text.contains("No space left on device") {
            return EncodeError::DiskFull;
        }
        let not_started = [NOT_STARTED, NOT_EXECUTABLE].map(|code| Some(code.into()));
        if not_started.contains(&status.and_then(|status| status.code())) {
            return EncodeError::NotStarted(io::Error::other(text));
        }
        let status = status.map_or_else(|| "no status".to_owned(), |status| status.to_string());
        EncodeError::Died(FfmpegExit { status, text })
    }
}

impl Drop for Encoding {
    fn drop(&mut self) {
        self.watchdog.abort();
        self.note_end("killed");
        // Both fail if the child is gone, as it should be.
        let mut child = lock(&self.child);
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn lock(child: &Mutex<FfmpegChild>) -> MutexGuard<'_, FfmpegChild> {
    // A handle to a process cannot be left half changed.
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads ffmpeg's log, so that it never blocks on a full pipe, and remembers the last lines.
fn read_messages(stderr: ChildStderr) -> io::Result<JoinHandle<Vec<String>>> {
    thread::Builder::new().name("ffmpeg-log".into()).spawn(move || {
        let mut lines = VecDeque::with_capacity(MAX_MESSAGES);
        // A bound on each line, for a program that is not ffmpeg at all.
        let mut reader = BufReader::new(stderr);
        let mut line = Vec::new();
        while matches!((&mut reader).take(4096).read_until(b'\n', &mut line), Ok(read) if read > 0) {
            let text = String::from_utf8_lossy(&line).trim().to_owned();
            debug!("ffmpeg: {text:?}");
            if lines.len() == MAX_MESSAGES {
                lines.pop_front();
            }
            lines.push_back(text);
            line.clear();
        }
        lines.into()
    })
}
