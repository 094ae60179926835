//! Where bodies are compressed and decompressed: once for all links, and never for long on the network thread.

use super::stats::Counters;
use crate::compression;
use bytes::Bytes;
use quorate_core::Compression;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

/// Shorter bodies are sent as they are: they gain little, and are written without waiting for another thread.
const BODY_BYTES_MIN: usize = 1 << 10;
/// Longer bodies keep the network thread from its other links for too long, and have another thread's time.
const AT_ONCE_BYTES_MAX: usize = 64 << 10;
/// So many of the last bodies are looked through for one that is sent to another peer too.
const RECENT_MAX: usize = 16;

/// What the links of one group that compress have in common.
///
/// A master sends the same batch to every replica, one after the other: it is compressed for the first and
/// shared with the others, as long as any of them still has it to send.
pub(crate) struct Press {
    compression: Compression,
    recent: Mutex<VecDeque<Weak<Pressed>>>,
    counters: Arc<Counters>,
}

/// A body that is to be compressed, and then is.
pub(crate) struct Pressed {
    body: Bytes,
    compression: Compression,
    counters: Arc<Counters>,
    /// `None` in it if the body does not get shorter.
    packed: OnceCell<Option<Bytes>>,
}

impl Press {
    /// The press for what is configured, if anything is to be compressed.
    pub(crate) fn new(compression: Compression, counters: &Arc<Counters>) -> Option<Arc<Self>> {
        let counters = Arc::clone(counters);
        let press = || Arc::new(Self { compression, recent: Mutex::default(), counters });
        (compression != Compression::None).then(press)
    }

    pub(crate) const fn compression(&self) -> Compression {
        self.compression
    }

    /// A body to be compressed, shared with the links that send it too; `None` if it is to be sent as it is.
    pub(crate) fn take_in(&self, body: &Bytes) -> Option<Arc<Pressed>> {
        if body.len() < BODY_BYTES_MIN {
            return None;
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = recent.iter().rev().filter_map(Weak::upgrade).find(|pressed| pressed.is_of(body));
        if shared.is_some() {
            return shared;
        }
        let pressed = Arc::new(Pressed {
            body: body.clone(),
            compression: self.compression,
            counters: Arc::clone(&self.counters),
            packed: OnceCell::new(),
        });
        if recent.len() == RECENT_MAX {
            recent.pop_front();
        }
        recent.push_back(Arc::downgrade(&pressed));
        Some(pressed)
    }
}

impl Pressed {
    /// Whether these are the same bytes in memory. They stay there as long as this lives, so that no other
    /// body can have taken their place.
    fn is_of(&self, body: &Bytes) -> bool {
        self.body.as_ptr() == body.as_ptr() && self.body.len() == body.len()
    }

    /// The body, compressed; `None` if it does not get shorter.
    pub(crate) async fn packed(&self) -> Option<Bytes> {
        let press = || async {
            self.counters.bodies_compressed.increment();
            let (compression, body) = (self.compression, self.body.clone());
            at_once_or_elsewhere(body.len(), move || compression::compress(compression, &body)).await
        };
        self.packed.get_or_init(press).await.clone()
    }
}

/// A body as it was before it was compressed to `packed`; `None` if these bytes are no such body. `length` has
/// been checked against the limit.
pub(crate) async fn unpack(compression: Compression, packed: Bytes, length: usize) -> Option<Bytes> {
    at_once_or_elsewhere(length, move || compression::decompress(compression, &packed, length)).await
}

/// Does the work on a body here, or elsewhere if that is long. `None` also when the runtime ends meanwhile.
async fn at_once_or_elsewhere(
    body_bytes: usize,
    work: impl FnOnce() -> Option<Bytes> + Send + 'static,
) -> Option<Bytes> {
    if body_bytes <= AT_ONCE_BYTES_MAX {
        return work();
    }
    spawn_blocking(work).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(pressed: &Pressed) -> Option<Bytes> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(pressed.packed())
    }

    #[test]
    fn a_body_that_goes_to_several_peers_is_compressed_once() {
        let counters = Arc::new(Counters::default());
        let press = Press::new(Compression::Lz4, &counters).unwrap();
        let body = Bytes::from(vec![7; 200_000]);
        let links: Vec<_> = (0..3).map(|_| press.take_in(&body.clone()).unwrap()).collect();
        let all: Vec<_> = links.iter().map(|pressed| packed(pressed).unwrap()).collect();
        assert!(all.iter().all(|packed| packed.as_ptr() == all[0].as_ptr() && packed.len() < 2000));
        assert_eq!(counters.read().bodies_compressed, 1);
    }

    #[test]
    fn bodies_that_only_look_alike_are_not_taken_for_each_other() {
        let press = Press::new(Compression::Lz4, &Arc::default()).unwrap();
        let body = Bytes::from(vec![7; 5000]);
        let first = press.take_in(&body).unwrap();
        for other in [body.slice(..4000), body.slice(1..), Bytes::from(vec![7; 5000])] {
            assert!(!Arc::ptr_eq(&first, &press.take_in(&other).unwrap()));
        }
    }

    #[test]
    fn what_no_link_has_to_send_any_more_is_let_go_of() {
        let press = Press::new(Compression::Lz4, &Arc::default()).unwrap();
        let body = Bytes::from(vec![7; 5000]);
        drop(press.take_in(&body));
        assert!(body.is_unique());
    }
}
