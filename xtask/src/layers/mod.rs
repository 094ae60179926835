//! Which crate sees which: read from cargo, judged by [`rules`].

mod graph;
mod rules;

use crate::failure::Failure;
use crate::metadata;
use graph::Graph;
use std::fs;
use std::path::Path;

/// Checks the workspace, or what `cargo metadata --no-deps` has written to a file.
pub(crate) fn run(root: &Path, file: Option<&Path>) -> Result<(), Failure> {
    let packages = match file {
        Some(file) => metadata::parse(&fs::read(file).map_err(Failure::file(file))?)?,
        None => metadata::workspace(root)?,
    };
    let graph = Graph::read(root, &packages)?;
    let violations: Vec<String> = rules::check(&graph).iter().map(ToString::to_string).collect();
    Failure::unless_empty("layers", &violations)
}
