//! Runs the commands that the documentation shows, so that none of them is only believed to work.
//!
//! A block of commands is fenced as `sh`. All blocks of one file are one script, so that a later block may
//! use what an earlier one has started; it runs in an empty folder, with the program `quorate` on the path.
//! The README's runs in the workspace's root, where its reader stands. A block behind the line
//! `<!-- run by CI -->` is left out: the CI runs it as it is.

use crate::failure::Failure;
use crate::process::{self, cargo};
use crate::programs::Programs;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const README: &str = "README.md";
const FENCE: &str = "```";
const FENCE_OF_COMMANDS: &str = "```sh";
const RUN_BY_CI: &str = "<!-- run by CI -->";
/// What a script has started ends with it; the first command that fails ends the script.
const PROLOGUE: &str = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\nset -x\n";

/// Runs the commands in these files; in the README and all of `docs` if there are none.
pub(crate) fn run(root: &Path, files: &[PathBuf], programs: Programs) -> Result<(), Failure> {
    let files = if files.is_empty() { all_files(root)? } else { files.to_vec() };
    let path = path_with_program(root, programs)?;
    for file in files {
        let text = fs::read_to_string(root.join(&file)).map_err(Failure::file(&file))?;
        let blocks = blocks(&text);
        println!("{}: {} block(s) of commands", file.display(), blocks.len());
        if !blocks.is_empty() {
            run_script(root, &file, &blocks.concat(), &path)?;
        }
    }
    Ok(())
}

/// The README and the pages, in name order.
fn all_files(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = pages(root)?;
    files.insert(0, README.into());
    Ok(files)
}

/// The pages in the folder `docs`, in name order.
pub(crate) fn pages(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = root.join("docs");
    let mut pages = Vec::new();
    for entry in fs::read_dir(&folder).map_err(Failure::file(&folder))? {
        let name = entry.map_err(Failure::file(&folder))?.file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            pages.push(Path::new("docs").join(name));
        }
    }
    pages.sort();
    Ok(pages)
}

/// The blocks of commands in a page, each ending with a line break.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    let mut is_left_out = false;
    for line in text.lines() {
        match &mut open {
            Some(block) if line.trim() == FENCE => {
                if !is_left_out {
                    blocks.push(std::mem::take(block));
                }
                (open, is_left_out) = (None, false);
            }
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
            None if line.trim() == FENCE_OF_COMMANDS => open = Some(String::new()),
            None if line.trim() == RUN_BY_CI => is_left_out = true,
            None => is_left_out = is_left_out && line.trim().is_empty(),
        }
    }
    blocks
}

/// Builds the program and returns the path on which a shell finds it first.
fn path_with_program(root: &Path, programs: Programs) -> Result<OsString, Failure> {
    if programs == Programs::OnDemand {
        process::run(&mut cargo(root, &["build", "--profile", "checked", "--bin", "quorate"]))?;
    }
    let program = crate::metadata::target_directory(root)?.join("checked");
    let others = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(program).chain(env::split_paths(&others));
    env::join_paths(folders)
        .map_err(|error| Failure::Format { file: "the variable PATH".to_owned(), detail: error.to_string() })
}

fn run_script(root: &Path, file: &Path, script: &str, path: &OsString) -> Result<(), Failure> {
    let scratch = tempfile::tempdir().map_err(Failure::file(file))?;
    let folder = if file == Path::new(README) { root } else { scratch.path() };
    let mut shell = Command::new("bash");
    shell.current_dir(folder).env("PATH", path).args(["-c", &format!("{PROLOGUE}{script}")]);
    process::run(&mut shell).map_err(|failure| match failure {
        Failure::Command { status, .. } => {
            Failure::Command { command: format!("the commands of {}", file.display()), status }
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_commands_are_found_and_those_that_the_ci_runs_are_left_out() {
        let page = "# Page\n```sh\none\ntwo\n```\ntext\n```rust\nfn no() {}\n```\n<!-- run by CI -->\n\n```sh\nthree\n```\n\
                    <!-- run by CI -->\ntext between\n```sh\nfour\n```\n";
        assert_eq!(blocks(page), ["one\ntwo\n", "four\n"]);
    }

    #[test]
    fn a_script_whose_command_fails_is_a_failure_that_names_its_page() {
        let path = env::var_os("PATH").unwrap();
        let run = |script| run_script(Path::new("/"), Path::new("docs/page.md"), script, &path);
        assert!(run("true\n").is_ok());
        let failure = run("false\ntrue\n").unwrap_err().to_string();
        assert!(failure.contains("docs/page.md"), "{failure}");
    }
}
