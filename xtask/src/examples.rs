//! Runs every example to its end: those of the crates, and the crates outside the workspace that show how a
//! user begins.

use crate::failure::Failure;
use crate::metadata;
use crate::process::{self, cargo};
use crate::programs::Programs;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the crates outside the workspace are.
const OUTSIDE: &str = "examples";

/// Builds and runs them all, one after the other, each in an empty folder and without input.
pub(crate) fn run(root: &Path, programs: Programs) -> Result<(), Failure> {
    if programs == Programs::OnDemand {
        process::run(&mut cargo(root, &["build", "--profile", "checked", "--workspace", "--examples"]))?;
    }
    let programs = metadata::target_directory(root)?.join("checked/examples");
    let packages = metadata::workspace(root)?;
    for package in &packages {
        for target in package.targets.iter().filter(|target| target.is_example()) {
            println!("{}: {}", package.name, target.name);
            run_alone(&mut Command::new(programs.join(&target.name)))?;
        }
    }
    for crate_folder in outside(root)? {
        println!("{}", crate_folder.display());
        let target = metadata::target_directory(root)?;
        let mut build = cargo(root, &["build", "--locked", "--profile", "checked", "--manifest-path"]);
        build.arg(crate_folder.join("Cargo.toml")).arg("--target-dir").arg(&target);
        // With the features that it asks for, the crates are compiled for it alone, and run for a second.
        for package in packages.iter().filter(|package| package.is_published) {
            build.arg("--config").arg(format!("profile.checked.package.{}.opt-level=0", package.name));
        }
        process::run(&mut build)?;
        let program = crate_folder.file_name().unwrap_or(crate_folder.as_os_str());
        run_alone(&mut Command::new(target.join("checked").join(program)))?;
    }
    Ok(())
}

fn run_alone(command: &mut Command) -> Result<(), Failure> {
    let scratch = tempfile::tempdir().map_err(Failure::file("a temporary folder"))?;
    process::run(command.current_dir(scratch.path()).stdin(Stdio::null()))
}

/// The folders of the crates outside the workspace, in name order.
pub(crate) fn outside(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = root.join(OUTSIDE);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(Failure::file(&folder))? {
        let path = entry.map_err(Failure::file(&folder))?.path();
        if path.join("Cargo.toml").is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
