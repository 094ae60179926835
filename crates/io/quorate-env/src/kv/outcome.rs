use bytes::Bytes;
use quorate_codec::DatabaseId;

const REFUSED_UNKNOWN_DATABASE: u8 = 1;
const REFUSED_KEY_TOO_LONG: u8 = 2;
const REFUSED_NAME_TOO_LONG: u8 = 3;
const REFUSED_TOO_MANY_DATABASES: u8 = 4;
const NUMBER_BYTES: usize = size_of::<u32>();

/// What became of a committed entry: the meaning of the result that [`KvEngine`](crate::kv::KvEngine) gives
/// for it, the same on every node.
///
/// Encoded as the numbers of the databases asked for, little endian, 4 bytes each (so nothing for an entry
/// that asks for none); a refusal is one byte more than a multiple of 4 long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All its operations took effect.
    Done {
        /// The databases that it asked to create, new or not, in order.
        databases: Vec<DatabaseId>,
    },
    /// None of its operations did.
    Refused(Refusal),
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
}

impl Outcome {
    /// Reads a result, or `None` if it is not one of [`KvEngine`](crate::kv::KvEngine)'s.
    #[must_use]
    pub fn decode(result: &[u8]) -> Option<Self> {
        if result.len() % NUMBER_BYTES == 1 {
            return Refusal::decode(result).map(Self::Refused);
        }
        let (numbers, []) = result.as_chunks() else { return None };
        let databases = numbers.iter().map(|number| DatabaseId::new(u32::from_le_bytes(*number))).collect();
        Some(Self::Done { databases })
    }

    /// The result that says this.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Done { databases } => {
                databases.iter().flat_map(|database| database.as_u32().to_le_bytes()).collect()
            }
            Self::Refused(refusal) => refusal.encode(),
        }
    }
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ];
        for outcome in outcomes {
            assert_eq!(Outcome::decode(&outcome.encode()), Some(outcome));
        }
        assert_eq!(Outcome::Done { databases: vec![] }.encode(), Bytes::new());
        assert_eq!(Outcome::Done { databases: vec![number(7)] }.encode(), [7, 0, 0, 0][..]);
    }

    #[test]
    fn bytes_that_are_no_result_are_none() {
        for result in [&[0][..], &[9], &[1, 2], &[1, 2, 3], &[2, 0, 0, 0, 0], &[1]] {
            assert_eq!(Outcome::decode(result), None, "{result:?}");
        }
    }
}
