//! A scene: one photo, prepared for drawing.

use super::background;
use super::camera::CameraPath;
use super::contained::ContainedPhoto;
use super::resample::Resampler;
use super::source::Source;
use crate::picture::{Component, Picture, planes_mut};
use crate::spec::Size;

/// One photo and its camera path.
pub struct Scene {
    camera: CameraPath,
    /// Y, Cb, Cr.
    sources: [Source; 3],
    /// Y, Cb and Cr of the frame behind a photo that is shown whole.
    background: Option<Vec<u8>>,
}

/// Buffers of a drawing thread, reused from frame to frame.
#[derive(Default)]
pub struct Scratch {
    resampler: Resampler,
    patch: Vec<u8>,
}

impl Scene {
    /// Prepares the planes of `picture`, which was decoded for `camera`.
    pub fn new(picture: Picture, camera: CameraPath) -> Self {
        let Picture {
            planes: [y, cb, cr],
            detail,
            ..
        } = picture;
        let sources = [
            Source::new(Component::Y, y, detail.luma_shift, &camera),
            Source::new(Component::Cb, cb, detail.chroma_shift, &camera),
            Source::new(Component::Cr, cr, detail.chroma_shift, &camera),
        ];
        let background = camera
            .shows_whole()
            .then(|| background::blurred(&sources, camera.photo, camera.frame));
        Self {
            camera,
            sources,
            background,
        }
    }

    /// Width and height of its frames.
    pub fn frame(&self) -> Size {
        self.camera.frame
    }

    /// Draws frame `k` of the video into `frame`: Y, Cb and Cr, one after the other.
    pub fn draw(&self, k: u32, scratch: &mut Scratch, frame: &mut [u8]) {
        if let Some(background) = &self.background {
            frame.copy_from_slice(background);
        }
        for (source, samples) in self
            .sources
            .iter()
            .zip(planes_mut(frame, self.camera.frame))
        {
            if self.background.is_some() {
                self.draw_contained(source, k, scratch, samples);
            } else {
                let (width, height) = source.component().size(self.camera.frame);
                let (level, crop) =
                    source.level_for(self.camera.crop(source.component(), k), width);
                scratch
                    .resampler
                    .resample(level, crop, samples, width, height);
            }
        }
    }

    /// Draws the photo over the background in `samples`.
    fn draw_contained(&self, source: &Source, k: u32, scratch: &mut Scratch, samples: &mut [u8]) {
        let CameraPath { photo, frame, .. } = self.camera;
        let contained = ContainedPhoto::new(
            source.component(),
            photo,
            self.camera.crop(Component::Y, k),
            frame,
        );
        let (across, _) = source.component().size(frame);
        let (level, crop) = source.level_for(self.camera.crop(source.component(), k), across);
        let (width, height) = contained.size();
        scratch.patch.resize(width * height, 0);
        scratch.resampler.resample(
            level,
            contained.crop_within(crop),
            &mut scratch.patch,
            width,
            height,
        );
        contained.blend(&scratch.patch, samples);
    }
}
