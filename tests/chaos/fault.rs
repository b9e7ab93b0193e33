//! What goes wrong. Each fault is over when it has happened.

use std::fmt;
use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::encoder::{self, Encoder};
use crate::ledger::Manners;
use crate::servers::proxy::Action;
use crate::stage::Stage;
use crate::syscall;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    ServiceKilled,
    ServiceKilledAtCall,
    ServiceFrozen,
    EncoderKilled,
    EncoderFrozen,
    DiskFull,
    NoMoreFiles,
    SilentConnections,
    ClockSet,
    ReceiverRefuses,
    ReceiverHangs,
    BucketAway,
    BucketFails,
    DatabaseCrashed,
    DatabaseCutOff,
}

impl Fault {
    pub const ALL: [Self; 15] = [
        Self::ServiceKilled,
        Self::ServiceKilledAtCall,
        Self::ServiceFrozen,
        Self::EncoderKilled,
        Self::EncoderFrozen,
        Self::DiskFull,
        Self::NoMoreFiles,
        Self::SilentConnections,
        Self::ClockSet,
        Self::ReceiverRefuses,
        Self::ReceiverHangs,
        Self::BucketAway,
        Self::BucketFails,
        Self::DatabaseCrashed,
        Self::DatabaseCutOff,
    ];

    /// As in this file.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|fault| format!("{fault:?}") == name)
    }

    pub fn can_hit(self, stage: &Stage) -> bool {
        match self {
            Self::ServiceKilledAtCall => stage.can_be_traced,
            Self::DiskFull => stage.disk.as_ref().is_some_and(|disk| disk.can_be_filled()),
            Self::BucketAway | Self::BucketFails => stage.bucket.is_some(),
            Self::DatabaseCrashed | Self::DatabaseCutOff => stage.database.is_some(),
            _ => true,
        }
    }

    /// Whether jobs are tried again for it, as often as they are at most.
    pub fn costs_a_try(self) -> bool {
        matches!(
            self,
            Self::EncoderKilled | Self::DiskFull | Self::NoMoreFiles
        )
    }

    pub async fn happen(self, stage: &mut Stage, rng: &mut Rng) {
        let n = rng.usize(..stage.services().len());
        let pid = stage.services()[n].pid();
        match self {
            Self::ServiceKilled => stage.kill_and_restart(n).await,
            Self::ServiceKilledAtCall => kill_at_call(stage, n, rng).await,
            Self::ServiceFrozen => {
                // Sometimes for longer than the leases of a cluster.
                let seconds = match rng.u32(..4) {
                    0 if stage.database.is_some() => 25.0,
                    _ => seconds(rng, 0.2, 3.0),
                };
                frozen(pid, seconds).await;
            }
            Self::EncoderKilled => {
                if let Some(encoder) = an_encoder(stage).await {
                    encoder.signal("KILL");
                }
            }
            Self::EncoderFrozen => {
                if let Some(encoder) = an_encoder(stage).await {
                    frozen(encoder.pid, seconds(rng, 0.5, 4.0)).await;
                }
            }
            Self::DiskFull => full_disk(stage, rng).await,
            Self::NoMoreFiles => no_more_files(pid, rng).await,
            Self::SilentConnections => silent_connections(stage, n, rng).await,
            Self::ClockSet => {
                // Buckets refuse what was signed a quarter of an hour ago.
                let most = if stage.bucket.is_some() { 600 } else { 90_000 };
                stage.clock.set(rng.i64(-most..most));
                self.last(stage, n, rng, 3.0).await;
            }
            Self::ReceiverRefuses => self.receiver(stage, n, rng, Manners::Refuses).await,
            Self::ReceiverHangs => self.receiver(stage, n, rng, Manners::Hangs).await,
            Self::BucketAway => {
                stage.bucket.as_ref().inspect(|bucket| bucket.refuse());
                self.last(stage, n, rng, 5.0).await;
                stage.bucket.as_ref().inspect(|bucket| bucket.accept());
            }
            Self::BucketFails => {
                let seed = rng.u64(..);
                stage.bucket.as_ref().inspect(|bucket| {
                    let mut rng = Rng::with_seed(seed);
                    bucket.forget();
                    bucket.rule(move |_| a_fault_of_a_bucket(&mut rng));
                });
                self.last(stage, n, rng, 5.0).await;
                let pass = |_: &_| Action::Pass;
                stage.bucket.as_ref().inspect(|bucket| bucket.rule(pass));
            }
            Self::DatabaseCrashed => crash_database(stage, rng).await,
            Self::DatabaseCutOff => {
                stage.database.as_ref().inspect(|it| it.link.cut());
                sleep(seconds(rng, 0.2, 5.0)).await;
                stage.database.as_ref().inspect(|it| it.link.mend());
            }
        }
    }

    /// Lets a fault of a neighbour last, and a service die in the middle of it now and then.
    async fn last(self, stage: &mut Stage, n: usize, rng: &mut Rng, longest: f64) {
        let (before, after) = (
            seconds(rng, 0.1, longest / 2.0),
            seconds(rng, 0.1, longest / 2.0),
        );
        sleep(before).await;
        if rng.u32(..3) == 0 {
            stage.kill_and_restart(n).await;
        }
        sleep(after).await;
    }

    async fn receiver(self, stage: &mut Stage, n: usize, rng: &mut Rng, manners: Manners) {
        stage.ledger.pages().manners = manners;
        self.last(stage, n, rng, 4.0).await;
        stage.ledger.pages().manners = Manners::Takes;
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ServiceKilled => "service killed, at any moment",
            Self::ServiceKilledAtCall => "service killed, at a system call",
            Self::ServiceFrozen => "service frozen",
            Self::EncoderKilled => "encoder killed",
            Self::EncoderFrozen => "encoder frozen",
            Self::DiskFull => "disk full",
            Self::NoMoreFiles => "no more files to be opened",
            Self::SilentConnections => "2,000 silent connections",
            Self::ClockSet => "clock set, by 25 hours at most, or by 10 minutes beside a bucket",
            Self::ReceiverRefuses => "receiver answers 500",
            Self::ReceiverHangs => "receiver hangs",
            Self::BucketAway => "bucket away",
            Self::BucketFails => "bucket fails, hangs and cuts off",
            Self::DatabaseCrashed => "database crashed",
            Self::DatabaseCutOff => "database cut off",
        })
    }
}

fn seconds(rng: &mut Rng, least: f64, most: f64) -> f64 {
    least + rng.f64() * (most - least)
}

async fn sleep(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

async fn frozen(pid: u32, seconds: f64) {
    encoder::signal(pid, "STOP");
    sleep(seconds).await;
    encoder::signal(pid, "CONT");
}

async fn kill_at_call(stage: &mut Stage, n: usize, rng: &mut Rng) {
    let pid = stage.services()[n].pid();
    let (tracer, call) = syscall::kill_at_call(pid, rng);
    let deadline = Instant::now() + Duration::from_secs(6);
    let ended = || encoder::is_dead(pid);
    while !ended() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    print!(
        "  at {call}{}:",
        if ended() { "" } else { ", which did not come" }
    );
    drop(tracer);
    stage.kill_and_restart(n).await;
}

/// Waits a moment for one that was not hit before: a job fails whose encoder is killed three times, as it is told.
async fn an_encoder(stage: &mut Stage) -> Option<Encoder> {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        let mut encoders = stage.pids().into_iter().flat_map(Encoder::of);
        let fresh = encoders.find(|encoder| !stage.hit_encoders.contains(&encoder.command));
        if let Some(encoder) = fresh {
            stage.hit_encoders.insert(encoder.command.clone());
            return Some(encoder);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    None
}

/// Less than the three tries of a job take.
async fn full_disk(stage: &Stage, rng: &mut Rng) {
    if let Some(disk) = &stage.disk {
        // Below what the service keeps free, or to the last byte.
        disk.fill(rng.choice([0, 4 << 20]).unwrap_or_default());
        sleep(seconds(rng, 0.5, 4.0)).await;
        disk.empty();
    }
}

/// For less than the three tries of a job take.
async fn no_more_files(pid: u32, rng: &mut Rng) {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).map_or(64, Iterator::count);
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    let usual = limits
        .lines()
        .find_map(|line| {
            line.strip_prefix("Max open files")?
                .split_whitespace()
                .next()
        })
        .unwrap_or("1024")
        .to_owned();
    limit_files(pid, &(open + rng.usize(..8)).to_string());
    sleep(seconds(rng, 0.5, 4.0)).await;
    limit_files(pid, &usual);
}

/// Sets the soft limit.
fn limit_files(pid: u32, limit: &str) {
    let status = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &format!("--nofile={limit}:")])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "prlimit");
}

async fn silent_connections(stage: &Stage, n: usize, rng: &mut Rng) {
    let address = stage.services()[n].authority().to_owned();
    let connected = tokio::task::spawn_blocking(move || {
        let connect = |_| TcpStream::connect(&address).ok();
        (0..2000).filter_map(connect).collect::<Vec<_>>()
    });
    let connections = connected.await.expect("connections");
    sleep(seconds(rng, 0.5, 4.0)).await;
    drop(connections);
}

fn a_fault_of_a_bucket(rng: &mut Rng) -> Action {
    match rng.u32(..6) {
        0 => Action::Answer(503, "<Error><Code>SlowDown</Code></Error>".into()),
        1 => Action::ResetMidway,
        2 => Action::LoseAnswer,
        3 => Action::CutAnswer,
        4 => Action::Hang,
        _ => Action::Pass,
    }
}

async fn crash_database(stage: &mut Stage, rng: &mut Rng) {
    let away = Duration::from_secs_f64(seconds(rng, 0.1, 4.0));
    if let Some(database) = &mut stage.database
        && let Some(mut server) = database.server.take()
    {
        let restarted = tokio::task::spawn_blocking(move || {
            server.crash();
            std::thread::sleep(away);
            server.restart();
            server
        });
        database.server = Some(restarted.await.expect("a server"));
    }
}
