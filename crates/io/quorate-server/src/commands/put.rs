use super::output::Output;
use super::{CommandError, read_stdin};
use crate::Encoding;
use crate::cli::{DelArguments, PutArguments, WriteArguments};
use crate::client::{Change, Client};
use bytes::Bytes;

/// Sets a key and prints the write's token.
pub(crate) async fn put(arguments: &PutArguments) -> Result<(), CommandError> {
    let encoding = Encoding::from(arguments.encoding);
    let client = arguments.connection.client(arguments.write.durability)?;
    let key = encoding.decode_word(&arguments.key)?;
    let value = match &arguments.value {
        Some(value) => encoding.decode_word(value)?,
        None => encoding.decode(&value_from_stdin(encoding).await?)?,
    };
    write(&client, &arguments.write, key, Some(value)).await
}

/// Removes a key and prints the write's token.
pub(crate) async fn del(arguments: &DelArguments) -> Result<(), CommandError> {
    let client = arguments.connection.client(arguments.write.durability)?;
    let key = Encoding::from(arguments.encoding).decode_word(&arguments.key)?;
    write(&client, &arguments.write, key, None).await
}

async fn write(
    client: &Client,
    arguments: &WriteArguments,
    key: Bytes,
    value: Option<Bytes>,
) -> Result<(), CommandError> {
    create(client, arguments).await?;
    let written = client.write([Change { database: arguments.database.clone(), key, value }]).await?;
    let mut output = Output::stdout();
    output.line(written.token.to_string())?;
    output.finish()
}

/// Makes the database, if that is asked for.
pub(super) async fn create(client: &Client, arguments: &WriteArguments) -> Result<(), CommandError> {
    if arguments.create {
        client.create_database(&arguments.database).await?;
    }
    Ok(())
}

/// All of stdin; of an encoded value without the line break at its end.
async fn value_from_stdin(encoding: Encoding) -> Result<Vec<u8>, CommandError> {
    let mut value = read_stdin().await?;
    if encoding != Encoding::Raw {
        value.truncate(value.trim_ascii_end().len());
    }
    Ok(value)
}
