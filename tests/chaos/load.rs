//! Clients that post all the time, as long as not too much is left to do.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::ledger::Ledger;
use crate::stage::Stage;
use crate::support::client::client;
use crate::support::order::{short_to, with};
use crate::support::service::{KEY, PAID};

const CLIENTS: usize = 4;
/// Jobs that may wait for their end.
const MOST_UNFINISHED: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// Of one request, as a frozen service does not answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Until something is accepted again.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Load {
    /// Of each service, one that asks whether it accepts jobs again.
    askers: Vec<Poster>,
    stopping: CancellationToken,
    clients: Vec<JoinHandle<()>>,
}

struct Poster {
    number: usize,
    /// Where the services listen.
    bases: Arc<Mutex<Vec<String>>>,
    order: Value,
    ledger: Ledger,
    client: Client,
}

impl Load {
    pub fn start(stage: &Stage) -> Self {
        let stopping = CancellationToken::new();
        let poster = |number| Poster {
            number,
            bases: stage.bases.clone(),
            order: short_to(&stage.photos.small(), &stage.receiver.url("/hook")),
            ledger: stage.ledger.clone(),
            client: client(),
        };
        let clients = (0..CLIENTS).map(|number| {
            let (poster, stopping) = (poster(number), stopping.clone());
            tokio::spawn(async move { poster.post_until(&stopping).await })
        });
        Self {
            askers: (0..stage.services().len()).map(poster).collect(),
            clients: clients.collect(),
            stopping,
        }
    }

    /// Posts to each service until it accepts a job, and tells how long that took.
    pub async fn accepts_again(&self) -> Duration {
        let began = Instant::now();
        for asker in &self.askers {
            while !asker.order(&self.stopping).await {
                assert!(began.elapsed() < PATIENCE, "nothing is accepted any more");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        began.elapsed()
    }

    /// Lets every client hear what became of its last order.
    pub async fn stop(self) {
        self.stopping.cancel();
        for client in self.clients {
            client.await.expect("a client");
        }
    }
}

impl Poster {
    async fn post_until(&self, stopping: &CancellationToken) {
        while !stopping.is_cancelled() {
            if self.ledger.unfinished() < MOST_UNFINISHED {
                self.order(stopping).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Posts one order, again while there is no answer: its idempotency key makes it one job. `false`: it was refused.
    async fn order(&self, stopping: &CancellationToken) -> bool {
        let name = Uuid::new_v4().to_string();
        let length = 1 + name.as_bytes()[0] % 3;
        let order = with(self.order.clone(), json!({ "id": name, "length": length }));
        loop {
            match self.post(&name, &order).await {
                Ok(is_accepted) => return is_accepted,
                // Nobody was told that the last ones were accepted.
                Err(error) if stopping.is_cancelled() && !error.is_timeout() => return false,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Err: the service is down, or went down before it had answered.
    async fn post(&self, name: &str, order: &Value) -> Result<bool, reqwest::Error> {
        let url = {
            let bases = self.bases.lock().expect("addresses");
            format!("{}{PAID}", bases[self.number % bases.len()])
        };
        let request = self.client.post(url).timeout(TIMEOUT);
        let request = request
            .header("x-api-key", KEY)
            .header("content-type", "application/json")
            .header("idempotency-key", name);
        let response = request.body(order.to_string()).send().await?;
        let status = response.status().as_u16();
        if status != 202 {
            let mut pages = self.ledger.pages();
            *pages.refused.entry(status).or_default() += 1;
            return Ok(false);
        }
        let body: Value = serde_json::from_slice(&response.bytes().await?).expect("JSON");
        let job = body["job_id"].as_str().expect("a job").to_owned();
        self.ledger.accept(job, name.to_owned());
        Ok(true)
    }
}
