use crate::failure::Failure;
use crate::metadata::{DependencyKind, Package};
use std::fs;
use std::path::Path;

/// Which folder a crate lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// `crates/pure/`
    Pure,
    /// `crates/io/`
    Io,
    /// Any other folder.
    Top,
}

/// One crate of the workspace, as far as the rules look at it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) home: Home,
    /// Whether its library begins with `#![no_std]`; true for a crate without one.
    pub(crate) no_std: bool,
    /// Whether its library links std for more than its tests and conformance suites.
    pub(crate) links_std: bool,
    /// What it depends on directly, inside the workspace or outside.
    pub(crate) edges: Vec<Edge>,
}

/// One direct dependency.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) to: String,
    pub(crate) kind: DependencyKind,
}

/// The crates of the workspace and what they depend on.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) crates: Vec<Node>,
}

impl Graph {
    /// Reads the packages' libraries and puts the graph together.
    pub(crate) fn read(root: &Path, packages: &[Package]) -> Result<Self, Failure> {
        let crates = packages.iter().map(|package| read_node(root, package)).collect::<Result<_, _>>()?;
        Ok(Self { crates })
    }
}

fn read_node(root: &Path, package: &Package) -> Result<Node, Failure> {
    let library = package.targets.iter().find(|target| target.is_library());
    let source = match library {
        Some(library) => fs::read_to_string(&library.root_file).map_err(Failure::file(&library.root_file))?,
        None => "#![no_std]".to_owned(),
    };
    let edge = |to: &crate::metadata::Dependency| Edge { to: to.name.clone(), kind: to.kind };
    Ok(Node {
        name: package.name.clone(),
        home: home(root, &package.folder),
        no_std: source.lines().any(|line| line.trim() == "#![no_std]"),
        links_std: links_std(&source),
        edges: package.dependencies.iter().map(edge).collect(),
    })
}

fn home(root: &Path, folder: &Path) -> Home {
    if folder.starts_with(root.join("crates/pure")) {
        Home::Pure
    } else if folder.starts_with(root.join("crates/io")) {
        Home::Io
    } else {
        Home::Top
    }
}

/// Whether std is linked without a condition on tests or on the conformance suites in the line above.
fn links_std(source: &str) -> bool {
    let allowed = ["#[cfg(test)]", "#[cfg(feature = \"conformance\")]"];
    let allowed_both = "#[cfg(any(test, feature = \"conformance\"))]";
    let mut above = "";
    for line in source.lines().map(str::trim) {
        if line.starts_with("extern crate std") && !allowed.contains(&above) && above != allowed_both {
            return true;
        }
        above = line;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn std_for_tests_or_conformance_suites_is_not_a_link_to_std() {
        assert!(!links_std("#![no_std]\nextern crate alloc;\n#[cfg(test)]\nextern crate std;"));
        assert!(!links_std("#[cfg(any(test, feature = \"conformance\"))]\nextern crate std;"));
    }

    #[test]
    fn std_without_a_condition_or_under_another_feature_is_a_link_to_std() {
        assert!(links_std("#![no_std]\nextern crate std;"));
        assert!(links_std("#[cfg(feature = \"fast\")]\nextern crate std;"));
    }

    #[test]
    fn a_crates_home_is_its_folder() {
        let root = Path::new("/w");
        assert_eq!(home(root, Path::new("/w/crates/pure/quorate-core")), Home::Pure);
        assert_eq!(home(root, Path::new("/w/crates/io/quorate-log")), Home::Io);
        assert_eq!(home(root, Path::new("/w/crates/quorate")), Home::Top);
        assert_eq!(home(root, Path::new("/w/crates/pure-luck")), Home::Top);
    }
}
