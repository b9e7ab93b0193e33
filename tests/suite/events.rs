//! Server-sent events of videos.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{create, done, faults, order, path};
use crate::support::client::Answer;
use crate::support::cluster;
use crate::support::photos::{Gate, Photo, PhotoServer};
use crate::support::picture;
use crate::support::service::Service;

/// The events of a video until their stream ends: names, ids and objects.
async fn heard(service: &Service, video: &Value) -> Vec<(String, Option<String>, Value)> {
    let request = service.request(Method::GET, &format!("{}/events", path(video)));
    let response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.expect("a stream with an end");
    let events = text.split("\n\n").filter(|event| !event.is_empty());
    let field = |event: &str, name: &str| {
        let lines = event.lines();
        let mut found = lines.filter_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.next().map(str::to_owned)
    };
    events
        .map(|event| {
            let data = field(event, "data").expect("data");
            (
                field(event, "event").expect("a name"),
                field(event, "id"),
                serde_json::from_str(&data).expect("an object"),
            )
        })
        .collect()
}

#[tokio::test]
async fn progress_is_told_until_the_video_is_done() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let gate = Gate::new();
    let video = create(&service, &order(&[photos.gated("/held.png", &gate)])).await;
    let opened = async {
        tokio::time::sleep(Duration::from_millis(1200)).await;
        gate.open();
    };
    let (events, ()) = tokio::join!(heard(&service, &video), opened);
    let (last, progress) = events.split_last().expect("events");
    assert!(progress.len() >= 3, "{}", progress.len());
    for (name, id, object) in progress {
        assert_eq!((name.as_str(), id), ("progress", &None));
        assert_eq!(object["id"], video["id"]);
    }
    assert_eq!((last.0.as_str(), last.1.as_deref()), ("done", Some("end")));
    assert_eq!(
        (&last.2["state"], &last.2["progress"]),
        (&"done".into(), &1.0.into())
    );
    assert!(last.2["outputs"][0]["url"].is_string());
}

#[tokio::test]
async fn who_comes_late_hears_the_end_and_who_has_heard_it_nothing() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let video = done(&service, &order(&[photos.small()])).await;
    let events = heard(&service, &video).await;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].0.as_str(), &events[0].2), ("done", &video));
    let path = format!("{}/events", path(&video));
    let again = service
        .request(Method::GET, &path)
        .header("last-event-id", "end");
    assert_eq!(Answer::to(again).await.status, 204);
    let failed = create(&service, &order(&[photos.url("/nowhere.jpg")])).await;
    let events = heard(&service, &failed).await;
    assert_eq!(events.last().expect("an event").0, "failed");
    faults(
        &service
            .get("/api/videos/00000000-0000-4000-8000-000000000000/events")
            .await,
        404,
    );
}

#[tokio::test]
async fn many_listeners_hear_of_the_end_within_a_second() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let gate = Gate::new();
    let video = create(&service, &order(&[photos.gated("/held.png", &gate)])).await;
    let path = format!("{}/events", path(&video));
    let mut streams = Vec::new();
    for _ in 0..100 {
        let response = service.request(Method::GET, &path).send().await;
        streams.push(response.expect("an answer").bytes_stream());
    }
    gate.open();
    let mut ends = Vec::new();
    for mut stream in streams {
        ends.push(tokio::spawn(async move {
            let mut last = Vec::new();
            while let Some(chunk) = stream.next().await {
                last.extend_from_slice(&chunk.expect("a chunk"));
            }
            (Instant::now(), String::from_utf8(last).expect("text"))
        }));
    }
    let mut times = Vec::new();
    for end in ends {
        let (at, text) = end.await.expect("an end");
        assert!(text.contains("event: done"), "{text}");
        times.push(at);
    }
    times.sort();
    let spread = times[times.len() - 1] - times[0];
    assert!(spread < Duration::from_secs(1), "{spread:?}");
}

#[tokio::test]
async fn progress_on_another_node_is_told_as_it_happens() {
    let (database, photos) = (cluster::database().await, PhotoServer::start());
    let asked = cluster::node(&database, "a").env("KINORA_ROLE", "api");
    let making = cluster::node(&database, "b").env("KINORA_ROLE", "worker");
    let (asked, _making) = (asked.start().await, making.start().await);
    let image = picture::jpeg(&picture::detailed(3000, 2000));
    let photo = photos.put("/a.jpg", Photo::Bytes("image/jpeg", image));
    // Long enough to take some seconds.
    let long = json!({ "photos": [photo], "duration": 40, "frame_rate": 60 });
    let video = create(&asked, &long).await;
    let mut told: Vec<(Duration, f64)> = Vec::new();
    let began = Instant::now();
    let request = asked.request(Method::GET, &format!("{}/events", path(&video)));
    let mut stream = request.send().await.expect("an answer").bytes_stream();
    while let Some(chunk) = stream.next().await {
        let text = String::from_utf8_lossy(&chunk.expect("a chunk")).into_owned();
        for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let object: Value = serde_json::from_str(data).expect("an object");
            let progress = object["progress"].as_f64().expect("a number");
            if told.last().is_none_or(|(_, last)| *last < progress) {
                told.push((began.elapsed(), progress));
            }
        }
    }
    // The steps while it is made, at one look a second.
    let steps: Vec<Duration> = told.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let seconds = told.last().expect("an end").0.as_secs_f64();
    assert!(steps.len() as f64 >= 0.6 * (seconds - 2.0), "{told:?}");
}

#[tokio::test]
async fn listeners_do_not_hold_up_the_stop() {
    let (mut service, photos) = (Service::start().await, PhotoServer::start());
    let gate = Gate::new();
    let video = create(&service, &order(&[photos.gated("/held.png", &gate)])).await;
    let request = service.request(Method::GET, &format!("{}/events", path(&video)));
    let response = request.send().await.expect("an answer");
    let began = Instant::now();
    gate.open();
    service.terminate();
    assert!(response.text().await.is_ok());
    assert!(service.ended().await.success());
    assert!(began.elapsed() < Duration::from_secs(20));
}
