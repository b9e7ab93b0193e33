//! AV1 data of one picture → planes of samples.

use super::{damaged, too_costly, unsupported};
use crate::picture::{Limits, PictureError};
use re_rav1d::dav1d::{
    Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings, pixel,
};

/// How samples of a frame are to be read, as numbers of ITU-T H.273.
#[derive(Clone, Copy)]
pub(super) struct Coding {
    pub primaries: u16,
    pub transfer: u16,
    pub matrix: u16,
    pub full_range: bool,
}

/// A decoded frame.
pub(super) struct Frame {
    picture: Picture,
    /// Per sample.
    pub bits: usize,
}

impl Frame {
    /// Decodes the first frame that is to be shown.
    pub fn decode(data: Vec<u8>, limits: &Limits) -> Result<Frame, PictureError> {
        let mut settings = Settings::new();
        // Other jobs need the other processors.
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        // Of a picture in layers, the best one.
        settings.set_all_layers(false);
        settings.set_frame_size_limit(u32::try_from(limits.max_pixels).unwrap_or(u32::MAX));
        let mut decoder = Decoder::with_settings(&settings).map_err(error)?;
        let mut sent = decoder.send_data(data, None, None, None);
        loop {
            match (decoder.get_picture(), sent) {
                (Ok(picture), _) => {
                    let bits = picture.bits_per_component().ok_or_else(damaged)?.0;
                    return Ok(Frame { picture, bits });
                }
                // All data are consumed, and there is no frame.
                (Err(Error::Again), Ok(())) => return Err(damaged()),
                (Err(Error::Again), Err(Error::Again)) => sent = decoder.send_pending_data(),
                (Err(Error::Again), Err(other)) | (Err(other), _) => return Err(error(other)),
            }
        }
    }

    pub fn width(&self) -> usize {
        self.picture.width() as usize
    }

    pub fn height(&self) -> usize {
        self.picture.height() as usize
    }

    pub fn is_monochrome(&self) -> bool {
        self.picture.pixel_layout() == PixelLayout::I400
    }

    /// Whether chroma has half the width, and half the height, of luma.
    pub fn subsampling(&self) -> (bool, bool) {
        match self.picture.pixel_layout() {
            PixelLayout::I420 => (true, true),
            PixelLayout::I422 => (true, false),
            PixelLayout::I400 | PixelLayout::I444 => (false, false),
        }
    }

    /// What the data say of themselves.
    pub fn coding(&self) -> Coding {
        Coding {
            primaries: self.picture.color_primaries() as u16,
            transfer: self.picture.transfer_characteristic() as u16,
            matrix: self.picture.matrix_coefficients() as u16,
            full_range: self.picture.color_range() == pixel::YUVRange::Full,
        }
    }

    /// A plane, to be read row by row. Of a monochrome frame there is only luma.
    pub fn plane(&self, component: PlanarImageComponent) -> Rows {
        let (width, height) = match component {
            PlanarImageComponent::Y => (self.width(), self.height()),
            _ => {
                let (half_width, half_height) = self.subsampling();
                (
                    self.width().div_ceil(1 + usize::from(half_width)),
                    self.height().div_ceil(1 + usize::from(half_height)),
                )
            }
        };
        Rows {
            stride: self.picture.stride(component) as usize,
            bytes: if self.bits > 8 { 2 } else { 1 },
            plane: self.picture.plane(component),
            width,
            height,
        }
    }
}

pub(super) struct Rows {
    plane: re_rav1d::dav1d::Plane,
    /// From one row to the next, in bytes.
    stride: usize,
    /// Per sample.
    bytes: usize,
    pub width: usize,
    pub height: usize,
}

impl Rows {
    /// Reads row `y` as numbers, each converted by `convert`.
    pub fn read(&self, y: usize, convert: impl Fn(u16) -> f32, out: &mut Vec<f32>) {
        let row = &self.plane[y * self.stride..][..self.width * self.bytes];
        out.clear();
        if self.bytes == 1 {
            out.extend(row.iter().map(|&sample| convert(u16::from(sample))));
        } else {
            let samples = row.as_chunks().0.iter();
            out.extend(samples.map(|&sample| convert(u16::from_ne_bytes(sample))));
        }
    }
}

fn error(error: Error) -> PictureError {
    match error {
        Error::NotEnoughMemory => too_costly(),
        Error::UnsupportedBitstream => unsupported(),
        _ => damaged(),
    }
}
