use super::closed_loop::run_all;
use super::load::Target;
use quorate_core::Random;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// How many rows are written at a time when a key space is filled.
const FILLERS: usize = 256;

/// Rows by number: keys that are all different (from eight bytes on) and lie in no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeySpace {
    pub(super) key_bytes: u32,
    pub(super) value_bytes: u32,
}

impl KeySpace {
    /// The key of the row of this number.
    pub(super) fn key(&self, number: u64) -> Vec<u8> {
        // One step of the generator maps its seeds one to one, so that the first eight bytes differ.
        let mut random = Random::new(number);
        let mut key = vec![0; self.key_bytes as usize];
        for part in key.chunks_mut(size_of::<u64>()) {
            part.copy_from_slice(&random.next_u64().to_le_bytes()[..part.len()]);
        }
        key
    }

    /// A value, which `byte` tells from others.
    pub(super) fn value(&self, byte: u8) -> Vec<u8> {
        vec![byte; self.value_bytes as usize]
    }

    /// Writes the first `count` rows, many at a time, all on this thread, and returns the last write.
    ///
    /// # Errors
    /// The first failure of a write; the other writers are given up.
    pub(super) async fn fill<T: Target>(self, target: &T, count: u64) -> Result<Option<T::Token>, T::Error> {
        let (next, last) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(None)));
        let filler = |_| self.fill_from(target.clone(), count, Rc::clone(&next), Rc::clone(&last));
        run_all((0..FILLERS).map(filler)).await?;
        let last = *last.borrow();
        Ok(last)
    }

    async fn fill_from<T: Target>(
        self,
        target: T,
        count: u64,
        next: Rc<Cell<u64>>,
        last: Rc<RefCell<Option<T::Token>>>,
    ) -> Result<(), T::Error> {
        while next.get() < count {
            let number = next.replace(next.get() + 1);
            let key = self.key(number);
            let token = target.put(&key, &self.value(key[0])).await?;
            let mut last = last.borrow_mut();
            if last.is_none_or(|last| T::position(last) < T::position(token)) {
                *last = Some(token);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[derive(Clone, Default)]
    struct Rows(Rc<RefCell<BTreeSet<Vec<u8>>>>);

    impl Target for Rows {
        type Token = u64;
        type Error = ();

        async fn put(&self, key: &[u8], value: &[u8]) -> Result<u64, ()> {
            tokio::task::yield_now().await;
            assert_eq!(value.len(), 5);
            let mut rows = self.0.borrow_mut();
            rows.insert(key.to_vec());
            Ok(rows.len() as u64)
        }

        fn position(token: u64) -> u64 {
            token
        }
    }

    #[test]
    fn a_filled_key_space_has_as_many_different_keys_as_were_asked_for() {
        let (rows, keys) = (Rows::default(), KeySpace { key_bytes: 11, value_bytes: 5 });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let last = runtime.block_on(keys.fill(&rows, 1000)).unwrap();
        assert_eq!(last, Some(1000));
        let rows = rows.0.borrow();
        assert!((0..1000).all(|number| rows.contains(&keys.key(number))));
        assert!(rows.iter().all(|key| key.len() == 11));
    }
}
