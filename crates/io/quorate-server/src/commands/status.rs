use super::CommandError;
use super::output::Output;
use super::status_row::StatusRow;
use crate::cli::StatusArguments;
use crate::client::{Client, NodeStatus};
use comfy_table::{ContentArrangement, Table, presets};
use std::time::Duration;
use tokio::time::interval;

/// How long a node may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(2);
/// Clears a terminal and puts the cursor into its corner.
const CLEAR: &[u8] = b"\x1b[2J\x1b[H";

/// Shows the group, once or again and again.
pub(crate) async fn status(arguments: &StatusArguments) -> Result<(), CommandError> {
    let client = arguments.connection.client(None)?;
    let patience = arguments.connection.timeout.min(PATIENCE);
    let mut output = Output::stdout();
    let Some(every) = arguments.watch else {
        let has_answer = show(&client, patience, arguments.json, &mut output).await?;
        output.finish()?;
        return if has_answer { Ok(()) } else { Err(CommandError::NobodyAnswers) };
    };
    let mut ticks = interval(every.max(Duration::from_millis(1)));
    loop {
        ticks.tick().await;
        if output.is_terminal() && !arguments.json {
            output.write(CLEAR)?;
        }
        show(&client, patience, arguments.json, &mut output).await?;
        output.flush()?;
    }
}

/// True if any node has answered.
async fn show(
    client: &Client,
    patience: Duration,
    as_json: bool,
    output: &mut Output,
) -> Result<bool, CommandError> {
    let statuses = client.statuses(patience).await;
    let master_written = master_written(&statuses);
    let rows: Vec<StatusRow> = statuses.iter().map(|status| StatusRow::new(status, master_written)).collect();
    if as_json {
        let text = serde_json::to_string(&rows);
        output.line(text.map_err(|error| CommandError::system("printing")(error.into()))?)?;
    } else {
        output.line(table(&rows).trim_fmt())?;
    }
    Ok(statuses.iter().any(|status| status.answer.is_ok()))
}

/// How far the master's log goes, as the one of the highest term says.
fn master_written(statuses: &[NodeStatus]) -> Option<u64> {
    let answers = statuses.iter().filter_map(|status| status.answer.as_ref().ok());
    let masters = answers.filter(|answer| answer.state() == crate::v1::NodeState::Master);
    let master = masters.max_by_key(|answer| answer.term)?;
    master.watermarks.map(|marks| marks.written)
}

fn table(rows: &[StatusRow]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(StatusRow::TITLES);
    for row in rows {
        table.add_row(row.cells());
    }
    table
}
