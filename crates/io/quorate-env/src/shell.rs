//! The threads of one node. One at a time runs the protocol: whichever brings news or a write, or the one that
//! owns it; the others carry out what takes time, and report.
//!
//! ```text
//!  callers --writes--> [event loop: Node] --append, sync, truncate--> [log writer]
//!                        ^  ^  |  |  |                                    |
//!          network ------+  |  |  |  +-----read----> [log reader] --------+
//!                           |  |  +--apply, flush--> [apply thread] ------+
//!                           |  +------state--------> [listener thread]    |
//!                           +---------events------------------------------+
//! ```
//!
//! Each queue keeps its order. Writes come through a bounded queue, which is not drained while the node
//! takes no more; completions and packets come through one that never blocks its senders, packets within a
//! budget of bytes.

pub(crate) mod apply_thread;
mod carry_out;
mod closing;
pub(crate) mod combiner;
pub(crate) mod event;
pub(crate) mod event_loop;
pub(crate) mod forward;
pub(crate) mod inbox;
pub(crate) mod listeners;
pub(crate) mod log_reader;
pub(crate) mod log_writer;
pub(crate) mod mailbox;
mod pace;
mod propose;
mod receive;
mod settle;
pub(crate) mod startup;
