//! HEIC, as phones write it.

use crate::support::frames;
use crate::support::render::{kinora, stderr, still};
use crate::support::scratch::Scratch;

const HEIC: &[u8] = include_bytes!("pictures/turned.heic");

const RED: [f64; 3] = [200.0, 30.0, 40.0];
const GREEN: [f64; 3] = [0.0, 200.0, 0.0];
const BLUE: [f64; 3] = [0.0, 0.0, 255.0];

#[track_caller]
fn is_near(found: [f64; 3], expected: [f64; 3]) {
    let distance = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let largest = distance.fold(0.0, f64::max);
    assert!(largest < 6.0, "{found:?}, not {expected:?}");
}

#[test]
fn photos_of_phones_are_upright_and_true_in_colour() {
    let home = Scratch::new();
    let video = still(&home, HEIC);
    let mut frame_count = 0;
    frames::each(&video, |_, frame| {
        frame_count += 1;
        assert_eq!((frame.width, frame.height), (1080, 1920));
        is_near(frame.rgb(1000, 100), BLUE);
        is_near(frame.rgb(100, 1800), GREEN);
        is_near(frame.rgb(540, 960), RED);
        is_near(frame.rgb(100, 100), RED);
    });
    assert_eq!(frame_count, 2);
    // The converter's directory is gone.
    assert_eq!(home.path().read_dir().expect("files").count(), 2);
}

#[test]
fn a_cut_photo_of_a_phone_fails_with_a_sentence() {
    let home = Scratch::new();
    home.write("photo", &HEIC[..HEIC.len() / 2]);
    let output = kinora(&home, ["render", "photo", "-o", "video.mp4"]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(told.contains("photo is a damaged HEIC picture"), "{told}");
    assert_eq!(home.path().read_dir().expect("files").count(), 1);
}

#[test]
fn without_a_converter_it_is_said_what_to_install() {
    let home = Scratch::new();
    home.write("photo", HEIC);
    home.write(
        "config.toml",
        "[sandbox]\nheif_convert = \"/nowhere/heif-convert\"\n",
    );
    let args = [
        "render",
        "photo",
        "-o",
        "video.mp4",
        "--config",
        "config.toml",
    ];
    let output = kinora(&home, args);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(told.contains("install libheif-examples"), "{told}");
}
