//! Counts what the hot paths execute, and compares it with the figures that are committed.
//!
//! Instructions are the same on a busy machine and on an idle one, which times are not. What is counted is the work of
//! `quorate-guard`, one piece in each run of callgrind.

mod callgrind;
mod comparison;
mod figures;

use crate::failure::Failure;
use crate::metadata;
use crate::process::{self, cargo};
use callgrind::Cost;
use comparison::{Comparison, LIMIT_PERCENT};
use figures::{Figure, Figures};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PACKAGE: &str = "quorate-guard";
/// The optimized profile in which the work is built.
const PROFILE: &str = "counted";
/// The function in which, and below which, instructions are counted.
const COUNTED: &str = "--toggle-collect=quorate_guard::counted*";
const FIGURES: &str = "crates/quorate-guard/figures.txt";
/// Where under the target folder callgrind writes.
const PROFILES: &str = "instruction-counts";
const INSTALL: &str = "install it, on Debian or Ubuntu with `apt-get install valgrind`";
const BLESS: &str = "`cargo xtask bench --bless`";

/// What is done with the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// They are compared with the figures; much more than they say is a failure.
    Check,
    /// They become the figures.
    Bless,
}

/// Counts everything, and compares it with the figures or writes it down as those.
pub(crate) fn run(root: &Path, purpose: Purpose) -> Result<(), Failure> {
    check_machine()?;
    let counts = count_all(root)?;
    let file = root.join(FIGURES);
    match purpose {
        Purpose::Check => check(&fs::read_to_string(&file).map_err(Failure::file(&file))?, &counts),
        Purpose::Bless => {
            print!("{counts}");
            fs::write(&file, counts.to_string()).map_err(Failure::file(&file))
        }
    }
}

/// Prints the counts beside the figures that `text` holds, and fails if they are not within the limit.
fn check(text: &str, counts: &Figures) -> Result<(), Failure> {
    let figures = Figures::parse(text).map_err(|detail| bad(FIGURES, detail))?;
    let comparison = Comparison::new(&figures, counts);
    print!("{comparison}");
    for name in comparison.better() {
        println!("{name} takes over {LIMIT_PERCENT} % less: keep that with {BLESS}, and commit {FIGURES}");
    }
    let violations = comparison.violations();
    if !violations.is_empty() {
        println!("`callgrind_annotate target/{PROFILES}/...` shows where. If it is meant, run {BLESS}.");
    }
    Failure::unless_empty("instruction counts", &violations)
}

fn check_machine() -> Result<(), Failure> {
    if !cfg!(target_arch = "x86_64") {
        return Err(Failure::OtherMachine { check: "instruction counts", machine: "x86-64" });
    }
    let mut version = Command::new("valgrind");
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    match version.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Failure::NotInstalled { program: "valgrind", advice: INSTALL }),
    }
}

fn count_all(root: &Path) -> Result<Figures, Failure> {
    let build = ["build", "--quiet", "--profile", PROFILE, "--package", PACKAGE];
    process::run(cargo(root, &build).env_remove("RUSTFLAGS"))?;
    let target = metadata::target_directory(root)?;
    let program = target.join(PROFILE).join(PACKAGE);
    let folder = target.join(PROFILES);
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let names = text(process::output(&mut Command::new(&program))?);
    let counted = names.lines().map(|name| Ok((name.to_owned(), count(&program, name, &folder)?)));
    counted.collect::<Result<Figures, Failure>>()
}

/// Counts one piece of work: what doing it twice takes more than doing it once.
fn count(program: &Path, name: &str, folder: &Path) -> Result<Figure, Failure> {
    let (_, once) = run_counted(program, name, 1, folder)?;
    let (operations, twice) = run_counted(program, name, 2, folder)?;
    let cost = twice.checked_sub(once).ok_or_else(|| bad(name, "twice takes less than once".to_owned()))?;
    Ok(Figure::per_operation(cost, operations))
}

/// Does a piece of work under callgrind, and returns how many operations it is and what all times took. What callgrind
/// wrote stays in `folder`, for who wants to see where it goes.
fn run_counted(program: &Path, name: &str, times: u32, folder: &Path) -> Result<(u64, Cost), Failure> {
    let profile = profile(folder, name);
    let mut out_file = std::ffi::OsString::from("--callgrind-out-file=");
    out_file.push(&profile);
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no", COUNTED]);
    valgrind.arg(out_file).arg(program).args([name, &times.to_string()]);
    let output = text(process::output(&mut valgrind)?);
    let operations = output.trim().parse().ok().filter(|operations| *operations > 0);
    let operations = operations.ok_or_else(|| bad(name, format!("{output:?} is no number of operations")))?;
    let written = fs::read_to_string(&profile).map_err(Failure::file(&profile))?;
    let cost = Cost::parse(&written, PACKAGE).map_err(|detail| bad(&profile.to_string_lossy(), detail))?;
    Ok((operations, cost))
}

fn profile(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{}.callgrind", name.replace('/', "-")))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

fn bad(file: &str, detail: String) -> Failure {
    Failure::Format { file: file.to_owned(), detail }
}
