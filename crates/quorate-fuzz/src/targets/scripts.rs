//! Transactions in text, as `quorate txn` takes them.

use crate::{Seed, Signature, Target};
use quorate_server::Encoding;
use quorate_server::script::{Line, Script, Step};
use std::fmt::Write;

pub(super) const SCRIPT: Target = Target::plain(
    "script",
    "a transaction in text; what is read and written down again is read the same",
    run,
    seeds,
);

/// How keys and values are written, and the text.
fn run(input: &[u8]) -> Signature {
    let (choice, text) = input.split_first().unwrap_or((&0, &[]));
    let encoding = [Encoding::Raw, Encoding::Hex, Encoding::Base64][usize::from(choice % 3)];
    let script = match Script::parse(text, "default", encoding) {
        Err(error) => return Signature::new().message(&error.to_string()),
        Ok(script) => script,
    };
    let last = script.lines().last().map_or(0, |line| line.number);
    assert!(script.lines().is_sorted_by(|a, b| a.number < b.number));
    assert!((1..=text.split(|byte| *byte == b'\n').count()).contains(&last));
    assert_written_again(&script);
    let steps = script.lines().iter().take(4).map(|line| std::mem::discriminant(&line.step));
    Signature::new().shape(&steps.collect::<Vec<_>>()).magnitude(script.lines().len() as u64)
}

fn assert_written_again(script: &Script) {
    let text: String = script.lines().iter().map(written).collect();
    let again = Script::parse(text.as_bytes(), "another", Encoding::Raw).expect("it is a script again");
    assert_eq!(again.lines().len(), script.lines().len());
    for (again, line) in again.lines().iter().zip(script.lines()) {
        assert_eq!((&again.database, &again.key, &again.step), (&line.database, &line.key, &line.step));
    }
}

/// A command in its words, after one that names its database.
fn written(line: &Line) -> String {
    let key = quoted(&line.key);
    let command = match &line.step {
        Step::Get => format!("get {key}"),
        Step::Put(value) => format!("put {key} {}", quoted(value)),
        Step::Delete => format!("del {key}"),
        Step::Add(number) => format!("add {key} {number}"),
        Step::Expect(value) => format!("expect {key} {}", quoted(value)),
        Step::Absent => format!("absent {key}"),
        Step::Scan => format!("scan {key}"),
    };
    format!("use {}\n{command}\n", quoted(line.database.as_bytes()))
}

/// A word in quotes, every byte by its number.
fn quoted(word: &[u8]) -> String {
    let mut text = "\"".to_owned();
    for byte in word {
        let _ = write!(text, "\\x{byte:02x}");
    }
    text + "\""
}

fn seeds() -> Vec<Seed> {
    let every = "# all there is\nget a\nput \"b c\" \"\\x00\\xff\\n\\\"\\\\\"\r\n\ndel c\nuse stock\n\
                 add d -2\nexpect e 3\nabsent f\nscan \"\"\n";
    vec![
        Seed::new("every-command", ["\0", every].concat()),
        Seed::new("hexadecimal", "\x01put 00 ff\nget 00fF"),
        Seed::new("base64", "\x02put AA== /w==\nadd AAE= 9223372036854775807"),
    ]
}
