//! Generated from proto/quorate.proto and proto/etcd.proto by `cargo xtask codegen`.

/// The protocol's descriptors, as an encoded `FileDescriptorSet`: what a server that knows reflection tells of
/// itself.
pub const DESCRIPTORS: &[u8] = include_bytes!("descriptors.bin");

/// Version 1 of the service: the package `quorate.v1`.
pub mod v1;

/// The part of etcd's service that the benchmark uses.
#[expect(unreachable_pub, reason = "what is generated is public throughout")]
pub(crate) mod etcdserverpb;
