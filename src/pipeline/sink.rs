//! The way of the frames into the encoder.

use std::ops::ControlFlow;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::{Observer, RenderedVideo};
use crate::encode::{EncodeError, Encoding};
use crate::render::FrameSink;
use crate::spec::{Output, Size, VideoSpec};

/// Encodes the frames, keeps a copy of the thumbnail, and tells the progress.
pub struct EncoderSink<'a> {
    encoding: Encoding,
    output: &'a Output,
    observer: &'a dyn Observer,
    /// Checked at every frame, and cancelled when the encoder fails, so that nobody waits for photos
    /// in vain.
    decoding: &'a CancellationToken,
    size: Size,
    thumbnail: Option<Vec<u8>>,
    error: Option<EncodeError>,
}

impl<'a> EncoderSink<'a> {
    pub fn new(
        encoding: Encoding,
        spec: &'a VideoSpec,
        observer: &'a dyn Observer,
        decoding: &'a CancellationToken,
    ) -> Self {
        Self {
            encoding,
            output: &spec.output,
            observer,
            decoding,
            size: Size {
                width: 0,
                height: 0,
            },
            thumbnail: None,
            error: None,
        }
    }

    /// Why the encoder took no more frames, if it failed.
    pub fn error(&mut self) -> Option<EncodeError> {
        self.error.take()
    }

    /// Ends the video, when all frames have been given.
    pub fn finish(mut self, file: &Path) -> Result<RenderedVideo, EncodeError> {
        self.encoding.finish()?;
        let bytes = std::fs::metadata(file).map_err(EncodeError::Output)?.len();
        Ok(RenderedVideo {
            size: self.size,
            frames: self.output.frames(),
            bytes,
            thumbnail: self.thumbnail,
        })
    }

    fn flow(&mut self, written: Result<(), EncodeError>) -> ControlFlow<()> {
        match written {
            Ok(()) if !self.decoding.is_cancelled() => ControlFlow::Continue(()),
            Ok(()) => ControlFlow::Break(()),
            Err(error) => {
                self.error = Some(error);
                self.decoding.cancel();
                ControlFlow::Break(())
            }
        }
    }
}

impl FrameSink for EncoderSink<'_> {
    fn start(&mut self, size: Size, frame_rate: u32) -> ControlFlow<()> {
        self.size = size;
        let written = self.encoding.write_header(size, frame_rate);
        self.flow(written)
    }

    fn frame(&mut self, index: u32, frame: &[u8]) -> ControlFlow<()> {
        let written = self.encoding.write(frame);
        if self.output.thumbnail() == Some(index) {
            self.thumbnail = Some(frame.to_vec());
        }
        if written.is_ok() {
            self.observer.frames_done(index + 1, self.output.frames());
        }
        self.flow(written)
    }
}
