//! Greetings and links written out by hand: they are the same in every build of this version.

use crate::common::{TcpNode, id};
use quorate_core::conformance::transport::hello;
use quorate_core::{Hello, MemberList};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How a wish for LZ4, and its grant, is written.
pub(crate) const LZ4: u8 = 1;

/// The bytes with which `caller` asks for a link to `target`.
pub(crate) fn call(service: u8, target: &str, caller: &Hello) -> Vec<u8> {
    call_wishing(service, target, caller, None)
}

/// The same with a wish for compression.
pub(crate) fn call_wishing(service: u8, target: &str, caller: &Hello, wish: Option<u8>) -> Vec<u8> {
    let mut body = vec![service, target.len() as u8];
    body.extend(target.as_bytes());
    body.extend(hello_bytes(caller));
    body.extend(wish);
    greeting(0, &body)
}

/// The bytes with which `listener` lets a caller in that has wished for nothing.
pub(crate) fn welcome(listener: &Hello) -> Vec<u8> {
    welcome_granting(listener, None)
}

/// The bytes with which `listener` answers a wish.
pub(crate) fn welcome_granting(listener: &Hello, grant: Option<u8>) -> Vec<u8> {
    let mut body = hello_bytes(listener);
    body.extend(grant);
    greeting(1, &body)
}

fn greeting(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"QRTE\x01\x00\x00\x00".to_vec();
    bytes.extend([kind, 0]);
    bytes.extend((body.len() as u16).to_le_bytes());
    bytes.extend(body);
    bytes
}

fn hello_bytes(hello: &Hello) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in [&hello.group, &hello.node] {
        bytes.push(name.len() as u8);
        bytes.extend(name.as_bytes());
    }
    bytes.extend(hello.id.as_u16().to_le_bytes());
    bytes.extend(hello.incarnation.0.to_le_bytes());
    bytes.extend(hello.open_count.to_le_bytes());
    bytes.push(0);
    bytes.push(1);
    bytes.extend(hello.member_list_hash.unwrap().to_le_bytes());
    bytes
}

/// A connection on which nothing has been said.
pub(crate) fn connect(node: &TcpNode) -> TcpStream {
    let stream = TcpStream::connect(node.transport.local_address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// A hand-made link for control to `node` in the name of the member b.
pub(crate) fn link_as_b(node: &TcpNode, members: &MemberList) -> TcpStream {
    let caller = hello(members, id(members, "b"));
    link(node, &call(0, "a", &caller), &welcome(&hello(members, node.id)))
}

/// A hand-made link to `node`, which answers the call so.
pub(crate) fn link(node: &TcpNode, call: &[u8], welcome: &[u8]) -> TcpStream {
    let mut stream = connect(node);
    stream.write_all(call).unwrap();
    let mut answer = vec![0; welcome.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, welcome);
    stream
}

/// Waits until the other end closes the connection.
pub(crate) fn wait_for_end(stream: &mut TcpStream) {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}"),
    }
}
