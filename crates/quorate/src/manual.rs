//! The manual: one page for each thing that an application decides.
//!
//! | page | answers |
//! |---|---|
//! | [`getting_started`] | how does a program become a node, and a node a group? |
//! | [`durability`] | what does it mean that a write is done? |
//! | [`consistency`] | what may a read show? |
//! | [`transactions`] | how do several reads and writes become one? |
//! | [`testing`] | how does an application try its own failover? |
//! | [`bringing_an_engine`] | how is something else than keys and values replicated? |

pub mod bringing_an_engine;
pub mod consistency;
pub mod durability;
pub mod getting_started;
pub mod testing;
pub mod transactions;
