use bytes::Bytes;
use quorate_codec::{Envelope, Operation, Operations, PayloadKind, Session};
use std::collections::BTreeMap;

/// What every key's value was behind every committed position: a dumb model of the engine.
#[derive(Debug, Default)]
pub(crate) struct History {
    versions: BTreeMap<Bytes, Vec<(u64, Option<Bytes>)>>,
    /// The last number that each session has taken.
    sessions: BTreeMap<u128, u64>,
}

impl History {
    /// Takes in the payload committed at `position`. Says what cannot be understood.
    pub(crate) fn commit(&mut self, position: u64, payload: &[u8]) -> Result<(), String> {
        let envelope = Envelope::decode(payload).map_err(|error| error.to_string())?;
        if envelope.kind == PayloadKind::OpenSession {
            let client = envelope.session.ok_or("a session is opened for nobody")?.client;
            self.sessions.entry(client).or_insert(0);
            return Ok(());
        }
        if !envelope.session.is_none_or(|session| self.takes(session)) {
            return Ok(());
        }
        for operation in Operations::new(envelope.body) {
            match operation.map_err(|error| error.to_string())? {
                Operation::Put { key, value, .. } => {
                    self.set(position, key, Some(Bytes::copy_from_slice(value)))
                }
                Operation::Delete { key, .. } => self.set(position, key, None),
                Operation::CreateDatabase { .. } => {}
            }
        }
        Ok(())
    }

    /// Whether a session is open and takes this number, which it does once.
    fn takes(&mut self, session: Session) -> bool {
        let Some(last) = self.sessions.get_mut(&session.client) else { return false };
        let takes = session.sequence > *last;
        *last = session.sequence.max(*last);
        takes
    }

    fn set(&mut self, position: u64, key: &[u8], value: Option<Bytes>) {
        self.versions.entry(Bytes::copy_from_slice(key)).or_default().push((position, value));
    }

    /// The value of a key behind `position`.
    pub(crate) fn value(&self, key: &[u8], position: u64) -> Option<Bytes> {
        let versions = self.versions.get(key)?;
        let behind = versions.partition_point(|(at, _)| *at <= position);
        versions[..behind].last().and_then(|(_, value)| value.clone())
    }

    /// All keys that were ever set.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Bytes> {
        self.versions.keys()
    }
}
