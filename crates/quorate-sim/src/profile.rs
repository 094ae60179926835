use crate::faults::FaultWeights;
use crate::network::MessageRates;
use crate::{BrokenRule, FaultKind, Selection};
use quorate_core::Random;
use quorate_replica::LeaseTerms;
use std::time::Duration;

/// How one history is made: drawn from its seed, so that histories differ in kind.
#[derive(Clone, Debug)]
pub struct Profile {
    /// How many nodes the group has, 1 to 5.
    pub nodes: u16,
    /// How long faults and clients go on; then everything is repaired and the group must converge.
    pub duration: Duration,
    /// How many operations of clients there are at least, and how many faults: a history in which less has
    /// happened goes on beyond its duration.
    pub operations_min: u64,
    /// As [`operations_min`](Self::operations_min).
    pub faults_min: u64,
    /// How many clients there are.
    pub clients: u16,
    /// The rule that is broken, if any.
    pub broken: Option<BrokenRule>,
    /// The engines keep their rows in redb files on the nodes' disks.
    pub(crate) engine_on_redb: bool,
    /// Replicas pass their clients' writes on to the master.
    pub(crate) forwards_writes: bool,
    /// Writes that ask for less than synced copies on a quorum, in chances of a thousand.
    pub(crate) relaxed: u64,
    pub(crate) messages: MessageRates,
    /// How long every message is under way beyond what is usual, of the kind that nobody calls a fault: the nodes are far apart.
    pub(crate) distance: Duration,
    /// Mean time between faults of nodes, links and disks; zero for none at all.
    pub(crate) fault_interval: Duration,
    /// What a fault is, by weight.
    pub(crate) weights: FaultWeights,
    /// The faults that are left in; all of them if there is no selection.
    pub only: Option<Selection>,
    /// How far clocks may be off, in thousandths.
    pub(crate) skew_per_mille: u64,
    /// The leases that masters read by, if they do.
    pub(crate) lease: Option<LeaseTerms>,
}

impl Profile {
    /// The profile of an ordinary history.
    #[must_use]
    pub fn drawn(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x5851_f42d_4c95_7f2d);
        let nodes = [3, 3, 3, 3, 5, 5, 5, 4, 2, 1][random.below(10) as usize];
        let relaxed = [0, 0, 150, 400][random.below(4) as usize];
        let rough = random.below(4);
        let engine_on_redb = random.below(4) == 0;
        let forwards_writes = random.below(2) == 0;
        let mut profile = Self {
            nodes,
            duration: Duration::from_secs(120),
            operations_min: 2_000,
            faults_min: 20,
            clients: 4,
            broken: None,
            engine_on_redb,
            forwards_writes,
            relaxed,
            messages: MessageRates {
                loss: random.below(4) * rough,
                duplication: random.below(8) * rough,
                reordering: random.below(8) * rough,
                delay: random.below(3) * rough,
            },
            fault_interval: Duration::from_millis(1_000 + random.below(3_000)),
            weights: FaultWeights::of(&[
                (FaultKind::Crash, 2 + random.below(8)),
                (FaultKind::CrashInStorage, 2 + random.below(8)),
                (FaultKind::PowerLoss, 2 + random.below(8)),
                (FaultKind::PowerLossOfAll, random.below(4)),
                (FaultKind::LinkReset, 2 + random.below(6)),
                (FaultKind::Partition, 2 + random.below(6)),
                (FaultKind::OneWayPartition, random.below(6)),
                (FaultKind::BridgePartition, random.below(6)),
                (FaultKind::Pause, 2 + random.below(4)),
                (FaultKind::SlowDisk, 2 + random.below(4)),
                (FaultKind::DiskFull, random.below(4)),
                (FaultKind::SyncFailure, random.below(4)),
                (FaultKind::LogRot, random.below(8)),
                (FaultKind::MisplacedWrite, random.below(8)),
                (FaultKind::StateRot, random.below(4)),
                (FaultKind::StaleCopy, random.below(3)),
                (FaultKind::ClockJump, random.below(2)),
                (FaultKind::EngineRot, if engine_on_redb { random.below(4) } else { 0 }),
            ]),
            only: None,
            skew_per_mille: [0, 10, 50][random.below(3) as usize],
            lease: None,
            distance: Duration::ZERO,
        };
        profile.lease = profile.lease_of([0, 0, 300, 500, 1_000][random.below(5) as usize]);
        if random.below(8) == 0 {
            profile.distance = Duration::from_millis(20 + random.below(280));
        }
        profile
    }

    /// Leases of so many milliseconds, which trust clocks no further than they are off here; none of zero.
    pub(crate) fn lease_of(&self, millis: u64) -> Option<LeaseTerms> {
        let terms = LeaseTerms {
            span: Duration::from_millis(millis),
            drift_per_mille: u16::try_from(self.skew_per_mille).unwrap_or(u16::MAX),
        };
        (millis > 0).then_some(terms)
    }

    /// A profile in which nothing goes wrong, and no process that ended is started again of itself.
    pub(crate) fn calm(nodes: u16) -> Self {
        Self {
            nodes,
            clients: 4,
            broken: None,
            engine_on_redb: false,
            forwards_writes: false,
            relaxed: 0,
            messages: MessageRates::default(),
            fault_interval: Duration::ZERO,
            skew_per_mille: 0,
            lease: None,
            distance: Duration::ZERO,
            ..Self::drawn(0)
        }
    }

    /// Whether the fault of this number is left in.
    pub(crate) fn has_strike(&self, number: usize) -> bool {
        self.only.as_ref().is_none_or(|only| only.strikes.contains(&number))
    }

    /// Whether faults of this kind, which has a rate, are left in.
    pub(crate) fn has_ambient(&self, kind: FaultKind) -> bool {
        self.only.as_ref().is_none_or(|only| only.ambient.contains(&kind))
    }

    /// How often messages suffer from what is left in.
    pub(crate) fn selected_rates(&self) -> MessageRates {
        let rate = |kind, rate| if self.has_ambient(kind) { rate } else { 0 };
        MessageRates {
            loss: rate(FaultKind::Loss, self.messages.loss),
            duplication: rate(FaultKind::Duplication, self.messages.duplication),
            reordering: rate(FaultKind::Reordering, self.messages.reordering),
            delay: rate(FaultKind::Delay, self.messages.delay),
        }
    }
}
