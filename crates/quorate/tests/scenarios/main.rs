//! What a group promises, against real nodes: each with its threads, its log on the disk, and a network
//! that fails as told.

mod acknowledgements;
mod catching_up;
mod closing;
mod cluster;
mod commits;
mod damage;
mod delivery;
mod divergence;
mod elections;
mod failover;
mod far_apart;
mod forwarding;
mod freshness;
mod load;
mod log_image;
mod one_way;
mod refusals;
mod retention;
mod timeouts;
mod tokens;
mod watchdog;
