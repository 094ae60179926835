//! Where everything lies in the flat store.
//!
//! ```text
//!  00 'a'                    the last entry applied: term u64, VLSN u64
//!  00 'd' name               a database's number: u32
//!  00 'f'                    version of this layout: u32
//!  00 'n'                    number of the next database: u32
//!  00 's' client(u128 BE)    a session's last number: sequence u64, term u64, VLSN u64, result
//!  01 to 04 number key       a row of a database, whose number takes so many bytes
//! ```
//!
//! Integers are little endian but for those in a key, which are big endian so that databases lie apart, in
//! order. What stands in front of a row's key is short because some engines keep short keys, of up to 20 bytes, where
//! they compare them, and look longer ones up elsewhere.

use super::outcome::Outcome;
use super::sessions::Taken;
use arrayvec::ArrayVec;
use bytes::Bytes;
use quorate_codec::DatabaseId;
use quorate_core::{EngineError, EntryId, KvSnapshot, Term, Vlsn};
use std::ops::Bound;

/// What errors call this engine.
pub(crate) const ENGINE: &str = "key-value";
pub(crate) const APPLIED: [u8; 2] = [OWN, b'a'];
pub(crate) const DATABASE: [u8; 2] = [OWN, b'd'];
pub(crate) const FORMAT: [u8; 2] = [OWN, b'f'];
pub(crate) const NEXT_DATABASE: [u8; 2] = [OWN, b'n'];
pub(crate) const SESSION: [u8; 2] = [OWN, b's'];
pub(crate) const FORMAT_VERSION: u32 = 2;
/// The most bytes in a store's key in front of a row's key.
pub(crate) const PREFIX_BYTES_MAX: usize = 5;
/// So long is a short key, with its prefix.
const SHORT_KEY_BYTES_MAX: usize = 128;
/// Bytes in a session's row in front of the result.
const SESSION_BYTES: usize = 24;

const OWN: u8 = 0;
const AFTER_ROWS: [u8; 1] = [PREFIX_BYTES_MAX as u8];
/// Behind every database's name, the names' prefix being the largest below it.
const AFTER_DATABASES: [u8; 2] = [OWN, DATABASE[1] + 1];
const AFTER_SESSIONS: [u8; 2] = [OWN, SESSION[1] + 1];

/// What stands in front of the keys of a database.
pub(crate) fn prefix(database: DatabaseId) -> ArrayVec<u8, PREFIX_BYTES_MAX> {
    let number = database.as_u32().to_be_bytes();
    let leading_zeros = number.iter().take_while(|byte| **byte == 0).count().min(number.len() - 1);
    let (_, number) = number.split_at(leading_zeros);
    [number.len() as u8].into_iter().chain(number.iter().copied()).collect()
}

/// The store's key of a row.
pub(crate) fn row_key(database: DatabaseId, key: &[u8]) -> Vec<u8> {
    [&prefix(database), key].concat()
}

/// Hands the store's key of a row to `read`. That of a short key is put together without an allocation.
pub(crate) fn with_row_key<T>(database: DatabaseId, key: &[u8], read: impl FnOnce(&[u8]) -> T) -> T {
    let mut short = [0; SHORT_KEY_BYTES_MAX];
    let prefix = prefix(database);
    let Some(whole) = short.get_mut(..prefix.len() + key.len()) else {
        return read(&row_key(database, key));
    };
    let (front, rest) = whole.split_at_mut(prefix.len());
    front.copy_from_slice(&prefix);
    rest.copy_from_slice(key);
    read(whole)
}

/// The store's keys between two keys of a database.
pub(crate) fn row_bounds(
    database: DatabaseId,
    start: Bound<&[u8]>,
    end: Bound<&[u8]>,
) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let start = match start {
        Bound::Unbounded => Bound::Included(prefix(database).to_vec()),
        bound => bound.map(|key| row_key(database, key)),
    };
    let end = match end {
        Bound::Unbounded => Bound::Excluded(behind(database)),
        bound => bound.map(|key| row_key(database, key)),
    };
    (start, end)
}

fn behind(database: DatabaseId) -> Vec<u8> {
    match database.as_u32().checked_add(1) {
        Some(next) => prefix(DatabaseId::new(next)).to_vec(),
        None => AFTER_ROWS.to_vec(),
    }
}

pub(crate) fn encode_applied(applied: EntryId) -> [u8; 16] {
    let mut mark = [0; 16];
    mark[..8].copy_from_slice(&applied.term.as_u64().to_le_bytes());
    mark[8..].copy_from_slice(&applied.vlsn.as_u64().to_le_bytes());
    mark
}

pub(crate) fn read_applied(snapshot: &dyn KvSnapshot) -> Result<Option<EntryId>, EngineError> {
    let Some(mark) = snapshot.get(&APPLIED)? else { return Ok(None) };
    let applied = mark.first_chunk().zip(mark.last_chunk()).and_then(|(term, vlsn)| {
        let vlsn = Vlsn::new(u64::from_le_bytes(*vlsn))?;
        (mark.len() == 16).then_some(EntryId { term: Term::from_u64(u64::from_le_bytes(*term)), vlsn })
    });
    applied.map(Some).ok_or_else(|| corrupt(format!("the applied mark is {mark:02x?}")))
}

/// The number of a created database.
pub(crate) fn read_database(
    snapshot: &dyn KvSnapshot,
    name: &str,
) -> Result<Option<DatabaseId>, EngineError> {
    let number = snapshot.get(&[&DATABASE, name.as_bytes()].concat())?;
    number.map(|number| decode_number(&number).map(DatabaseId::new)).transpose()
}

/// All created databases, in name order.
pub(crate) fn read_databases(snapshot: &dyn KvSnapshot) -> Result<Vec<(String, DatabaseId)>, EngineError> {
    let rows = snapshot.scan(Bound::Included(&DATABASE), Bound::Excluded(&AFTER_DATABASES))?;
    rows.map(|row| {
        let (key, number) = row?;
        let name = std::str::from_utf8(&key[DATABASE.len()..])
            .map_err(|_| corrupt(format!("a database's name is {key:02x?}")))?;
        Ok((name.to_owned(), DatabaseId::new(decode_number(&number)?)))
    })
    .collect()
}

pub(crate) fn encode_session(taken: &Taken) -> Vec<u8> {
    let numbers = [taken.sequence, taken.by.term.as_u64(), taken.by.vlsn.as_u64()];
    let mut row = Vec::with_capacity(SESSION_BYTES + taken.result.len());
    numbers.iter().for_each(|number| row.extend_from_slice(&number.to_le_bytes()));
    row.extend_from_slice(&taken.result);
    row
}

/// All sessions, by client.
pub(crate) fn read_sessions(snapshot: &dyn KvSnapshot) -> Result<Vec<(u128, Taken)>, EngineError> {
    let rows = snapshot.scan(Bound::Included(&SESSION), Bound::Excluded(&AFTER_SESSIONS))?;
    rows.map(|row| {
        let (key, value) = row?;
        decode_session(&key, &value)
            .ok_or_else(|| corrupt(format!("a session's row is {key:02x?}, {:02x?}", &value[..])))
    })
    .collect()
}

fn decode_session(key: &[u8], value: &[u8]) -> Option<(u128, Taken)> {
    let client = u128::from_be_bytes(key[SESSION.len()..].try_into().ok()?);
    let (numbers, result) = value.split_at_checked(SESSION_BYTES)?;
    let (numbers, []) = numbers.as_chunks() else { return None };
    let [sequence, term, vlsn] = <[[u8; 8]; 3]>::try_from(numbers).ok()?.map(u64::from_le_bytes);
    let by = EntryId { term: Term::from_u64(term), vlsn: Vlsn::new(vlsn)? };
    Outcome::decode(result).map(|_| (client, Taken { sequence, by, result: Bytes::copy_from_slice(result) }))
}

pub(crate) fn read_next_database(snapshot: &dyn KvSnapshot) -> Result<Option<u32>, EngineError> {
    snapshot.get(&NEXT_DATABASE)?.map(|number| decode_number(&number)).transpose()
}

/// Makes sure that the store is empty or holds what this version writes.
pub(crate) fn check_format(snapshot: &dyn KvSnapshot) -> Result<(), EngineError> {
    match snapshot.get(&FORMAT)? {
        Some(version) => match decode_number(&version)? {
            FORMAT_VERSION => Ok(()),
            other => Err(corrupt(format!("it has layout {other}, this version reads {FORMAT_VERSION}"))),
        },
        None => match snapshot.scan(Bound::Unbounded, Bound::Unbounded)?.next().transpose()? {
            None => Ok(()),
            Some((key, _)) => {
                Err(corrupt(format!("it holds rows of something else, from key {key:02x?} on")))
            }
        },
    }
}

fn decode_number(bytes: &Bytes) -> Result<u32, EngineError> {
    let number = <[u8; 4]>::try_from(&bytes[..]).map_err(|_| corrupt(format!("a number is {bytes:02x?}")))?;
    Ok(u32::from_le_bytes(number))
}

pub(crate) fn corrupt(detail: String) -> EngineError {
    EngineError::Corrupt { engine: ENGINE, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::RangeBounds;

    #[test]
    fn databases_lie_apart_and_in_order_however_long_their_numbers_are() {
        let numbers = [1, 2, 255, 256, 65_535, 65_536, (1 << 24) - 1, 1 << 24, u32::MAX - 1, u32::MAX];
        let databases = numbers.map(DatabaseId::new);
        let ends: [&[u8]; 3] = [&[0], &[5, 5], &[0xff; 40]];
        let rows: Vec<_> = databases.iter().flat_map(|id| ends.map(|key| (*id, row_key(*id, key)))).collect();
        assert!(rows.is_sorted_by(|(_, left), (_, right)| left < right), "{rows:02x?}");
        for database in databases {
            let within = row_bounds(database, Bound::Unbounded, Bound::Unbounded);
            for (of, row) in &rows {
                assert_eq!(within.contains(row), *of == database, "{row:02x?} in database {database:?}");
            }
        }
    }

    #[test]
    fn a_key_of_sixteen_bytes_is_short_in_the_store() {
        with_row_key(DatabaseId::new(1), &[7; 16], |key| assert!(key.len() <= 20, "{key:02x?}"));
    }
}
