//! Packets on a link, one behind the other, numbers little endian:
//!
//! ```text
//!   0         4         8        8 + h          8 + h + b
//!   +---------+---------+--------+--------------+
//!   | h: u32  | b: u32  | head   | body         |
//!   +---------+---------+--------+--------------+
//! ```
//!
//! There is no checksum of its own: TCP has one against the accidents of a network, and every log frame in a
//! body carries two that are verified before anything is done with it.

use bytes::{Bytes, BytesMut};
use quorate_core::Packet;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Length of what stands before the head and the body.
pub(crate) const HEADER_BYTES: usize = 8;
/// How much memory a declared length may cost before bytes have arrived: this, or as much again as has
/// arrived.
const GROWTH_BYTES_MAX: usize = 1 << 20;
/// How much memory is taken at a time for packets that are short.
const CHUNK_BYTES: usize = 64 << 10;
/// The next packet is not begun in less room than this.
const ROOM_BYTES_MIN: usize = 4 << 10;

/// The header of a packet.
pub(crate) fn encode_header(packet: &Packet) -> [u8; HEADER_BYTES] {
    let length = |part: &Bytes| u32::try_from(part.len()).expect("a packet is at most packet_bytes_max long");
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&length(&packet.head).to_le_bytes());
    header[4..].copy_from_slice(&length(&packet.body).to_le_bytes());
    header
}

/// Why no packet was read.
#[derive(Debug)]
pub(crate) enum PacketError {
    /// The peer announced more than it may send.
    Oversized { declared: u64 },
    /// The connection broke, or ended within a packet.
    Io(io::Error),
}

/// Reads packets from a link. Their heads and bodies share the memory that the bytes were read into.
pub(crate) struct PacketReader {
    buffer: BytesMut,
    packet_bytes_max: usize,
}

/// Lengths of the two parts of a packet.
#[derive(Clone, Copy)]
struct Lengths {
    head: usize,
    body: usize,
}

impl PacketReader {
    pub(crate) fn new(packet_bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), packet_bytes_max }
    }

    /// The next packet, or `None` when the peer has closed the link between two packets.
    pub(crate) async fn next<R>(&mut self, source: &mut R) -> Result<Option<Packet>, PacketError>
    where
        R: AsyncRead + Unpin,
    {
        loop {
            let lengths = self.lengths()?;
            if let Some(packet) = lengths.and_then(|lengths| self.take(lengths)) {
                return Ok(Some(packet));
            }
            self.make_room(lengths);
            let count = source.read_buf(&mut self.buffer).await.map_err(PacketError::Io)?;
            if count == 0 && self.buffer.is_empty() {
                return Ok(None);
            }
            if count == 0 {
                return Err(PacketError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// The lengths of the packet at the front, once its header is here and found to be within the limit.
    fn lengths(&self) -> Result<Option<Lengths>, PacketError> {
        let Some((head, rest)) = self.buffer.split_first_chunk::<4>() else { return Ok(None) };
        let Some((body, _)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let (head, body) = (u32::from_le_bytes(*head), u32::from_le_bytes(*body));
        let declared = u64::from(head) + u64::from(body);
        if declared > self.packet_bytes_max as u64 {
            return Err(PacketError::Oversized { declared });
        }
        Ok(Some(Lengths { head: head as usize, body: body as usize }))
    }

    fn take(&mut self, lengths: Lengths) -> Option<Packet> {
        if self.buffer.len() < lengths.total() {
            return None;
        }
        let mut bytes = self.buffer.split_to(lengths.total()).freeze();
        let body = bytes.split_off(HEADER_BYTES + lengths.head);
        let head = bytes.split_off(HEADER_BYTES);
        Some(Packet { head, body })
    }

    /// Memory grows with what has arrived, not with what was announced.
    fn make_room(&mut self, lengths: Option<Lengths>) {
        let room = self.buffer.capacity() - self.buffer.len();
        let wanted = match lengths {
            None => ROOM_BYTES_MIN,
            Some(lengths) => {
                let missing = lengths.total() - self.buffer.len();
                missing.min(GROWTH_BYTES_MAX.max(self.buffer.len()))
            }
        };
        if room < wanted {
            self.buffer.reserve(wanted.max(CHUNK_BYTES));
        }
    }
}

impl Lengths {
    const fn total(self) -> usize {
        HEADER_BYTES + self.head + self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use tokio::io::ReadBuf;

    /// Gives its bytes in pieces of at most `step`.
    struct Pieces<'a> {
        bytes: &'a [u8],
        step: usize,
    }

    impl AsyncRead for Pieces<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            to: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let count = self.step.min(to.remaining()).min(self.bytes.len());
            let (now, later) = self.bytes.split_at(count);
            to.put_slice(now);
            self.bytes = later;
            Poll::Ready(Ok(()))
        }
    }

    fn wire(packets: &[Packet]) -> Vec<u8> {
        let parts =
            packets.iter().map(|packet| [&encode_header(packet)[..], &packet.head, &packet.body].concat());
        parts.collect::<Vec<_>>().concat()
    }

    fn packet(head: usize, body: usize) -> Packet {
        Packet { head: vec![1; head].into(), body: vec![2; body].into() }
    }

    fn read_all(reader: &mut PacketReader, source: &mut Pieces<'_>) -> Result<Vec<Packet>, PacketError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut packets = Vec::new();
            while let Some(packet) = reader.next(source).await? {
                packets.push(packet);
            }
            Ok(packets)
        })
    }

    #[test]
    fn packets_come_back_whatever_the_pieces_are() {
        let packets = [packet(5, 0), packet(0, 0), packet(3, 200_000), packet(0, 7), packet(70_000, 1)];
        let bytes = wire(&packets);
        for step in [1, 7, 8, 9, 1000, 1 << 20] {
            let mut reader = PacketReader::new(1 << 20);
            let read = read_all(&mut reader, &mut Pieces { bytes: &bytes, step }).unwrap();
            assert_eq!(read, packets, "in pieces of {step}");
        }
    }

    #[test]
    fn a_declared_length_costs_memory_only_as_bytes_arrive() {
        let mut bytes = wire(&[packet(0, 0)]);
        bytes[4..8].copy_from_slice(&(512_u32 << 20).to_le_bytes());
        let mut reader = PacketReader::new(1 << 30);
        let cut = read_all(&mut reader, &mut Pieces { bytes: &bytes, step: 8 });
        assert!(matches!(cut, Err(PacketError::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof));
        assert!(reader.buffer.capacity() <= 2 * GROWTH_BYTES_MAX, "{}", reader.buffer.capacity());
    }

    #[test]
    fn a_packet_beyond_the_limit_is_refused_before_anything_is_allocated_for_it() {
        let mut bytes = wire(&[packet(0, 0)]);
        bytes[..8].fill(0xff);
        let mut reader = PacketReader::new(80 << 20);
        let refused = read_all(&mut reader, &mut Pieces { bytes: &bytes, step: 8 });
        let declared = 2 * u64::from(u32::MAX);
        assert!(matches!(refused, Err(PacketError::Oversized { declared: found }) if found == declared));
        assert!(reader.buffer.capacity() <= 2 * CHUNK_BYTES, "{}", reader.buffer.capacity());
    }

    #[test]
    fn a_link_that_ends_within_a_packet_is_broken() {
        let bytes = wire(&[packet(2, 2)]);
        let mut reader = PacketReader::new(100);
        let cut = read_all(&mut reader, &mut Pieces { bytes: &bytes[..11], step: 100 });
        assert!(matches!(cut, Err(PacketError::Io(_))));
    }
}
