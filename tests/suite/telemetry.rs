//! Metrics, the ids of requests, and the log.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::api::{VIDEOS, create, done, ended, is, order};
use crate::support::client::Answer;
use crate::support::cluster;
use crate::support::order::with;
use crate::support::photos::{Gate, PhotoServer};
use crate::support::service::{Service, Setup};
use crate::support::sink::Sink;
use crate::support::wait;
use reqwest::Method;

/// The samples of a scrape, by name and labels, of which each has a type and a help text before it.
async fn scrape(service: &Service) -> HashMap<String, f64> {
    let answer = Answer::to(service.anonymous(Method::GET, "/metrics")).await;
    assert_eq!(answer.status, 200);
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(answer.header("content-type"), media_type);
    let (mut helped, mut typed) = (Vec::new(), HashMap::new());
    let mut samples = HashMap::new();
    for line in answer.text().lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "HELP", name, help] => {
                assert!(!help.is_empty());
                helped.push(name.to_owned());
            }
            ["#", "TYPE", name, kind] => drop(typed.insert(name.to_owned(), kind.to_owned())),
            _ => {
                let (sample, value) = line.rsplit_once(' ').expect("a value");
                let name = sample.split('{').next().expect("a name");
                let family = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|ending| {
                        let family = name.strip_suffix(ending)?;
                        (typed.get(family).map(String::as_str) == Some("histogram"))
                            .then_some(family)
                    })
                    .unwrap_or(name);
                assert!(name.starts_with("kinora_"), "{line}");
                assert!(helped.iter().any(|it| it == family), "{line}");
                if typed[family] == "counter" {
                    assert!(name.ends_with("_total"), "{line}");
                }
                samples.insert(sample.to_owned(), value.parse().expect("a number"));
            }
        }
    }
    samples
}

#[tokio::test]
async fn metrics_tell_of_jobs_from_the_queue_to_the_webhook() {
    let database = cluster::database().await;
    let photos = PhotoServer::start();
    let sink = Sink::start();
    for setup in [Setup::new(), cluster::node(&database, "a")] {
        let service = setup.env("KINORA_CACHE_VIDEOS", "false").start().await;
        let before = scrape(&service).await;
        for name in [
            "kinora_job_render_seconds",
            "kinora_job_queue_seconds",
            "kinora_http_request_seconds",
        ] {
            assert_eq!(before[&format!("{name}_count")], 0.0);
        }
        assert_eq!(before["kinora_build_info{version=\"0.1.0\"}"], 1.0);
        let hooked = json!({ "webhook_url": sink.url("/hook") });
        done(&service, &with(order(&[photos.small()]), hooked)).await;
        let failed = create(&service, &order(&[photos.url("/nowhere.jpg")])).await;
        ended(&service, &failed).await;
        let gate = Gate::new();
        let held = create(&service, &order(&[photos.gated("/held.png", &gate)])).await;
        is(&service, &held, &["running"]).await;
        create(&service, &order(&[photos.small()])).await;
        let expected = [
            ("kinora_jobs_accepted_total{dialect=\"videos\"}", 4.0),
            (
                "kinora_jobs_ended_total{code=\"\",dialect=\"videos\",state=\"done\"}",
                1.0,
            ),
            (
                "kinora_jobs_ended_total{code=\"bad-answer\",dialect=\"videos\",state=\"failed\"}",
                1.0,
            ),
            ("kinora_jobs{lane=\"normal\",state=\"queued\"}", 1.0),
            ("kinora_jobs{lane=\"normal\",state=\"running\"}", 1.0),
            ("kinora_attempts_running", 1.0),
            ("kinora_frames_total", 15.0),
            ("kinora_job_render_seconds_count", 1.0),
            ("kinora_job_queue_seconds_count", 3.0),
            ("kinora_fetch_seconds_count{result=\"ok\"}", 1.0),
            ("kinora_fetch_seconds_count{result=\"failed\"}", 1.0),
            ("kinora_store_seconds_count{result=\"ok\"}", 1.0),
            ("kinora_webhook_attempts_total{result=\"delivered\"}", 1.0),
            ("kinora_ffmpeg_exits_total{result=\"failed\"}", 0.0),
        ];
        wait::until_async("the metrics tell it", async || {
            let now = scrape(&service).await;
            let differs = |(name, value): &&(&str, f64)| now.get(*name) != Some(value);
            let first = expected.iter().find(differs);
            if let Some((name, value)) = first {
                eprintln!("{name} is {:?}, not {value}", now.get(*name));
            }
            first.is_none().then_some(())
        })
        .await;
        let now = scrape(&service).await;
        assert!(now["kinora_queue_oldest_seconds{lane=\"normal\"}"] > 0.0);
        assert!(now["kinora_stored_bytes_total"] > 0.0 && now["kinora_fetch_bytes_total"] > 0.0);
        assert!(now["kinora_http_requests_total{method=\"POST\",status=\"202\"}"] >= 4.0);
        gate.open();
    }
}

#[tokio::test]
async fn metrics_can_have_a_key_of_their_own() {
    let service = Setup::new()
        .env("KINORA_METRICS_KEY", "scraper")
        .start()
        .await;
    let asked = |name: &str, value: &str| {
        let request = service.anonymous(Method::GET, "/metrics");
        Answer::to(request.header(name, value))
    };
    assert_eq!(asked("accept", "text/plain").await.status, 401);
    assert_eq!(asked("x-api-key", "wrong").await.status, 401);
    assert_eq!(asked("x-api-key", "scraper").await.status, 200);
    assert_eq!(asked("authorization", "Bearer scraper").await.status, 200);
}

#[tokio::test]
async fn a_request_can_be_followed_by_its_id() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let posting = service.posting(VIDEOS, &order(&[photos.small()]));
    let answer = Answer::to(posting.header("x-request-id", "mine-42")).await;
    assert_eq!(answer.header("x-request-id"), "mine-42");
    let id = answer.expect(202)["id"].as_str().expect("an id").to_owned();
    let line = service.logged(&format!("job {id} is accepted")).await;
    assert!(line.contains("request mine-42"), "{line}");
    let line = service.logged(&format!("job {id} made")).await;
    assert!(
        line.contains("queued for 0.") && line.contains("worked on for"),
        "{line}"
    );
    // What is no plain id is replaced; each request has one of its own.
    let ids = ["a b", "", "x\u{e4}"].map(|id| {
        let request = service.request(Method::GET, VIDEOS);
        Answer::to(request.header("x-request-id", id.as_bytes()))
    });
    let ids = futures_util::future::join_all(ids).await;
    let mut ids: Vec<&str> = ids
        .iter()
        .map(|answer| answer.header("x-request-id"))
        .collect();
    assert!(ids.iter().all(|id| id.len() == 36), "{ids:?}");
    ids.dedup();
    assert_eq!(ids.len(), 3);
    // Errors have one, too.
    let refused = service.post(VIDEOS, &json!({})).await;
    assert_eq!(
        (refused.status, refused.header("x-request-id").len()),
        (400, 36)
    );
}

#[tokio::test]
async fn the_log_can_be_json() {
    let photos = PhotoServer::start();
    let service = Setup::new().env("KINORA_LOG_FORMAT", "json").start().await;
    let video = done(&service, &order(&[photos.small()])).await;
    let id = video["id"].as_str().expect("an id");
    service.logged(&format!("job {id} made")).await;
    let lines: Vec<Value> = service
        .log()
        .iter()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    let of_job = lines.iter().filter(|line| line["job"] == id);
    assert_eq!(of_job.count(), 2, "{lines:?}");
    for line in &lines {
        for field in ["time", "level", "target", "message"] {
            assert!(line[field].is_string(), "{line}");
        }
    }
}

#[tokio::test]
async fn the_dashboard_asks_for_metrics_that_are_there() {
    let service = Service::start().await;
    service.get("/healthz").await.expect(200);
    let text = Answer::to(service.anonymous(Method::GET, "/metrics"))
        .await
        .text();
    let metrics: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    // Those with labels that nothing has happened for yet.
    let later = ["kinora_jobs_accepted_total", "kinora_jobs_ended_total"];
    let dashboard = include_str!("../../deploy/grafana.json");
    let dashboard: Value = serde_json::from_str(dashboard).expect("JSON");
    let mut named = 0;
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            let is_word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
            for word in expression
                .split(is_word)
                .filter(|it| it.starts_with("kinora_"))
            {
                let name = word.trim_end_matches("_bucket");
                let is_there = metrics.contains(&name) || later.contains(&name);
                assert!(is_there, "{name} in {expression}");
                named += 1;
            }
        }
    }
    assert!(named > 20);
}
