use super::{TextFile, find};

/// Checks every relative link of every Markdown file: the file must exist, and the heading in it.
pub(super) fn check(files: &[TextFile], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        for (line, target) in links(&file.text) {
            if let Some(fault) = judge(files, file, target, &exists) {
                violations.push(format!("{}:{line}: the link to {target} {fault}", file.path));
            }
        }
    }
    violations
}

fn judge(
    files: &[TextFile],
    file: &TextFile,
    target: &str,
    exists: &impl Fn(&str) -> bool,
) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) =
        target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let Some(path) = resolve(&file.path, path) else { return Some("leaves the repository") };
    if !exists(&path) {
        return Some("leads nowhere");
    }
    let linked = find(files, &path)?;
    let missing = heading.is_some_and(|heading| !anchors(&linked.text).any(|anchor| anchor == heading));
    missing.then_some("names a heading that is not there")
}

/// The targets of inline links outside code blocks, with their line numbers.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for (start, mark) in line.match_indices("](") {
            let rest = &line[start + mark.len()..];
            let end = rest.find([')', ' ']).unwrap_or(rest.len());
            found.push((number, &rest[..end]));
        }
    }
    found
}

/// The lines outside code blocks, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        (!in_code && !fence).then_some((index + 1, line))
    })
}

/// What a heading is called in a link: lower case, words joined by hyphens, punctuation dropped.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    })
}

/// The path that `target` means in the file at `from`, or `None` if it lies above the root.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        let files = [file("docs/a.md", text), file("README.md", "# Quick start: two commands\n")];
        check(&files, |path| files.iter().any(|file| file.path == path))
    }

    #[test]
    fn links_to_files_and_headings_that_are_there_pass() {
        let text = "# Here\n[up](../README.md) [start](../README.md#quick-start-two-commands) [here](#here) \
                    [out](https://example.org/x)";
        assert_eq!(complaints(text), [""; 0]);
    }

    #[test]
    fn a_link_to_a_missing_file_is_named() {
        assert_eq!(complaints("\n[b](b.md)"), ["docs/a.md:2: the link to b.md leads nowhere"]);
    }

    #[test]
    fn a_link_to_a_missing_heading_is_named() {
        assert_eq!(complaints("[b](../README.md#end)").len(), 1);
        assert_eq!(complaints("[b](#end)").len(), 1);
    }

    #[test]
    fn a_link_out_of_the_repository_is_named() {
        assert_eq!(
            complaints("[b](../../b.md)"),
            ["docs/a.md:1: the link to ../../b.md leaves the repository"]
        );
    }

    #[test]
    fn what_looks_like_a_link_in_a_code_block_is_none() {
        assert_eq!(complaints("```rust\nlist[0](b)\n```"), [""; 0]);
    }
}
