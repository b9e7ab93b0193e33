//! A store that fails: nothing is lost, and nothing is made twice.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::servers::proxy::{Action, FaultProxy};
use crate::support::bucket::{peer_s3, seaweedfs};
use crate::support::client::{Answer, client};
use crate::support::order::{short, short_to};
use crate::support::photos::PhotoServer;
use crate::support::service::{PAID, Service, Setup, V1};
use crate::support::sink::Sink;
use crate::support::wait;

/// A service whose store is behind a proxy. Its ffmpeg counts how many videos it makes.
struct Bench {
    proxy: FaultProxy,
    photos: PhotoServer,
    sink: Sink,
    setup: Setup,
}

impl Bench {
    fn new() -> Self {
        let proxy = FaultProxy::start(seaweedfs().port());
        let setup = peer_s3(Setup::new(), &proxy.endpoint());
        let count = setup.home().join("made");
        let lines = format!(
            "case \"$*\" in */work/*) echo x >> '{}';; esac\nexec ffmpeg \"$@\"",
            count.display()
        );
        let ffmpeg = setup.home().script("ffmpeg", &lines);
        Self {
            proxy,
            photos: PhotoServer::start(),
            sink: Sink::start(),
            setup: setup.env("KINORA_FFMPEG", ffmpeg.display().to_string()),
        }
    }

    fn made(&self) -> usize {
        let count = std::fs::read_to_string(self.setup.home().join("made"));
        count.map_or(0, |lines| lines.lines().count())
    }

    /// Finished videos on disk.
    fn waiting(&self) -> usize {
        let folder = self.setup.data().join("unstored");
        let entries = std::fs::read_dir(folder).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let is_video = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "mp4");
        paths.filter(is_video).count()
    }

    async fn order(&self, service: &Service) -> String {
        let order = short_to(&self.photos.small(), &self.sink.url("/hook"));
        let answer = service.post(V1, &order).await.expect(202);
        answer["job_id"].as_str().expect("an id").to_owned()
    }
}

async fn plays(envelope: &Value) {
    assert_eq!(envelope["code"], 200, "{envelope}");
    let url = envelope["response"].as_str().expect("an address");
    let answer = Answer::to(client().get(url)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(&answer.bytes[4..8], b"ftyp");
}

#[tokio::test]
async fn videos_wait_for_a_store_that_is_down_and_are_made_once() {
    let bench = Bench::new();
    bench.proxy.refuse();
    let service = bench.setup.clone().start().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(bench.order(&service).await);
    }
    // One worker: it goes on, as a job that waits for its store needs none.
    wait::until("every video is made", || {
        (bench.waiting() == 4).then_some(())
    })
    .await;
    let ready = Answer::to(service.anonymous(Method::GET, "/readyz"))
        .await
        .expect(503);
    assert_eq!(ready["failed"][0]["check"], "storage", "{ready}");
    let sentence = ready["failed"][0]["message"].as_str().expect("a sentence");
    assert!(sentence.contains("S3_ENDPOINT_URL"), "{sentence}");
    Answer::to(service.anonymous(Method::GET, "/healthz"))
        .await
        .expect(200);
    assert_eq!(service.job(&ids[0]).await["job_status"], "running");

    let service = service.kill_and_restart().await;
    assert_eq!(bench.waiting(), 4);
    bench.proxy.accept();
    let received = bench.sink.wait_for("/hook", 4).await;
    for webhook in received {
        plays(&webhook.json()).await;
    }
    for id in ids {
        let status = service.job_is(&id, "done").await;
        plays(&status["response"]["response"]).await;
    }
    assert_eq!(bench.made(), 4);
    wait::until("the disk is clean", || (bench.waiting() == 0).then_some(())).await;
    wait::until_async("the service is ready", async || {
        let ready = Answer::to(service.anonymous(Method::GET, "/readyz")).await;
        (ready.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_caller_waits_for_the_store_and_gets_the_video() {
    let bench = Bench::new();
    bench.proxy.refuse();
    let service = bench.setup.clone().start().await;
    let order = short(&bench.photos.small());
    let answer = service.post_aside(PAID, &order);
    wait::until("the video is made", || (bench.waiting() == 1).then_some(())).await;
    bench.proxy.accept();
    let envelope = answer.await.expect("an answer").expect(200);
    plays(&envelope).await;
}

/// The first six uploads of a video meet the fault.
async fn overcomes(fault: Action) {
    let bench = Bench::new();
    let mut left = 6;
    let action = fault.clone();
    bench.proxy.rule(move |request| {
        let is_video = request.method == "PUT" && request.target.contains(".mp4");
        if !is_video || left == 0 {
            return Action::Pass;
        }
        left -= 1;
        action.clone()
    });
    let service = bench.setup.clone().start().await;
    let id = bench.order(&service).await;
    let status = service.job_is(&id, "done").await;
    plays(&status["response"]["response"]).await;
    assert_eq!(bench.made(), 1, "{fault:?}");
}

#[tokio::test]
async fn a_store_that_fails_loses_nothing() {
    overcomes(Action::Answer(500, String::new())).await;
}

#[tokio::test]
async fn a_store_that_is_busy_loses_nothing() {
    let slow_down = "<Error><Code>SlowDown</Code></Error>";
    overcomes(Action::Answer(503, slow_down.into())).await;
}

#[tokio::test]
async fn a_store_that_refuses_for_a_while_loses_nothing() {
    let denied = "<Error><Code>AccessDenied</Code></Error>";
    overcomes(Action::Answer(403, denied.into())).await;
}

#[tokio::test]
async fn connections_that_break_lose_nothing() {
    overcomes(Action::ResetMidway).await;
}

#[tokio::test]
async fn acknowledgements_that_are_lost_lose_nothing() {
    overcomes(Action::LoseAnswer).await;
}

#[tokio::test]
async fn a_job_fails_once_patience_is_over() {
    let bench = Bench::new();
    bench.proxy.refuse();
    let setup = bench.setup.clone().env("KINORA_STORAGE_PATIENCE", "2s");
    let service = setup.start().await;
    let order = short(&bench.photos.small());
    let envelope = service.post(PAID, &order).await.expect(500);
    let message = envelope["message"].as_str().expect("a sentence");
    assert!(
        message.contains("could not be stored within 2s"),
        "{message}"
    );
    assert!(!message.contains("127.0.0.1"), "{message}");
    let id = envelope["job_id"].as_str().expect("an id");
    let status = service.job(id).await;
    assert_eq!(status["response"]["error_code"], "storage-failed");
    wait::until("the disk is clean", || (bench.waiting() == 0).then_some(())).await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_store_that_is_down() {
    let bench = Bench::new();
    bench.proxy.refuse();
    let setup = bench.setup.clone().config("[server]\nstop_grace = \"1s\"");
    let mut service = setup.start().await;
    let id = bench.order(&service).await;
    wait::until("the video is made", || (bench.waiting() == 1).then_some(())).await;
    service.terminate();
    let status = tokio::time::timeout(Duration::from_secs(20), service.ended()).await;
    assert!(status.expect("an end in time").success());
    bench.proxy.accept();
    let service = service.start_again().await;
    let status = service.job_is(&id, "done").await;
    plays(&status["response"]["response"]).await;
    assert_eq!(bench.made(), 1);
}

/// The file is gone from the disk, and so the video is made again.
#[tokio::test]
async fn a_finished_video_that_is_lost_is_made_again() {
    let bench = Bench::new();
    bench.proxy.refuse();
    let service = bench.setup.clone().start().await;
    let id = bench.order(&service).await;
    wait::until("the video is made", || (bench.waiting() == 1).then_some(())).await;
    let setup = service.kill().await;
    for entry in std::fs::read_dir(setup.data().join("unstored")).expect("a folder") {
        std::fs::remove_file(entry.expect("an entry").path()).expect("its end");
    }
    bench.proxy.accept();
    let service = setup.start().await;
    let status = service.job_is(&id, "done").await;
    plays(&status["response"]["response"]).await;
    assert_eq!(bench.made(), 2);
}
