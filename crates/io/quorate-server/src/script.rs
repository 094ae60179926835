//! Transactions in text, as `quorate txn` takes them: a command per line.

use crate::{Encoding, EncodingError};
use bytes::Bytes;

/// A transaction in text: a command per line, one at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script(Vec<Line>);

/// One command and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it stands, from 1.
    pub number: usize,
    /// The name of the database that it is for.
    pub database: String,
    /// Of a scan, what its keys begin with.
    pub key: Bytes,
    /// What is done with the key.
    pub step: Step,
}

/// What a command does with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its value is printed.
    Get,
    /// It is set to this value.
    Put(Bytes),
    /// It is removed.
    Delete,
    /// This is added to the whole number that its value spells, 0 where there is none; the sum is printed.
    Add(i64),
    /// Unless it has this value, nothing is done at all.
    Expect(Bytes),
    /// If it is there, nothing is done at all.
    Absent,
    /// All rows whose keys begin with it are printed.
    Scan,
}

/// Why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// There is no such command, or it takes other words.
    #[error("line {line}: {command:?} is no command: write get, put, del, add, expect, absent, scan or use")]
    Command {
        /// The line, from 1.
        line: usize,
        /// Its first word.
        command: String,
    },
    /// A command has too few or too many words behind it.
    #[error(
        "line {line}: {command} takes {expected}, there are {found} words: put words with spaces in quotes"
    )]
    Words {
        /// The line, from 1.
        line: usize,
        /// The command.
        command: String,
        /// What it takes.
        expected: &'static str,
        /// How many words there are.
        found: usize,
    },
    /// Quotes are not closed, or hold an escape that means nothing.
    #[error("line {line}: {detail}")]
    Quotes {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        detail: &'static str,
    },
    /// A word is not in the encoding that it is said to be in.
    #[error("line {line}: {source}")]
    Encoding {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        source: EncodingError,
    },
    /// What is to be added is no number.
    #[error("line {line}: {word:?} is no whole number between -2^63 and 2^63 - 1")]
    Number {
        /// The line, from 1.
        line: usize,
        /// The word.
        word: String,
    },
    /// There is nothing to do.
    #[error("the script holds no command: `quorate txn --help` shows some")]
    Empty,
}

impl Script {
    /// Reads a script whose keys and values are in an encoding; `database` is the one it begins with.
    ///
    /// # Errors
    /// [`ScriptError`]: the first line that is wrong, and what is; or there is no command at all.
    pub fn parse(text: &[u8], database: &str, encoding: Encoding) -> Result<Self, ScriptError> {
        let mut database = database.to_owned();
        let mut lines = Vec::new();
        for (index, text) in text.split(|byte| *byte == b'\n').enumerate() {
            let number = index + 1;
            let words = words(text).map_err(|detail| ScriptError::Quotes { line: number, detail })?;
            let Some((command, operands)) = words.split_first() else { continue };
            let command = String::from_utf8_lossy(command).into_owned();
            if command == "use" {
                let [name] = operands_of(operands, number, &command, "a name")?;
                database = String::from_utf8_lossy(name).into_owned();
                continue;
            }
            let (key, step) = step(&command, operands, number, encoding)?;
            lines.push(Line { number, database: database.clone(), key, step });
        }
        if lines.is_empty() { Err(ScriptError::Empty) } else { Ok(Self(lines)) }
    }

    /// The commands in their order.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.0
    }
}

fn step(
    command: &str,
    operands: &[Vec<u8>],
    line: usize,
    encoding: Encoding,
) -> Result<(Bytes, Step), ScriptError> {
    let decode = |word: &[u8]| encoding.decode(word).map_err(|source| ScriptError::Encoding { line, source });
    let one = || operands_of::<1>(operands, line, command, "a key").and_then(|[key]| decode(key));
    let two = |expected| operands_of::<2>(operands, line, command, expected);
    match command {
        "get" => Ok((one()?, Step::Get)),
        "del" => Ok((one()?, Step::Delete)),
        "absent" => Ok((one()?, Step::Absent)),
        "scan" => {
            let [prefix] = operands_of(operands, line, command, "what keys begin with")?;
            Ok((decode(prefix)?, Step::Scan))
        }
        "put" => {
            two("a key and a value").and_then(|[key, value]| Ok((decode(key)?, Step::Put(decode(value)?))))
        }
        "expect" => {
            two("a key and a value").and_then(|[key, value]| Ok((decode(key)?, Step::Expect(decode(value)?))))
        }
        "add" => {
            let [key, number] = two("a key and a number")?;
            Ok((decode(key)?, Step::Add(number_of(number, line)?)))
        }
        _ => Err(ScriptError::Command { line, command: command.to_owned() }),
    }
}

fn operands_of<'a, const COUNT: usize>(
    operands: &'a [Vec<u8>],
    line: usize,
    command: &str,
    expected: &'static str,
) -> Result<&'a [Vec<u8>; COUNT], ScriptError> {
    operands.try_into().map_err(|_| ScriptError::Words {
        line,
        command: command.to_owned(),
        expected,
        found: operands.len(),
    })
}

fn number_of(word: &[u8], line: usize) -> Result<i64, ScriptError> {
    let text = String::from_utf8_lossy(word);
    text.parse().map_err(|_| ScriptError::Number { line, word: text.into_owned() })
}

/// The words of a line; none if it is empty or a comment.
fn words(line: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut rest = line.trim_ascii();
    let mut found = Vec::new();
    if rest.first() == Some(&b'#') {
        return Ok(found);
    }
    while !rest.is_empty() {
        let (word, behind) = match rest.strip_prefix(b"\"") {
            Some(quoted) => quoted_word(quoted)?,
            None => {
                let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                (rest[..end].to_vec(), &rest[end..])
            }
        };
        if behind.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
            return Err("a space is missing behind closing quotes");
        }
        found.push(word);
        rest = behind.trim_ascii_start();
    }
    Ok(found)
}

/// The word up to the closing quotes, and what stands behind them.
fn quoted_word(text: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let mut word = Vec::new();
    let mut rest = text;
    loop {
        match rest {
            [] => return Err("quotes are not closed"),
            [b'"', behind @ ..] => return Ok((word, behind)),
            [b'\\', b'x', high, low, behind @ ..] => {
                let digits = [*high, *low];
                let byte = std::str::from_utf8(&digits).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                word.push(byte.ok_or("\\x is to be followed by two hexadecimal digits")?);
                rest = behind;
            }
            [b'\\', escape, behind @ ..] => {
                word.push(escaped(*escape)?);
                rest = behind;
            }
            [byte, behind @ ..] => {
                word.push(*byte);
                rest = behind;
            }
        }
    }
}

const fn escaped(escape: u8) -> Result<u8, &'static str> {
    match escape {
        b'n' => Ok(b'\n'),
        b't' => Ok(b'\t'),
        b'r' => Ok(b'\r'),
        b'\\' | b'"' => Ok(escape),
        _ => Err("a backslash in quotes is to be followed by n, t, r, \\, \" or xNN"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Script, ScriptError> {
        Script::parse(text.as_bytes(), "default", Encoding::Raw)
    }

    fn line(number: usize, database: &str, key: &'static str, step: Step) -> Line {
        Line { number, database: database.to_owned(), key: key.into(), step }
    }

    #[test]
    fn each_command_is_read_with_its_database() {
        let text =
            "# a comment\nget a\n\nput b 1\r\ndel c\nuse stock\nadd d -2\nexpect e 3\nabsent f\nscan \"\"";
        let expected = [
            line(2, "default", "a", Step::Get),
            line(4, "default", "b", Step::Put("1".into())),
            line(5, "default", "c", Step::Delete),
            line(7, "stock", "d", Step::Add(-2)),
            line(8, "stock", "e", Step::Expect("3".into())),
            line(9, "stock", "f", Step::Absent),
            line(10, "stock", "", Step::Scan),
        ];
        assert_eq!(parse(text).unwrap().lines(), expected);
    }

    #[test]
    fn words_in_quotes_hold_any_byte() {
        let script = parse("put \"a b\" \"\\x00\\xff\\n\\\"\\\\\"\nput \"\" \"\"").unwrap();
        assert_eq!(script.lines()[0].key, "a b");
        assert_eq!(script.lines()[0].step, Step::Put(Bytes::from_static(b"\x00\xff\n\"\\")));
        assert_eq!(script.lines()[1].step, Step::Put(Bytes::new()));
        let hex = Script::parse(b"put 00 ff", "", Encoding::Hex).unwrap();
        assert_eq!(hex.lines()[0].step, Step::Put(Bytes::from_static(b"\xff")));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, words) in [
            ("get a\nfrobnicate b", "line 2: \"frobnicate\" is no command"),
            ("put a", "line 1: put takes a key and a value, there are 1 words"),
            ("get \"a", "line 1: quotes are not closed"),
            ("get \"a\"b", "line 1: a space is missing"),
            ("get \"\\q\"", "line 1: a backslash"),
            ("get \"\\xg0\"", "line 1: \\x is to be followed"),
            ("add a 1.5", "line 1: \"1.5\" is no whole number"),
            ("# nothing\n", "the script holds no command"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
