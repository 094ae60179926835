use bytes::Bytes;
use quorate_codec::DatabaseId;
use quorate_core::{EntryId, Term, Vlsn};

const REFUSED_UNKNOWN_DATABASE: u8 = 1;
const REFUSED_KEY_TOO_LONG: u8 = 2;
const REFUSED_NAME_TOO_LONG: u8 = 3;
const REFUSED_TOO_MANY_DATABASES: u8 = 4;
const REFUSED_SESSION_EXPIRED: u8 = 5;
const REFUSED_STALE_SEQUENCE: u8 = 6;
const REFUSED_TOO_MANY_CREATED: u8 = 7;
const FENCED: [u8; 1] = [8];
const DUPLICATE: [u8; 2] = [1, 0];
const NUMBER_BYTES: usize = size_of::<u32>();

/// What became of a committed entry: the meaning of the result that [`KvEngine`](crate::kv::KvEngine) gives
/// for it, the same on every node.
///
/// Encoded as the numbers of the databases asked for, little endian, 4 bytes each (so nothing for an entry
/// that asks for none). A refusal or a fence is one byte more than a multiple of 4 long: a code, then the
/// database where one is meant. A duplicate is two bytes more than the outcome of the first one and its
/// entry: 1, 0, term u64, VLSN u64, that outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All its operations took effect.
    Done {
        /// The databases that it asked to create, new or not, in order.
        databases: Vec<DatabaseId>,
    },
    /// None of its operations did.
    Refused(Refusal),
    /// It has no operations and took its number in a session: whatever else has the same number has no
    /// effect from now on.
    Fenced,
    /// It had no effect, because another entry had taken its number in a session.
    Duplicate {
        /// That entry.
        of: EntryId,
        /// What became of that one; never a duplicate.
        outcome: Box<Outcome>,
    },
}

/// Why an entry had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// An operation names a database that does not exist at that position.
    #[error("there is no database {0}: create it first")]
    UnknownDatabase(DatabaseId),
    /// A key is longer than [`KEY_BYTES_MAX`](crate::kv::KEY_BYTES_MAX).
    #[error("a key is longer than {} bytes", crate::kv::KEY_BYTES_MAX)]
    KeyTooLong,
    /// A database's name is longer than [`DATABASE_NAME_BYTES_MAX`](quorate_codec::DATABASE_NAME_BYTES_MAX).
    #[error("a database's name is longer than {} bytes", quorate_codec::DATABASE_NAME_BYTES_MAX)]
    NameTooLong,
    /// There are [`DATABASES_MAX`](crate::kv::DATABASES_MAX) databases already.
    #[error("there are {} databases already", crate::kv::DATABASES_MAX)]
    TooManyDatabases,
    /// The session is unknown, or not any more.
    #[error("the session is unknown or was not used for too long: open another one")]
    SessionExpired,
    /// The session has taken a higher number already.
    #[error("the session has used a higher number already: use numbers in order")]
    StaleSequence,
    /// A write of a session asks for more than [`SESSION_DATABASES_MAX`](crate::kv::SESSION_DATABASES_MAX)
    /// databases.
    #[error("a write of a session makes {} databases at most: split it", crate::kv::SESSION_DATABASES_MAX)]
    TooManyCreated,
}

impl Outcome {
    /// Reads a result, or `None` if it is not one of [`KvEngine`](crate::kv::KvEngine)'s.
    #[must_use]
    pub fn decode(result: &[u8]) -> Option<Self> {
        match result.len() % NUMBER_BYTES {
            0 => Some(Self::Done { databases: decode_databases(result) }),
            1 if result == FENCED => Some(Self::Fenced),
            1 => Refusal::decode(result).map(Self::Refused),
            _ => Self::decode_duplicate(result),
        }
    }

    /// The result that says this.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Done { databases } => {
                databases.iter().flat_map(|database| database.as_u32().to_le_bytes()).collect()
            }
            Self::Refused(refusal) => refusal.encode(),
            Self::Fenced => Bytes::from_static(&FENCED),
            Self::Duplicate { of, outcome } => {
                let id = [of.term.as_u64(), of.vlsn.as_u64()].map(u64::to_le_bytes);
                [&DUPLICATE, id.as_flattened(), &outcome.encode()].concat().into()
            }
        }
    }

    fn decode_duplicate(result: &[u8]) -> Option<Self> {
        let (term, rest) = result.strip_prefix(&DUPLICATE)?.split_first_chunk()?;
        let (vlsn, outcome) = rest.split_first_chunk()?;
        let term = Term::from_u64(u64::from_le_bytes(*term));
        let of = EntryId { term, vlsn: Vlsn::new(u64::from_le_bytes(*vlsn))? };
        match outcome.len() % NUMBER_BYTES {
            0 | 1 => Some(Self::Duplicate { of, outcome: Box::new(Self::decode(outcome)?) }),
            _ => None,
        }
    }
}

fn decode_databases(numbers: &[u8]) -> Vec<DatabaseId> {
    let (numbers, _) = numbers.as_chunks();
    numbers.iter().map(|number| DatabaseId::new(u32::from_le_bytes(*number))).collect()
}

impl Refusal {
    fn decode(result: &[u8]) -> Option<Self> {
        let (code, facts) = result.split_first()?;
        match (*code, <[u8; NUMBER_BYTES]>::try_from(facts)) {
            (REFUSED_UNKNOWN_DATABASE, Ok(number)) => {
                Some(Self::UnknownDatabase(DatabaseId::new(u32::from_le_bytes(number))))
            }
            (REFUSED_KEY_TOO_LONG, Err(_)) if facts.is_empty() => Some(Self::KeyTooLong),
            (REFUSED_NAME_TOO_LONG, Err(_)) if facts.is_empty() => Some(Self::NameTooLong),
            (REFUSED_TOO_MANY_DATABASES, Err(_)) if facts.is_empty() => Some(Self::TooManyDatabases),
            (REFUSED_SESSION_EXPIRED, Err(_)) if facts.is_empty() => Some(Self::SessionExpired),
            (REFUSED_STALE_SEQUENCE, Err(_)) if facts.is_empty() => Some(Self::StaleSequence),
            (REFUSED_TOO_MANY_CREATED, Err(_)) if facts.is_empty() => Some(Self::TooManyCreated),
            _ => None,
        }
    }

    fn encode(self) -> Bytes {
        match self {
            Self::UnknownDatabase(database) => {
                let mut result = vec![REFUSED_UNKNOWN_DATABASE];
                result.extend_from_slice(&database.as_u32().to_le_bytes());
                result.into()
            }
            Self::KeyTooLong => Bytes::from_static(&[REFUSED_KEY_TOO_LONG]),
            Self::NameTooLong => Bytes::from_static(&[REFUSED_NAME_TOO_LONG]),
            Self::TooManyDatabases => Bytes::from_static(&[REFUSED_TOO_MANY_DATABASES]),
            Self::SessionExpired => Bytes::from_static(&[REFUSED_SESSION_EXPIRED]),
            Self::StaleSequence => Bytes::from_static(&[REFUSED_STALE_SEQUENCE]),
            Self::TooManyCreated => Bytes::from_static(&[REFUSED_TOO_MANY_CREATED]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::NodeId;

    fn duplicate(outcome: Outcome) -> Outcome {
        let of = EntryId { term: Term::new(3, NodeId::new(2)), vlsn: Vlsn::new(9).unwrap() };
        Outcome::Duplicate { of, outcome: Box::new(outcome) }
    }

    #[test]
    fn every_outcome_can_be_read_from_its_result() {
        let number = DatabaseId::new;
        let outcomes = [
            Outcome::Done { databases: vec![] },
            Outcome::Done { databases: vec![number(7)] },
            Outcome::Done { databases: vec![number(7), number(u32::MAX)] },
            Outcome::Refused(Refusal::UnknownDatabase(number(9))),
            Outcome::Refused(Refusal::KeyTooLong),
            Outcome::Refused(Refusal::NameTooLong),
            Outcome::Refused(Refusal::TooManyDatabases),
            Outcome::Refused(Refusal::SessionExpired),
            Outcome::Refused(Refusal::StaleSequence),
            Outcome::Refused(Refusal::TooManyCreated),
            Outcome::Fenced,
            duplicate(Outcome::Fenced),
            duplicate(Outcome::Done { databases: vec![] }),
            duplicate(Outcome::Done { databases: vec![number(7), number(8)] }),
            duplicate(Outcome::Refused(Refusal::UnknownDatabase(number(9)))),
        ];
        for outcome in outcomes {
            assert_eq!(Outcome::decode(&outcome.encode()), Some(outcome));
        }
        assert_eq!(Outcome::Done { databases: vec![] }.encode(), Bytes::new());
        assert_eq!(Outcome::Done { databases: vec![number(7)] }.encode(), [7, 0, 0, 0][..]);
    }

    #[test]
    fn bytes_that_are_no_result_are_none() {
        assert_eq!(Outcome::decode(&duplicate(duplicate(Outcome::Fenced)).encode()), None);
        let no_entry = [&DUPLICATE[..], &[0; 16]].concat();
        for result in
            [&no_entry[..], &no_entry[..10], &[0], &[9], &[1, 2], &[1, 2, 3], &[2, 0, 0, 0, 0], &[1]]
        {
            assert_eq!(Outcome::decode(result), None, "{result:?}");
        }
    }
}
