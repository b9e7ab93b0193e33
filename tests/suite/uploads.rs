//! Photos that are uploaded, and named in orders.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{create, done, ended, faults, is, order, path};
use crate::support::bucket::own_s3;
use crate::support::client::Answer;
use crate::support::order::with;
use crate::support::photos::{Gate, PhotoServer};
use crate::support::picture;
use crate::support::scratch::Scratch;
use crate::support::service::{Service, Setup};
use crate::support::{frames, wait};

const PHOTOS: &str = "/api/photos";

async fn upload(service: &Service, bytes: impl Into<Bytes>) -> Answer {
    let body = bytes.into();
    Answer::to(service.request(Method::POST, PHOTOS).body(body)).await
}

async fn uploaded(service: &Service, bytes: impl Into<Bytes>) -> Value {
    upload(service, bytes).await.expect(201)
}

fn address(photo: &Value) -> &str {
    photo["url"].as_str().expect("an address")
}

/// Of the files in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect()
}

fn red() -> Bytes {
    picture::jpeg(&image::RgbImage::from_pixel(
        640,
        480,
        image::Rgb([200, 20, 20]),
    ))
}

#[tokio::test]
async fn an_uploaded_photo_is_shown_wherever_it_is_stored() {
    for setup in [Setup::new(), own_s3(Setup::new(), "uploads")] {
        let service = setup.start().await;
        let photo = uploaded(&service, red()).await;
        assert_eq!(
            (&photo["width"], &photo["height"]),
            (&json!(640), &json!(480))
        );
        let id = photo["id"].as_str().expect("an id");
        assert_eq!(
            (id.len(), address(&photo)),
            (64, format!("photo:{id}").as_str())
        );
        // It outlives the process, and is the same photo when it is sent again.
        let service = service.kill_and_restart().await;
        assert_eq!(upload(&service, red()).await.expect(200), photo);
        let order = order(&[address(&photo)]);
        let preview = service.post("/api/videos/preview", &order).await;
        assert_eq!(preview.status, 200);
        let video = done(&service, &order).await;
        let url = video["outputs"][0]["url"].as_str().expect("an address");
        let bytes = reqwest::get(url).await.expect("an answer").bytes().await;
        let home = Scratch::new();
        let file = home.write("video.mp4", bytes.expect("the video"));
        let [red, green, blue] = frames::first(&file).rgb(540, 540);
        assert!(
            red > 150.0 && green < 60.0 && blue < 60.0,
            "{red} {green} {blue}"
        );
    }
}

#[tokio::test]
async fn what_is_no_picture_is_refused_while_it_arrives() {
    let service = Setup::new()
        .env("KINORA_NET_MAX_DOWNLOAD_BYTES", "100000")
        .start()
        .await;
    for (bytes, what) in [
        (Bytes::from("%PDF-1.7 a document"), "PDF"),
        (Bytes::from("nothing in particular"), "a text"),
        (Bytes::from(vec![0; 9000]), "type"),
        (Bytes::new(), "empty"),
        (red().slice(..300), "photo"),
    ] {
        let answer = upload(&service, bytes).await;
        assert!(faults(&answer, 422).is_empty());
        let detail = answer.json()["detail"]
            .as_str()
            .expect("a detail")
            .to_owned();
        assert!(detail.contains(what), "{detail}");
        assert_eq!(answer.json()["code"], "not-a-picture");
    }
    let large = [&red()[..], &vec![0; 200_000]].concat();
    faults(&upload(&service, large.clone()).await, 413);
    // Without a length.
    let chunks = large
        .chunks(4096)
        .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()));
    let chunks: Vec<_> = chunks.collect();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    faults(
        &Answer::to(service.request(Method::POST, PHOTOS).body(body)).await,
        413,
    );
    let form = service
        .request(Method::POST, PHOTOS)
        .header("content-type", "multipart/form-data; boundary=x")
        .body("--x\r\n\r\n--x--\r\n");
    faults(&Answer::to(form).await, 415);
    let anonymous = service.anonymous(Method::POST, PHOTOS).body(red());
    faults(&Answer::to(anonymous).await, 401);
    // Nothing is left of them.
    for directory in ["work", "videos"] {
        let directory = service.setup().data().join(directory);
        wait::until("nothing is left of it", || {
            names(&directory).is_empty().then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_photo_that_was_not_uploaded_cannot_be_named() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let unknown = format!("photo:{}", "0".repeat(64));
    for (field, fault) in [
        (json!({ "photos": [unknown] }), "#/photos/0"),
        (json!({ "photos": [{ "url": "photo:" }] }), "#/photos/0/url"),
        (json!({ "photos": ["photo:\0"] }), "#/photos/0"),
        (json!({ "photos": ["file:/etc/passwd"] }), "#/photos/0"),
        (json!({ "music": { "url": unknown } }), "#/music/url"),
        (json!({ "webhook_url": unknown }), "#/webhook_url"),
        (
            json!({ "template": { "id": "JustSold1", "logo_url": unknown } }),
            "#/template/logo_url",
        ),
    ] {
        let order = with(order(&[photos.small()]), field);
        for path in ["/api/videos", "/api/videos/check"] {
            assert_eq!(
                faults(&service.post(path, &order).await, 400),
                [fault],
                "{order}"
            );
        }
    }
    // The older dialects know no such addresses.
    let answer = service
        .post(
            "/paid/image/convert/video",
            &json!({ "image_url": unknown }),
        )
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_photo_whose_file_was_deleted_is_stored_again() {
    let service = Service::start().await;
    let photo = uploaded(&service, red()).await;
    let files = service.setup().data().join("videos");
    for name in names(&files) {
        std::fs::remove_file(files.join(name)).expect("a file");
    }
    let order = order(&[address(&photo)]);
    let answer = service.post("/api/videos/preview", &order).await;
    faults(&answer, 422);
    assert_eq!(answer.json()["code"], "file-unreadable");
    assert_eq!(uploaded(&service, red()).await, photo);
    done(&service, &order).await;
}

#[tokio::test]
async fn no_more_photos_are_kept_than_may_be() {
    let service = Setup::new()
        .env("KINORA_SERVER_MAX_PHOTOS", "1")
        .start()
        .await;
    let photo = uploaded(&service, red()).await;
    faults(&upload(&service, picture::small()).await, 429);
    // The one that is there is no further one.
    assert_eq!(upload(&service, red()).await.expect(200), photo);
}

#[tokio::test]
async fn the_same_photo_sent_many_times_at_once_is_one() {
    let service = Service::start().await;
    let all = futures_util::future::join_all((0..8).map(|_| upload(&service, red()))).await;
    let ids: Vec<Value> = all
        .iter()
        .map(|answer| answer.json()["id"].clone())
        .collect();
    assert!(all.iter().all(|answer| [200, 201].contains(&answer.status)));
    assert!(ids.iter().all(|id| *id == ids[0]));
    let photo = uploaded(&service, picture::small()).await;
    assert!(photo["id"] != ids[0]);
}

#[tokio::test]
async fn a_photo_is_swept_once_nothing_needs_it() {
    let photos = PhotoServer::start();
    let gate = Gate::new();
    let service = Setup::new()
        .env("KINORA_RETENTION_PHOTOS", "2s")
        .start()
        .await;
    let photo = uploaded(&service, red()).await;
    let files = service.setup().data().join("videos");
    // The job waits for its other photo for longer than photos are kept.
    let waiting = order(&[address(&photo), &photos.gated("/gated.png", &gate)]);
    let video = create(&service, &waiting).await;
    is(&service, &video, &["running"]).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(names(&files).len(), 1);
    gate.open();
    assert_eq!(ended(&service, &video).await["state"], "done");
    let is_gone = || {
        let is_photo = |name: &String| name.starts_with("photo-");
        (!names(&files).iter().any(is_photo)).then_some(())
    };
    wait::until("its file is gone", is_gone).await;
    let order = order(&[address(&photo)]);
    assert_eq!(
        faults(&service.post("/api/videos/check", &order).await, 400),
        ["#/photos/0"]
    );
    // Uploaded again, it is as new.
    uploaded(&service, red()).await;
    service.get(&path(&video)).await.expect(200);
}

#[tokio::test]
async fn previews_of_uploaded_photos_stay_as_they_are_whatever_was_decoded_for_other_shapes() {
    let service = Service::start().await;
    let mut photos = Vec::new();
    for width in [3000, 1400] {
        let photo = uploaded(&service, picture::jpeg(&picture::detailed(width, 1500))).await;
        photos.push(address(&photo).to_owned());
    }
    let preview = async |ratio: &str, time: u32| {
        let output = json!({ "name": "a", "aspect_ratio": ratio });
        let order = json!({ "photos": photos, "duration": 8, "outputs": [output] });
        let path = format!("/api/videos/preview?time={time}");
        let answer = service.post(&path, &order).await;
        assert_eq!(answer.status, 200, "{ratio} {time}");
        answer.bytes
    };
    let mut first = Vec::new();
    for (ratio, time) in [("1:1", 1), ("9:16", 6), ("16:9", 1), ("4:5", 6)] {
        first.push((ratio, time, preview(ratio, time).await));
    }
    for (ratio, time, bytes) in first {
        assert!(preview(ratio, time).await == bytes, "{ratio} {time}");
    }
}
