use super::TextFile;

/// Lines of a Rust file beyond which it wants a reason.
const RUST_LINES_MAX: usize = 600;
/// Lines of README.md.
const README_LINES_MAX: usize = 150;

/// Longer Rust files, and why. A file that has become shorter comes off the list.
const LONG_FILES: &[(&str, &str)] =
    &[("crates/io/quorate-server/src/generated/v1.rs", "generated from the proto file")];

/// What marks unfinished work. In halves, so that this file passes its own check.
const MARKERS: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("dbg", "!("),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

/// What the product does not speak of: other systems that it resembles, and papers that its readers do not
/// have.
const FOREIGN: [&str; 9] = [
    concat!("no", "xu"),
    concat!("ru", "vector"),
    concat!("/wo", "rk/"),
    concat!("/tmp/", "brief"),
    concat!("design", ".md"),
    concat!("scenarios", ".md"),
    concat!("hazards", ".md"),
    concat!("targets", ".md"),
    concat!("counter", "examples.txt"),
];

/// What a test waits with when it does not wait for anything. In halves, as above.
const SLEEPS: [&str; 2] = [concat!("thread::", "sleep"), concat!("time::", "sleep")];

/// Checks each file by itself.
pub(super) fn check(files: &[TextFile]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files {
        check_length(file, &mut violations);
        check_words(file, &mut violations);
        check_sleeps(file, &mut violations);
    }
    violations
}

fn check_length(file: &TextFile, violations: &mut Vec<String>) {
    let path = &file.path;
    let lines = file.text.lines().count();
    let listed = LONG_FILES.iter().any(|(listed, _)| listed == path);
    if path == "README.md" && lines > README_LINES_MAX {
        violations.push(format!(
            "{path} has {lines} lines, the limit is {README_LINES_MAX}: move details to docs/"
        ));
    }
    if !path.ends_with(".rs") {
        return;
    }
    if lines > RUST_LINES_MAX && !listed {
        violations.push(format!("{path} has {lines} lines, the limit is {RUST_LINES_MAX}: split it by type"));
    }
    if lines <= RUST_LINES_MAX && listed {
        violations
            .push(format!("{path} is short enough now: take it off the list in xtask/src/tidy/text.rs"));
    }
}

fn check_words(file: &TextFile, violations: &mut Vec<String>) {
    for (number, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, number + 1);
        for marker in MARKERS.iter().filter(|marker| has_word(line, marker)) {
            violations.push(format!("{place}: {marker} marks unfinished work: finish it or file it"));
        }
        let line = line.to_lowercase();
        for word in FOREIGN.iter().filter(|word| line.contains(*word)) {
            violations.push(format!("{place}: {word:?} is not for readers of this repository"));
        }
    }
}

/// Whether `word` occurs in `line` and is not the middle or end of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let open_end = word.ends_with('(');
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_letter) && (open_end || !after.is_some_and(is_letter))
    })
}

fn check_sleeps(file: &TextFile, violations: &mut Vec<String>) {
    if !file.path.ends_with(".rs") {
        return;
    }
    let mut in_tests = file.path.contains("/tests/");
    for (number, line) in file.text.lines().enumerate() {
        in_tests |= line.trim() == "#[cfg(test)]";
        if in_tests && SLEEPS.iter().any(|sleep| line.contains(sleep)) {
            violations.push(format!(
                "{}:{}: a test sleeps: wait for the event itself, with a deadline",
                file.path,
                number + 1
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        check(&[file(path, text)])
    }

    #[test]
    fn a_rust_file_of_more_than_600_lines_is_named_unless_it_is_listed() {
        assert_eq!(complaints("a/src/lib.rs", &"\n".repeat(600)), [""; 0]);
        assert!(complaints("a/src/lib.rs", &"\n".repeat(601))[0].contains("601 lines"));
        assert_eq!(complaints(LONG_FILES[0].0, &"\n".repeat(601)), [""; 0]);
    }

    #[test]
    fn a_listed_file_that_has_become_short_comes_off_the_list() {
        assert!(complaints(LONG_FILES[0].0, "//! Short.")[0].contains("take it off the list"));
    }

    #[test]
    fn a_readme_of_more_than_150_lines_is_named() {
        assert_eq!(complaints("README.md", &"\n".repeat(150)), [""; 0]);
        assert_eq!(complaints("README.md", &"\n".repeat(151)).len(), 1);
    }

    #[test]
    fn markers_of_unfinished_work_are_named_with_their_line() {
        for marker in MARKERS {
            let found = complaints("docs/a.md", &format!("fine\nhere: {marker} later"));
            assert_eq!(found.len(), 1, "{marker}");
            assert!(found[0].starts_with("docs/a.md:2: "), "{found:?}");
        }
    }

    #[test]
    fn a_marker_within_a_longer_word_is_none() {
        assert_eq!(complaints("a.rs", concat!("let MAST", "TODO_LIST = 1; // TODOS")), [""; 0]);
    }

    #[test]
    fn foreign_words_are_found_in_any_case() {
        for word in FOREIGN {
            assert_eq!(complaints("a.md", &format!("see {}", word.to_uppercase())).len(), 1, "{word}");
        }
    }

    #[test]
    fn a_sleep_is_refused_in_tests_and_allowed_outside() {
        let sleep = format!("std::{}(pause);", SLEEPS[0]);
        assert_eq!(complaints("a/src/lib.rs", &sleep), [""; 0]);
        assert_eq!(complaints("a/tests/b.rs", &sleep).len(), 1);
        assert_eq!(
            complaints("a/src/lib.rs", &format!("{sleep}\n#[cfg(test)]\nmod tests {{\n{sleep}\n}}")).len(),
            1
        );
    }
}
