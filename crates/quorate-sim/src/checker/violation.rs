use std::fmt;

/// What must hold in every history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A term has one master, in one life of its process.
    OneMasterPerTerm,
    /// The same position and term in two logs mean the same entry, and the same entries before it.
    LogsMatch,
    /// What is committed stays on a write quorum, and in the log of every later master.
    NothingCommittedIsLost,
    /// Engines hold committed entries only, in order, each once.
    NothingUncommittedIsVisible,
    /// A caller was told no more than is true.
    AcknowledgementsHold,
    /// A read shows what it promised to show.
    ReadsHold,
    /// A promise survives its voter's process and machine.
    PromisesSurvive,
    /// A log keeps what it said that it keeps.
    LogsKeep,
    /// A node's watermarks stand in their order.
    WatermarksInOrder,
    /// What clients saw happens in one order, which is that of time.
    ClientsSeeOneOrder,
    /// A group that is left in peace agrees.
    PeaceConverges,
    /// No term grows, and no master goes, by a node that is merely cut off.
    TermsRest,
    /// A request of a session is carried out once, however often it is sent.
    RequestsHappenOnce,
    /// A node refuses what it has no room for.
    LoadIsBounded,
    /// Production code found a bug of its own.
    NoPanic,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneMasterPerTerm => "one master per term",
            Self::LogsMatch => "logs match",
            Self::NothingCommittedIsLost => "nothing committed is lost",
            Self::NothingUncommittedIsVisible => "nothing uncommitted is visible",
            Self::AcknowledgementsHold => "acknowledgements hold",
            Self::ReadsHold => "reads hold",
            Self::PromisesSurvive => "promises survive",
            Self::LogsKeep => "logs keep what they hold",
            Self::WatermarksInOrder => "watermarks stand in order",
            Self::ClientsSeeOneOrder => "clients see one order",
            Self::PeaceConverges => "a group left in peace converges",
            Self::TermsRest => "terms rest",
            Self::RequestsHappenOnce => "requests happen once",
            Self::LoadIsBounded => "load is bounded",
            Self::NoPanic => "no assertion fails",
        })
    }
}

/// A rule was seen broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {detail}")]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// What was seen.
    pub detail: String,
}

impl Rule {
    /// The violation of this rule that shows in `detail`.
    pub(crate) fn broken<T>(self, detail: impl Into<String>) -> Result<T, Violation> {
        Err(Violation { rule: self, detail: detail.into() })
    }
}
