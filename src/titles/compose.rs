//! A panel → shapes in the order in which they are painted: backdrops, then the items on them.

use std::borrow::Cow;

use super::block::{Block, Kind};
use super::font_library::FontLibrary;
use super::fonts::Fonts;
use super::layout::Setter;
use super::logo_backdrop::logo_backdrop;
use super::padding::Padding;
use super::rect::Rect;
use super::safe_area;
use super::shape::Shape;
use super::{backdrops, items};
use crate::picture::Logo;
use crate::spec::Size;
use crate::spec::overlay::{Backdrop, Panel};

/// How often a panel that is too large is laid out again at a smaller size. Then it is left out.
const MAX_TRIES: usize = 8;

/// What the padding of a panel leaves for its items, as a fraction of its room: with less, it is set smaller.
const LEAST_WIDTH: f32 = 0.2;

/// How far from an edge a bar reaches there, as a fraction of the frame's height.
const MOST_BLEED: f32 = 0.15;

/// The shapes of a panel.
pub(super) fn shapes(panel: &Panel, logo: Option<&Logo>, fonts: &Fonts, frame: Size) -> Vec<Shape> {
    let panel = &*with_bleed_that_suits(panel, frame);
    let Some(arranged) = arrange(panel, logo, &mut fonts.library(), frame) else {
        return Vec::new();
    };
    let mut shapes = backdrops::shapes(panel, arranged.outer, arranged.unit, frame);
    items::Painter {
        shapes: &mut shapes,
        logo,
        unit: arranged.unit,
    }
    .paint(arranged.content.x, arranged.content.y, arranged.column);
    shapes
}

/// The box of a panel, and those of its items.
pub(super) fn bounds(panel: &Panel, logo: Option<&Logo>, fonts: &Fonts, frame: Size) -> Vec<Rect> {
    let panel = &*with_bleed_that_suits(panel, frame);
    let Some(arranged) = arrange(panel, logo, &mut fonts.library(), frame) else {
        return Vec::new();
    };
    let mut rects = vec![arranged.outer];
    let mut blocks = vec![(arranged.content.x, arranged.content.y, &arranged.column)];
    while let Some((x, y, block)) = blocks.pop() {
        match &block.kind {
            Kind::Group(group) => {
                blocks.extend(group.iter().map(|(dx, dy, block)| (x + dx, y + dy, block)));
            }
            _ => rects.push(block.rect(x, y)),
        }
    }
    rects
}

/// The panel, its bars without bleed if the frame's edge is far, since they would be empty for the most part.
fn with_bleed_that_suits(panel: &Panel, frame: Size) -> Cow<'_, Panel> {
    let area = safe_area::area(frame, panel.margin);
    let height = frame.height as f32;
    let (_, fraction) = panel.anchor.fractions();
    let to_edge = match fraction {
        0.0 => area.y,
        _ => height - area.bottom(),
    };
    if to_edge <= MOST_BLEED * height {
        return Cow::Borrowed(panel);
    }
    let mut panel = panel.clone();
    for backdrop in &mut panel.backdrops {
        if let Backdrop::Bar { bleed, .. } = backdrop {
            *bleed = false;
        }
    }
    Cow::Owned(panel)
}

/// A panel at its place in the frame.
struct Arranged {
    column: Block,
    /// The place of the column.
    content: Rect,
    /// The content and its padding.
    outer: Rect,
    /// Pixels per u; less than the frame's where the panel was too large.
    unit: f32,
}

/// `None` if nothing in the panel can be shown, or it does not fit even after all tries.
fn arrange(
    panel: &Panel,
    logo: Option<&Logo>,
    library: &mut FontLibrary,
    frame: Size,
) -> Option<Arranged> {
    let area = safe_area::area(frame, panel.margin);
    let mut unit = safe_area::unit(frame);
    let logo_backdrop = logo.and_then(|logo| logo_backdrop(logo, panel));
    for _ in 0..MAX_TRIES {
        let padding = Padding::of(panel, unit);
        let room = area.width - padding.left - padding.right;
        if room < LEAST_WIDTH * area.width {
            unit *= 0.8;
            continue;
        }
        let width = (panel.width as f32 * unit).min(room);
        let mut setter = Setter {
            library,
            logo,
            logo_backdrop,
            panel,
            unit,
        };
        let column = setter.column(width)?;
        let (outer_width, outer_height) = (
            column.width + padding.left + padding.right,
            column.height + padding.top + padding.bottom,
        );
        if outer_height > area.height || outer_width > area.width + 1.0 {
            unit *= (area.height / outer_height)
                .min(area.width / outer_width)
                .clamp(0.5, 0.97);
            continue;
        }
        let outer = area.anchored(panel.anchor.fractions(), outer_width, outer_height);
        let content = Rect {
            x: outer.x + padding.left,
            // Baselines on whole pixels are sharp.
            y: (outer.y + padding.top).round(),
            width: column.width,
            height: column.height,
        };
        return Some(Arranged {
            column,
            content,
            outer,
            unit,
        });
    }
    None
}
