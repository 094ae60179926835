use crate::core::Limits;
use crate::kv::KEY_BYTES_MAX;
use crate::{WriteError, WriteRequest};
use quorate_codec::{DATABASE_NAME_BYTES_MAX, Operation, Operations, WriteBatch};

impl Limits {
    /// Checks a key and its value.
    pub(crate) fn check_row(&self, key: &[u8], value: &[u8]) -> Result<(), WriteError> {
        match key.len() {
            0 => Err(WriteError::EmptyKey),
            bytes if bytes > KEY_BYTES_MAX => Err(WriteError::KeyTooLong { bytes, limit: KEY_BYTES_MAX }),
            _ if value.len() > self.value_bytes_max => {
                Err(WriteError::ValueTooLong { bytes: value.len(), limit: self.value_bytes_max })
            }
            _ => Ok(()),
        }
    }

    /// Checks what does not depend on the state of the group. A session's numbers count from 1.
    pub(crate) fn check_request(&self, request: &WriteRequest) -> Result<(), WriteError> {
        match &request.session {
            Some(session) if session.sequence == 0 => Err(WriteError::StaleSequence),
            Some(_) if request.batch.is_empty() => Ok(()),
            _ => self.check_batch(&request.batch),
        }
    }

    /// Checks every operation of a write, and the write as a whole.
    pub(crate) fn check_batch(&self, batch: &WriteBatch) -> Result<(), WriteError> {
        if batch.is_empty() {
            return Err(WriteError::EmptyBatch);
        }
        if batch.bytes() > self.write_bytes_max {
            return Err(WriteError::BatchTooLong { bytes: batch.bytes(), limit: self.write_bytes_max });
        }
        Operations::new(batch.encoded()).flatten().try_for_each(|operation| match operation {
            Operation::Put { key, value, .. } => self.check_row(key, value),
            Operation::Delete { key, .. } => self.check_row(key, &[]),
            Operation::CreateDatabase { name } => check_name(name),
        })
    }
}

/// Checks the name of a database.
pub(crate) fn check_name(name: &str) -> Result<(), WriteError> {
    let (bytes, limit) = (name.len(), DATABASE_NAME_BYTES_MAX);
    if (1..=limit).contains(&bytes) { Ok(()) } else { Err(WriteError::DatabaseName { bytes, limit }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_codec::{DatabaseId, Session};
    use std::time::Duration;

    const LIMITS: Limits =
        Limits { ack_timeout: Duration::from_secs(1), value_bytes_max: 10, write_bytes_max: 70_000 };

    fn put(key: &[u8], value: &[u8]) -> Result<(), WriteError> {
        let mut batch = WriteBatch::new();
        batch.put(DatabaseId::new(1), b"ok", b"");
        batch.put(DatabaseId::new(1), key, value);
        LIMITS.check_batch(&batch)
    }

    fn submit(session: Option<u64>) -> Result<(), WriteError> {
        let request = WriteRequest::new(WriteBatch::new());
        LIMITS.check_request(&match session {
            Some(sequence) => request.session(Session { client: 1, sequence }),
            None => request,
        })
    }

    #[test]
    fn a_write_without_operations_is_a_fence_of_a_session_or_refused() {
        assert_eq!(submit(None), Err(WriteError::EmptyBatch));
        assert_eq!(submit(Some(0)), Err(WriteError::StaleSequence));
        assert_eq!(submit(Some(1)), Ok(()));
    }

    #[test]
    fn keys_and_values_at_their_limits_pass_and_beyond_them_do_not() {
        assert_eq!(put(b"k", &[0; 10]), Ok(()));
        assert_eq!(put(b"k", &[0; 11]), Err(WriteError::ValueTooLong { bytes: 11, limit: 10 }));
        assert_eq!(put(b"", b""), Err(WriteError::EmptyKey));
        assert_eq!(put(&[0; KEY_BYTES_MAX], b""), Ok(()));
        let long = WriteError::KeyTooLong { bytes: KEY_BYTES_MAX + 1, limit: KEY_BYTES_MAX };
        assert_eq!(put(&[0; KEY_BYTES_MAX + 1], b""), Err(long));
    }

    #[test]
    fn a_write_is_limited_as_a_whole_too() {
        assert_eq!(LIMITS.check_batch(&WriteBatch::new()), Err(WriteError::EmptyBatch));
        let mut batch = WriteBatch::new();
        batch.delete(DatabaseId::new(1), &[0; 40_000]);
        assert_eq!(LIMITS.check_batch(&batch), Ok(()));
        batch.delete(DatabaseId::new(1), &[0; 40_000]);
        assert!(matches!(LIMITS.check_batch(&batch), Err(WriteError::BatchTooLong { limit: 70_000, .. })));
    }

    #[test]
    fn a_database_has_a_name() {
        assert!(check_name("orders").is_ok());
        assert_eq!(check_name(""), Err(WriteError::DatabaseName { bytes: 0, limit: 255 }));
        assert!(check_name(&"x".repeat(256)).is_err());
    }
}
