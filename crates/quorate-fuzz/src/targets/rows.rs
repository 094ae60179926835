//! Rows in text, as `quorate import` reads them.

use crate::{Seed, Signature, Target};
use quorate_server::Encoding;
use quorate_server::rows::{JsonRows, JsonSink, Row, RowError, RowSink, TsvRows, TsvSink};

pub(super) const ROWS: Target = Target::plain(
    "rows",
    "rows to import, in lines of text or JSON; what is read and written again is read the same",
    run,
    seeds,
);

/// A form that rows are written in.
#[derive(Clone, Copy)]
enum Form {
    Json,
    Tsv(Encoding),
}

const FORMS: [Form; 4] =
    [Form::Json, Form::Tsv(Encoding::Raw), Form::Tsv(Encoding::Hex), Form::Tsv(Encoding::Base64)];

/// Which form, and the text.
fn run(input: &[u8]) -> Signature {
    let (choice, text) = input.split_first().unwrap_or((&0, &[]));
    let form = FORMS[usize::from(choice % 4)];
    let (rows, error) = form.read(text);
    let bytes: u64 = rows.iter().map(|row| row.source_bytes).sum();
    assert!(bytes <= text.len() as u64, "rows take no more than there is");
    assert!(rows.iter().all(|row| !row.key.is_empty()));
    let written = form.write(&rows);
    let (again, unread) = form.read(&written);
    assert!(unread.is_none(), "what was written is readable: {unread:?}");
    let pairs =
        |rows: &[Row]| rows.iter().map(|row| (row.key.clone(), row.value.clone())).collect::<Vec<_>>();
    assert_eq!(pairs(&again), pairs(&rows));
    let refusal = error.map_or_else(String::new, |error| error.to_string());
    Signature::new().message(&refusal).magnitude(rows.len() as u64).magnitude(bytes)
}

impl Form {
    /// The rows up to the first that is none, and what is wrong with that.
    fn read(self, text: &[u8]) -> (Vec<Row>, Option<RowError>) {
        let rows: Box<dyn Iterator<Item = Result<Row, RowError>>> = match self {
            Self::Json => Box::new(JsonRows::new(text)),
            Self::Tsv(encoding) => Box::new(TsvRows::new(text, encoding)),
        };
        let (mut found, mut error) = (Vec::new(), None);
        for row in rows {
            match row {
                Ok(row) => found.push(row),
                Err(refusal) => {
                    error = Some(refusal);
                    break;
                }
            }
        }
        (found, error)
    }

    fn write(self, rows: &[Row]) -> Vec<u8> {
        let mut text = Vec::new();
        {
            let mut sink: Box<dyn RowSink> = match self {
                Self::Json => Box::new(JsonSink::new(&mut text)),
                Self::Tsv(encoding) => Box::new(TsvSink::new(&mut text, encoding)),
            };
            let added = rows.iter().try_for_each(|row| sink.add(&row.key, &row.value));
            added.and_then(|()| sink.finish()).expect("what was read as a row can be written as one");
        }
        text
    }
}

fn seeds() -> Vec<Seed> {
    let rows = [(&b"ant"[..], &b"7"[..]), (b"bee\xff", b"\0\t\n"), (b"cat", b"")];
    let row = |(key, value): &(&'static [u8], &'static [u8])| Row {
        key: (*key).into(),
        value: (*value).into(),
        source_bytes: 0,
    };
    let all: Vec<Row> = rows.iter().map(row).collect();
    let plain: Vec<Row> = [all[0].clone(), all[2].clone()].to_vec();
    let seed = |name: &str, choice: u8, rows: &[Row]| {
        Seed::new(name, [&[choice], &FORMS[usize::from(choice)].write(rows)[..]].concat())
    };
    vec![seed("json", 0, &all), seed("raw", 1, &plain), seed("hex", 2, &all), seed("base64", 3, &all)]
}
