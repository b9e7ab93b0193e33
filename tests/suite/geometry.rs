//! Where things are in the picture, measured in decoded frames.

use image::{DynamicImage, Rgb, RgbImage, imageops};

use crate::support::frames;
use crate::support::order::{short, with};
use crate::support::photos::{Photo, PhotoServer};
use crate::support::picture::{self, png};
use crate::support::probe::Probe;
use crate::support::render::{render, still};
use crate::support::scratch::Scratch;
use crate::support::service::{PAID, Service};
use crate::support::target::Target;

const LANDSCAPE: (u32, u32) = (1920, 1080);
const PORTRAIT: (u32, u32) = (1080, 1920);
/// How far a mark may be from where the formula puts it, in pixels.
const TOLERANCE: f64 = 0.1;

/// Renders one second at a growth of 20 %, and measures at the first, the middle and the last frame.
fn marks_are_where_the_formula_puts_them(photo: (u32, u32), frame: (u32, u32)) {
    let (home, target) = (Scratch::new(), Target { photo, frame });
    let flags = ["--length", "1", "--zoom-speed", "20"];
    let video = render(&home, &png(&target.draw()), &flags);
    let mut seen = 0;
    frames::each(&video, |k, frame| {
        seen += 1;
        if ![0, 7, 14].contains(&k) {
            return;
        }
        let zoom = 1.0 + 20.0 / 100.0 * 1.0 * k as f64 / 15.0;
        let error = target.worst_error(&frame, zoom);
        println!("{photo:?}, frame {k}: {error:.4} px");
        assert!(error < TOLERANCE, "{photo:?}, frame {k}: {error:.3} px");
    });
    assert_eq!(seen, 15);
}

#[test]
fn a_landscape_zooms_by_the_formula() {
    marks_are_where_the_formula_puts_them((2999, 2000), LANDSCAPE);
}

#[test]
fn a_large_landscape_zooms_by_the_formula() {
    marks_are_where_the_formula_puts_them((8001, 4503), LANDSCAPE);
}

#[test]
fn a_portrait_zooms_by_the_formula() {
    marks_are_where_the_formula_puts_them((1501, 2400), PORTRAIT);
}

#[test]
fn a_square_zooms_by_the_formula() {
    marks_are_where_the_formula_puts_them((2000, 2000), PORTRAIT);
}

#[test]
fn a_panorama_zooms_by_the_formula() {
    marks_are_where_the_formula_puts_them((6000, 1201), LANDSCAPE);
}

#[test]
fn a_tower_zooms_by_the_formula() {
    marks_are_where_the_formula_puts_them((1101, 4000), PORTRAIT);
}

#[test]
fn a_photo_smaller_than_the_frame_zooms_by_the_formula() {
    marks_are_where_the_formula_puts_them((801, 600), LANDSCAPE);
}

#[tokio::test]
async fn over_http_a_jpeg_zooms_by_the_formula_as_well() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let target = Target {
        photo: (4000, 3000),
        frame: LANDSCAPE,
    };
    let jpeg = picture::jpeg(&target.draw());
    let url = photos.put("/target.jpg", Photo::Bytes("image/jpeg", jpeg));
    let order = with(short(&url), serde_json::json!({ "zoom_speed": 50 }));
    let made = service.post(PAID, &order).await.expect(200);
    let id = made["job_id"].as_str().unwrap();
    let video = service.setup().data().join(format!("videos/{id}.mp4"));
    let frames = frames::all(&video);
    assert_eq!(frames.len(), 15);
    // At 50 % the outer marks leave the frame's edge behind in the end.
    for k in [0, 3, 5] {
        let error = target.worst_error(&frames[k], 1.0 + 0.5 * k as f64 / 15.0);
        assert!(error < TOLERANCE, "frame {k}: {error:.3} px");
    }
}

#[test]
fn landscapes_make_landscapes_and_all_else_portraits() {
    for (photo, frame) in [
        ((401, 400), (1920, 1080)),
        ((400, 400), (1080, 1920)),
        ((400, 401), (1080, 1920)),
        ((2000, 20), (1920, 1080)),
        ((20, 2000), (1080, 1920)),
        ((1, 1), (1080, 1920)),
        ((2, 1), (1920, 1080)),
    ] {
        let home = Scratch::new();
        let image = RgbImage::from_pixel(photo.0, photo.1, Rgb([90, 120, 60]));
        let video = still(&home, &png(&image));
        assert_eq!(Probe::of(&video).size(), frame, "{photo:?}");
    }
}

/// Four corners that cannot be taken for each other.
const CORNERS: [[u8; 3]; 4] = [[200, 30, 30], [30, 200, 30], [30, 30, 200], [220, 220, 220]];

fn corners(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(CORNERS[usize::from(2 * y >= height) * 2 + usize::from(2 * x >= width)])
    })
}

/// What a camera stores that says `orientation` (EXIF 2.32, tag 0x0112): the way back from upright.
fn stored(upright: &RgbImage, orientation: u8) -> RgbImage {
    let image = DynamicImage::from(upright.clone());
    match orientation {
        1 => image,
        2 => image.fliph(),
        3 => image.rotate180(),
        4 => image.flipv(),
        5 => image.rotate270().flipv(),
        6 => image.rotate270(),
        7 => image.rotate270().fliph(),
        _ => image.rotate90(),
    }
    .into_rgb8()
}

#[test]
fn all_eight_orientations_come_out_upright() {
    for upright in [corners(640, 480), corners(480, 640)] {
        let landscape = upright.width() > upright.height();
        let frame_size = if landscape { LANDSCAPE } else { PORTRAIT };
        for orientation in 1..=8 {
            let home = Scratch::new();
            let photo = picture::jpeg_turned(&stored(&upright, orientation), orientation);
            let frame = frames::first(&still(&home, &photo));
            assert_eq!((frame.width as u32, frame.height as u32), frame_size);
            let (w, h) = (frame.width, frame.height);
            let places = [
                (w / 4, h / 4),
                (w * 3 / 4, h / 4),
                (w / 4, h * 3 / 4),
                (w * 3 / 4, h * 3 / 4),
            ];
            for ((x, y), colour) in places.into_iter().zip(CORNERS) {
                let seen = frame.rgb(x, y);
                let off = |c: usize| (seen[c] - f64::from(colour[c])).abs();
                assert!(
                    (0..3).all(|c| off(c) < 6.0),
                    "orientation {orientation}: {seen:?} for {colour:?}"
                );
            }
        }
    }
}

#[test]
fn an_orientation_out_of_range_is_taken_as_upright() {
    for orientation in [0, 9, 255] {
        let home = Scratch::new();
        let photo = picture::jpeg_turned(&corners(640, 480), orientation);
        let frame = frames::first(&still(&home, &photo));
        assert!(frame.rgb(400, 200)[0] > 150.0, "orientation {orientation}");
    }
}

#[test]
fn a_circle_stays_a_circle() {
    for photo in [(3000, 1000), (1000, 1000), (700, 2100)] {
        let home = Scratch::new();
        let (cx, cy) = (f64::from(photo.0) / 2.0, f64::from(photo.1) / 2.0);
        let radius = f64::from(photo.0.min(photo.1)) * 0.2;
        let disc = RgbImage::from_fn(photo.0, photo.1, |x, y| {
            let far = (f64::from(x) + 0.5 - cx).hypot(f64::from(y) + 0.5 - cy);
            Rgb([if far < radius { 230 } else { 20 }; 3])
        });
        let frame = frames::first(&still(&home, &png(&disc)));
        let (middle_x, middle_y) = (frame.width / 2, frame.height / 2);
        let wide = (0..frame.width)
            .filter(|x| frame.y(*x, middle_y) > 120.0)
            .count();
        let high = (0..frame.height)
            .filter(|y| frame.y(middle_x, *y) > 120.0)
            .count();
        assert!(wide.abs_diff(high) <= 2, "{photo:?}: {wide} x {high}");
    }
}

#[test]
fn the_zoom_ends_at_ten() {
    // At 100 % a second the zoom is ten after nine seconds, and stands still from there.
    let home = Scratch::new();
    let photo = imageops::resize(
        &picture::detailed(960, 540),
        1920,
        1080,
        imageops::FilterType::Triangle,
    );
    let video = render(
        &home,
        &png(&photo),
        &["--length", "11", "--zoom-speed", "100"],
    );
    let mut before: Option<frames::Frame> = None;
    let (mut seen, mut change) = (0, Vec::new());
    frames::each(&video, |k, frame| {
        seen += 1;
        if let (131 | 151, Some(before)) = (k, &before) {
            change.push(difference(before, &frame));
        }
        before = Some(frame);
    });
    assert_eq!(seen, 165);
    let [moving, still] = change[..] else {
        panic!("{change:?}")
    };
    assert!(moving > 4.0 * still, "{change:?}");
}

/// The mean difference of luma.
fn difference(one: &frames::Frame, other: &frames::Frame) -> f64 {
    let places = (0..one.height)
        .step_by(7)
        .flat_map(|y| (0..one.width).step_by(5).map(move |x| (x, y)));
    let (sum, count) = places.fold((0.0, 0.0), |(sum, count), (x, y)| {
        (sum + (one.y(x, y) - other.y(x, y)).abs(), count + 1.0)
    });
    sum / count
}
