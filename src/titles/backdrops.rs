//! The backdrops of a panel → shapes.

use super::rect::Rect;
use super::shape::Shape;
use crate::spec::Size;
use crate::spec::overlay::{Anchor, Backdrop, Edge, Paint, Panel};

/// How far the soft shadow of a card reaches to either side of its outline, in u.
const GLOW_SPREAD: f32 = 3.0;
/// How far it lies below the card, in u.
const GLOW_DROP: f32 = 0.8;

/// The shapes of a panel's backdrops. `items` is the box around the items and their padding, and
/// `unit` is pixels per u.
pub(super) fn shapes(panel: &Panel, items: Rect, unit: f32, frame: Size) -> Vec<Shape> {
    let frame = Rect {
        x: 0.0,
        y: 0.0,
        width: frame.width as f32,
        height: frame.height as f32,
    };
    let px = |units: f64| units as f32 * unit;
    let mut shapes = Vec::new();
    // The box that a stripe belongs to.
    let mut boxed = items;
    for backdrop in &panel.backdrops {
        match *backdrop {
            // The photos are blurred where scenes are drawn.
            Backdrop::Blur { .. } => {}
            Backdrop::Tint(paint) => shapes.push(Shape::fill(frame, 0.0, paint)),
            Backdrop::Scrim { edge, paint, reach } => {
                let rect = scrim(items, edge, reach as f32, frame);
                shapes.push(Shape::Scrim { rect, edge, paint });
            }
            Backdrop::Bar { paint, bleed, .. } => {
                boxed = bar(items, panel.anchor, bleed, frame).snapped();
                shapes.push(Shape::fill(boxed, 0.0, paint));
            }
            Backdrop::Card {
                paint,
                radius,
                shadow,
                ..
            } => {
                boxed = items.snapped();
                let radius = px(radius);
                if shadow > 0.0 {
                    shapes.push(glow(boxed, radius, shadow, unit));
                }
                shapes.push(Shape::fill(boxed, radius, paint));
            }
            Backdrop::Stripe {
                side,
                paint,
                thickness,
            } => shapes.push(Shape::fill(stripe(boxed, side, px(thickness)), 0.0, paint)),
            Backdrop::Frame {
                paint,
                inset,
                thickness,
            } => shapes.push(Shape::Ring {
                rect: frame.grown(-px(inset), -px(inset)).snapped(),
                // Even, so that both edges are on the grid of the chroma samples.
                thickness: (px(thickness) / 2.0).round().max(0.5) * 2.0,
                paint,
            }),
        }
    }
    shapes
}

/// From an edge of the frame to `reach` times the distance of the items' far side.
fn scrim(items: Rect, edge: Edge, reach: f32, frame: Rect) -> Rect {
    let vertical = |depth: f32| (depth * reach).clamp(1.0, frame.height * 2.0);
    let horizontal = |depth: f32| (depth * reach).clamp(1.0, frame.width * 2.0);
    match edge {
        Edge::Top => Rect {
            height: vertical(items.bottom()),
            ..frame
        },
        Edge::Bottom => {
            let depth = vertical(frame.height - items.y);
            Rect {
                y: frame.height - depth,
                height: depth,
                ..frame
            }
        }
        Edge::Left => Rect {
            width: horizontal(items.right()),
            ..frame
        },
        Edge::Right => {
            let depth = horizontal(frame.width - items.x);
            Rect {
                x: frame.width - depth,
                width: depth,
                ..frame
            }
        }
    }
}

/// A band as wide as the frame; one that bleeds reaches to the frame's edge at the anchor.
fn bar(items: Rect, anchor: Anchor, bleed: bool, frame: Rect) -> Rect {
    let (_, fraction) = anchor.fractions();
    let (mut top, mut bottom) = (items.y, items.bottom());
    if bleed && fraction == 0.0 {
        top = 0.0;
    }
    if bleed && fraction == 1.0 {
        bottom = frame.height;
    }
    Rect {
        y: top,
        height: bottom - top,
        ..frame
    }
}

/// The soft shadow of a card.
pub(super) fn glow(card: Rect, radius: f32, opacity: f64, unit: f32) -> Shape {
    let spread = (GLOW_SPREAD * unit).max(1.0);
    Shape::Glow {
        rect: Rect {
            y: card.y + GLOW_DROP * unit,
            ..card
        },
        radius: radius + spread,
        spread,
        paint: Paint::black(opacity),
    }
}

/// A band of `thickness` pixels along a side, inside `rect`.
fn stripe(rect: Rect, side: Edge, thickness: f32) -> Rect {
    let stripe = match side {
        Edge::Left => Rect {
            width: thickness,
            ..rect
        },
        Edge::Right => Rect {
            x: rect.right() - thickness,
            width: thickness,
            ..rect
        },
        Edge::Top => Rect {
            height: thickness,
            ..rect
        },
        Edge::Bottom => Rect {
            y: rect.bottom() - thickness,
            height: thickness,
            ..rect
        },
    };
    stripe.snapped()
}
