use crate::varint::{self, VarintError};
use crate::{DatabaseId, ReadSetError};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::ops::Bound;
use quorate_core::{EntryId, Term, Vlsn};

const FLAG_SNAPSHOT: u8 = 1 << 0;
const END_UNBOUNDED: u8 = 0;
const END_EXCLUDED: u8 = 1;

/// What a transaction has read, and as of when: keys, and ranges of keys.
///
/// Ranges of one database never touch each other: those added that do become one. So a set has one encoding
/// whatever the order in which it was gathered:
///
/// ```text
///  flags u8 (bit 0: a snapshot follows), term u64, VLSN u64
///  count of points u32, then for each: database, key length, key
///  count of ranges u32, then for each: database, start length, start, end kind u8, end length, end
/// ```
///
/// Integers of fixed size are little endian; databases and lengths are variable-length integers. A range
/// begins with its start and ends before its end; end kind 0 is a range without end, which has no end field.
/// Points and ranges ascend by database, then key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSet {
    snapshot: Option<EntryId>,
    points: BTreeSet<(DatabaseId, Vec<u8>)>,
    /// By their starts; the end, excluded, or `None` for the end of the database.
    ranges: BTreeMap<(DatabaseId, Vec<u8>), Option<Vec<u8>>>,
}

impl ReadSet {
    /// The longest encoding in bytes that is taken. Whoever takes a transaction in checks it.
    pub const BYTES_MAX: usize = 1 << 20;

    /// Nothing was read yet of what the entries up to `snapshot` have made; `None` is before the first entry.
    #[must_use]
    pub const fn new(snapshot: Option<EntryId>) -> Self {
        Self { snapshot, points: BTreeSet::new(), ranges: BTreeMap::new() }
    }

    /// The last entry whose effects were seen.
    #[must_use]
    pub const fn snapshot(&self) -> Option<EntryId> {
        self.snapshot
    }

    /// Whether nothing was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty() && self.ranges.is_empty()
    }

    /// Adds a key, there or not.
    pub fn add_point(&mut self, database: DatabaseId, key: &[u8]) {
        self.points.insert((database, key.to_vec()));
    }

    /// Adds all keys between two bounds, there or not. A range that no key lies in adds nothing.
    pub fn add_range(&mut self, database: DatabaseId, start: Bound<&[u8]>, end: Bound<&[u8]>) {
        let start = match start {
            Bound::Unbounded => Vec::new(),
            Bound::Included(key) => key.to_vec(),
            Bound::Excluded(key) => successor(key),
        };
        let end = match end {
            Bound::Unbounded => None,
            Bound::Included(key) => Some(successor(key)),
            Bound::Excluded(key) => Some(key.to_vec()),
        };
        if is_before(&start, end.as_deref()) {
            self.insert(database, start, end);
        }
    }

    /// The keys read, by database and key.
    pub fn points(&self) -> impl Iterator<Item = (DatabaseId, &[u8])> {
        self.points.iter().map(|(database, key)| (*database, key.as_slice()))
    }

    /// The ranges read, by database and start: each from its start to before its end, which is behind the
    /// start; `None` is a range without end.
    pub fn ranges(&self) -> impl Iterator<Item = (DatabaseId, &[u8], Option<&[u8]>)> {
        self.ranges.iter().map(|((database, start), end)| (*database, start.as_slice(), end.as_deref()))
    }

    /// The set's one encoding.
    ///
    /// # Panics
    /// If a key is 4 GiB long or more, or there are 2^32 of them: the caller has checked its limits.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.snapshot {
            None => bytes.push(0),
            Some(id) => {
                bytes.push(FLAG_SNAPSHOT);
                bytes.extend_from_slice(&id.term.as_u64().to_le_bytes());
                bytes.extend_from_slice(&id.vlsn.as_u64().to_le_bytes());
            }
        }
        put_count(&mut bytes, self.points.len());
        for (database, key) in &self.points {
            put_key(&mut bytes, *database, key);
        }
        put_count(&mut bytes, self.ranges.len());
        for ((database, start), end) in &self.ranges {
            put_key(&mut bytes, *database, start);
            match end {
                None => bytes.push(END_UNBOUNDED),
                Some(end) => {
                    bytes.push(END_EXCLUDED);
                    put_field(&mut bytes, end);
                }
            }
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) has made, of bytes that nobody trusts.
    ///
    /// # Errors
    /// [`ReadSetError`] if they are anything else.
    pub fn decode(encoded: &[u8]) -> Result<Self, ReadSetError> {
        let mut fields = Fields { rest: encoded };
        let mut set = Self::new(fields.snapshot()?);
        for _ in 0..fields.count()? {
            set.append_point(fields.database()?, fields.field()?)?;
        }
        for _ in 0..fields.count()? {
            set.append_range(fields.database()?, fields.field()?, fields.end()?)?;
        }
        match fields.rest.len() {
            0 => Ok(set),
            count => Err(ReadSetError::TrailingBytes { count }),
        }
    }

    /// Adds a range that holds a key, and makes one of it and those that it touches.
    fn insert(&mut self, database: DatabaseId, mut start: Vec<u8>, mut end: Option<Vec<u8>>) {
        while let Some((touched_start, touched_end)) = self.touching(database, &start, end.as_deref()) {
            self.ranges.remove(&(database, touched_start.clone()));
            start = start.min(touched_start);
            end = later(end, touched_end);
        }
        self.ranges.insert((database, start), end);
    }

    /// The last range of those that overlap or adjoin another.
    fn touching(
        &self,
        database: DatabaseId,
        start: &[u8],
        end: Option<&[u8]>,
    ) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let upper = match end {
            Some(end) => Bound::Included((database, end.to_vec())),
            None => match database.as_u32().checked_add(1) {
                Some(next) => Bound::Excluded((DatabaseId::new(next), Vec::new())),
                None => Bound::Unbounded,
            },
        };
        let ((found, found_start), found_end) = self.ranges.range((Bound::Unbounded, upper)).next_back()?;
        let reaches = found_end.as_deref().is_none_or(|found_end| found_end >= start);
        (*found == database && reaches).then(|| (found_start.clone(), found_end.clone()))
    }

    fn append_point(&mut self, database: DatabaseId, key: &[u8]) -> Result<(), ReadSetError> {
        let point = (database, key.to_vec());
        if self.points.last().is_some_and(|last| *last >= point) {
            return Err(ReadSetError::Order);
        }
        self.points.insert(point);
        Ok(())
    }

    fn append_range(
        &mut self,
        database: DatabaseId,
        start: &[u8],
        end: Option<&[u8]>,
    ) -> Result<(), ReadSetError> {
        let follows = self.ranges.last_key_value().is_none_or(|((last, _), last_end)| {
            *last < database
                || (*last == database && last_end.as_deref().is_some_and(|last_end| last_end < start))
        });
        if !follows || !is_before(start, end) {
            return Err(ReadSetError::Order);
        }
        self.ranges.insert((database, start.to_vec()), end.map(<[u8]>::to_vec));
        Ok(())
    }
}

/// The key that comes next after `key`.
fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}

fn is_before(start: &[u8], end: Option<&[u8]>) -> bool {
    end.is_none_or(|end| start < end)
}

fn later(one: Option<Vec<u8>>, other: Option<Vec<u8>>) -> Option<Vec<u8>> {
    Some(one?.max(other?))
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("reads are limited before they get here");
    bytes.extend_from_slice(&count.to_le_bytes());
}

fn put_key(bytes: &mut Vec<u8>, database: DatabaseId, key: &[u8]) {
    varint::put(bytes, database.as_u32());
    put_field(bytes, key);
}

fn put_field(bytes: &mut Vec<u8>, field: &[u8]) {
    let length = u32::try_from(field.len()).expect("keys are limited before they get here");
    varint::put(bytes, length);
    bytes.extend_from_slice(field);
}

/// The fields of an encoded set that are still to be read.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn snapshot(&mut self) -> Result<Option<EntryId>, ReadSetError> {
        match self.byte()? {
            0 => Ok(None),
            FLAG_SNAPSHOT => {
                let term = Term::from_u64(u64::from_le_bytes(self.fixed()?));
                let vlsn = Vlsn::new(u64::from_le_bytes(self.fixed()?)).ok_or(ReadSetError::Number)?;
                Ok(Some(EntryId { term, vlsn }))
            }
            found => Err(ReadSetError::Flags { found }),
        }
    }

    fn count(&mut self) -> Result<u32, ReadSetError> {
        self.fixed().map(u32::from_le_bytes)
    }

    fn database(&mut self) -> Result<DatabaseId, ReadSetError> {
        self.number().map(DatabaseId::new)
    }

    fn end(&mut self) -> Result<Option<&'a [u8]>, ReadSetError> {
        match self.byte()? {
            END_UNBOUNDED => Ok(None),
            END_EXCLUDED => self.field().map(Some),
            found => Err(ReadSetError::Flags { found }),
        }
    }

    fn field(&mut self) -> Result<&'a [u8], ReadSetError> {
        let length = self.number()? as usize;
        let (field, rest) = self.rest.split_at_checked(length).ok_or(ReadSetError::Truncated)?;
        self.rest = rest;
        Ok(field)
    }

    fn number(&mut self) -> Result<u32, ReadSetError> {
        varint::take(&mut self.rest).map_err(|error| match error {
            VarintError::Truncated => ReadSetError::Truncated,
            VarintError::Malformed => ReadSetError::Number,
        })
    }

    fn byte(&mut self) -> Result<u8, ReadSetError> {
        self.fixed().map(|[byte]| byte)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], ReadSetError> {
        let (fixed, rest) = self.rest.split_first_chunk().ok_or(ReadSetError::Truncated)?;
        self.rest = rest;
        Ok(*fixed)
    }
}
