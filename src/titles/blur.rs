//! Soft shadows.

use super::shape::Mask;

/// The mask blurred as by a Gaussian, made from three box filters, and so much larger. `strength`
/// multiplies the result, so that thin strokes throw a shadow too.
pub(super) fn blurred(mask: &Mask, radius: usize, strength: f32) -> Mask {
    let grown = 3 * radius;
    let (width, height) = (mask.width + 2 * grown, mask.height + 2 * grown);
    let mut plane = vec![0u8; width * height];
    for y in 0..mask.height {
        let start = (y + grown) * width + grown;
        let row = &mask.coverage[y * mask.width..(y + 1) * mask.width];
        plane[start..start + mask.width].copy_from_slice(row);
    }
    let mut other = vec![0u8; width * height];
    for _ in 0..3 {
        rows(&plane, &mut other, width, radius);
        columns(&other, &mut plane, width, radius);
    }
    for value in &mut plane {
        *value = (f32::from(*value) * strength + 0.5).min(255.0) as u8;
    }
    Mask {
        x: mask.x.saturating_sub(grown as i32),
        y: mask.y.saturating_sub(grown as i32),
        width,
        height,
        coverage: plane,
    }
}

/// Running means over 2 · radius + 1 samples, along rows.
fn rows(from: &[u8], to: &mut [u8], width: usize, radius: usize) {
    let length = (2 * radius + 1) as u32;
    for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        let mut sum: u32 = from.iter().take(radius).map(|&v| u32::from(v)).sum();
        for (x, to) in to.iter_mut().enumerate() {
            sum += from.get(x + radius).map_or(0, |&v| u32::from(v));
            *to = ((sum + length / 2) / length) as u8;
            sum -= x.checked_sub(radius).map_or(0, |x| u32::from(from[x]));
        }
    }
}

/// The same along columns, all of them at once.
fn columns(from: &[u8], to: &mut [u8], width: usize, radius: usize) {
    let length = (2 * radius + 1) as u32;
    let height = from.len() / width.max(1);
    let row = |y: usize| &from[y * width..(y + 1) * width];
    let mut sums = vec![0u32; width];
    for y in 0..radius.min(height) {
        sums.iter_mut()
            .zip(row(y))
            .for_each(|(sum, &v)| *sum += u32::from(v));
    }
    for y in 0..height {
        if y + radius < height {
            sums.iter_mut()
                .zip(row(y + radius))
                .for_each(|(sum, &v)| *sum += u32::from(v));
        }
        for (to, sum) in to[y * width..(y + 1) * width].iter_mut().zip(&sums) {
            *to = ((sum + length / 2) / length) as u8;
        }
        if let Some(y) = y.checked_sub(radius) {
            sums.iter_mut()
                .zip(row(y))
                .for_each(|(sum, &v)| *sum -= u32::from(v));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_the_mass_and_the_place() {
        let mask = Mask {
            x: 10,
            y: 20,
            width: 8,
            height: 8,
            coverage: vec![255; 64],
        };
        let soft = blurred(&mask, 3, 1.0);
        assert_eq!((soft.x, soft.y, soft.width, soft.height), (1, 11, 26, 26));
        let mass: u32 = soft.coverage.iter().map(|&v| u32::from(v)).sum();
        assert!(mass.abs_diff(255 * 64) < 300, "{mass}");
        assert_eq!(soft.coverage[0], 0);
        let mirrored: Vec<u8> = soft.coverage.iter().rev().copied().collect();
        assert_eq!(soft.coverage, mirrored);
    }
}
