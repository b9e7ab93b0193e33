//! Bytes → an upright, colour-managed picture in Y, Cb and Cr planes.
//!
//! ```text
//! jpeg (with markers), tiff, avif, codec (with png, complete, repair) ─ bytes → Raster: samples as stored, orientation, ICC profile
//! icc ─ embedded profiles, and what else says which colours are meant → sRGB
//! upright ─ Raster → rows of upright RGB, averaged and turned into planes by ycc
//! logo (with svg, scale) ─ bytes → premultiplied RGBA
//! thumbnail, contact_sheet ─ the other way: frames of a video → a JPEG file
//! colour, blur, lanczos ─ arithmetic that titles and render use too
//! ```
//!
//! Rows are converted in short strips, so that only the decoded samples and the planes take memory in proportion to the
//! picture.

mod avif;
mod blur;
mod codec;
pub mod colour;
mod complete;
mod contact_sheet;
mod error;
mod frame;
mod icc;
mod jpeg;
mod lanczos;
mod logo;
mod markers;
pub(crate) mod parallel;
mod plane;
mod png;
mod raster;
mod repair;
mod scale;
mod svg;
mod thumbnail;
mod tiff;
mod upright;
mod ycc;

pub use crate::media_type::PictureFormat as Format;
pub use blur::blur;
pub use contact_sheet::contact_sheet;
pub use error::PictureError;
pub use frame::{Component, planes, planes_mut};
pub use lanczos::lanczos;
pub use logo::{Logo, logo};
pub use plane::Plane;
pub use thumbnail::{JpegError, thumbnail};
pub use ycc::rgb;

use crate::media_type::{self, Kind};
use crate::setting::{Setting, assign, at_least};
use crate::spec::Size;
use image::metadata::Orientation;
use raster::Raster;
use serde::{Deserialize, Serialize};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How far a picture is reduced while it is decoded: a plane is averaged over blocks of 2^shift × 2^shift pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// For Y. Larger values count as [`Detail::MAX_SHIFT`].
    pub luma_shift: u8,
    /// For Cb and Cr. Larger values count as [`Detail::MAX_SHIFT`].
    pub chroma_shift: u8,
}

impl Detail {
    /// Blocks of 256 × 256 pixels, whose sums still fit 32 bits.
    pub const MAX_SHIFT: u8 = 8;

    /// For a picture that is only decoded to check it.
    pub const COARSEST: Detail = Detail {
        luma_shift: Self::MAX_SHIFT,
        chroma_shift: Self::MAX_SHIFT,
    };

    /// The coarsest that is as fine as both.
    pub fn finer(self, other: Detail) -> Detail {
        Detail {
            luma_shift: self.luma_shift.min(other.luma_shift),
            chroma_shift: self.chroma_shift.min(other.chroma_shift),
        }
    }

    /// With shifts of at most [`Detail::MAX_SHIFT`].
    pub fn clamped(self) -> Detail {
        Detail {
            luma_shift: self.luma_shift.min(Detail::MAX_SHIFT),
            chroma_shift: self.chroma_shift.min(Detail::MAX_SHIFT),
        }
    }

    /// Empty planes for Y, Cb and Cr of a picture of `size`, in pixels.
    pub fn planes(self, size: Size) -> [Plane; 3] {
        let (width, height) = (size.width as usize, size.height as usize);
        [self.luma_shift, self.chroma_shift, self.chroma_shift]
            .map(|shift| Plane::new(width.div_ceil(1 << shift), height.div_ceil(1 << shift)))
    }
}

/// An upright, colour-managed picture in BT.709 limited range.
///
/// Sample `i` of a plane with shift `s` is the mean of the source pixels `[i·2^s, (i+1)·2^s)` that exist, along both
/// axes; the sides of the plane are `ceil(side / 2^s)`. Chroma is therefore sited in the centre of its block.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Of the upright picture, in pixels.
    pub size: Size,
    /// The reduction of the planes.
    pub detail: Detail,
    /// Y, Cb, Cr.
    pub planes: [Arc<Plane>; 3],
}

/// Limits on pictures, checked against the header before any memory in proportion to the picture is allocated.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Width × height, in pixels.
    pub max_pixels: u64,
    /// Width, and height, in pixels.
    pub max_side: u32,
    /// Bytes that may be held at once, the file itself not counted. No setting: whoever decodes knows.
    pub max_memory: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_pixels: 100_000_000,
            max_side: 32_768,
            max_memory: u64::MAX,
        }
    }
}

impl Limits {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "picture.max_pixels",
            env: None,
            accepts: "a number of pixels from 1 up",
            set: |s, text| assign(&mut s.max_pixels, at_least(1, text)),
        },
        Setting {
            key: "picture.max_side",
            env: None,
            accepts: "a number of pixels from 1 up",
            set: |s, text| assign(&mut s.max_side, at_least(1, text)),
        },
    ];

    /// Checks the size in a header; `bytes_per_pixel` is what the decoder holds at once.
    fn check(&self, width: u32, height: u32, bytes_per_pixel: u64) -> Result<(), PictureError> {
        self.check_size(width, height)?;
        let pixels = u64::from(width) * u64::from(height);
        if pixels.saturating_mul(bytes_per_pixel + PLANE_BYTES) > self.max_memory {
            return Err(PictureError::TooMuchMemory {
                width,
                height,
                limit: self.max_memory,
            });
        }
        Ok(())
    }

    /// Checks a size in pixels.
    ///
    /// # Errors
    /// If it is empty, or larger than the limits.
    pub fn check_size(&self, width: u32, height: u32) -> Result<(), PictureError> {
        let pixels = u64::from(width) * u64::from(height);
        if width == 0 || height == 0 {
            Err(PictureError::NoPixels)
        } else if width > self.max_side {
            Err(PictureError::TooWide {
                width,
                height,
                limit: self.max_side,
            })
        } else if height > self.max_side {
            Err(PictureError::TooHigh {
                width,
                height,
                limit: self.max_side,
            })
        } else if pixels > self.max_pixels {
            Err(PictureError::TooManyPixels {
                width,
                height,
                limit: self.max_pixels,
            })
        } else {
            Ok(())
        }
    }
}

/// Bytes per pixel of the planes that are made of the decoded samples: Y, and Cb and Cr of mostly half the
/// sides.
const PLANE_BYTES: u64 = 2;

/// A decoded picture that is still to be turned upright and into planes.
pub struct Decoded(Raster);

impl Decoded {
    /// Of the upright picture, in pixels.
    pub fn size(&self) -> Size {
        upright::size(&self.0)
    }

    /// The same, of a file whose pixels are upright whatever its orientation says.
    pub fn already_upright(mut self) -> Self {
        self.0.orientation = Orientation::NoTransforms;
        self
    }

    /// The upright planes, reduced to `detail`.
    pub fn into_picture(self, detail: Detail) -> Picture {
        let detail = detail.clamped();
        Picture {
            size: self.size(),
            detail,
            planes: upright::planes(&self.0, detail).map(Arc::new),
        }
    }
}

/// Decodes a complete picture file: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF, recognised by its content; the first frame if it
/// has several.
///
/// Applies the EXIF orientation, converts embedded ICC profiles to sRGB and composites alpha over black.
///
/// # Errors
/// When the bytes are not such a picture, are truncated or damaged, or exceed `limits`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let format = sniff(bytes)?;
    let raster = catch_panic(|| samples(format, bytes, limits));
    raster
        .unwrap_or(Err(PictureError::Undecodable(format)))
        .map(Decoded)
}

/// The samples of a file, by the decoder of its format.
fn samples(format: Format, bytes: &[u8], limits: &Limits) -> Result<Raster, PictureError> {
    match format {
        Format::Jpeg => jpeg::decode(bytes, limits),
        Format::Tiff => tiff::decode(bytes, limits),
        Format::Avif => avif::decode(bytes, limits),
        other => codec::decode(other, bytes, limits),
    }
}

/// Whether a file that begins with these bytes, at least 16, is a HEIF picture such as HEIC: it has
/// to be converted before it can be decoded here.
pub fn is_heif(start: &[u8]) -> bool {
    media_type::sniff(start).is_some_and(|found| found.kind == Kind::Heif)
}

/// The format of a picture with a decoder.
fn sniff(bytes: &[u8]) -> Result<Format, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    match media_type::sniff(bytes) {
        Some(found) => match found.kind {
            Kind::Picture(format) => Ok(format),
            Kind::Heif | Kind::OtherPicture => Err(PictureError::OtherFormat(found.name)),
            _ => Err(PictureError::LooksLike(found.name)),
        },
        None => {
            Err(media_type::cut_picture(bytes)
                .map_or(PictureError::Unknown, PictureError::Truncated))
        }
    }
}

/// Runs a decoder, which may panic on a malformed file. `None` after a panic.
fn catch_panic<T>(decoder: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(decoder)).ok()
}
