//! Which keys there are, and what stands under them.
//!
//! Each epoch has keys of its own, so that no key collects more calls, and more of those that nobody answered,
//! than a search can judge.

use bytes::Bytes;
use std::fmt::Write;

const EPOCH_NANOSECONDS: u64 = 10_000_000_000;
const REGISTERS: usize = 4;
const LISTS: usize = 3;
/// How much is put behind a value, at most, so that logs grow.
const PADDING_BYTES_MAX: usize = 2_000;

/// The prefix of all keys of the epoch at a moment.
pub(crate) fn epoch(nanoseconds: u64) -> String {
    format!("epoch{:05}/", nanoseconds / EPOCH_NANOSECONDS)
}

/// One of an epoch's registers.
pub(crate) fn register(epoch: &str, random: &mut fastrand::Rng) -> String {
    format!("{epoch}register{}", random.usize(..REGISTERS))
}

/// One or two of an epoch's lists, different ones.
pub(crate) fn lists(epoch: &str, random: &mut fastrand::Rng) -> Vec<String> {
    let first = random.usize(..LISTS);
    let mut lists = vec![format!("{epoch}list{first}")];
    if random.bool() {
        lists.push(format!("{epoch}list{}", (first + 1) % LISTS));
    }
    lists
}

/// All lists of an epoch.
pub(crate) fn all_lists(epoch: &str) -> impl Iterator<Item = String> {
    (0..LISTS).map(move |list| format!("{epoch}list{list}"))
}

/// All registers of an epoch.
pub(crate) fn all_registers(epoch: &str) -> impl Iterator<Item = String> {
    (0..REGISTERS).map(move |register| format!("{epoch}register{register}"))
}

/// Whether a key is a list's.
pub(crate) fn is_list(key: &str) -> bool {
    key.contains("/list")
}

/// A register's value in a database.
pub(crate) fn written(value: u64, random: &mut fastrand::Rng) -> Bytes {
    format!("{value} {}", "x".repeat(random.usize(..PADDING_BYTES_MAX))).into()
}

/// The value that a register holds; `None` if that is none that anybody wrote.
pub(crate) fn read(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.split_once(' ')?.0.parse().ok()
}

/// A list in a database.
pub(crate) fn written_list(elements: &[u64]) -> Bytes {
    let mut text = String::new();
    for element in elements {
        let written = write!(text, "{element} ");
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    text.into()
}

/// The elements of a list; `None` if that is no list that anybody wrote.
pub(crate) fn read_list(bytes: &[u8]) -> Option<Vec<u64>> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.split_terminator(' ').map(|element| element.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let mut random = fastrand::Rng::with_seed(3);
        assert_eq!(read(&written(17, &mut random)), Some(17));
        assert_eq!(read_list(&written_list(&[3, 1, 2])), Some(vec![3, 1, 2]));
        assert_eq!(read_list(&written_list(&[])), Some(vec![]));
        assert_eq!(read(b"spoilt"), None);
        assert_eq!(read_list(b"1 x "), None);
    }
}
