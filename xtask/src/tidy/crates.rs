use crate::failure::Failure;
use crate::metadata::{Dependency, Package};
use std::fs;

/// Crates that may hold unsafe code, and what for.
const UNSAFE: &[(&str, &str)] = &[
    ("quorate-codec", "the processor's instruction for checksums"),
    ("quorate-log", "sealed segments and their index are mapped into memory"),
    ("quorate-server", "the program tells the allocator of glibc how to keep memory down"),
];

/// The feature behind which mistakes are planted.
const MUTATIONS: &str = "mutations";

/// Checks what each crate says of itself.
pub(super) fn check(packages: &[Package]) -> Result<Vec<String>, Failure> {
    let mut violations = Vec::new();
    for package in packages {
        check_manifest(package, &mut violations);
        for target in package.targets.iter().filter(|target| target.is_product()) {
            let source = fs::read_to_string(&target.root_file).map_err(Failure::file(&target.root_file))?;
            check_unsafe(&package.name, &target.root_file.to_string_lossy(), &source, &mut violations);
        }
    }
    Ok(violations)
}

fn check_manifest(package: &Package, violations: &mut Vec<String>) {
    let name = &package.name;
    if package.description.as_deref().is_none_or(str::is_empty) {
        violations.push(format!("{name} has no description in its Cargo.toml"));
    }
    if package.licence.as_deref() != Some("MIT OR Apache-2.0") {
        violations.push(format!("{name} is not under \"MIT OR Apache-2.0\" in its Cargo.toml"));
    }
    let asks = |dependency: &&Dependency| dependency.features.iter().any(|feature| feature == MUTATIONS);
    for dependency in package.dependencies.iter().filter(asks).filter(|_| package.is_published) {
        violations.push(format!(
            "{name} is published and asks for the planted mistakes of {}: only the simulator may",
            dependency.name
        ));
    }
}

fn check_unsafe(name: &str, path: &str, source: &str, violations: &mut Vec<String>) {
    let forbids = source.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]");
    let listed = UNSAFE.iter().any(|(listed, _)| *listed == name);
    if !forbids && !listed {
        violations.push(format!("{path} lacks #![forbid(unsafe_code)]"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::DependencyKind;

    fn package(description: Option<&str>, licence: Option<&str>) -> Package {
        Package {
            name: "quorate-core".to_owned(),
            version: "0.1.0".to_owned(),
            licence: licence.map(str::to_owned),
            description: description.map(str::to_owned),
            source: None,
            folder: "crates/pure/quorate-core".into(),
            is_published: true,
            dependencies: Vec::new(),
            targets: Vec::new(),
        }
    }

    #[test]
    fn a_crate_without_description_or_licence_is_named() {
        let licence = Some("MIT OR Apache-2.0");
        for (package, count) in [
            (package(Some("Words"), licence), 0),
            (package(None, licence), 1),
            (package(Some("Words"), None), 1),
        ] {
            let mut violations = Vec::new();
            check_manifest(&package, &mut violations);
            assert_eq!(violations.len(), count, "{violations:?}");
        }
    }

    #[test]
    fn a_published_crate_that_asks_for_planted_mistakes_is_named() {
        for (is_published, count) in [(true, 1), (false, 0)] {
            let dependency = Dependency {
                name: "quorate-log".to_owned(),
                kind: DependencyKind::Development,
                has_version: true,
                features: vec!["mutations".to_owned()],
            };
            let described = package(Some("Words"), Some("MIT OR Apache-2.0"));
            let package = Package { is_published, dependencies: vec![dependency], ..described };
            let mut violations = Vec::new();
            check_manifest(&package, &mut violations);
            assert_eq!(violations.len(), count, "{violations:?}");
        }
    }

    #[test]
    fn a_crate_that_does_not_forbid_unsafe_code_is_named_unless_it_is_listed() {
        for (name, source, count) in [
            ("quorate-core", "#![no_std]\n#![forbid(unsafe_code)]\n", 0),
            ("quorate-core", "#![no_std]\n", 1),
            ("quorate-log", "", 0),
        ] {
            let mut violations = Vec::new();
            check_unsafe(name, "src/lib.rs", source, &mut violations);
            assert_eq!(violations.len(), count, "{name}: {source:?}");
        }
    }
}
