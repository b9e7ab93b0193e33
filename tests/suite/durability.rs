//! A 202 is a promise, whatever happens to the process.

use serde_json::Value;

use crate::support::order::{short, short_to};
use crate::support::photos::{Gate, PhotoServer};
use crate::support::service::{PAID, SECRET, Service, Setup};
use crate::support::sink::{Reply, Sink};

fn id(envelope: &Value) -> &str {
    envelope["job_id"].as_str().expect("job_id")
}

/// Posts `count` orders that all end at the gate, and waits until the first is begun.
async fn fill(
    service: &Service,
    photos: &PhotoServer,
    gate: &Gate,
    sink: &Sink,
    count: usize,
) -> Vec<Value> {
    let order = short_to(&photos.gated("/held.png", gate), &sink.url("/hook"));
    let mut accepted = Vec::new();
    for _ in 0..count {
        accepted.push(service.post(PAID, &order).await.expect(202));
    }
    gate.arrived(1).await;
    accepted
}

/// Waits until each job has been announced, and checks that it was with a video.
async fn all_announced(sink: &Sink, accepted: &[Value]) {
    for envelope in accepted {
        let id = id(envelope);
        let what = format!("the webhook of {id}");
        let body = crate::support::wait::until(&what, || {
            let received = sink.received("/hook");
            received.into_iter().find(|one| one.json()["job_id"] == id)
        })
        .await;
        assert!(body.is_signed_with(SECRET));
        assert_eq!(body.json()["code"], 200, "{:?}", body.json());
    }
}

#[tokio::test]
async fn what_was_accepted_survives_kill_9_and_is_announced() {
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let service = Service::start().await;
    let accepted = fill(&service, &photos, &gate, &sink, 5).await;

    let service = service.kill_and_restart().await;
    gate.arrived(2).await;
    gate.open();
    all_announced(&sink, &accepted).await;
    for envelope in &accepted {
        let status = service.job_is(id(envelope), "done").await;
        let url = status["response"]["response"]["response"]
            .as_str()
            .expect("a URL")
            .to_owned();
        let path = url.split_once("/videos/").expect("a video's URL").1;
        assert_eq!(service.get(&format!("/videos/{path}")).await.status, 200);
    }
}

#[tokio::test]
async fn a_job_survives_being_killed_again_and_again() {
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let mut service = Service::start().await;
    let mut accepted = fill(&service, &photos, &gate, &sink, 2).await;
    for round in 2..7 {
        service = service.kill_and_restart().await;
        accepted.extend(fill(&service, &photos, &gate, &sink, 1).await);
        gate.arrived(round).await;
    }
    gate.open();
    all_announced(&sink, &accepted).await;
}

#[tokio::test]
async fn a_job_during_which_two_processes_died_is_made_alone() {
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let setup = Setup::new().env("KINORA_WORKERS", "2");
    let mut service = setup.start().await;
    let mut accepted = fill(&service, &photos, &gate, &sink, 1).await;
    for round in 2..4 {
        service = service.kill_and_restart().await;
        gate.arrived(round).await;
    }
    service.logged("is made alone").await;
    let order = short_to(&photos.small(), &sink.url("/hook"));
    accepted.push(service.post(PAID, &order).await.expect(202));
    service.job_is(id(&accepted[1]), "running").await;
    // Long enough for a worker that does not wait.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(photos.asked("/small.png"), 0, "it was not made alone");
    gate.open();
    all_announced(&sink, &accepted).await;
}

#[tokio::test]
async fn kill_9_in_the_middle_of_rendering_leaves_no_half_video() {
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let service = Service::start().await;
    let mut order = short_to(&photos.small(), &sink.url("/hook"));
    order["length"] = 3.into();
    let accepted = service.post(PAID, &order).await.expect(202);
    let work = service.setup().data().join("work");
    crate::support::wait::until("the rendering has begun", || {
        std::fs::read_dir(&work).ok()?.next()?.ok()
    })
    .await;
    let setup = service.kill().await;
    let video = setup.data().join(format!("videos/{}.mp4", id(&accepted)));
    assert!(!video.exists());

    let service = setup.start().await;
    all_announced(&sink, &[accepted]).await;
    assert!(video.exists());
    assert_eq!(
        std::fs::read_dir(&work)
            .expect("the work directory")
            .count(),
        0
    );
    drop(service);
}

#[tokio::test]
async fn a_webhook_that_was_due_is_sent_after_kill_9() {
    let setup = Setup::new().env("KINORA_WEBHOOK_RETRIES", "0s,300ms,300ms,300ms,300ms");
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let service = setup.start().await;
    let hook = sink.answers("/hook", [Reply::Hang, Reply::Status(200)]);
    let order = short_to(&photos.small(), &hook);
    service.post(PAID, &order).await.expect(202);
    sink.wait_for("/hook", 1).await;

    let service = service.kill_and_restart().await;
    let received = sink.wait_for("/hook", 2).await;
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id")
    );
    service.logged("was delivered").await;
}

#[tokio::test]
async fn jobs_of_callers_who_were_cut_off_are_finished_as_well() {
    let (photos, gate) = (PhotoServer::start(), Gate::new());
    let service = Service::start().await;
    let order = short(&photos.gated("/held.png", &gate));
    let cut_off = service.post_aside(PAID, &order);
    gate.arrived(1).await;
    let service = service.kill_and_restart().await;
    assert!(cut_off.await.is_err(), "an answer from a killed service");
    gate.open();
    let jobs = service
        .post("/v1/toolkit/jobs/status", &serde_json::json!({}))
        .await
        .expect(200);
    let id = jobs["response"]
        .as_object()
        .unwrap()
        .keys()
        .next()
        .expect("the job")
        .clone();
    let status = service.job_is(&id, "done").await;
    assert_eq!(status["response"]["response"]["code"], 200);
}

#[tokio::test]
async fn a_done_job_is_still_known_after_a_restart() {
    let photos = PhotoServer::start();
    let service = Service::start().await;
    let made = service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(200);
    let before = service.job(id(&made)).await["response"]["response"].clone();
    let service = service.kill_and_restart().await;
    let after = service.job(id(&made)).await["response"]["response"].clone();
    assert_eq!(before, after);
    assert_eq!(photos.asked("/small.png"), 1, "it was made again");
}

#[tokio::test]
async fn two_services_do_not_share_a_data_directory() {
    let service = Service::start().await;
    let output = service
        .setup()
        .command()
        .output()
        .expect("a second service");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("in use"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    service.get("/v1/toolkit/authenticate").await.expect(200);
}
