use super::setting::{SETTINGS, Setting};
use quorate::RepConfig;
use std::fmt::Write;

const INTRODUCTION: &str = "\
Each setting of a node can be given in its configuration file (`quorate node --config FILE`, TOML), by an
environment variable, or on the command line. The command line prevails over the environment, and that over the
file; what none of them gives has its default. Without a file all that is required must be given otherwise.
`quorate node --help` shows an example of a file.

Times are in milliseconds where a name ends in `_ms`, sizes in bytes where one has `bytes`. A setting that is
unknown or makes no sense is refused at the start, with the place that gives it.
";

/// All settings of a node, with their types, defaults and meanings, as Markdown.
#[must_use]
pub fn configuration_reference() -> String {
    let defaults = RepConfig::builder("group", "node", "localhost").build();
    let mut text = format!("{INTRODUCTION}\n| setting | flag and variable | type | default | meaning |\n");
    text.push_str("|---|---|---|---|---|\n");
    for setting in SETTINGS {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", row(setting, &defaults));
    }
    text
}

fn row(setting: &Setting, defaults: &RepConfig) -> String {
    let default = (setting.default)(defaults);
    let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
    format!(
        "| `{}` | `--{}` `{}` | {} | {default} | {} |",
        setting.name,
        setting.flag(),
        setting.variable().to_string_lossy(),
        setting.form(),
        setting.doc.replace('|', "\\|")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_setting_is_told_of_once_with_its_default() {
        let text = configuration_reference();
        for setting in SETTINGS {
            assert_eq!(text.matches(&format!("| `{}` |", setting.name)).count(), 1, "{}", setting.name);
        }
        assert!(text.contains(
            "| `timeouts.ack_timeout_ms` | `--ack-timeout-ms` `QUORATE_ACK_TIMEOUT_MS` | N | `5000` |"
        ));
        assert!(text.contains("`--quorum-write` `QUORATE_QUORUM_WRITE`"));
        let flags: HashSet<String> = SETTINGS.iter().map(Setting::flag).collect();
        assert_eq!(flags.len(), SETTINGS.len());
    }
}
