//! `kinora render`, and any other command line.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::scratch::Scratch;

/// Runs the binary in a directory of the test's own, in a clean environment.
pub fn kinora<A: AsRef<OsStr>>(home: &Scratch, args: impl IntoIterator<Item = A>) -> Output {
    command(home).args(args).output().expect("the program runs")
}

pub fn command(home: &Scratch) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kinora"));
    command
        .current_dir(home.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    command
}

/// Renders a photo to a file, with `--frame-rate 15` and these flags, and tells where it is.
pub fn render(home: &Scratch, photo: &[u8], flags: &[&str]) -> PathBuf {
    home.write("photo", photo);
    let args = ["render", "photo", "-o", "video.mp4", "--frame-rate", "15"];
    let output = kinora(home, args.iter().chain(flags));
    assert!(output.status.success(), "{}", stderr(&output));
    home.join("video.mp4")
}

/// The least video: two frames that stand still.
pub fn still(home: &Scratch, photo: &[u8]) -> PathBuf {
    render(home, photo, &["--length", "0.1", "--zoom-speed", "0"])
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
