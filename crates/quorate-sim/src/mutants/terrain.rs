use super::{BrokenRule, stories};
use crate::checker::Violation;
use crate::faults::FaultWeights;
use crate::network::MessageRates;
use crate::report::catching;
use crate::{FaultKind, Profile, run_profile};
use std::time::Duration;

/// What a planted mistake is hunted in: seeded histories of a kind, or a story made for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Terrain {
    /// Many elections, short lives, writes that ask for synced copies.
    Elections,
    /// As that, among five nodes.
    FiveNodes,
    /// As that, among four nodes.
    FourNodes,
    /// As that, with writes that ask for less.
    RelaxedWrites,
    /// Processes that end at any step, power losses, hardly any partitions.
    Crashes,
    /// Syncs that fail, and power losses.
    FailingDisks,
    /// Bits that flip on disks.
    Rot,
    /// Masters that read by leases, partitions, and clocks that drift apart.
    Leases,
    /// A story: [`stories::isolation`].
    Isolation,
    /// A story: [`stories::empty_disk`].
    EmptyDisk,
    /// A story: [`stories::retries`].
    Retries,
    /// A story: [`stories::flood`].
    Flood,
    /// A script: what it says happens in this order needs more luck than histories have.
    Script(&'static str),
}

impl Terrain {
    /// Plays what a seed makes of this terrain, with the rule broken if there is one.
    pub(crate) fn play(self, seed: u64, broken: Option<BrokenRule>) -> Option<Violation> {
        let story: fn(u64, Option<BrokenRule>) -> Result<(), Violation> = match self {
            Self::Isolation => stories::isolation,
            Self::EmptyDisk => stories::empty_disk,
            Self::Retries => stories::retries,
            Self::Flood => stories::flood,
            Self::Script(script) => {
                return crate::script::play(script, broken).ok().and_then(|played| played.violation);
            }
            _ => {
                let profile = Profile { broken, ..self.profile(seed) };
                return run_profile(seed, profile, false).failure.map(|failure| failure.violation);
            }
        };
        catching(|| story(seed, broken)).err()
    }

    /// The kind of history.
    pub(crate) fn profile(self, seed: u64) -> Profile {
        let mut profile = elections(seed);
        match self {
            Self::FiveNodes => profile.nodes = 5,
            Self::FourNodes => profile.nodes = 4,
            Self::RelaxedWrites => profile.relaxed = 700,
            Self::Crashes => {
                profile.weights = FaultWeights::of(&[
                    (FaultKind::Crash, 8),
                    (FaultKind::CrashInStorage, 2),
                    (FaultKind::PowerLoss, 6),
                    (FaultKind::Partition, 2),
                ]);
            }
            Self::FailingDisks => {
                profile.weights = FaultWeights::of(&[(FaultKind::SyncFailure, 4), (FaultKind::PowerLoss, 4)]);
            }
            Self::Rot => {
                profile.weights = FaultWeights::of(&[(FaultKind::LogRot, 6), (FaultKind::Crash, 2)]);
            }
            Self::Leases => {
                // Many clients: those that wait for a master that is cut off read nothing from it.
                profile.clients = 24;
                profile.skew_per_mille = 50;
                profile.lease = profile.lease_of(1_000);
            }
            Self::Elections
            | Self::Isolation
            | Self::EmptyDisk
            | Self::Retries
            | Self::Flood
            | Self::Script(_) => {}
        }
        profile
    }
}

/// Many elections, short lives.
fn elections(seed: u64) -> Profile {
    let mut profile = Profile::drawn(seed);
    profile.nodes = profile.nodes.max(3);
    profile.duration = Duration::from_secs(60);
    profile.operations_min = 0;
    profile.relaxed = 0;
    profile.fault_interval = Duration::from_millis(400);
    profile.messages = MessageRates { loss: 5, duplication: 40, reordering: 20, delay: 10 };
    profile.weights = FaultWeights::of(&[
        (FaultKind::Crash, 4),
        (FaultKind::CrashInStorage, 2),
        (FaultKind::PowerLoss, 4),
        (FaultKind::PowerLossOfAll, 1),
        (FaultKind::LinkReset, 1),
        (FaultKind::Partition, 6),
        (FaultKind::OneWayPartition, 3),
        (FaultKind::Pause, 1),
        (FaultKind::SlowDisk, 1),
    ]);
    profile
}

impl Profile {
    /// A profile in which `rule` is broken, of the kind of history in which that shows.
    #[must_use]
    pub fn hunting(rule: BrokenRule, seed: u64) -> Self {
        Self { broken: Some(rule), ..rule.terrain().profile(seed) }
    }
}
