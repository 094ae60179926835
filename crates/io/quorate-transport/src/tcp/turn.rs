use super::packet::Header;
use super::press::Pressed;
use bytes::Bytes;
use quorate_core::{Compression, Packet};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

/// How many parts of packets one system call writes at most.
pub(crate) const SLICES_MAX: usize = 128;
/// So much is compressed before it is written, and then the next.
const READY_BYTES: usize = 256 << 10;

/// The packets that are being written to one connection, and the right to write to it.
pub(crate) struct Turn {
    /// Which connection.
    pub(crate) session: u64,
    compression: Compression,
    /// Behind the packets that are ready: what begins with one that is to be compressed.
    waiting: VecDeque<Waiting>,
    ready: VecDeque<Outgoing>,
    /// Bytes of what is ready, written ones included.
    ready_bytes: usize,
    /// How much of the first packet has been written, header included.
    written: usize,
    /// By how many bytes packets have become shorter since this was last asked.
    saved: usize,
}

/// A packet as it was pushed.
pub(crate) struct Waiting {
    pub(crate) packet: Packet,
    /// Its body, if that is to be compressed.
    pub(crate) pressed: Option<Arc<Pressed>>,
}

/// What has been written completely: heads and bodies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) packets: u64,
    /// Before compression.
    pub(crate) bytes: u64,
    pub(crate) bytes_on_wire: u64,
}

/// A packet as it is written.
struct Outgoing {
    header: Header,
    packet: Packet,
    /// Length of the body before it was compressed.
    body_bytes: usize,
}

impl Turn {
    pub(crate) const fn new(session: u64, compression: Compression) -> Self {
        Self {
            session,
            compression,
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            ready_bytes: 0,
            written: 0,
            saved: 0,
        }
    }

    /// Takes in packets. Those that stand behind none that is to be compressed are ready at once.
    pub(crate) fn take_in(&mut self, packets: impl Iterator<Item = Waiting>) {
        self.waiting.extend(packets);
        self.pass_on();
    }

    /// Compresses what waits, until enough is ready: at least one packet, if there is any.
    pub(crate) async fn compress(&mut self) {
        while self.ready_bytes < READY_BYTES
            && let Some(Waiting { packet, pressed }) = self.waiting.pop_front()
        {
            let packed = match pressed {
                Some(pressed) => pressed.packed().await,
                None => None,
            };
            self.make_ready(packet, packed);
            self.pass_on();
        }
    }

    /// By how many bytes packets have become shorter since the last call.
    pub(crate) const fn take_saved(&mut self) -> usize {
        std::mem::replace(&mut self.saved, 0)
    }

    /// The unwritten parts in order, as many as fit.
    pub(crate) fn slices<'a, 'b>(&'a self, slices: &'b mut [IoSlice<'a>; SLICES_MAX]) -> &'b [IoSlice<'a>] {
        let parts = self.ready.iter().flat_map(Outgoing::parts);
        let mut skip = self.written;
        let mut count = 0;
        for part in parts {
            let unwritten = &part[skip.min(part.len())..];
            skip = skip.saturating_sub(part.len());
            if unwritten.is_empty() {
                continue;
            }
            if count == SLICES_MAX {
                break;
            }
            slices[count] = IoSlice::new(unwritten);
            count += 1;
        }
        &slices[..count]
    }

    /// Lets go of the packets that have been written completely, once `count` more bytes are.
    pub(crate) fn advance(&mut self, count: usize) -> Sent {
        let mut sent = Sent::default();
        self.written += count;
        while let Some(first) = self.ready.front()
            && self.written >= first.bytes()
        {
            self.written -= first.bytes();
            self.ready_bytes -= first.bytes();
            sent.packets += 1;
            sent.bytes += (first.packet.head.len() + first.body_bytes) as u64;
            sent.bytes_on_wire += first.packet.bytes() as u64;
            self.ready.pop_front();
        }
        sent
    }

    /// Makes ready what is not to be compressed, up to the first packet that is.
    fn pass_on(&mut self) {
        while let Some(Waiting { packet, .. }) = self.waiting.pop_front_if(|first| first.pressed.is_none()) {
            self.make_ready(packet, None);
        }
    }

    fn make_ready(&mut self, mut packet: Packet, packed: Option<Bytes>) {
        let body_bytes = packet.body.len();
        packet.body = packed.unwrap_or(packet.body);
        self.saved += body_bytes - packet.body.len();
        let outgoing =
            Outgoing { header: Header::new(self.compression, &packet, body_bytes), packet, body_bytes };
        self.ready_bytes += outgoing.bytes();
        self.ready.push_back(outgoing);
    }
}

impl Outgoing {
    fn parts(&self) -> [&[u8]; 3] {
        [self.header.bytes(), &self.packet.head, &self.packet.body]
    }

    fn bytes(&self) -> usize {
        self.header.bytes().len() + self.packet.bytes()
    }
}
