use super::patience::Patience;
use super::writing::{Change, Request, Settled, Written, operation};
use super::{Client, ClientError, Read, ReadConsistency, Scan, ScanQuery};
use crate::service::{durability_of, token_of};
use crate::v1::{ReadKey, ReadRange, TransactRequest};
use bytes::Bytes;
use quorate::CommitToken;
use std::collections::{BTreeMap, BTreeSet};

/// A database's name and a key.
type Place = (String, Bytes);
/// A database's name, the first key of a range, and the key behind its last one; empty where there is none.
type Range = (String, Bytes, Bytes);

/// Reads and writes that take effect together, once, and only if nothing of what was read has been written
/// meanwhile. It reads what it has written itself.
#[derive(Debug)]
pub struct Transaction {
    client: Client,
    patience: Patience,
    /// What the reads must have seen.
    behind: ReadConsistency,
    /// What the first read has seen, once there was one.
    snapshot: Option<Option<CommitToken>>,
    reads: BTreeSet<Place>,
    ranges: BTreeSet<Range>,
    writes: BTreeMap<Place, Option<Bytes>>,
}

impl Client {
    /// Begins a transaction. All its attempts together may take as long as one operation of this client.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        Transaction {
            client: self.clone(),
            patience: Patience::new(self.options.timeout),
            behind: ReadConsistency::Any,
            snapshot: None,
            reads: BTreeSet::new(),
            ranges: BTreeSet::new(),
            writes: BTreeMap::new(),
        }
    }
}

impl Transaction {
    /// Reads a key.
    ///
    /// # Errors
    /// [`ClientError`]; never [`ClientError::OutcomeUnknown`].
    pub async fn get(&mut self, database: &str, key: impl Into<Bytes>) -> Result<Option<Bytes>, ClientError> {
        let place = (database.to_owned(), key.into());
        if let Some(written) = self.writes.get(&place) {
            return Ok(written.clone());
        }
        let read = self.read(&place).await?;
        self.has_seen(read.seen);
        self.reads.insert(place);
        Ok(read.value)
    }

    /// Reads all rows from `start` (inclusive; empty: the first one of all) to `end` (exclusive; empty:
    /// through the last one of all), in the order of their keys. They are held in memory.
    ///
    /// # Errors
    /// [`ClientError`]; never [`ClientError::OutcomeUnknown`].
    pub async fn scan(
        &mut self,
        database: &str,
        start: impl Into<Bytes>,
        end: impl Into<Bytes>,
    ) -> Result<Vec<(Bytes, Bytes)>, ClientError> {
        let (start, end) = (start.into(), end.into());
        let query = ScanQuery { database: database.to_owned(), start, end, ..ScanQuery::default() };
        self.read_all(query).await
    }

    /// Reads all rows whose keys begin with `prefix`, as [`scan`](Self::scan) does.
    ///
    /// # Errors
    /// [`ClientError`]; never [`ClientError::OutcomeUnknown`].
    pub async fn scan_prefix(
        &mut self,
        database: &str,
        prefix: impl Into<Bytes>,
    ) -> Result<Vec<(Bytes, Bytes)>, ClientError> {
        let query = ScanQuery { database: database.to_owned(), ..ScanQuery::default() };
        self.read_all(query.prefix(prefix.into())).await
    }

    async fn read_all(&mut self, query: ScanQuery) -> Result<Vec<(Bytes, Bytes)>, ClientError> {
        let mut scan = self.begin_scan(&query).await?;
        self.has_seen(scan.seen());
        let mut rows = BTreeMap::new();
        while let Some((key, value)) = scan.next().await? {
            rows.insert(key, value);
        }
        self.has_seen(scan.seen());
        for ((database, key), value) in &self.writes {
            if *database != query.database || !query.contains(key) {
                continue;
            }
            match value {
                Some(value) => drop(rows.insert(key.clone(), value.clone())),
                None => drop(rows.remove(key)),
            }
        }
        self.ranges.insert((query.database, query.start, query.end));
        Ok(rows.into_iter().collect())
    }

    /// Later reads see no less than this one. What was read is judged as if all of it was read first.
    fn has_seen(&mut self, seen: Option<CommitToken>) {
        self.snapshot.get_or_insert(seen);
        if let Some(seen) = seen {
            self.behind = ReadConsistency::Token(seen);
        }
    }

    /// As [`read`](Self::read), for a range.
    async fn begin_scan(&mut self, query: &ScanQuery) -> Result<Scan, ClientError> {
        let query = ScanQuery { consistency: self.behind, ..query.clone() };
        match self.client.scan_patiently(query.clone(), &mut self.patience).await {
            Err(ClientError::CommitLost { .. }) if self.snapshot.is_none() => {
                self.behind = ReadConsistency::Linearizable;
                let query = ScanQuery { consistency: self.behind, ..query };
                self.client.scan_patiently(query, &mut self.patience).await
            }
            scan => scan,
        }
    }

    /// Reads behind what came between, or, if a failover has dropped that, behind all that is committed.
    async fn read(&mut self, place: &Place) -> Result<Read, ClientError> {
        let (database, key) = place;
        match self.client.get_patiently(database, key, self.behind, &mut self.patience).await {
            Err(ClientError::CommitLost { .. }) if self.snapshot.is_none() => {
                self.behind = ReadConsistency::Linearizable;
                self.client.get_patiently(database, key, self.behind, &mut self.patience).await
            }
            read => read,
        }
    }

    /// Sets a key.
    pub fn put(&mut self, database: &str, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.writes.insert((database.to_owned(), key.into()), Some(value.into()));
    }

    /// Removes a key, if it is there.
    pub fn delete(&mut self, database: &str, key: impl Into<Bytes>) {
        self.writes.insert((database.to_owned(), key.into()), None);
    }

    /// Carries everything out. `None` if something that was read has been written meanwhile: nothing was
    /// done, and the transaction is empty again; its reads now see what came between.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn commit(&mut self) -> Result<Option<Written>, ClientError> {
        let request = self.request();
        match self.client.clone().settle(request, &mut self.patience).await? {
            Settled::Done(written) => Ok(Some(written)),
            Settled::Conflict { by } => {
                let last = "other writes always come between".to_owned();
                if !self.patience.pause().await {
                    return Err(ClientError::TimedOut { waited: self.patience.waited(), last });
                }
                self.begin_again(by);
                Ok(None)
            }
        }
    }

    /// Forgets everything, to run again behind a write that came between. That one may still be undone by a
    /// failover, and then no read can be behind it.
    fn begin_again(&mut self, by: Option<CommitToken>) {
        self.behind = by.map_or(ReadConsistency::Linearizable, ReadConsistency::Token);
        self.snapshot = None;
        self.reads.clear();
        self.ranges.clear();
        self.writes.clear();
    }

    fn request(&self) -> Request {
        let writes = self.writes.iter().map(|((database, key), value)| Change {
            database: database.clone(),
            key: key.clone(),
            value: value.clone(),
        });
        let reads =
            self.reads.iter().map(|(database, key)| ReadKey { database: database.clone(), key: key.clone() });
        let ranges = self.ranges.iter().map(|(database, start, end)| ReadRange {
            database: database.clone(),
            start: start.clone(),
            end: end.clone(),
        });
        Request::Transact(TransactRequest {
            snapshot: self.snapshot.flatten().as_ref().map(token_of),
            keys: reads.collect(),
            ranges: ranges.collect(),
            operations: writes.map(operation).collect(),
            durability: self.client.options.durability.map(durability_of),
            session: None,
        })
    }
}
