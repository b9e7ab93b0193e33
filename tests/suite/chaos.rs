//! `make chaos`: services, encoders, nodes and their database are killed under load, for minutes.

use std::collections::HashMap;
use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::Row;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::servers::postgres::{Database, Postgres};
use crate::support::client::{Answer, client};
use crate::support::cluster::{database, node};
use crate::support::order::{short_to, with};
use crate::support::photos::PhotoServer;
use crate::support::service::{KEY, PAID, Service, Setup};
use crate::support::sink::Sink;
use crate::support::wait;

const NODES: usize = 2;
const CLIENTS: usize = 4;

/// Clients that post all the time, to whichever node there is, and what they were told.
struct Load {
    /// Where the nodes listen.
    bases: Arc<Mutex<Vec<String>>>,
    statuses: Arc<Mutex<HashMap<u16, usize>>>,
    accepted: Arc<Mutex<Vec<String>>>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(nodes: &[Service], order: &Value) -> Self {
        let bases = nodes.iter().map(|node| node.url(PAID)).collect();
        let mut load = Self {
            bases: Arc::new(Mutex::new(bases)),
            statuses: Arc::default(),
            accepted: Arc::default(),
            clients: Vec::new(),
        };
        for n in 0..CLIENTS {
            let (bases, statuses) = (load.bases.clone(), load.statuses.clone());
            let (accepted, order) = (load.accepted.clone(), order.to_string());
            load.clients.push(tokio::spawn(async move {
                loop {
                    let url = {
                        let bases = bases.lock().unwrap();
                        bases[n % bases.len()].clone()
                    };
                    let request = client().post(url).header("x-api-key", KEY);
                    let request = request.header("content-type", "application/json");
                    // Err: the node is down.
                    if let Ok(response) = request.body(order.clone()).send().await {
                        let status = response.status().as_u16();
                        *statuses.lock().unwrap().entry(status).or_default() += 1;
                        if status == 202
                            && let Ok(body) = response.bytes().await
                        {
                            let body: Value = serde_json::from_slice(&body).expect("JSON");
                            let id = body["job_id"].as_str().expect("an id");
                            accepted.lock().unwrap().push(id.to_owned());
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(150)).await;
                }
            }));
        }
        load
    }

    fn moved(&self, n: usize, node: &Service) {
        self.bases.lock().unwrap()[n] = node.url(PAID);
    }

    fn accepted(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    /// The accepted jobs. Nothing else than acceptances and refusals was answered.
    fn stop(self) -> Vec<String> {
        self.clients.iter().for_each(JoinHandle::abort);
        let statuses = self.statuses.lock().unwrap();
        println!("answers: {statuses:?}");
        for status in statuses.keys() {
            assert!([202, 429, 503].contains(status), "{statuses:?}");
        }
        self.accepted.lock().unwrap().clone()
    }
}

/// Every accepted job has ended once, with a video, and was announced.
async fn all_is_done(database: &Database, sink: &Sink, accepted: &[String]) {
    let pool = database.pool().await;
    let number = async |query: &'static str| {
        let row = sqlx::query(query).fetch_one(&pool).await;
        row.expect("a row").get::<i64, _>(0)
    };
    let deadline = Instant::now() + Duration::from_secs(300);
    while number("SELECT count(*) FROM kinora.jobs WHERE state <> 'done'").await > 0
        || number("SELECT count(*) FROM kinora.webhooks WHERE state <> 'delivered'").await > 0
    {
        assert!(Instant::now() < deadline, "jobs or webhooks are left");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let failed = number("SELECT count(*) FROM kinora.jobs WHERE outcome NOT LIKE '{\"Ok\"%'").await;
    assert_eq!(failed, 0, "jobs failed");
    let mut announced: HashMap<String, usize> = HashMap::new();
    for received in sink.received("/hook") {
        let id = received.json()["job_id"]
            .as_str()
            .expect("an id")
            .to_owned();
        *announced.entry(id).or_default() += 1;
    }
    let lost = accepted.iter().filter(|id| !announced.contains_key(*id));
    assert_eq!(lost.count(), 0, "of {} jobs", accepted.len());
    let again = announced.values().filter(|count| **count > 1).count();
    let attempts = number("SELECT sum(attempt)::bigint FROM kinora.jobs").await;
    println!(
        "{} jobs accepted, none lost; {attempts} attempts; {again} announced more than once",
        accepted.len()
    );
}

/// The same, as a service without a database of its own tells it.
async fn all_is_told(service: &Service, sink: &Sink, accepted: &[String]) {
    let deadline = Instant::now() + Duration::from_secs(300);
    let mut announced: HashMap<String, Vec<u64>> = HashMap::new();
    // There may be more: who was not told that a job is accepted does not know it.
    while !accepted.iter().all(|id| announced.contains_key(id)) {
        assert!(Instant::now() < deadline, "jobs or webhooks are left");
        tokio::time::sleep(Duration::from_millis(500)).await;
        announced.clear();
        for received in sink.received("/hook") {
            let body = received.json();
            let id = body["job_id"].as_str().expect("an id").to_owned();
            let code = body["code"].as_u64().expect("a code");
            announced.entry(id).or_default().push(code);
        }
    }
    let failed = announced.values().flatten().filter(|code| **code != 200);
    assert_eq!(failed.count(), 0, "jobs failed");
    for id in accepted {
        service.job_is(id, "done").await;
    }
    let again = announced.values().filter(|codes| codes.len() > 1).count();
    println!(
        "{} jobs accepted, none lost, none failed; {again} announced more than once",
        accepted.len()
    );
}

/// The processes that a service has started to encode videos, each with its command line, which names the file.
fn encoders(service: &Service) -> Vec<(u32, String)> {
    let parent = format!("PPid:\t{}", service.pid());
    let processes = fs::read_dir("/proc").expect("processes");
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let encoder = |pid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        let is_ours = status.lines().any(|line| line == parent) && command.contains("yuv4mpegpipe");
        is_ours.then_some((pid, command))
    };
    pids.filter_map(encoder).collect()
}

/// Makes every video, although all are the same.
fn making(setup: Setup) -> Setup {
    setup.env("KINORA_CACHE_VIDEOS", "false")
}

fn count(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make chaos"]
async fn a_service_that_is_killed_loses_nothing() {
    let kills = count("KILLS", 100);
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let mut service = making(Setup::new()).start().await;
    let order = short_to(&photos.small(), &sink.url("/hook"));
    let load = Load::start(std::slice::from_ref(&service), &order);
    for kill in 0..kills {
        let random = Uuid::new_v4().as_u128();
        tokio::time::sleep(Duration::from_millis(200 + (random % 2000) as u64)).await;
        service = service.kill_and_restart().await;
        load.moved(0, &service);
        if kill % 10 == 9 {
            println!("{} kills of the service", kill + 1);
        }
    }
    let accepted = load.stop();
    all_is_told(&service, &sink, &accepted).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make chaos"]
async fn encoders_that_are_killed_fail_no_job() {
    let kills = count("KILLS", 100);
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let service = making(Setup::new()).start().await;
    let long = with(
        short_to(&photos.small(), &sink.url("/hook")),
        json!({ "length": 6, "frame_rate": 30 }),
    );
    let load = Load::start(std::slice::from_ref(&service), &long);
    let mut killed = 0;
    // A job whose encoders are killed three times fails, and is meant to: none is hit as often.
    let mut hits: HashMap<String, usize> = HashMap::new();
    while killed < kills {
        let random = Uuid::new_v4().as_u128();
        tokio::time::sleep(Duration::from_millis(1500 + (random % 3000) as u64)).await;
        let mut encoders = encoders(&service);
        encoders.retain(|(_, file)| hits.get(file).is_none_or(|count| *count < 2));
        if let Some((pid, file)) = encoders.pop() {
            let ended = Command::new("kill").args(["-9", &pid.to_string()]).status();
            killed += usize::from(ended.expect("kill").success());
            *hits.entry(file).or_default() += 1;
        }
    }
    println!("{killed} encoders killed, {} jobs by then", load.accepted());
    let accepted = load.stop();
    all_is_told(&service, &sink, &accepted).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make chaos"]
async fn nodes_that_are_killed_lose_nothing() {
    let kills = count("KILLS", 100);
    let database = database().await;
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let mut nodes = Vec::new();
    for n in 0..NODES {
        nodes.push(making(node(&database, &n.to_string())).start().await);
    }
    let load = Load::start(&nodes, &short_to(&photos.small(), &sink.url("/hook")));
    for kill in 0..kills {
        let random = Uuid::new_v4().as_u128();
        tokio::time::sleep(Duration::from_millis(200 + (random % 2000) as u64)).await;
        let n = (random >> 64) as usize % NODES;
        let node = nodes.remove(n).kill_and_restart().await;
        load.moved(n, &node);
        nodes.insert(n, node);
        if kill % 10 == 9 {
            println!("{} kills", kill + 1);
        }
    }
    let accepted = load.stop();
    all_is_done(&database, &sink, &accepted).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make chaos"]
async fn a_database_that_is_killed_loses_nothing() {
    let crashes = count("CRASHES", 5);
    let server = tokio::task::spawn_blocking(Postgres::start).await;
    let mut server = server.expect("a server");
    let database = server.database().await;
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let mut nodes = Vec::new();
    for n in 0..NODES {
        nodes.push(making(node(&database, &n.to_string())).start().await);
    }
    let order = short_to(&photos.small(), &sink.url("/hook"));
    let load = Load::start(&nodes, &order);
    for _ in 0..crashes {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let restarting = tokio::task::spawn_blocking(move || {
            server.crash();
            std::thread::sleep(Duration::from_secs(6));
            server.restart();
            server
        });
        server = restarting.await.expect("a server");
        let began = Instant::now();
        for node in &nodes {
            wait::until_async("requests are taken again", async || {
                let answer =
                    Answer::to(node.posting("/v1/toolkit/jobs/status", &serde_json::json!({})));
                (answer.await.status == 200).then_some(())
            })
            .await;
        }
        let took = began.elapsed();
        println!("recovered after {took:.1?}");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let accepted = load.stop();
    all_is_done(&database, &sink, &accepted).await;
}
