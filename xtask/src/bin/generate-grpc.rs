//! Generates Rust from one proto file, and the set of its descriptors (`descriptors.bin`):
//! `generate-grpc PROTO DIRECTORY`. It needs no `protoc`.
#![forbid(unsafe_code)]

use prost::Message;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [proto, directory] = arguments.as_slice() else {
        return Err(
            "two arguments are needed: the proto file and an existing directory for what is generated".into(),
        );
    };
    let folder = Path::new(proto).parent().ok_or("the proto file has no folder")?;
    let descriptors = protox::compile([proto], [folder])?;
    let set = Path::new(directory).join("descriptors.bin");
    std::fs::write(set, descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .out_dir(directory)
        .bytes(".")
        .btree_map(".")
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    Ok(())
}
