//! Packets on a link, one behind the other, numbers little endian:
//!
//! ```text
//!   0         4         8        8 + h          8 + h + b
//!   +---------+---------+--------+--------------+
//!   | h: u32  | b: u32  | head   | body         |
//!   +---------+---------+--------+--------------+
//! ```
//!
//! On a link for which a [`Compression`] was agreed on, the header says too how long the body is before it is
//! compressed. A body that is as long as it was stands there as it was; none is longer:
//!
//! ```text
//!   0         4         8         12       12 + h         12 + h + b
//!   +---------+---------+---------+--------+--------------+
//!   | h: u32  | b: u32  | u: u32  | head   | body         |
//!   +---------+---------+---------+--------+--------------+
//! ```
//!
//! There is no checksum of its own: TCP has one against the accidents of a network, and every log frame in a
//! body carries two that are verified before anything is done with it.

use super::press;
use bytes::{Buf, BytesMut};
use quorate_core::{Compression, Packet};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// How much memory a declared length may cost before bytes have arrived: this, or as much again as has
/// arrived.
const GROWTH_BYTES_MAX: usize = 1 << 20;
/// How much memory is taken at a time for packets that are short.
const CHUNK_BYTES: usize = 64 << 10;
/// The next packet is not begun in less room than this.
const ROOM_BYTES_MIN: usize = 4 << 10;

/// What stands before a packet's head and body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    bytes: [u8; Self::BYTES_MAX],
    length: usize,
}

impl Header {
    const BYTES_MAX: usize = 12;

    /// Length of every header on a link, in bytes.
    pub(crate) const fn length_on(link: Compression) -> usize {
        match link {
            Compression::None => 8,
            _ => Self::BYTES_MAX,
        }
    }

    /// The header of a packet as it is sent, whose body was `body_bytes` long before it was compressed.
    pub(crate) fn new(link: Compression, packet: &Packet, body_bytes: usize) -> Self {
        let mut bytes = [0; Self::BYTES_MAX];
        let lengths = [packet.head.len(), packet.body.len(), body_bytes];
        for (place, length) in bytes.chunks_exact_mut(4).zip(lengths) {
            let length = u32::try_from(length).expect("a packet is at most packet_bytes_max long");
            place.copy_from_slice(&length.to_le_bytes());
        }
        Self { bytes, length: Self::length_on(link) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Why no packet was read.
#[derive(Debug)]
pub(crate) enum PacketError {
    /// The peer announced more than it may send.
    Oversized { declared: u64 },
    /// The body is not what the peer announced, or no compressed body at all.
    Undecodable,
    /// The connection broke, or ended within a packet.
    Io(io::Error),
}

/// Reads packets from a link. Their heads and bodies share the memory that the bytes were read into, unless
/// they were compressed.
pub(crate) struct PacketReader {
    buffer: BytesMut,
    packet_bytes_max: usize,
    compression: Compression,
}

/// Lengths of a packet's parts as they were announced, and found to be within the limit.
#[derive(Clone, Copy)]
struct Lengths {
    header: usize,
    head: usize,
    body: usize,
    /// Before the body was compressed.
    body_before: usize,
}

impl PacketReader {
    /// A reader for a link with this compression.
    pub(crate) fn new(packet_bytes_max: usize, compression: Compression) -> Self {
        Self { buffer: BytesMut::new(), packet_bytes_max, compression }
    }

    /// The next packet, or `None` when the peer has closed the link between two packets.
    pub(crate) async fn next<R>(&mut self, source: &mut R) -> Result<Option<Packet>, PacketError>
    where
        R: AsyncRead + Unpin,
    {
        loop {
            let lengths = self.lengths()?;
            if let Some(lengths) = lengths
                && let Some(packet) = self.take(lengths)
            {
                return self.unpack(packet, lengths).await.map(Some);
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
        let header = Header::length_on(self.compression);
        let Some(mut bytes) = self.buffer.get(..header) else { return Ok(None) };
        let (head, body) = (bytes.get_u32_le(), bytes.get_u32_le());
        let body_before = bytes.try_get_u32_le().unwrap_or(body);
        let declared = u64::from(head) + u64::from(body.max(body_before));
        if declared > self.packet_bytes_max as u64 {
            return Err(PacketError::Oversized { declared });
        }
        if body > body_before {
            return Err(PacketError::Undecodable);
        }
        let [head, body, body_before] = [head, body, body_before].map(|length| length as usize);
        Ok(Some(Lengths { header, head, body, body_before }))
    }

    fn take(&mut self, lengths: Lengths) -> Option<Packet> {
        if self.buffer.len() < lengths.total() {
            return None;
        }
        let mut bytes = self.buffer.split_to(lengths.total()).freeze();
        let body = bytes.split_off(lengths.header + lengths.head);
        let head = bytes.split_off(lengths.header);
        Some(Packet { head, body })
    }

    /// The packet with its body as it was before it was compressed.
    async fn unpack(&self, packet: Packet, lengths: Lengths) -> Result<Packet, PacketError> {
        if lengths.body == lengths.body_before {
            return Ok(packet);
        }
        let body = press::unpack(self.compression, packet.body, lengths.body_before).await;
        Ok(Packet { head: packet.head, body: body.ok_or(PacketError::Undecodable)? })
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
        self.header + self.head + self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression;
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

    fn header(packet: &Packet) -> Header {
        Header::new(Compression::None, packet, packet.body.len())
    }

    fn wire(packets: &[Packet]) -> Vec<u8> {
        let parts =
            packets.iter().map(|packet| [header(packet).bytes(), &packet.head, &packet.body].concat());
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
            let mut reader = PacketReader::new(1 << 20, Compression::None);
            let read = read_all(&mut reader, &mut Pieces { bytes: &bytes, step }).unwrap();
            assert_eq!(read, packets, "in pieces of {step}");
        }
    }

    #[test]
    fn a_declared_length_costs_memory_only_as_bytes_arrive() {
        let mut bytes = wire(&[packet(0, 0)]);
        bytes[4..8].copy_from_slice(&(512_u32 << 20).to_le_bytes());
        let mut reader = PacketReader::new(1 << 30, Compression::None);
        let cut = read_all(&mut reader, &mut Pieces { bytes: &bytes, step: 8 });
        assert!(matches!(cut, Err(PacketError::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof));
        assert!(reader.buffer.capacity() <= 2 * GROWTH_BYTES_MAX, "{}", reader.buffer.capacity());
    }

    #[test]
    fn a_packet_beyond_the_limit_is_refused_before_anything_is_allocated_for_it() {
        let mut bytes = wire(&[packet(0, 0)]);
        bytes[..8].fill(0xff);
        let mut reader = PacketReader::new(80 << 20, Compression::None);
        let refused = read_all(&mut reader, &mut Pieces { bytes: &bytes, step: 8 });
        let declared = 2 * u64::from(u32::MAX);
        assert!(matches!(refused, Err(PacketError::Oversized { declared: found }) if found == declared));
        assert!(reader.buffer.capacity() <= 2 * CHUNK_BYTES, "{}", reader.buffer.capacity());
    }

    #[test]
    fn a_link_that_ends_within_a_packet_is_broken() {
        let bytes = wire(&[packet(2, 2)]);
        let mut reader = PacketReader::new(100, Compression::None);
        let cut = read_all(&mut reader, &mut Pieces { bytes: &bytes[..11], step: 100 });
        assert!(matches!(cut, Err(PacketError::Io(_))));
    }

    /// The bytes of packets whose bodies are compressed if they can be.
    fn packed_wire(compression: Compression, packets: &[Packet]) -> Vec<u8> {
        let bytes = packets.iter().map(|Packet { head, body }| {
            let packed = compression::compress(compression, body).unwrap_or_else(|| body.clone());
            let sent = Packet { head: head.clone(), body: packed };
            [Header::new(compression, &sent, body.len()).bytes(), &sent.head, &sent.body].concat()
        });
        bytes.collect::<Vec<_>>().concat()
    }

    #[test]
    fn compressed_packets_come_back_whatever_the_pieces_are() {
        let packets = [packet(5, 0), packet(0, 0), packet(3, 200_000), packet(0, 7), packet(70_000, 1)];
        for compression in [Compression::Lz4, Compression::Zstd] {
            let bytes = packed_wire(compression, &packets);
            assert!(bytes.len() < 100_000, "{}", bytes.len());
            for step in [1, 11, 12, 13, 1 << 20] {
                let mut reader = PacketReader::new(1 << 20, compression);
                let read = read_all(&mut reader, &mut Pieces { bytes: &bytes, step }).unwrap();
                assert_eq!(read, packets, "{compression:?} in pieces of {step}");
            }
        }
    }

    #[test]
    fn a_body_that_would_be_too_long_is_refused_before_it_has_come() {
        let mut bytes = packed_wire(Compression::Zstd, &[packet(0, 5000)]);
        bytes[8..12].copy_from_slice(&5001_u32.to_le_bytes());
        let mut reader = PacketReader::new(5000, Compression::Zstd);
        let refused = read_all(&mut reader, &mut Pieces { bytes: &bytes[..12], step: 12 });
        assert!(matches!(refused, Err(PacketError::Oversized { declared: 5001 })));
    }
}
