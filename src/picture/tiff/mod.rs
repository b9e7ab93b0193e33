//! TIFF and BigTIFF.
//!
//! ```text
//! directory ─ the fields of the first directory
//! header ─ fields → what the picture is
//! compression (with fax) ─ chunks → rows
//! samples ─ rows → numbers
//! canvas (with lab) ─ numbers → pixels
//! ```
//!
//! Of our own, on the crates that decompress: `tiff` 0.11 has no palettes, no 2-, 4- and 12-bit samples, no fill order and
//! no premultiplied alpha, and panics on tiled planes.

mod canvas;
mod compression;
mod directory;
mod fax;
mod header;
mod lab;
mod samples;

use super::icc::Transform;
use super::raster::Raster;
use super::{Format, Limits, PictureError, jpeg};
use canvas::Canvas;
use directory::{Directory, Numbers};
use header::{Header, Photometric, Predictor};
use image::metadata::Orientation;

const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const STRIP_BYTE_COUNTS: u16 = 279;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTE_COUNTS: u16 = 325;
const JPEG_TABLES: u16 = 347;
const JPEG_INTERCHANGE_FORMAT: u16 = 513;
const ICC_PROFILE: u16 = 34_675;

/// Decodes the first picture.
///
/// # Errors
/// When the file is cut inside a strip or tile, is damaged, is of an unsupported kind, or exceeds `limits`.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Raster, PictureError> {
    let directory = Directory::read(bytes).ok_or_else(truncated)?;
    let header = Header::read(&directory)?;
    let orientation = directory
        .number(ORIENTATION)
        .and_then(|value| Orientation::from_exif(u8::try_from(value).ok()?))
        .unwrap_or(Orientation::NoTransforms);
    let mut raster = if header.compression == compression::OLD_JPEG {
        old_jpeg(bytes, &directory, &header, limits)?
    } else {
        chunks(bytes, &directory, &header, limits)?
    };
    raster.orientation = orientation;
    let is_lab = matches!(
        header.photometric,
        Photometric::CieLab | Photometric::IccLab
    );
    // The profile of L*a*b* is not one of the RGB that it has become.
    if let Some(profile) = directory.bytes(ICC_PROFILE).filter(|_| !is_lab) {
        raster.transform = Transform::new(profile, raster.layout.model());
    }
    Ok(raster)
}

/// A whole JPEG file inside the TIFF.
fn old_jpeg(
    bytes: &[u8],
    directory: &Directory,
    header: &Header,
    limits: &Limits,
) -> Result<Raster, PictureError> {
    let start = directory
        .number(JPEG_INTERCHANGE_FORMAT)
        .and_then(|start| usize::try_from(start).ok())
        .ok_or_else(unsupported)?;
    let file = bytes.get(start..).ok_or_else(truncated)?;
    let raster = jpeg::decode(file, limits)?;
    if (raster.width, raster.height) == (header.width, header.height) {
        Ok(raster)
    } else {
        Err(damaged())
    }
}

fn chunks(
    bytes: &[u8],
    directory: &Directory,
    header: &Header,
    limits: &Limits,
) -> Result<Raster, PictureError> {
    compression::check(header)?;
    let layout = header.layout();
    let stored = (header.samples * header.bits).div_ceil(8);
    limits.check(
        header.width as u32,
        header.height as u32,
        (layout.bytes() + stored) as u64,
    )?;
    let row_bytes = header.row_bytes().ok_or_else(too_costly)?;
    let chunk_bytes = row_bytes.checked_mul(header.grid.height.min(header.height));
    if chunk_bytes.is_none_or(|length| length as u64 > limits.max_memory) {
        return Err(too_costly());
    }

    let mut chunks = Chunks::new(bytes, directory, header)?;
    let tables = directory.bytes(JPEG_TABLES);
    let mut canvas = Canvas::new(header, directory)?;
    let mut rows = Rows::default();
    let grid = header.grid;
    let planes = if header.planar { header.samples } else { 1 };
    for plane in 0..planes {
        let plane = header.planar.then_some(plane);
        for (top, left) in grid.corners() {
            let count = grid.height.min(header.height - top);
            let data = chunks.next(count * row_bytes)?;
            if plane.is_some_and(|plane| !canvas.has(plane)) {
                continue;
            }
            let data = compression::decompress(header, tables, data, count, row_bytes)?;
            let run = grid.width.min(header.width - left) * header.samples_in_chunk();
            for (y, row) in (top..).zip(data.chunks_exact(row_bytes).take(count)) {
                let samples = rows.read(header, row);
                canvas.write((left, y), plane, &samples[..run]);
            }
        }
    }
    Ok(Raster {
        width: header.width,
        height: header.height,
        layout,
        data: canvas.finish(),
        orientation: Orientation::NoTransforms,
        transform: None,
    })
}

/// The compressed bytes of the chunks, one after the other.
struct Chunks<'b, 'd> {
    bytes: &'b [u8],
    offsets: Numbers<'d>,
    lengths: Option<Numbers<'d>>,
    next: usize,
    /// How many bytes the rest may have together.
    left: usize,
}

impl<'b, 'd> Chunks<'b, 'd> {
    fn new(
        bytes: &'b [u8],
        directory: &'d Directory<'_>,
        header: &Header,
    ) -> Result<Chunks<'b, 'd>, PictureError> {
        let (offsets, lengths) = if header.grid.tiled {
            (TILE_OFFSETS, TILE_BYTE_COUNTS)
        } else {
            (STRIP_OFFSETS, STRIP_BYTE_COUNTS)
        };
        // Chunks that share their bytes are smaller than what they become, or else made to take time.
        let raw = header.width * header.height * (header.samples * header.bits).div_ceil(8);
        Ok(Chunks {
            bytes,
            offsets: directory.numbers(offsets).ok_or_else(damaged)?,
            lengths: directory.numbers(lengths),
            next: 0,
            left: bytes.len().saturating_add(raw),
        })
    }

    fn next(&mut self, needed: usize) -> Result<&'b [u8], PictureError> {
        let number = |numbers: &Numbers| usize::try_from(numbers.get(self.next)?).ok();
        let offset = number(&self.offsets).ok_or_else(damaged)?;
        let rest = self.bytes.get(offset..).ok_or_else(truncated)?;
        let length = self.lengths.as_ref().and_then(number).unwrap_or(0);
        let chunk = match length {
            // Missing: what a chunk that is not compressed has.
            0 => &rest[..rest.len().min(needed)],
            length => &rest[..rest.len().min(length)],
        };
        self.next += 1;
        self.left = self
            .left
            .checked_sub(chunk.len())
            .ok_or(PictureError::TooMuchWork(Format::Tiff))?;
        Ok(chunk)
    }
}

/// Buffers for a row, reused by the next one.
#[derive(Default)]
struct Rows {
    row: Vec<u8>,
    scratch: Vec<u8>,
    samples: Vec<u16>,
}

impl Rows {
    /// The samples of a decompressed row.
    fn read(&mut self, header: &Header, row: &[u8]) -> &[u16] {
        let row = if header.predictor == Predictor::None {
            row
        } else {
            self.row.clear();
            self.row.extend_from_slice(row);
            samples::undo_predictor(header, &mut self.row, &mut self.scratch);
            &self.row
        };
        samples::unpack(header, row, &mut self.samples);
        &self.samples
    }
}

fn damaged() -> PictureError {
    PictureError::Damaged(Format::Tiff)
}

fn truncated() -> PictureError {
    PictureError::Truncated(Format::Tiff)
}

fn unsupported() -> PictureError {
    PictureError::Unsupported(Format::Tiff)
}

fn too_costly() -> PictureError {
    PictureError::TooCostly(Format::Tiff)
}
