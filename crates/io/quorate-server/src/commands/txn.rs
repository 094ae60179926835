use super::output::Output;
use super::put::create;
use super::{CommandError, json, read_stdin};
use crate::Encoding;
use crate::cli::TxnArguments;
use crate::client::{Transaction, Written};
use crate::encoding::shortened;
use crate::script::{Line, Script, Step};
use bytes::Bytes;
use serde_json::{Map, Value};
use std::fs;

/// What a command of a script prints.
struct Finding {
    key: Bytes,
    value: Option<Bytes>,
}

/// Carries out a script as one transaction.
pub(crate) async fn txn(arguments: &TxnArguments) -> Result<(), CommandError> {
    let encoding = Encoding::from(arguments.encoding);
    let client = arguments.connection.client(arguments.write.durability)?;
    let script = Script::parse(&text(arguments).await?, &arguments.write.database, encoding)?;
    create(&client, &arguments.write).await?;
    let mut transaction = client.transaction();
    loop {
        let findings = carry_out(&script, &mut transaction).await?;
        if let Some(written) = transaction.commit().await? {
            return print(arguments.json, encoding, &findings, &written);
        }
    }
}

async fn text(arguments: &TxnArguments) -> Result<Vec<u8>, CommandError> {
    match &arguments.file {
        Some(path) => fs::read(path).map_err(CommandError::system(format!("reading {}", path.display()))),
        None => read_stdin().await,
    }
}

async fn carry_out(script: &Script, transaction: &mut Transaction) -> Result<Vec<Finding>, CommandError> {
    let mut findings = Vec::new();
    for line in script.lines() {
        carry_out_line(line, transaction, &mut findings).await?;
    }
    Ok(findings)
}

async fn carry_out_line(
    line: &Line,
    transaction: &mut Transaction,
    findings: &mut Vec<Finding>,
) -> Result<(), CommandError> {
    let (database, key) = (&line.database, line.key.clone());
    match &line.step {
        Step::Put(value) => transaction.put(database, key, value.clone()),
        Step::Delete => transaction.delete(database, key),
        Step::Get => {
            let value = transaction.get(database, key.clone()).await?;
            findings.push(Finding { key, value });
        }
        Step::Add(number) => {
            let sum = add(transaction.get(database, key.clone()).await?, *number);
            let sum = sum.map_err(|found| unexpected(line, found))?;
            transaction.put(database, key.clone(), sum.clone());
            findings.push(Finding { key, value: Some(sum) });
        }
        Step::Expect(expected) => match transaction.get(database, key).await? {
            Some(value) if value == *expected => {}
            Some(value) => return Err(unexpected(line, format!("the value is {:?}", shortened(&value)))),
            None => return Err(unexpected(line, "there is no such key".to_owned())),
        },
        Step::Absent => {
            if let Some(value) = transaction.get(database, key).await? {
                return Err(unexpected(line, format!("the key is there, with {:?}", shortened(&value))));
            }
        }
        Step::Scan => {
            let rows = transaction.scan_prefix(database, key).await?;
            findings.extend(rows.into_iter().map(|(key, value)| Finding { key, value: Some(value) }));
        }
    }
    Ok(())
}

fn unexpected(line: &Line, found: String) -> CommandError {
    CommandError::Expectation { line: line.number, found }
}

/// The sum as text; the text of an error if there is none.
fn add(value: Option<Bytes>, number: i64) -> Result<Bytes, String> {
    let text = value.unwrap_or_else(|| Bytes::from_static(b"0"));
    let found = std::str::from_utf8(&text).ok().and_then(|text| text.parse::<i64>().ok());
    let found = found.ok_or_else(|| format!("the value {:?} is no whole number", shortened(&text)))?;
    let sum =
        found.checked_add(number).ok_or_else(|| format!("{found} and {number} are too much together"))?;
    Ok(sum.to_string().into())
}

fn print(
    as_json: bool,
    encoding: Encoding,
    findings: &[Finding],
    written: &Written,
) -> Result<(), CommandError> {
    let mut output = Output::stdout();
    if as_json {
        let results: Vec<Value> = findings.iter().map(|finding| Value::from(finding.json())).collect();
        let result = serde_json::json!({ "results": results, "token": written.token.to_string() });
        output.line(result.to_string())?;
        return output.finish();
    }
    for finding in findings {
        output.write(&encoding.encode(&finding.key))?;
        if let Some(value) = &finding.value {
            output.write(b"\t")?;
            output.write(&encoding.encode(value))?;
        }
        output.write(b"\n")?;
    }
    output.line(written.token.to_string())?;
    output.finish()
}

impl Finding {
    fn json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        json::insert_bytes(&mut object, "key", &self.key);
        match &self.value {
            Some(value) => json::insert_bytes(&mut object, "value", value),
            None => drop(object.insert("value".to_owned(), Value::Null)),
        }
        object
    }
}
