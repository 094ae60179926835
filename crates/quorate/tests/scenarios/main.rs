//! What a group promises, against real nodes: each with its threads, its log on the disk, and a network that fails as told.

mod cluster;
mod delivery;
mod load;
mod log_image;
mod watchdog;
