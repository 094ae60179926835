//! Keys sort as their values do, come back as they were, and hostile bytes are refused.

use proptest::collection::vec;
use proptest::prelude::*;
use quorate_env::{Key, KeyError, KeyForm, encode_key};
use std::fmt::Debug;

/// Bytes among which escapes, ends and edges are frequent.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0_u8), Just(1), Just(254), Just(255), any::<u8>()], 0..6)
}

/// Strings with many zeros.
fn text() -> impl Strategy<Value = String> {
    vec(prop_oneof![Just('\0'), Just('\u{1}'), Just('a'), any::<char>()], 0..5)
        .prop_map(|chars| chars.into_iter().collect())
}

fn part<K: Key>(key: &K) -> Vec<u8> {
    let mut bytes = Vec::new();
    key.encode_part(&mut bytes);
    bytes
}

/// Checks what is asked of any two keys of a type.
fn check<K: Key + Ord + Debug>(left: &K, right: &K) -> Result<(), TestCaseError> {
    let (a, b) = (encode_key(left), encode_key(right));
    prop_assert_eq!(a.cmp(&b), left.cmp(right), "{:?} and {:?}", left, right);
    prop_assert_eq!(&K::decode_whole(&a).unwrap(), left);
    let (a, b) = (part(left), part(right));
    prop_assert_eq!(a.cmp(&b), left.cmp(right), "as parts {:?} and {:?}", left, right);
    prop_assert!(left == right || !b.starts_with(&a), "{:?} begins {:?}", left, right);
    let behind = [&a[..], &b[..]].concat();
    let mut rest = &behind[..];
    prop_assert_eq!(&K::decode_part(&mut rest).unwrap(), left);
    prop_assert_eq!(&K::decode_part(&mut rest).unwrap(), right);
    prop_assert!(rest.is_empty());
    Ok(())
}

/// What decodes at all is the encoding of what it decodes to.
fn check_hostile<K: Key + Debug>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(key) = K::decode_whole(bytes) {
        prop_assert_eq!(encode_key(&key), bytes, "{:?}", key);
    }
    Ok(())
}

macro_rules! orders {
    ($($name:ident: $key:ty = $strategy:expr;)*) => {
        proptest! {$(
            #[test]
            fn $name(left in $strategy, right in $strategy, hostile in bytes()) {
                check::<$key>(&left, &right)?;
                check_hostile::<$key>(&hostile)?;
            }
        )*}
    };
}

orders! {
    unsigned_numbers_keep_their_order: (u8, u16, u32, u64, u128) = any::<(u8, u16, u32, u64, u128)>();
    signed_numbers_keep_their_order: (i8, i16, i32, i64, i128) = any::<(i8, i16, i32, i64, i128)>();
    single_signed_numbers_keep_their_order: i64 = any::<i64>();
    bools_and_chars_keep_their_order: (bool, char) = any::<(bool, char)>();
    strings_keep_their_order: String = text();
    byte_strings_keep_their_order: Vec<u8> = bytes();
    arrays_keep_their_order: [u8; 3] = any::<[u8; 3]>();
    options_keep_their_order: Option<String> = proptest::option::of(text());
    strings_in_tuples_keep_their_order: (String, Vec<u8>, u8) = (text(), bytes(), any::<u8>());
    nested_tuples_keep_their_order: ((String, bool), Option<(Vec<u8>, i16)>) =
        ((text(), any::<bool>()), proptest::option::of((bytes(), any::<i16>())));
    tuples_of_six_keep_their_order: (u8, String, i8, Vec<u8>, bool, char) =
        (any::<u8>(), text(), any::<i8>(), bytes(), any::<bool>(), any::<char>());
}

#[test]
fn the_bytes_of_keys_stay_as_they_are() {
    assert_eq!(encode_key(&0x0102_u16), [1, 2]);
    assert_eq!(encode_key(&-1_i32), [0x7f, 0xff, 0xff, 0xff]);
    assert_eq!(encode_key(&1_i8), [0x81]);
    assert_eq!(encode_key(&'a'), [0, 0, 0, b'a']);
    assert_eq!(encode_key(&"a\0b".to_owned()), *b"a\0b");
    assert_eq!(encode_key(&("a\0b".to_owned(), 7_u8)), *b"a\0\xffb\0\0\x07");
    assert_eq!(encode_key(&(true, vec![0_u8, 255])), [1, 0, 255, 255, 0, 0]);
    assert_eq!(encode_key(&Some(5_u8)), [1, 5]);
    assert_eq!(encode_key(&None::<u8>), [0]);
}

#[test]
fn a_borrowed_form_is_encoded_as_the_key_that_it_stands_for() {
    fn whole<K, Q: KeyForm<K> + ?Sized>(form: &Q) -> Vec<u8> {
        let mut bytes = Vec::new();
        form.encode_whole(&mut bytes);
        bytes
    }
    assert_eq!(whole::<String, _>("ant"), encode_key(&"ant".to_owned()));
    assert_eq!(whole::<Vec<u8>, _>(b"ant"), encode_key(&b"ant".to_vec()));
    assert_eq!(whole::<(String, u64), _>(&("ant", 3)), encode_key(&("ant".to_owned(), 3_u64)));
    assert_eq!(whole::<Option<String>, _>(&Some("ant")), encode_key(&Some("ant".to_owned())));
}

#[test]
fn bytes_that_are_no_key_are_refused_with_what_is_wrong() {
    assert_eq!(u32::decode_whole(&[1, 2, 3]), Err(KeyError::Short));
    assert_eq!(u8::decode_whole(&[1, 2, 3]), Err(KeyError::Trailing { bytes: 2 }));
    assert_eq!(bool::decode_whole(&[2]), Err(KeyError::Invalid { part: "bool" }));
    assert_eq!(char::decode_whole(&[0, 0, 0xd8, 0]), Err(KeyError::Invalid { part: "char" }));
    assert_eq!(<Option<u8>>::decode_whole(&[3, 1]), Err(KeyError::Invalid { part: "option" }));
    assert_eq!(String::decode_whole(&[0xff]), Err(KeyError::Invalid { part: "string" }));
    assert_eq!(<(String, u8)>::decode_whole(b"ant"), Err(KeyError::Short));
    assert_eq!(<(String, u8)>::decode_whole(b"a\0\x01"), Err(KeyError::Invalid { part: "text" }));
}
