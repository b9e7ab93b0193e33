//! Encoders that die, hang, or leave something that is no video.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::order::{short, with};
use crate::support::photos::PhotoServer;
use crate::support::probe::Probe;
use crate::support::service::{PAID, Service, Setup};
use crate::support::wait;

/// Of the first runs, as often as the file `kills` says.
const KILLED: &str = r#"case "$*" in *'-f null'*) exec ffmpeg "$@" ;; esac
kills=$(cat "$HOME/kills")
if [ "$kills" -gt 0 ]; then
    echo $((kills - 1)) >"$HOME/kills"
    head -c 100000 >/dev/null
    kill -9 $$
fi
exec ffmpeg "$@""#;

/// A wrapper whose child hangs, with all its pipes.
const HANGS: &str = r#"case "$*" in *'-f null'*) exec ffmpeg "$@" ;; esac
echo $$ >>"$HOME/pids"
sleep 1000 &
echo $! >>"$HOME/pids"
wait"#;

/// A wrapper that leaves its child behind, with all its pipes.
const LEAVES: &str = r#"case "$*" in *'-f null'*) exec ffmpeg "$@" ;; esac
exec 3<&0
sleep 1000 <&3 &
echo $$ >>"$HOME/pids"
echo $! >>"$HOME/pids""#;

/// A wrapper whose child is in a session of its own, and hangs with all its pipes.
const ESCAPES: &str = r#"case "$*" in *'-f null'*) exec ffmpeg "$@" ;; esac
echo $$ >>"$HOME/pids"
exec 3<&0
(setsid sh -c 'echo $$ >>"$HOME/pids"; exec sleep 1000' <&3 &)
sleep 1000"#;

/// A service whose ffmpeg is a script, and the directory that the script knows as its home.
async fn start(script: &str, settings: &[(&str, &str)]) -> (Service, PathBuf) {
    let mut setup = Setup::new();
    let ffmpeg = setup.home().script("ffmpeg", script);
    let home = setup.home().path().to_owned();
    setup = setup
        .env("KINORA_FFMPEG", ffmpeg.display().to_string())
        .env("HOME", home.display().to_string());
    for (name, value) in settings {
        setup = setup.env(name, *value);
    }
    (setup.start().await, home)
}

async fn made(service: &Service, photos: &PhotoServer) -> (u16, Value) {
    let answer = service.post(PAID, &short(&photos.small())).await;
    (answer.status, answer.json())
}

fn is_running(pid: &str) -> bool {
    // Zombies count.
    fs::exists(format!("/proc/{pid}")).expect("a path")
}

#[tokio::test]
async fn a_killed_encoder_is_started_again() {
    let (service, home) = start(KILLED, &[]).await;
    let photos = PhotoServer::start();
    fs::write(home.join("kills"), "2").expect("a file");
    let (status, answer) = made(&service, &photos).await;
    assert_eq!(status, 200, "{answer}");
    let path = answer["response"].as_str().expect("an address");
    let path = path.replace(&service.url(""), "");
    let file = home.join("v.mp4");
    fs::write(&file, service.get(&path).await.bytes).expect("a file");
    assert!(Probe::of(&file).frames() > 0);
    service.logged("is tried again").await;
}

#[tokio::test]
async fn an_encoder_that_is_killed_three_times_fails_the_job() {
    let (service, home) = start(KILLED, &[]).await;
    let photos = PhotoServer::start();
    fs::write(home.join("kills"), "1000").expect("a file");
    let (status, answer) = made(&service, &photos).await;
    assert_eq!(status, 500, "{answer}");
    assert_eq!(answer["message"], "the video encoder stopped unexpectedly");
    let left = fs::read_to_string(home.join("kills")).expect("a number");
    assert_eq!(left.trim(), "997");
}

#[tokio::test]
async fn the_time_limit_holds_behind_a_wrapper_that_hangs() {
    the_time_limit_holds(HANGS).await;
}

#[tokio::test]
async fn the_time_limit_holds_behind_a_wrapper_that_leaves_its_child() {
    the_time_limit_holds(LEAVES).await;
}

#[tokio::test]
async fn the_time_limit_holds_behind_a_wrapper_whose_child_has_a_session_of_its_own() {
    the_time_limit_holds(ESCAPES).await;
}

async fn the_time_limit_holds(script: &str) {
    let (service, home) = start(script, &[("KINORA_JOBS_TIME_LIMIT", "3s")]).await;
    let photos = PhotoServer::start();
    let began = Instant::now();
    let long = with(short(&photos.small()), json!({ "length": 20 }));
    let answer = service.post(PAID, &long).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.json()["message"], "the job took longer than 3s");
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
    let pids = fs::read_to_string(home.join("pids")).expect("numbers");
    assert!(pids.lines().count() >= 2);
    for pid in pids.lines() {
        wait::until("it is gone", || (!is_running(pid)).then_some(())).await;
    }
    service
        .request(Method::GET, "/healthz")
        .send()
        .await
        .expect("an answer");
}

#[tokio::test]
async fn what_an_encoder_leaves_is_looked_at() {
    // Each writes something to its last argument, `file:…`, and says that all went well.
    let last = r#"for last; do :; done
file=${last#file:}
case $last in file:*) ;; *) exec ffmpeg "$@" ;; esac
"#;
    for (what, write) in [
        ("an empty file", "cat >/dev/null; : >\"$file\""),
        (
            "noise",
            "head -c 50000 /dev/urandom >\"$file\"; cat >/dev/null",
        ),
        (
            "half a video",
            "ffmpeg \"$@\" && size=$(wc -c <\"$file\") && truncate -s $((size / 2)) \"$file\"",
        ),
        (
            "fewer frames",
            "head -c 9400000 | ffmpeg \"$@\" && cat >/dev/null",
        ),
    ] {
        let script = format!("{last}echo run >>\"$HOME/runs\"\n{write}");
        let (service, home) = start(&script, &[]).await;
        let photos = PhotoServer::start();
        let (status, answer) = made(&service, &photos).await;
        assert_eq!(status, 500, "{what}: {answer}");
        let message = answer["message"].as_str().expect("a text");
        assert_eq!(message, "the video encoder left no whole video", "{what}");
        let runs = fs::read_to_string(home.join("runs")).expect("lines");
        assert_eq!(runs.lines().count(), 3, "{what} is tried again");
    }
}
