//! Stories for mistakes that histories of chance do not tell: each goes well where the rules are kept.

mod empty_disk;
mod flood;
mod isolation;
mod retries;

pub(super) use empty_disk::empty_disk;
pub(super) use flood::flood;
pub(super) use isolation::isolation;
pub(super) use retries::retries;
