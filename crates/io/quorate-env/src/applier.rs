use crate::payloads::Payloads;
use bytes::Bytes;
use quorate_codec::frames;
use quorate_core::{Batch, Committed, Engine, EngineError, EntryId, EntryKind, Vlsn};
use std::slice;

/// Feeds committed batches to an engine.
///
/// After a restart the log replays from what the engine held durably, so batches may begin with entries
/// that the engine has; they are passed over.
pub struct Applier {
    engine: Box<dyn Engine>,
    payloads: Payloads,
    entries: Vec<Committed>,
}

/// What one application did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The last entry that the engine holds now, whether this application brought it or an earlier one.
    pub last: EntryId,
    /// The position of the first result; `None` if the engine held every entry before.
    pub first: Option<Vlsn>,
    /// What the engine said of each entry from `first` on.
    pub results: Vec<Bytes>,
}

/// Memory for entries that is kept from one application to the next, in entries.
const KEPT_ENTRIES_MAX: usize = 8192;

impl Applier {
    /// An applier that is the only one to write to `engine`, which understands the payloads of an
    /// environment.
    #[must_use]
    pub fn new(engine: Box<dyn Engine>) -> Self {
        Self { engine, payloads: Payloads::KeyValue, entries: Vec::new() }
    }

    /// An applier that is the only one to write to an application's own `engine`. It is given what the
    /// application has proposed, and an empty payload for every entry that is not the application's.
    #[must_use]
    pub fn for_application(engine: Box<dyn Engine>) -> Self {
        Self { engine, payloads: Payloads::Opaque, entries: Vec::new() }
    }

    /// The last entry that the engine holds.
    #[must_use]
    pub fn applied(&self) -> Option<EntryId> {
        self.engine.applied()
    }

    /// Applies the entries of a batch in one atomic step.
    ///
    /// # Errors
    /// [`EngineError`]; nothing was applied, and nothing may be applied any more.
    pub fn apply(&mut self, batch: &Batch) -> Result<Applied, EngineError> {
        self.apply_run(slice::from_ref(batch))
    }

    /// Applies batches that follow each other in one atomic step.
    ///
    /// # Panics
    /// If there is no batch, or the first one leaves a gap behind what the engine holds: bugs of the caller.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_run(&mut self, batches: &[Batch]) -> Result<Applied, EngineError> {
        let last = batches.last().expect("there is something to apply").last();
        self.gather(batches)?;
        let mut results = Vec::with_capacity(self.entries.len());
        self.engine.apply(&self.entries, &mut results)?;
        assert_eq!(results.len(), self.entries.len(), "an engine gives one result an entry");
        let first = self.entries.first().map(|entry| entry.id.vlsn);
        self.entries.clear();
        self.entries.shrink_to(KEPT_ENTRIES_MAX);
        Ok(Applied { last: self.applied().unwrap_or(last), first, results })
    }

    /// Makes durable what the engine holds, and returns how far: `None` from an engine that keeps nothing.
    ///
    /// # Errors
    /// [`EngineError`]; no more than before is durable, and nothing may be applied any more.
    pub fn flush(&mut self) -> Result<Option<EntryId>, EngineError> {
        self.engine.flush()
    }

    /// How far the engine is durable by now: what it makes so by itself, or a flush.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn checkpoint(&mut self) -> Result<Option<EntryId>, EngineError> {
        self.engine.checkpoint()
    }

    /// Collects the entries that the engine lacks.
    fn gather(&mut self, batches: &[Batch]) -> Result<(), EngineError> {
        let next = Vlsn::after(self.applied().map(|applied| applied.vlsn));
        self.entries.clear();
        for batch in batches.iter().filter(|batch| batch.last().vlsn >= next) {
            let lacking = frames(batch).skip_while(|frame| frame.id.vlsn < next);
            for frame in lacking {
                let (id, kind) = (frame.id, frame.kind);
                let payload = self.payload(kind, frame.payload);
                let payload = payload.map_err(|detail| EngineError::Payload { id, detail })?;
                self.entries.push(Committed { id, kind, payload });
            }
        }
        let first = self.entries.first().map_or(next, |entry| entry.id.vlsn);
        assert_eq!(first, next, "entries are applied in order, each once");
        Ok(())
    }

    fn payload(&self, kind: EntryKind, payload: Bytes) -> Result<Bytes, String> {
        match (self.payloads, kind) {
            (Payloads::Opaque, EntryKind::TermStart) => Ok(Bytes::new()),
            (payloads, _) => payloads.for_engine(payload),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_codec::Encoder;
    use quorate_core::{NodeId, Requirement, Term};

    /// Keeps what it was given; a payload of `fail` is an error.
    #[derive(Default)]
    struct Recorder {
        applied: Option<EntryId>,
        steps: Vec<Vec<u64>>,
    }

    struct Shared(std::sync::Arc<std::sync::Mutex<Recorder>>);

    impl Engine for Shared {
        fn applied(&self) -> Option<EntryId> {
            self.0.lock().unwrap().applied
        }

        fn apply(&mut self, entries: &[Committed], results: &mut Vec<Bytes>) -> Result<(), EngineError> {
            let mut recorder = self.0.lock().unwrap();
            if let Some(entry) = entries.iter().find(|entry| &entry.payload[..] == b"fail") {
                return Err(EngineError::Payload { id: entry.id, detail: String::new() });
            }
            results.extend(entries.iter().map(|entry| entry.payload.clone()));
            recorder.steps.push(entries.iter().map(|entry| entry.id.vlsn.as_u64()).collect());
            recorder.applied = entries.last().map(|entry| entry.id).or(recorder.applied);
            Ok(())
        }

        fn flush(&mut self) -> Result<Option<EntryId>, EngineError> {
            Ok(self.applied())
        }
    }

    fn subject() -> (Applier, std::sync::Arc<std::sync::Mutex<Recorder>>) {
        let recorder = std::sync::Arc::default();
        (Applier::new(Box::new(Shared(std::sync::Arc::clone(&recorder)))), recorder)
    }

    fn id(number: u64) -> EntryId {
        EntryId { term: Term::new(1, NodeId::new(1)), vlsn: Vlsn::new(number).unwrap() }
    }

    fn batch(numbers: std::ops::RangeInclusive<u64>, payload: &[u8]) -> Batch {
        let mut encoder = Encoder::new(0);
        for number in numbers {
            encoder.push(id(number), EntryKind::Data, Requirement::SYNC, 0, payload);
        }
        encoder.finish().unwrap()
    }

    #[test]
    fn several_batches_are_applied_in_one_step_with_a_result_for_each_entry() {
        let (mut applier, recorder) = subject();
        let applied = applier.apply_run(&[batch(1..=2, b"a"), batch(3..=3, b"b")]).unwrap();
        assert_eq!(applied.last, id(3));
        assert_eq!(applied.first, Some(Vlsn::FIRST));
        assert_eq!(applied.results, [&b"a"[..], b"a", b"b"]);
        assert_eq!(recorder.lock().unwrap().steps, [vec![1, 2, 3]]);
    }

    #[test]
    fn entries_that_the_engine_holds_are_passed_over_when_the_log_replays() {
        let (mut applier, recorder) = subject();
        applier.apply(&batch(1..=3, b"a")).unwrap();
        let replayed = applier.apply(&batch(2..=5, b"b")).unwrap();
        assert_eq!((replayed.first, replayed.results.len()), (Vlsn::new(4), 2));
        let again = applier.apply(&batch(1..=5, b"c")).unwrap();
        assert_eq!((again.first, again.last), (None, id(5)));
        assert_eq!(recorder.lock().unwrap().steps, [vec![1, 2, 3], vec![4, 5], vec![]]);
    }

    #[test]
    #[should_panic(expected = "in order")]
    fn a_gap_is_a_bug() {
        subject().0.apply(&batch(2..=3, b"a")).unwrap();
    }

    #[test]
    fn a_failed_application_leaves_the_position() {
        let (mut applier, _) = subject();
        applier.apply(&batch(1..=1, b"a")).unwrap();
        assert!(applier.apply(&batch(2..=2, b"fail")).is_err());
        assert_eq!(applier.applied(), Some(id(1)));
        assert_eq!(applier.flush().unwrap(), Some(id(1)));
    }

    #[test]
    fn an_application_s_engine_is_given_its_own_bytes_and_no_others() {
        let recorder = std::sync::Arc::default();
        let mut applier = Applier::for_application(Box::new(Shared(std::sync::Arc::clone(&recorder))));
        let mut encoder = Encoder::new(0);
        encoder.push(id(1), EntryKind::TermStart, Requirement::SYNC, 0, b"roster");
        encoder.push(id(2), EntryKind::Data, Requirement::SYNC, 0, &crate::payloads::seal(b"own"));
        let applied = applier.apply(&encoder.finish().unwrap()).unwrap();
        assert_eq!(applied.results, [&b""[..], b"own"]);
        let foreign = applier.apply(&batch(3..=3, b"\x01\x00\x01\x00")).unwrap_err();
        assert!(matches!(foreign, EngineError::Payload { id: refused, .. } if refused == id(3)));
        assert_eq!(applier.applied(), Some(id(2)));
    }
}
