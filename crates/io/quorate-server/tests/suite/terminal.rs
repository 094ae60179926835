//! What the program shows where somebody looks at it, and where nobody does.

use crate::common::{Group, PATIENCE, PROGRAM};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Clears a terminal.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// A terminal that nobody sits at: the end that the program is given, and the one that shows what it did.
fn terminal() -> (File, File) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap();
    let path = PathBuf::from(std::ffi::OsString::from_vec(name.into_bytes()));
    let given = OpenOptions::new().read(true).write(true).open(path).unwrap();
    (given, File::from(screen))
}

/// Everything on the screen until `is_enough`, or until no program writes to it any more.
async fn shown(mut screen: File, is_enough: fn(&str) -> bool) -> String {
    let reading = spawn_blocking(move || {
        let (mut shown, mut chunk) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = screen.read(&mut chunk) {
            shown.extend_from_slice(&chunk[..count]);
            if is_enough(&String::from_utf8_lossy(&shown)) {
                break;
            }
        }
        String::from_utf8_lossy(&shown).into_owned()
    });
    timeout(PATIENCE, reading).await.expect("it is shown in time").unwrap()
}

async fn program(group: &Group, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("QUORATE_ENDPOINTS", group.endpoints().await.join(",")).env("TERM", "xterm");
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_status_is_a_line_for_each_look_where_it_is_read_by_a_program() {
    let group = Group::start("").await;
    let mut command = program(&group, &["status", "--watch", "20ms", "--json"]).await;
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        let rows: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), 3, "{line}");
    }
    drop(lines);
    let ended = timeout(PATIENCE, child.wait()).await.expect("it ends once nobody reads").unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_status_is_drawn_anew_on_a_terminal_and_told_apart_by_changes() {
    let group = Group::start("").await;
    let (given, screen) = terminal();
    let mut child = program(&group, &["status", "--watch", "20ms"]).await.stdout(given).spawn().unwrap();
    let text = shown(screen, |text| text.matches(CLEAR).count() > 3).await;
    child.kill().await.unwrap();
    let pages: Vec<&str> = text.split(CLEAR).collect();
    assert!(pages[0].is_empty() && pages[1].contains("LAG") && pages[2].contains("master"), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_shows_how_far_it_is_on_a_terminal_alone() {
    let group = Group::start("").await;
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..2_000).map(|number| format!("k{number}\t{}\n", "v".repeat(500))).collect();
    let path = folder.path().join("rows.tsv");
    std::fs::write(&path, rows).unwrap();
    let import = ["import", path.to_str().unwrap()];

    let (given, screen) = terminal();
    let mut child = program(&group, &import).await.stderr(given).spawn().unwrap();
    let text = shown(screen, |text| text.contains("rows imported")).await;
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    assert!(text.contains(" of ") && text.contains(" left") && text.contains('\x1b'), "{text:?}");
    assert!(text.contains("2000 rows imported"), "{text:?}");

    let output = group.command(&import, b"").await;
    assert_eq!(String::from_utf8_lossy(&output.stderr), "2000 rows imported\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_ends_with_a_line_break_on_a_terminal_alone() {
    let group = Group::start("").await;
    group.printed(&["put", "k", "v"], b"").await;
    let (given, screen) = terminal();
    let mut child = program(&group, &["get", "k"]).await.stdout(given).spawn().unwrap();
    let text = shown(screen, |text| text.ends_with('\n')).await;
    assert_eq!((text.trim_end(), child.wait().await.unwrap().code()), ("v", Some(0)));
    assert_eq!(group.printed(&["get", "k"], b"").await, "v");
}
