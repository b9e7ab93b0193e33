//! Titles in decoded frames, and the command line's flags for them.

use image::{Rgb, RgbImage};

use crate::support::frames::{self, Frame};
use crate::support::picture::png;
use crate::support::render::{kinora, stderr};
use crate::support::scratch::Scratch;

const FACTS: [&str; 6] = [
    "--address",
    "123 Main St",
    "--price",
    "$500,000",
    "--contact-name",
    "John Doe",
];

/// The frames of ten seconds of a grey photo under titles.
fn frames_with(home: &Scratch, flags: &[&str]) -> Vec<Frame> {
    let grey = RgbImage::from_pixel(64, 64, Rgb([128; 3]));
    home.write("grey.png", png(&grey));
    let args = ["render", "grey.png", "-o", "video.mp4", "--length", "10"];
    let output = kinora(
        home,
        args.iter().chain(&["--frame-rate", "15"]).chain(flags),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    frames::all(&home.join("video.mp4"))
}

/// How many samples differ from the photo's grey.
fn covered(frame: &Frame) -> usize {
    let samples = (0..frame.height).flat_map(|y| (0..frame.width).map(move |x| (x, y)));
    samples
        .filter(|(x, y)| (frame.y(*x, *y) - 126.0).abs() > 12.0)
        .count()
}

/// The mean difference of two frames.
fn difference(one: &Frame, other: &Frame) -> f64 {
    let samples = (0..one.height).flat_map(|y| (0..one.width).map(move |x| (x, y)));
    let sum: f64 = samples
        .map(|(x, y)| (one.y(x, y) - other.y(x, y)).abs())
        .sum();
    sum / (one.width * one.height) as f64
}

#[test]
fn titles_open_and_close_the_video_and_do_not_move_between_their_fades() {
    let home = Scratch::new();
    let flags = [&["--template", "OpenHouse1"], &FACTS[..]].concat();
    let frames = frames_with(&home, &flags);
    assert_eq!(frames.len(), 150);
    assert_eq!(covered(&frames[0]), 0, "nothing before the fade");
    let (opening, closing) = (covered(&frames[15]), covered(&frames[145]));
    assert!(opening > 50_000, "no opening title: {opening}");
    assert!(closing > 50_000, "no closing card: {closing}");
    assert!(difference(&frames[14], &frames[16]) < 0.5, "it moves");
    for (k, pair) in frames.windows(2).enumerate() {
        let jump = difference(&pair[0], &pair[1]);
        assert!(jump < 25.0, "a jump of {jump} after frame {k}");
    }
}

#[test]
fn without_facts_there_is_only_the_photo() {
    let home = Scratch::new();
    let frames = frames_with(&home, &["--template", "ActiveListing1"]);
    assert!(frames.iter().all(|frame| covered(frame) == 0));
}

#[test]
fn a_thumbnail_shows_the_opening_title() {
    let home = Scratch::new();
    let flags = ["--template", "JustSold1", "--thumbnail", "still.jpg"];
    let flags = [&flags[..], &["--aspect-ratio", "4:5"], &FACTS].concat();
    frames_with(&home, &flags);
    let still = image::open(home.join("still.jpg"))
        .expect("a picture")
        .to_rgb8();
    assert_eq!(still.dimensions(), (1080, 1350));
    let red = |pixel: &&Rgb<u8>| pixel[0] > 150 && pixel[1] < 80;
    assert!(still.pixels().filter(red).count() > 50_000);
}

/// A closing card over a blurred photo, from six seconds on of ten.
const BLURRED: &str = r#"
title = "Blurred"

[style.name]
font = "Manrope"
size = 6

[[panel]]
start = -4
fade_in = 1
fade_out = 0
anchor = "top-left"
backdrops = [{ blur = 4 }]
items = [{ text = "{name}", style = "name" }]
"#;

/// The mean difference of horizontal neighbours in the lower half.
fn texture(frame: &Frame) -> f64 {
    let rows = frame.height / 2..frame.height;
    let samples = rows.flat_map(|y| (1..frame.width).map(move |x| (x, y)));
    let differences = samples.map(|(x, y)| (frame.y(x, y) - frame.y(x - 1, y)).abs());
    differences.sum::<f64>() / (frame.width * frame.height / 2) as f64
}

#[test]
fn a_title_with_a_blur_shows_the_photo_blurred_and_at_rest() {
    let home = Scratch::new();
    std::fs::create_dir(home.join("mine")).expect("a directory");
    home.write("mine/Blurred.toml", BLURRED);
    home.write("kinora.toml", "[templates]\ndirectory = \"mine\"\n");
    // Stripes, brighter on the left.
    let stripes = RgbImage::from_fn(540, 540, |x, _| {
        let level = if x < 270 { 150 } else { 60 };
        Rgb([level + (x / 9 % 2) as u8 * 60; 3])
    });
    home.write("stripes.png", png(&stripes));
    let args = ["render", "stripes.png", "-o", "video.mp4", "--length", "10"];
    let flags = ["--frame-rate", "15", "--config", "kinora.toml"];
    let titles = ["--template", "Blurred", "--contact-name", "John Doe"];
    let output = kinora(&home, args.iter().chain(&flags).chain(&titles));
    assert!(output.status.success(), "{}", stderr(&output));

    let frames = frames::all(&home.join("video.mp4"));
    let [sharp, fading, card] = [85, 97, 120].map(|k| texture(&frames[k]));
    assert!(sharp > 1.5, "the stripes are not seen: {sharp}");
    assert!(card < 0.3, "the card's photo is not blurred: {card}");
    assert!(
        fading > 0.3 * sharp && fading < 0.7 * sharp,
        "{sharp}, {fading}, {card}"
    );
    let moved = difference(&frames[120], &frames[148]);
    assert!(moved < 0.5, "it moves by {moved} levels");
    let at = |x| frames[120].y(x, 1000);
    assert!(
        (at(200) - at(900) - 77.0).abs() < 10.0,
        "{} {}",
        at(200),
        at(900)
    );
}

/// A panel that is narrower than most.
const NARROW: &str = r#"
title = "Narrow"

[style.address]
font = "Manrope"
size = 6

[[panel]]
start = 0
anchor = "top-left"
width = 12
items = [{ text = "{address}", style = "address" }]
"#;

#[test]
fn a_narrow_panel_is_shown_in_a_wide_frame() {
    let home = Scratch::new();
    std::fs::create_dir(home.join("mine")).expect("a directory");
    home.write("mine/Narrow.toml", NARROW);
    home.write("kinora.toml", "[templates]\ndirectory = \"mine\"\n");
    home.write("grey.png", png(&RgbImage::from_pixel(80, 45, Rgb([90; 3]))));
    let args = ["render", "grey.png", "-o", "video.mp4", "--length", "1"];
    let flags = ["--aspect-ratio", "16:9", "--config", "kinora.toml"];
    let titles = ["--template", "Narrow", "--address", "A"];
    let output = kinora(&home, args.iter().chain(&flags).chain(&titles));
    assert!(output.status.success(), "{}", stderr(&output));
    let frames = frames::all(&home.join("video.mp4"));
    let white = (0..frames[15].height / 4)
        .flat_map(|y| (0..frames[15].width / 4).map(move |x| (x, y)))
        .filter(|(x, y)| frames[15].y(*x, *y) > 200.0);
    assert!(white.count() > 100, "no letter is seen");
}

#[test]
fn a_closing_card_alone_does_not_hide_a_short_video() {
    let home = Scratch::new();
    let stripes = RgbImage::from_fn(540, 540, |x, _| Rgb([60 + (x / 9 % 2) as u8 * 60; 3]));
    home.write("stripes.png", png(&stripes));
    let args = ["render", "stripes.png", "-o", "video.mp4", "--length", "2"];
    let flags = ["--aspect-ratio", "1:1", "--template", "ActiveListing1"];
    let titles = ["--contact-name", "John Doe"];
    let output = kinora(&home, args.iter().chain(&flags).chain(&titles));
    assert!(output.status.success(), "{}", stderr(&output));
    for frame in frames::all(&home.join("video.mp4")) {
        let texture = texture(&frame);
        assert!(texture > 1.5, "the photo is not seen: {texture}");
    }
}

#[test]
fn flags_that_cannot_be_met_are_refused_with_the_reason() {
    let home = Scratch::new();
    home.write("grey.png", png(&RgbImage::new(8, 8)));
    home.write(
        "logo.svg",
        "<svg xmlns='http://www.w3.org/2000/svg'><text>A</text></svg>",
    );
    for (flags, said) in [
        (
            &["--template", "Palace1"][..],
            "there is no template \"Palace1\"; there are ActiveListing1",
        ),
        (&["--address", "x"], "--template"),
        (&["--aspect-ratio", "3:2"], "16:9, 1:1, 4:5 and 9:16"),
        (
            &["--music", "x.mp3", "--zoom-speed", "3"],
            "--zoom-speed is for a single photo",
        ),
        (
            &["--template", "OpenHouse1", "--logo", "logo.svg"],
            "logo.svg is an SVG drawing with text",
        ),
    ] {
        let args = ["render", "grey.png", "-o", "video.mp4"];
        let output = kinora(&home, args.iter().chain(flags));
        assert!(!output.status.success());
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

#[test]
fn an_invalid_template_stops_the_program_with_line_and_column() {
    let home = Scratch::new();
    std::fs::create_dir(home.join("mine")).expect("a directory");
    home.write(
        "mine/Mine.toml",
        "title = \"Mine\"\n[[panel]]\nstart = 0\nanchor = \"midle\"\nitems = []\n",
    );
    home.write("kinora.toml", "[templates]\ndirectory = \"mine\"\n");
    home.write("grey.png", png(&RgbImage::new(8, 8)));
    let flags = ["--template", "Mine", "--config", "kinora.toml"];
    let output = kinora(
        &home,
        ["render", "grey.png", "-o", "video.mp4"]
            .iter()
            .chain(&flags),
    );
    let said = stderr(&output);
    assert!(said.contains("Mine.toml, line 4, column 10: "), "{said}");
    assert!(said.contains("centre"), "{said}");
}
