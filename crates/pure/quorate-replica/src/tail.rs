use alloc::collections::VecDeque;
use quorate_codec::{prefix, split_at_bytes, suffix};
use quorate_core::{Batch, Vlsn};

/// The most recent batches of the log, in memory and shared: feeders and the engine read from here, and from disk below it.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    batches: VecDeque<Batch>,
    bytes: usize,
    bytes_max: usize,
}

impl Tail {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { batches: VecDeque::new(), bytes: 0, bytes_max }
    }

    /// Takes in the batch that follows. Old batches go when there is too much, but only those in the log file (up to `written`).
    pub(crate) fn push(&mut self, batch: Batch, written: Option<Vlsn>) {
        self.bytes += batch.bytes();
        self.batches.push_back(batch);
        self.evict(written);
    }

    /// Drops old batches while there are more bytes than allowed.
    pub(crate) fn evict(&mut self, written: Option<Vlsn>) {
        while self.bytes > self.bytes_max
            && let Some(front) = self.batches.front()
            && Some(front.last().vlsn) <= written
        {
            self.bytes -= front.bytes();
            self.batches.pop_front();
        }
    }

    pub(crate) fn truncate_after(&mut self, keep: Option<Vlsn>) {
        while let Some(back) = self.batches.back()
            && Some(back.last().vlsn) > keep
        {
            let back = self.batches.pop_back().expect("seen above");
            self.bytes -= back.bytes();
            if let Some(rest) = keep.and_then(|keep| prefix(&back, keep)) {
                self.bytes += rest.bytes();
                self.batches.push_back(rest);
                break;
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.batches.clear();
        self.bytes = 0;
    }

    /// Frames from `from` on, up to `through` at most and about `bytes_max` bytes, from one batch; `None` if they are not here.
    pub(crate) fn read(&self, from: Vlsn, through: Vlsn, bytes_max: usize) -> Option<Batch> {
        let index = self.batches.partition_point(|batch| batch.last().vlsn < from);
        let batch = self.batches.get(index).filter(|batch| batch.first() <= from)?;
        let rest = if batch.first() == from { batch.clone() } else { suffix(batch, from)? };
        let rest = if rest.last().vlsn <= through { rest } else { prefix(&rest, through)? };
        Some(if rest.bytes() <= bytes_max { rest } else { split_at_bytes(&rest, bytes_max).0 })
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}
