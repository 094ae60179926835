use clap::ValueEnum;
use quorate_core::Random;
use serde::{Deserialize, Serialize};

/// What the values that are written are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Values {
    /// One byte, over and over, another one in each value.
    #[default]
    Alike,
    /// Words of a short list, in random order, as an application's records might be.
    Text,
    /// Random bytes, which nothing makes shorter.
    Random,
}

/// What texts are made of.
const WORDS: [&[u8]; 32] = [
    b"{\"name\":\"",
    b"\",\"city\":\"",
    b"\",\"order\":",
    b",\"items\":[",
    b"],\"paid\":",
    b"true",
    b"false",
    b"null",
    b"apples",
    b"pears",
    b"plums",
    b"cherries",
    b"Amsterdam",
    b"Bergen",
    b"Coimbra",
    b"Debrecen",
    b"delivered",
    b"pending",
    b"returned",
    b"2026-11-",
    b"T12:",
    b"00Z",
    b"17",
    b"230",
    b"4096",
    b"street",
    b"number",
    b"customer",
    b"quantity",
    b"comment",
    b", ",
    b"}",
];

impl Values {
    /// Fills a value. `byte` tells it from others.
    pub(super) fn fill(self, value: &mut [u8], byte: u8, random: &mut Random) {
        match self {
            Self::Alike => value.fill(byte),
            Self::Text => fill_with_words(value, random),
            Self::Random => fill_at_random(value, random),
        }
    }
}

/// Fills memory with random bytes.
pub(super) fn fill_at_random(bytes: &mut [u8], random: &mut Random) {
    for part in bytes.chunks_mut(size_of::<u64>()) {
        part.copy_from_slice(&random.next_u64().to_le_bytes()[..part.len()]);
    }
}

fn fill_with_words(mut value: &mut [u8], random: &mut Random) {
    while !value.is_empty() {
        let word = WORDS[random.below(WORDS.len() as u64) as usize];
        let (place, rest) = value.split_at_mut(word.len().min(value.len()));
        place.copy_from_slice(&word[..place.len()]);
        value = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Different values of a kind, and how many different bytes there are in them.
    fn made(values: Values) -> (usize, usize) {
        let mut random = Random::new(5);
        let mut value = vec![0; 300];
        let mut all = BTreeSet::new();
        for byte in 0..10 {
            values.fill(&mut value, byte, &mut random);
            all.insert(value.clone());
        }
        (all.len(), all.iter().flatten().collect::<BTreeSet<_>>().len())
    }

    #[test]
    fn values_differ_and_have_few_many_or_all_kinds_of_bytes() {
        assert_eq!(made(Values::Alike), (10, 10));
        let (texts, letters) = made(Values::Text);
        assert!(texts == 10 && (20..64).contains(&letters), "{letters}");
        let (noises, bytes) = made(Values::Random);
        assert!(noises == 10 && bytes > 250, "{bytes}");
    }
}
