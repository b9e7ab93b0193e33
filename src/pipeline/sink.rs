//! The way of the frames into the encoder.

use std::ops::ControlFlow;

use super::RenderedVideo;
use super::video::Video;
use crate::encode::{EncodeError, EncodeOrder, Encoder, Encoding};
use crate::render::FrameSink;
use crate::spec::{Output, Size};

/// Encodes the frames, keeps a copy of the thumbnail, and tells the progress.
pub struct EncoderSink<'a> {
    encoder: &'a Encoder,
    order: EncodeOrder<'a>,
    video: &'a Video<'a>,
    encoding: Encoding,
    size: Size,
    thumbnail: Option<Vec<u8>>,
    error: Option<EncodeError>,
}

impl<'a> EncoderSink<'a> {
    /// Starts the encoder, which gets ready while the first photo is decoded.
    pub fn new(
        encoder: &'a Encoder,
        order: EncodeOrder<'a>,
        video: &'a Video<'a>,
    ) -> Result<Self, EncodeError> {
        Ok(Self {
            encoding: encoder.start(&order, video.abort)?,
            encoder,
            order,
            video,
            size: Size {
                width: 0,
                height: 0,
            },
            thumbnail: None,
            error: None,
        })
    }

    fn output(&self) -> &Output {
        &self.video.composition.spec.output
    }

    /// Starts the encoder again, in the way that suits soft frames.
    fn restart_for_soft_frames(&mut self) -> Result<(), EncodeError> {
        self.order.is_soft = true;
        self.encoding = self.encoder.start(&self.order, self.video.abort)?;
        Ok(())
    }

    /// Why the encoder took no more frames, if it failed.
    pub fn error(&mut self) -> Option<EncodeError> {
        self.error.take()
    }

    /// Ends the video, when all frames have been given.
    pub fn finish(mut self) -> Result<RenderedVideo, EncodeError> {
        self.encoding.finish()?;
        let bytes = self
            .encoder
            .check_output(&self.order, self.size, self.output().frames())
            .inspect_err(|_| self.encoding.mark_as_failed())?;
        if let Some(max_bytes) = self.output().max_bytes.filter(|most| bytes > *most) {
            return Err(EncodeError::TooLarge { bytes, max_bytes });
        }
        Ok(RenderedVideo {
            size: self.size,
            frames: self.output().frames(),
            bytes,
            thumbnail: self.thumbnail,
            warnings: self.video.warnings.clone(),
        })
    }

    fn flow<T>(&mut self, written: Result<T, EncodeError>) -> ControlFlow<(), T> {
        match written {
            Ok(value) if !self.video.decoding.is_cancelled() => ControlFlow::Continue(value),
            Ok(_) => ControlFlow::Break(()),
            Err(error) => {
                self.error = Some(error);
                // So that nobody waits for photos in vain.
                self.video.decoding.cancel();
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

    fn frame(&mut self, index: u32, frame: Vec<u8>) -> ControlFlow<(), Option<Vec<u8>>> {
        if self.output().thumbnail() == Some(index) {
            self.thumbnail = Some(frame.clone());
        }
        let written = self.encoding.write(frame);
        if written.is_ok() {
            self.video.progress.frame_done();
        }
        self.flow(written)
    }
}
