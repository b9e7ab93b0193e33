//! AVIF: AV1 pictures in a HEIF container.
//!
//! ```text
//! zenavif_parse ─ the container: whose data are the picture, its tiles, its alpha
//! properties ─ what the container says of the picture: profile, turn, crop
//! av1 (re_rav1d) ─ data → planes
//! convert ─ planes → RGB or gray
//! ```

mod av1;
mod convert;
mod properties;

use super::icc::Transform;
use super::raster::{Layout, Raster, unassociate};
use super::{Format, Limits, PictureError};
use av1::{Coding, Frame};
use convert::Converter;
use zenavif_parse::{AV1Metadata, AvifParser, ColorInformation, DecodeConfig, Unstoppable};

/// Decodes the picture, or the first frame of a sequence.
///
/// # Errors
/// When the file is cut, is damaged, is of an unsupported kind, or exceeds `limits`.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Raster, PictureError> {
    let config = DecodeConfig::default()
        .with_peak_memory_limit(limits.max_memory)
        // Small deviations from the standard that browsers accept.
        .lenient(true);
    let parser = AvifParser::from_bytes_with_config(bytes, &config, &Unstoppable)
        .map_err(|error| container_error(&error))?;
    let source = Source::new(&parser)?;
    source.check(limits)?;

    let mut canvas = None;
    for i in 0..source.tiles.len() {
        let frame = Frame::decode(source.tiles[i].clone(), limits)?;
        let canvas = match &mut canvas {
            Some(canvas) => canvas,
            empty => empty.insert(Canvas::new(&source, &frame, limits)?),
        };
        canvas.place(i, &frame)?;
    }
    let mut canvas = canvas.ok_or_else(damaged)?;
    if let Some(alpha) = source.alpha {
        canvas.place_alpha(&Frame::decode(alpha, limits)?)?;
    }
    if parser.premultiplied_alpha() {
        unassociate(canvas.layout, &mut canvas.data);
    }
    let model = canvas.layout.model();
    let transform = match properties::profile(bytes, &parser) {
        Some(profile) => Transform::new(profile, model),
        None => Transform::cicp(canvas.coding.primaries, canvas.coding.transfer, model),
    };
    let mut raster = Raster {
        width: canvas.width,
        height: canvas.height,
        layout: canvas.layout,
        data: canvas.data,
        orientation: properties::orientation(&parser),
        transform,
    };
    if let Some(aperture) = properties::aperture(&parser, raster.width, raster.height) {
        raster.crop(aperture);
    }
    Ok(raster)
}

/// The AV1 data of a picture.
struct Source {
    /// One, or those of a grid in reading order.
    tiles: Vec<Vec<u8>>,
    grid: Option<Grid>,
    alpha: Option<Vec<u8>>,
    /// The container's word on the colours, which counts more than the data's.
    coding: Option<Coding>,
}

impl Source {
    fn new(parser: &AvifParser) -> Result<Source, PictureError> {
        let data = |data: zenavif_parse::Result<std::borrow::Cow<[u8]>>| {
            data.map(std::borrow::Cow::into_owned)
                .map_err(|error| container_error(&error))
        };
        let primary = data(parser.primary_data())?;
        let grid = match parser.grid_tile_count() {
            0 => None,
            count => Some(Grid::read(&primary, count).ok_or_else(damaged)?),
        };
        let tiles = match &grid {
            Some(grid) => (0..grid.columns * grid.rows)
                .map(|i| data(parser.tile_data(i)))
                .collect::<Result<_, _>>()?,
            None => vec![primary],
        };
        Ok(Source {
            tiles,
            grid,
            alpha: parser.alpha_data().map(data).transpose()?,
            coding: match parser.color_info() {
                Some(&ColorInformation::Nclx {
                    color_primaries,
                    transfer_characteristics,
                    matrix_coefficients,
                    full_range,
                }) => Some(Coding {
                    primaries: color_primaries,
                    transfer: transfer_characteristics,
                    matrix: matrix_coefficients,
                    full_range,
                }),
                _ => None,
            },
        })
    }

    /// Checks the sizes in the headers.
    fn check(&self, limits: &Limits) -> Result<(), PictureError> {
        for data in self.tiles.iter().chain(&self.alpha) {
            let header =
                AV1Metadata::parse_av1_bitstream(data).map_err(|error| match self.grid {
                    // Alpha may be a grid, too, whose tiles the parser does not tell.
                    Some(_) => unsupported(),
                    None => container_error(&error),
                })?;
            let (width, height) = (header.max_frame_width, header.max_frame_height);
            limits.check(width.get(), height.get(), BYTES_PER_PIXEL)?;
        }
        self.grid.as_ref().map_or(Ok(()), |grid| {
            limits.check(grid.width, grid.height, BYTES_PER_PIXEL)
        })
    }
}

/// A picture that is put together from tiles of one size (ISO/IEC 23008-12, 6.6.2.3).
struct Grid {
    rows: usize,
    columns: usize,
    /// Of the picture, which may cut the last tiles, in pixels.
    width: u32,
    height: u32,
}

impl Grid {
    /// `None` for damaged data, or if there are fewer than all tiles.
    fn read(data: &[u8], tiles: usize) -> Option<Grid> {
        let &[_version, flags, rows, columns, ref size @ ..] = data else {
            return None;
        };
        let half = |bytes: [u8; 2]| u32::from(u16::from_be_bytes(bytes));
        let (width, height) = if flags & 1 == 0 {
            let &[[a, b], [c, d]] = size.as_chunks::<2>().0.first_chunk()?;
            (half([a, b]), half([c, d]))
        } else {
            let &[width, height] = size.as_chunks::<4>().0.first_chunk()?;
            (u32::from_be_bytes(width), u32::from_be_bytes(height))
        };
        let grid = Grid {
            rows: usize::from(rows) + 1,
            columns: usize::from(columns) + 1,
            width,
            height,
        };
        (grid.rows * grid.columns <= tiles).then_some(grid)
    }
}

/// What the decoder of a picture with alpha holds: planes of up to three samples of 16 bits, and the raster.
const BYTES_PER_PIXEL: u64 = 3 * 2 + 4;

/// The raster that tiles are placed in.
struct Canvas {
    width: usize,
    height: usize,
    layout: Layout,
    data: Vec<u8>,
    coding: Coding,
    columns: usize,
    /// Of the first tile, which all others share, in pixels.
    tile: (usize, usize),
}

impl Canvas {
    /// For a picture whose first tile is `frame`.
    fn new(source: &Source, frame: &Frame, limits: &Limits) -> Result<Canvas, PictureError> {
        let tile = (frame.width(), frame.height());
        let (columns, rows, width, height) = match &source.grid {
            None => (1, 1, tile.0, tile.1),
            Some(grid) => (
                grid.columns,
                grid.rows,
                grid.width as usize,
                grid.height as usize,
            ),
        };
        if width > tile.0 * columns || height > tile.1 * rows {
            return Err(damaged());
        }
        let side = |side| u32::try_from(side).unwrap_or(u32::MAX);
        limits.check(side(width), side(height), BYTES_PER_PIXEL)?;
        let layout = match (frame.is_monochrome(), source.alpha.is_some()) {
            (true, false) => Layout::Gray8,
            (true, true) => Layout::GrayAlpha8,
            (false, false) => Layout::Rgb8,
            (false, true) => Layout::Rgba8,
        };
        Ok(Canvas {
            width,
            height,
            layout,
            data: vec![0; width * height * layout.bytes()],
            coding: source.coding.unwrap_or_else(|| frame.coding()),
            columns,
            tile,
        })
    }

    fn is_gray(&self) -> bool {
        matches!(self.layout, Layout::Gray8 | Layout::GrayAlpha8)
    }

    /// Places tile `i` of the grid.
    fn place(&mut self, i: usize, frame: &Frame) -> Result<(), PictureError> {
        if (frame.width(), frame.height()) != self.tile || frame.is_monochrome() != self.is_gray() {
            return Err(damaged());
        }
        let converter = Converter::new(frame, self.coding)?;
        match self.layout {
            Layout::Gray8 => self.convert::<1>(i, converter),
            Layout::GrayAlpha8 => self.convert::<2>(i, converter),
            Layout::Rgba8 => self.convert::<4>(i, converter),
            _ => self.convert::<3>(i, converter),
        }
        Ok(())
    }

    fn convert<const N: usize>(&mut self, i: usize, mut converter: Converter) {
        let left = i % self.columns * self.tile.0;
        let top = i / self.columns * self.tile.1;
        let width = self.tile.0.min(self.width.saturating_sub(left));
        let rows = self.data.chunks_exact_mut(self.width * N).skip(top);
        for (y, row) in rows.take(self.tile.1).enumerate() {
            let pixels = &mut row.as_chunks_mut::<N>().0[left.min(self.width)..];
            converter.read(y, &mut pixels[..width]);
        }
    }

    /// Writes the last byte of each pixel.
    fn place_alpha(&mut self, frame: &Frame) -> Result<(), PictureError> {
        if (frame.width(), frame.height()) != (self.width, self.height) {
            return Err(unsupported());
        }
        // Only luma counts.
        let mut converter = Converter::luma(frame);
        let mut alpha = vec![[0]; self.width];
        let pixel = self.layout.bytes();
        for (y, row) in self.data.chunks_exact_mut(self.width * pixel).enumerate() {
            converter.read(y, &mut alpha);
            let pixels = row.chunks_exact_mut(pixel).zip(&alpha);
            pixels.for_each(|(pixel, alpha)| pixel[pixel.len() - 1] = alpha[0]);
        }
        Ok(())
    }
}

fn container_error(error: &zenavif_parse::Error) -> PictureError {
    match error {
        zenavif_parse::Error::UnexpectedEOF => PictureError::Truncated(Format::Avif),
        zenavif_parse::Error::Unsupported(_) => unsupported(),
        zenavif_parse::Error::OutOfMemory | zenavif_parse::Error::ResourceLimitExceeded(_) => {
            too_costly()
        }
        _ => damaged(),
    }
}

fn damaged() -> PictureError {
    PictureError::Damaged(Format::Avif)
}

fn unsupported() -> PictureError {
    PictureError::Unsupported(Format::Avif)
}

fn too_costly() -> PictureError {
    PictureError::TooCostly(Format::Avif)
}
