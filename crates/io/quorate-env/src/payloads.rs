use crate::kv;
use bytes::Bytes;
use quorate_codec::{Envelope, PayloadKind};

/// What the entries of a node's group hold, and so who understands them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payloads {
    /// Requests to the databases of an environment.
    KeyValue,
    /// Bytes that the application's own engine understands, in an envelope that it does not see.
    Opaque,
}

/// The version of the envelope around an application's own bytes.
const OPAQUE_VERSION: u16 = 1;

impl Payloads {
    /// Whether a payload can be applied; else why not.
    pub(crate) fn check(self, payload: &[u8]) -> Result<(), String> {
        match self {
            Self::KeyValue => kv::check_payload(payload),
            Self::Opaque => open(payload).map(drop),
        }
    }

    /// What an engine is given of a payload; an error if it would not understand it.
    pub(crate) fn for_engine(self, payload: Bytes) -> Result<Bytes, String> {
        match self {
            Self::KeyValue => Ok(payload),
            Self::Opaque => {
                let start = payload.len() - open(&payload)?.len();
                Ok(payload.slice(start..))
            }
        }
    }
}

/// An application's bytes in their envelope.
pub(crate) fn seal(body: &[u8]) -> Bytes {
    let envelope =
        Envelope { kind: PayloadKind::Opaque, schema_version: OPAQUE_VERSION, session: None, body };
    let mut payload = Vec::with_capacity(envelope.bytes());
    envelope.encode_into(&mut payload);
    Bytes::from(payload)
}

fn open(payload: &[u8]) -> Result<&[u8], String> {
    let envelope = Envelope::decode(payload).map_err(|error| error.to_string())?;
    match envelope {
        Envelope { kind: PayloadKind::Opaque, schema_version: OPAQUE_VERSION, session: None, body } => {
            Ok(body)
        }
        Envelope { kind: PayloadKind::Opaque, schema_version, .. } => {
            Err(format!("its envelope has version {schema_version}, or a session, and is not known here"))
        }
        Envelope { kind, .. } => {
            Err(format!("it is a {kind:?} for the databases of an environment, and this engine has none"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_batch() -> Bytes {
        let mut payload = Vec::new();
        let (kind, batch) = (PayloadKind::WriteBatch, quorate_codec::WriteBatch::new());
        let body = batch.encoded();
        Envelope { kind, schema_version: kv::SCHEMA_VERSION, session: None, body }.encode_into(&mut payload);
        Bytes::from(payload)
    }

    #[test]
    fn an_application_s_engine_sees_its_own_bytes_and_nothing_else() {
        for body in [&b""[..], b"some bytes"] {
            assert_eq!(Payloads::Opaque.check(&seal(body)), Ok(()));
            assert_eq!(Payloads::Opaque.for_engine(seal(body)).as_deref(), Ok(body));
        }
        assert!(Payloads::Opaque.for_engine(write_batch()).is_err());
        assert!(Payloads::Opaque.check(b"\x09\x00\x01\x00").is_err());
        assert!(Payloads::Opaque.check(b"").is_err());
    }

    #[test]
    fn databases_take_no_opaque_bytes() {
        assert!(Payloads::KeyValue.check(&seal(b"some bytes")).is_err());
        assert_eq!(Payloads::KeyValue.check(&write_batch()), Ok(()));
        assert_eq!(Payloads::KeyValue.for_engine(write_batch()), Ok(write_batch()));
    }
}
