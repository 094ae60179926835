use crate::mutator::Mutator;
use crate::{Finding, Seed, Target, Trial, Verdict};
use std::collections::HashSet;

/// Invents inputs for one target, and remembers those that made it do something new.
#[derive(Debug)]
pub struct Fuzzer<'a> {
    target: &'static Target,
    trial: Trial<'a>,
    mutator: Mutator,
    inputs: Vec<Vec<u8>>,
    signatures: HashSet<u128>,
    runs: u64,
}

/// How far a fuzzer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Inputs tried.
    pub runs: u64,
    /// Different signatures seen.
    pub signatures: usize,
}

/// The longest input that is invented, in bytes.
const INPUT_BYTES_MAX: usize = 16 << 10;
/// So many inputs are remembered; then new ones take the places of old ones.
const INPUTS_MAX: usize = 4096;

impl<'a> Fuzzer<'a> {
    /// A fuzzer of the trial's target that has tried nothing yet.
    #[must_use]
    pub fn new(target: &'static Target, trial: Trial<'a>, seed: u64) -> Self {
        let mutator = Mutator::new(seed, INPUT_BYTES_MAX);
        Self { target, trial, mutator, inputs: vec![Vec::new()], signatures: HashSet::new(), runs: 0 }
    }

    /// Tries inputs as they are, and remembers them all.
    pub fn begin_with(&mut self, seeds: Vec<Seed>) -> Option<Finding> {
        for Seed { bytes, .. } in seeds {
            if let Some(finding) = self.try_input(&bytes) {
                return Some(finding);
            }
            self.inputs.push(bytes);
        }
        None
    }

    /// Invents one input and tries it.
    pub fn step(&mut self) -> Option<Finding> {
        let mut input = self.inputs[self.mutator.below(self.inputs.len())].clone();
        let other = &self.inputs[self.mutator.below(self.inputs.len())];
        self.mutator.mutate(&mut input, other);
        if self.mutator.below(8) > 0 {
            (self.target.mend)(&mut input);
        }
        self.try_input(&input)
    }

    /// How far it has come.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics { runs: self.runs, signatures: self.signatures.len() }
    }

    fn try_input(&mut self, input: &[u8]) -> Option<Finding> {
        self.runs += 1;
        match self.trial.run(input) {
            Verdict::Survived(signature) => {
                if self.signatures.insert(signature) {
                    self.remember(input.to_vec());
                }
                None
            }
            verdict => Some(Finding::minimised(&self.trial, self.target, input.to_vec(), verdict)),
        }
    }

    fn remember(&mut self, input: Vec<u8>) {
        if self.inputs.len() < INPUTS_MAX {
            return self.inputs.push(input);
        }
        let place = self.mutator.below(self.inputs.len());
        self.inputs[place] = input;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Signature, hush_panics};

    /// Gives way a byte at a time, and breaks at the end.
    fn staircase(input: &[u8]) -> Signature {
        let steps = input.iter().zip(b"\x80\x01\x7f").take_while(|(a, b)| a == b).count();
        assert!(steps < 3, "the top");
        Signature::new().magnitude(1 << steps)
    }

    static STAIRCASE: Target = Target::plain("staircase", "", staircase, Vec::new);

    fn climb(seed: u64) -> (Finding, Statistics) {
        let trial = Trial::new(&STAIRCASE, Limits::default(), None);
        let mut fuzzer = Fuzzer::new(&STAIRCASE, trial, seed);
        let finding = (0..1_000_000).find_map(|_| fuzzer.step()).expect("the top is reached");
        (finding, fuzzer.statistics())
    }

    #[test]
    fn inputs_that_get_further_lead_to_those_that_break() {
        hush_panics();
        let (finding, statistics) = climb(1);
        assert_eq!(finding.input, b"\x80\x01\x7f");
        assert_eq!(statistics.signatures, 3);
    }

    #[test]
    fn a_seed_finds_the_same_after_as_many_runs() {
        hush_panics();
        assert_eq!(climb(2).1, climb(2).1);
    }
}
