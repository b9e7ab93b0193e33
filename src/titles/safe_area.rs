//! The part of the frame that apps do not cover with their controls. Pure functions.

use super::rect::Rect;
use crate::spec::Size;
use crate::spec::overlay::Margin;

/// Ratios of height to width between which the covered shares grow from nothing to [`COVERED`]. Apps
/// show 4:5 videos in a feed, without controls on them, and 9:16 ones from edge to edge.
const TALL: (f32, f32) = (1.3, 16.0 / 9.0);

/// The covered parts of a 9:16 frame, as shares of its height: the account and tabs at the top, the
/// caption and buttons at the bottom.
const COVERED: (f32, f32) = (0.11, 0.19);

/// How much larger titles are in a 9:16 frame, which has more room, and is watched on phones.
const ENLARGED: f32 = 0.12;

/// How tall a frame is: 0 up to 4:5, 1 from 9:16 on.
fn tallness(frame: Size) -> f32 {
    let ratio = frame.height as f32 / frame.width as f32;
    ((ratio - TALL.0) / (TALL.1 - TALL.0)).clamp(0.0, 1.0)
}

/// Pixels per u.
pub(super) fn unit(frame: Size) -> f32 {
    let hundredth = frame.width.min(frame.height) as f32 / 100.0;
    hundredth * (1.0 + ENLARGED * tallness(frame))
}

/// The frame without `margin`, and without the parts that apps cover.
pub(super) fn area(frame: Size, margin: Margin) -> Rect {
    let (width, height) = (frame.width as f32, frame.height as f32);
    let tall = tallness(frame);
    let share = |percent: f64| (percent.clamp(0.0, 49.0) / 100.0) as f32;
    let x = share(margin.x) * width;
    let top = share(margin.y).max(COVERED.0 * tall) * height;
    let bottom = share(margin.y).max(COVERED.1 * tall) * height;
    Rect {
        x,
        y: top,
        width: width - 2.0 * x,
        height: height - top - bottom,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area_of(width: u32, height: u32) -> Rect {
        area(Size { width, height }, Margin { x: 5.0, y: 5.0 })
    }

    #[test]
    fn only_tall_frames_are_covered_by_apps() {
        let wide = area_of(1920, 1080);
        assert_eq!(
            [wide.x, wide.y, wide.width, wide.height],
            [96.0, 54.0, 1728.0, 972.0]
        );
        let portrait = area_of(1080, 1350);
        assert_eq!([portrait.y, portrait.bottom()], [67.5, 1282.5]);
        let tall = area_of(1080, 1920);
        assert_eq!(
            [tall.x, tall.y.round(), tall.bottom().round()],
            [54.0, 211.0, 1555.0]
        );
    }
}
