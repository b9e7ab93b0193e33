//! A Gaussian blur in time that does not depend on its radius.

use super::Plane;

/// Passes of a box filter. Three differ from a Gaussian by less than 3 % of its height.
const PASSES: usize = 3;

/// Fraction bits of a sample between the passes, so that roundings do not add up.
const BITS: u32 = 8;

/// Blurs in place, edges repeated: as many running means over 2 · `radius` + 1 samples as a
/// Gaussian of standard deviation √(`radius` · (`radius` + 1)) takes. No sample further away than
/// 3 · `radius` counts.
pub fn blur(plane: &mut Plane, radius: usize) {
    let Plane { width, height, .. } = *plane;
    if width == 0 || height == 0 {
        return;
    }
    let mut samples: Vec<u16> = plane.data.iter().map(|&v| u16::from(v) << BITS).collect();
    let mut other = vec![0; samples.len()];
    for _ in 0..PASSES {
        rows(&samples, &mut other, width, radius);
        columns(&other, &mut samples, width, radius);
    }
    for (sample, wide) in plane.data.iter_mut().zip(samples) {
        *sample = ((u32::from(wide) + (1 << (BITS - 1))) >> BITS) as u8;
    }
}

/// Running means along rows.
fn rows(from: &[u16], to: &mut [u16], width: usize, radius: usize) {
    let length = (2 * radius + 1) as u32;
    let last = width - 1;
    for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        let at = |x: usize| u32::from(from[x.min(last)]);
        let mut sum = at(0) * (radius as u32 + 1) + (1..=radius).map(at).sum::<u32>();
        for (x, to) in to.iter_mut().enumerate() {
            *to = ((sum + length / 2) / length) as u16;
            sum = sum + at(x + radius + 1) - at(x.saturating_sub(radius));
        }
    }
}

/// Running means along all columns at once.
fn columns(from: &[u16], to: &mut [u16], width: usize, radius: usize) {
    let length = (2 * radius + 1) as u32;
    let last = from.len() / width - 1;
    let row = |y: usize| &from[y.min(last) * width..][..width];
    let mut sums: Vec<u32> = row(0)
        .iter()
        .map(|&v| u32::from(v) * (radius as u32 + 1))
        .collect();
    for y in 1..=radius {
        for (sum, &v) in sums.iter_mut().zip(row(y)) {
            *sum += u32::from(v);
        }
    }
    for (y, to) in to.chunks_exact_mut(width).enumerate() {
        let (enters, leaves) = (row(y + radius + 1), row(y.saturating_sub(radius)));
        let steps = sums.iter_mut().zip(enters).zip(leaves);
        for (to, ((sum, &enters), &leaves)) in to.iter_mut().zip(steps) {
            *to = ((*sum + length / 2) / length) as u16;
            *sum = *sum + u32::from(enters) - u32::from(leaves);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_near_a_gaussian() {
        for radius in [1, 2, 5, 12] {
            let middle = 3 * radius + 2;
            let mut plane = Plane::new(2 * middle + 1, 2 * middle + 1);
            // A vertical edge: its blur is the integral of the kernel.
            for row in plane.data.chunks_exact_mut(2 * middle + 1) {
                row[middle..].fill(255);
            }
            blur(&mut plane, radius);
            let deviation = ((radius * (radius + 1)) as f64).sqrt();
            let gaussian = |x: f64| (-0.5 * (x / deviation).powi(2)).exp();
            let sum = |range: std::ops::RangeInclusive<i64>| -> f64 {
                range.map(|x| gaussian(x as f64)).sum()
            };
            let total = sum(-200..=200);
            for x in 0..=2 * middle {
                let want = 255.0 * sum(-200..=x as i64 - middle as i64) / total;
                let got = f64::from(plane.data[(middle + 1) * (2 * middle + 1) + x]);
                assert!((got - want).abs() < 5.0, "{got} is not {want} at {x}");
            }
        }
    }

    #[test]
    fn flat_planes_stay_flat() {
        for (width, height, radius) in [(1, 1, 4), (3, 20, 7), (20, 3, 2), (5, 5, 0)] {
            let mut plane = Plane::new(width, height);
            plane.data.fill(201);
            blur(&mut plane, radius);
            assert!(plane.data.iter().all(|sample| *sample == 201));
        }
    }
}
