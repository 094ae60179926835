use super::engine::SCHEMA_VERSION;
use quorate_codec::{Envelope, Operations, PayloadKind, Session};

/// What a payload asks of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request<'a> {
    /// To carry out operations.
    Write {
        /// The operations, encoded; not read yet.
        operations: &'a [u8],
        /// At most once, by this number.
        session: Option<Session>,
    },
    /// To open a session.
    OpenSession {
        /// Whose.
        client: u128,
    },
}

impl<'a> Request<'a> {
    /// Reads a payload, but not its operations; or says why the engine would not understand it.
    pub(crate) fn read(payload: &'a [u8]) -> Result<Self, String> {
        let envelope = Envelope::decode(payload).map_err(|error| error.to_string())?;
        match (envelope.kind, envelope.schema_version, envelope.session) {
            (PayloadKind::WriteBatch, SCHEMA_VERSION, session) => {
                Ok(Self::Write { operations: envelope.body, session })
            }
            (PayloadKind::OpenSession, SCHEMA_VERSION, Some(Session { client, sequence: 0 }))
                if envelope.body.is_empty() =>
            {
                Ok(Self::OpenSession { client })
            }
            (PayloadKind::OpenSession, SCHEMA_VERSION, _) => {
                Err("a session is opened with number 0 and nothing else".to_owned())
            }
            (kind, version, _) => Err(format!(
                "requests of schema {SCHEMA_VERSION} are understood, not {kind:?} of schema {version}"
            )),
        }
    }
}

/// Makes sure that the engine will understand a payload, of bytes that nobody trusts; or says why not.
pub(crate) fn check_payload(payload: &[u8]) -> Result<(), String> {
    let Request::Write { operations, .. } = Request::read(payload)? else { return Ok(()) };
    let unreadable = Operations::new(operations).find_map(Result::err);
    unreadable.map_or(Ok(()), |error| Err(error.to_string()))
}
