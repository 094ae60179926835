use std::sync::atomic::{AtomicU64, Ordering};

/// Declares the counters and the figures that they are read into, one name for both.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a transport has done since it was started.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct TransportStats {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The running counters behind [`TransportStats`].
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            pub(crate) fn read(&self) -> TransportStats {
                TransportStats { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Connections that others opened to this node.
    connections_accepted,
    /// Callers closed before they said who they are, because too many others were waiting too.
    rejected_flood,
    /// Callers closed because they did not introduce themselves in time.
    rejected_silent,
    /// Callers closed because they spoke something else, or nothing at all.
    rejected_foreign,
    /// Callers turned away with a reason: they do not belong to this group, or wanted another node.
    rejected_hello,
    /// Links ended because a peer announced a packet longer than the limit.
    rejected_oversized,
    /// Links ended because the inbox refused a packet.
    rejected_by_inbox,
    /// Packets that the inbox took.
    packets_received,
    /// Bytes of those packets, heads and bodies.
    bytes_received,
    /// Packets written to a link completely.
    packets_sent,
    /// Bytes of those packets, heads and bodies.
    bytes_sent,
    /// Packets not taken because there was no link, or its queue was full.
    sends_dropped,
    /// Packets not taken because they are longer than the limit.
    sends_oversized,
    /// Links that came to stand, dialled by this node.
    links_opened,
    /// Attempts to open a link that failed.
    dials_failed,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}
