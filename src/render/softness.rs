//! Whether a frame is soft: gradients without texture, such as a clear sky. On such pictures the encoder's usual shortcuts
//! are seen. Pure.

use crate::spec::Size;

/// Side of the blocks that are looked at, in pixels.
const BLOCK: usize = 16;

/// Texture of a block below which it is soft: the root mean square of the Laplacian of its luma, smoothed over 3 × 3
/// pixels, in levels.
const SOFT_TEXTURE: f64 = 1.0;

/// The least part of the energy of all gradients that is in soft blocks, and the greatest root mean square of the
/// gradients, in levels per pixel, of a soft frame. Measured on some 90 photos and six synthetic pictures: pictures on
/// which motion advanced in steps had 0.99 and up to 0.51, and others at most 0.35 or at least 0.8.
const LEAST_SHARE: f64 = 0.6;
const MOST_GRADIENT: f64 = 0.65;

/// Whether the luma of a frame is soft.
pub fn is_soft(luma: &[u8], size: Size) -> bool {
    let (width, height) = (size.width as usize, size.height as usize);
    if width < 3 * BLOCK || height < 3 * BLOCK {
        return false;
    }
    let smooth = sums(luma, width);
    let (mut all, mut soft, mut pixels) = (0.0, 0.0, 0);
    for top in (BLOCK..height - 2 * BLOCK + 1).step_by(BLOCK) {
        for left in (BLOCK..width - 2 * BLOCK + 1).step_by(BLOCK) {
            let (mut texture, mut energy) = (0i64, 0i32);
            for y in top..top + BLOCK {
                texture += i64::from(squared_laplacians(&smooth, width, y * width + left));
                energy += squared_gradients(luma, width, y * width + left);
            }
            pixels += BLOCK * BLOCK;
            // Sums of nine samples, and differences of eight.
            let (texture, energy) = (texture as f64 / 81.0, f64::from(energy) / 64.0);
            all += energy;
            if texture < SOFT_TEXTURE * SOFT_TEXTURE * (BLOCK * BLOCK) as f64 {
                soft += energy;
            }
        }
    }
    soft >= LEAST_SHARE * all && all <= MOST_GRADIENT * MOST_GRADIENT * pixels as f64
}

/// The sums of the nine samples around each; at the left and the right edge they are of no use.
fn sums(luma: &[u8], width: usize) -> Vec<i16> {
    let mut sums = vec![0; luma.len()];
    let inside = width + 1..luma.len() - width - 1;
    for (i, sum) in sums
        .iter_mut()
        .enumerate()
        .take(inside.end)
        .skip(inside.start)
    {
        let row = |i: usize| i16::from(luma[i - 1]) + i16::from(luma[i]) + i16::from(luma[i + 1]);
        *sum = row(i - width) + row(i) + row(i + width);
    }
    sums
}

/// Of a row of a block that begins at `start`.
fn squared_laplacians(sums: &[i16], width: usize, start: usize) -> i32 {
    let at = |i: usize| i32::from(sums[i]);
    let laplacian = |i| at(i - 1) + at(i + 1) + at(i - width) + at(i + width) - 4 * at(i);
    (start..start + BLOCK).map(|i| laplacian(i).pow(2)).sum()
}

/// By the Sobel operator, of a row of a block that begins at `start`.
fn squared_gradients(luma: &[u8], width: usize, start: usize) -> i32 {
    let at = |i: usize| i32::from(luma[i]);
    let across = |i: usize| at(i + 1) - at(i - 1);
    let down = |i: usize| at(i + width) - at(i - width);
    let squared = |i: usize| {
        let gx = across(i - width) + 2 * across(i) + across(i + width);
        let gy = down(i - 1) + 2 * down(i) + down(i + 1);
        gx * gx + gy * gy
    };
    (start..start + BLOCK).map(squared).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 192,
        height: 128,
    };

    fn frame(level: impl Fn(usize, usize) -> f64) -> Vec<u8> {
        let places =
            (0..SIZE.height as usize).flat_map(|y| (0..SIZE.width as usize).map(move |x| (x, y)));
        places.map(|(x, y)| level(x, y).round() as u8).collect()
    }

    #[test]
    fn gradients_are_soft_and_textures_are_not() {
        assert!(is_soft(
            &frame(|x, y| 60.0 + 0.2 * x as f64 + 0.1 * y as f64),
            SIZE
        ));
        assert!(is_soft(&frame(|_, _| 90.0), SIZE));
        let texture = |x: usize, y: usize| 60.0 + ((x * 7 + y * 13) % 11) as f64 * 4.0;
        assert!(!is_soft(&frame(texture), SIZE));
        // An edge across a smooth picture.
        assert!(!is_soft(
            &frame(|x, _| if x < 90 { 40.0 } else { 180.0 }),
            SIZE
        ));
    }
}
