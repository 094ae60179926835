mod granting;
mod patience;

use crate::lease::Grants;
use crate::timing::RoundTrips;
use crate::{ElectionMessage, LeaseTerms, PhiAccrualDetector, Promise, Timing, choose, is_certificate};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;
use quorate_core::{EntryId, NodeId, NodeSet, QuorumSystem, Random, Term, Time};

/// How patient a voter is.
#[derive(Clone, Debug)]
pub struct ElectionConfig {
    /// The voter.
    pub me: NodeId,
    /// How often a master sends heartbeats, at most: less often where a round trip takes longer ([`Timing`]).
    pub heartbeat_interval: Duration,
    /// How long a voter waits for a ballot to end before it thinks of another one, at least: longer where a round trip takes more than a tenth of it.
    pub election_timeout: Duration,
    /// The phi at which silence is taken for death; higher is more patient.
    pub phi_threshold: f64,
    /// The leases that this voter grants; none if there are none.
    pub lease: Option<LeaseTerms>,
    /// Seed of the jitter.
    pub seed: u64,
    /// A rule to break, so that a checker can be seen to notice.
    #[cfg(feature = "mutations")]
    pub mutation: Option<crate::Mutation>,
}

impl ElectionConfig {
    /// A voter of a group whose master sends a heartbeat every 100 ms, which waits a second for a ballot and is wrong about silence once in
    /// a hundred million heartbeats. Give each voter a seed of its own.
    #[must_use]
    pub const fn new(me: NodeId, seed: u64) -> Self {
        Self {
            me,
            heartbeat_interval: Duration::from_millis(100),
            election_timeout: Duration::from_secs(1),
            phi_threshold: 8.0,
            lease: None,
            seed,
            #[cfg(feature = "mutations")]
            mutation: None,
        }
    }
}

/// What a voter has to show at one moment. The node tells it with every call; nothing of it is kept.
pub struct Standing<'a> {
    /// The electable nodes.
    pub electable: &'a NodeSet,
    /// How they decide.
    pub quorums: &'a dyn QuorumSystem,
    /// The last entry handed to the log writer.
    pub rank: Option<EntryId>,
    /// This node's priority, at least 1.
    pub priority: u32,
    /// Links to a write quorum stand.
    pub reaches_write_quorum: bool,
    /// This node may have lost entries that it acknowledged.
    pub recovering: bool,
    /// This node cannot read some of its entries.
    pub damaged: bool,
    /// This node has heard who founded the group, or founds it; without that it takes part in nothing.
    pub founded: bool,
}

/// What the shell must do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Make this promise durable before anything that follows.
    Persist {
        /// The term promised.
        promised: Term,
    },
    /// Send a message; it may be lost.
    Send {
        /// The receiver.
        to: NodeId,
        /// The message.
        message: ElectionMessage,
    },
    /// This node leads `term` from now on.
    Win {
        /// The term.
        term: Term,
    },
    /// Something to tell an operator.
    Event(ElectionEvent),
}

/// What an operator may want to know of elections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElectionEvent {
    /// The others are asked whether they suspect the master too.
    CanvassBegan,
    /// A ballot was proposed.
    BallotBegan {
        /// Its term.
        term: Term,
    },
    /// A node was nominated.
    Nominated {
        /// The ballot's term.
        term: Term,
        /// The node.
        node: NodeId,
    },
    /// A ballot was due, and there is none: the last round was heard of, which no correct node proposes.
    NoBallotLeft {
        /// The highest term heard of.
        highest: Term,
    },
}

/// One voter's part in elections: what it promises, when it proposes, and whether it leads.
///
/// - Put events in with [`receive`](Self::receive), [`heartbeat`](Self::heartbeat), [`master_gone`](Self::master_gone), [`ballot`](Self::ballot)
///   and [`expire`](Self::expire) (when [`deadline`](Self::deadline) has come).
/// - Before anything of a master is accepted, ask [`accept`](Self::accept).
/// - Take effects out with [`poll`](Self::poll) until it is empty, and carry them out in order.
#[derive(Debug)]
pub struct Election {
    config: ElectionConfig,
    random: Random,
    promised: Term,
    /// The promise made in this run of the process, and with which rank: only it gives the right to lead.
    own_promise: Option<Promise>,
    /// The last nomination taken in this run.
    taken: Term,
    /// The highest term heard of anywhere.
    highest_seen: Term,
    detector: PhiAccrualDetector,
    /// When the present silence of the master will be taken for its death.
    suspect_at: Option<Time>,
    master: Master,
    phase: Phase,
    nonce: u64,
    /// When the latest canvasses began, by their nonces: late answers measure too.
    canvasses: VecDeque<(u64, Time)>,
    round_trips: RoundTrips,
    /// How long as many voters take to answer this one as elections and commits need.
    measured: Duration,
    /// How long they take to answer the master, as it says.
    told: Duration,
    /// Hard evidence says that the master is dead: the canvass is repeated quickly, this many more times.
    eager_canvasses: u32,
    grants: Grants,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Master {
    None,
    Other,
    Me,
}

#[derive(Debug)]
enum Phase {
    /// Nothing under way; a canvass begins at `canvass_at` unless a master is heard.
    Waiting { canvass_at: Time },
    /// `counting` are those who agreed and whose promises would count.
    Canvassing { agreed: NodeSet, counting: NodeSet, answered: NodeSet, until: Time },
    /// `expected` said in the canvass that they would answer; without them the ballot is judged at `judge_at`.
    Preparing { term: Term, promises: Vec<Promise>, expected: NodeSet, judge_at: Time, until: Time },
}

/// How many quick canvasses follow hard evidence of the master's death.
const EAGER_CANVASSES: u32 = 16;
/// How long each of them waits for answers, at least.
const EAGER_PATIENCE: Duration = Duration::from_millis(20);

impl Election {
    /// A voter that starts `now` and had promised `promised`.
    #[must_use]
    pub fn new(config: ElectionConfig, promised: Term, now: Time) -> Self {
        let mut random = Random::new(config.seed);
        let detector = PhiAccrualDetector::new(config.heartbeat_interval, config.heartbeat_interval / 2);
        let canvass_at = now + config.heartbeat_interval + jitter(&mut random, config.heartbeat_interval);
        Self {
            random,
            promised,
            own_promise: None,
            taken: Term::ZERO,
            highest_seen: promised,
            detector,
            suspect_at: None,
            master: Master::None,
            phase: Phase::Waiting { canvass_at },
            nonce: 0,
            canvasses: VecDeque::new(),
            round_trips: RoundTrips::default(),
            measured: Duration::ZERO,
            told: Duration::ZERO,
            eager_canvasses: 0,
            grants: Grants::default(),
            outputs: VecDeque::new(),
            config,
        }
    }

    /// Has the first canvass begin `now`, or when the leases end that this voter has granted: nobody else can be
    /// master, so there is none to be heard of first. To be called before anything else.
    pub fn begin_at_once(&mut self, now: Time) {
        self.phase = Phase::Waiting { canvass_at: self.after_lease(now) };
    }

    /// What this voter has promised: nothing below it is accepted.
    #[must_use]
    pub const fn promised(&self) -> Term {
        self.promised
    }

    /// The next effect, in the order in which they must be carried out.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`expire`](Self::expire) has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        match &self.phase {
            Phase::Waiting { canvass_at } => match self.master {
                Master::Me => None,
                Master::Other => self.suspect_at,
                Master::None => Some(*canvass_at),
            },
            Phase::Canvassing { until, .. } => Some(*until),
            Phase::Preparing { judge_at, until, .. } => Some(*judge_at.min(until)),
        }
    }

    /// Whether this node leads, or hears a master that it does not suspect.
    #[must_use]
    pub fn hears_master(&self, now: Time) -> bool {
        match self.master {
            Master::None => false,
            Master::Me => true,
            Master::Other => self.suspect_at.is_none_or(|at| now < at),
        }
    }

    /// Accepts something of the master of `term`, or says what is promised instead. A higher promise is made durable first.
    ///
    /// # Errors
    /// The promise that forbids it.
    pub fn accept(&mut self, term: Term) -> Result<(), Term> {
        if term < self.promised {
            return Err(self.promised);
        }
        if !breaks!(self.config.mutation, AcceptedTermNotPromised) {
            self.raise_promise(term);
        }
        Ok(())
    }

    /// The master of an accepted term was heard, which finds that answers take `round_trip` ([`Timing::round_trip`]).
    pub fn heartbeat(&mut self, now: Time, round_trip: Duration) {
        if self.master == Master::None {
            self.detector.clear();
        }
        self.master = Master::Other;
        self.eager_canvasses = 0;
        self.told = round_trip;
        let interval = Timing::new(self.config.heartbeat_interval, Duration::ZERO)
            .with_round_trip(round_trip)
            .heartbeat_interval();
        self.detector.expect(interval, interval / 2);
        self.detector.heartbeat(now);
        self.suspect_at = self.detector.deadline(self.config.phi_threshold);
        self.wait(now);
    }

    /// The master's process is known to be gone: no suspicion is needed.
    pub fn master_gone(&mut self, now: Time) {
        if self.master != Master::Other {
            return;
        }
        self.master = Master::None;
        self.detector.clear();
        self.eager_canvasses = EAGER_CANVASSES;
        self.wait(now);
    }

    /// This node no longer leads.
    pub fn step_down(&mut self, now: Time) {
        self.master = Master::None;
        self.detector.clear();
        self.wait(now);
    }

    /// Proposes a ballot at once, without canvass. Nothing comes of it while a lease runs that this voter has granted.
    pub fn ballot(&mut self, now: Time, standing: &Standing<'_>) {
        if self.may_propose(standing) && !self.is_bound(now) {
            self.master = Master::None;
            self.propose(now, standing, standing.electable.clone());
        }
    }

    /// A promise above everything known here was heard of.
    pub fn saw(&mut self, term: Term) {
        self.highest_seen = self.highest_seen.max(term);
    }

    /// Does what is due.
    pub fn expire(&mut self, now: Time, standing: &Standing<'_>) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match &self.phase {
            Phase::Waiting { .. } if self.master == Master::Other => {
                self.master = Master::None;
                self.detector.clear();
                self.canvass(now, standing);
            }
            Phase::Waiting { .. } => self.canvass(now, standing),
            Phase::Preparing { until, .. } if now < *until => self.judge(now, standing),
            Phase::Canvassing { .. } | Phase::Preparing { .. } => self.wait(now),
        }
    }

    /// A message of another voter.
    pub fn receive(&mut self, now: Time, standing: &Standing<'_>, from: NodeId, message: ElectionMessage) {
        if !standing.founded || !standing.electable.contains(from) {
            return;
        }
        match message {
            ElectionMessage::Canvass { nonce } => self.answer_canvass(now, standing, from, nonce),
            ElectionMessage::CanvassReply { nonce, agrees, promised, recovering } => {
                self.saw(promised);
                self.count_canvass(now, standing, from, nonce, agrees, recovering);
            }
            ElectionMessage::Prepare { term } => self.answer_prepare(now, standing, from, term),
            ElectionMessage::Promise(promise) => self.count_promise(now, standing, from, promise),
            ElectionMessage::Refusal { refused, promised } => self.take_refusal(now, refused, promised),
            ElectionMessage::Nomination { term, certificate } => {
                self.take_nomination(standing, term, &certificate)
            }
        }
    }

    /// A recovering node may propose: it has not lost its promises, and its own promise counts for nothing.
    fn may_propose(&self, standing: &Standing<'_>) -> bool {
        standing.founded && standing.electable.contains(self.config.me)
    }

    fn wait(&mut self, now: Time) {
        let election_timeout = self.timing().election_timeout();
        let pause = if self.eager_canvasses > 0 {
            jitter(&mut self.random, Duration::from_millis(2))
                + Duration::from_millis(if self.eager_canvasses == EAGER_CANVASSES { 0 } else { 10 })
        } else {
            election_timeout / 2 + jitter(&mut self.random, election_timeout)
        };
        self.phase = Phase::Waiting { canvass_at: self.after_lease(now + pause) };
    }

    fn canvass(&mut self, now: Time, standing: &Standing<'_>) {
        if !self.may_propose(standing) {
            return self.wait(now);
        }
        if self.is_bound(now) {
            return self.wait_for_lease(now);
        }
        if breaks!(self.config.mutation, CanvassSkipped) {
            return self.propose(now, standing, standing.electable.clone());
        }
        self.nonce += 1;
        let eager = self.eager_canvasses > 0;
        self.eager_canvasses = self.eager_canvasses.saturating_sub(1);
        let timing = self.timing();
        let patience =
            if eager { EAGER_PATIENCE.max(timing.round_trip() * 2) } else { timing.election_timeout() / 2 };
        self.canvass_began(now);
        let me: NodeSet = [self.config.me].into_iter().collect();
        let counting = if standing.recovering { NodeSet::new() } else { me.clone() };
        self.phase = Phase::Canvassing { agreed: me.clone(), counting, answered: me, until: now + patience };
        self.event(ElectionEvent::CanvassBegan);
        self.send_to_others(standing, &ElectionMessage::Canvass { nonce: self.nonce });
        self.judge_canvass(now, standing);
    }

    fn answer_canvass(&mut self, now: Time, standing: &Standing<'_>, from: NodeId, nonce: u64) {
        if standing.electable.contains(self.config.me) {
            let (agrees, promised, recovering) =
                (!self.hears_master(now) && !self.is_bound(now), self.promised, standing.recovering);
            self.send(from, ElectionMessage::CanvassReply { nonce, agrees, promised, recovering });
        }
    }

    fn count_canvass(
        &mut self,
        now: Time,
        standing: &Standing<'_>,
        from: NodeId,
        nonce: u64,
        agrees: bool,
        recovering: bool,
    ) {
        self.canvass_answered(now, standing, from, nonce);
        if let Phase::Canvassing { agreed, counting, answered, .. } = &mut self.phase
            && nonce == self.nonce
        {
            answered.insert(from);
            if agrees {
                agreed.insert(from);
            }
            if agrees && !recovering {
                counting.insert(from);
            }
            self.judge_canvass(now, standing);
        }
    }

    fn judge_canvass(&mut self, now: Time, standing: &Standing<'_>) {
        let Phase::Canvassing { agreed, counting, answered, .. } = &self.phase else { return };
        // A ballot that could elect nobody is not worth a term.
        let could_elect =
            standing.quorums.is_election_quorum(counting) || agreed.len() == standing.electable.len();
        if could_elect && standing.quorums.is_write_quorum(answered) {
            let expected = answered.clone();
            self.propose(now, standing, expected);
        } else if answered.len() == standing.electable.len() {
            self.wait(now);
        }
    }

    fn propose(&mut self, now: Time, standing: &Standing<'_>, expected: NodeSet) {
        let highest = self.highest_seen.max(self.promised);
        let Some(term) = highest.above(self.config.me) else {
            self.event(ElectionEvent::NoBallotLeft { highest });
            return self.wait(now);
        };
        self.event(ElectionEvent::BallotBegan { term });
        let own = self.promise(standing, term);
        let timing = self.timing();
        let until = now + timing.election_timeout();
        let patience = timing.heartbeat_interval().min(timing.election_timeout() / 4);
        let judge_at = now + patience.max(timing.round_trip() * 2);
        self.phase = Phase::Preparing { term, promises: alloc::vec![own], expected, judge_at, until };
        self.send_to_others(standing, &ElectionMessage::Prepare { term });
        self.judge_if_complete(now, standing);
    }

    fn answer_prepare(&mut self, now: Time, standing: &Standing<'_>, from: NodeId, term: Term) {
        self.saw(term);
        if !standing.electable.contains(self.config.me) || term.proposer() != from {
            return;
        }
        if term <= self.promised {
            // A second copy of a prepare that was answered gets no second answer: the first may still be on its way.
            if term < self.promised {
                self.send(from, ElectionMessage::Refusal { refused: term, promised: self.promised });
            }
            return;
        }
        if self.is_bound(now) {
            return;
        }
        let promise = self.promise(standing, term);
        self.master = Master::None;
        self.detector.clear();
        self.eager_canvasses = 0;
        self.wait(now);
        self.send(from, ElectionMessage::Promise(promise));
    }

    /// Whoever asks has seen to it that no lease binds this voter.
    fn promise(&mut self, standing: &Standing<'_>, term: Term) -> Promise {
        self.raise_promise(term);
        let promise = Promise {
            voter: self.config.me,
            term,
            rank: standing.rank,
            priority: standing.priority,
            reaches_write_quorum: standing.reaches_write_quorum,
            recovering: standing.recovering,
            damaged: standing.damaged,
        };
        self.own_promise = Some(promise.clone());
        promise
    }

    fn raise_promise(&mut self, term: Term) {
        if term > self.promised {
            self.promised = term;
            self.highest_seen = self.highest_seen.max(term);
            self.outputs.push_back(Output::Persist { promised: term });
        }
    }

    fn count_promise(&mut self, now: Time, standing: &Standing<'_>, from: NodeId, promise: Promise) {
        let Some(ballot) = self.ballot_under_way() else { return };
        if self.belongs_to(&promise, ballot)
            && let Phase::Preparing { promises, .. } = &mut self.phase
            && promise.voter == from
            && promises.iter().all(|counted| counted.voter != from)
        {
            promises.push(promise);
            self.judge_if_complete(now, standing);
        }
    }

    const fn ballot_under_way(&self) -> Option<Term> {
        match &self.phase {
            Phase::Preparing { term, .. } => Some(*term),
            _ => None,
        }
    }

    fn judge_if_complete(&mut self, now: Time, standing: &Standing<'_>) {
        if let Phase::Preparing { promises, expected, .. } = &self.phase
            && expected.iter().all(|node| promises.iter().any(|promise| promise.voter == node))
        {
            self.judge(now, standing);
        }
    }

    /// Nominates, if the promises elect somebody; else goes on waiting for more of them.
    fn judge(&mut self, now: Time, standing: &Standing<'_>) {
        let Phase::Preparing { term, promises, expected, judge_at, until } = &mut self.phase else { return };
        let Some(candidate) = choose(promises, standing.electable, standing.quorums) else {
            // From here on every further promise is judged, whoever is still silent.
            *judge_at = *until;
            *expected = NodeSet::new();
            return;
        };
        let (term, certificate) = (*term, core::mem::take(promises));
        self.event(ElectionEvent::Nominated { term, node: candidate.node });
        self.wait(now);
        if candidate.node == self.config.me {
            self.take_nomination(standing, term, &certificate);
        } else {
            self.send(candidate.node, ElectionMessage::Nomination { term, certificate });
        }
    }

    fn take_refusal(&mut self, now: Time, refused: Term, promised: Term) {
        self.saw(promised);
        if let Phase::Preparing { term, .. } = &self.phase
            && *term == refused
            && promised > *term
        {
            self.wait(now);
        }
    }

    fn take_nomination(&mut self, standing: &Standing<'_>, term: Term, certificate: &[Promise]) {
        let is_taken_anyway = breaks!(self.config.mutation, NominationTakenTwice) && term >= self.promised;
        if is_taken_anyway || self.may_lead(standing, term, certificate) {
            self.lead(term);
        }
    }

    /// The term is the last one promised, in this run of the process and with the log as it is; no nomination for it has been taken; and the
    /// certificate holds.
    fn may_lead(&self, standing: &Standing<'_>, term: Term, certificate: &[Promise]) -> bool {
        let Some(own) = self.own_promise.as_ref().filter(|own| own.term == term) else { return false };
        term == self.promised
            && self.taken < term
            && own.rank == standing.rank
            && certificate.contains(own)
            && certificate.iter().all(|promise| self.belongs_to(promise, term))
            && is_certificate(certificate, own.rank, standing.electable, standing.quorums)
    }

    fn belongs_to(&self, promise: &Promise, ballot: Term) -> bool {
        promise.term == ballot || breaks!(self.config.mutation, PromiseOfAnotherBallotCounts)
    }

    fn lead(&mut self, term: Term) {
        self.taken = term;
        self.master = Master::Me;
        self.told = Duration::ZERO;
        self.detector.clear();
        self.outputs.push_back(Output::Win { term });
    }

    fn send_to_others(&mut self, standing: &Standing<'_>, message: &ElectionMessage) {
        let me = self.config.me;
        for node in standing.electable.iter().filter(|node| *node != me) {
            self.send(node, message.clone());
        }
    }

    fn send(&mut self, to: NodeId, message: ElectionMessage) {
        self.outputs.push_back(Output::Send { to, message });
    }

    fn event(&mut self, event: ElectionEvent) {
        self.outputs.push_back(Output::Event(event));
    }
}

fn jitter(random: &mut Random, span: Duration) -> Duration {
    Duration::from_nanos(random.below(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
}
