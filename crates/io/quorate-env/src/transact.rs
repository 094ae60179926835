mod attempts;
mod transact_error;

pub use transact_error::TransactError;

use crate::block_on::block_on;
use crate::core::Core;
use crate::{Environment, Snapshot, Transaction, TransactionError};
use attempts::Attempts;
use quorate_codec::{ReadSet, WriteBatch};
use quorate_policy::{CommitDurability, CommitToken, ConsistencyPolicy};
use std::sync::Arc;
use std::time::Duration;

/// How a transaction is run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TransactOptions {
    /// How long to try, all attempts together. Default: four times the timeout for acknowledgements.
    pub timeout: Option<Duration>,
    /// How durable its writes are. A transaction is waited for until it is committed: one that asks for no
    /// acknowledgements asks for those of a majority. Default: the environment's.
    pub durability: Option<CommitDurability>,
    /// What its snapshot must show. That decides how current a transaction is that writes nothing; one that
    /// writes is checked by the master in any case. Default: the environment's.
    pub consistency: Option<ConsistencyPolicy>,
}

/// A transaction that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transacted<T> {
    /// What the function has returned in the attempt that was committed.
    pub value: T,
    /// Names the commit; `None` if nothing was written.
    pub token: Option<CommitToken>,
    /// How many attempts it took.
    pub attempts: u32,
}

impl Environment {
    /// Runs a transaction: what `body` reads and writes happens as if at one moment, or not at all.
    ///
    /// ```no_run
    /// # fn run(env: &quorate_env::Environment) -> Result<(), Box<dyn std::error::Error>> {
    /// let accounts = env.bytes("accounts")?;
    /// env.transact(|tx| {
    ///     let balance = tx.get_bytes(&accounts, b"alice")?.unwrap_or_default();
    ///     tx.put_bytes(&accounts, b"bob", &balance)?;
    ///     tx.delete_bytes(&accounts, b"alice")
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `body` runs again if something that it has read was written meanwhile, and over changes of master: it
    /// must have no effect but through the transaction. Its writes take effect exactly once, however often it
    /// runs. If it returns an error nothing is written. Blocks; see [`transact_async`](Self::transact_async).
    ///
    /// # Errors
    /// [`TransactError`]; [`TransactError::outcome`] tells whether it may have taken effect.
    pub fn transact<T>(
        &self,
        body: impl FnMut(&Transaction) -> Result<T, TransactionError>,
    ) -> Result<Transacted<T>, TransactError> {
        self.transact_with(TransactOptions::default(), body)
    }

    /// As [`transact`](Self::transact), with options, and for a `body` with errors of its own.
    ///
    /// # Errors
    /// As [`transact`](Self::transact).
    pub fn transact_with<T, E>(
        &self,
        options: TransactOptions,
        body: impl FnMut(&Transaction) -> Result<T, E>,
    ) -> Result<Transacted<T>, TransactError<E>> {
        block_on(self.transact_async(options, body))
    }

    /// As [`transact_with`](Self::transact_with), to be awaited. `body` itself runs, and reads, in place.
    ///
    /// If the future is dropped before it is done, whether the transaction took effect is not known.
    ///
    /// # Errors
    /// As [`transact`](Self::transact).
    pub async fn transact_async<T, E>(
        &self,
        options: TransactOptions,
        mut body: impl FnMut(&Transaction) -> Result<T, E>,
    ) -> Result<Transacted<T>, TransactError<E>> {
        let mut attempts = Attempts::new(&self.core, options);
        loop {
            let snapshot = attempts.begin().await?;
            let (value, batch, reads) =
                run(&self.core, snapshot, &mut body).map_err(TransactError::Aborted)?;
            let token = match batch.is_empty() {
                true => None,
                false => match attempts.commit(batch, reads).await? {
                    Some(token) => Some(token),
                    None => continue,
                },
            };
            return Ok(Transacted { value, token, attempts: attempts.count() });
        }
    }
}

/// Runs the body once.
fn run<T, E>(
    core: &Arc<Core>,
    snapshot: Snapshot,
    body: &mut impl FnMut(&Transaction) -> Result<T, E>,
) -> Result<(T, WriteBatch, ReadSet), E> {
    let transaction = Transaction::new(core, snapshot);
    let value = body(&transaction)?;
    let (batch, reads) = transaction.into_parts();
    Ok((value, batch, reads))
}
