use crate::failure::Failure;
use std::time::{Duration, Instant};

/// The steps of a task, with the time that each took.
pub(crate) struct Steps {
    done: Vec<(String, Duration, bool)>,
}

impl Steps {
    /// No step yet.
    pub(crate) const fn new() -> Self {
        Self { done: Vec::new() }
    }

    /// Runs one step under its name, and says why if it fails.
    pub(crate) fn run(
        &mut self,
        name: &str,
        step: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        eprintln!("==> {name}");
        let start = Instant::now();
        let result = step();
        if let Err(failure) = &result {
            eprintln!("    {failure}");
        }
        self.done.push((name.to_owned(), start.elapsed(), result.is_ok()));
        result
    }

    /// Prints the steps that were run.
    pub(crate) fn report(&self) {
        eprintln!();
        for (name, time, passed) in &self.done {
            let word = if *passed { "ok" } else { "FAILED" };
            eprintln!("{:>8.1} s  {word:<6}  {name}", time.as_secs_f64());
        }
    }
}
