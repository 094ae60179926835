use quorate_core::Random;

/// Makes new inputs out of old ones, as a seed says.
#[derive(Debug)]
pub(crate) struct Mutator {
    random: Random,
    bytes_max: usize,
}

/// Numbers at which decoders go wrong.
const NUMBERS: [u64; 24] = [
    0,
    1,
    2,
    3,
    7,
    8,
    0x10,
    0x20,
    0x28,
    0x40,
    0x48,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x400,
    0x1000,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];
/// How many changes are made at once, at most.
const CHANGES_MAX: u64 = 5;
/// How many bytes are put in, taken out or doubled at once, at most.
const BLOCK_BYTES_MAX: u64 = 64;

impl Mutator {
    /// A mutator whose inputs have `bytes_max` bytes at most.
    pub(crate) const fn new(seed: u64, bytes_max: usize) -> Self {
        Self { random: Random::new(seed), bytes_max }
    }

    /// A number below `bound`; 0 where that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound as u64) as usize
    }

    /// Changes `input`; parts of `other` may come in.
    pub(crate) fn mutate(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.random.below(CHANGES_MAX) {
            self.change(input, other);
        }
        input.truncate(self.bytes_max);
    }

    fn change(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        match self.random.below(10) {
            0 | 1 => self.flip_bit(input),
            2 => self.set_byte(input),
            3 => self.set_number(input),
            4 => self.nudge_number(input),
            5 => self.insert(input),
            6 => self.remove(input),
            7 => self.double(input),
            8 => self.splice(input, other),
            _ => self.resize_field(input),
        }
    }

    fn flip_bit(&mut self, input: &mut [u8]) {
        let place = self.below(input.len());
        if let Some(byte) = input.get_mut(place) {
            *byte ^= 1 << self.random.below(8);
        }
    }

    fn set_byte(&mut self, input: &mut [u8]) {
        let place = self.below(input.len());
        if let Some(byte) = input.get_mut(place) {
            *byte = self.random.next_u64() as u8;
        }
    }

    /// Puts an interesting number of 1, 2, 4 or 8 bytes somewhere, in either byte order.
    fn set_number(&mut self, input: &mut [u8]) {
        let number = NUMBERS[self.below(NUMBERS.len())];
        self.change_number(input, |_| number);
    }

    /// Makes a number a little larger or smaller.
    fn nudge_number(&mut self, input: &mut [u8]) {
        let by = self.random.below(9).wrapping_sub(4);
        self.change_number(input, |number| number.wrapping_add(by));
    }

    fn change_number(&mut self, input: &mut [u8], change: impl FnOnce(u64) -> u64) {
        let width = 1_usize << self.random.below(4);
        let big_endian = self.random.below(4) == 0;
        if input.len() < width {
            return;
        }
        let place = self.below(input.len() - width + 1);
        let field = &mut input[place..place + width];
        put(field, big_endian, change(get(field, big_endian)));
    }

    fn insert(&mut self, input: &mut Vec<u8>) {
        let place = self.below(input.len() + 1);
        let (count, fill) = (1 + self.random.below(BLOCK_BYTES_MAX), self.random.below(3));
        let block: Vec<u8> =
            (0..count).map(|_| if fill == 0 { 0 } else { self.random.next_u64() as u8 }).collect();
        input.splice(place..place, block);
    }

    fn remove(&mut self, input: &mut Vec<u8>) {
        let range = self.block(input.len());
        input.drain(range);
    }

    fn double(&mut self, input: &mut Vec<u8>) {
        let range = self.block(input.len());
        let (block, place) = (input[range].to_vec(), self.below(input.len() + 1));
        input.splice(place..place, block);
    }

    /// A part of another input takes the place of a part of this one.
    fn splice(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let (from, to) = (self.block(other.len()), self.block(input.len()));
        input.splice(to, other[from].iter().copied());
    }

    /// Lengthens or shortens what stands behind a number, and the number with it: most likely it is a length.
    fn resize_field(&mut self, input: &mut Vec<u8>) {
        let width = 1_usize << self.random.below(3);
        let lengths: Vec<usize> = (0..(input.len() + 1).saturating_sub(width))
            .filter(|place| may_be_length(input, *place, width))
            .collect();
        let Some(place) = lengths.get(self.below(lengths.len())).copied() else { return };
        let length = get(&input[place..place + width], false);
        let end = place + width + length as usize;
        let count = 1 + self.below(8);
        if self.random.below(2) == 0 {
            input.splice(end..end, std::iter::repeat_n(0x41, count));
            put(&mut input[place..place + width], false, length + count as u64);
        } else {
            let count = count.min(length as usize);
            input.drain(end - count..end);
            put(&mut input[place..place + width], false, length - count as u64);
        }
    }

    /// A part of something of this length.
    fn block(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let count = self.below((length - start + 1).min(BLOCK_BYTES_MAX as usize + 1));
        start..start + count
    }
}

/// Whether the number there could say how many of the bytes behind it belong together.
fn may_be_length(input: &[u8], place: usize, width: usize) -> bool {
    let length = get(&input[place..place + width], false);
    length > 0 && length <= (input.len() - place - width) as u64
}

fn get(field: &[u8], big_endian: bool) -> u64 {
    let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    if big_endian { field.iter().fold(0, fold) } else { field.iter().rev().fold(0, fold) }
}

fn put(field: &mut [u8], big_endian: bool, number: u64) {
    let width = field.len();
    for (index, byte) in number.to_le_bytes().into_iter().take(width).enumerate() {
        field[if big_endian { width - 1 - index } else { index }] = byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        let inputs = |seed| -> Vec<Vec<u8>> {
            let mut mutator = Mutator::new(seed, 200);
            let make = |_| {
                let mut input = b"\x05hello, \x03you".to_vec();
                mutator.mutate(&mut input, b"another one");
                input
            };
            (0..500).map(make).collect()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        assert!(
            inputs(3).iter().any(|input| input.len() > 13)
                && inputs(3).iter().all(|input| input.len() <= 200)
        );
    }

    #[test]
    fn any_input_can_be_changed_even_an_empty_one() {
        let mut mutator = Mutator::new(4, 50);
        let mut input = Vec::new();
        for _ in 0..20_000 {
            mutator.mutate(&mut input, b"");
            if mutator.below(50) == 0 {
                input.clear();
            }
        }
    }

    #[test]
    fn a_field_grows_and_shrinks_together_with_its_length() {
        let mut mutator = Mutator::new(5, 100);
        let mut lengths = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let mut input = vec![3, 250, 251, 252];
            mutator.resize_field(&mut input);
            assert_eq!(usize::from(input[0]), input.len() - 1);
            lengths.insert(input.len());
        }
        assert!(lengths.contains(&3) && lengths.contains(&9), "{lengths:?}");
    }
}
