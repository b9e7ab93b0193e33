//! `make chaos`: services under load, whose processes, disks, clocks and neighbours fail, for ten minutes, or for as
//! long as `DURATION` says. Ends with a table, and with status 1 if anything was lost.
//!
//! ```text
//! main ─ rounds, one deployment after the other
//! stage ─ a deployment: its services, and what is beside them
//! load ─ clients that post        ledger ─ what they were told, and what was announced
//! fault ─ what goes wrong         verdict ─ what became of the jobs
//! ```
//!
//! The faults and their order follow from `SEED`; at which moment of a job they hit does not. `FAULTS` names those that
//! may happen, as in [`Fault`]: `FAULTS=ServiceKilled,DiskFull`.

mod disk;
mod encoder;
mod fault;
mod ledger;
mod load;
mod report;
#[path = "../servers/mod.rs"]
mod servers;
mod stage;
#[allow(dead_code, reason = "a part of what the suite uses")]
#[path = "../suite/support/mod.rs"]
mod support;
mod syscall;
mod verdict;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use fastrand::Rng;

use fault::Fault;
use load::Load;
use report::Report;
use stage::{Deployment, Stage};

const DURATION: Duration = Duration::from_secs(600);
/// Then another deployment has its turn, and starts anew.
const LONGEST_ROUND: Duration = Duration::from_secs(180);
/// Between two faults that cost jobs one of their tries, so that none has three of them.
const BETWEEN_TRIES: Duration = Duration::from_secs(8);
/// For what is left to do once nothing fails any more.
const DRAIN: Duration = Duration::from_secs(25);

fn main() -> ExitCode {
    let duration = variable("DURATION", DURATION, |text| {
        humantime::parse_duration(text).ok()
    });
    let seed = variable("SEED", fastrand::u64(..), |text| text.parse().ok());
    let faults = variable("FAULTS", Fault::ALL.to_vec(), |text| {
        text.split(',').map(Fault::named).collect()
    });
    println!("SEED={seed}, for {}", humantime::format_duration(duration));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let report = runtime.block_on(campaign(duration, seed, &faults));
    print!("{report}");
    match report.is_clean() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn variable<T>(name: &str, usual: T, parse: impl Fn(&str) -> Option<T>) -> T {
    match std::env::var(name) {
        Ok(text) => parse(&text).unwrap_or_else(|| panic!("{name}={text} is not understood")),
        Err(_) => usual,
    }
}

async fn campaign(duration: Duration, seed: u64, faults: &[Fault]) -> Report {
    let deadline = Instant::now() + duration;
    let mut rng = Rng::with_seed(seed);
    let mut report = Report::new(seed);
    let turns = Deployment::ALL.len() as u32;
    let length = (duration / turns).min(LONGEST_ROUND);
    for deployment in Deployment::ALL.into_iter().cycle() {
        round(deployment, length, faults, &mut rng, &mut report).await;
        if Instant::now() + length / 2 > deadline {
            break;
        }
    }
    report
}

/// One deployment, from its start to its end.
async fn round(
    deployment: Deployment,
    length: Duration,
    faults: &[Fault],
    rng: &mut Rng,
    report: &mut Report,
) {
    println!("{deployment}");
    let began = Instant::now();
    let mut stage = Stage::start(deployment).await;
    let load = Load::start(&stage);
    let mut deck = Vec::new();
    let mut next_try = began;
    while began.elapsed() + DRAIN < length {
        tokio::time::sleep(Duration::from_millis(rng.u64(200..1500))).await;
        let Some(fault) = draw(&mut deck, faults, &stage, rng) else {
            break;
        };
        if fault.costs_a_try() {
            tokio::time::sleep_until(next_try.into()).await;
        }
        fault.happen(&mut stage, rng).await;
        if fault.costs_a_try() {
            next_try = Instant::now() + BETWEEN_TRIES;
        }
        let after = load.accepts_again().await;
        report.note(deployment, fault, after);
        println!("  {fault}; accepted again after {after:.1?}");
    }
    load.stop().await;
    report.add(deployment, verdict::of(&stage).await);
}

/// Each fault in turn, in an order that changes. `None`: none of them can hit this deployment.
fn draw(deck: &mut Vec<Fault>, faults: &[Fault], stage: &Stage, rng: &mut Rng) -> Option<Fault> {
    if deck.is_empty() {
        deck.extend(faults.iter().filter(|fault| fault.can_hit(stage)));
        rng.shuffle(deck);
    }
    deck.pop()
}
