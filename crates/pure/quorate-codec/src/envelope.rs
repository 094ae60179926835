use alloc::vec::Vec;

const SCHEMA_VERSION_AT: usize = 2;
const SESSION_AT: usize = 4;
const SEQUENCE_AT: usize = SESSION_AT + size_of::<u128>();
const SESSION_END: usize = SEQUENCE_AT + size_of::<u64>();
/// The most that an envelope takes besides its body, in bytes.
pub const ENVELOPE_BYTES_MAX: usize = SESSION_END;
const FLAG_SESSION: u8 = 1 << 0;

/// What an entry's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayloadKind {
    /// A list of operations on the key-value environment: a [`WriteBatch`](crate::WriteBatch).
    WriteBatch,
    /// Bytes that only the application's own engine understands.
    Opaque,
    /// A client opens a session, number 0 of which this entry takes; the body is empty.
    OpenSession,
}

impl PayloadKind {
    const fn code(self) -> u8 {
        match self {
            Self::WriteBatch => 1,
            Self::Opaque => 2,
            Self::OpenSession => 3,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::WriteBatch),
            2 => Some(Self::Opaque),
            3 => Some(Self::OpenSession),
            _ => None,
        }
    }
}

/// Who asked for an entry and how many it had asked for before, so that a request repeated is not carried out
/// twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    /// The client, drawn at random.
    pub client: u128,
    /// The client's own count of its requests, from 1; 0 opens the session.
    pub sequence: u64,
}

/// What a data entry's payload begins with: what the body is, for whoever applies it.
///
/// ```text
///  0    1     2         4                 20         28
///  +----+-----+---------+-----------------+----------+------
///  |kind|flags|schema   | client          | sequence | body     client and sequence only with flag bit 0;
///  +----+-----+---------+-----------------+----------+------    the body begins at 4 without
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// What the body is.
    pub kind: PayloadKind,
    /// Version of the body's layout, by the count of whoever understands that kind.
    pub schema_version: u16,
    /// Who asked for the entry, where that is known.
    pub session: Option<Session>,
    /// The body.
    pub body: &'a [u8],
}

/// Why a payload is no envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The payload ends within the envelope.
    #[error("the payload ends within its envelope: {needed} bytes are needed, it has {found}")]
    Truncated {
        /// Bytes that the envelope takes.
        needed: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// The kind of payload is unknown.
    #[error("payload kind {found} is unknown to this version: run a version that knows it on every node")]
    Kind {
        /// The kind's code.
        found: u8,
    },
    /// A flag is set that means nothing.
    #[error(
        "envelope flags {found:#04x} are unknown to this version: run a version that knows them on every node"
    )]
    Flags {
        /// All flags.
        found: u8,
    },
}

impl<'a> Envelope<'a> {
    /// Appends the envelope and its body to `payload`.
    pub fn encode_into(&self, payload: &mut Vec<u8>) {
        let flags = if self.session.is_some() { FLAG_SESSION } else { 0 };
        payload.reserve(self.bytes());
        payload.extend_from_slice(&[self.kind.code(), flags]);
        payload.extend_from_slice(&self.schema_version.to_le_bytes());
        if let Some(session) = self.session {
            payload.extend_from_slice(&session.client.to_le_bytes());
            payload.extend_from_slice(&session.sequence.to_le_bytes());
        }
        payload.extend_from_slice(self.body);
    }

    /// Length of the envelope with its body in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        let envelope = if self.session.is_some() { SESSION_END } else { SESSION_AT };
        envelope + self.body.len()
    }

    /// Reads the envelope of a payload.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the payload does not begin with an envelope that this version knows.
    pub fn decode(payload: &'a [u8]) -> Result<Self, EnvelopeError> {
        let truncated = |needed| EnvelopeError::Truncated { needed, found: payload.len() };
        let [kind, flags, schema @ ..] =
            payload.first_chunk::<SESSION_AT>().ok_or_else(|| truncated(SESSION_AT))?;
        let kind = PayloadKind::from_code(*kind).ok_or(EnvelopeError::Kind { found: *kind })?;
        if flags & !FLAG_SESSION != 0 {
            return Err(EnvelopeError::Flags { found: *flags });
        }
        let (session, body) = match flags & FLAG_SESSION {
            0 => (None, &payload[SESSION_AT..]),
            _ => {
                let session = decode_session(payload).ok_or_else(|| truncated(SESSION_END))?;
                (Some(session), &payload[SESSION_END..])
            }
        };
        Ok(Self { kind, schema_version: u16::from_le_bytes(*schema), session, body })
    }
}

fn decode_session(payload: &[u8]) -> Option<Session> {
    let client = u128::from_le_bytes(*payload.get(SESSION_AT..)?.first_chunk()?);
    let sequence = u64::from_le_bytes(*payload.get(SEQUENCE_AT..)?.first_chunk()?);
    Some(Session { client, sequence })
}

const _: () = assert!(SCHEMA_VERSION_AT + size_of::<u16>() == SESSION_AT);
