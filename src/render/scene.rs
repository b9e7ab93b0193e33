//! A scene: one photo, prepared for drawing.

use super::background;
use super::camera::CameraPath;
use super::contained::ContainedPhoto;
use super::resample::{Crop, Resampler};
use super::softness;
use super::source::Source;
use super::transition::mix;
use crate::picture::{Component, Picture, planes, planes_mut};
use crate::spec::Size;

/// One photo and its camera path.
pub struct Scene {
    camera: CameraPath,
    /// Y, Cb, Cr.
    sources: [Source; 3],
    /// Y, Cb and Cr of the frame behind a photo that does not fill it.
    background: Option<Vec<u8>>,
    blurred: Vec<Blurred>,
}

/// What a title shows in place of a scene: a frame of it, blurred.
pub struct Blur {
    /// Standard deviation, in hundredths of the frame's shorter side.
    pub deviation: f64,
    /// How much of it is seen in each frame of the scene, from 0 to 1.
    pub shares: Vec<f64>,
}

struct Blurred {
    shares: Vec<f64>,
    /// Y, Cb and Cr.
    frame: Vec<u8>,
}

/// Buffers of a drawing thread, reused from frame to frame.
#[derive(Default)]
pub struct Scratch {
    resampler: Resampler,
    patch: Vec<u8>,
}

impl Scene {
    /// Prepares the planes of `picture`, which was decoded for `camera`.
    pub fn new(picture: Picture, camera: CameraPath, blurs: Vec<Blur>) -> Self {
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
        let mut scene = Self {
            camera,
            sources,
            background,
            blurred: Vec::new(),
        };
        let blurred = blurs.into_iter().map(|blur| scene.blurred(blur));
        scene.blurred = blurred.collect();
        scene
    }

    /// The frame that a blur shows: the first of those in which it is seen most.
    fn blurred(&self, blur: Blur) -> Blurred {
        let Blur { deviation, shares } = blur;
        let most = shares.iter().copied().fold(0.0, f64::max);
        let index = shares.iter().position(|share| *share >= most).unwrap_or(0);
        let frame = self.sharp_frame(self.camera.span().start + index as u32);
        Blurred {
            shares,
            frame: background::blurred_frame(&frame, self.camera.frame, deviation),
        }
    }

    /// Whether its frames are soft: the first, the middle and the last one.
    pub fn is_soft(&self) -> bool {
        let size = self.camera.frame;
        let is_soft = |k| {
            let frame = self.sharp_frame(k);
            let [luma, ..] = planes(&frame, size);
            softness::is_soft(luma, size)
        };
        let span = self.camera.span();
        let last = span.end - 1;
        [span.start, span.start.midpoint(last), last]
            .into_iter()
            .all(is_soft)
    }

    /// Frame `k` of the video, without any blur.
    fn sharp_frame(&self, k: u32) -> Vec<u8> {
        let mut frame = vec![0; self.camera.frame.frame_bytes()];
        self.draw_sharp(k, 0.0, &mut Scratch::default(), &mut frame);
        frame
    }

    /// Width and height of its frames.
    pub fn frame(&self) -> Size {
        self.camera.frame
    }

    /// Draws frame `k` of the video into `frame`: Y, Cb and Cr, one after the other. Each plane is moved to the right
    /// by the fraction of a sample that is left of `offset`, in luma pixels.
    pub fn draw(&self, k: u32, offset: f64, scratch: &mut Scratch, frame: &mut [u8]) {
        // What is blurred stays on whole samples: it has nothing fine that would be seen to jump.
        let index = (k - self.camera.span().start) as usize;
        let shares = self.blurred.iter().map(|blurred| blurred.shares[index]);
        // What is below a blur that hides everything is not drawn.
        let hidden = shares.clone().rposition(|share| share >= 1.0);
        match hidden {
            Some(i) => frame.copy_from_slice(&self.blurred[i].frame),
            None => self.draw_sharp(k, offset, scratch, frame),
        }
        let above = hidden.map_or(0, |i| i + 1);
        for (blurred, share) in self.blurred.iter().zip(shares).skip(above) {
            if share > 0.0 {
                mix(frame, &blurred.frame, share);
            }
        }
    }

    /// The same without any blur.
    fn draw_sharp(&self, k: u32, offset: f64, scratch: &mut Scratch, frame: &mut [u8]) {
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
