//! Suites that an implementer of a boundary trait runs against it.

pub mod engine;
pub mod kv_store;
pub mod log_store;
pub mod state_store;
pub mod transport;
