//! Whole environments: real nodes with real logs, in memory or over loopback.

mod group;
mod group_of_one;
mod halting;
#[cfg(all(feature = "redb", feature = "fjall"))]
mod import;
mod in_memory_group;
mod killing;
mod leases;
mod linearizable;
mod metrics;
mod over_tcp;
mod own_engine;
mod shared_listener;
mod three_nodes;
mod trail;
mod transactions;
mod typed;
mod wall_clock;
