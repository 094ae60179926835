use crate::Signature;

/// A production entry point, and what it promises of any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name on the command line and of its folder of inputs.
    pub name: &'static str,
    /// What it does with its input, in a line.
    pub about: &'static str,
    /// Takes the input in. A promise that does not hold is a panic.
    pub run: fn(&[u8]) -> Signature,
    /// Makes checksums right again after bytes were changed, so that what lies behind them is reached too.
    /// Does nothing where there are none.
    pub mend: fn(&mut Vec<u8>),
    /// Inputs to begin with: what production encoders write.
    pub seeds: fn() -> Vec<Seed>,
}

impl Target {
    /// A target whose format has no checksums.
    pub(crate) const fn plain(
        name: &'static str,
        about: &'static str,
        run: fn(&[u8]) -> Signature,
        seeds: fn() -> Vec<Seed>,
    ) -> Self {
        Self { name, about, run, mend: |_| {}, seeds }
    }
}

/// An input to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// The name of its file.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

impl Seed {
    pub(crate) fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}
