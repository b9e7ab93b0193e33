//! The sound of a listing video, decoded from its file.

use std::path::Path;
use std::process::Command;

use crate::support::picture::small;
use crate::support::probe::Probe;
use crate::support::render::{kinora, stderr};
use crate::support::scratch::Scratch;

/// A tone in a file of this format.
fn tone(home: &Scratch, name: &str, seconds: f64) {
    let source = format!("aevalsrc=sin(2*PI*440*t)|sin(2*PI*440*t):s=44100:d={seconds}");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", &source])
        .arg(home.join(name))
        .status()
        .expect("ffmpeg");
    assert!(status.success());
}

/// Renders three seconds of two photos with this music; Err: what the program says.
fn render(home: &Scratch, music: &str) -> Result<(), String> {
    home.write("a.png", small());
    home.write("b.png", small());
    let args = [
        "render",
        "a.png",
        "b.png",
        "-o",
        "video.mp4",
        "--length",
        "3",
    ];
    let output = kinora(home, args.iter().chain(&["--music", music]));
    if output.status.success() {
        Ok(())
    } else {
        Err(stderr(&output))
    }
}

/// The left side, as a player hears it.
fn samples(video: &Path) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(video)
        .args(["-map", "0:a", "-af", "pan=mono|c0=c0", "-f", "f32le", "-"])
        .output()
        .expect("ffmpeg");
    let samples = output.stdout.as_chunks::<4>().0.iter().copied();
    samples.map(f32::from_le_bytes).collect()
}

fn peak(samples: &[f32]) -> f32 {
    samples
        .iter()
        .fold(0.0, |peak, sample| peak.max(sample.abs()))
}

#[test]
fn music_lasts_as_long_as_the_video_and_fades_in_and_out() {
    for (name, seconds) in [("short.mp3", 0.2), ("loop.ogg", 1.1), ("long.m4a", 20.0)] {
        let home = Scratch::new();
        tone(&home, name, seconds);
        render(&home, name).expect("a video");
        let video = home.join("video.mp4");
        let probe = Probe::of(&video);
        assert_eq!((probe.frames(), probe.duration()), (90, 3.0));
        let sound = probe.sound().unwrap_or_else(|| panic!("{name}: no sound"));
        assert_eq!(sound["codec_name"], "aac");
        assert_eq!(sound["duration"], "3.000000");

        let samples = samples(&video);
        let at = |seconds: f64| (seconds * 48_000.0) as usize;
        let level = |from: f64, to: f64| peak(&samples[at(from)..at(to)]);
        assert!(peak(&samples) < 0.891, "{name}: above -1 dBFS");
        assert!(level(0.5, 1.4) > 0.1, "{name}: nothing is heard");
        assert!(
            level(0.0, 0.02) < 0.5 * level(0.5, 1.4),
            "{name}: no fade in"
        );
        assert!(
            level(2.2, 2.3) < 0.7 * level(0.5, 1.4),
            "{name}: no fade out"
        );
        assert!(level(2.95, 2.99) < 0.1 * level(0.5, 1.4), "{name}: no end");
    }
}

#[test]
fn without_music_there_is_no_sound() {
    let home = Scratch::new();
    home.write("a.png", small());
    let args = [
        "render",
        "a.png",
        "a.png",
        "-o",
        "video.mp4",
        "--length",
        "0.2",
    ];
    assert!(kinora(&home, args).status.success());
    assert_eq!(Probe::of(&home.join("video.mp4")).streams().len(), 1);
}

#[test]
fn what_is_no_music_is_said() {
    for (bytes, reason) in [
        (
            &b"#EXTM3U\nhttp://127.0.0.1/secret.mp3\n"[..],
            "is not sound: it is a playlist",
        ),
        (b"<html></html>", "is not sound: it is a web page"),
        (b"", "is empty"),
    ] {
        let home = Scratch::new();
        home.write("music.mp3", bytes);
        let said = render(&home, "music.mp3").expect_err("no video");
        assert!(said.contains(&format!("music.mp3 {reason}")), "{said}");
        assert!(!home.join("video.mp4").exists());
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let home = Scratch::new();
    home.write("good.png", small());
    home.write("paper.jpg", "%PDF-1.7\n");
    home.write("music.mp3", "#EXTM3U\n");
    let photos = ["good.png", "paper.jpg", "good.png", "missing.jpg"];
    let args = ["render", "-o", "video.mp4", "--music", "music.mp3"];
    let output = kinora(&home, args.iter().chain(&photos));
    let said = stderr(&output);
    for reason in [
        "paper.jpg is not a picture",
        "missing.jpg cannot be read",
        "music.mp3 is not sound: it is a playlist",
    ] {
        assert!(said.contains(reason), "{said}");
    }
    assert!(!said.contains("good.png"), "{said}");
}
