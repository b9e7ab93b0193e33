//! A scene: one photo, prepared for drawing.

use super::background;
use super::camera::CameraPath;
use super::contained::ContainedPhoto;
use super::resample::{Crop, Resampler};
use super::softness;
use super::source::Source;
use crate::picture::{Component, Picture, planes_mut};
use crate::spec::Size;

/// One photo and its camera path.
pub struct Scene {
    camera: CameraPath,
    /// Y, Cb, Cr.
    sources: [Source; 3],
    /// Y, Cb and Cr of the frame behind a photo that does not fill it.
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
            .is_contained()
            .then(|| background::blurred(&sources, &camera));
        Self {
            camera,
            sources,
            background,
        }
    }

    /// Whether its first frame is soft, of which all others show parts.
    pub fn is_soft(&self) -> bool {
        let size = self.camera.frame;
        let mut frame = vec![0; size.frame_bytes()];
        let first = self.camera.first_frame();
        self.draw(first, 0.0, &mut Scratch::default(), &mut frame);
        let [luma, ..] = planes_mut(&mut frame, size);
        softness::is_soft(luma, size)
    }

    /// Width and height of its frames.
    pub fn frame(&self) -> Size {
        self.camera.frame
    }

    /// Draws frame `k` of the video into `frame`: Y, Cb and Cr, one after the other. Each plane is moved to the right
    /// by the fraction of a sample that is left of `offset`, in luma pixels.
    pub fn draw(&self, k: u32, offset: f64, scratch: &mut Scratch, frame: &mut [u8]) {
        let size = self.camera.frame;
        if let Some(background) = &self.background {
            frame.copy_from_slice(background);
        }
        for (source, samples) in self.sources.iter().zip(planes_mut(frame, size)) {
            let component = source.component();
            let subsampling = component.subsampling() as f64;
            let offset = (offset / subsampling).fract() * subsampling;
            let moved = |crop: Crop| Crop {
                x: crop.x - offset * crop.width / f64::from(size.width),
                ..crop
            };
            let crop = moved(self.camera.crop(component, k));
            if self.background.is_some() {
                let luma_crop = moved(self.camera.crop(Component::Y, k));
                self.draw_contained(source, [luma_crop, crop], scratch, samples);
            } else {
                let (width, height) = component.size(size);
                let (level, crop) = source.level_for(crop, width);
                let resampler = &mut scratch.resampler;
                resampler.resample(level, crop, samples, width, height);
            }
        }
    }

    /// Draws the photo over the background in `samples`.
    fn draw_contained(
        &self,
        source: &Source,
        [luma_crop, crop]: [Crop; 2],
        scratch: &mut Scratch,
        samples: &mut [u8],
    ) {
        let CameraPath { photo, frame, .. } = self.camera;
        let component = source.component();
        let contained = ContainedPhoto::new(component, photo, luma_crop, frame);
        let (across, _) = component.size(frame);
        let (level, crop) = source.level_for(crop, across);
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
