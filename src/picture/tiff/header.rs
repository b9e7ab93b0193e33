//! What a directory says about its picture (TIFF 6.0, sections 3 to 8 and 18).

use super::compression::has_predictor;
use super::directory::Directory;
use super::{damaged, unsupported};
use crate::picture::PictureError;
use crate::picture::raster::Layout;

/// Tags that are read.
mod tag {
    pub const WIDTH: u16 = 256;
    pub const HEIGHT: u16 = 257;
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const PLANAR: u16 = 284;
    pub const T4_OPTIONS: u16 = 292;
    pub const PREDICTOR: u16 = 317;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_HEIGHT: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const INK_SET: u16 = 332;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const DNG_VERSION: u16 = 50_706;
}

/// How samples are to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Photometric {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
    CieLab,
    IccLab,
}

/// The type of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Integer,
    Float,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    None,
    Horizontal,
    FloatingPoint,
}

#[derive(Clone, Copy)]
pub(super) struct Alpha {
    /// Its index in a pixel.
    pub sample: usize,
    /// Whether the colours are multiplied by it.
    pub associated: bool,
}

/// The strips or tiles of a plane.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub tiled: bool,
    /// Of a chunk, in pixels.
    pub width: usize,
    pub height: usize,
    /// Chunks per row and per column of chunks.
    pub across: usize,
    pub down: usize,
}

pub(super) struct Header {
    pub width: usize,
    pub height: usize,
    pub big_endian: bool,
    /// Per sample.
    pub bits: usize,
    /// Per pixel.
    pub samples: usize,
    pub number: Number,
    pub photometric: Photometric,
    pub alpha: Option<Alpha>,
    pub compression: u16,
    pub predictor: Predictor,
    /// Whether each sample has planes of its own.
    pub planar: bool,
    /// Whether the lowest bit of a byte comes first.
    pub low_bit_first: bool,
    pub t4_options: u64,
    pub grid: Grid,
}

impl Header {
    pub fn read(directory: &Directory) -> Result<Header, PictureError> {
        let side = |tag| directory.number(tag).and_then(|n| u32::try_from(n).ok());
        let width = side(tag::WIDTH).ok_or_else(damaged)? as usize;
        let height = side(tag::HEIGHT).ok_or_else(damaged)? as usize;
        let number = |tag, default| directory.number(tag).unwrap_or(default);
        let photometric = directory.number(tag::PHOTOMETRIC);
        // A file without the number of samples still tells it by its colours.
        let samples = number(
            tag::SAMPLES_PER_PIXEL,
            if matches!(photometric, Some(2 | 6)) {
                3
            } else {
                1
            },
        ) as usize;
        // A picture has a few colours, an alpha and perhaps some masks.
        if samples == 0 || samples > MAX_SAMPLES {
            return Err(unsupported());
        }
        let photometric = photometric_of(photometric, samples)?;
        if photometric == Photometric::Cmyk && number(tag::INK_SET, 1) != 1 {
            return Err(unsupported());
        }
        // What its first directory shows is a preview.
        if directory.number(tag::DNG_VERSION).is_some() {
            return Err(unsupported());
        }
        let compression = number(tag::COMPRESSION, 1) as u16;
        let header = Header {
            width,
            height,
            big_endian: directory.big_endian(),
            bits: same(directory, tag::BITS_PER_SAMPLE, samples, 1)? as usize,
            samples,
            number: match same(directory, tag::SAMPLE_FORMAT, samples, 1)? {
                // Unsigned, signed and undefined.
                1 | 2 | 4 => Number::Integer,
                3 => Number::Float,
                _ => return Err(unsupported()),
            },
            photometric,
            alpha: alpha(directory, photometric, samples),
            compression,
            predictor: match number(tag::PREDICTOR, 1) {
                _ if !has_predictor(compression) => Predictor::None,
                1 => Predictor::None,
                2 => Predictor::Horizontal,
                3 => Predictor::FloatingPoint,
                _ => return Err(unsupported()),
            },
            planar: samples > 1 && number(tag::PLANAR, 1) == 2,
            low_bit_first: number(tag::FILL_ORDER, 1) == 2,
            t4_options: number(tag::T4_OPTIONS, 0),
            grid: grid(directory, width, height)?,
        };
        header.check()?;
        Ok(header)
    }

    fn check(&self) -> Result<(), PictureError> {
        let supported = match self.number {
            Number::Integer => matches!(self.bits, 1..=16 | 24 | 32 | 64),
            Number::Float => matches!(self.bits, 16 | 32 | 64),
        };
        let indices = self.bits <= 8 && self.number == Number::Integer;
        let is_lab = matches!(self.photometric, Photometric::CieLab | Photometric::IccLab);
        let is_usual = matches!(self.bits, 8 | 16) && self.number == Number::Integer;
        let predictable = match self.predictor {
            Predictor::None => true,
            Predictor::Horizontal => matches!(self.bits, 8 | 16 | 32 | 64),
            Predictor::FloatingPoint => self.number == Number::Float,
        };
        if self.samples < self.colours() {
            Err(damaged())
        } else if !supported
            || !predictable
            || is_lab && !is_usual
            || self.photometric == Photometric::Palette && !indices
        {
            Err(unsupported())
        } else {
            Ok(())
        }
    }

    /// Samples of a pixel that are colours.
    pub fn colours(&self) -> usize {
        match self.photometric {
            Photometric::WhiteIsZero | Photometric::BlackIsZero | Photometric::Palette => 1,
            Photometric::Rgb | Photometric::YCbCr | Photometric::CieLab | Photometric::IccLab => 3,
            Photometric::Cmyk => 4,
        }
    }

    /// Samples of a pixel in one chunk.
    pub fn samples_in_chunk(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Of a row in a chunk, decompressed. `None` when it overflows.
    pub fn row_bytes(&self) -> Option<usize> {
        let bits = self.samples_in_chunk() * self.bits;
        Some(self.grid.width.checked_mul(bits)?.div_ceil(8))
    }

    pub fn layout(&self) -> Layout {
        let deep = self.bits > 8;
        match (self.colours(), self.alpha.is_some()) {
            _ if self.photometric == Photometric::Palette => match self.alpha {
                Some(_) => Layout::Rgba8,
                None => Layout::Rgb8,
            },
            (1, false) if deep => Layout::Gray16,
            (1, false) => Layout::Gray8,
            (1, true) if deep => Layout::GrayAlpha16,
            (1, true) => Layout::GrayAlpha8,
            (3, false) if deep => Layout::Rgb16,
            (3, false) => Layout::Rgb8,
            (3, true) if deep => Layout::Rgba16,
            (3, true) => Layout::Rgba8,
            _ => Layout::InvertedCmyk8,
        }
    }
}

const MAX_SAMPLES: usize = 16;

impl Grid {
    /// The upper left pixel of each chunk: top, left.
    pub fn corners(self) -> impl Iterator<Item = (usize, usize)> {
        let tops = (0..self.down).map(move |row| row * self.height);
        tops.flat_map(move |top| (0..self.across).map(move |column| (top, column * self.width)))
    }
}

/// Files that do not say how their samples are to be seen have gray or RGB.
fn photometric_of(value: Option<u64>, samples: usize) -> Result<Photometric, PictureError> {
    match value {
        Some(0) => Ok(Photometric::WhiteIsZero),
        Some(1) => Ok(Photometric::BlackIsZero),
        Some(2) => Ok(Photometric::Rgb),
        Some(3) => Ok(Photometric::Palette),
        Some(5) => Ok(Photometric::Cmyk),
        Some(6) => Ok(Photometric::YCbCr),
        Some(8) => Ok(Photometric::CieLab),
        Some(9) => Ok(Photometric::IccLab),
        None if samples < 3 => Ok(Photometric::BlackIsZero),
        None => Ok(Photometric::Rgb),
        Some(_) => Err(unsupported()),
    }
}

/// The value that all samples share.
fn same(
    directory: &Directory,
    tag: u16,
    samples: usize,
    default: u64,
) -> Result<u64, PictureError> {
    let Some(values) = directory.numbers(tag) else {
        return Ok(default);
    };
    let first = values.get(0).unwrap_or(default);
    if values.first(samples).all(|value| value == first) {
        Ok(first)
    } else {
        Err(unsupported())
    }
}

fn alpha(directory: &Directory, photometric: Photometric, samples: usize) -> Option<Alpha> {
    let colours = match photometric {
        Photometric::Cmyk | Photometric::CieLab | Photometric::IccLab => return None,
        Photometric::Rgb | Photometric::YCbCr => 3,
        _ => 1,
    };
    let Some(extra) = directory.numbers(tag::EXTRA_SAMPLES) else {
        // Some writers of RGBA leave the field out.
        return (photometric == Photometric::Rgb && samples == 4).then_some(Alpha {
            sample: 3,
            associated: false,
        });
    };
    let (i, meaning) = extra
        .first(samples)
        .enumerate()
        .find(|(_, extra)| matches!(extra, 1 | 2))?;
    Some(Alpha {
        sample: colours + i,
        associated: meaning == 1,
    })
    .filter(|alpha| alpha.sample < samples)
}

fn grid(directory: &Directory, width: usize, height: usize) -> Result<Grid, PictureError> {
    let side = |tag| directory.number(tag).map(|n| n as u32 as usize);
    let tiled = directory.has(tag::TILE_OFFSETS);
    let (chunk_width, chunk_height) = if tiled {
        (side(tag::TILE_WIDTH), side(tag::TILE_HEIGHT))
    } else {
        let rows = side(tag::ROWS_PER_STRIP).unwrap_or(height);
        (Some(width), Some(rows.min(height)))
    };
    match (chunk_width, chunk_height) {
        (Some(w @ 1..), Some(h @ 1..)) => Ok(Grid {
            tiled,
            width: w,
            height: h,
            across: width.div_ceil(w),
            down: height.div_ceil(h),
        }),
        // A picture without pixels is refused with a better message.
        _ if width == 0 || height == 0 => Err(PictureError::NoPixels),
        _ => Err(damaged()),
    }
}
