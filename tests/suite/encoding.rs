//! What kind of file a video is.

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
