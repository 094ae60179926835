//! Publishing: in which order, and whether cargo would take what is published.

use crate::failure::Failure;
use crate::metadata::{self, DependencyKind, Package};
use crate::process::{self, cargo};
use std::collections::BTreeSet;
use std::path::Path;

/// Prints the order in which the crates are published, every one behind those that it depends on, and lets
/// cargo package each and check it without uploading anything.
pub(crate) fn rehearse(root: &Path) -> Result<(), Failure> {
    let packages = metadata::workspace(root)?;
    let order = order(&packages)?;
    for (number, package) in order.iter().enumerate() {
        println!("{:>3}. {} {}", number + 1, package.name, package.version);
    }
    let mut command = cargo(root, &["publish", "--dry-run", "--no-verify", "--allow-dirty"]);
    for package in order {
        command.args(["--package", &package.name]);
    }
    process::run(&mut command)
}

/// The published packages, leaves first; those that could go at the same time in name order.
fn order(packages: &[Package]) -> Result<Vec<&Package>, Failure> {
    let mut left: Vec<&Package> = packages.iter().filter(|package| package.is_published).collect();
    left.sort_by(|one, other| one.name.cmp(&other.name));
    let published: BTreeSet<&str> = left.iter().map(|package| package.name.as_str()).collect();
    let mut order: Vec<&Package> = Vec::new();
    while !left.is_empty() {
        let done: BTreeSet<&str> = order.iter().map(|package| package.name.as_str()).collect();
        let is_free = |package: &&Package| {
            needs(package)
                .all(|name| !published.contains(name) || done.contains(name) || package.name == name)
        };
        let (free, rest): (Vec<_>, Vec<_>) = left.into_iter().partition(is_free);
        if free.is_empty() {
            let names: Vec<&str> = rest.iter().map(|package| package.name.as_str()).collect();
            let detail = format!("{} depend on each other, so none can be published first", names.join(", "));
            return Err(Failure::Format { file: "the workspace".to_owned(), detail });
        }
        order.extend(free);
        left = rest;
    }
    Ok(order)
}

/// What must be there before a package is published. Development dependencies by path are left out by cargo
/// if they name no version, and must be there if they do.
fn needs(package: &Package) -> impl Iterator<Item = &str> {
    let counts = |kind: DependencyKind, has_version: bool| kind != DependencyKind::Development || has_version;
    package
        .dependencies
        .iter()
        .filter(move |dependency| counts(dependency.kind, dependency.has_version))
        .map(|dependency| dependency.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(name: &str, needs: &[&str]) -> Package {
        let dependency = |name: &&str| Dependency {
            name: (*name).to_owned(),
            kind: DependencyKind::Normal,
            has_version: true,
            features: Vec::new(),
        };
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            licence: None,
            description: None,
            source: None,
            folder: Path::new("").to_path_buf(),
            is_published: true,
            dependencies: needs.iter().map(dependency).collect(),
            targets: Vec::new(),
        }
    }

    #[test]
    fn every_crate_comes_behind_those_that_it_depends_on() {
        let private = Package { is_published: false, ..package("sim", &["top"]) };
        let packages = [
            package("top", &["middle", "serde"]),
            package("middle", &["leaf"]),
            package("leaf", &[]),
            private,
        ];
        let names: Vec<_> = order(&packages).unwrap().iter().map(|package| package.name.clone()).collect();
        assert_eq!(names, ["leaf", "middle", "top"]);
    }

    #[test]
    fn a_circle_is_refused() {
        assert!(order(&[package("a", &["b"]), package("b", &["a"])]).is_err());
    }
}
