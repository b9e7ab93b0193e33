//! DigitalCarbon's `/v1-beta`: a listing video from its order to its results.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::{Answer, keys};
use crate::support::listing::{
    GENERATE, about, detail, ended, generate, music, order, setup, status, with_params,
};
use crate::support::order::short_to;
use crate::support::photos::{Gate, Photo, PhotoServer};
use crate::support::picture;
use crate::support::probe::Probe;
use crate::support::raw::{Manner, Raw};
use crate::support::service::{PAID, Service, Setup};
use crate::support::sink::Sink;
use crate::support::wait;

/// The four examples of the reference, one after the other, as its Python has them.
#[tokio::test]
async fn the_examples_of_the_reference_run() {
    let (service, photos) = (setup().start().await, PhotoServer::start());
    let png = || Photo::Bytes("image/png", picture::small());
    let data = json!({
        "files": [
            {"url": photos.put("/image1.jpg", png())},
            {"url": photos.put("/image2.jpg", png())}
        ],
        "template_params": {
            "template_id": "ActiveListing1",
            "aspect_ratio": "1:1",
            "soundtrack_url": photos.put("/music.mp3", music()),
            "logo_url": photos.put("/logo.png", png()),
            "property_details": {
                "address": "123 Main St",
                "price": "$500,000",
                "details": "3 bed, 2 bath"
            },
            "contact_details": {
                "name": "John Doe",
                "phone": "(555) 123-4567",
                "website": "www.example.com"
            }
        }
    });
    let id = generate(&service, &data).await;
    is_followed_to_its_end(&service, &id).await;

    let results = service.get(&about(&id, "results")).await.expect(200);
    tell_of_the_video(&service, &id, &results).await;
    let sink = Raw::start(Manner::Answer("200 OK"));
    let upload = json!({ "upload_url": sink.url("/video-upload-url") });
    let path = about(&id, "results/upload-video");
    let answer = service.post(&path, &upload).await.expect(200);
    assert_eq!(answer, json!({ "message": "Video uploaded successfully" }));
    let heard = sink.heard();
    assert!(heard.head.starts_with("PUT /video-upload-url "));
    assert_eq!(heard.body.len() as u64, results["size_bytes"]);

    // A restart forgets none of it.
    let service = service.kill_and_restart().await;
    let later = service.get(&about(&id, "results")).await.expect(200);
    assert_eq!(keys(&later), keys(&results));
    for name in keys(&results) {
        // The address of the service is another now, and that of the video what it was.
        assert_eq!(later[name], results[name], "{name}");
    }
}

async fn is_followed_to_its_end(service: &Service, id: &str) {
    let (mut last, mut seen) = (0.0, 0);
    wait::until_async("the listing is completed", async || {
        let status = status(service, id).await;
        let progress = status["progress"].as_f64().expect("progress");
        assert!((last..=1.0).contains(&progress), "{last} and then {status}");
        seen += usize::from(progress > last && progress < 1.0);
        last = progress;
        match status["status"].as_str() {
            Some("queued") => assert_eq!((progress, &status["queue_position"]), (0.0, &json!(1))),
            Some("processing") => assert!(progress < 1.0, "{status}"),
            Some("completed") => {
                assert_eq!(status, json!({ "status": "completed", "progress": 1.0 }));
                return Some(());
            }
            _ => panic!("{status}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        None
    })
    .await;
    assert!(seen > 3, "progress was seen {seen} times");
}

async fn tell_of_the_video(service: &Service, id: &str, results: &Value) {
    let names = [
        "aspect_ratio",
        "completed_at",
        "created_at",
        "duration",
        "frame_rate",
        "height",
        "job_id",
        "size_bytes",
        "status",
        "template_id",
        "thumbnail_url",
        "video_url",
        "width",
    ];
    assert_eq!(keys(results), names, "{results}");
    for (name, value) in [
        ("job_id", json!(id)),
        ("status", json!("completed")),
        ("width", json!(1080)),
        ("height", json!(1080)),
        ("duration", json!(30.0)),
        ("frame_rate", json!(30)),
        ("template_id", json!("ActiveListing1")),
        ("aspect_ratio", json!("1:1")),
        (
            "video_url",
            json!(service.url(&format!("/videos/{id}.mp4"))),
        ),
    ] {
        assert_eq!(results[name], value, "{name}: {results}");
    }
    let (created, completed) = (
        moment(&results["created_at"]),
        moment(&results["completed_at"]),
    );
    assert!(created < completed, "{results}");

    let file = service.setup().data().join(format!("videos/{id}.mp4"));
    let size = std::fs::metadata(&file).expect("the video").len();
    assert_eq!(results["size_bytes"], size);
    // Aside, so that the client notices meanwhile which connections are closed.
    let probed = tokio::task::spawn_blocking(move || Probe::of(&file)).await;
    let probe = probed.expect("ffprobe's answer");
    assert_eq!((probe.size(), probe.frames()), ((1080, 1080), 900));

    // Its picture is served like the video.
    let path = format!("/videos/{id}.jpg");
    assert_eq!(results["thumbnail_url"], service.url(&path));
    let answer = Answer::to(service.anonymous(Method::GET, &path)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "image/jpeg");
    let picture = image::load_from_memory(&answer.bytes).expect("a JPEG");
    assert_eq!((picture.width(), picture.height()), (1080, 1080));
}

/// RFC 3339, in UTC, to the millisecond.
fn moment(value: &Value) -> std::time::SystemTime {
    let text = value.as_str().expect("a moment");
    assert_eq!((text.len(), &text[23..]), (24, "Z"), "{text}");
    humantime::parse_rfc3339(text).expect("RFC 3339")
}

#[tokio::test]
async fn a_listing_survives_kill_9_and_is_completed() {
    let (photos, gate) = (PhotoServer::start(), Gate::new());
    let service = setup().start().await;
    let held = order(&[photos.gated("/held.png", &gate)]);
    let held = with_params(held, json!({ "aspect_ratio": "4:5" }));
    let id = generate(&service, &held).await;
    gate.arrived(1).await;
    assert_eq!(status(&service, &id).await["status"], "processing");

    let service = service.kill_and_restart().await;
    gate.arrived(2).await;
    assert_eq!(status(&service, &id).await["progress"], 0.0);
    gate.open();
    assert_eq!(ended(&service, &id).await["status"], "completed");
    let results = service.get(&about(&id, "results")).await.expect(200);
    assert_eq!(results["aspect_ratio"], "4:5");
    assert_eq!(
        (&results["width"], &results["height"]),
        (&json!(1080), &json!(1350))
    );
}

#[tokio::test]
async fn a_failed_job_says_why_wherever_it_is_asked() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let (missing, text) = (photos.url("/missing.jpg?sig=1"), photos.url("/text.jpg"));
    photos.put("/text.jpg", Photo::Bytes("image/jpeg", "no picture".into()));
    let id = generate(&service, &order(&[&photos.small(), &missing, &text])).await;
    let status = ended(&service, &id).await;
    assert_eq!(
        keys(&status),
        ["error_code", "error_message", "progress", "status"],
        "{status}"
    );
    assert_eq!(status["error_code"], "bad-answer");
    assert_eq!(
        (&status["status"], &status["progress"]),
        (&json!("failed"), &json!(0.0))
    );
    let why = status["error_message"].as_str().expect("a reason");
    assert!(why.contains(&format!("{missing} answered 404")), "{why}");
    assert!(why.contains(&format!("{text} ")), "{why}");
    let expected = json!({
        "detail": "Job is not completed yet",
        "status": "failed",
        "error_message": why
    });
    assert_eq!(
        service.get(&about(&id, "results")).await.expect(400),
        expected
    );
}

#[tokio::test]
async fn a_queued_job_knows_its_place_and_a_full_queue_says_so() {
    let service = Setup::new().env("MAX_QUEUE_LENGTH", "2").start().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let held = order(&[photos.gated("/held.png", &gate)]);
    let running = generate(&service, &held).await;
    gate.arrived(1).await;
    let first = generate(&service, &held).await;
    let second = generate(&service, &held).await;

    let expected = json!({ "status": "processing", "progress": 0.0 });
    assert_eq!(status(&service, &running).await, expected);
    let queued =
        |place: u32| json!({ "status": "queued", "progress": 0.0, "queue_position": place });
    assert_eq!(status(&service, &first).await, queued(1));
    assert_eq!(status(&service, &second).await, queued(2));
    for what in ["results", "results/upload-video"] {
        let path = about(&first, what);
        let answer = match what {
            "results" => service.get(&path).await,
            _ => service.post(&path, &json!({})).await,
        };
        assert_eq!(detail(&answer.expect(400)), "Job is not completed yet");
    }

    let answer = service.post(GENERATE, &held).await;
    assert!(detail(&answer.expect(429)).contains("queue is full"));
    assert!(answer.header("retry-after").parse::<u32>().is_ok());

    // The express lane is served first.
    let mut express = short_to(&photos.gated("/express.png", &gate), &sink.url("/hook"));
    express["bypass_queue"] = json!(true);
    service.post(PAID, &express).await.expect(202);
    gate.arrived(2).await;
    service.post(PAID, &express).await.expect(202);
    assert_eq!(status(&service, &first).await, queued(2));
    assert_eq!(status(&service, &second).await, queued(3));
}
