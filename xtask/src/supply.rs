//! What is depended on: the lists of deny.toml, checked here on every machine and by cargo-deny where it is
//! installed.

use crate::failure::Failure;
use crate::licence;
use crate::metadata::{self, Package};
use crate::process::{self, cargo, has_subcommand};
use std::fs;
use std::path::Path;
use toml::{Table, Value};

/// Checks all dependencies, for every platform and feature.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let file = root.join("deny.toml");
    let policy = Policy::parse(&fs::read_to_string(&file).map_err(Failure::file(&file))?)?;
    Failure::unless_empty("deny", &policy.check(&metadata::all(root)?))?;
    if !has_subcommand(root, "deny") {
        return Ok(());
    }
    process::run(&mut cargo(root, &["deny", "--offline", "check", "bans", "licenses", "sources"]))
}

/// What deny.toml says, as far as this program checks it.
struct Policy {
    /// Name and reason.
    banned: Vec<(String, String)>,
    licences: Vec<String>,
    registries: Vec<String>,
}

impl Policy {
    fn parse(text: &str) -> Result<Self, Failure> {
        let bad = |detail: String| Failure::Format { file: "deny.toml".to_owned(), detail };
        let table: Table = text.parse().map_err(|error: toml::de::Error| bad(error.to_string()))?;
        let banned = list(&table, "bans", "deny").map_err(bad)?.iter().map(|ban| {
            let field = |name| ban.get(name).and_then(Value::as_str).map(str::to_owned);
            field("crate")
                .zip(field("reason"))
                .ok_or_else(|| bad("a ban lacks its crate or its reason".to_owned()))
        });
        Ok(Self {
            banned: banned.collect::<Result<_, _>>()?,
            licences: texts(list(&table, "licenses", "allow").map_err(bad)?),
            registries: texts(list(&table, "sources", "allow-registry").map_err(bad)?),
        })
    }

    fn check(&self, packages: &[Package]) -> Vec<String> {
        packages.iter().filter_map(|package| self.judge(package)).collect()
    }

    fn judge(&self, package: &Package) -> Option<String> {
        let name = format!("{} {}", package.name, package.version);
        if let Some((_, reason)) = self.banned.iter().find(|(banned, _)| *banned == package.name) {
            return Some(format!("{name} is banned: {reason}"));
        }
        let source = package.source.as_deref()?;
        if !self.registries.iter().any(|registry| source.strip_prefix("registry+") == Some(registry)) {
            return Some(format!("{name} comes from {source}, which deny.toml does not allow"));
        }
        let expression = package.licence.as_deref().unwrap_or_default();
        if licence::is_allowed(expression, &self.licences) {
            return None;
        }
        Some(format!("{name} is under {expression:?}, which deny.toml does not allow"))
    }
}

fn list<'a>(table: &'a Table, section: &str, key: &str) -> Result<&'a [Value], String> {
    let found = table.get(section).and_then(|section| section.get(key)).and_then(Value::as_array);
    found.map(Vec::as_slice).ok_or_else(|| format!("[{section}] has no list `{key}`"))
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "registry+https://example.org/index";

    fn complaints(name: &str, licence: &str, source: Option<&str>) -> Vec<String> {
        let policy = Policy::parse(
            "[bans]\ndeny = [{ crate = \"openssl\", reason = \"use rustls\" }]\n\
             [licenses]\nallow = [\"MIT\"]\n\
             [sources]\nallow-registry = [\"https://example.org/index\"]\n",
        );
        policy.unwrap().check(&[Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: Some(licence.to_owned()),
            description: None,
            source: source.map(str::to_owned),
            folder: "x".into(),
            is_published: true,
            dependencies: Vec::new(),
            targets: Vec::new(),
        }])
    }

    #[test]
    fn an_allowed_crate_from_an_allowed_registry_passes() {
        assert_eq!(complaints("bytes", "MIT", Some(INDEX)), [""; 0]);
    }

    #[test]
    fn a_banned_crate_is_named_with_the_reason() {
        assert_eq!(complaints("openssl", "MIT", Some(INDEX)), ["openssl 1.0.0 is banned: use rustls"]);
    }

    #[test]
    fn a_licence_that_is_not_allowed_is_named() {
        assert!(complaints("bytes", "GPL-3.0", Some(INDEX))[0].contains("is under \"GPL-3.0\""));
    }

    #[test]
    fn a_crate_from_elsewhere_is_named() {
        assert!(
            complaints("bytes", "MIT", Some("git+https://example.org/bytes"))[0].contains("comes from git+")
        );
    }

    #[test]
    fn a_policy_without_its_lists_is_refused() {
        assert!(Policy::parse("[bans]\n").is_err());
    }
}
