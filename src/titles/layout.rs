//! Items → boxes. Text is set here; the rest is arithmetic.

use super::font_library::FontLibrary;
use super::shape::Rect;
use super::typeset::{Room, SetText};
use crate::picture::Logo;
use crate::spec::overlay::{Align, Content, Item, LogoBox, Paint, Panel, Pill, Rule, Style, Text};

/// Padding between a logo and its backdrop, as a share of the height of the logo's box.
const LOGO_BACKDROP_PADDING: f32 = 0.16;

/// A logo may be drawn so much larger than it is.
const MOST_ENLARGED: f32 = 2.0;

/// How items stand that had no room beside each other, as a share of the panel's gap.
const STACKED_GAP: f64 = 1.4;

/// An item that has found its size.
pub(super) struct Block {
    pub width: f32,
    pub height: f32,
    /// Distance to the item before it.
    pub space: f32,
    pub kind: Kind,
}

pub(super) enum Kind {
    Text {
        set: SetText,
        style: Style,
        /// The box around the words, and the words' place in it.
        pill: Option<(Pill, [f32; 2])>,
    },
    Rule(Paint),
    Logo {
        backdrop: Option<Paint>,
        /// Between the logo and the edges of its backdrop.
        padding: f32,
    },
    /// Blocks at their places.
    Group(Vec<(f32, f32, Block)>),
}

/// What items are set with.
pub(super) struct Setter<'a> {
    pub library: &'a mut FontLibrary,
    pub logo: Option<&'a Logo>,
    pub logo_backdrop: Option<Paint>,
    pub panel: &'a Panel,
    /// Pixels to a u.
    pub unit: f32,
}

impl Setter<'_> {
    /// The panel's column, at most `width` wide; `None` when nothing in it can be shown.
    pub fn column(&mut self, width: f32) -> Option<Block> {
        let panel = self.panel;
        let blocks = self.blocks(&panel.items, width, panel.gap);
        let shown = blocks
            .iter()
            .any(|block| !matches!(block.kind, Kind::Rule(_)));
        shown.then(|| stack(blocks, panel.align))
    }

    fn blocks(&mut self, items: &[Item], width: f32, gap: f64) -> Vec<Block> {
        let mut blocks = Vec::new();
        for item in items {
            if let Some(mut block) = self.block(item, width) {
                let space = if blocks.is_empty() {
                    0.0
                } else {
                    item.space.unwrap_or(gap)
                };
                block.space = (space.max(0.0) as f32 * self.unit).round();
                blocks.push(block);
            }
        }
        blocks
    }

    fn block(&mut self, item: &Item, width: f32) -> Option<Block> {
        match &item.content {
            Content::Text(text) => self.text(text, width),
            Content::Rule(rule) => Some(self.rule(rule, width)),
            Content::Logo(place) => self.logo(place, width),
            Content::Row { gap, items } => self.row(*gap, items, width),
        }
    }

    fn px(&self, units: f64) -> f32 {
        units as f32 * self.unit
    }

    fn text(&mut self, text: &Text, width: f32) -> Option<Block> {
        let padding = text
            .pill
            .map_or([0.0; 2], |pill| pill.padding.map(|p| self.px(p).round()));
        let room = Room {
            width: width - 2.0 * padding[0],
            unit: self.unit,
        };
        let set = self
            .library
            .set(&text.words, &text.style, self.panel.align, room)?;
        Some(Block {
            width: set.width + 2.0 * padding[0],
            height: set.height + 2.0 * padding[1],
            space: 0.0,
            kind: Kind::Text {
                set,
                style: text.style.clone(),
                pill: text.pill.map(|pill| (pill, padding)),
            },
        })
    }

    fn rule(&self, rule: &Rule, width: f32) -> Block {
        Block {
            width: self.px(rule.length).min(width),
            height: whole(self.px(rule.thickness)),
            space: 0.0,
            kind: Kind::Rule(rule.paint),
        }
    }

    fn logo(&self, place: &LogoBox, width: f32) -> Option<Block> {
        let logo = self.logo?;
        let backdrop = self.logo_backdrop.filter(|_| place.backdrop);
        let room = [self.px(place.width).min(width), self.px(place.height)];
        let padding = backdrop.map_or(0.0, |_| (LOGO_BACKDROP_PADDING * room[1]).round());
        let size = logo.size();
        let (width, height) = (size.width as f32, size.height as f32);
        let scale = ((room[0] - 2.0 * padding) / width)
            .min((room[1] - 2.0 * padding) / height)
            .min(MOST_ENLARGED);
        (scale > 0.0).then(|| Block {
            width: (width * scale).round().max(1.0) + 2.0 * padding,
            height: (height * scale).round().max(1.0) + 2.0 * padding,
            space: 0.0,
            kind: Kind::Logo { backdrop, padding },
        })
    }

    fn row(&mut self, gap: f64, items: &[Item], width: f32) -> Option<Block> {
        let mut blocks = self.blocks(items, width, gap);
        let upright = |item: &&Item| !matches!(item.content, Content::Rule(_));
        if !items.iter().any(|item| upright(&item)) || blocks.is_empty() {
            return None;
        }
        // Rules stand upright here: what was their length is their height.
        for block in blocks
            .iter_mut()
            .filter(|block| matches!(block.kind, Kind::Rule(_)))
        {
            std::mem::swap(&mut block.width, &mut block.height);
        }
        let natural: f32 = blocks.iter().map(|block| block.space + block.width).sum();
        if natural <= width {
            return Some(beside(blocks));
        }
        let below: Vec<Item> = items.iter().filter(upright).cloned().collect();
        let blocks = self.blocks(&below, width, self.panel.gap * STACKED_GAP);
        (!blocks.is_empty()).then(|| stack(blocks, self.panel.align))
    }
}

/// Lines are whole pixels: two at least where they are thicker than one, for the chroma's sake.
fn whole(thickness: f32) -> f32 {
    if thickness < 1.5 {
        1.0
    } else {
        (thickness / 2.0).round().max(1.0) * 2.0
    }
}

/// Blocks one below the other; rules without a length are as wide as the widest block.
fn stack(mut blocks: Vec<Block>, align: Align) -> Block {
    let width = blocks.iter().map(|block| block.width).fold(0.0, f32::max);
    let mut y = 0.0;
    for block in &mut blocks {
        if matches!(block.kind, Kind::Rule(_)) && block.width <= 0.0 {
            block.width = width;
        }
    }
    let placed = blocks.into_iter().map(|block| {
        y += block.space;
        let place = ((width - block.width) * align.fraction() as f32, y, block);
        y += place.2.height;
        place
    });
    let placed: Vec<_> = placed.collect();
    Block {
        width,
        height: y,
        space: 0.0,
        kind: Kind::Group(placed),
    }
}

/// Blocks side by side, their middles on one line; rules without a length are as high as the
/// highest block.
fn beside(mut blocks: Vec<Block>) -> Block {
    let height = blocks.iter().map(|block| block.height).fold(0.0, f32::max);
    for block in &mut blocks {
        if matches!(block.kind, Kind::Rule(_)) && block.height <= 0.0 {
            block.height = height;
        }
    }
    let mut x = 0.0;
    let placed = blocks.into_iter().map(|block| {
        x += block.space;
        let place = (x, ((height - block.height) / 2.0).round(), block);
        x += place.2.width;
        place
    });
    let placed: Vec<_> = placed.collect();
    Block {
        width: x,
        height,
        space: 0.0,
        kind: Kind::Group(placed),
    }
}

/// Where a box of a size comes to lie in an area, by shares of the free space.
pub(super) fn anchored(area: Rect, fractions: (f64, f64), width: f32, height: f32) -> Rect {
    Rect {
        x: area.x + (area.width - width) * fractions.0 as f32,
        y: area.y + (area.height - height) * fractions.1 as f32,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::overlay::Colour;

    fn rule(width: f32, height: f32, space: f32) -> Block {
        let paint = Paint {
            colour: Colour([0; 3]),
            opacity: 1.0,
        };
        Block {
            width,
            height,
            space,
            kind: Kind::Rule(paint),
        }
    }

    fn places(block: Block) -> (f32, f32, Vec<[f32; 4]>) {
        let Kind::Group(placed) = block.kind else {
            panic!("no group");
        };
        let places = placed
            .iter()
            .map(|(x, y, block)| [*x, *y, block.width, block.height]);
        (block.width, block.height, places.collect())
    }

    #[test]
    fn columns_are_as_wide_as_their_widest() {
        let blocks = || {
            vec![
                rule(40.0, 10.0, 0.0),
                rule(0.0, 2.0, 5.0),
                rule(100.0, 20.0, 7.0),
            ]
        };
        let (width, height, left) = places(stack(blocks(), Align::Left));
        assert_eq!((width, height), (100.0, 44.0));
        assert_eq!(
            left,
            [
                [0.0, 0.0, 40.0, 10.0],
                [0.0, 15.0, 100.0, 2.0],
                [0.0, 24.0, 100.0, 20.0]
            ]
        );
        let (_, _, centred) = places(stack(blocks(), Align::Centre));
        assert_eq!(centred[0][0], 30.0);
        let (_, _, right) = places(stack(blocks(), Align::Right));
        assert_eq!(right[0][0], 60.0);
    }

    #[test]
    fn rows_share_their_middle() {
        let blocks = vec![
            rule(30.0, 10.0, 0.0),
            rule(2.0, 0.0, 4.0),
            rule(50.0, 20.0, 4.0),
        ];
        let (width, height, placed) = places(beside(blocks));
        assert_eq!((width, height), (90.0, 20.0));
        assert_eq!(
            placed,
            [
                [0.0, 5.0, 30.0, 10.0],
                [34.0, 0.0, 2.0, 20.0],
                [40.0, 0.0, 50.0, 20.0]
            ]
        );
    }

    #[test]
    fn anchors_divide_the_free_space() {
        let area = Rect {
            x: 10.0,
            y: 20.0,
            width: 100.0,
            height: 200.0,
        };
        let at = |fractions| {
            let rect = anchored(area, fractions, 40.0, 50.0);
            (rect.x, rect.y)
        };
        assert_eq!(
            [at((0.0, 0.0)), at((0.5, 0.5)), at((1.0, 1.0))],
            [(10.0, 20.0), (40.0, 95.0), (70.0, 170.0)]
        );
    }
}
