use super::{Key, KeyError, KeyForm, take};

macro_rules! unsigned {
    ($($number:ty),*) => {$(
        impl KeyForm<$number> for $number {
            fn encode_part(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_be_bytes());
            }
        }

        impl Key for $number {
            fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError> {
                take(from).map(Self::from_be_bytes)
            }
        }
    )*};
}

/// With the sign bit flipped, the least number is all zeros.
macro_rules! signed {
    ($($number:ty),*) => {$(
        impl KeyForm<$number> for $number {
            fn encode_part(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&(self ^ Self::MIN).to_be_bytes());
            }
        }

        impl Key for $number {
            fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError> {
                take(from).map(|bytes| Self::from_be_bytes(bytes) ^ Self::MIN)
            }
        }
    )*};
}

unsigned!(u8, u16, u32, u64, u128);
signed!(i8, i16, i32, i64, i128);

impl KeyForm<Self> for bool {
    fn encode_part(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }
}

impl Key for bool {
    fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError> {
        match take(from)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(KeyError::Invalid { part: "bool" }),
        }
    }
}

impl KeyForm<Self> for char {
    fn encode_part(&self, to: &mut Vec<u8>) {
        u32::from(*self).encode_part(to);
    }
}

impl Key for char {
    fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError> {
        Self::from_u32(u32::decode_part(from)?).ok_or(KeyError::Invalid { part: "char" })
    }
}

impl<K, Q: KeyForm<K>> KeyForm<Option<K>> for Option<Q> {
    fn encode_part(&self, to: &mut Vec<u8>) {
        self.is_some().encode_part(to);
        if let Some(key) = self {
            key.encode_part(to);
        }
    }
}

impl<K: Key> Key for Option<K> {
    fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError> {
        match take(from)? {
            [0] => Ok(None),
            [1] => K::decode_part(from).map(Some),
            _ => Err(KeyError::Invalid { part: "option" }),
        }
    }
}
