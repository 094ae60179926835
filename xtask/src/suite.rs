//! The test suite: with nextest where it is installed, with cargo alone on any other machine.

use crate::failure::Failure;
use crate::process::{self, cargo, has_subcommand};
use crate::steps::Steps;
use std::path::Path;

/// What `cargo test` builds besides documentation tests; benchmarks are left out.
const TARGETS: [&str; 4] = ["--lib", "--bins", "--tests", "--examples"];

/// Runs the documentation tests, then all others, so that the runner's summary comes last.
pub(crate) fn run(root: &Path, steps: &mut Steps) -> Result<(), Failure> {
    let mut documented = Tally::default();
    let arguments = ["test", "--profile", "checked", "--workspace", "--doc"];
    steps.run("documentation tests", || {
        process::run_reading(&mut cargo(root, &arguments), |line| documented.read(line))
    })?;
    println!("documentation: {documented}");
    if has_subcommand(root, "nextest") {
        let arguments = ["nextest", "run", "--cargo-profile", "checked", "--workspace", "--no-fail-fast"];
        return steps.run("tests", || process::run(&mut cargo(root, &arguments)));
    }
    steps.run("tests", || run_with_cargo(root))
}

/// Plays the simulator's scripts, and writes into them what comes of them.
pub(crate) fn bless(root: &Path) -> Result<(), Failure> {
    let arguments = ["test", "--profile", "checked", "--package", "quorate-sim", "--test", "scripts"];
    process::run(cargo(root, &arguments).env("BLESS", "1"))
}

fn run_with_cargo(root: &Path) -> Result<(), Failure> {
    let mut tally = Tally::default();
    let mut command = cargo(root, &["test", "--profile", "checked", "--workspace", "--no-fail-fast"]);
    let result = process::run_reading(command.args(TARGETS), |line| tally.read(line));
    println!("\n{tally}");
    result
}

/// What many runs of the built-in test harness add up to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Tally {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`; any other line adds
    /// nothing.
    fn read(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split("; ") {
            let Some((number, word)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_test_programs_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            tally.read(line);
        }
        assert_eq!(tally, Tally { passed: 4, failed: 2, ignored: 1 });
        assert_eq!(tally.to_string(), "4 passed, 2 failed, 1 skipped");
    }
}
