use quorate_core::Traffic;
use quorate_replica::Counters;
use std::sync::atomic::{AtomicU64, Ordering};

/// Declares the running counts and the figures that they are read into, one name for both.
macro_rules! tally {
    ($($(#[doc = $text:literal])* $name:ident,)*) => {
        /// What a node has done since its environment was opened. Every figure only grows.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct RepStats {
            /// Elections, heartbeats, the stream: what the protocol counts.
            pub protocol: Counters,
            $($(#[doc = $text])* pub $name: u64,)*
        }

        impl RepStats {
            /// Every figure by its name, and what it counts; [`protocol`](Self::protocol)'s are the last.
            pub fn figures(&self) -> impl Iterator<Item = Figure> + use<> {
                let own = [$(Figure {
                    name: stringify!($name),
                    text: concat!($($text),*),
                    value: self.$name,
                }),*];
                own.into_iter().chain(protocol_figures(&self.protocol))
            }
        }

        /// The running counts behind [`RepStats`].
        #[derive(Debug, Default)]
        pub(crate) struct Tally {
            $(pub(crate) $name: Count,)*
        }

        impl Tally {
            pub(crate) fn read(&self, protocol: Counters) -> RepStats {
                RepStats { protocol, $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

/// One of the figures of [`RepStats`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The field's name.
    pub name: &'static str,
    /// What it counts.
    pub text: &'static str,
    /// The figure.
    pub value: u64,
}

fn protocol_figures(counters: &Counters) -> impl Iterator<Item = Figure> + use<> {
    Counters::NAMES.iter().zip(counters.figures()).map(|((name, text), value)| Figure { name, text, value })
}

tally! {
    /// Writes that were committed, applied here and acknowledged as asked.
    commits,
    /// Writes that asked for no acknowledgement and were released once written here.
    writes_released,
    /// Bytes of the payloads that this node proposed.
    bytes_proposed,
    /// Writes that were rolled back in a change of master.
    commits_rolled_back,
    /// Writes whose acknowledgements did not come in time.
    commits_timed_out,
    /// Writes that were refused before anything was written: wrong node, too few replicas, too busy.
    writes_refused,
    /// Writes that this node has passed on to the master.
    writes_forwarded,
    /// Writes of which the engine said that they ask for what cannot be, such as a database that is not
    /// there.
    writes_without_effect,
    /// Proposals made to the protocol, each of many writes.
    proposals,
    /// Snapshots taken for reads that ask for nothing.
    reads_any,
    /// Reads that named a commit.
    reads_commit_point,
    /// Reads that asked for a state of at most a certain age.
    reads_time,
    /// Linearizable reads.
    reads_linearizable,
    /// Reads whose time was over before this node could serve them.
    reads_timed_out,
    /// Reads that named a commit which was rolled back, is too old, or is another group's.
    reads_refused,
    /// Groups of batches written to the log, each in one call.
    log_groups,
    /// Batches in those groups.
    log_batches,
    /// Syncs of the log.
    log_syncs,
    /// Entries applied to the engine.
    entries_applied,
    /// Atomic steps in which they were applied.
    engine_steps,
    /// Times that the engine was asked how far it is durable, or to make all that it holds so.
    engine_flushes,
    /// Packets received from other nodes.
    packets_received,
    /// Packets refused because too many bytes waited already.
    packets_refused,
    /// Packets that are no message.
    packets_malformed,
    /// Packets sent to other nodes.
    packets_sent,
    /// Packets that could not be sent.
    packets_dropped,
    /// Bytes of the packets with log frames that were sent to other nodes, before compression.
    stream_bytes_sent,
    /// Bytes of the same packets as they went over the wire.
    stream_bytes_on_wire,
    /// Links to other nodes that came to stand.
    links_opened,
    /// Links to other nodes that ended, and attempts to open one that failed.
    links_failed,
    /// Callers that were turned away.
    callers_rejected,
    /// Changes of this node's state.
    state_changes,
}

impl Tally {
    /// Takes over what the transport has counted.
    pub(crate) fn note(&self, traffic: Traffic) {
        self.stream_bytes_sent.0.store(traffic.stream_bytes_sent, Ordering::Relaxed);
        self.stream_bytes_on_wire.0.store(traffic.stream_bytes_on_wire, Ordering::Relaxed);
    }
}

/// One running count.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }
}
