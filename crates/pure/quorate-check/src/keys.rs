use crate::{Call, Model, Verdict, linearizable};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// One key's part of a history, and what is to be said of it.
#[derive(Clone, Debug)]
pub struct KeyVerdict<K, O, R> {
    /// The key.
    pub key: K,
    /// The calls on it, in the order in which they were given.
    pub calls: Vec<Call<O, R>>,
    /// Whether they are linearizable; its places are places in `calls`.
    pub verdict: Verdict,
}

/// Judges each key of a store by itself, in the order of the keys. A store is linearizable if each of its keys
/// is. `budget` is for each key.
#[must_use]
pub fn by_key<K: Ord, M: Model>(
    history: impl IntoIterator<Item = (K, Call<M::Operation, M::Outcome>)>,
    budget: u64,
) -> Vec<KeyVerdict<K, M::Operation, M::Outcome>> {
    let mut keys = BTreeMap::<K, Vec<_>>::new();
    for (key, call) in history {
        keys.entry(key).or_default().push(call);
    }
    let judged = keys.into_iter().map(|(key, calls)| {
        let verdict = linearizable::<M>(&calls, budget);
        KeyVerdict { key, calls, verdict }
    });
    judged.collect()
}
