use std::sync::atomic::{AtomicU64, Ordering};

/// Declares the counters and the figures that they are read into, one name for both.
macro_rules! counters {
    ($(#[$stats_doc:meta])* $stats:ident, $counters:ident { $($(#[$doc:meta])* $name:ident,)* }) => {
        $(#[$stats_doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $stats {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The running counters behind the figures.
        #[derive(Debug, Default)]
        pub(crate) struct $counters {
            $(pub(crate) $name: Counter,)*
        }

        impl $counters {
            pub(crate) fn read(&self) -> $stats {
                $stats { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// What a listener has done since it was bound, with callers that had not yet been let into a group.
    ListenerStats, ListenerCounters {
        /// Connections that others opened.
        connections_accepted,
        /// Callers closed before they said who they are, because too many others were waiting too.
        rejected_flood,
        /// Callers closed because they did not introduce themselves in time.
        rejected_silent,
        /// Callers closed because they spoke something else, or nothing at all.
        rejected_foreign,
        /// Callers turned away because they speak another version of the protocol.
        rejected_protocol,
        /// Callers turned away because the group that they named is not open here.
        rejected_unknown_group,
    }
}

counters! {
    /// What one group's links have done since they were started.
    TransportStats, Counters {
        /// Callers turned away with a reason: they do not belong to this group, or wanted another node.
        rejected_hello,
        /// Links ended because a peer announced a packet longer than the limit.
        rejected_oversized,
        /// Links ended because a peer sent a compressed body that is none, or of another length than announced.
        rejected_undecodable,
        /// Links ended because the inbox refused a packet.
        rejected_by_inbox,
        /// Packets that the inbox took.
        packets_received,
        /// Bytes of those packets, heads and bodies, before they were compressed.
        bytes_received,
        /// Packets written to a link completely.
        packets_sent,
        /// Bytes of those packets, heads and bodies, before compression.
        bytes_sent,
        /// Bytes of those of the packets that carry the stream, before compression.
        stream_bytes_sent,
        /// Bytes of the stream's packets as they went over the wire.
        stream_bytes_on_wire,
        /// Bodies that went through the compressor, each once however many links it was sent on.
        bodies_compressed,
        /// Packets not taken because there was no link, or its queue was full.
        sends_dropped,
        /// Packets not taken because they are longer than the limit.
        sends_oversized,
        /// Links that came to stand, dialled by this node.
        links_opened,
        /// Attempts to open a link that failed.
        dials_failed,
    }
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
