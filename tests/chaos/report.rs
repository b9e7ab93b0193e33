//! The table at the end, in Markdown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::fault::Fault;
use crate::stage::Deployment;
use crate::verdict::Verdict;

pub struct Report {
    seed: u64,
    verdicts: BTreeMap<usize, Verdict>,
    /// How often each fault happened, and how long it took at most until a job was accepted again.
    faults: BTreeMap<usize, Happened>,
}

#[derive(Clone, Copy, Default)]
struct Happened {
    /// In each deployment.
    times: [usize; Deployment::ALL.len()],
    slowest: Duration,
}

impl Report {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            verdicts: BTreeMap::new(),
            faults: BTreeMap::new(),
        }
    }

    pub fn note(&mut self, deployment: Deployment, fault: Fault, after: Duration) {
        let happened = self.faults.entry(fault as usize).or_default();
        happened.times[deployment as usize] += 1;
        happened.slowest = happened.slowest.max(after);
    }

    pub fn add(&mut self, deployment: Deployment, verdict: Verdict) {
        self.verdicts
            .entry(deployment as usize)
            .or_default()
            .add(&verdict);
    }

    pub fn is_clean(&self) -> bool {
        self.verdicts.values().all(Verdict::is_clean)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| fault | on a disk | in a bucket | in a cluster | accepted again after, at most |"
        )?;
        writeln!(f, "|---|---|---|---|---|")?;
        for fault in Fault::ALL {
            let Some(happened) = self.faults.get(&(fault as usize)) else {
                continue;
            };
            let [disk, bucket, cluster] = happened.times;
            let slowest = happened.slowest.as_secs_f64();
            writeln!(
                f,
                "| {fault} | {disk} | {bucket} | {cluster} | {slowest:.1} s |"
            )?;
        }
        writeln!(
            f,
            "\n| | accepted | lost | failed | without video | made twice | told differently | wrong answers | left behind | announced again |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|")?;
        for deployment in Deployment::ALL {
            let Some(it) = self.verdicts.get(&(deployment as usize)) else {
                continue;
            };
            writeln!(
                f,
                "| {deployment} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                it.accepted,
                it.lost,
                it.failed,
                it.without_video,
                it.doubled,
                it.contradicted,
                it.wrong_answers,
                it.left_behind,
                it.announced_again
            )?;
        }
        match self.is_clean() {
            true => writeln!(f, "\nNothing was lost."),
            false => writeln!(
                f,
                "\nPromises were broken: SEED={} brings the same faults in the same order.",
                self.seed
            ),
        }
    }
}
