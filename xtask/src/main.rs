//! CI and release tasks of the workspace: `cargo xtask help` lists them.
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod codegen;
mod commands;
mod examples;
mod failure;
mod layers;
mod licence;
mod metadata;
mod process;
mod programs;
mod release;
mod steps;
mod suite;
mod supply;
mod tidy;

use clap::{Args, Parser, Subcommand};
use failure::Failure;
use process::cargo;
use programs::Programs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use steps::Steps;

/// CI and release tasks. Each prints the time of its steps and fails with a sentence that says what failed.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that a change must pass.
    Ci(CiOptions),
    /// The whole test suite, documentation tests included.
    Test {
        /// Runs the simulator's scripts only, and writes into them what comes of them.
        #[arg(long)]
        bless: bool,
    },
    /// Formats the Rust code.
    Fmt {
        /// Changes nothing; fails where something is not formatted.
        #[arg(long)]
        check: bool,
    },
    /// Clippy on everything, warnings denied.
    Lint,
    /// Checks which crate sees which.
    Layers {
        /// Checks what `cargo metadata --no-deps` has written to this file instead of the workspace as it is.
        #[arg(long, value_name = "FILE")]
        metadata: Option<PathBuf>,
    },
    /// Checks sizes, words, links and pairings of files.
    Tidy,
    /// Checks licences, sources and banned crates of all dependencies against deny.toml.
    Deny,
    /// Builds the documentation, warnings denied.
    Docs {
        /// Runs the commands that the README and the pages in docs show, instead.
        #[arg(long)]
        run: bool,
        /// Runs those of this page only.
        #[arg(long = "in", value_name = "PAGE", requires = "run")]
        pages: Vec<PathBuf>,
    },
    /// Runs every example to its end.
    Examples,
    /// Publishing.
    Release {
        /// Prints the order in which the crates are published and lets cargo check each; nothing is uploaded.
        #[arg(long, required = true)]
        dry_run: bool,
    },
    /// Generates the gRPC code from its proto files, and the page of settings from the program.
    Codegen {
        /// Changes nothing; fails if what is there is not what would be generated.
        #[arg(long)]
        check: bool,
    },
    /// Counts the instructions of the hot paths, by callgrind, beside the committed figures.
    Bench {
        #[command(flatten)]
        purpose: BenchPurpose,
    },
    /// Plants one mistake after the other, and says how many seeds the simulator needs to notice each.
    Mutants {
        /// Handed on as they are: `--seeds-max N`, `--starts N`, `--rule NAME`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs the simulator with these arguments: `--seeds N [--from S]`, or `--seed S --trace`.
    Sim {
        /// Handed to the simulator as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Turns a node's storage off at every operation: `crash [--points N] [--seed S]`.
    Sweep {
        /// Handed to the sweep as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Breaks a group of real node processes with these arguments: `--minutes N [--nodes 3] [--seed S]`.
    Chaos {
        /// Handed on as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Visits every state of a small group: `[--nodes N] [--rounds N] [--writes N] [--crashes N]`.
    Model {
        /// Handed to the search as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Gives invented bytes to every decoder: `[TARGET] --seconds N [--seed S]`, or `--list`.
    Fuzz {
        /// Handed to the fuzzer as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// What `bench` does with the counts.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct BenchPurpose {
    /// Fails if anything takes over 5 % more than its figure.
    #[arg(long)]
    check: bool,
    /// Writes the counts down as the figures.
    #[arg(long)]
    bless: bool,
}

/// What `ci` runs.
#[derive(Args)]
struct CiOptions {
    /// Leaves out the test suite, for a caller that runs `cargo xtask test` itself.
    #[arg(long)]
    without_test: bool,
    /// How many seeds the simulator runs.
    #[arg(long, value_name = "N", env = "QUORATE_SIM_SEEDS", default_value_t = 50)]
    sim_seeds: u64,
}

fn main() -> ExitCode {
    let mut steps = Steps::new();
    match run(Arguments::parse().task, &mut steps) {
        Ok(()) => {
            steps.report();
            ExitCode::SUCCESS
        }
        Err(_) => {
            steps.report();
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task, steps: &mut Steps) -> Result<(), Failure> {
    let root = workspace_root();
    match task {
        Task::Ci(options) => ci::run(&root, &options, steps),
        Task::Test { bless: false } => suite::run(&root, steps),
        Task::Test { bless: true } => steps.run("bless", || suite::bless(&root)),
        Task::Fmt { check } => steps.run("fmt", || format_code(&root, check)),
        Task::Lint => steps.run("lint", || lint(&root)),
        Task::Layers { metadata } => steps.run("layers", || layers::run(&root, metadata.as_deref())),
        Task::Tidy => steps.run("tidy", || tidy::run(&root)),
        Task::Deny => steps.run("deny", || supply::run(&root)),
        Task::Docs { run: false, .. } => steps.run("docs", || document(&root)),
        Task::Docs { run: true, pages } => {
            steps.run("documented commands", || commands::run(&root, &pages, Programs::OnDemand))
        }
        Task::Examples => steps.run("examples", || examples::run(&root, Programs::OnDemand)),
        Task::Release { .. } => steps.run("release", || release::rehearse(&root)),
        Task::Codegen { check } => steps.run("codegen", || codegen::run(&root, check, Programs::OnDemand)),
        Task::Bench { purpose } => {
            let purpose = if purpose.bless { bench::Purpose::Bless } else { bench::Purpose::Check };
            steps.run("instruction counts", || bench::run(&root, purpose))
        }
        Task::Mutants { arguments } => steps.run("mutants", || hunt_mutants(&root, &arguments)),
        Task::Sim { arguments } => steps.run("sim", || simulate(&root, &arguments, Programs::OnDemand)),
        Task::Sweep { arguments } => steps.run("sweep", || sweep(&root, &arguments)),
        Task::Chaos { arguments } => {
            steps.run("chaos", || break_processes(&root, &arguments, Programs::OnDemand))
        }
        Task::Model { arguments } => steps.run("model", || search_model(&root, &arguments)),
        Task::Fuzz { arguments } => steps.run("fuzz", || fuzz(&root, &arguments)),
    }
}

/// The workspace in which cargo runs this program, or the one in which it was built.
fn workspace_root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = PathBuf::from(manifest);
    manifest.parent().map_or_else(|| manifest.clone(), Path::to_path_buf)
}

fn format_code(root: &Path, check: bool) -> Result<(), Failure> {
    let mut command = cargo(root, &["fmt", "--all"]);
    if check {
        command.arg("--check");
    }
    process::run(&mut command)
}

fn lint(root: &Path) -> Result<(), Failure> {
    let arguments = ["clippy", "--profile", "checked", "--workspace", "--all-targets", "--all-features"];
    process::run(cargo(root, &arguments).args(["--", "-D", "warnings"]))
}

fn document(root: &Path) -> Result<(), Failure> {
    let arguments = ["doc", "--profile", "checked", "--workspace", "--all-features", "--no-deps"];
    process::run(cargo(root, &arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

fn hunt_mutants(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let mut hunt = Programs::OnDemand.command(root, "quorate-sim", "quorate-mutants")?;
    process::run(hunt.args(arguments))
}

fn simulate(root: &Path, arguments: &[String], programs: Programs) -> Result<(), Failure> {
    process::run(programs.command(root, "quorate-sim", "quorate-sim")?.args(arguments))
}

fn sweep(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    process::run(Programs::OnDemand.command(root, "quorate-sim", "quorate-sweep")?.args(arguments))
}

/// The nodes are processes of the program that lies beside the one that breaks them.
fn break_processes(root: &Path, arguments: &[String], programs: Programs) -> Result<(), Failure> {
    if programs == Programs::OnDemand {
        let node =
            ["build", "--quiet", "--profile", "checked", "--package", "quorate-server", "--bin", "quorate"];
        process::run(&mut cargo(root, &node))?;
    }
    process::run(programs.command(root, "quorate-chaos", "quorate-chaos")?.args(arguments))
}

fn fuzz(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    process::run(Programs::OnDemand.command(root, "quorate-fuzz", "quorate-fuzz")?.args(arguments))
}

fn search_model(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    process::run(Programs::OnDemand.command(root, "quorate-model", "quorate-model")?.args(arguments))
}
