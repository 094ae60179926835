//! Everything that a change must pass, the quick and telling steps first.

use crate::failure::Failure;
use crate::process::{self, cargo};
use crate::programs::Programs;
use crate::steps::Steps;
use crate::{
    CiOptions, bench, break_processes, codegen, commands, document, examples, format_code, layers, lint,
    metadata, simulate,
};
use crate::{suite, supply, tidy};
use std::path::Path;

/// Runs the quick checks, all of them, then the slow steps up to the first that fails. The test suite comes
/// last, so that its summary closes the output.
pub(crate) fn run(root: &Path, options: &CiOptions, steps: &mut Steps) -> Result<(), Failure> {
    let quick = [
        steps.run("fmt", || format_code(root, true)),
        steps.run("tidy", || tidy::run(root)),
        steps.run("layers", || layers::run(root, None)),
        steps.run("deny", || supply::run(root)),
    ];
    quick.into_iter().collect::<Result<(), _>>()?;
    steps.run("lint", || lint(root))?;
    steps.run("build", || Programs::build(root))?;
    let programs = Programs::Built;
    steps.run("codegen", || codegen::run(root, true, programs))?;
    steps.run("crates alone", || check_alone(root))?;
    steps.run("docs", || document(root))?;
    steps.run("examples", || examples::run(root, programs))?;
    steps.run("documented commands", || commands::run(root, &commands::pages(root)?, programs))?;
    let seeds = options.sim_seeds.to_string();
    steps.run("sim", || simulate(root, &["--seeds".to_owned(), seeds], programs))?;
    steps.run("instruction counts", || bench::run(root, bench::Purpose::Check))?;
    let chaos = ["--nodes", "3", "--minutes", "2"].map(str::to_owned);
    steps.run("chaos", || break_processes(root, &chaos, programs))?;
    if options.without_test { Ok(()) } else { suite::run(root, steps) }
}

/// Checks each published crate by itself, with its default features and with none, so that no other crate of
/// the workspace lends it one.
fn check_alone(root: &Path) -> Result<(), Failure> {
    for package in metadata::workspace(root)?.iter().filter(|package| package.is_published) {
        let arguments = ["check", "--quiet", "--profile", "checked", "--package", &package.name];
        process::run(&mut cargo(root, &arguments))?;
        process::run(cargo(root, &arguments).arg("--no-default-features"))?;
    }
    Ok(())
}
