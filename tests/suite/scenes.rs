//! Several photos in one video: how long each is seen, how one turns into the next, and that nothing
//! beside them is ever seen.

use std::path::PathBuf;

use image::{Rgb, RgbImage};

use crate::support::frames::{self, Frame};
use crate::support::picture::{detailed, png};
use crate::support::probe::Probe;
use crate::support::render::{kinora, stderr};
use crate::support::scratch::Scratch;

const WHITE: Rgb<u8> = Rgb([255; 3]);

/// Renders photos to a video, in their order.
fn render(home: &Scratch, photos: &[RgbImage], flags: &[&str]) -> PathBuf {
    let mut args = vec!["render".to_owned()];
    for (i, photo) in photos.iter().enumerate() {
        let name = format!("{i}.png");
        home.write(&name, png(photo));
        args.push(name);
    }
    args.extend(
        ["-o", "video.mp4"]
            .iter()
            .chain(flags)
            .map(|arg| (*arg).to_owned()),
    );
    let output = kinora(home, args);
    assert!(output.status.success(), "{}", stderr(&output));
    home.join("video.mp4")
}

fn grey(level: u8) -> RgbImage {
    RgbImage::from_pixel(160, 100, Rgb([level; 3]))
}

/// The luma of grey.
fn luma(level: u8) -> f64 {
    16.0 + f64::from(level) * 219.0 / 255.0
}

fn middle(frame: &Frame) -> f64 {
    frame.y(frame.width / 2, frame.height / 2)
}

/// The luma of the darkest sample.
fn darkest(frame: &Frame) -> f64 {
    let samples = (0..frame.height).flat_map(|y| (0..frame.width).map(move |x| (x, y)));
    samples.map(|(x, y)| frame.y(x, y)).fold(255.0, f64::min)
}

#[test]
fn photos_share_the_length_and_fade_into_one_another_in_even_steps() {
    let home = Scratch::new();
    let levels = [40, 200, 90];
    let video = render(&home, &levels.map(grey), &["--length", "6"]);
    // Sixty frames each; a cross-fade takes a fifth of that, with half on either side of the cut.
    let expected = |k: usize| {
        let scene = k / 60;
        let fade = |cut: usize| {
            let share = (k + 7 - cut) as f64 / 13.0;
            luma(levels[cut / 60 - 1]) * (1.0 - share) + luma(levels[cut / 60]) * share
        };
        let near = [60, 120]
            .into_iter()
            .find(|cut| (cut - 6..cut + 6).contains(&k));
        near.map_or_else(|| luma(levels[scene]), fade)
    };
    let mut seen = 0;
    frames::each(&video, |k, frame| {
        seen += 1;
        let (got, want) = (middle(&frame), expected(k));
        assert!((got - want).abs() < 2.5, "frame {k}: {got}, not {want:.1}");
    });
    assert_eq!(seen, 180);
}

#[test]
fn nothing_but_the_photo_is_ever_seen() {
    // Of every shape, and in every move: at an edge there would be something darker than white.
    let shapes = [
        (300, 200),
        (200, 200),
        (320, 161),
        (240, 235),
        (333, 250),
        (250, 249),
    ];
    let photos = shapes.map(|(width, height)| RgbImage::from_pixel(width, height, WHITE));
    for ratio in ["16:9", "1:1"] {
        let home = Scratch::new();
        let video = render(&home, &photos, &["--length", "3", "--aspect-ratio", ratio]);
        frames::each(&video, |k, frame| {
            let darkest = darkest(&frame);
            assert!(darkest > 225.0, "{ratio}, frame {k}: {darkest}");
        });
    }
}

#[test]
fn a_contained_photo_is_shown_whole_over_its_own_blurred_fill() {
    // Blue, with a white line along the edges: all four sides have to be seen in every frame.
    let photo = RgbImage::from_fn(300, 500, |x, y| {
        let at_edge = x < 12 || y < 12 || x >= 288 || y >= 488;
        if at_edge { WHITE } else { Rgb([20, 40, 200]) }
    });
    let home = Scratch::new();
    let flags = [
        "--length",
        "4",
        "--aspect-ratio",
        "16:9",
        "--fit",
        "contain",
    ];
    let video = render(&home, &vec![photo; 4], &flags);
    frames::each(&video, |k, frame| {
        // Of thirty frames for each, ten about every cut show two photos.
        if (25..95).contains(&k) && (k + 5) % 30 < 10 {
            return;
        }
        let white = |x: usize, y: usize| frame.y(x, y) > 190.0;
        let (width, height) = (frame.width, frame.height);
        let across = (0..width)
            .filter(|x| white(*x, height / 2))
            .collect::<Vec<_>>();
        let down = (0..height)
            .filter(|y| white(width / 2, *y))
            .collect::<Vec<_>>();
        let span = |hits: &[usize]| hits[hits.len() - 1] as f64 - hits[0] as f64 + 1.0;
        let shape = span(&across) / span(&down);
        assert!(
            (shape - 0.6).abs() < 0.02,
            "frame {k} is stretched: {shape}"
        );
        assert!(span(&down) < 0.97 * height as f64, "frame {k} is cut");
        // The fill is the photo's blue, darker than it.
        let [red, _, blue] = frame.rgb(100, height / 2);
        assert!(
            blue > red + 30.0 && blue < 190.0,
            "frame {k}: {red}, {blue}"
        );
    });
}

#[test]
fn a_narrow_photo_is_shown_whole_to_its_lower_end() {
    // Blue, with white ends of an eighth of its height.
    let photo = RgbImage::from_fn(64, 4000, |_, y| match y {
        500..3500 => Rgb([20, 40, 200]),
        _ => WHITE,
    });
    let home = Scratch::new();
    let flags = ["--length", "2", "--fit", "contain", "--motion", "still"];
    let video = render(&home, &[photo.clone(), photo], &flags);
    let frames = frames::all(&video);
    let frame = &frames[5];
    let white = |rows: std::ops::Range<usize>| {
        let column = rows.filter(|y| frame.y(frame.width / 2, *y) > 190.0);
        column.count() as i64
    };
    let (above, below) = (white(0..540), white(540..1080));
    assert!((120..130).contains(&above), "{above}");
    assert!((above - below).abs() <= 2, "{above} and {below}");
}

#[test]
fn every_frame_moves_and_the_same_photos_make_the_same_film() {
    let photos: Vec<RgbImage> = (0..3).map(|i| detailed(400 + 40 * i, 300)).collect();
    let decoded = || {
        let home = Scratch::new();
        frames::all(&render(&home, &photos, &["--length", "1.5"]))
    };
    let (once, again) = (decoded(), decoded());
    assert_eq!(once.len(), 45);
    assert!(once == again);
    for (k, pair) in once.windows(2).enumerate() {
        assert!(pair[0] != pair[1], "frame {} repeats", k + 1);
    }
}

#[test]
fn scenes_of_a_frame_each_all_have_it() {
    // Shorter than there are drawing threads: some have drawn their last frame before others begin.
    let home = Scratch::new();
    let levels = [60, 200, 90, 160];
    let flags = ["--length", "0.2667", "--frame-rate", "15"];
    let frames = frames::all(&render(&home, &levels.map(grey), &flags));
    assert_eq!(frames.len(), 4);
    for (frame, level) in frames.iter().zip(levels) {
        let (got, want) = (middle(frame), luma(level));
        assert!((got - want).abs() < 3.0, "{got}, not {want:.1}");
    }
}

#[test]
fn a_hundred_photos_have_their_turn_each() {
    let home = Scratch::new();
    let level = |i: usize| (60 + i * 37 % 180) as u8;
    let photos: Vec<RgbImage> = (0..100).map(|i| grey(level(i))).collect();
    let video = render(&home, &photos, &["--length", "10"]);
    let mut seen = 0;
    frames::each(&video, |k, frame| {
        seen += 1;
        let (got, want) = (middle(&frame), luma(level(k / 3)));
        assert!((got - want).abs() < 3.0, "frame {k}: {got}, not {want:.1}");
    });
    assert_eq!(seen, 300);
}

#[test]
fn a_listing_lasts_half_a_minute_in_each_of_its_shapes() {
    let sizes = [
        ("16:9", (1920, 1080)),
        ("1:1", (1080, 1080)),
        ("4:5", (1080, 1350)),
        ("9:16", (1080, 1920)),
    ];
    for (ratio, size) in sizes {
        let home = Scratch::new();
        let long = ratio == "1:1";
        let length: &[&str] = if long { &[] } else { &["--length", "0.5"] };
        let flags = [&["--aspect-ratio", ratio], length].concat();
        let probe = Probe::of(&render(&home, &[grey(90), grey(120)], &flags));
        assert_eq!(probe.size(), size, "{ratio}");
        if long {
            assert_eq!(probe.frames(), 900);
            assert_eq!(probe.duration(), 30.0);
        }
    }
}

/// Half a cosine, from rest to rest.
fn eased(share: f64) -> f64 {
    (1.0 - (std::f64::consts::PI * share).cos()) / 2.0
}

/// Where a frame changes from one level to another, in pixels from the left.
fn edge(frame: &Frame, [left, right]: [f64; 2]) -> f64 {
    let row = frame.height / 2;
    let mean = (0..frame.width).map(|x| frame.y(x, row)).sum::<f64>() / frame.width as f64;
    (mean - right) / (left - right) * frame.width as f64
}

/// Greys whose luma is a whole number.
const GREYS: [u8; 2] = [85, 170];

/// The frames of a transition between two grey photos, and the share of it that each shows.
fn transition(kind: &str) -> Vec<(f64, Frame)> {
    let home = Scratch::new();
    let flags = [
        "--length",
        "8",
        "--transition",
        kind,
        "--aspect-ratio",
        "16:9",
    ];
    let video = render(&home, &GREYS.map(grey), &flags);
    let frames = frames::all(&video).into_iter().enumerate();
    // 0.8 s at 30 frames a second, around the middle.
    let shares = frames.map(|(k, frame)| ((k as f64 - 107.0) / 25.0, frame));
    shares
        .filter(|(share, _)| (0.01..0.99).contains(share))
        .collect()
}

#[test]
fn slides_and_wipes_are_where_they_should_be() {
    let [first, next] = GREYS.map(luma);
    let frames = transition("slide");
    assert_eq!(frames.len(), 24);
    for (share, frame) in &frames {
        let (got, want) = (edge(frame, [first, next]), 1920.0 * (1.0 - eased(*share)));
        assert!(
            (got - want).abs() < 6.0,
            "slide at {share}: {got}, not {want}"
        );
    }
    for (share, frame) in transition("wipe") {
        // The middle of its soft edge, which begins and ends outside.
        let soft = 0.03 * 1920.0;
        let want = eased(share) * (1920.0 + soft) - soft / 2.0;
        let got = edge(&frame, [next, first]);
        if (soft..1920.0 - soft).contains(&want) {
            assert!(
                (got - want).abs() < 6.0,
                "wipe at {share}: {got}, not {want}"
            );
        }
    }
}

#[test]
fn a_dip_is_black_in_its_middle_and_a_cut_takes_no_time() {
    for (share, frame) in transition("dip") {
        let level = luma(GREYS[usize::from(share >= 0.5)]);
        let want = 16.0 + (level - 16.0) * (2.0 * share - 1.0).abs();
        let got = middle(&frame);
        assert!(
            (got - want).abs() < 3.0,
            "dip at {share}: {got}, not {want}"
        );
    }
    for (share, frame) in transition("cut") {
        let want = luma(GREYS[usize::from(share >= 0.5)]);
        let got = middle(&frame);
        assert!(
            (got - want).abs() < 3.0,
            "cut at {share}: {got}, not {want}"
        );
    }
}

#[test]
fn every_photo_of_a_listing_is_seen_for_most_of_its_share() {
    let levels: Vec<u8> = (0..10).map(|i| 60 + i * 19).collect();
    let photos: Vec<RgbImage> = levels.iter().map(|level| grey(*level)).collect();
    for template in [
        "ActiveListing1",
        "JustListed1",
        "JustSold1",
        "OpenHouse1",
        "PriceReduced1",
    ] {
        let home = Scratch::new();
        let facts = [
            "--address",
            "1 Main St",
            "--price",
            "$1",
            "--contact-name",
            "Jo",
        ];
        let flags = ["--template", template, "--aspect-ratio", "9:16"];
        let flags = [&flags[..], &["--frame-rate", "15"], &facts].concat();
        let mut seen = [0; 10];
        frames::each(&render(&home, &photos, &flags), |_, frame| {
            // Above the titles at the bottom and their shades; tints are there as well.
            let places = [frame.y(540, 400), frame.y(200, 480)];
            for (seen, level) in seen.iter_mut().zip(&levels) {
                let alone = places.iter().all(|got| (got - luma(*level)).abs() < 4.0);
                *seen += usize::from(alone);
            }
        });
        // Without the closing card and a covering title, ten photos have 2.2 seconds each.
        for (photo, seen) in seen.iter().enumerate() {
            assert!(
                *seen >= 26,
                "{template}: photo {photo} is seen in {seen} frames"
            );
        }
    }
}
