use super::{TextFile, find};

/// The file of all messages between nodes, and the page that explains them.
const MESSAGES: &str = "crates/pure/quorate-replica/src/messages.rs";
const PROTOCOL: &str = "docs/protocol.md";
/// Where newcomers and the CI learn how to run the tests.
const TEST_COMMAND: &str = "cargo xtask test";
const TEST_COMMAND_PLACES: [&str; 2] = ["README.md", ".ci/run"];

/// Checks files that must say the same.
pub(super) fn check(files: &[TextFile]) -> Vec<String> {
    let mut violations = Vec::new();
    check_messages(files, &mut violations);
    for path in TEST_COMMAND_PLACES {
        if !find(files, path).is_some_and(|file| file.text.contains(TEST_COMMAND)) {
            violations.push(format!("{path} does not say `{TEST_COMMAND}`: that is how the tests are run"));
        }
    }
    violations
}

/// Each message has a place on the page, and the file names the page.
fn check_messages(files: &[TextFile], violations: &mut Vec<String>) {
    let Some(messages) = find(files, MESSAGES) else { return };
    if !messages.text.contains(PROTOCOL) {
        violations
            .push(format!("{MESSAGES} does not mention {PROTOCOL}: say where the messages are explained"));
    }
    let Some(page) = find(files, PROTOCOL) else {
        violations.push(format!("{PROTOCOL} is missing: {MESSAGES} needs a page that explains it"));
        return;
    };
    for name in public_types(&messages.text).filter(|name| !page.text.contains(name)) {
        violations.push(format!("{PROTOCOL} does not mention `{name}` of {MESSAGES}: explain it there"));
    }
}

/// The names of the public structs and enums at the top level of a Rust file.
fn public_types(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let rest = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))?;
        rest.split(|letter: char| !letter.is_alphanumeric()).next()
    })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn complaints(messages: &str, page: &str) -> Vec<String> {
        check(&[
            file(MESSAGES, messages),
            file(PROTOCOL, page),
            file("README.md", TEST_COMMAND),
            file(".ci/run", TEST_COMMAND),
        ])
    }

    #[test]
    fn messages_that_the_page_explains_pass() {
        let messages = "//! Explained in docs/protocol.md.\npub enum Message {\n}\npub struct Prepare {\n}";
        assert_eq!(complaints(messages, "A `Message` is a `Prepare`."), [""; 0]);
    }

    #[test]
    fn a_message_that_the_page_does_not_explain_is_named() {
        let found = complaints("//! docs/protocol.md\npub struct Prepare {\n}", "Nothing.");
        assert_eq!(found, [format!("{PROTOCOL} does not mention `Prepare` of {MESSAGES}: explain it there")]);
    }

    #[test]
    fn a_messages_file_that_does_not_name_the_page_is_named() {
        assert_eq!(complaints("", "").len(), 1);
    }

    #[test]
    fn readme_and_ci_say_how_the_tests_are_run() {
        assert_eq!(check(&[file("README.md", TEST_COMMAND), file(".ci/run", "make")]).len(), 1);
        assert_eq!(check(&[]).len(), 2);
    }
}
