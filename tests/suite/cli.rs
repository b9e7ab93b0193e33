//! `kinora render`, as a shell user meets it.

use std::process::Output;

use crate::support::picture::{detailed, jpeg, small};
use crate::support::probe::Probe;
use crate::support::render::{command, kinora, stderr};
use crate::support::scratch::Scratch;

const QUICK: [&str; 6] = ["-o", "v.mp4", "--length", "1", "--frame-rate", "15"];

fn render(home: &Scratch, photo: &str, flags: &[&str]) -> Output {
    kinora(home, ["render", photo].iter().chain(flags))
}

#[test]
fn a_photo_becomes_a_video_and_the_way_is_told_in_plain_lines() {
    let home = Scratch::new();
    home.write("photo.jpg", jpeg(&detailed(800, 600)));
    let output = render(&home, "photo.jpg", &QUICK);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(Probe::of(&home.join("v.mp4")).frames(), 15);

    let said = stderr(&output);
    assert!(said.contains("15 of 15 frames"), "{said}");
    assert!(said.contains("v.mp4"), "{said}");
    assert!(!said.contains(['\r', '\u{1b}']), "{said:?}");
    assert!(output.stdout.is_empty());
    assert_eq!(home.path().read_dir().unwrap().count(), 2, "left-overs");
}

#[test]
fn a_video_that_is_there_is_replaced() {
    let home = Scratch::new();
    home.write("photo.png", small());
    home.write("v.mp4", "old");
    assert!(render(&home, "photo.png", &QUICK).status.success());
    assert_eq!(Probe::of(&home.join("v.mp4")).frames(), 15);
}

#[test]
fn odd_file_names_are_only_names() {
    let home = Scratch::new();
    for (photo, video) in [
        ("with space é.png", "out put.mp4"),
        ("concat:a.png", "pipe:1"),
        ("50%d.png", "%03d.mp4"),
        ("no-ending", "no-ending-either"),
    ] {
        home.write(photo, small());
        let flags = ["-o", video, "--length", "0.1", "--frame-rate", "15"];
        let output = render(&home, photo, &flags);
        assert!(output.status.success(), "{photo}: {}", stderr(&output));
        assert_eq!(Probe::of(&home.join(video)).frames(), 2, "{video}");
    }
}

/// Ends with this code, after one line that contains the words, and leaves no file.
fn fails(home: &Scratch, photo: &str, flags: &[&str], words: &str) {
    let output = render(home, photo, flags);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    assert!(said.starts_with("kinora: "), "{said}");
    assert!(said.contains(words), "{said:?} lacks {words:?}");
    let left: Vec<_> = home
        .path()
        .read_dir()
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().contains("mp4")),
        "{left:?}"
    );
}

#[test]
fn what_cannot_be_done_ends_with_1_and_a_line_that_says_why() {
    let home = Scratch::new();
    fails(&home, "missing.jpg", &QUICK, "missing.jpg");
    home.write("note.jpg", "this is text");
    fails(&home, "note.jpg", &QUICK, "note.jpg is not a picture");
    let whole = jpeg(&detailed(200, 100));
    home.write("half.jpg", &whole[..whole.len() / 2]);
    fails(&home, "half.jpg", &QUICK, "truncated");
    fails(&home, ".", &QUICK, ".");
    home.write("photo.png", small());
    fails(
        &home,
        "photo.png",
        &["-o", "no/such/directory/v.mp4"],
        "no/such/directory/v.mp4",
    );
    fails(&home, "photo.png", &["-o", "/"], "/");
    fails(
        &home,
        "photo.png",
        &["-o", "v.mp4", "--ffmpeg", "/nowhere/ffmpeg"],
        "ffmpeg",
    );
    fails(&home, "http://127.0.0.1:9/photo.jpg", &QUICK, "not allowed");
}

#[test]
fn a_directory_is_not_overwritten() {
    let home = Scratch::new();
    home.write("photo.png", small());
    std::fs::create_dir(home.join("out")).unwrap();
    let output = render(&home, "photo.png", &["-o", "out", "--length", "0.1"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("out cannot be written"),
        "{}",
        stderr(&output)
    );
    assert_eq!(home.path().read_dir().unwrap().count(), 2, "left-overs");
}

#[test]
fn a_wrong_flag_ends_with_2_and_names_it() {
    let home = Scratch::new();
    home.write("photo.png", small());
    for (flag, value) in [
        ("--length", "0.05"),
        ("--length", "401"),
        ("--length", "NaN"),
        ("--length", "five"),
        ("--frame-rate", "14"),
        ("--frame-rate", "61"),
        ("--frame-rate", "29.97"),
        ("--zoom-speed", "101"),
        ("--zoom-speed=-1", ""),
        ("--colour", "red"),
    ] {
        let mut flags = vec!["-o", "v.mp4", flag];
        flags.extend((!value.is_empty()).then_some(value));
        let output = render(&home, "photo.png", &flags);
        assert_eq!(output.status.code(), Some(2), "{flag} {value}");
        let name = flag.split('=').next().unwrap();
        assert!(stderr(&output).contains(name), "{}", stderr(&output));
        assert!(!home.join("v.mp4").exists());
    }
    for args in [&["render"][..], &["render", "photo.png"], &["fly"], &[]] {
        assert_eq!(kinora(&home, args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn help_explains_each_flag_and_its_unit() {
    let home = Scratch::new();
    let help = |args: &[&str]| {
        let output = kinora(&home, args);
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8_lossy(&output.stdout).to_lowercase()
    };
    let render = help(&["render", "--help"]);
    for word in [
        "--length",
        "seconds",
        "--frame-rate",
        "frames a second",
        "--zoom-speed",
        "percent",
        "--output",
    ] {
        assert!(render.contains(word), "{word} in {render}");
    }
    let serve = help(&["serve", "--help"]);
    for word in [
        "--config",
        "--bind",
        "--workers",
        "--data-dir",
        "--public-url",
        "--ffmpeg",
    ] {
        assert!(serve.contains(word), "{word} in {serve}");
    }
    let all = help(&["--help"]);
    assert!(all.contains("serve") && all.contains("render"), "{all}");
    assert!(help(&["--version"]).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn ctrl_c_ends_a_rendering_and_leaves_nothing() {
    let home = Scratch::new();
    home.write("photo.png", small());
    let mut child = command(&home)
        .args([
            "render",
            "photo.png",
            "-o",
            "v.mp4",
            "--length",
            "400",
            "--frame-rate",
            "60",
        ])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program runs");
    crate::support::wait::until_blocking("the rendering has begun", || {
        let mut files = home.path().read_dir().ok()?.flatten();
        files.find(|file| {
            let grows = file.metadata().is_ok_and(|part| part.len() > 0);
            grows && file.file_name().to_string_lossy().ends_with(".part")
        })
    });
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let status = child.wait().expect("its end");
    assert_eq!(status.code(), Some(130));
    assert_eq!(home.path().read_dir().unwrap().count(), 1, "left-overs");
}

#[test]
fn the_shell_is_told_how_to_complete() {
    let home = Scratch::new();
    for shell in ["bash", "zsh", "fish"] {
        let printed = kinora(&home, ["completions", shell]);
        let text = String::from_utf8(printed.stdout).expect("a script");
        assert!(printed.status.success(), "{shell}");
        for word in ["render", "--aspect-ratio", "--key-file"] {
            assert!(
                text.contains(word.trim_start_matches('-')),
                "{shell}: {word}"
            );
        }
        assert!(
            !text.contains("confine"),
            "{shell} completes what is for the service"
        );
    }
    let unknown = kinora(&home, ["completions", "command.com"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn the_manual_has_a_page_for_each_subcommand() {
    let home = Scratch::new();
    assert!(kinora(&home, ["manual", "."]).status.success());
    for (page, word) in [
        ("kinora.1", "Turns still photographs into videos"),
        ("kinora-serve.1", "data\\-dir"),
        ("kinora-render.1", "aspect\\-ratio"),
        ("kinora-order.1", "key\\-file"),
        ("kinora-check.1", "storage"),
    ] {
        let text = std::fs::read_to_string(home.join(page)).expect(page);
        assert!(text.contains(word), "{page}: {text}");
    }
}
