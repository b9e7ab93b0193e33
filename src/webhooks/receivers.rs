//! What is known of receivers, and which of them may be sent more: none delays another, however many hang.
//!
//! Places are for deliveries at the same time. Receivers that answer at once, those of which nothing is known, and those
//! that were slow have places of their own. So have webhooks that were never sent, as long as nothing bad is known of
//! their receivers: a start with thousands of old ones to be tried again does not delay them.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::jobs::backend::{Receivers as Names, WebhookClaim};

/// Within which a receiver answers that is not slow.
pub const PROMPT: Duration = Duration::from_secs(2);

/// How long a receiver counts as what it was seen to be.
const MEMORY: Duration = Duration::from_secs(600);
const MOST_KNOWN: usize = 10_000;

const PROMPT_PLACES: usize = 256;
const NEW_PLACES: usize = 64;
const UNKNOWN_PLACES: usize = 128;
const SLOW_PLACES: usize = 192;

/// Of the places for one host, in each kind.
const PER_HOST: u32 = 16;

/// Those that take too long count as slow from then on, and may be more than there are places. With so many in flight,
/// only new webhooks and prompt receivers are served.
const MANY: usize = 512;

/// And with so many, none.
pub const MOST_IN_FLIGHT: usize = 1280;

/// How a delivery ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The receiver answered, whatever it said.
    pub answered: bool,
    pub took: Duration,
}

/// Failures at once of a receiver that answered before, as while it is started again, that say nothing about it.
const FORGIVEN: u32 = 3;

/// What a receiver was seen to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Prompt,
    /// It answers, but not at once; or it did answer at once, and then did not.
    Late,
    Silent,
}

struct Known {
    pace: Pace,
    /// At once, and one after the other.
    failures: u32,
    seen: Instant,
    /// When it was last sent something.
    tried: Instant,
}

/// Which places a delivery takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Prompt,
    New,
    Unknown,
    Slow,
}

struct InFlight {
    receiver: String,
    kind: Kind,
    began: Instant,
    /// `false`: its result is being recorded, which takes no place.
    is_being_sent: bool,
}

#[derive(Default)]
pub struct Receivers {
    known: HashMap<String, Known>,
    /// By the ids of webhooks.
    in_flight: HashMap<String, InFlight>,
}

/// Which receivers a claim is for, and for how many webhooks.
pub struct Share {
    pub kind: Kind,
    limit: usize,
    names: Vec<String>,
}

impl Share {
    pub fn claim(&self) -> WebhookClaim<'_> {
        let (to, per_receiver) = match self.kind {
            Kind::Prompt => (Names::Only(&self.names), 8),
            Kind::New => (Names::NewBut(&self.names), 8),
            Kind::Unknown => (Names::AllBut(&self.names), 1),
            Kind::Slow => (Names::Only(&self.names), 4),
        };
        WebhookClaim {
            limit: u32::try_from(self.limit).unwrap_or(u32::MAX),
            per_receiver,
            per_host: PER_HOST,
            to,
        }
    }
}

impl Receivers {
    /// A claim has lapsed meanwhile: that is no reason to send a webhook twice. `false`: it is in flight.
    pub fn begin(&mut self, id: &str, receiver: &str, kind: Kind) -> bool {
        if self.in_flight.contains_key(id) {
            return false;
        }
        let began = Instant::now();
        if let Some(known) = self.known.get_mut(receiver) {
            known.tried = began;
        }
        let in_flight = InFlight {
            receiver: receiver.to_owned(),
            kind,
            began,
            is_being_sent: true,
        };
        self.in_flight.insert(id.to_owned(), in_flight);
        true
    }

    /// It was sent, or could not be.
    pub fn sent(&mut self, id: &str, outcome: Outcome) {
        if let Some(in_flight) = self.in_flight.get_mut(id) {
            in_flight.is_being_sent = false;
            let receiver = in_flight.receiver.clone();
            self.note(receiver, outcome);
        }
    }

    /// It can be claimed again.
    pub fn forget(&mut self, id: &str) {
        self.in_flight.remove(id);
    }

    /// What may be claimed now.
    pub fn shares(&mut self) -> Vec<Share> {
        self.find_slow();
        let prompt = self.names(|pace| pace == Pace::Prompt);
        let slow = self.slow_names();
        let known = [&prompt[..], &slow].concat();
        let count = self.count(|_| true);
        let room = MANY.saturating_sub(count);
        let free_of_new = self.free(Kind::New, NEW_PLACES);
        let most = MOST_IN_FLIGHT.saturating_sub(count);
        let free_of_new = free_of_new.min(most);
        let free_of_prompt = self.free(Kind::Prompt, PROMPT_PLACES);
        let free_of_prompt = free_of_prompt.min(most - free_of_new);
        let free_of_slow = self.free(Kind::Slow, SLOW_PLACES).min(room);
        let free_of_unknown = self.free(Kind::Unknown, UNKNOWN_PLACES);
        let free_of_unknown = free_of_unknown.min(room - free_of_slow);
        let shares = [
            (Kind::Prompt, free_of_prompt, prompt),
            (Kind::New, free_of_new, known.clone()),
            (Kind::Unknown, free_of_unknown, known),
            (Kind::Slow, free_of_slow, slow),
        ];
        let shares = shares
            .into_iter()
            .map(|(kind, limit, names)| Share { kind, limit, names });
        let can_be_claimed = |share: &Share| {
            let is_of_names = matches!(share.kind, Kind::Prompt | Kind::Slow);
            share.limit > 0 && !(is_of_names && share.names.is_empty())
        };
        shares.filter(can_be_claimed).collect()
    }

    /// When the next delivery that is being sent takes too long, and with that gives its place to others.
    pub fn next_slow_at(&self) -> Option<Instant> {
        let sent = self.in_flight.values();
        let quick = sent.filter(|it| it.is_being_sent && it.kind != Kind::Slow);
        quick.map(|it| it.began + PROMPT).min()
    }

    fn find_slow(&mut self) {
        let mut slow = Vec::new();
        for in_flight in self.in_flight.values_mut() {
            let took = in_flight.began.elapsed();
            if in_flight.is_being_sent && in_flight.kind != Kind::Slow && took >= PROMPT {
                in_flight.kind = Kind::Slow;
                slow.push((in_flight.receiver.clone(), took));
            }
        }
        for (receiver, took) in slow {
            let answered = false;
            self.note(receiver, Outcome { answered, took });
        }
    }

    fn free(&self, kind: Kind, places: usize) -> usize {
        places.saturating_sub(self.count(|it| it == kind))
    }

    fn count(&self, is_counted: impl Fn(Kind) -> bool) -> usize {
        let sent = self.in_flight.values().filter(|it| it.is_being_sent);
        sent.filter(|it| is_counted(it.kind)).count()
    }

    /// Those that were tried longest ago come first; late ones and silent ones in turn.
    fn slow_names(&self) -> Vec<String> {
        let late = self.names(|pace| pace == Pace::Late);
        let silent = self.names(|pace| pace == Pace::Silent);
        let mut names = Vec::with_capacity(late.len() + silent.len());
        let (mut late, mut silent) = (late.into_iter(), silent.into_iter());
        loop {
            let before = names.len();
            names.extend(late.next());
            names.extend(silent.next());
            if names.len() == before {
                return names;
            }
        }
    }

    fn names(&self, is_asked_for: impl Fn(Pace) -> bool) -> Vec<String> {
        let known = self.known.iter();
        let known = known.filter(|(_, it)| is_asked_for(it.pace) && it.seen.elapsed() < MEMORY);
        let mut names: Vec<(Instant, &String)> = known.map(|(name, it)| (it.tried, name)).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name.clone()).collect()
    }

    fn note(&mut self, receiver: String, outcome: Outcome) {
        let now = Instant::now();
        let known = self.known.remove(&receiver);
        let known = known.filter(|known| known.seen.elapsed() < MEMORY);
        let was = known.as_ref().map_or(Pace::Silent, |known| known.pace);
        let failures = known.as_ref().map_or(FORGIVEN, |known| known.failures);
        let (pace, failures) = match (outcome.took < PROMPT, outcome.answered) {
            (true, true) => (Pace::Prompt, 0),
            (true, false) if failures < FORGIVEN => (was, failures + 1),
            (false, true) => (Pace::Late, 0),
            (false, false) if was == Pace::Prompt => (Pace::Late, 0),
            (_, false) => (Pace::Silent, FORGIVEN),
        };
        let known = Known {
            pace,
            failures,
            seen: now,
            tried: known.map_or(now, |known| known.tried),
        };
        self.known.insert(receiver, known);
        self.forget_some();
    }

    /// Rarely, so that not every delivery looks at all of them.
    fn forget_some(&mut self) {
        if self.known.len() > MOST_KNOWN {
            let mut seen: Vec<Instant> = self.known.values().map(|known| known.seen).collect();
            seen.sort_unstable();
            let middle = seen[seen.len() / 2];
            self.known.retain(|_, known| known.seen > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const QUICK: Duration = Duration::from_millis(50);

    fn begun(receivers: &mut Receivers, kind: Kind, count: usize) {
        for index in 0..count {
            let name = format!("h{index}.example/hook");
            assert!(receivers.begin(&format!("{kind:?} {name}"), &name, kind));
        }
    }

    fn ended(receivers: &mut Receivers, name: &str, answered: bool, took: Duration) {
        receivers.begin("one", name, Kind::New);
        receivers.sent("one", Outcome { answered, took });
        receivers.forget("one");
    }

    fn kinds(receivers: &mut Receivers) -> Vec<Kind> {
        let shares = receivers.shares();
        shares.iter().map(|share| share.kind).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn unknown_ones_that_hang_make_room_for_others_and_leave_places_for_new_webhooks() {
        let mut receivers = Receivers::default();
        begun(&mut receivers, Kind::Unknown, UNKNOWN_PLACES);
        assert_eq!(kinds(&mut receivers), [Kind::New]);
        tokio::time::advance(PROMPT).await;
        assert_eq!(
            kinds(&mut receivers),
            [Kind::New, Kind::Unknown, Kind::Slow]
        );
        for round in 1..MANY / UNKNOWN_PLACES {
            for index in 0..UNKNOWN_PLACES {
                let name = format!("h{index}.example/{round}");
                receivers.begin(&name, &name, Kind::Unknown);
            }
            tokio::time::advance(PROMPT).await;
        }
        assert_eq!(kinds(&mut receivers), [Kind::New]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_prompt_one_keeps_its_places_unless_it_does_not_answer_in_time() {
        let mut receivers = Receivers::default();
        let name = "good.example/hook";
        ended(&mut receivers, name, true, QUICK);
        let is_prompt = |receivers: &mut Receivers| kinds(receivers)[0] == Kind::Prompt;
        assert!(is_prompt(&mut receivers));
        // It is started again, and refuses connections.
        for _ in 0..FORGIVEN {
            ended(&mut receivers, name, false, QUICK);
            assert!(is_prompt(&mut receivers));
        }
        ended(&mut receivers, name, false, QUICK);
        assert!(!is_prompt(&mut receivers));
        ended(&mut receivers, name, true, QUICK);
        assert!(is_prompt(&mut receivers));
        ended(&mut receivers, name, false, PROMPT);
        assert!(!is_prompt(&mut receivers));
        ended(&mut receivers, name, true, QUICK);
        assert!(is_prompt(&mut receivers));
        tokio::time::advance(MEMORY).await;
        assert!(!is_prompt(&mut receivers), "it is remembered for ever");
    }

    #[tokio::test(start_paused = true)]
    async fn slow_ones_have_their_turns() {
        let mut receivers = Receivers::default();
        for name in ["a", "b", "c"] {
            ended(&mut receivers, name, false, PROMPT);
            tokio::time::advance(QUICK).await;
        }
        ended(&mut receivers, "late", true, PROMPT);
        assert_eq!(receivers.slow_names(), ["late", "a", "b", "c"]);
        tokio::time::advance(QUICK).await;
        receivers.begin("1", "a", Kind::Slow);
        assert_eq!(receivers.slow_names(), ["late", "b", "c", "a"]);
        assert!(!receivers.begin("1", "a", Kind::Slow), "it was sent twice");
    }

    /// For a while: all that may be claimed is begun, of receivers with these manners.
    async fn are_served(seed: &[u8]) -> Result<(), TestCaseError> {
        let mut receivers = Receivers::default();
        let mut ends: Vec<(Instant, String, Outcome)> = Vec::new();
        let mut next = 0_usize;
        for round in 0..60 {
            for share in receivers.shares() {
                for place in 0..share.limit {
                    let byte = seed[next % seed.len()];
                    let name = match share.names.get(place) {
                        Some(name) if matches!(share.kind, Kind::Prompt | Kind::Slow) => {
                            name.clone()
                        }
                        None if matches!(share.kind, Kind::Prompt | Kind::Slow) => break,
                        _ => format!("h{byte}.example/{next}"),
                    };
                    next += 1;
                    let id = next.to_string();
                    prop_assert!(receivers.begin(&id, &name, share.kind));
                    // A third is prompt, a third is late, and a third hangs.
                    let took = [50, 3000, 15_000][usize::from(byte) % 3];
                    let took = Duration::from_millis(took);
                    let answered = took < Duration::from_secs(15);
                    ends.push((Instant::now() + took, id, Outcome { answered, took }));
                }
            }
            let counts = |kind| receivers.count(|it| it == kind);
            prop_assert!(counts(Kind::Prompt) <= PROMPT_PLACES);
            prop_assert!(counts(Kind::New) <= NEW_PLACES);
            prop_assert!(counts(Kind::Unknown) <= UNKNOWN_PLACES);
            prop_assert!(receivers.count(|_| true) <= MOST_IN_FLIGHT, "round {round}");
            tokio::time::advance(Duration::from_millis(250)).await;
            let (over, left) = ends.into_iter().partition(|(at, ..)| *at <= Instant::now());
            ends = left;
            for (_, id, outcome) in over {
                receivers.sent(&id, outcome);
                receivers.forget(&id);
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn places_are_bounded_whatever_receivers_do(seed in vec(any::<u8>(), 1..64)) {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_time().start_paused(true).build();
            runtime.expect("a runtime").block_on(are_served(&seed))?;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_being_recorded_takes_no_place() {
        let mut receivers = Receivers::default();
        begun(&mut receivers, Kind::New, NEW_PLACES);
        assert!(!kinds(&mut receivers).contains(&Kind::New));
        let (answered, took) = (true, QUICK);
        let id = "New h0.example/hook";
        receivers.sent(id, Outcome { answered, took });
        assert!(kinds(&mut receivers).contains(&Kind::New));
        assert!(!receivers.begin(id, "h0.example/hook", Kind::New));
    }
}
