use crate::SimTime;
use std::collections::VecDeque;
use std::fmt::{self, Write};

/// How many of the latest lines are kept for whoever must explain a failure.
const LINES_KEPT: usize = 50;

/// What happened, line by line: a hash of all of it, and the latest lines.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    lines: VecDeque<String>,
    sink: Sink,
}

/// What becomes of the lines besides.
#[derive(Debug)]
enum Sink {
    None,
    Print,
    Keep(String),
}

impl Trace {
    pub(crate) fn hashed() -> Self {
        Self::with(Sink::None)
    }

    /// Prints every line as it comes.
    pub(crate) fn printed() -> Self {
        Self::with(Sink::Print)
    }

    /// Keeps all lines.
    pub(crate) fn kept() -> Self {
        Self::with(Sink::Keep(String::new()))
    }

    fn with(sink: Sink) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, lines: VecDeque::with_capacity(LINES_KEPT), sink }
    }

    pub(crate) fn line(&mut self, at: SimTime, text: fmt::Arguments<'_>) {
        let mut line =
            if self.lines.len() == LINES_KEPT { self.lines.pop_front() } else { None }.unwrap_or_default();
        line.clear();
        write!(line, "{at} {text}").expect("a string takes all that is written");
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        match &mut self.sink {
            Sink::None => {}
            Sink::Print => println!("{line}"),
            Sink::Keep(all) => {
                all.push_str(&line);
                all.push('\n');
            }
        }
        self.lines.push_back(line);
    }

    /// A hash (FNV-1a) of every line so far.
    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    /// The latest lines, oldest first.
    pub(crate) fn latest(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }

    /// All lines, if they are kept.
    pub(crate) fn text(&self) -> &str {
        if let Sink::Keep(all) = &self.sink { all } else { "" }
    }
}
