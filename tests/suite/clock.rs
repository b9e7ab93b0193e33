//! A clock that somebody sets while the service runs.

use std::time::Duration;

use serde_json::Value;

use crate::servers::postgres::Database;
use crate::support::cluster::{database, id, node};
use crate::support::machine_clock::MachineClock;
use crate::support::order::short_to;
use crate::support::photos::{Gate, PhotoServer};
use crate::support::scratch::Scratch;
use crate::support::service::{PAID, Service, Setup};
use crate::support::sink::{Reply, Sink};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// No time in them is longer than the test, and they add up.
fn are_plausible(times: &Value) {
    let [run, queue, total] =
        ["run_time", "queue_time", "total_time"].map(|name| times[name].as_f64().expect("seconds"));
    assert!(run > 0.0 && queue >= 0.0, "{times}");
    assert!(
        total < 300.0 && (run + queue - total).abs() < 0.01,
        "{times}"
    );
}

async fn times_stay_right(service: Service, clock: MachineClock, set_to: i64) {
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let order = short_to(&photos.gated("/held.jpg", &gate), &sink.url("/hook"));
    let running = id(&service.post(PAID, &order).await.expect(202));
    gate.arrived(1).await;
    let waiting = id(&service.post(PAID, &order).await.expect(202));
    clock.set(set_to);
    service.logged("clock was set").await;
    gate.open();
    for job in [&running, &waiting] {
        let status = service.job_is(job, "done").await;
        are_plausible(&status["response"]["response"]);
    }
    for received in sink.wait_for("/hook", 2).await {
        are_plausible(&received.json());
    }
}

/// A node that needs no bucket: those refuse requests that were signed by a wrong clock.
fn node_with(videos: &Scratch, database: &Database) -> Setup {
    node(database, "a").env(
        "KINORA_STORAGE_URL",
        format!("file://{}", videos.path().display()),
    )
}

#[tokio::test]
async fn the_times_of_jobs_stay_right_when_the_clock_is_set_back() {
    let clock = MachineClock::right();
    let service = clock.of(Setup::new()).start().await;
    times_stay_right(service, clock, -HOUR).await;
}

#[tokio::test]
async fn the_times_of_jobs_stay_right_when_the_clock_is_set_forward() {
    let clock = MachineClock::right();
    let service = clock.of(Setup::new()).start().await;
    times_stay_right(service, clock, DAY).await;
}

#[tokio::test]
async fn the_times_of_jobs_stay_right_on_a_node_whose_clock_is_set() {
    let (clock, database) = (MachineClock::right(), database().await);
    let videos = Scratch::new();
    let service = clock.of(node_with(&videos, &database)).start().await;
    times_stay_right(service, clock, -HOUR).await;
}

#[tokio::test]
async fn a_node_whose_clock_is_wrong_from_the_start_tells_the_right_times() {
    let (clock, database) = (MachineClock::right(), database().await);
    clock.set(-DAY);
    let videos = Scratch::new();
    let service = clock.of(node_with(&videos, &database)).start().await;
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let order = short_to(&photos.small(), &sink.url("/hook"));
    service.post(PAID, &order).await.expect(202);
    are_plausible(&sink.wait_for("/hook", 1).await.remove(0).json());
}

#[tokio::test]
async fn retries_of_webhooks_come_in_time_when_the_clock_is_set() {
    for set_to in [-HOUR, DAY] {
        let clock = MachineClock::right();
        let setup = Setup::new().env("KINORA_WEBHOOK_RETRIES", "0s,8s");
        let service = clock.of(setup).start().await;
        let (photos, sink) = (PhotoServer::start(), Sink::start());
        let hook = sink.answers("/hook", [Reply::Status(500)]);
        let order = short_to(&photos.small(), &hook);
        service.post(PAID, &order).await.expect(202);
        service.logged("will be tried again").await;
        clock.set(set_to);
        let received = sink.wait_for("/hook", 2).await;
        let waited = received[1].at - received[0].at;
        // A fifth more or less, and a loaded machine.
        let expected = Duration::from_secs(6)..Duration::from_secs(40);
        assert!(expected.contains(&waited), "{waited:?}");
        let sent = |n: usize| received[n].header("webhook-timestamp").parse::<i64>();
        let told = sent(1).expect("seconds") - sent(0).expect("seconds");
        assert!(
            (told - set_to).abs() < 60,
            "the second was sent {told} s later"
        );
    }
}
