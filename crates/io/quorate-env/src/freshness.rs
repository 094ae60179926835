use quorate_core::{Time, Vlsn};
use quorate_replica::ReadId;
use std::time::Duration;

/// As of when everything that was acknowledged anywhere is known to be applied here, and the question to the
/// node that is to renew this knowledge.
///
/// ```text
///  idle --asked--> asked --answered--> answered --applied up to there--> idle, fresh as of the asking
///                  |   ^
///                  +---+ asked anew, under another name
/// ```
///
/// That knowledge stays true whoever leads: committed entries are lost by no change of master.
#[derive(Debug)]
pub(crate) struct Freshness {
    as_of: Option<Time>,
    question: Question,
}

#[derive(Debug)]
enum Question {
    Idle { not_before: Time },
    Asked { read: ReadId, at: Time, again: Time },
    Answered { position: Option<Vlsn>, at: Time },
}

/// A question follows the one before after so long at the earliest: where the node answers at once, a lag too
/// short to be met would keep it from everything else.
const PAUSE: Duration = Duration::from_millis(1);

impl Freshness {
    /// Nothing is known, and nobody was asked.
    pub(crate) const UNKNOWN: Self =
        Self { as_of: None, question: Question::Idle { not_before: Time::ZERO } };

    pub(crate) const fn as_of(&self) -> Option<Time> {
        self.as_of
    }

    /// Whether what is applied here is at most so old.
    pub(crate) fn is_within(&self, lag: Duration, now: Time) -> bool {
        self.as_of.is_some_and(|as_of| now.since(as_of) <= lag)
    }

    /// When the next question may be asked; `None` while an answer waits to be applied.
    pub(crate) const fn asks_next(&self) -> Option<Time> {
        match self.question {
            Question::Idle { not_before } => Some(not_before),
            Question::Asked { again, .. } => Some(again),
            Question::Answered { .. } => None,
        }
    }

    /// The node is asked now. An answer to an earlier question counts no more.
    pub(crate) fn asked(&mut self, read: ReadId, now: Time, retry_interval: Duration) {
        self.question = Question::Asked { read, at: now, again: now + retry_interval };
    }

    /// The node has answered some question; this one, if it is `read`.
    pub(crate) fn answered(&mut self, read: ReadId, position: Option<Vlsn>) {
        if let Question::Asked { read: asked, at, .. } = self.question
            && asked == read
        {
            self.question = Question::Answered { position, at };
        }
    }

    /// The question under way, if any, will have no answer.
    pub(crate) const fn ask_again(&mut self, now: Time) {
        if let Question::Asked { again, .. } = &mut self.question {
            *again = now;
        }
    }

    /// The engine holds entries up to here.
    pub(crate) fn applied(&mut self, applied: Option<Vlsn>) {
        if let Question::Answered { position, at } = self.question
            && position <= applied
        {
            self.as_of = self.as_of.max(Some(at));
            self.question = Question::Idle { not_before: at + PAUSE };
        }
    }
}
