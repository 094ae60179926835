use super::terrain::Terrain;
use quorate_election::Mutation as InElection;
use quorate_env::Mutation as InEngine;
use quorate_log::Mutation as InLog;
use quorate_replica::Mutation as InNode;

/// A rule that a simulated group breaks on purpose, to see that the checkers notice: a mistake that systems
/// of this kind have made, planted where one would make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenRule {
    name: &'static str,
    class: u8,
    planted: Planted,
    terrain: Terrain,
}

/// Where a mistake is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    Node(InNode),
    Log(InLog),
    Engine(InEngine),
}

const fn node(class: u8, name: &'static str, mutation: InNode, terrain: Terrain) -> BrokenRule {
    BrokenRule { name, class, planted: Planted::Node(mutation), terrain }
}

const fn election(class: u8, name: &'static str, mutation: InElection, terrain: Terrain) -> BrokenRule {
    node(class, name, InNode::Election(mutation), terrain)
}

const fn log(class: u8, name: &'static str, mutation: InLog, terrain: Terrain) -> BrokenRule {
    BrokenRule { name, class, planted: Planted::Log(mutation), terrain }
}

const fn engine(class: u8, name: &'static str, mutation: InEngine, terrain: Terrain) -> BrokenRule {
    BrokenRule { name, class, planted: Planted::Engine(mutation), terrain }
}

/// What a script tells.
macro_rules! script {
    ($name:literal) => {
        Terrain::Script(include_str!(concat!("../../scripts/", $name, ".txt")))
    };
}

/// Every rule that can be broken: the number of its class of mistakes, its name, where it is planted, and
/// what it is hunted in.
const RULES: &[BrokenRule] = &[
    node(1, "promise-not-persisted", InNode::PromiseNotStored, Terrain::Elections),
    node(1, "promise-sent-first", InNode::PromiseSentFirst, Terrain::Crashes),
    log(1, "state-not-synced", InLog::StateNotSynced, Terrain::Elections),
    election(
        1,
        "accepted-term-not-promised",
        InElection::AcceptedTermNotPromised,
        script!("s09-accepting-an-append-is-a-promise"),
    ),
    log(2, "sync-skipped", InLog::SyncSkipped, Terrain::Elections),
    log(2, "found-taken-for-durable", InLog::FoundTakenForDurable, Terrain::Crashes),
    node(2, "own-copy-counts-unsynced", InNode::OwnCopyCountsUnsynced, Terrain::Elections),
    log(3, "roll-not-synced", InLog::RollNotSynced, Terrain::RelaxedWrites),
    log(4, "sync-tried-again", InLog::SyncTriedAgain, Terrain::FailingDisks),
    node(5, "durable-counts-handed", InNode::DurableCountsHanded, Terrain::Elections),
    node(6, "older-term-committed-by-counting", InNode::OlderTermCommittedByCounting, Terrain::FiveNodes),
    node(6, "start-not-synced", InNode::StartNotSynced, Terrain::FiveNodes),
    node(7, "half-taken-for-majority", InNode::HalfTakenForMajority, Terrain::FourNodes),
    node(
        8,
        "stale-acknowledgement-counts",
        InNode::StaleAcknowledgementCounts,
        script!("stale-acknowledgement"),
    ),
    node(
        8,
        "acknowledged-after-promise",
        InNode::AcknowledgedAfterPromise,
        script!("s07-append-in-flight-at-the-promise"),
    ),
    election(10, "canvass-skipped", InElection::CanvassSkipped, Terrain::Isolation),
    election(11, "nomination-taken-twice", InElection::NominationTakenTwice, Terrain::Elections),
    election(
        11,
        "promise-of-another-ballot-counts",
        InElection::PromiseOfAnotherBallotCounts,
        script!("promise-of-an-earlier-ballot"),
    ),
    node(12, "read-without-round", InNode::ReadWithoutRound, Terrain::Elections),
    election(12, "promise-during-grant", InElection::PromiseDuringGrant, Terrain::Leases),
    election(
        12,
        "grant-forgotten-at-restart",
        InElection::GrantForgottenAtRestart,
        script!("lease-outlives-the-voters-process"),
    ),
    election(
        12,
        "stale-release-honoured",
        InElection::StaleReleaseHonoured,
        script!("s11-release-of-an-earlier-lease"),
    ),
    node(
        12,
        "lease-counted-from-answer",
        InNode::LeaseCountedFromAnswer,
        script!("s12-grant-that-takes-its-time"),
    ),
    node(12, "lease-without-margin", InNode::LeaseWithoutMargin, script!("s13-clocks-that-drift-apart")),
    node(
        12,
        "grant-of-another-term-counts",
        InNode::GrantOfAnotherTermCounts,
        script!("grant-of-an-earlier-term"),
    ),
    node(14, "applied-taken-for-durable", InNode::AppliedTakenForDurable, Terrain::Elections),
    node(18, "tail-survives-truncation", InNode::TailSurvivesTruncation, Terrain::Elections),
    node(19, "trim-without-all", InNode::TrimWithoutAll, Terrain::Elections),
    log(20, "damage-taken-for-end", InLog::DamageTakenForEnd, Terrain::Rot),
    engine(21, "retry-applied-again", InEngine::RetryAppliedAgain, Terrain::Retries),
    node(22, "read-before-start", InNode::ReadBeforeStart, Terrain::Elections),
    node(
        22,
        "recovery-ends-at-matchpoint",
        InNode::RecoveryEndsAtMatchpoint,
        script!("s03-recovering-ends-too-early"),
    ),
    node(24, "mark-ignored", InNode::MarkIgnored, Terrain::RelaxedWrites),
    node(24, "incarnation-ignored", InNode::IncarnationIgnored, Terrain::EmptyDisk),
    node(25, "matchpoint-by-position", InNode::MatchpointByPosition, Terrain::Elections),
    node(28, "no-backpressure", InNode::NoBackpressure, Terrain::Flood),
];

impl BrokenRule {
    /// Every rule that can be broken, by class.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        RULES
    }

    /// The rule of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        RULES.iter().find(|rule| rule.name == name).copied()
    }

    /// The rule's name, as on the command line and in scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The class of mistakes that it belongs to: the number of a [`BugClass`](super::BugClass).
    #[must_use]
    pub const fn class(self) -> u8 {
        self.class
    }

    pub(crate) const fn terrain(self) -> Terrain {
        self.terrain
    }

    pub(crate) const fn in_node(self) -> Option<InNode> {
        if let Planted::Node(mutation) = self.planted { Some(mutation) } else { None }
    }

    pub(crate) const fn in_log(self) -> Option<InLog> {
        if let Planted::Log(mutation) = self.planted { Some(mutation) } else { None }
    }

    pub(crate) const fn in_engine(self) -> Option<InEngine> {
        if let Planted::Engine(mutation) = self.planted { Some(mutation) } else { None }
    }
}
