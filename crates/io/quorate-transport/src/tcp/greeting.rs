//! What the two ends of a connection say before the first packet.
//!
//! ```text
//!   dialler                                 listener
//!   Call { service, target, hello }  -->
//!                                    <--    Welcome { hello }   or   Refusal { reason }, and the end
//!   packets ...                      -->
//! ```
//!
//! A greeting, numbers little endian:
//!
//! ```text
//!   0        4          8      9      10       12        12 + n
//!   +--------+----------+------+------+--------+---------+
//!   | "QRTE" | protocol | kind | zero | n: u16 | body    |
//!   +--------+----------+------+------+--------+---------+
//! ```
//!
//! The first twelve bytes are the same in every version of the protocol; the body is of the version that they
//! name. So two nodes of versions that do not understand each other can still say so.
//!
//! A dialler that wishes its packets' bodies compressed says so in a byte at the end of its call, and only then;
//! a listener that was asked answers in a byte at the end of its welcome: what was wished, if it can decompress
//! that, or else nothing. A listener that does not know the byte hangs up, and is called again without it.

use bytes::{Buf, BufMut, TryGetError};
use quorate_core::{Compression, GroupUuid, Hello, HelloRefusal, Incarnation, NodeId, Service};
use tokio::io::{AsyncRead, AsyncReadExt};

const MAGIC: [u8; 4] = *b"QRTE";
const PREFIX_BYTES: usize = 12;
/// No greeting is longer: three names of 255 bytes and some numbers.
const BODY_BYTES_MAX: usize = 2048;

/// One greeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// The dialler introduces itself, and says whom it wants and what it will send.
    Call {
        service: Service,
        target: String,
        hello: Hello,
        /// How it wishes to compress what it sends, if it asks; nothing stands for what this node does not know.
        wish: Option<Compression>,
    },
    /// The listener introduces itself in return: the link stands.
    Welcome {
        hello: Hello,
        /// Whether it grants the wish, if it was asked.
        grant: Option<Compression>,
    },
    /// The listener turns the dialler away, in the dialler's words.
    Refusal(HelloRefusal),
}

/// Why no greeting was read.
#[derive(Debug)]
pub(crate) enum GreetingError {
    /// The other end closed the connection, or the connection broke.
    Cut,
    /// The other end speaks something else.
    Foreign,
    /// The other end speaks another version.
    Protocol { theirs: u32 },
}

impl From<TryGetError> for GreetingError {
    fn from(_: TryGetError) -> Self {
        Self::Foreign
    }
}

/// Reads one greeting. Nothing is allocated beyond the longest one.
pub(crate) async fn read_greeting<R>(source: &mut R, protocol: u32) -> Result<Greeting, GreetingError>
where
    R: AsyncRead + Unpin,
{
    let mut prefix = [0; PREFIX_BYTES];
    source.read_exact(&mut prefix).await.map_err(|_| GreetingError::Cut)?;
    let (theirs, kind, length) = decode_prefix(&prefix)?;
    let mut body = vec![0; length];
    source.read_exact(&mut body).await.map_err(|_| GreetingError::Cut)?;
    if theirs != protocol {
        return Err(GreetingError::Protocol { theirs });
    }
    decode_body(kind, &body, theirs)
}

/// The bytes of a greeting, or `None` for a refusal that this version cannot put into bytes.
pub(crate) fn encode_greeting(greeting: &Greeting, protocol: u32) -> Option<Vec<u8>> {
    let mut body = Vec::with_capacity(128);
    let kind = match greeting {
        Greeting::Call { service, target, hello, wish } => {
            body.put_u8(service_code(*service));
            put_name(&mut body, target);
            put_hello(&mut body, hello);
            put_compression(&mut body, *wish);
            0
        }
        Greeting::Welcome { hello, grant } => {
            put_hello(&mut body, hello);
            put_compression(&mut body, *grant);
            1
        }
        Greeting::Refusal(refusal) => {
            put_refusal(&mut body, refusal)?;
            2
        }
    };
    assert!(body.len() <= BODY_BYTES_MAX, "names are checked at start and on receipt");
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + body.len());
    bytes.put_slice(&MAGIC);
    bytes.put_u32_le(protocol);
    bytes.put_u8(kind);
    bytes.put_u8(0);
    bytes.put_u16_le(body.len() as u16);
    bytes.put_slice(&body);
    Some(bytes)
}

fn decode_prefix(prefix: &[u8; PREFIX_BYTES]) -> Result<(u32, u8, usize), GreetingError> {
    let (magic, mut rest) = prefix.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(GreetingError::Foreign);
    }
    let protocol = rest.try_get_u32_le()?;
    let kind = rest.try_get_u8()?;
    let zero = rest.try_get_u8()?;
    let length = usize::from(rest.try_get_u16_le()?);
    if zero != 0 || length > BODY_BYTES_MAX {
        return Err(GreetingError::Foreign);
    }
    Ok((protocol, kind, length))
}

fn decode_body(kind: u8, mut body: &[u8], protocol: u32) -> Result<Greeting, GreetingError> {
    let greeting = match kind {
        0 => Greeting::Call {
            service: take_service(&mut body)?,
            target: take_name(&mut body)?,
            hello: take_hello(&mut body, protocol)?,
            wish: take_compression(&mut body)?.map(Option::unwrap_or_default),
        },
        1 => Greeting::Welcome { hello: take_hello(&mut body, protocol)?, grant: take_grant(&mut body)? },
        2 => Greeting::Refusal(take_refusal(&mut body)?),
        _ => return Err(GreetingError::Foreign),
    };
    if body.has_remaining() { Err(GreetingError::Foreign) } else { Ok(greeting) }
}

const fn service_code(service: Service) -> u8 {
    match service {
        Service::Control => 0,
        Service::Stream => 1,
    }
}

fn take_service(body: &mut &[u8]) -> Result<Service, GreetingError> {
    let code = body.try_get_u8()?;
    Service::ALL.into_iter().find(|service| service_code(*service) == code).ok_or(GreetingError::Foreign)
}

const fn compression_code(compression: Compression) -> u8 {
    match compression {
        Compression::Lz4 => 1,
        Compression::Zstd => 2,
        _ => 0,
    }
}

fn put_compression(body: &mut Vec<u8>, compression: Option<Compression>) {
    body.extend(compression.map(compression_code));
}

/// What the last byte says, if there is one; nothing in it if this node does not know it.
fn take_compression(body: &mut &[u8]) -> Result<Option<Option<Compression>>, GreetingError> {
    if !body.has_remaining() {
        return Ok(None);
    }
    let code = body.try_get_u8()?;
    let known = Compression::ALL.into_iter().find(|compression| compression_code(*compression) == code);
    Ok(Some(known))
}

/// Nobody is granted what it cannot have asked for.
fn take_grant(body: &mut &[u8]) -> Result<Option<Compression>, GreetingError> {
    match take_compression(body)? {
        None => Ok(None),
        Some(granted) => granted.map(Some).ok_or(GreetingError::Foreign),
    }
}

fn put_hello(body: &mut Vec<u8>, hello: &Hello) {
    put_name(body, &hello.group);
    put_name(body, &hello.node);
    body.put_u16_le(hello.id.as_u16());
    body.put_u128_le(hello.incarnation.0);
    body.put_u64_le(hello.open_count);
    put_option(body, hello.uuid, |body, uuid| body.put_u128_le(uuid.0));
    put_option(body, hello.member_list_hash, |body, hash| body.put_u64_le(hash));
}

fn take_hello(body: &mut &[u8], protocol: u32) -> Result<Hello, GreetingError> {
    Ok(Hello {
        protocol,
        group: take_name(body)?,
        node: take_name(body)?,
        id: NodeId::new(body.try_get_u16_le()?),
        incarnation: Incarnation(body.try_get_u128_le()?),
        open_count: body.try_get_u64_le()?,
        uuid: take_option(body, |body| Ok(GroupUuid(body.try_get_u128_le()?)))?,
        member_list_hash: take_option(body, |body| Ok(body.try_get_u64_le()?))?,
    })
}

fn put_refusal(body: &mut Vec<u8>, refusal: &HelloRefusal) -> Option<()> {
    match refusal {
        HelloRefusal::Protocol { ours, theirs } => {
            body.put_u8(0);
            body.put_u32_le(*ours);
            body.put_u32_le(*theirs);
        }
        HelloRefusal::Group { ours, theirs } => {
            body.put_u8(1);
            put_name(body, ours);
            put_name(body, theirs);
        }
        HelloRefusal::NotAMember { node, id } => {
            body.put_u8(2);
            put_name(body, node);
            body.put_u16_le(id.as_u16());
        }
        HelloRefusal::WrongNode { expected, found } => {
            body.put_u8(3);
            put_name(body, expected);
            put_name(body, found);
        }
        HelloRefusal::MemberList { node } => {
            body.put_u8(4);
            put_name(body, node);
        }
        HelloRefusal::Uuid { node, ours, theirs } => {
            body.put_u8(5);
            put_name(body, node);
            body.put_u128_le(ours.0);
            body.put_u128_le(theirs.0);
        }
        HelloRefusal::StaleCopy { node, found, seen } => {
            body.put_u8(6);
            put_name(body, node);
            body.put_u64_le(*found);
            body.put_u64_le(*seen);
        }
        HelloRefusal::UnknownGroup { group } => {
            body.put_u8(7);
            put_name(body, group);
        }
        _ => return None,
    }
    Some(())
}

fn take_refusal(body: &mut &[u8]) -> Result<HelloRefusal, GreetingError> {
    Ok(match body.try_get_u8()? {
        0 => HelloRefusal::Protocol { ours: body.try_get_u32_le()?, theirs: body.try_get_u32_le()? },
        1 => HelloRefusal::Group { ours: take_name(body)?, theirs: take_name(body)? },
        2 => HelloRefusal::NotAMember { node: take_name(body)?, id: NodeId::new(body.try_get_u16_le()?) },
        3 => HelloRefusal::WrongNode { expected: take_name(body)?, found: take_name(body)? },
        4 => HelloRefusal::MemberList { node: take_name(body)? },
        5 => HelloRefusal::Uuid {
            node: take_name(body)?,
            ours: GroupUuid(body.try_get_u128_le()?),
            theirs: GroupUuid(body.try_get_u128_le()?),
        },
        6 => HelloRefusal::StaleCopy {
            node: take_name(body)?,
            found: body.try_get_u64_le()?,
            seen: body.try_get_u64_le()?,
        },
        7 => HelloRefusal::UnknownGroup { group: take_name(body)? },
        _ => return Err(GreetingError::Foreign),
    })
}

fn put_name(body: &mut Vec<u8>, name: &str) {
    let length = u8::try_from(name.len()).expect("names are checked at start and on receipt");
    body.put_u8(length);
    body.put_slice(name.as_bytes());
}

fn take_name(body: &mut &[u8]) -> Result<String, GreetingError> {
    let length = usize::from(body.try_get_u8()?);
    let (name, rest) = body.split_at_checked(length).ok_or(GreetingError::Foreign)?;
    *body = rest;
    String::from_utf8(name.to_vec()).map_err(|_| GreetingError::Foreign)
}

fn put_option<T>(body: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    body.put_u8(u8::from(value.is_some()));
    if let Some(value) = value {
        put(body, value);
    }
}

fn take_option<'a, T>(
    body: &mut &'a [u8],
    take: impl FnOnce(&mut &'a [u8]) -> Result<T, GreetingError>,
) -> Result<Option<T>, GreetingError> {
    match body.try_get_u8()? {
        0 => Ok(None),
        1 => Ok(Some(take(body)?)),
        _ => Err(GreetingError::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::Random;

    const PROTOCOL: u32 = Hello::PROTOCOL;

    fn hello() -> Hello {
        Hello {
            protocol: PROTOCOL,
            group: "orders".into(),
            node: "n\u{e4}ve".into(),
            id: NodeId::new(7),
            incarnation: Incarnation(u128::MAX - 5),
            open_count: 3,
            uuid: Some(GroupUuid(9)),
            member_list_hash: None,
        }
    }

    fn welcome() -> Greeting {
        Greeting::Welcome { hello: hello(), grant: None }
    }

    fn greetings() -> Vec<Greeting> {
        let refusals = [
            HelloRefusal::Protocol { ours: 1, theirs: 2 },
            HelloRefusal::Group { ours: "a".into(), theirs: "b".into() },
            HelloRefusal::NotAMember { node: "x".into(), id: NodeId::new(9) },
            HelloRefusal::WrongNode { expected: "a".into(), found: "b".into() },
            HelloRefusal::MemberList { node: "b".into() },
            HelloRefusal::StaleCopy { node: "b".into(), found: 1, seen: 2 },
            HelloRefusal::Uuid { node: "b".into(), ours: GroupUuid(1), theirs: GroupUuid(2) },
            HelloRefusal::UnknownGroup { group: "a".into() },
        ];
        let call = |service, wish| Greeting::Call { service, target: "b".into(), hello: hello(), wish };
        let mut all = vec![call(Service::Control, None), call(Service::Stream, None)];
        all.push(Greeting::Welcome { hello: hello(), grant: None });
        for compression in Compression::ALL {
            // Nobody asks for nothing.
            let wish = (compression != Compression::None).then_some(compression);
            all.push(call(Service::Stream, wish));
            all.push(Greeting::Welcome { hello: hello(), grant: Some(compression) });
        }
        all.extend(refusals.map(Greeting::Refusal));
        all
    }

    fn decode(bytes: &[u8], protocol: u32) -> Result<Greeting, GreetingError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read_greeting(&mut &bytes[..], protocol))
    }

    #[test]
    fn every_greeting_comes_back_as_it_was() {
        for greeting in greetings() {
            let bytes = encode_greeting(&greeting, PROTOCOL).unwrap();
            assert_eq!(decode(&bytes, PROTOCOL).unwrap(), greeting);
        }
    }

    #[test]
    fn another_version_is_named_although_its_body_cannot_be_read() {
        let mut bytes = encode_greeting(&welcome(), 2).unwrap();
        bytes[PREFIX_BYTES..].fill(0xff);
        assert!(matches!(decode(&bytes, 1), Err(GreetingError::Protocol { theirs: 2 })));
    }

    #[test]
    fn an_unknown_wish_is_one_for_nothing_and_an_unknown_grant_is_foreign() {
        let wish = Some(Compression::Zstd);
        let call = Greeting::Call { service: Service::Stream, target: "b".into(), hello: hello(), wish };
        let mut bytes = encode_greeting(&call, PROTOCOL).unwrap();
        *bytes.last_mut().unwrap() = 77;
        let found = decode(&bytes, PROTOCOL).unwrap();
        assert!(matches!(found, Greeting::Call { wish: Some(Compression::None), .. }), "{found:?}");

        let granted = Greeting::Welcome { hello: hello(), grant: Some(Compression::Zstd) };
        let mut bytes = encode_greeting(&granted, PROTOCOL).unwrap();
        *bytes.last_mut().unwrap() = 77;
        assert!(matches!(decode(&bytes, PROTOCOL), Err(GreetingError::Foreign)));
    }

    #[test]
    fn a_length_beyond_the_longest_greeting_is_foreign() {
        let mut bytes = encode_greeting(&welcome(), PROTOCOL).unwrap();
        bytes[10..12].copy_from_slice(&u16::MAX.to_le_bytes());
        assert!(matches!(decode(&bytes, PROTOCOL), Err(GreetingError::Foreign)));
    }

    #[test]
    fn cut_or_altered_greetings_are_refused_or_read_never_more() {
        let mut random = Random::new(1);
        for greeting in greetings() {
            let bytes = encode_greeting(&greeting, PROTOCOL).unwrap();
            for length in 0..bytes.len() {
                assert!(matches!(decode(&bytes[..length], PROTOCOL), Err(GreetingError::Cut)));
            }
            for _ in 0..200 {
                let mut altered = bytes.clone();
                let place = random.below(altered.len() as u64) as usize;
                altered[place] ^= 1 << random.below(8);
                if let Ok(other) = decode(&altered, PROTOCOL) {
                    assert_ne!(other, greeting);
                }
            }
        }
    }
}
