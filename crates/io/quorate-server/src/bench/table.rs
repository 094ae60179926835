use super::case::{Case, Differences};
use super::latencies::Percentiles;
use super::printed::{columns, known, mebibytes, millis, without_unknown};
use super::report::{Report, Row, Settings};
use std::fmt::Write;

/// A column's head, and what stands under it.
type Column = (&'static str, fn(&Row) -> String);

const COLUMNS: [Column; 21] = [
    ("writers", |row| row.writers.to_string()),
    ("what", |row| row.what.clone()),
    (VALUE, |row| row.value_bytes.to_string()),
    (NODES, |row| row.nodes.to_string()),
    ("writes/s", |row| format!("{:.0}", row.writes_per_second)),
    ("p50 ms", |row| millis(row.latency.p50)),
    ("p99 ms", |row| millis(row.latency.p99)),
    ("p99.9 ms", |row| millis(row.latency.p999)),
    ("max ms", |row| millis(row.latency.max)),
    ("drain ms", |row| format!("{:.1}", row.drain_ms)),
    ("cpu us", |row| known(row.processor_us_per_write, 1)),
    ("log B/write", |row| known(row.traffic_per_write.map(|traffic| traffic.bytes_sent), 1)),
    ("on wire B", |row| known(row.traffic_per_write.map(|traffic| traffic.bytes_on_wire), 1)),
    ("idle MiB", |row| known(row.idle_bytes.map(mebibytes), 1)),
    ("peak MiB", |row| known(row.peak_bytes.map(mebibytes), 1)),
    ("of floor", |row| known(row.share_of_floor, 2)),
    ("x spread", |row| known(row.times_floors_spread, 2)),
    ("x first", |row| known(row.times_first, 2)),
    ("x etcd", |row| known(row.times_etcd, 2)),
    ("engine/s", |row| known(row.engine_limit_per_second, 0)),
    ("of limit", |row| known(row.share_of_limit, 2)),
];

/// Heads of columns that only stand where what they tell differs.
const VALUE: &str = "value B";
const NODES: &str = "nodes";

/// The report as text: what the machine does alone, then a line for each step.
pub(super) fn render(report: &Report) -> String {
    let (machine, settings) = (&report.machine, &report.settings);
    let mut text = String::new();
    line(&mut text, &probe("4 KiB synced, one process", &machine.sync_alone));
    line(&mut text, &probe("4 KiB synced, three processes", &machine.sync_of_three));
    line(&mut text, &probe("loopback round trip", &machine.round_trip));
    line(&mut text, &self::settings(settings));
    if let Some(version) = &settings.etcd_version {
        line(&mut text, &format!("compared with etcd {version}"));
    }
    text + "\n" + &columns(&lines(&report.rows()))
}

/// The heads, then the cells of each row. Columns that say nothing are left out.
pub(super) fn lines(rows: &[Row]) -> Vec<Vec<String>> {
    let cases: Vec<Case> = rows.iter().map(|row| row.case).collect();
    let differences = Differences::of(&cases);
    let is_told = |(head, _): &&Column| match *head {
        VALUE => differences.value_bytes,
        NODES => differences.nodes,
        _ => true,
    };
    let told: Vec<&Column> = COLUMNS.iter().filter(is_told).collect();
    let heads = told.iter().map(|(head, _)| (*head).to_owned()).collect();
    let cells = |row: &Row| told.iter().map(|(_, cell)| cell(row)).collect();
    without_unknown(std::iter::once(heads).chain(rows.iter().map(cells)).collect())
}

/// How the run was made, in a line.
pub(super) fn settings(settings: &Settings) -> String {
    let (keys, rounds) = (settings.key_bytes, settings.rounds);
    let (values, durability) = (listed(&settings.value_bytes), settings.durability.join(" and "));
    let nodes = listed(&settings.nodes);
    let of_rounds = if rounds > 1 { format!(", medians of {rounds}") } else { String::new() };
    format!(
        "keys of {keys} bytes, values of {values}, nodes {nodes}, {durability}, {} s after {} s{of_rounds}",
        settings.seconds, settings.warm_up_seconds
    )
}

fn listed(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join("/")
}

fn line(text: &mut String, line: &str) {
    let written = writeln!(text, "{}", line.trim_end());
    debug_assert!(written.is_ok(), "a string takes everything");
}

fn probe(what: &str, found: &Percentiles) -> String {
    let micros = |nanos: u64| nanos as f64 / 1e3;
    format!("{what:<30} p50 {:>7.1} us   p99 {:>7.1} us", micros(found.p50), micros(found.p99))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::Subject;
    use crate::bench::report::tests::{report, report_of_sizes};

    #[test]
    fn the_table_shows_a_line_for_each_step_by_the_number_of_writers() {
        let text = render(&report());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[3],
            "keys of 16 bytes, values of 100, nodes 3, sync,sync,majority, 8 s after 2 s, medians of 3"
        );
        assert_eq!(lines[4], "compared with etcd 3.4.23");
        assert!(lines[6].starts_with("writers  what       writes/s  p50 ms"), "{text}");
        assert!(lines[7].starts_with("      1  memory "), "{text}");
        assert!(lines[8].starts_with("     64  bare loop       950   0.500   1.000"), "{text}");
        assert!(
            lines[11].starts_with("     64  fjall ")
                && lines[11]
                    .ends_with("9.0      24.0      96.0      0.24      0.67    2.37       750      0.50"),
            "{text}"
        );
        assert_eq!(lines.len(), 12);
    }

    #[test]
    fn a_column_stands_only_where_it_tells_something() {
        let heads = |report: &Report| lines(&report.rows())[0].join(" ");
        let mut plain = report();
        plain.forget(Subject::Floor);
        let found = heads(&plain);
        assert!(!found.contains("floor") && !found.contains("nodes") && found.contains("x etcd"), "{found}");
        let found = heads(&report_of_sizes());
        assert!(
            found.starts_with("writers what value B nodes writes/s") && !found.contains("x etcd"),
            "{found}"
        );
    }
}
