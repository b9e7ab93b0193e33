//! The way of the frames into the encoder.

use std::ops::ControlFlow;

use tokio_util::sync::CancellationToken;

use super::{Observer, RenderedVideo};
use crate::encode::{EncodeError, EncodeOrder, Encoder, Encoding};
use crate::render::FrameSink;
use crate::spec::{Output, Size};

/// Encodes the frames, keeps a copy of the thumbnail, and tells the progress.
pub struct EncoderSink<'a> {
    encoder: &'a Encoder,
    order: EncodeOrder<'a>,
    /// Ends the encoder.
    abort: &'a CancellationToken,
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
    /// Starts the encoder, which gets ready while the first photo is decoded.
    pub fn new(
        encoder: &'a Encoder,
        order: EncodeOrder<'a>,
        abort: &'a CancellationToken,
        output: &'a Output,
        observer: &'a dyn Observer,
        decoding: &'a CancellationToken,
    ) -> Result<Self, EncodeError> {
        Ok(Self {
            encoding: encoder.start(&order, abort)?,
            encoder,
            order,
            abort,
            output,
            observer,
            decoding,
            size: Size {
                width: 0,
                height: 0,
            },
            thumbnail: None,
            error: None,
        })
    }

    /// Starts the encoder again, in the way that suits soft frames.
    fn restart_for_soft_frames(&mut self) -> Result<(), EncodeError> {
        self.order.is_soft = true;
        self.encoding = self.encoder.start(&self.order, self.abort)?;
        Ok(())
    }

    /// Why the encoder took no more frames, if it failed.
    pub fn error(&mut self) -> Option<EncodeError> {
        self.error.take()
    }

    /// Ends the video, when all frames have been given.
    pub fn finish(mut self) -> Result<RenderedVideo, EncodeError> {
        self.encoding.finish()?;
        let bytes = std::fs::metadata(self.order.file)
            .map_err(EncodeError::Output)?
            .len();
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
    fn start(&mut self, size: Size, frame_rate: u32, is_soft: bool) -> ControlFlow<()> {
        self.size = size;
        let ready = match is_soft {
            true => self.restart_for_soft_frames(),
            false => Ok(()),
        };
        let written = ready.and_then(|()| self.encoding.write_header(size, frame_rate));
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
