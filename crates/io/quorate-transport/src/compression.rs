//! Bodies made shorter on their way. What is behind a feature that was left out is neither written nor read.

#[cfg(not(all(feature = "lz4", feature = "zstd")))]
mod absent;
#[cfg(feature = "lz4")]
mod lz4;
#[cfg(feature = "zstd")]
mod zstd;

#[cfg(not(feature = "lz4"))]
use absent as lz4;
#[cfg(not(feature = "zstd"))]
use absent as zstd;
use bytes::Bytes;
use quorate_core::Compression;

/// Whether this build can compress and decompress so. Everything is left as it stands in every build.
pub(crate) const fn is_in_this_build(compression: Compression) -> bool {
    match compression {
        Compression::None => true,
        Compression::Lz4 => lz4::IS_IN_THIS_BUILD,
        Compression::Zstd => zstd::IS_IN_THIS_BUILD,
        _ => false,
    }
}

/// A body made shorter; `None` if it does not get shorter so.
pub(crate) fn compress(compression: Compression, body: &[u8]) -> Option<Bytes> {
    let mut packed = match compression {
        Compression::Lz4 => lz4::compress(body),
        Compression::Zstd => zstd::compress(body),
        _ => None,
    }?;
    if packed.len() >= body.len() {
        return None;
    }
    packed.shrink_to_fit();
    Some(packed.into())
}

/// A body as it was before, `length` bytes long; `None` if these bytes are no such body. The caller has checked
/// the length against its limit: so much memory is taken at most, whatever the bytes say, and none if they
/// cannot or do not stand for that many.
pub(crate) fn decompress(compression: Compression, packed: &[u8], length: usize) -> Option<Bytes> {
    let body = match compression {
        Compression::Lz4 => lz4::decompress(packed, length),
        Compression::Zstd => zstd::decompress(packed, length),
        _ => None,
    }?;
    (body.len() == length).then(|| body.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const BOTH: [Compression; 2] = [Compression::Lz4, Compression::Zstd];
    const LENGTH_MAX: usize = 100_000;

    /// Bodies between noise and repetition.
    fn bodies() -> impl Strategy<Value = Vec<u8>> {
        (vec(any::<u8>(), 1..300), vec(any::<u8>(), 0..300), 0_usize..300)
            .prop_map(|(pattern, end, times)| [pattern.repeat(times), end].concat())
    }

    proptest! {
        #[test]
        fn a_body_is_left_alone_or_gets_shorter_and_comes_back(body in bodies()) {
            for compression in BOTH {
                if let Some(packed) = compress(compression, &body) {
                    prop_assert!(packed.len() < body.len());
                    prop_assert_eq!(decompress(compression, &packed, body.len()), Some(body.clone().into()));
                }
            }
        }

        #[test]
        fn bytes_that_nobody_has_compressed_are_refused_or_have_the_length_announced(
            packed in vec(any::<u8>(), 0..300),
            length in 0..LENGTH_MAX,
        ) {
            for compression in BOTH {
                let body = decompress(compression, &packed, length);
                prop_assert!(body.is_none_or(|body| body.len() == length));
            }
        }

        #[test]
        fn a_compressed_body_that_was_cut_or_altered_is_refused_or_has_the_length_announced(
            body in bodies(),
            place in any::<prop::sample::Index>(),
            bit in 0_u32..8,
        ) {
            for compression in BOTH {
                let Some(packed) = compress(compression, &body) else { continue };
                let cut = &packed[..place.index(packed.len())];
                prop_assert_eq!(decompress(compression, cut, body.len()), None);
                prop_assert_eq!(decompress(compression, &packed, body.len() + 1), None);
                prop_assert_eq!(decompress(compression, &packed, body.len() - 1), None);
                let mut altered = packed.to_vec();
                altered[place.index(packed.len())] ^= 1_u8 << bit;
                let found = decompress(compression, &altered, body.len());
                prop_assert!(found.is_none_or(|found| found.len() == body.len()));
            }
        }
    }

    #[test]
    fn a_bomb_takes_no_more_memory_than_was_announced() {
        for compression in BOTH {
            let bomb = compress(compression, &vec![0; 64 << 20]).unwrap();
            assert!(bomb.len() < 1 << 19);
            assert_eq!(decompress(compression, &bomb, 100), None);
        }
    }

    #[test]
    fn noise_is_left_alone() {
        let mut random = quorate_core::Random::new(3);
        let noise: Vec<u8> = (0..10_000).map(|_| random.below(256) as u8).collect();
        assert!(BOTH.iter().all(|compression| compress(*compression, &noise).is_none()));
    }
}
