//! Whether a logo needs a backdrop, and in which colour. A template cannot say: it does not know the
//! logo.

use crate::picture::Logo;
use crate::picture::colour::relative_luminance;
use crate::spec::overlay::{Backdrop, Colour, Paint, Panel};

/// Contrast (WCAG 2.2) below which parts of a logo are hard to see.
const LOW_CONTRAST: f32 = 2.8;

/// The share of a logo that may be hard to see without a backdrop.
const MAX_HIDDEN: f32 = 0.3;

/// Least alpha of a pixel that is visible, and of one that is opaque.
const VISIBLE: u8 = 48;
const OPAQUE: u8 = 250;

/// Steps of luminance; the lowest must still tell dark colours apart.
const BINS: usize = 1024;

const LIGHT: Paint = Paint {
    colour: Colour([255; 3]),
    opacity: 0.94,
};
const DARK: Paint = Paint {
    colour: Colour([22, 24, 28]),
    opacity: 0.88,
};

/// The backdrop that a logo needs on a panel; `None` if it is visible without one,
/// or is opaque.
pub(super) fn logo_backdrop(logo: &Logo, panel: &Panel) -> Option<Paint> {
    let luminances = Luminances::of(logo);
    if luminances.opaque {
        return None;
    }
    if let Some(background) = background(panel)
        && luminances.hidden_on(background) <= MAX_HIDDEN
    {
        return None;
    }
    let hidden = |paint: Paint| luminances.hidden_on(luminance(paint.colour.0));
    Some(if hidden(LIGHT) <= hidden(DARK) {
        LIGHT
    } else {
        DARK
    })
}

/// The relative luminance behind a panel's items; `None` if that is mostly the photo.
fn background(panel: &Panel) -> Option<f32> {
    let mut luminance_behind = None;
    for backdrop in &panel.backdrops {
        let paint = match backdrop {
            Backdrop::Tint(paint)
            | Backdrop::Scrim { paint, .. }
            | Backdrop::Bar { paint, .. }
            | Backdrop::Card { paint, .. } => paint,
            Backdrop::Blur { .. } | Backdrop::Stripe { .. } | Backdrop::Frame { .. } => continue,
        };
        if paint.opacity >= 0.4 {
            // Over a photo of middle gray.
            let mix = |c: u8| f64::from(c) * paint.opacity + 118.0 * (1.0 - paint.opacity);
            luminance_behind = Some(luminance(paint.colour.0.map(|c| mix(c) as u8)));
        }
    }
    luminance_behind
}

/// The luminances of a logo's visible pixels.
struct Luminances {
    /// Sum of alpha by relative luminance, from 0 to 1.
    histogram: [f32; BINS],
    /// Whether hardly any pixel is transparent.
    opaque: bool,
}

impl Luminances {
    fn of(logo: &Logo) -> Luminances {
        let mut histogram = [0.0; BINS];
        let mut opaque = 0;
        for &[r, g, b, a] in logo.pixels() {
            if a < VISIBLE {
                continue;
            }
            let plain = [r, g, b].map(|c| (u32::from(c) * 255 / u32::from(a)).min(255) as u8);
            histogram[(luminance(plain) * (BINS - 1) as f32) as usize] += f32::from(a);
            opaque += usize::from(a >= OPAQUE);
        }
        Luminances {
            histogram,
            opaque: opaque * 100 >= logo.pixels().len() * 97,
        }
    }

    /// The share of the logo that is hard to see on a background of a luminance.
    fn hidden_on(&self, background: f32) -> f32 {
        let all: f32 = self.histogram.iter().sum();
        let hidden: f32 = (0..BINS)
            .filter(|&i| contrast(i as f32 / (BINS - 1) as f32, background) < LOW_CONTRAST)
            .map(|i| self.histogram[i])
            .sum();
        hidden / all.max(1.0)
    }
}

fn contrast(one: f32, other: f32) -> f32 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(rgb: [u8; 3]) -> f32 {
    relative_luminance(rgb) as f32
}
