//! What kind of file a video is.

use std::path::Path;
use std::process::Command;

use image::{Rgb, RgbImage};

use crate::support::frames;
use crate::support::order::{short, with};
use crate::support::photos::PhotoServer;
use crate::support::picture::{detailed, png, small};
use crate::support::probe::{Probe, boxes};
use crate::support::render::{kinora, render, stderr};
use crate::support::scratch::Scratch;
use crate::support::service::{PAID, Service};

#[tokio::test]
async fn a_video_over_http_is_what_browsers_and_players_expect() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let order = with(
        short(&photos.small()),
        serde_json::json!({ "length": 1.5, "frame_rate": 24 }),
    );
    let made = service.post(PAID, &order).await.expect(200);
    let path = made["response"]
        .as_str()
        .unwrap()
        .replace(&service.url(""), "");
    let home = Scratch::new();
    let file = home.write("video.mp4", service.get(&path).await.bytes);

    let probe = Probe::of(&file);
    assert_eq!(probe.streams().len(), 1, "a video and nothing else");
    for (name, value) in [
        ("codec_name", "h264"),
        ("profile", "High"),
        ("pix_fmt", "yuv420p"),
        ("color_range", "tv"),
        ("color_space", "bt709"),
        ("color_transfer", "bt709"),
        ("color_primaries", "bt709"),
        ("chroma_location", "left"),
        ("r_frame_rate", "24/1"),
        ("avg_frame_rate", "24/1"),
        ("sample_aspect_ratio", "1:1"),
        ("field_order", "progressive"),
    ] {
        // A name that is not there says that nothing is known against it.
        let found = &probe.video()[name];
        let silent = found.is_null() && ["sample_aspect_ratio", "field_order"].contains(&name);
        assert!(found == value || silent, "{name}: {found}");
    }
    assert_eq!(probe.size(), (1920, 1080));
    assert_eq!(probe.frames(), 36);
    assert!(
        (probe.duration() - 1.5).abs() < 1e-3,
        "{}",
        probe.duration()
    );
}

#[test]
fn the_index_comes_before_the_frames() {
    let home = Scratch::new();
    let video = render(&home, &small(), &["--length", "0.2"]);
    let boxes = boxes(&video);
    let place = |kind: &str| boxes.iter().position(|one| one == kind).expect(kind);
    assert!(
        place("ftyp") < place("moov") && place("moov") < place("mdat"),
        "{boxes:?}"
    );
}

#[test]
fn there_are_as_many_frames_as_length_times_rate_rounded() {
    for (length, rate, frames) in [
        ("1", "15", 15),
        ("1.03", "15", 15),
        ("1.5", "15", 23),
        ("0.1", "15", 2),
        ("0.99", "29", 29),
        ("0.7", "60", 42),
    ] {
        let home = Scratch::new();
        home.write("photo", small());
        let args = [
            "render",
            "photo",
            "-o",
            "v.mp4",
            "--length",
            length,
            "--frame-rate",
            rate,
        ];
        let output = kinora(&home, args);
        assert!(output.status.success(), "{}", stderr(&output));
        let probe = Probe::of(&home.join("v.mp4"));
        assert_eq!(probe.frames(), frames, "{length} s at {rate}");
        let seconds = frames as f64 / rate.parse::<f64>().unwrap();
        assert!(
            (probe.duration() - seconds).abs() < 1e-3,
            "{length} s at {rate}"
        );
        assert_eq!(probe.video()["r_frame_rate"], format!("{rate}/1"));
    }
}

#[test]
fn every_frame_differs_from_the_last_at_the_usual_zoom() {
    let home = Scratch::new();
    home.write("photo", png(&detailed(2400, 1350)));
    let args = [
        "render",
        "photo",
        "-o",
        "v.mp4",
        "--length",
        "2",
        "--frame-rate",
        "60",
    ];
    let output = kinora(&home, args);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut last = None;
    let mut seen = 0;
    frames::each(&home.join("v.mp4"), |k, frame| {
        assert!(last.as_ref() != Some(&frame), "frame {k} repeats the last");
        last = Some(frame);
        seen += 1;
    });
    assert_eq!(seen, 120);
}

/// The times of the keyframes, in seconds.
fn keyframes(video: &Path) -> Vec<f64> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v",
            "-skip_frame",
            "nokey",
        ])
        .args(["-show_entries", "frame=pts_time", "-of", "csv=p=0"])
        .arg(video)
        .output()
        .expect("ffprobe");
    let text = String::from_utf8(output.stdout).expect("numbers");
    let lines = text.lines().map(|line| line.trim_end_matches(','));
    let times = lines.filter(|line| !line.is_empty()).map(str::parse);
    times.collect::<Result<_, _>>().expect("numbers")
}

#[test]
fn players_can_jump_to_every_photo_and_every_five_seconds() {
    let home = Scratch::new();
    let photo = png(&detailed(160, 90));
    home.write("photo.png", &photo);
    let args = [
        "render",
        "photo.png",
        "photo.png",
        "photo.png",
        "-o",
        "video.mp4",
    ];
    let flags = [
        "--length",
        "21",
        "--aspect-ratio",
        "1:1",
        "--transition",
        "cut",
    ];
    let output = kinora(&home, args.iter().chain(&flags));
    assert!(output.status.success(), "{}", stderr(&output));
    let times = keyframes(&home.join("video.mp4"));
    for cut in [0.0, 7.0, 14.0] {
        let near = times.iter().any(|time| (time - cut).abs() < 1e-3);
        assert!(near, "no keyframe at {cut}: {times:?}");
    }
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.fold(0.0, f64::max) < 5.01, "{times:?}");
}

#[test]
fn soft_pictures_move_in_every_frame() {
    let gradient = RgbImage::from_fn(1600, 900, |x, y| {
        let far = (f64::from(x) - 500.0).hypot(f64::from(y) - 300.0);
        let level = 150.0 - far / 14.0;
        Rgb([level as u8, (level * 0.9) as u8, (level * 1.1) as u8])
    });
    let home = Scratch::new();
    let video = render(&home, &png(&gradient), &["--length", "2"]);
    // Which of the samples differ from the frame before: the edges between levels move.
    let frames = frames::all(&video);
    let changed = frames.windows(2).map(|pair| {
        let rows = (0..1080).step_by(9);
        let samples = rows.flat_map(|y| (0..1920).step_by(3).map(move |x| (x, y)));
        samples
            .filter(|(x, y)| pair[0].y(*x, *y) != pair[1].y(*x, *y))
            .count()
    });
    let changed: Vec<usize> = changed.collect();
    let mean = changed.iter().sum::<usize>() / changed.len();
    let still = changed.iter().filter(|count| **count < mean / 4).count();
    assert_eq!(still, 0, "{changed:?}");
}

#[test]
fn a_camera_that_comes_from_a_clear_sky_is_encoded_like_any_other() {
    let house = detailed(1600, 900);
    let photo = |ground: u32| {
        RgbImage::from_fn(1600, 900, |x, y| match y < ground {
            true => Rgb([90 + (y / 16) as u8, 120 + (y / 16) as u8, 190]),
            false => *house.get_pixel(x, y),
        })
    };
    // The settings for soft pictures have no B-frames.
    let b_frames = |ground| {
        let home = Scratch::new();
        let flags = ["--length", "2", "--motion", "0.4,0,0.2:0,0,1"];
        let video = render(&home, &png(&photo(ground)), &flags);
        Probe::of(&video).video()["has_b_frames"].as_u64()
    };
    assert_eq!(b_frames(900), Some(0), "all of it is sky");
    assert!(b_frames(400) > Some(0));
}
