//! The single-threaded types behind commit handles and reads, by tables.

mod commits;
mod reads;
mod words;
