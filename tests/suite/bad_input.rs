//! Photos that are none, encoders that die: a sentence for the caller, and the worker lives on.

use std::fs;

use serde_json::json;

use crate::support::order::short;
use crate::support::photos::{Photo, PhotoServer};
use crate::support::picture;
use crate::support::scratch::Scratch;
use crate::support::service::{PAID, Service, Setup};

/// Orders a video of a bad photo; the failure must say why, with the words given.
async fn fails(service: &Service, url: &str, words: &str) {
    let body = service.post(PAID, &short(url)).await.expect(500);
    let message = body["message"].as_str().expect("a message");
    assert!(message.starts_with("image_url "), "{url}: {message}");
    assert!(
        message.contains(words),
        "{url}: {message:?} lacks {words:?}"
    );
    for secret in ["127.0.0.1", "/tmp", "panicked", "src/"] {
        assert!(!message.contains(secret), "{url}: {message}");
    }
}

/// Nothing is left of failed jobs, and the next good one is served by the same only worker.
async fn lives_on(service: &Service, photos: &PhotoServer) {
    service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(200);
    let left = |place: &str| {
        fs::read_dir(service.setup().data().join(place))
            .unwrap()
            .count()
    };
    assert_eq!((left("work"), left("videos")), (0, 1));
}

#[tokio::test]
async fn answers_that_are_no_photo_are_named_by_their_status() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    for status in [400, 401, 403, 404, 410, 418, 429, 500, 503] {
        let url = photos.put("/photo.jpg", Photo::Status(status));
        fails(&service, &url, &format!("answered {status}")).await;
    }
    lives_on(&service, &photos).await;
}

#[tokio::test]
async fn bytes_that_are_no_picture_are_refused() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    for (bytes, words) in [
        (&b""[..], "empty"),
        (
            b"<!DOCTYPE html><html><body>Not found</body></html>",
            "not a picture",
        ),
        (b"just a little text", "not a picture"),
        (b"{\"error\": \"no\"}", "not a picture"),
        (b"%PDF-1.7\n", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"GIF89a", "GIF"),
        (b"II*\0", "TIFF"),
        (b"BM", "BMP"),
        (&[0; 1000], "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
        (b"#!/bin/sh\nconcat:/etc/passwd", "not a picture"),
        (
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\nfile:///etc/passwd",
            "not a picture",
        ),
    ] {
        // Whatever the server calls it.
        let photo = Photo::Bytes("image/jpeg", bytes.to_vec().into());
        fails(&service, &photos.put("/photo.jpg", photo), words).await;
    }
    lives_on(&service, &photos).await;
}

#[tokio::test]
async fn a_picture_that_is_called_something_else_is_a_picture() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let photo = Photo::Bytes("application/octet-stream", picture::small());
    let url = photos.put("/download.txt", photo);
    service.post(PAID, &short(&url)).await.expect(200);
}

#[tokio::test]
async fn a_truncated_picture_never_becomes_a_video() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let image = picture::detailed(640, 480);
    for (name, whole) in [
        ("JPEG", picture::jpeg(&image)),
        ("PNG", picture::png(&image)),
    ] {
        for part in [0.02, 0.3, 0.7, 0.95, 0.999] {
            let length = (whole.len() as f64 * part) as usize;
            let photo = Photo::Bytes("image/jpeg", whole.slice(..length));
            fails(&service, &photos.put("/photo", photo), name).await;
        }
        let but_two = Photo::Bytes("image/jpeg", whole.slice(..whole.len() - 2));
        fails(&service, &photos.put("/photo", but_two), name).await;
    }
    lives_on(&service, &photos).await;
}

#[tokio::test]
async fn a_download_that_breaks_off_never_becomes_a_video() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let url = photos.put("/photo.png", Photo::BrokenOff(picture::small()));
    fails(&service, &url, "broke off").await;
    lives_on(&service, &photos).await;
}

#[tokio::test]
async fn a_header_that_announces_a_monster_is_refused_unread() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    for (width, height) in [
        (100_000, 1),
        (1, 100_000),
        (100_000, 100_000),
        (30_000, 30_000),
        (u32::MAX >> 1, 1),
    ] {
        let photo = Photo::Bytes("image/png", picture::png_header(width, height));
        fails(&service, &photos.put("/photo.png", photo), "limit").await;
    }
    let photo = Photo::Bytes("image/png", picture::png_header(0, 10));
    fails(&service, &photos.put("/photo.png", photo), "").await;
    lives_on(&service, &photos).await;
}

#[tokio::test]
async fn a_download_that_is_too_large_is_cut_off_whether_announced_or_not() {
    let setup = Setup::new().config("[net]\nmax_download_bytes = 1000000");
    let (service, photos) = (setup.start().await, PhotoServer::start());
    for announced in [true, false] {
        let bytes = 20 << 20;
        let url = photos.put("/flood", Photo::Flood { bytes, announced });
        fails(&service, &url, "larger than the limit").await;
    }
    lives_on(&service, &photos).await;
}

#[tokio::test]
async fn a_download_that_takes_too_long_is_given_up() {
    let setup = Setup::new().config("[net]\nfetch_timeout = \"500ms\"");
    let (service, photos) = (setup.start().await, PhotoServer::start());
    let url = photos.put("/trickle", Photo::Trickle);
    fails(&service, &url, "did not arrive within 0.5 seconds").await;
    lives_on(&service, &photos).await;
}

#[tokio::test]
async fn redirects_in_circles_and_to_nowhere_are_given_up() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let round = photos.put("/round", Photo::Redirect(302, "/round".into()));
    fails(&service, &round, "redirects more than 3 times").await;
    assert_eq!(photos.asked("/round"), 4);
    for target in ["", "http://", "http://["] {
        let url = photos.put("/nowhere", Photo::Redirect(302, target.into()));
        fails(&service, &url, "").await;
    }
    lives_on(&service, &photos).await;
}

/// A service whose encoder does this in place of encoding, once the start's probe is over.
async fn with_encoder(script: &str) -> (Service, Scratch, PhotoServer) {
    let scratch = Scratch::new();
    let program = scratch.script("ffmpeg", script);
    let setup = Setup::new().env("KINORA_FFMPEG", program.display().to_string());
    (setup.start().await, scratch, PhotoServer::start())
}

async fn encoding_fails(script: &str, message: &str) {
    let (service, scratch, photos) = with_encoder(script).await;
    let order = short(&photos.small());
    for _ in 0..2 {
        let body = service.post(PAID, &order).await.expect(500);
        assert_eq!(body["message"], json!(message));
    }
    // The worker lives on, and the program is looked for anew.
    fs::remove_file(scratch.join("ffmpeg")).expect("the script");
    scratch.script("ffmpeg", "exec ffmpeg \"$@\"");
    lives_on(&service, &photos).await;
}

#[tokio::test]
async fn an_encoder_that_dies_at_once_fails_the_job_alone() {
    encoding_fails("exit 1", "the video encoder stopped unexpectedly").await;
}

#[tokio::test]
async fn an_encoder_that_dies_halfway_fails_the_job_alone() {
    let script = "head -c 5000000 > /dev/null; echo oh no >&2; exit 1";
    encoding_fails(script, "the video encoder stopped unexpectedly").await;
}

#[tokio::test]
async fn an_encoder_that_is_killed_fails_the_job_alone() {
    let script = "head -c 100 > /dev/null; kill -9 $$";
    encoding_fails(script, "the video encoder stopped unexpectedly").await;
}

#[tokio::test]
async fn an_encoder_that_succeeds_without_a_video_fails_the_job_alone() {
    encoding_fails("cat > /dev/null", "the video encoder left no video").await;
}

#[tokio::test]
async fn a_full_disk_fails_the_job_and_is_named() {
    let script = "head -c 100000 > /dev/null; echo 'out.mp4: No space left on device' >&2; exit 1";
    encoding_fails(script, "the disk is full").await;
}

#[tokio::test]
async fn an_encoder_that_is_missing_fails_the_job_alone() {
    let setup = Setup::new().env("KINORA_FFMPEG", "/nowhere/ffmpeg");
    let (service, photos) = (setup.start().await, PhotoServer::start());
    let body = service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(500);
    let message = body["message"].as_str().expect("a message");
    assert!(message.contains("could not be started"), "{message}");
    assert!(!message.contains("nowhere"), "{message}");
}
