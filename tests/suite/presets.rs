//! The encoder's presets: the same video in every respect but time and bytes.

use crate::support::picture::{detailed, png};
use crate::support::probe::Probe;
use crate::support::render::{kinora, render, stderr};
use crate::support::scratch::Scratch;

#[test]
fn every_preset_makes_the_same_kind_of_video_and_small_a_smaller_one() {
    let photo = png(&detailed(2400, 1350));
    let sizes = ["fast", "balanced", "small"].map(|preset| {
        let home = Scratch::new();
        let video = render(&home, &photo, &["--length", "1", "--preset", preset]);
        let probe = Probe::of(&video);
        assert_eq!(probe.video()["profile"], "High", "{preset}");
        assert_eq!(probe.video()["pix_fmt"], "yuv420p", "{preset}");
        assert_eq!(probe.frames(), 15, "{preset}");
        video.metadata().expect("the video").len()
    });
    let [fast, balanced, small] = sizes;
    assert!(small < balanced && small < fast, "{sizes:?}");
}

#[test]
fn balanced_is_the_preset_unless_another_is_set() {
    let photo = png(&detailed(640, 360));
    let bytes = |flags: &[&str]| {
        let home = Scratch::new();
        let video = render(&home, &photo, &[&["--length", "0.5"], flags].concat());
        std::fs::read(video).expect("the video")
    };
    assert!(bytes(&[]) == bytes(&["--preset", "balanced"]));
    assert!(bytes(&[]) != bytes(&["--preset", "small"]));
}

#[test]
fn an_unknown_preset_is_refused_with_those_there_are() {
    let home = Scratch::new();
    let output = kinora(
        &home,
        ["render", "x.jpg", "-o", "x.mp4", "--preset", "best"],
    );
    let said = stderr(&output);
    assert!(!output.status.success());
    assert!(
        said.contains("best") && said.contains("fast, balanced or small"),
        "{said}"
    );
}
