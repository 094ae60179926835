use crate::failure::Failure;
use crate::process::{self, cargo};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// When a dependency is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DependencyKind {
    Normal,
    Build,
    Development,
}

/// What a manifest says of one dependency, under the name of the package, whatever it is renamed to.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: DependencyKind,
    /// A version is required, not a path alone.
    pub(crate) has_version: bool,
    /// Which of its features are asked for, besides the default ones.
    pub(crate) features: Vec<String>,
}

/// What is built from a package.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kinds: Vec<String>,
    pub(crate) root_file: PathBuf,
}

impl Target {
    /// Whether this is the package's library.
    pub(crate) fn is_library(&self) -> bool {
        self.kinds.iter().any(|kind| kind.ends_with("lib") || kind == "proc-macro")
    }

    pub(crate) fn is_example(&self) -> bool {
        self.kinds.iter().any(|kind| kind == "example")
    }

    /// Whether users get this: a library or a program, not a test, bench or example.
    pub(crate) fn is_product(&self) -> bool {
        self.is_library() || self.kinds.iter().any(|kind| kind == "bin")
    }
}

/// One package, as `cargo metadata` tells it.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    pub(crate) description: Option<String>,
    /// Where it came from; `None` for the workspace's own.
    pub(crate) source: Option<String>,
    pub(crate) folder: PathBuf,
    /// It may be published to a registry.
    pub(crate) is_published: bool,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// The packages of the workspace.
pub(crate) fn workspace(root: &Path) -> Result<Vec<Package>, Failure> {
    let mut command = cargo(root, &["metadata", "--format-version", "1", "--no-deps"]);
    parse(&process::output(&mut command)?)
}

/// The packages of the workspace and all that they depend on, for every platform and feature.
pub(crate) fn all(root: &Path) -> Result<Vec<Package>, Failure> {
    let mut command = cargo(root, &["metadata", "--format-version", "1", "--all-features"]);
    parse(&process::output(&mut command)?)
}

/// Where cargo builds.
pub(crate) fn target_directory(root: &Path) -> Result<PathBuf, Failure> {
    let mut command = cargo(root, &["metadata", "--format-version", "1", "--no-deps"]);
    let document: Value = serde_json::from_slice(&process::output(&mut command)?).map_err(bad)?;
    text(&document, "target_directory").map(PathBuf::from).map_err(bad)
}

/// Understands what `cargo metadata` prints.
pub(crate) fn parse(json: &[u8]) -> Result<Vec<Package>, Failure> {
    let document: Value = serde_json::from_slice(json).map_err(bad)?;
    let packages = document["packages"].as_array().ok_or_else(|| bad("there are no packages"))?;
    packages.iter().map(|package| read_package(package).map_err(bad)).collect()
}

fn bad(detail: impl ToString) -> Failure {
    Failure::Format { file: "the output of cargo metadata".to_owned(), detail: detail.to_string() }
}

fn read_package(package: &Value) -> Result<Package, String> {
    let manifest = PathBuf::from(text(package, "manifest_path")?);
    let list = |field: &str| package[field].as_array().ok_or_else(|| format!("a package has no {field}"));
    Ok(Package {
        name: text(package, "name")?,
        version: text(package, "version")?,
        licence: text(package, "license").ok(),
        description: text(package, "description").ok(),
        source: text(package, "source").ok(),
        folder: manifest.parent().unwrap_or(Path::new("")).to_path_buf(),
        is_published: package["publish"].is_null(),
        dependencies: list("dependencies")?.iter().map(read_dependency).collect::<Result<_, _>>()?,
        targets: list("targets")?.iter().map(read_target).collect::<Result<_, _>>()?,
    })
}

fn read_dependency(dependency: &Value) -> Result<Dependency, String> {
    let kind = match dependency["kind"].as_str() {
        None => DependencyKind::Normal,
        Some("build") => DependencyKind::Build,
        Some("dev") => DependencyKind::Development,
        Some(other) => return Err(format!("a dependency is of the unknown kind {other:?}")),
    };
    let has_version = dependency["req"].as_str().is_some_and(|version| version != "*");
    let features = dependency["features"].as_array().into_iter().flatten();
    let features = features.filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(Dependency { name: text(dependency, "name")?, kind, has_version, features })
}

fn read_target(target: &Value) -> Result<Target, String> {
    let kinds = target["kind"].as_array().ok_or("a target has no kind")?;
    let kinds = kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(Target { name: text(target, "name")?, kinds, root_file: PathBuf::from(text(target, "src_path")?) })
}

fn text(value: &Value, field: &str) -> Result<String, String> {
    value[field].as_str().map(str::to_owned).ok_or_else(|| format!("a text is missing: {field}"))
}
