//! Photos that change on the beats of the music.

use std::process::Command;

use image::{Rgb, RgbImage};

use crate::support::frames;
use crate::support::picture::png;
use crate::support::render::{kinora, stderr};
use crate::support::scratch::Scratch;

const RATE: f64 = 30.0;
const LENGTH: f64 = 15.0;

/// Writes sound of 15 s: what ffmpeg makes of an expression in t.
fn music(home: &Scratch, wave: &str) {
    let source = format!("aevalsrc={wave}:s=44100:d={LENGTH}");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", &source])
        .arg(home.join("music.wav"))
        .status()
        .expect("ffmpeg");
    assert!(status.success());
}

/// Beeps that fade out: so many a minute, the first at 0.2 s.
fn clicks(tempo: f64) -> String {
    let gap = 60.0 / tempo;
    // Of a modulus below 0 there is no use.
    let since = format!("mod(t+{}\\,{gap})", gap - 0.2);
    format!("0.5*exp(-50*{since})*sin(2*PI*900*{since})")
}

/// Renders grey photos of different levels, with cuts between them, and tells what is said.
fn render(home: &Scratch, photos: usize, flags: &[&str]) -> String {
    let names: Vec<String> = (0..photos).map(|i| format!("{i}.png")).collect();
    for (i, name) in names.iter().enumerate() {
        let level = if i % 2 == 0 { 40 } else { 200 };
        home.write(name, png(&RgbImage::from_pixel(32, 32, Rgb([level; 3]))));
    }
    let seconds = LENGTH.to_string();
    let args = [
        "-o",
        "video.mp4",
        "--length",
        &seconds,
        "--transition",
        "cut",
    ];
    let args = args.iter().chain(&["--music", "music.wav"]).chain(flags);
    let names = names.iter().map(String::as_str);
    let output = kinora(
        home,
        ["render"].into_iter().chain(names).chain(args.copied()),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    stderr(&output)
}

/// When the photo changes, in seconds.
fn cuts(home: &Scratch) -> Vec<f64> {
    let mut cuts = Vec::new();
    let mut before = None;
    frames::each(&home.join("video.mp4"), |k, frame| {
        let is_light = frame.y(540, 540) > 128.0;
        if before.is_some_and(|before| before != is_light) {
            cuts.push(k as f64 / RATE);
        }
        before = Some(is_light);
    });
    cuts
}

#[test]
fn cuts_fall_on_beats_and_keep_scenes_near_their_share() {
    for (tempo, photos) in [(72.0, 4), (96.0, 6), (128.0, 8), (175.0, 9)] {
        let home = Scratch::new();
        music(&home, &clicks(tempo));
        let said = render(&home, photos, &["--cut-on-beat"]);
        assert!(!said.contains("beat"), "{said}");
        let cuts = cuts(&home);
        assert_eq!(cuts.len(), photos - 1, "at {tempo}");
        for cut in &cuts {
            let beats = (cut - 0.2) * tempo / 60.0;
            let off = (beats - beats.round()).abs() * 60.0 / tempo;
            assert!(off < 0.04, "{cut} s is {off} s off the beat at {tempo}");
        }
        let ends = [&[0.0], &cuts[..], &[LENGTH]].concat();
        for scene in ends.windows(2) {
            let share = (scene[1] - scene[0]) * photos as f64 / LENGTH;
            // A frame more or less.
            assert!((0.74..1.26).contains(&share), "{share} at {tempo}");
        }
    }
}

#[test]
fn without_the_flag_the_beat_does_not_matter() {
    let home = Scratch::new();
    music(&home, &clicks(96.0));
    render(&home, 4, &[]);
    assert_eq!(
        cuts(&home),
        [3.75, 7.5, 11.25].map(|at| (at * RATE).round() / RATE)
    );
}

#[test]
fn where_beats_do_not_help_the_photos_change_evenly_and_it_is_said() {
    for (wave, photos, said) in [
        (
            "0.3*sin(2*PI*220*t)",
            3,
            "the music has no beat that can be told",
        ),
        ("0", 3, "the music has no beat that can be told"),
        (
            &clicks(50.0),
            40,
            "beats a minute are too few or too irregular for 40 photos",
        ),
    ] {
        let home = Scratch::new();
        music(&home, wave);
        let told = render(&home, photos, &["--cut-on-beat"]);
        assert!(told.contains(said), "{told}");
        let even: Vec<f64> = (1..photos)
            .map(|i| (i as f64 / photos as f64 * LENGTH * RATE).round() / RATE)
            .collect();
        assert_eq!(cuts(&home), even);
    }
}

#[test]
fn beats_need_music() {
    let home = Scratch::new();
    home.write("a.png", png(&RgbImage::new(8, 8)));
    let args = [
        "render",
        "a.png",
        "a.png",
        "-o",
        "video.mp4",
        "--cut-on-beat",
    ];
    let output = kinora(&home, args);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("--music"), "{}", stderr(&output));
}
