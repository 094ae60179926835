//! Generated from proto/quorate.proto by `cargo xtask codegen`.

/// Version 1 of the service: the package `quorate.v1`.
pub mod v1;
