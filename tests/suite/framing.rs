//! What is seen of photos whose shape is not that of the video, and where the camera goes.

use std::path::PathBuf;

use image::{Rgb, RgbImage, imageops};

use crate::support::frames::{self, Frame};
use crate::support::picture::{jpeg, png};
use crate::support::render::{kinora, stderr};
use crate::support::scratch::Scratch;

const RATIOS: [&str; 4] = ["16:9", "1:1", "4:5", "9:16"];

/// Colours of marks, which nothing else in the pictures has.
const MARKS: [[u8; 3]; 4] = [[255, 0, 255], [0, 255, 0], [255, 255, 0], [0, 255, 255]];
/// Their side, as a fraction of the longer side of the picture.
const MARK: f64 = 0.012;

/// Renders a picture with flags.
fn render(home: &Scratch, photo: &RgbImage, flags: &[&str]) -> PathBuf {
    home.write("photo.jpg", jpeg(photo));
    let args = ["render", "photo.jpg", "-o", "video.mp4"];
    let output = kinora(home, args.iter().chain(flags));
    assert!(output.status.success(), "{}", stderr(&output));
    home.join("video.mp4")
}

/// A portrait, with sides of so many pixels.
fn portrait(side: u32) -> RgbImage {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/suite/pictures/astronaut.jpg"
    );
    let portrait = image::open(path).expect("a picture").into_rgb8();
    imageops::thumbnail(&portrait, side, side)
}

/// A portrait in a wide room of one colour, at `share` of its width.
fn portrait_in_room(share: f64) -> RgbImage {
    let portrait = portrait(PORTRAIT);
    let mut room = RgbImage::from_pixel(ROOM, PORTRAIT, Rgb([96, 96, 104]));
    let left = (share * f64::from(ROOM - PORTRAIT)) as i64;
    imageops::replace(&mut room, &portrait, left, 0);
    room
}

/// Width of the room, and side of the portrait, in pixels.
const ROOM: u32 = 2400;
const PORTRAIT: u32 = 800;

/// The face in the portrait: left, top, right and bottom, in fractions of it.
const FACE: [f64; 4] = [0.354, 0.128, 0.524, 0.349];

/// Where the marks of [`with_marks`] are.
type Corners = [(f64, f64); 4];

/// Marks around a box, in fractions of the picture.
fn with_marks(picture: &RgbImage, [left, top, right, bottom]: [f64; 4]) -> RgbImage {
    let mut marked = picture.clone();
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let side = (MARK * width.max(height)) as u32;
    let corners: Corners = [(left, top), (right, top), (left, bottom), (right, bottom)];
    for ((x, y), colour) in corners.into_iter().zip(MARKS) {
        let mark = RgbImage::from_pixel(side, side, Rgb(colour));
        let at = |share: f64, length: f64| (share * length) as i64 - i64::from(side / 2);
        imageops::replace(&mut marked, &mark, at(x, width), at(y, height));
    }
    marked
}

/// How many pixels of a frame have each colour of the marks, of every fourth.
fn marks(frame: &Frame) -> [usize; 4] {
    let mut counts = [0; 4];
    for y in (8..frame.height - 8).step_by(4) {
        for x in (8..frame.width - 8).step_by(4) {
            let colour = frame.pixel(x, y);
            for (count, mark) in counts.iter_mut().zip(MARKS) {
                let far = (0..3).map(|c| (colour[c] - f64::from(mark[c])).abs());
                *count += usize::from(far.fold(0.0, f64::max) < 90.0);
            }
        }
    }
    counts
}

#[test]
fn faces_stay_whole_in_every_frame_at_every_ratio() {
    // At the left edge, in the middle and at the right edge.
    for share in [0.0, 0.47, 1.0] {
        let room = portrait_in_room(share);
        let left = share * f64::from(ROOM - PORTRAIT) / f64::from(ROOM);
        let across = |x: f64| left + x * f64::from(PORTRAIT) / f64::from(ROOM);
        // Around the face, without hiding what makes it one.
        let corners = [
            across(FACE[0] - 0.01),
            FACE[1] - 0.03,
            across(FACE[2] + 0.01),
            FACE[3] + 0.01,
        ];
        let photo = with_marks(&room, corners);
        for ratio in RATIOS {
            let home = Scratch::new();
            let flags = [
                "--length",
                "3",
                "--frame-rate",
                "15",
                "--aspect-ratio",
                ratio,
            ];
            let video = render(&home, &photo, &flags);
            frames::each(&video, |k, frame| {
                let found = marks(&frame);
                assert!(
                    found.iter().all(|count| *count > 0),
                    "{ratio}, face at {share}, frame {k}: {found:?}"
                );
            });
        }
    }
}

/// A landscape of random patches, so that every crop is known by what it shows; with a red disc.
fn landscape(disc: (f64, f64)) -> RgbImage {
    RgbImage::from_fn(1500, 1000, |x, y| {
        let off = (f64::from(x) / 1500.0 - disc.0) * 1.5;
        if off.hypot(f64::from(y) / 1000.0 - disc.1) < 0.09 {
            return Rgb([230, 30, 30]);
        }
        let patch = (x / 50 * 7 + y / 50 * 13) % 5;
        Rgb([100 + patch as u8 * 9, 120 + patch as u8 * 6, 110])
    })
}

/// The centre of what is red, in fractions of the frame.
fn red(frame: &Frame) -> Option<(f64, f64)> {
    let (mut count, mut across, mut down) = (0.0, 0.0, 0.0);
    for y in (8..frame.height - 8).step_by(8) {
        for x in (8..frame.width - 8).step_by(8) {
            let [r, g, _] = frame.pixel(x, y);
            if r > g + 90.0 {
                count += 1.0;
                across += x as f64;
                down += y as f64;
            }
        }
    }
    let (width, height) = (frame.width as f64, frame.height as f64);
    (count > 4.0).then(|| (across / count / width, down / count / height))
}

#[test]
fn a_landscape_fills_an_upright_frame_and_is_panned_to_its_subject() {
    for disc in [(0.2, 0.5), (0.5, 0.5), (0.85, 0.4)] {
        let home = Scratch::new();
        let flags = ["--length", "3", "--aspect-ratio", "9:16"];
        let frames = frames::all(&render(&home, &landscape(disc), &flags));
        let top = frames[0].rgb(540, 20);
        assert!(top[1] > 90.0, "the photo does not fill the frame: {top:?}");
        let (x, _) = red(&frames[frames.len() - 1]).expect("the subject, at the end");
        assert!((0.15..0.85).contains(&x), "{disc:?}: it ends at {x}");
        // How far it moves in a third of a second.
        let places: Vec<f64> = frames
            .iter()
            .filter_map(|frame| Some(red(frame)?.0))
            .collect();
        let moves = places
            .windows(11)
            .map(|places| (places[10] - places[0]).abs() * 3.0);
        let fastest = moves.fold(0.0, f64::max);
        assert!(fastest < 0.145, "{disc:?}: {fastest} of the frame a second");
        assert!(places.len() < 20 || (places[0] - places[places.len() - 1]).abs() > 0.1);
    }
}

#[test]
fn faces_too_far_apart_for_the_frame_are_as_large_as_it_permits() {
    let portrait = portrait(PORTRAIT);
    let mut room = RgbImage::from_pixel(ROOM, PORTRAIT, Rgb([96, 96, 104]));
    let lefts = [300, 1240];
    for left in lefts {
        imageops::replace(&mut room, &portrait, left, 0);
    }
    let across = |left: i64, x: f64| (left as f64 + x * f64::from(PORTRAIT)) / f64::from(ROOM);
    let [left, top, right, bottom] = FACE;
    let corners = [across(lefts[0], left), top, across(lefts[1], right), bottom];
    let home = Scratch::new();
    let flags = ["--length", "2", "--aspect-ratio", "9:16"];
    let video = render(&home, &with_marks(&room, corners), &flags);
    frames::each(&video, |k, frame| {
        let found = marks(&frame);
        assert!(found.iter().all(|count| *count > 0), "frame {k}: {found:?}");
        // The wall between both. It is darker in the background.
        let wall = (0..1920).filter(|y| frame.pixel(584, *y)[2] > 90.0);
        let wall = wall.count();
        assert!((600..800).contains(&wall), "frame {k}: {wall} rows");
    });
}

#[test]
fn faces_are_above_the_titles_at_the_bottom() {
    // An upright photo with a face where the address will be.
    let portrait = portrait(PORTRAIT);
    let mut photo = RgbImage::from_pixel(900, 1600, Rgb([96, 96, 104]));
    const TOP: u32 = 975;
    imageops::replace(&mut photo, &portrait, 50, i64::from(TOP));
    let [left, top, right, bottom] = FACE;
    let across = |x: f64| (50.0 + x * f64::from(PORTRAIT)) / 900.0;
    let down = |y: f64| (f64::from(TOP) + y * f64::from(PORTRAIT)) / 1600.0;
    let corners = [
        across(left - 0.01),
        down(top - 0.03),
        across(right + 0.01),
        down(bottom + 0.01),
    ];
    let home = Scratch::new();
    // The middle one of three photos: titles of their own are over the first and the last.
    let flags = [
        "photo.jpg",
        "photo.jpg",
        "--aspect-ratio",
        "9:16",
        "--motion",
        "still",
        "--length",
        "15",
        "--template",
        "OpenHouse1",
        "--address",
        "2217 Hawthorne Lane",
        "--price",
        "$1,250,000",
    ];
    let frames = frames::all(&render(&home, &with_marks(&photo, corners), &flags));
    let frame = &frames[15 * 30 / 2];
    // The address is on a white card.
    let card = (1400..1600).filter(|y| frame.pixel(100, *y).iter().all(|level| *level > 230.0));
    assert!(card.count() > 50, "the address");
    let found = marks(frame);
    assert!(found.iter().all(|count| *count > 0), "{found:?}");
}

/// The head of a portrait of this side.
fn head(side: u32) -> RgbImage {
    let at = |share: f64| (share * f64::from(side)) as u32;
    imageops::crop_imm(&portrait(side), at(0.29), at(0.02), at(0.31), at(0.38)).to_image()
}

#[test]
fn a_crowd_does_not_hide_who_stands_out_before_it() {
    // 20 faces on the left, each found.
    let head = head(411);
    let mut crowd = RgbImage::from_pixel(2400, 1600, Rgb([96, 96, 104]));
    for (column, row) in (0..5).flat_map(|row| (0..4).map(move |column| (column, row))) {
        imageops::replace(&mut crowd, &head, 60 + column * 280, 100 + row * 290);
    }
    // A red coat on the right.
    let coat = RgbImage::from_pixel(200, 700, Rgb([230, 30, 30]));
    imageops::replace(&mut crowd, &coat, 1900, 500);
    let home = Scratch::new();
    let flags = [
        "--length",
        "0.1",
        "--aspect-ratio",
        "9:16",
        "--motion",
        "still",
        "--fit",
        "cover",
    ];
    let frames = frames::all(&render(&home, &crowd, &flags));
    let (x, _) = red(&frames[0]).expect("the coat");
    assert!((0.2..0.8).contains(&x), "it is at {x}");
}

#[test]
fn a_focus_decides_where_the_crop_is() {
    let photo = landscape((0.8, 0.5));
    for (focus, sees) in [("0.8,0.5", true), ("0.2,0.5", false), ("auto", true)] {
        let home = Scratch::new();
        let flags = [
            "--length",
            "1",
            "--aspect-ratio",
            "9:16",
            "--motion",
            "still",
            "--focus",
            focus,
        ];
        let frames = frames::all(&render(&home, &photo, &flags));
        assert_eq!(red(&frames[15]).is_some(), sees, "{focus}");
    }
}

#[test]
fn a_view_is_shown_exactly() {
    // From the left half to the right one.
    let photo = landscape((0.5, 0.5));
    let home = Scratch::new();
    let motion = "0,0.1,0.6:0.4,0.1,0.6";
    let flags = [
        "--length",
        "2",
        "--aspect-ratio",
        "16:9",
        "--motion",
        motion,
    ];
    let frames = frames::all(&render(&home, &photo, &flags));
    // 1 px of the photo is 2.13 px of the frame.
    let (first, last) = (
        red(&frames[0]).expect("red"),
        red(&frames[59]).expect("red"),
    );
    assert!((first.0 - 0.5 / 0.6).abs() < 0.01, "{first:?}");
    assert!((last.0 - 0.1 / 0.6).abs() < 0.01, "{last:?}");
    assert!((first.1 - last.1).abs() < 0.005, "{first:?}, {last:?}");
}

#[test]
fn what_is_not_on_the_photo_is_refused() {
    let home = Scratch::new();
    home.write("photo.png", png(&landscape((0.5, 0.5))));
    for (flag, value, expected) in [
        ("--focus", "1.2,0.5", "is not on the photo"),
        ("--focus", "0.5", "not auto, centre or X,Y"),
        ("--focus", "a,b", "is not 2 numbers"),
        (
            "--motion",
            "0.5,0,0.6:0,0,0.5",
            "is not a part of the photo",
        ),
        ("--motion", "0,0,0:0,0,0.5", "is not a part of the photo"),
        ("--motion", "sideways", "not auto, still, zoom-in"),
        ("--fit", "stretch", "not auto, cover, contain"),
        ("--transition", "star", "not fade, cut, slide, wipe, dip"),
    ] {
        let output = kinora(
            &home,
            ["render", "photo.png", "-o", "video.mp4", flag, value],
        );
        assert!(!output.status.success(), "{flag} {value}");
        let text = stderr(&output);
        assert!(text.contains(expected), "{flag} {value}: {text}");
    }
}
