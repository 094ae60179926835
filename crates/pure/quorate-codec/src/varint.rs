use alloc::vec::Vec;

/// A `u32` takes five bytes at most: seven bits a byte, the lowest first, the top bit set on all but the
/// last.
const BYTES_MAX: usize = 5;

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VarintError {
    /// The bytes end within it.
    Truncated,
    /// It is above `u32::MAX`, or longer than it need be.
    Malformed,
}

pub(crate) fn put(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number from the front of `bytes`. Every number has one encoding, the shortest.
pub(crate) fn take(bytes: &mut &[u8]) -> Result<u32, VarintError> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().take(BYTES_MAX).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let overlong = index > 0 && *byte == 0;
            *bytes = &bytes[index + 1..];
            return u32::try_from(number).ok().filter(|_| !overlong).ok_or(VarintError::Malformed);
        }
    }
    Err(if bytes.len() < BYTES_MAX { VarintError::Truncated } else { VarintError::Malformed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_of_number_comes_back_and_takes_the_shortest_form() {
        for (number, length) in
            [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (1 << 28, 5), (u32::MAX, 5)]
        {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(bytes.len(), length);
            let mut rest = bytes.as_slice();
            assert_eq!(take(&mut rest), Ok(number));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn numbers_that_are_cut_short_too_long_or_too_large_are_refused() {
        for (bytes, error) in [
            (&[][..], VarintError::Truncated),
            (&[0x80], VarintError::Truncated),
            (&[0x80, 0], VarintError::Malformed),
            (&[0xff, 0xff, 0xff, 0xff, 0x10], VarintError::Malformed),
            (&[0xff, 0xff, 0xff, 0xff, 0xff], VarintError::Malformed),
        ] {
            assert_eq!(take(&mut &bytes[..]), Err(error), "{bytes:x?}");
        }
    }
}
