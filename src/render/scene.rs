//! A scene: one photo, ready to be drawn from.

use super::fill::fill;
use super::inset::Inset;
use super::path::Path;
use super::resample::Resampler;
use super::source::Source;
use crate::picture::{Component, Picture, planes_mut};
use crate::spec::Size;

/// One photo on its path.
pub struct Scene {
    path: Path,
    /// Y, Cb, Cr.
    sources: [Source; 3],
    /// The frame behind a photo that is shown whole.
    fill: Option<Vec<u8>>,
}

/// What a drawing thread keeps from frame to frame.
#[derive(Default)]
pub struct Brush {
    resampler: Resampler,
    patch: Vec<u8>,
}

impl Scene {
    pub fn new(picture: Picture, path: Path) -> Self {
        let Picture {
            planes: [y, cb, cr],
            detail,
            ..
        } = picture;
        let sources = [
            Source::new(Component::Y, y, detail.luma_shift, &path),
            Source::new(Component::Cb, cb, detail.chroma_shift, &path),
            Source::new(Component::Cr, cr, detail.chroma_shift, &path),
        ];
        let fill = path
            .shows_whole()
            .then(|| fill(&sources, path.photo, path.frame));
        Self {
            path,
            sources,
            fill,
        }
    }

    /// The size of its frames.
    pub fn frame(&self) -> Size {
        self.path.frame
    }

    /// Fills `frame` with frame `k` of the video: Y, Cb, Cr, one after the other.
    pub fn draw(&self, k: u32, brush: &mut Brush, frame: &mut [u8]) {
        if let Some(fill) = &self.fill {
            frame.copy_from_slice(fill);
        }
        for (source, samples) in self.sources.iter().zip(planes_mut(frame, self.path.frame)) {
            if self.fill.is_some() {
                self.draw_inset(source, k, brush, samples);
            } else {
                let (width, height) = source.component().size(self.path.frame);
                let (level, crop) = source.level_for(self.path.crop(source.component(), k), width);
                brush
                    .resampler
                    .resample(level, crop, samples, width, height);
            }
        }
    }

    /// Draws the photo over the fill that is there.
    fn draw_inset(&self, source: &Source, k: u32, brush: &mut Brush, samples: &mut [u8]) {
        let Path { photo, frame, .. } = self.path;
        let inset = Inset::new(
            source.component(),
            photo,
            self.path.crop(Component::Y, k),
            frame,
        );
        let (across, _) = source.component().size(frame);
        let (level, crop) = source.level_for(self.path.crop(source.component(), k), across);
        let (width, height) = inset.size();
        brush.patch.resize(width * height, 0);
        brush
            .resampler
            .resample(level, inset.part(crop), &mut brush.patch, width, height);
        inset.lay(&brush.patch, samples);
    }
}
