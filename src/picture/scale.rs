//! Lanczos resampling of small pictures with premultiplied alpha.

use super::lanczos;

/// Radius of the filter, in samples of the smaller of the two pictures.
const RADIUS: f64 = 3.0;

/// Premultiplied RGBA, rows top to bottom.
pub(super) type Pixels = Vec<[u8; 4]>;

/// Resamples `pixels` from one size to another, each a width and a height of at least 1.
pub(super) fn resample(pixels: &[[u8; 4]], from: [usize; 2], to: [usize; 2]) -> Pixels {
    let taps = Taps::new(from[0], to[0]);
    // Each pass transposes its result, so that both filter rows.
    let narrow = pass(
        from[1],
        |y| &pixels[y * from[0]..(y + 1) * from[0]],
        &taps,
        widen,
    );
    let taps = Taps::new(from[1], to[1]);
    pass(
        to[0],
        |x| &narrow[x * from[1]..(x + 1) * from[1]],
        &taps,
        |pixel| pixel,
    )
    .into_iter()
    .map(narrowed)
    .collect()
}

/// Filters rows, and returns the columns of the result one after the other.
fn pass<'a, P: Copy + 'a>(
    rows: usize,
    row: impl Fn(usize) -> &'a [P],
    taps: &Taps,
    widen: impl Fn(P) -> [f32; 4],
) -> Vec<[f32; 4]> {
    let mut out = vec![[0.0; 4]; rows * taps.0.len()];
    for y in 0..rows {
        let row = row(y);
        for (x, (first, weights)) in taps.0.iter().enumerate() {
            let mut sum = [0.0; 4];
            for (&pixel, weight) in row[*first..].iter().zip(weights) {
                let pixel = widen(pixel);
                (0..4).for_each(|c| sum[c] += weight * pixel[c]);
            }
            out[x * rows + y] = sum;
        }
    }
    out
}

fn widen(pixel: [u8; 4]) -> [f32; 4] {
    pixel.map(f32::from)
}

/// Ringing must not make colours brighter than their alpha.
fn narrowed([r, g, b, a]: [f32; 4]) -> [u8; 4] {
    let a = (a + 0.5).clamp(0.0, 255.0).floor();
    let level = |c: f32| (c + 0.5).clamp(0.0, a) as u8;
    [level(r), level(g), level(b), a as u8]
}

/// For each sample of the result: the first source sample, and the weights from there on.
struct Taps(Vec<(usize, Vec<f32>)>);

impl Taps {
    fn new(from: usize, to: usize) -> Taps {
        let step = from as f64 / to as f64;
        // A reduction widens the filter, so that nothing aliases.
        let stretch = step.max(1.0);
        let taps = (0..to).map(|i| {
            let middle = (i as f64 + 0.5) * step;
            let first = (middle - RADIUS * stretch).floor().max(0.0) as usize;
            let end = ((middle + RADIUS * stretch).ceil() as usize).min(from);
            let mut weights: Vec<f32> = (first..end)
                .map(|k| lanczos((k as f64 + 0.5 - middle) / stretch, RADIUS) as f32)
                .collect();
            let sum: f32 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
            (first, weights)
        });
        Taps(taps.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_colours_stay_even() {
        let pixels = vec![[40, 80, 120, 160]; 35];
        for to in [[1, 1], [3, 2], [7, 5], [20, 30]] {
            let scaled = resample(&pixels, [7, 5], to);
            assert_eq!(scaled, vec![[40, 80, 120, 160]; to[0] * to[1]]);
        }
    }

    #[test]
    fn colours_never_exceed_their_alpha() {
        let pixels: Pixels = (0..64)
            .map(|i| if i % 3 == 0 { [255; 4] } else { [0; 4] })
            .collect();
        for [r, _, _, a] in resample(&pixels, [8, 8], [13, 5]) {
            assert!(r <= a);
        }
    }
}
