use super::KeyForm;
use std::ops::Bound;

/// What keys of type `K` can begin with: the first parts of a tuple, such as `("ant",)` or `("ant", 7)` for a
/// `(String, u32, u64)`; the first bytes of a `String` or a `Vec<u8>`.
pub trait KeyPrefix<K> {
    /// Appends the bytes with which the encodings of all those keys begin, and no others.
    fn encode_prefix(&self, to: &mut Vec<u8>);
}

macro_rules! text_prefix {
    ($key:ty: $($form:ty),*) => {$(
        impl KeyPrefix<$key> for $form {
            fn encode_prefix(&self, to: &mut Vec<u8>) {
                KeyForm::<$key>::encode_whole(self, to);
            }
        }
    )*};
}

text_prefix!(String: String, str);
text_prefix!(Vec<u8>: Vec<u8>, [u8]);

impl<const N: usize> KeyPrefix<Vec<u8>> for [u8; N] {
    fn encode_prefix(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self);
    }
}

macro_rules! tuple_prefix {
    ($($key:ident $form:ident $index:tt),*; $($rest:ident),*) => {
        impl<$($key, $form: KeyForm<$key>,)* $($rest),*> KeyPrefix<($($key,)* $($rest),*)> for ($($form,)*) {
            fn encode_prefix(&self, to: &mut Vec<u8>) {
                $(self.$index.encode_part(to);)*
            }
        }
    };
}

tuple_prefix!(A FormA 0; B);
tuple_prefix!(A FormA 0; B, C);
tuple_prefix!(A FormA 0; B, C, D);
tuple_prefix!(A FormA 0; B, C, D, E);
tuple_prefix!(A FormA 0; B, C, D, E, F);
tuple_prefix!(A FormA 0, B FormB 1; C);
tuple_prefix!(A FormA 0, B FormB 1; C, D);
tuple_prefix!(A FormA 0, B FormB 1; C, D, E);
tuple_prefix!(A FormA 0, B FormB 1; C, D, E, F);
tuple_prefix!(A FormA 0, B FormB 1, C FormC 2; D);
tuple_prefix!(A FormA 0, B FormB 1, C FormC 2; D, E);
tuple_prefix!(A FormA 0, B FormB 1, C FormC 2; D, E, F);
tuple_prefix!(A FormA 0, B FormB 1, C FormC 2, D FormD 3; E);
tuple_prefix!(A FormA 0, B FormB 1, C FormC 2, D FormD 3; E, F);
tuple_prefix!(A FormA 0, B FormB 1, C FormC 2, D FormD 3, E FormE 4; F);

/// The encoding of a prefix.
pub(crate) fn encode<K, P: KeyPrefix<K> + ?Sized>(prefix: &P) -> Vec<u8> {
    let mut bytes = Vec::new();
    prefix.encode_prefix(&mut bytes);
    bytes
}

/// Between which keys all those lie that begin with `prefix`.
pub(crate) fn bounds(prefix: Vec<u8>) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let end = match prefix.iter().rposition(|&byte| byte < u8::MAX) {
        None => Bound::Unbounded,
        Some(last) => {
            let mut end = prefix[..=last].to_vec();
            end[last] += 1;
            Bound::Excluded(end)
        }
    };
    (Bound::Included(prefix), end)
}
