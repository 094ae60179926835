use super::writers::Acknowledged;
use crate::bench::BenchError;
use crate::client::{Client, ReadConsistency, ScanQuery};
use bytes::Bytes;

/// What is missing from rows that come in the order of their keys.
struct Search<I: Iterator> {
    expected: std::iter::Peekable<I>,
    lost: u64,
    first: Option<Bytes>,
}

/// Looks for every acknowledged write on every node, and returns how many there are. `clients` has one of each
/// node alone.
///
/// # Errors
/// [`BenchError::Lost`] if one is not where it should be, with its value; [`BenchError::Client`].
pub(super) async fn audit(acknowledged: &[Acknowledged], clients: &[Client]) -> Result<u64, BenchError> {
    let consistency = latest(clients).await?;
    for client in clients {
        let mut search = Search::new(rows(acknowledged));
        let mut found = client.scan(ScanQuery { consistency, ..ScanQuery::default() }).await?;
        while let Some((key, value)) = found.next().await? {
            search.take(&key, &value);
        }
        search.conclude()?;
    }
    Ok(acknowledged.iter().map(|writer| writer.count).sum())
}

/// What makes a read of any node show all that the group has.
async fn latest(clients: &[Client]) -> Result<ReadConsistency, BenchError> {
    let Some(client) = clients.first() else { return Ok(ReadConsistency::Linearizable) };
    let read = client.get("", "latest", ReadConsistency::Linearizable).await?;
    Ok(read.seen.map_or(ReadConsistency::Linearizable, ReadConsistency::Token))
}

/// The rows that were acknowledged, in the order of their keys.
fn rows(acknowledged: &[Acknowledged]) -> impl Iterator<Item = (Bytes, Bytes)> {
    debug_assert!(acknowledged.is_sorted(), "rounds and writers come in order");
    acknowledged.iter().flat_map(|writer| (0..writer.count).map(|number| writer.row(number)))
}

impl<I: Iterator<Item = (Bytes, Bytes)>> Search<I> {
    fn new(expected: I) -> Self {
        Self { expected: expected.peekable(), lost: 0, first: None }
    }

    /// Takes in the next row that is there. Those that were not expected do not matter.
    fn take(&mut self, key: &Bytes, value: &Bytes) {
        while let Some((lost, _)) = self.expected.next_if(|(expected, _)| expected < key) {
            self.lose(lost);
        }
        if let Some((_, expected)) = self.expected.next_if(|(expected, _)| expected == key)
            && expected != *value
        {
            self.lose(key.clone());
        }
    }

    fn lose(&mut self, key: Bytes) {
        self.lost += 1;
        self.first.get_or_insert(key);
    }

    fn conclude(mut self) -> Result<(), BenchError> {
        while let Some((lost, _)) = self.expected.next() {
            self.lose(lost);
        }
        match self.first {
            None => Ok(()),
            Some(first) => Err(BenchError::Lost { lost: self.lost, first }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writers() -> [Acknowledged; 2] {
        [1, 2].map(|writer| Acknowledged { round: 0, writer, count: 2, value_bytes: 3 })
    }

    fn lost(found: impl IntoIterator<Item = (Bytes, Bytes)>) -> u64 {
        let writers = writers();
        let mut search = Search::new(rows(&writers));
        for (key, value) in found {
            search.take(&key, &value);
        }
        match search.conclude() {
            Err(BenchError::Lost { lost, .. }) => lost,
            _ => 0,
        }
    }

    #[test]
    fn every_acknowledged_row_is_looked_for_and_others_do_not_matter() {
        let all: Vec<_> = rows(&writers()).collect();
        assert_eq!(all.len(), 4);
        assert_eq!(lost(all.clone()), 0);
        let [first, second] = writers();
        let more =
            [all[0].clone(), all[1].clone(), first.row(2), all[2].clone(), all[3].clone(), second.row(7)];
        assert_eq!(lost(more), 0);
        for missing in 0..4 {
            let mut rest = all.clone();
            rest.remove(missing);
            assert_eq!(lost(rest), 1);
        }
        assert_eq!(lost([]), 4);
    }

    #[test]
    fn a_row_with_another_value_is_lost() {
        let mut all: Vec<_> = rows(&writers()).collect();
        all[2].1 = Bytes::from_static(b"xyz");
        assert_eq!(lost(all), 1);
    }
}
