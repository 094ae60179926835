//! The replicated log's frames: encoding, chained checksums, decoding of bytes that nobody trusts.
#![no_std]

