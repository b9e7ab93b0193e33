//! What to lay behind a logo whose colours nobody knew when the template was made.

use crate::picture::Logo;
use crate::picture::colour::relative_luminance;
use crate::spec::overlay::{Backdrop, Colour, Paint, Panel};

/// Contrast (WCAG 2.2) below which a logo's parts are lost on their background.
const LOST: f32 = 2.8;

/// How much of a logo may be lost.
const MOST_LOST: f32 = 0.3;

/// Alpha from which on a logo's pixel counts, and above which it is solid.
const SEEN: u8 = 48;
const SOLID: u8 = 250;

/// Steps of luminance, fine enough for dark colours.
const BINS: usize = 1024;

const LIGHT: Paint = Paint {
    colour: Colour([255; 3]),
    opacity: 0.94,
};
const DARK: Paint = Paint {
    colour: Colour([22, 24, 28]),
    opacity: 0.88,
};

/// The plate that a logo needs on a panel; `None` when it stands out as it is, or is a plate itself.
pub(super) fn plate(logo: &Logo, panel: &Panel) -> Option<Paint> {
    let lights = Lights::of(logo);
    if lights.solid {
        return None;
    }
    if let Some(tone) = tone(panel)
        && lights.lost_on(tone) <= MOST_LOST
    {
        return None;
    }
    let lost = |paint: Paint| lights.lost_on(luminance(paint.colour.0));
    Some(if lost(LIGHT) <= lost(DARK) {
        LIGHT
    } else {
        DARK
    })
}

/// The relative luminance behind a panel's items; `None` when that is mostly the photo.
fn tone(panel: &Panel) -> Option<f32> {
    let mut tone = None;
    for backdrop in &panel.backdrops {
        let paint = match backdrop {
            Backdrop::Veil(paint)
            | Backdrop::Scrim { paint, .. }
            | Backdrop::Bar { paint, .. }
            | Backdrop::Card { paint, .. } => paint,
            Backdrop::Stripe { .. } | Backdrop::Frame { .. } => continue,
        };
        if paint.opacity >= 0.4 {
            // Over a photo in a middle gray.
            let mix = |c: u8| f64::from(c) * paint.opacity + 118.0 * (1.0 - paint.opacity);
            tone = Some(luminance(paint.colour.0.map(|c| mix(c) as u8)));
        }
    }
    tone
}

/// How bright a logo's visible parts are.
struct Lights {
    /// Pixels by their relative luminance, from 0 to 1.
    histogram: [f32; BINS],
    /// Whether nothing shines through.
    solid: bool,
}

impl Lights {
    fn of(logo: &Logo) -> Lights {
        let mut histogram = [0.0; BINS];
        let mut solid = 0;
        for &[r, g, b, a] in logo.pixels() {
            if a < SEEN {
                continue;
            }
            let plain = [r, g, b].map(|c| (u32::from(c) * 255 / u32::from(a)).min(255) as u8);
            histogram[(luminance(plain) * (BINS - 1) as f32) as usize] += f32::from(a);
            solid += usize::from(a >= SOLID);
        }
        Lights {
            histogram,
            solid: solid * 100 >= logo.pixels().len() * 97,
        }
    }

    /// The share of the logo that is lost on a background.
    fn lost_on(&self, background: f32) -> f32 {
        let all: f32 = self.histogram.iter().sum();
        let lost: f32 = (0..BINS)
            .filter(|&i| contrast(i as f32 / (BINS - 1) as f32, background) < LOST)
            .map(|i| self.histogram[i])
            .sum();
        lost / all.max(1.0)
    }
}

fn contrast(one: f32, other: f32) -> f32 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(rgb: [u8; 3]) -> f32 {
    relative_luminance(rgb) as f32
}
