//! House-keeping as a check: sizes, words, links, and files that must speak of each other.

mod crates;
mod links;
mod pairing;
mod text;

use crate::failure::Failure;
use crate::metadata;
use std::fs;
use std::path::Path;

/// Files that are read: by extension, and by folder where they have none.
const EXTENSIONS: [&str; 8] = ["rs", "toml", "md", "proto", "txt", "sh", "yml", "yaml"];
const FOLDERS_SKIPPED: [&str; 3] = [".git", "target", "corpus"];

/// A text file of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct TextFile {
    /// From the workspace's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Checks every file of the workspace.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let mut files = Vec::new();
    collect(root, root, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut violations = text::check(&files);
    violations.extend(links::check(&files, |path| root.join(path).exists()));
    violations.extend(pairing::check(&files));
    violations.extend(crates::check(&metadata::workspace(root)?)?);
    Failure::unless_empty("tidy", &violations)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<TextFile>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).map_err(Failure::file(folder))? {
        let entry = entry.map_err(Failure::file(folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(Failure::file(&path))?;
        if kind.is_dir() && !FOLDERS_SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
            collect(root, &path, files)?;
        } else if kind.is_file() && is_read(&path) {
            let text = fs::read_to_string(&path).map_err(Failure::file(&path))?;
            let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.push(TextFile { path, text });
        }
    }
    Ok(())
}

fn is_read(path: &Path) -> bool {
    match path.extension() {
        Some(extension) => EXTENSIONS.iter().any(|read| extension == *read),
        None => path.parent().is_some_and(|folder| folder.file_name().is_some_and(|name| name == ".ci")),
    }
}

/// The file at this path, if there is one.
fn find<'a>(files: &'a [TextFile], path: &str) -> Option<&'a TextFile> {
    files.iter().find(|file| file.path == path)
}

#[cfg(test)]
fn file(path: &str, text: &str) -> TextFile {
    TextFile { path: path.to_owned(), text: text.to_owned() }
}
