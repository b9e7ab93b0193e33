//! An item of a panel with its size, and the arrangement of several in columns and rows.

use super::rect::Rect;
use super::typeset::SetText;
use crate::spec::overlay::{Align, Paint, Pill, Style};

/// An item with its size. Lengths are in pixels.
pub(super) struct Block {
    pub width: f32,
    pub height: f32,
    /// Distance from the item before it.
    pub space: f32,
    pub kind: Kind,
}

pub(super) enum Kind {
    Text {
        set: SetText,
        style: Style,
        /// The box around the words, and the position of the words in it.
        pill: Option<(Pill, [f32; 2])>,
    },
    Rule(Paint),
    Logo {
        backdrop: Option<Paint>,
        /// Between the logo and the edges of its backdrop.
        padding: f32,
    },
    /// Blocks with their positions in the group.
    Group(Vec<(f32, f32, Block)>),
}

impl Block {
    /// The block's box if its top left corner is at (`x`, `y`).
    pub fn rect(&self, x: f32, y: f32) -> Rect {
        Rect {
            x,
            y,
            width: self.width,
            height: self.height,
        }
    }
}

/// Blocks below each other. Rules without a length are as wide as the widest block.
pub(super) fn stack(mut blocks: Vec<Block>, align: Align) -> Block {
    let width = blocks.iter().map(|block| block.width).fold(0.0, f32::max);
    let mut y = 0.0;
    for block in &mut blocks {
        if matches!(block.kind, Kind::Rule(_)) && block.width <= 0.0 {
            block.width = width;
        }
    }
    let placed = blocks.into_iter().map(|block| {
        y += block.space;
        let x = (width - block.width) * align.fraction() as f32;
        let placed = (x, y, block);
        y += placed.2.height;
        placed
    });
    let placed: Vec<_> = placed.collect();
    Block {
        width,
        height: y,
        space: 0.0,
        kind: Kind::Group(placed),
    }
}

/// Blocks side by side, their middles on one line. Rules without a length, and the boxes around words, are as high as
/// the highest block.
pub(super) fn beside(mut blocks: Vec<Block>) -> Block {
    let height = blocks.iter().map(|block| block.height).fold(0.0, f32::max);
    for block in &mut blocks {
        match &mut block.kind {
            Kind::Rule(_) if block.height <= 0.0 => block.height = height,
            Kind::Text {
                pill: Some((_, padding)),
                ..
            } => {
                padding[1] += (height - block.height) / 2.0;
                block.height = height;
            }
            _ => {}
        }
    }
    let mut x = 0.0;
    let placed = blocks.into_iter().map(|block| {
        x += block.space;
        let placed = (x, ((height - block.height) / 2.0).round(), block);
        x += placed.2.width;
        placed
    });
    let placed: Vec<_> = placed.collect();
    Block {
        width: x,
        height,
        space: 0.0,
        kind: Kind::Group(placed),
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
}
