//! The items of a panel → blocks with sizes and positions.

use super::block::{Block, Kind, beside, stack};
use super::font_library::FontLibrary;
use super::typeset::Room;
use crate::picture::Logo;
use crate::spec::overlay::{Content, Item, LogoBox, Paint, Panel, Rule, Text};

/// Padding between a logo and its backdrop, as a share of the height of the logo's box.
const LOGO_BACKDROP_PADDING: f32 = 0.16;

/// How much a logo may be enlarged.
const MAX_ENLARGEMENT: f32 = 2.0;

/// The gap between the items of a row that are below each other for want of room, as a multiple of
/// the panel's.
const STACKED_GAP: f64 = 1.4;

/// Lays out the items of one panel.
pub(super) struct Setter<'a> {
    pub library: &'a mut FontLibrary,
    pub logo: Option<&'a Logo>,
    pub logo_backdrop: Option<Paint>,
    pub panel: &'a Panel,
    /// Pixels per u.
    pub unit: f32,
}

impl Setter<'_> {
    /// The panel's items, at most `width` pixels wide; `None` if nothing but rules would be shown.
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
            height: rule_thickness(self.px(rule.thickness)),
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
            .min(MAX_ENLARGEMENT);
        (scale > 0.0).then(|| Block {
            width: (width * scale).round().max(1.0) + 2.0 * padding,
            height: (height * scale).round().max(1.0) + 2.0 * padding,
            space: 0.0,
            kind: Kind::Logo { backdrop, padding },
        })
    }

    fn row(&mut self, gap: f64, items: &[Item], width: f32) -> Option<Block> {
        let mut blocks = self.blocks(items, width, gap);
        let is_no_rule = |item: &&Item| !matches!(item.content, Content::Rule(_));
        if !items.iter().any(|item| is_no_rule(&item)) || blocks.is_empty() {
            return None;
        }
        // Rules are vertical in a row: their length is their height.
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
        let below: Vec<Item> = items.iter().filter(is_no_rule).cloned().collect();
        let blocks = self.blocks(&below, width, self.panel.gap * STACKED_GAP);
        (!blocks.is_empty()).then(|| stack(blocks, self.panel.align))
    }
}

/// A rule's thickness in whole pixels. More than one is even, so that it covers whole chroma samples.
fn rule_thickness(thickness: f32) -> f32 {
    if thickness < 1.5 {
        1.0
    } else {
        (thickness / 2.0).round().max(1.0) * 2.0
    }
}
