//! Conversion to sRGB, from embedded ICC profiles and from what formats say in their own ways.

use super::colour::{Model, encoded, linear, luminance, luminance_of, to_srgb};
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace,
    Layout, MatrixCoefficients, RenderingIntent, ToneReprCurve, TransferCharacteristics,
    Transform8BitExecutor, Transform16BitExecutor, TransformOptions,
};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Device colours → sRGB.
pub(super) enum Transform {
    Direct(Arc<Transform8BitExecutor>),
    /// The level of sRGB gray for each level of gray.
    Gray(Box<[u8; 256]>),
    Cmyk {
        transform: Arc<Transform16BitExecutor>,
        /// 16-bit sRGB → 8-bit sRGB, with the darkest mix of inks mapped to black.
        curve: Vec<u8>,
    },
}

impl Transform {
    /// Prepares the conversion from `profile`. `None` when it is equivalent to sRGB, for another colour model, or
    /// damaged: the colours are then used as if there were no profile.
    pub fn new(profile: &[u8], model: Model) -> Option<Transform> {
        let profile = ColorProfile::new_from_slice(profile).ok()?;
        let space = match model {
            Model::Gray => DataColorSpace::Gray,
            Model::Rgb => DataColorSpace::Rgb,
            Model::Cmyk => DataColorSpace::Cmyk,
        };
        if profile.color_space != space {
            return None;
        }
        match model {
            Model::Gray if profile.pcs == DataColorSpace::Lab => Transform::lightness(&profile),
            Model::Gray => Transform::direct(&profile, Layout::Gray, model),
            Model::Rgb => Transform::direct(&profile, Layout::Rgb, model),
            Model::Cmyk => Transform::cmyk(&profile),
        }
    }

    /// Prepares the conversion from these primaries and this curve, by their numbers in ITU-T H.273. `None` when it is
    /// equivalent to sRGB, or unknown.
    ///
    /// The curves of BT.709 and its kin are taken for that of sRGB, as in browsers. So are those of HDR, for want of tone
    /// mapping.
    pub fn cicp(primaries: u16, transfer: u16, model: Model) -> Option<Transform> {
        let number = |value: u16| u8::try_from(value).ok();
        let profile = ColorProfile::new_from_cicp(CicpProfile {
            color_primaries: match number(primaries)?.try_into().ok()? {
                CicpColorPrimaries::Unspecified | CicpColorPrimaries::Reserved => return None,
                known => known,
            },
            transfer_characteristics: match number(transfer)?.try_into().ok()? {
                curve @ (TransferCharacteristics::Bt470M
                | TransferCharacteristics::Bt470Bg
                | TransferCharacteristics::Linear) => curve,
                _ => TransferCharacteristics::Srgb,
            },
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        });
        Transform::described(&profile, model)
    }

    /// Prepares the conversion from samples that are light to the power of `gamma`, under these primaries; those of sRGB
    /// stand in for what is not known. `None` when it is equivalent to sRGB, or impossible.
    pub fn calibrated(
        gamma: Option<f32>,
        primaries: Option<Chromaticities>,
        model: Model,
    ) -> Option<Transform> {
        let is_srgb = primaries.is_none_or(|primaries| primaries.are_srgb());
        // Who writes sRGB cannot say its curve as a power, and takes the nearest.
        let gamma = gamma.filter(|gamma| !(is_srgb && SRGB_GAMMAS.contains(gamma)));
        let mut profile = ColorProfile::new_srgb();
        if let Some(primaries) = primaries.filter(|_| !is_srgb) {
            primaries.describe(&mut profile)?;
        }
        if let Some(gamma) = gamma.filter(|gamma| GAMMAS.contains(gamma)) {
            let curve = Some(ToneReprCurve::Parametric(vec![1.0 / gamma]));
            profile.red_trc.clone_from(&curve);
            profile.green_trc.clone_from(&curve);
            profile.blue_trc = curve;
        }
        // It would count before the curves.
        profile.cicp = None;
        Transform::described(&profile, model)
    }

    /// From the primaries and the curve of an RGB profile, or for gray samples from its curve alone.
    fn described(profile: &ColorProfile, model: Model) -> Option<Transform> {
        match model {
            Model::Gray => {
                let mut gray = ColorProfile::new_gray_with_gamma(1.0);
                gray.gray_trc.clone_from(&profile.red_trc);
                Transform::direct(&gray, Layout::Gray, model)
            }
            Model::Rgb => Transform::direct(profile, Layout::Rgb, model),
            Model::Cmyk => None,
        }
    }

    fn direct(profile: &ColorProfile, layout: Layout, model: Model) -> Option<Transform> {
        let srgb = ColorProfile::new_srgb();
        let transform = profile
            .create_transform_8bit(layout, &srgb, Layout::Rgb, options())
            .ok()?;
        changes_colours(&*transform, model).then_some(Transform::Direct(transform))
    }

    /// For gray profiles whose curve leads to L*, not to Y (ICC.1, F.2). moxcms refuses them.
    fn lightness(profile: &ColorProfile) -> Option<Transform> {
        let curve = profile.gray_trc.as_ref()?.make_linear_evaluator().ok()?;
        let level = |gray: usize| {
            let lightness = curve.evaluate_value(gray as f32 / 255.0);
            let light = luminance_of(100.0 * f64::from(lightness.clamp(0.0, 1.0)));
            (encoded(light) * 255.0).round() as u8
        };
        Some(Transform::Gray(Box::new(std::array::from_fn(level))))
    }

    /// Adds black point compensation, which moxcms lacks: without it, the darkest print is dark gray on a screen.
    fn cmyk(profile: &ColorProfile) -> Option<Transform> {
        let srgb = ColorProfile::new_srgb();
        // moxcms has no layout of that name; it takes CMYK as RGBA.
        let transform = profile
            .create_transform_16bit(Layout::Rgba, &srgb, Layout::Rgb, options())
            .ok()?;
        let mut darkest = [0; 3];
        transform.transform(&[u16::MAX; 4], &mut darkest).ok()?;
        let black = luminance(darkest.map(|c| linear(f64::from(c) / 65535.0))).min(MAX_BLACK);
        let curve = (0..=u16::MAX).map(|c| {
            let light = (linear(f64::from(c) / 65535.0) - black) / (1.0 - black);
            (encoded(light.max(0.0)) * 255.0).round() as u8
        });
        Some(Transform::Cmyk {
            transform,
            curve: curve.collect(),
        })
    }

    /// Writes `colours` as RGB triples.
    pub fn apply(&self, colours: &[u8], model: Model, out: &mut [u8]) {
        let done = match self {
            Transform::Direct(transform) => transform.transform(colours, out),
            Transform::Gray(levels) => {
                let out = out.as_chunks_mut::<3>().0.iter_mut();
                out.zip(colours)
                    .for_each(|(rgb, &gray)| *rgb = [levels[usize::from(gray)]; 3]);
                Ok(())
            }
            Transform::Cmyk { transform, curve } => {
                let inks: Vec<u16> = colours.iter().map(|&ink| u16::from(ink) * 257).collect();
                let mut wide = vec![0; out.len()];
                let done = transform.transform(&inks, &mut wide);
                out.iter_mut()
                    .zip(wide)
                    .for_each(|(out, c)| *out = curve[usize::from(c)]);
                done
            }
        };
        if done.is_err() {
            to_srgb(colours, model, out);
        }
    }
}

/// The white and the primaries of RGB, as x and y of CIE 1931.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chromaticities {
    pub white: [f32; 2],
    pub red: [f32; 2],
    pub green: [f32; 2],
    pub blue: [f32; 2],
}

impl Chromaticities {
    const SRGB: Chromaticities = Chromaticities {
        white: [0.3127, 0.3290],
        red: [0.64, 0.33],
        green: [0.30, 0.60],
        blue: [0.15, 0.06],
    };

    fn are_srgb(self) -> bool {
        /// As in libpng.
        const TOLERANCE: f32 = 0.01;
        let pairs = self.all().into_iter().zip(Self::SRGB.all());
        pairs.into_iter().all(|(a, b)| (a - b).abs() <= TOLERANCE)
    }

    fn all(self) -> [f32; 8] {
        let [[wx, wy], [rx, ry], [gx, gy], [bx, by]] =
            [self.white, self.red, self.green, self.blue];
        [wx, wy, rx, ry, gx, gy, bx, by]
    }

    /// `None` if no colours can be made of them.
    fn describe(self, profile: &mut ColorProfile) -> Option<()> {
        let point = |[x, y]: [f32; 2]| Chromaticity::new(x, y);
        let white = point(self.white);
        if white.y <= 0.0 {
            return None;
        }
        let primaries = ColorPrimaries {
            red: point(self.red),
            green: point(self.green),
            blue: point(self.blue),
        };
        profile.update_rgb_colorimetry(white.to_xyyb(), primaries);
        let colorants = profile.colorant_matrix().v;
        let are_finite = colorants.as_flattened().iter().all(|v| v.is_finite());
        are_finite.then_some(())
    }
}

/// What stands for the curve of sRGB: 1 / 2.2, within 5 %, as in libpng.
const SRGB_GAMMAS: RangeInclusive<f32> = 0.432..=0.478;

/// Others are damage.
const GAMMAS: RangeInclusive<f32> = 0.01..=10.0;

fn options() -> TransformOptions {
    TransformOptions {
        rendering_intent: RenderingIntent::Perceptual,
        ..TransformOptions::default()
    }
}

/// Luminance of L* = 50. A lighter mix is not accepted as the black point, as in LittleCMS.
const MAX_BLACK: f64 = 0.1842;

/// Whether an RGB or gray transform changes any colour of a grid by more than one level. Many profiles in photos are
/// sRGB under another name; skipping them saves time and a rounding.
fn changes_colours(transform: &Transform8BitExecutor, model: Model) -> bool {
    let steps = [0, 16, 32, 64, 96, 128, 160, 192, 224, 240, 255];
    let grid: Vec<u8> = match model {
        Model::Gray => (0..=255).collect(),
        _ => (0..steps.len().pow(3))
            .flat_map(|i| [0, 1, 2].map(|c| steps[i / steps.len().pow(c) % steps.len()]))
            .collect(),
    };
    let mut with = vec![
        0;
        match model {
            Model::Gray => grid.len() * 3,
            _ => grid.len(),
        }
    ];
    let mut without = with.clone();
    to_srgb(&grid, model, &mut without);
    // A transform that fails here would fail on the picture.
    transform.transform(&grid, &mut with).is_ok()
        && with.iter().zip(&without).any(|(a, b)| a.abs_diff(*b) > 1)
}
