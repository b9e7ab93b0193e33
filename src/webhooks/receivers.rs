//! What is known of receivers, and which of them may be sent more: none delays another, however many hang.
//!
//! A receiver that does not answer at once is slow from then on. The slow ones have places of their own, and those that
//! answered lately come first.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::jobs::backend::{Receivers as Names, WebhookClaim, host_of};

/// Within which a receiver answers that is not slow.
const PROMPT: Duration = Duration::from_secs(2);

/// How long a receiver counts as what it was seen to be.
const MEMORY: Duration = Duration::from_secs(600);
const MOST_KNOWN: usize = 10_000;

/// Deliveries at the same time: to one receiver, to the quick and to the slow ones of one host, to all that are quick, and
/// to all that are slow.
const PER_RECEIVER: u32 = 8;
const PER_HOST: usize = 16;
const PLACES: usize = 256;
const SLOW_PLACES: usize = 256;

/// Beside these, for receivers that answered lately.
const PROMPT_PLACES: usize = 64;

/// Of all together: those that are not known to be slow may turn out to be.
const MOST_IN_FLIGHT: usize = 768;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Prompt,
    Slow,
}

struct InFlight {
    receiver: String,
    began: Instant,
    is_slow: bool,
}

#[derive(Default)]
pub struct Receivers {
    /// With the moment when it was seen.
    paces: HashMap<String, (Pace, Instant)>,
    /// By the ids of webhooks.
    in_flight: HashMap<String, InFlight>,
}

/// Which receivers a claim is for, and for how many webhooks.
pub struct Share {
    limit: usize,
    names: Vec<String>,
    is_only: bool,
}

impl Share {
    pub fn claim(&self) -> WebhookClaim<'_> {
        WebhookClaim {
            limit: u32::try_from(self.limit).unwrap_or(u32::MAX),
            per_receiver: PER_RECEIVER,
            to: match self.is_only {
                true => Names::Only(&self.names),
                false => Names::AllBut(&self.names),
            },
        }
    }
}

impl Receivers {
    /// A claim has lapsed meanwhile: that is no reason to send a webhook twice. `false`: it is under way.
    pub fn begin(&mut self, id: &str, receiver: &str) -> bool {
        if self.in_flight.contains_key(id) {
            return false;
        }
        let in_flight = InFlight {
            receiver: receiver.to_owned(),
            began: Instant::now(),
            is_slow: self.pace(receiver) == Some(Pace::Slow),
        };
        self.in_flight.insert(id.to_owned(), in_flight);
        true
    }

    /// `answered`: the receiver did, whatever it said.
    pub fn end(&mut self, id: &str, answered: bool) {
        if let Some(in_flight) = self.in_flight.remove(id) {
            let pace = match answered && in_flight.began.elapsed() < PROMPT {
                true => Pace::Prompt,
                false => Pace::Slow,
            };
            self.note(in_flight.receiver, pace);
        }
    }

    /// Deliveries whose ends are not known are forgotten.
    pub fn forget_in_flight(&mut self) {
        self.in_flight.clear();
    }

    /// What may be claimed now: of prompt receivers, of unknown ones, and of slow ones.
    pub fn shares(&mut self) -> Vec<Share> {
        self.find_slow();
        let slow = self.in_flight.values().filter(|it| it.is_slow).count();
        let quick = self.in_flight.len() - slow;
        let room = MOST_IN_FLIGHT.saturating_sub(self.in_flight.len());
        let (prompt_names, mut slow_names) = (self.names(Pace::Prompt), self.names(Pace::Slow));
        let mut known = [&prompt_names[..], &slow_names].concat();
        known.extend(self.full_hosts(false));
        let full = self.full_hosts(true);
        slow_names.retain(|name| !full.contains(host_of(name)));
        let shares = [
            Share {
                limit: (PLACES + PROMPT_PLACES).saturating_sub(quick),
                names: prompt_names,
                is_only: true,
            },
            Share {
                limit: PLACES.saturating_sub(quick).min(room),
                names: known,
                is_only: false,
            },
            Share {
                limit: SLOW_PLACES.saturating_sub(slow).min(room),
                names: slow_names,
                is_only: true,
            },
        ];
        let can_be_claimed =
            |share: &Share| share.limit > 0 && !(share.is_only && share.names.is_empty());
        shares.into_iter().filter(can_be_claimed).collect()
    }

    /// When the next delivery that is under way makes its receiver slow, and with that gives its place to others.
    pub fn next_slow_at(&self) -> Option<Instant> {
        let quick = self.in_flight.values().filter(|it| !it.is_slow);
        quick.map(|it| it.began + PROMPT).min()
    }

    fn find_slow(&mut self) {
        let mut slow = Vec::new();
        for in_flight in self.in_flight.values_mut().filter(|it| !it.is_slow) {
            if in_flight.began.elapsed() >= PROMPT {
                in_flight.is_slow = true;
                slow.push(in_flight.receiver.clone());
            }
        }
        for receiver in slow {
            self.note(receiver, Pace::Slow);
        }
    }

    /// Hosts to which as many are under way as may be, of the slow ones or of the quick.
    fn full_hosts(&self, is_slow: bool) -> HashSet<String> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for in_flight in self.in_flight.values().filter(|it| it.is_slow == is_slow) {
            *counts.entry(host_of(&in_flight.receiver)).or_default() += 1;
        }
        let full = counts.into_iter().filter(|(_, count)| *count >= PER_HOST);
        full.map(|(host, _)| host.to_owned()).collect()
    }

    fn pace(&self, receiver: &str) -> Option<Pace> {
        let (pace, seen) = self.paces.get(receiver)?;
        (seen.elapsed() < MEMORY).then_some(*pace)
    }

    fn names(&self, pace: Pace) -> Vec<String> {
        let known = self.paces.iter();
        let known = known.filter(|(_, (is, seen))| *is == pace && seen.elapsed() < MEMORY);
        known.map(|(name, _)| name.clone()).collect()
    }

    fn note(&mut self, receiver: String, pace: Pace) {
        self.paces.insert(receiver, (pace, Instant::now()));
        if self.paces.len() > MOST_KNOWN {
            // Rarely, so that not every delivery looks at all of them.
            let mut seen: Vec<Instant> = self.paces.values().map(|(_, seen)| *seen).collect();
            seen.sort_unstable();
            let middle = seen[seen.len() / 2];
            self.paces.retain(|_, (_, seen)| *seen > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(receivers: &mut Receivers, count: usize, name: impl Fn(usize) -> String) {
        for index in 0..count {
            let name = name(index);
            assert!(receivers.begin(&format!("{name} {index}"), &name));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_hang_make_room_for_others_and_keep_places_of_their_own() {
        let mut receivers = Receivers::default();
        begun(&mut receivers, PLACES, |index| {
            format!("h{index}.example/hook")
        });
        assert!(receivers.shares().is_empty(), "all places are taken");
        tokio::time::advance(PROMPT).await;
        let shares = receivers.shares();
        // Of unknown ones; the places of the slow ones are taken by then.
        assert_eq!(shares.len(), 1);
        let claim = shares[0].claim();
        assert_eq!(claim.limit as usize, PLACES);
        let Names::AllBut(names) = claim.to else {
            panic!("it names the only ones");
        };
        assert_eq!(names.len(), PLACES);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_answered_lately_has_a_place_beside_all_others() {
        let mut receivers = Receivers::default();
        receivers.begin("1", "good.example/hook");
        receivers.end("1", true);
        begun(&mut receivers, PLACES, |index| {
            format!("h{index}.example/hook")
        });
        let shares = receivers.shares();
        let claim = shares[0].claim();
        assert_eq!(claim.limit as usize, PROMPT_PLACES);
        assert!(matches!(claim.to, Names::Only([name]) if name == "good.example/hook"));
        tokio::time::advance(MEMORY).await;
        assert!(!receivers.shares()[0].is_only, "it is remembered for ever");
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_of_which_many_hang_is_left_out() {
        let mut receivers = Receivers::default();
        begun(&mut receivers, PER_HOST, |index| {
            format!("one.example/{index}")
        });
        let shares = receivers.shares();
        let Names::AllBut(names) = shares[0].claim().to else {
            panic!("it names the only ones");
        };
        assert_eq!(names, ["one.example"]);
        assert!(
            !receivers.begin("one.example/0 0", "one.example/0"),
            "it was sent twice"
        );
    }
}
