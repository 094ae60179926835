use super::output::Output;
use super::{CommandError, json};
use crate::Encoding;
use crate::cli::GetArguments;
use serde_json::Value;

/// Prints a key's value.
pub(crate) async fn get(arguments: &GetArguments) -> Result<(), CommandError> {
    let encoding = Encoding::from(arguments.encoding);
    let client = arguments.connection.client(None)?;
    let key = encoding.decode_word(&arguments.key)?;
    let read = client.get(&arguments.read.database, key.clone(), arguments.read.consistency).await?;
    let value = read.value.ok_or(CommandError::NoSuchKey)?;
    let mut output = Output::stdout();
    if arguments.json {
        let mut object = json::row(&key, &value);
        object.insert("seen".to_owned(), read.seen.map(|seen| seen.to_string()).into());
        output.line(Value::from(object).to_string())?;
    } else {
        output.write(&encoding.encode(&value))?;
        if output.is_terminal() || encoding != Encoding::Raw {
            output.write(b"\n")?;
        }
    }
    output.finish()
}
