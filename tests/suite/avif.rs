//! AVIF, whose pictures `tests/pictures/make.py` makes.

use crate::colour::{frame_of, is_colour, p3_to_srgb};
use crate::support::render::{kinora, stderr};
use crate::support::scratch::Scratch;

const LEFT: [f64; 3] = [200.0, 100.0, 40.0];
const RIGHT: [f64; 3] = [10.0, 150.0, 250.0];

/// The encoder rounds, too.
const LEVELS: f64 = 4.0;

#[track_caller]
fn shows(file: &[u8], left: [f64; 3], right: [f64; 3]) {
    let frame = frame_of(file);
    is_colour(&frame, (480, 540), left, LEVELS);
    is_colour(&frame, (1440, 540), right, LEVELS);
}

#[test]
fn chroma_of_any_size_and_either_range_show_their_colours() {
    for file in [
        &include_bytes!("../pictures/limited_420.avif")[..],
        include_bytes!("../pictures/full_422.avif"),
        include_bytes!("../pictures/ten_bits.avif"),
    ] {
        shows(file, LEFT, RIGHT);
    }
}

#[test]
fn twelve_bits_of_gray_show_their_levels() {
    let file = include_bytes!("../pictures/twelve_bits_gray.avif");
    shows(file, [51.0; 3], [204.0; 3]);
}

#[test]
fn alpha_is_laid_over_black() {
    let file = include_bytes!("../pictures/alpha_444.avif");
    shows(file, LEFT.map(|level| level * 128.0 / 255.0), RIGHT);
}

#[test]
fn the_container_turns_the_picture() {
    shows(include_bytes!("../pictures/turned.avif"), LEFT, RIGHT);
}

#[test]
fn the_container_crops_the_picture() {
    let frame = frame_of(include_bytes!("../pictures/cropped.avif"));
    for (x, colour) in [(60, LEFT), (1860, RIGHT)] {
        is_colour(&frame, (x, 60), colour, LEVELS);
        is_colour(&frame, (x, 1020), colour, LEVELS);
    }
}

#[test]
fn a_profile_counts_wherever_the_container_has_it() {
    shows(
        include_bytes!("../pictures/profile_behind.avif"),
        LEFT,
        RIGHT,
    );
}

#[test]
fn display_p3_is_converted() {
    let file = include_bytes!("../pictures/display_p3.avif");
    let [left, right] = [[180.0, 120.0, 90.0], [90.0, 120.0, 180.0]].map(p3_to_srgb);
    shows(file, left, right);
}

#[test]
fn a_cut_file_is_refused() {
    let file = include_bytes!("../pictures/limited_420.avif");
    for length in [20, 150, file.len() - 20, file.len() - 1] {
        let home = Scratch::new();
        home.write("photo", &file[..length]);
        let output = kinora(&home, ["render", "photo", "-o", "video.mp4"]);
        assert!(!output.status.success(), "{length} bytes");
        let message = stderr(&output);
        assert!(message.contains("AVIF"), "{message}");
        assert!(!message.contains("a AVIF"), "{message}");
        assert!(!message.contains("panicked"), "{message}");
    }
}
