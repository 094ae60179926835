use super::output::Output;
use super::{CommandError, json};
use crate::Encoding;
use crate::cli::ScanArguments;
use crate::client::{Scan, ScanQuery};
use serde_json::Value;

/// Prints rows as they come.
pub(crate) async fn scan(arguments: &ScanArguments) -> Result<(), CommandError> {
    let encoding = Encoding::from(arguments.encoding);
    let client = arguments.connection.client(None)?;
    let mut scan = client.scan(query(arguments, encoding)?).await?;
    let mut output = Output::stdout();
    while let Some((key, value)) = scan.next().await? {
        if arguments.json {
            output.line(Value::from(json::row(&key, &value)).to_string())?;
        } else {
            output.write(&encoding.encode(&key))?;
            output.write(b"\t")?;
            output.line(encoding.encode(&value))?;
        }
        if output.is_terminal() {
            output.flush()?;
        }
    }
    output.finish()?;
    tell_of_moments(&scan, encoding);
    Ok(())
}

/// Says so where not all rows show one moment.
pub(super) fn tell_of_moments(scan: &Scan, encoding: Encoding) {
    if let Some(key) = scan.moved_behind() {
        let key = String::from_utf8_lossy(&encoding.encode(key)).into_owned();
        eprintln!(
            "another node had to go on: the rows behind {key:?} show a later moment than those up to it"
        );
    }
}

fn query(arguments: &ScanArguments, encoding: Encoding) -> Result<ScanQuery, CommandError> {
    let query = ScanQuery {
        database: arguments.read.database.clone(),
        start: encoding.decode_optional(arguments.start.as_ref())?,
        end: encoding.decode_optional(arguments.end.as_ref())?,
        reverse: arguments.reverse,
        limit: arguments.limit.unwrap_or(0),
        consistency: arguments.read.consistency,
    };
    match &arguments.prefix {
        Some(prefix) => Ok(query.prefix(encoding.decode_word(prefix)?)),
        None => Ok(query),
    }
}
