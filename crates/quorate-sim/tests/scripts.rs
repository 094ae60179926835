//! Plays the scripts and compares what came of them. `cargo xtask test --bless` writes it into the files
//! instead.

use quorate_sim::script;
use std::path::{Path, PathBuf};

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn every_script_comes_out_as_written_and_breaks_no_rule() {
    for file in scripts() {
        let text = std::fs::read_to_string(&file).unwrap();
        let played = script::play(&text, None).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &played.text).unwrap();
        } else {
            assert_eq!(
                played.text,
                text,
                "{} comes out otherwise: run cargo xtask test --bless and look at what changed",
                file.display()
            );
        }
        assert_eq!(played.violation, None, "{}", file.display());
    }
}

#[test]
fn a_script_that_names_a_rule_ends_badly_without_it() {
    let mut named = 0;
    for file in scripts() {
        let text = std::fs::read_to_string(&file).unwrap();
        let Some(rule) = script::play(&text, None).unwrap().broken_by else { continue };
        let broken = script::play(&text, Some(rule)).unwrap();
        assert!(
            broken.violation.is_some(),
            "{} does not need {}:\n{}",
            file.display(),
            rule.name(),
            broken.text
        );
        named += 1;
    }
    assert!(named >= 12, "stories that end badly without a rule");
}
