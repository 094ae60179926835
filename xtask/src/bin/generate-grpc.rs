//! Generates Rust from one proto file: `generate-grpc PROTO SIDES DIRECTORY`. With `both` for SIDES that is client
//! and server, and the set of the descriptors (`descriptors.bin`), which servers tell; with `client` it is the client
//! alone. It needs no `protoc`.
#![forbid(unsafe_code)]

use prost::Message;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [proto, sides, directory] = arguments.as_slice() else {
        return Err(
            "three arguments are needed: the proto file, `both` or `client`, and an existing directory \
                    for what is generated"
                .into(),
        );
    };
    let server = match sides.as_str() {
        "both" => true,
        "client" => false,
        _ => return Err(format!("{sides:?} is neither `both` nor `client`").into()),
    };
    let folder = Path::new(proto).parent().ok_or("the proto file has no folder")?;
    let descriptors = protox::compile([proto], [folder])?;
    if server {
        std::fs::write(Path::new(directory).join("descriptors.bin"), descriptors.encode_to_vec())?;
    }
    tonic_prost_build::configure()
        .out_dir(directory)
        .bytes(".")
        .btree_map(".")
        .build_server(server)
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    Ok(())
}
