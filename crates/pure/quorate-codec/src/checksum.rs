//! CRC-32C (Castagnoli) of short pieces: headers, and most payloads.
//!
//! The `crc32c` crate is made for long pieces. Around 40 or 128 bytes its preparations cost more than the checksum
//! itself, so up to [`LONG_BYTES_MIN`] the processor's instruction is used word by word, where there is one.

/// From here on three checksums side by side, as the crate computes them, are faster than one.
const LONG_BYTES_MIN: usize = 768;

/// The checksum of `bytes`.
#[inline]
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if bytes.len() < LONG_BYTES_MIN
        && let Some(checksum) = x86_64::of(bytes)
    {
        return checksum;
    }
    crc32c::crc32c(bytes)
}

/// The checksum of bytes whose checksum is `before`, with a few `bytes` behind them. Their number is known when this
/// is compiled, so that it takes no loop.
#[inline]
pub(crate) fn checksum_append<const LENGTH: usize>(before: u32, bytes: &[u8; LENGTH]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if let Some(checksum) = x86_64::append(before, bytes) {
        return checksum;
    }
    crc32c::crc32c_append(before, bytes)
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use core::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u32, _mm_crc32_u64};

    cpufeatures::new!(sse42, "sse4.2");

    /// `None` on a processor without the instruction.
    #[inline]
    #[allow(unsafe_code)]
    pub(super) fn of(bytes: &[u8]) -> Option<u32> {
        // SAFETY: the function needs nothing but the instruction, which this processor has.
        sse42::get().then(|| unsafe { append_by_word(0, bytes) })
    }

    /// `None` on a processor without the instruction.
    #[inline]
    #[allow(unsafe_code)]
    pub(super) fn append<const LENGTH: usize>(before: u32, bytes: &[u8; LENGTH]) -> Option<u32> {
        #[target_feature(enable = "sse4.2")]
        fn unrolled<const LENGTH: usize>(before: u32, bytes: &[u8; LENGTH]) -> u32 {
            append_by_word(before, bytes)
        }
        // SAFETY: the function needs nothing but the instruction, which this processor has.
        sse42::get().then(|| unsafe { unrolled(before, bytes) })
    }

    #[inline]
    #[target_feature(enable = "sse4.2")]
    fn append_by_word(before: u32, bytes: &[u8]) -> u32 {
        let (words, rest) = bytes.as_chunks();
        let register = words
            .iter()
            .fold(u64::from(!before), |register, word| _mm_crc32_u64(register, u64::from_le_bytes(*word)));
        let (halves, rest) = rest.as_chunks();
        let register = halves
            .iter()
            .fold(register as u32, |register, half| _mm_crc32_u32(register, u32::from_le_bytes(*half)));
        !rest.iter().fold(register, |register, byte| _mm_crc32_u8(register, *byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_checksum_that_the_crate_computes(
            bytes in vec(any::<u8>(), 0..2 * LONG_BYTES_MIN),
            start in 0_usize..9,
        ) {
            let bytes = &bytes[start.min(bytes.len())..];
            prop_assert_eq!(checksum(bytes), crc32c::crc32c(bytes));
        }

        #[test]
        fn it_goes_on_from_a_checksum_as_the_crate_does(before in any::<u32>(), bytes in any::<[u8; 31]>()) {
            prop_assert_eq!(checksum_append(before, &bytes), crc32c::crc32c_append(before, &bytes));
        }
    }

    /// The check value of the catalogue of parametrised CRC algorithms.
    #[test]
    fn it_is_castagnoli_s() {
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
    }
}
