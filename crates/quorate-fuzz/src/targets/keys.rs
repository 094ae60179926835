//! Keys of typed databases.

use crate::input::Input;
use crate::{Seed, Signature, Target};
use quorate::{Key, encode_key};
use std::fmt::Debug;

pub(super) const KEY: Target = Target::plain(
    "key",
    "keys of typed databases: one encoding a key, and its bytes sort as the keys do",
    run,
    seeds,
);

/// What is asked of one type of keys.
type Check = fn(&[u8], &[u8]) -> Signature;

/// Types whose keys have every form that there is.
const TYPES: [Check; 14] = [
    check::<u8>,
    check::<i16>,
    check::<u64>,
    check::<i128>,
    check::<bool>,
    check::<char>,
    check::<String>,
    check::<Vec<u8>>,
    check::<[u8; 3]>,
    check::<Option<String>>,
    check::<(String, u32)>,
    check::<(Vec<u8>, String)>,
    check::<((String, bool), Option<(Vec<u8>, i16)>)>,
    check::<(u8, String, i8, Vec<u8>, bool, char)>,
];

/// A type, the length of a first key, that key, and a second one.
fn run(input: &[u8]) -> Signature {
    let mut input = Input::new(input);
    let check = TYPES[usize::from(input.below(TYPES.len() as u8))];
    let length = input.byte();
    let first = input.take(length.into());
    check(first, input.rest())
}

fn check<K: Key + Ord + Debug>(first: &[u8], second: &[u8]) -> Signature {
    let signature = check_one::<K>(first).word("and").shape(&check_part::<K>(second));
    if let (Ok(a), Ok(b)) = (K::decode_whole(first), K::decode_whole(second)) {
        assert_eq!(a.cmp(&b), first.cmp(second), "{a:?} and {b:?} sort as their bytes do");
        return signature.shape(&a.cmp(&b));
    }
    signature
}

/// A whole key.
fn check_one<K: Key + Debug>(bytes: &[u8]) -> Signature {
    let key = K::decode_whole(bytes);
    if let Ok(key) = &key {
        assert_eq!(encode_key(key), bytes, "one encoding a key: {key:?}");
    }
    Signature::new().word(std::any::type_name::<K>()).shape(&key.err())
}

/// A key in front of others. Returns whether there was one.
fn check_part<K: Key + Debug>(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let key = K::decode_part(&mut rest);
    if let Ok(key) = &key {
        let mut again = Vec::new();
        key.encode_part(&mut again);
        assert_eq!([&again, rest].concat(), bytes, "one encoding a part: {key:?}");
    }
    key.is_ok()
}

fn seeds() -> Vec<Seed> {
    vec![
        seed("number", 2, &7_u64, &8_u64),
        seed("signed", 3, &-1_i128, &1_i128),
        seed("letter", 5, &'a', &'\u{10ffff}'),
        seed("text", 6, &"a\0b".to_owned(), &"ant".to_owned()),
        seed("option", 9, &Some("ant".to_owned()), &None),
        seed("pair", 10, &("a\0".to_owned(), 7_u32), &("a".to_owned(), 1_u32)),
        seed(
            "nested",
            12,
            &(("a".to_owned(), true), Some((vec![0, 255], -3_i16))),
            &((String::new(), false), None),
        ),
        seed(
            "six",
            13,
            &(1_u8, "x".to_owned(), -1_i8, vec![0_u8], true, 'z'),
            &(1_u8, "y".to_owned(), 0_i8, Vec::new(), false, 'a'),
        ),
    ]
}

fn seed<K: Key>(name: &str, number: u8, first: &K, second: &K) -> Seed {
    let (first, second) = (encode_key(first), encode_key(second));
    Seed::new(name, [&[number, first.len() as u8], &first[..], &second[..]].concat())
}
