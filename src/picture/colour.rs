//! The colours of sRGB and of BT.709, which share their primaries.

/// Weights of red, green and blue in luma and in relative luminance (ITU-R BT.709-6, items 3.2 and 1.4).
pub const KR: f64 = 0.2126;
pub const KG: f64 = 1.0 - KR - KB;
pub const KB: f64 = 0.0722;

/// Luma of non-linear R, G, B, or relative luminance of linear ones, in their scale.
pub fn luminance([r, g, b]: [f64; 3]) -> f64 {
    KR * r + KG * g + KB * b
}

/// Relative luminance of an 8-bit sRGB colour, from 0 to 1 (WCAG 2.2).
pub fn relative_luminance(rgb: [u8; 3]) -> f64 {
    luminance(rgb.map(|level| linear(f64::from(level) / 255.0)))
}

/// sRGB, from 0 to 1, to linear light (IEC 61966-2-1).
pub(super) fn linear(v: f64) -> f64 {
    if v <= 0.040_45 {
        v / 12.92
    } else {
        ((v + 0.055) / 1.055).powf(2.4)
    }
}

/// Linear light, from 0 to 1, to sRGB (IEC 61966-2-1).
pub(super) fn encoded(v: f64) -> f64 {
    if v <= 0.003_130_8 {
        v * 12.92
    } else {
        1.055 * v.powf(1.0 / 2.4) - 0.055
    }
}

/// Relative luminance, from 0 to 1, of L* (CIE 15, 8.2.1).
pub(super) fn luminance_of(lightness: f64) -> f64 {
    if lightness > 8.0 {
        ((lightness + 16.0) / 116.0).powi(3)
    } else {
        lightness * (3f64 / 29.0).powi(3)
    }
}

/// sRGB, from 0 to 1, of L*a*b* under D50, with colours outside clipped.
pub(super) fn lab_to_srgb([lightness, a, b]: [f64; 3]) -> [f64; 3] {
    /// D50, as in ICC profiles.
    const WHITE: [f64; 3] = [0.9642, 1.0, 0.8249];
    /// XYZ under D50 → linear sRGB, by the Bradford transform.
    const TO_RGB: [[f64; 3]; 3] = [
        [3.133_856_1, -1.616_866_7, -0.490_614_6],
        [-0.978_768_4, 1.916_141_5, 0.033_454_0],
        [0.071_945_3, -0.228_991_4, 1.405_242_7],
    ];
    let xyz = [
        luminance_of(lightness + 116.0 / 500.0 * a) * WHITE[0],
        luminance_of(lightness) * WHITE[1],
        luminance_of(lightness - 116.0 / 200.0 * b) * WHITE[2],
    ];
    TO_RGB.map(|row| {
        let light: f64 = row.iter().zip(xyz).map(|(m, v)| m * v).sum();
        encoded(light.clamp(0.0, 1.0))
    })
}

/// The colour model of stored samples, and of the profile that belongs to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    Gray,
    Rgb,
    Cmyk,
}

/// Converts colours that have no profile: gray and RGB are taken for sRGB, CMYK for ideal ink on ideal paper. Writes RGB
/// triples.
pub(super) fn to_srgb(colours: &[u8], model: Model, out: &mut [u8]) {
    let out = out.as_chunks_mut::<3>().0;
    match model {
        Model::Gray => out
            .iter_mut()
            .zip(colours)
            .for_each(|(rgb, &gray)| *rgb = [gray; 3]),
        Model::Rgb => out
            .iter_mut()
            .zip(colours.as_chunks().0)
            .for_each(|(rgb, c)| *rgb = *c),
        Model::Cmyk => {
            for (rgb, &[c, m, y, k]) in out.iter_mut().zip(colours.as_chunks().0) {
                *rgb = [c, m, y].map(|ink| multiply(255 - ink, 255 - k));
            }
        }
    }
}

/// `round(a · b / 255)`
pub(super) fn multiply(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_round_to_the_nearest() {
        for (a, b) in (0..=255).flat_map(|a| (0..=255).map(move |b| (a, b))) {
            let nearest = (f64::from(a) * f64::from(b) / 255.0).round() as u8;
            assert_eq!(multiply(a, b), nearest, "{a} {b}");
        }
    }

    #[test]
    fn luminance_runs_from_black_to_white() {
        assert_eq!(relative_luminance([0; 3]), 0.0);
        assert!((relative_luminance([255; 3]) - 1.0).abs() < 1e-12);
        assert!((relative_luminance([255, 0, 0]) - KR).abs() < 1e-12);
        // L* of 50.
        assert!((relative_luminance([119; 3]) - 0.1844).abs() < 1e-3);
    }

    #[test]
    fn lightness_leads_to_luminance() {
        assert_eq!(luminance_of(0.0), 0.0);
        assert_eq!(luminance_of(100.0), 1.0);
        assert!((luminance_of(50.0) - 0.1842).abs() < 1e-4);
        // Both halves meet.
        assert!((luminance_of(8.0) - luminance_of(8.000_001)).abs() < 1e-6);
    }

    #[test]
    fn lab_leads_to_srgb() {
        // White and the primaries, as in CSS Color 4.
        for (lab, rgb) in [
            ([100.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
            ([54.29, 80.81, 69.89], [1.0, 0.0, 0.0]),
            ([87.82, -79.27, 80.99], [0.0, 1.0, 0.0]),
            ([29.57, 68.30, -112.03], [0.0, 0.0, 1.0]),
        ] {
            let got = lab_to_srgb(lab);
            let off = (0..3).map(|c| (got[c] - rgb[c]).abs());
            assert!(off.fold(0.0, f64::max) < 0.02, "{lab:?} became {got:?}");
        }
    }

    #[test]
    fn srgb_survives_linear_light() {
        for level in 0..=255u8 {
            let v = f64::from(level) / 255.0;
            assert!((encoded(linear(v)) - v).abs() < 1e-6, "{level}");
        }
    }
}
