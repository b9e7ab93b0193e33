//! The space between a panel's items and the edges of its box.

use crate::spec::overlay::{Backdrop, Edge, Panel};

/// Between a stripe and the items next to it where there is no card or bar, in u.
const STRIPE_GAP: f32 = 2.2;

/// In pixels.
#[derive(Clone, Copy, Default)]
pub(super) struct Padding {
    pub left: f32,
    pub right: f32,
    pub top: f32,
    pub bottom: f32,
}

impl Padding {
    /// What the backdrops of a panel ask for. `unit` is pixels per u.
    pub fn of(panel: &Panel, unit: f32) -> Padding {
        let mut padding = Padding::default();
        let px = |units: f64| units as f32 * unit;
        let mut boxed = false;
        for backdrop in &panel.backdrops {
            match backdrop {
                Backdrop::Card {
                    padding: [x, y], ..
                } => {
                    (padding.left, padding.right) = (px(*x), px(*x));
                    (padding.top, padding.bottom) = (px(*y), px(*y));
                    boxed = true;
                }
                Backdrop::Bar {
                    padding: y, bleed, ..
                } => {
                    // A bar that bleeds includes the margin on the side of the frame's edge, which is enough.
                    let (_, fraction) = panel.anchor.fractions();
                    let side = |edge| {
                        if *bleed && fraction == edge {
                            0.0
                        } else {
                            px(*y)
                        }
                    };
                    (padding.top, padding.bottom) = (side(0.0), side(1.0));
                    boxed = true;
                }
                Backdrop::Stripe {
                    side, thickness, ..
                } => {
                    let gap = if boxed { 0.0 } else { STRIPE_GAP * unit };
                    *padding.side(*side) += px(*thickness) + gap;
                }
                Backdrop::Tint(_)
                | Backdrop::Blur { .. }
                | Backdrop::Scrim { .. }
                | Backdrop::Frame { .. } => {}
            }
        }
        padding
    }

    fn side(&mut self, edge: Edge) -> &mut f32 {
        match edge {
            Edge::Left => &mut self.left,
            Edge::Right => &mut self.right,
            Edge::Top => &mut self.top,
            Edge::Bottom => &mut self.bottom,
        }
    }
}
