//! Motion: which part of a photograph a frame shows. Pure.

use super::resample::Crop;
use crate::video::{Motion, Output, Size};

/// Deeper than this, a zoom stands still.
const MAX_ZOOM: f64 = 10.0;

/// How much frame `k` of `n` is enlarged, 1 being the photo that just fills the frame:
/// `1 + speed/100 * length * k/n`.
pub fn zoom(motion: Motion, output: Output, k: u32) -> f64 {
    let Motion::CentreZoom { speed } = motion;
    let share = f64::from(k) / f64::from(output.frames());
    (1.0 + speed / 100.0 * output.length * share).min(MAX_ZOOM)
}

/// The part of a photo that fills `frame` at `zoom`: centred, of the frame's shape, in the photo's
/// pixels.
pub fn crop(photo: Size, frame: Size, zoom: f64) -> Crop {
    let (photo_width, photo_height) = (f64::from(photo.width), f64::from(photo.height));
    let (frame_width, frame_height) = (f64::from(frame.width), f64::from(frame.height));
    // The scale at which the frame is just covered; the longer way is cropped, never stretched.
    let step = (photo_width / frame_width).min(photo_height / frame_height) / zoom;
    let (width, height) = (frame_width * step, frame_height * step);
    Crop {
        x: (photo_width - width) / 2.0,
        y: (photo_height - height) / 2.0,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL_HD: Size = Size {
        width: 1920,
        height: 1080,
    };

    #[test]
    fn the_zoom_is_linear_and_ends_at_ten() {
        let motion = Motion::CentreZoom { speed: 3.0 };
        let output = Output {
            length: 5.0,
            frame_rate: 30,
        };
        assert_eq!(zoom(motion, output, 0), 1.0);
        assert!((zoom(motion, output, 75) - 1.075).abs() < 1e-12);
        let deep = Motion::CentreZoom { speed: 100.0 };
        assert_eq!(
            zoom(
                deep,
                Output {
                    length: 60.0,
                    frame_rate: 30
                },
                1799
            ),
            10.0
        );
    }

    #[test]
    fn a_panorama_loses_its_sides_and_a_square_its_top_and_bottom() {
        let panorama = crop(
            Size {
                width: 6000,
                height: 1080,
            },
            FULL_HD,
            1.0,
        );
        assert_eq!(
            (panorama.x, panorama.y, panorama.width, panorama.height),
            (2040.0, 0.0, 1920.0, 1080.0)
        );
        let square = crop(
            Size {
                width: 3840,
                height: 3840,
            },
            FULL_HD,
            2.0,
        );
        assert_eq!(
            (square.x, square.y, square.width, square.height),
            (960.0, 1380.0, 1920.0, 1080.0)
        );
    }
}
