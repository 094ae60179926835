//! Generated from proto/quorate.proto by `cargo xtask codegen`: one module for each version of the service.

pub mod v1;
