//! How a task comes by the programs of the workspace.

use crate::failure::Failure;
use crate::metadata;
use crate::process::{self, cargo};
use std::path::Path;
use std::process::Command;

/// Whether the programs of the workspace have been built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Programs {
    /// Each is built by itself when it is needed, which is quick.
    OnDemand,
    /// They have been built together with everything else. Built by itself a program would be compiled once
    /// more, with the features of its own dependencies only.
    Built,
}

impl Programs {
    /// Builds everything that the tests, the examples and the other tasks run.
    pub(crate) fn build(root: &Path) -> Result<(), Failure> {
        let arguments = ["build", "--profile", "checked", "--workspace", "--bins", "--examples", "--tests"];
        process::run(&mut cargo(root, &arguments))
    }

    /// The command that runs the program `name` of `package`; what follows are its arguments.
    pub(crate) fn command(self, root: &Path, package: &str, name: &str) -> Result<Command, Failure> {
        match self {
            Self::OnDemand => {
                let run =
                    ["run", "--quiet", "--profile", "checked", "--package", package, "--bin", name, "--"];
                Ok(cargo(root, &run))
            }
            Self::Built => {
                let mut command = Command::new(metadata::target_directory(root)?.join("checked").join(name));
                command.current_dir(root);
                Ok(command)
            }
        }
    }
}
