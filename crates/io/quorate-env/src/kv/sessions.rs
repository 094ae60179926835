use super::layout;
use super::outcome::{Outcome, Refusal};
use bytes::Bytes;
use quorate_codec::Session;
use quorate_core::{EngineError, EntryId, KvSnapshot, Vlsn};
use std::collections::{BTreeMap, HashMap};

/// Sessions that are kept, at most. Where one more is opened, the one unused for longest is given up.
pub const SESSIONS_MAX: usize = 65_536;
/// A session that took no number for so many entries of the log is given up.
pub const SESSION_IDLE_ENTRIES: u64 = 10_000_000;
/// Databases that one write of a session asks for, at most: what a write came to is kept with its session.
pub const SESSION_DATABASES_MAX: usize = 64;

/// The sessions there are: which number each has taken last, and what came of it.
///
/// Everything here depends on the entries before alone, so it is the same on every node. A session's age is
/// counted in entries, by no clock.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    last: HashMap<u128, Taken>,
    /// The clients by the entry in which each took its last number.
    by_age: BTreeMap<Vlsn, u128>,
    /// A rule that is broken.
    #[cfg(feature = "mutations")]
    pub(crate) mutation: Option<crate::Mutation>,
}

/// The last number that a session has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) sequence: u64,
    pub(crate) by: EntryId,
    /// The encoded [`Outcome`] of that entry.
    pub(crate) result: Bytes,
}

impl Sessions {
    /// Reads the sessions of a store.
    pub(crate) fn load(snapshot: &dyn KvSnapshot) -> Result<Self, EngineError> {
        let mut sessions = Self::default();
        for (client, taken) in layout::read_sessions(snapshot)? {
            if sessions.by_age.insert(taken.by.vlsn, client).is_some() {
                return Err(layout::corrupt(format!("entry {} is the last of two sessions", taken.by)));
            }
            sessions.last.insert(client, taken);
        }
        if sessions.last.len() > SESSIONS_MAX {
            return Err(layout::corrupt(format!("it holds {} sessions", sessions.last.len())));
        }
        Ok(sessions)
    }

    /// Gives up the sessions that have been idle for too long when the entry at `now` is applied, and
    /// returns their clients.
    pub(crate) fn expire(&mut self, now: Vlsn) -> Vec<u128> {
        let mut expired = Vec::new();
        while let Some(oldest) = self.by_age.first_entry()
            && now.since(*oldest.key()) > SESSION_IDLE_ENTRIES
        {
            let client = oldest.remove();
            self.last.remove(&client);
            expired.push(client);
        }
        expired
    }

    /// What becomes of an entry that names a session, without any effect; `None` if it takes the number.
    pub(crate) fn decided(&self, session: Session) -> Option<Outcome> {
        let Some(taken) = self.last.get(&session.client) else {
            return Some(Outcome::Refused(Refusal::SessionExpired));
        };
        let first = || Outcome::decode(&taken.result).unwrap_or(Outcome::Done { databases: Vec::new() });
        match session.sequence {
            sequence if sequence > taken.sequence => None,
            sequence if sequence > 0 && breaks!(self.mutation, RetryAppliedAgain) => None,
            sequence if sequence == taken.sequence && sequence > 0 => {
                Some(Outcome::Duplicate { of: taken.by, outcome: Box::new(first()) })
            }
            _ => Some(Outcome::Refused(Refusal::StaleSequence)),
        }
    }

    /// What becomes of an entry that opens a session which is open already; `None` if it is not.
    pub(crate) fn opened(&self, client: u128) -> Option<Outcome> {
        self.last.get(&client).map(|taken| match taken.sequence {
            0 => Outcome::Duplicate {
                of: taken.by,
                outcome: Box::new(Outcome::Done { databases: Vec::new() }),
            },
            _ => Outcome::Refused(Refusal::StaleSequence),
        })
    }

    /// A client takes a number, the first one by opening its session. Returns the client whose session is
    /// given up for it.
    pub(crate) fn take(&mut self, client: u128, taken: Taken) -> Option<u128> {
        let by = taken.by.vlsn;
        match self.last.insert(client, taken) {
            Some(before) => drop(self.by_age.remove(&before.by.vlsn)),
            None if self.last.len() > SESSIONS_MAX => {
                let given_up = self.by_age.pop_first().map(|(_, client)| client);
                given_up.iter().for_each(|client| drop(self.last.remove(client)));
                self.by_age.insert(by, client);
                return given_up;
            }
            None => {}
        }
        self.by_age.insert(by, client);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::{NodeId, Term};

    fn taken(sequence: u64, vlsn: u64) -> Taken {
        let vlsn = Vlsn::new(vlsn).unwrap();
        let by = EntryId { term: Term::new(1, NodeId::new(1)), vlsn };
        Taken { sequence, by, result: Bytes::new() }
    }

    fn at(vlsn: u64) -> Vlsn {
        Vlsn::new(vlsn).unwrap()
    }

    #[test]
    fn a_session_that_is_not_used_for_too_many_entries_is_given_up() {
        let mut sessions = Sessions::default();
        sessions.take(7, taken(0, 1));
        sessions.take(8, taken(0, 2));
        sessions.take(7, taken(1, 3));
        assert_eq!(sessions.expire(at(2 + SESSION_IDLE_ENTRIES)), []);
        assert_eq!(sessions.expire(at(3 + SESSION_IDLE_ENTRIES)), [8]);
        assert_eq!(sessions.decided(Session { client: 7, sequence: 2 }), None);
        let gone = sessions.decided(Session { client: 8, sequence: 1 });
        assert_eq!(gone, Some(Outcome::Refused(Refusal::SessionExpired)));
        assert_eq!(sessions.expire(at(4 + SESSION_IDLE_ENTRIES)), [7]);
    }

    #[test]
    fn where_there_are_too_many_the_one_unused_for_longest_is_given_up() {
        let mut sessions = Sessions::default();
        for client in 1..=SESSIONS_MAX as u64 {
            assert_eq!(sessions.take(client.into(), taken(0, client)), None);
        }
        let next = SESSIONS_MAX as u64 + 1;
        assert_eq!(sessions.take(1, taken(1, next)), None, "a session that goes on needs no room");
        assert_eq!(sessions.take(u128::MAX, taken(0, next + 1)), Some(2));
        assert_eq!(sessions.last.len(), SESSIONS_MAX);
        assert_eq!(sessions.by_age.len(), SESSIONS_MAX);
    }
}
