//! Logos: small pictures with alpha.

use super::raster::{Raster, Scratch};
use super::scale::{Pixels, resample};
use super::upright::Turn;
use super::{Limits, PictureError, catch_panic, samples, sniff, svg};
use crate::media_type::{self, Kind};
use crate::spec::Size;
use image::metadata::Orientation;

/// Alpha up to which a border counts as empty.
const MAX_EMPTY_ALPHA: u8 = 6;

/// An upright picture in sRGB, with alpha, without empty borders.
#[derive(Clone, Debug)]
pub struct Logo {
    size: Size,
    pixels: Pixels,
}

impl Logo {
    /// From premultiplied RGBA, rows top to bottom; `None`: not so many pixels.
    pub fn new(size: Size, pixels: Vec<[u8; 4]>) -> Option<Logo> {
        let [width, height] = sides(size);
        (pixels.len() == width * height && !pixels.is_empty()).then_some(Logo { size, pixels })
    }

    /// In pixels.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Premultiplied RGBA, rows top to bottom.
    pub fn pixels(&self) -> &[[u8; 4]] {
        &self.pixels
    }

    /// The pixels scaled to another size, which should have the same proportions. A side of 0 counts as 1.
    pub fn scaled(&self, size: Size) -> Vec<[u8; 4]> {
        if size == self.size {
            return self.pixels.clone();
        }
        resample(
            &self.pixels,
            sides(self.size),
            sides(size).map(|side| side.max(1)),
        )
    }
}

/// Decodes a logo: an SVG drawing, or a picture in any of the formats of [`decode`](super::decode),
/// of which it keeps the alpha. The result is at most as large as `max`. `is_upright`: whatever its
/// orientation says.
///
/// # Errors
/// When the bytes are not such a picture, are damaged, exceed `limits`, or have no visible pixel.
pub fn logo(
    bytes: &[u8],
    limits: &Limits,
    max: Size,
    is_upright: bool,
) -> Result<Logo, PictureError> {
    let max = Size {
        width: max.width.max(1),
        height: max.height.max(1),
    };
    let (pixels, size) = match media_type::sniff(bytes).map(|found| (found.kind, found.name)) {
        Some((Kind::Svg, _)) => drawing(bytes, limits, max)?,
        // A long comment may precede the root element.
        Some((Kind::Xml, name)) => drawing(bytes, limits, max).map_err(|e| match e {
            PictureError::DrawingDamaged => PictureError::LooksLike(name),
            known => known,
        })?,
        _ => bitmap(bytes, limits, max, is_upright)?,
    };
    let (pixels, size) = trimmed(&pixels, size).ok_or(PictureError::Invisible)?;
    let fitted = fitted(size, max);
    let logo = Logo { size, pixels };
    Ok(Logo {
        pixels: logo.scaled(fitted),
        size: fitted,
    })
}

fn bitmap(
    bytes: &[u8],
    limits: &Limits,
    max: Size,
    is_upright: bool,
) -> Result<(Pixels, Size), PictureError> {
    let format = sniff(bytes)?;
    let decoded = catch_panic(|| {
        let mut raster = samples(format, bytes, limits)?;
        if is_upright {
            raster.orientation = Orientation::NoTransforms;
        }
        Ok(upright(&raster, max))
    });
    decoded.unwrap_or(Err(PictureError::Undecodable(format)))
}

fn drawing(bytes: &[u8], limits: &Limits, max: Size) -> Result<(Pixels, Size), PictureError> {
    catch_panic(|| svg::draw(bytes, limits, max)).unwrap_or(Err(PictureError::DrawingDamaged))
}

fn sides(size: Size) -> [usize; 2] {
    [size.width as usize, size.height as usize]
}

/// The largest size of the same proportions that fits `max`, without enlarging.
fn fitted(size: Size, max: Size) -> Size {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let scale = (f64::from(max.width) / width)
        .min(f64::from(max.height) / height)
        .min(1.0);
    Size {
        width: ((width * scale).round() as u32).max(1),
        height: ((height * scale).round() as u32).max(1),
    }
}

/// The upright pixels, averaged over blocks but still at least twice as large as fits `max`, so that
/// the scaling filter determines the sharpness.
fn upright(raster: &Raster, max: Size) -> (Pixels, Size) {
    let turn = Turn::from(raster.orientation);
    let room = if turn.transposed {
        [max.height, max.width]
    } else {
        [max.width, max.height]
    };
    let (width, height) = (raster.width, raster.height);
    let block = (width / (2 * room[0] as usize))
        .max(height / (2 * room[1] as usize))
        .max(1);
    let (pixels, [width, height]) = averaged(
        raster,
        block,
        [width.div_ceil(block), height.div_ceil(block)],
    );
    if !turn.transposed && !turn.mirror_x && !turn.mirror_y {
        return (pixels, size(width, height));
    }
    turned(&pixels, [width, height], turn)
}

fn turned(pixels: &[[u8; 4]], [width, height]: [usize; 2], turn: Turn) -> (Pixels, Size) {
    let (upright_width, upright_height) = if turn.transposed {
        (height, width)
    } else {
        (width, height)
    };
    let mut turned = Vec::with_capacity(pixels.len());
    for y in 0..upright_height {
        for x in 0..upright_width {
            let (x, y) = if turn.transposed { (y, x) } else { (x, y) };
            let x = if turn.mirror_x { width - 1 - x } else { x };
            let y = if turn.mirror_y { height - 1 - y } else { y };
            turned.push(pixels[y * width + x]);
        }
    }
    (turned, size(upright_width, upright_height))
}

fn size(width: usize, height: usize) -> Size {
    // Decoders report sizes in 32 bits.
    Size {
        width: width as u32,
        height: height as u32,
    }
}

/// The means of blocks of pixels, premultiplied, at the size `to` (width, height).
fn averaged(raster: &Raster, block: usize, to: [usize; 2]) -> (Pixels, [usize; 2]) {
    let mut scratch = Scratch::default();
    let mut rgb = vec![0; raster.width * 3];
    let mut sums = vec![[0u64; 4]; to[0]];
    let mut pixels = Vec::with_capacity(to[0] * to[1]);
    for top in (0..raster.height).step_by(block) {
        sums.fill([0; 4]);
        let rows = block.min(raster.height - top);
        for y in top..top + rows {
            // Colours over black are premultiplied colours.
            raster.rgb(0, y, &mut scratch, &mut rgb);
            let alpha = scratch.alpha();
            for (x, &[r, g, b]) in rgb.as_chunks::<3>().0.iter().enumerate() {
                let a = alpha.get(x).copied().unwrap_or(255);
                let sum = &mut sums[x / block];
                for (sum, c) in sum.iter_mut().zip([r, g, b, a]) {
                    *sum += u64::from(c);
                }
            }
        }
        for (i, sum) in sums.iter().enumerate() {
            let count = (rows * block.min(raster.width - i * block)) as u64;
            pixels.push(sum.map(|sum| ((sum + count / 2) / count) as u8));
        }
    }
    (pixels, to)
}

/// Without empty borders; `None` when nothing is left.
fn trimmed(pixels: &[[u8; 4]], size: Size) -> Option<(Pixels, Size)> {
    let [width, _] = sides(size);
    let visible = |row: &&[[u8; 4]]| row.iter().any(|pixel| pixel[3] > MAX_EMPTY_ALPHA);
    let rows = || pixels.chunks_exact(width);
    let top = rows().position(|row| visible(&row))?;
    let bottom = rows().rposition(|row| visible(&row))?;
    let column = |x: &usize| rows().any(|row| row[*x][3] > MAX_EMPTY_ALPHA);
    let left = (0..width).find(column)?;
    let right = (0..width).rfind(column)?;
    let visible = rows().skip(top).take(bottom + 1 - top);
    Some((
        visible
            .flat_map(|row| row[left..=right].iter().copied())
            .collect(),
        self::size(right + 1 - left, bottom + 1 - top),
    ))
}
