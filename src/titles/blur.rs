//! Soft shadows.

use super::shape::Mask;
use crate::picture::{Plane, blur};

/// The mask blurred as by a Gaussian, and so much larger. `strength` multiplies the result, so that
/// thin strokes throw a shadow too.
pub(super) fn blurred(mask: &Mask, radius: usize, strength: f32) -> Mask {
    let grown = 3 * radius;
    let mut plane = Plane::new(mask.width + 2 * grown, mask.height + 2 * grown);
    for y in 0..mask.height {
        let start = (y + grown) * plane.width + grown;
        let row = &mask.coverage[y * mask.width..(y + 1) * mask.width];
        plane.data[start..start + mask.width].copy_from_slice(row);
    }
    blur(&mut plane, radius);
    for value in &mut plane.data {
        *value = (f32::from(*value) * strength + 0.5).min(255.0) as u8;
    }
    Mask {
        x: mask.x.saturating_sub(grown as i32),
        y: mask.y.saturating_sub(grown as i32),
        width: plane.width,
        height: plane.height,
        coverage: plane.data,
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
