//! What became of the accepted jobs.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::{Duration, Instant};

use crate::encoder;
use crate::stage::Stage;
use crate::support::client::client;
use crate::support::service::Service;

/// For everything that is left to do when the load ends.
const PATIENCE: Duration = Duration::from_secs(240);

/// Of one round, or of several.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pub accepted: usize,
    /// Accepted, and their end was never told.
    pub lost: usize,
    pub failed: usize,
    /// Told as done, and their videos are not there.
    pub without_video: usize,
    /// Orders of which more than one job was made.
    pub doubled: usize,
    /// Webhooks that told different things.
    pub contradicted: usize,
    /// Allowed: webhooks that came more than once.
    pub announced_again: usize,
    /// Statuses that nobody expects.
    pub wrong_answers: usize,
    /// Files of work that is over, and processes that nobody has looked after.
    pub left_behind: usize,
}

impl Verdict {
    pub fn is_clean(&self) -> bool {
        let faults = [
            self.lost,
            self.failed,
            self.without_video,
            self.doubled,
            self.contradicted,
            self.wrong_answers,
            self.left_behind,
        ];
        faults.iter().all(|count| *count == 0)
    }

    pub fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.lost += other.lost;
        self.failed += other.failed;
        self.without_video += other.without_video;
        self.doubled += other.doubled;
        self.contradicted += other.contradicted;
        self.announced_again += other.announced_again;
        self.wrong_answers += other.wrong_answers;
        self.left_behind += other.left_behind;
    }
}

/// Waits until everything is done.
pub async fn of(stage: &Stage) -> Verdict {
    let deadline = Instant::now() + PATIENCE;
    while !stage.ledger.missing().is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let without_video = without_video(stage).await;
    let left_behind = left_behind(stage).await;
    let missing = stage.ledger.missing();
    missing.iter().for_each(|job| println!("  lost: {job}"));
    let pages = stage.ledger.pages();
    let announced = pages.announced.values();
    for failed in announced.clone().filter(|it| it.code != 200) {
        println!("  failed: {}", String::from_utf8_lossy(&failed.body));
    }
    let mut jobs_of_orders: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (job, order) in &pages.accepted {
        jobs_of_orders.entry(order).or_default().insert(job);
    }
    let wrong = pages.refused.iter();
    let wrong = wrong.filter(|(status, _)| ![429, 503].contains(*status));
    wrong
        .clone()
        .for_each(|(status, count)| println!("  answered {status}, {count} times"));
    Verdict {
        accepted: pages.accepted.len(),
        lost: missing.len(),
        failed: announced.clone().filter(|it| it.code != 200).count(),
        without_video,
        doubled: jobs_of_orders
            .values()
            .filter(|jobs| jobs.len() > 1)
            .count(),
        contradicted: pages.contradictions.len(),
        announced_again: announced.filter(|it| it.count > 1).count(),
        wrong_answers: wrong.map(|(_, count)| count).sum(),
        left_behind,
    }
}

/// How many jobs are said to be done whose videos cannot be had.
async fn without_video(stage: &Stage) -> usize {
    let announced: Vec<String> = {
        let pages = stage.ledger.pages();
        let done = pages.announced.values().filter(|it| it.code == 200);
        done.map(|it| it.job.clone()).collect()
    };
    let mut count = 0;
    for job in announced {
        if !has_video(&stage.services()[0], &job).await {
            println!("  without its video: {job}");
            count += 1;
        }
    }
    count
}

async fn has_video(service: &Service, job: &str) -> bool {
    let status = service.job(job).await;
    let Some(url) = status["response"]["response"]["response"].as_str() else {
        return false;
    };
    // A service that was started again has another port, and its old jobs the old address.
    let url = match url.split_once("/videos/") {
        Some((_, path)) if url.starts_with("http://127.0.0.1") && !url.contains("X-Amz") => {
            service.url(&format!("/videos/{path}"))
        }
        _ => url.to_owned(),
    };
    let Ok(answer) = client().get(url).send().await else {
        return false;
    };
    let is_there = answer.status() == 200;
    let bytes = answer.bytes().await.unwrap_or_default();
    is_there && bytes.get(4..8) == Some(b"ftyp")
}

/// What is left of work that is over, once there was time to remove it.
async fn left_behind(stage: &Stage) -> usize {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let left: Vec<String> = stage
            .services()
            .iter()
            .flat_map(|it| left_by(stage, it))
            .collect();
        if left.is_empty() || Instant::now() > deadline {
            left.iter()
                .for_each(|what| println!("  left behind: {what}"));
            return left.len();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn left_by(stage: &Stage, service: &Service) -> Vec<String> {
    let data = stage.data(service);
    let files = ["work", "unstored"].into_iter().flat_map(|name| {
        let entries = fs::read_dir(data.join(name))
            .into_iter()
            .flatten()
            .flatten();
        entries.map(|entry| entry.path().display().to_string())
    });
    let zombies = encoder::zombies(service.pid());
    let zombies = zombies.into_iter().map(|pid| format!("process {pid}"));
    files.chain(zombies).collect()
}
