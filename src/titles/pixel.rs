//! Pixels of a row that is being painted.

use crate::spec::overlay::Paint;

/// Red, green and blue in sRGB, each times alpha, and alpha; from 0 to 1.
pub(super) type Pixel = [f32; 4];

pub(super) fn premultiplied(paint: Paint) -> Pixel {
    let [r, g, b] = paint.colour.0.map(|c| f32::from(c) / 255.0);
    let a = paint.opacity.clamp(0.0, 1.0) as f32;
    [r * a, g * a, b * a, a]
}

/// Paints a share of a colour over a pixel.
pub(super) fn over(pixel: &mut Pixel, colour: Pixel, share: f32) {
    let left = 1.0 - colour[3] * share;
    for (out, c) in pixel.iter_mut().zip(colour) {
        *out = *out * left + c * share;
    }
}

/// The same for gradients: noise of less than a level hides the steps between levels. `x` and `y`
/// are the pixel's.
pub(super) fn over_dithered(pixel: &mut Pixel, colour: Pixel, share: f32, x: i32, y: i32) {
    if share <= 0.0 || colour[3] <= 0.0 {
        return;
    }
    // Interleaved gradient noise (Jimenez, SIGGRAPH 2014).
    let noise = (52.982_918 * (0.067_110_56 * x as f32 + 0.005_837_15 * y as f32).fract()).fract();
    let noise = (noise - 0.5) / 255.0 / colour[3];
    over(pixel, colour, (share + noise).clamp(0.0, 1.0));
}

/// The share of a pixel that is inside an outline at a signed distance.
pub(super) fn coverage(distance: f32) -> f32 {
    (0.5 - distance).clamp(0.0, 1.0)
}

/// From 0 to 1, continuous in slope and curvature (Perlin's improved smoothstep).
pub(super) fn smooth(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}
