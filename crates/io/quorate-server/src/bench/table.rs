use super::latencies::Percentiles;
use super::report::{Report, Row, Settings};
use std::fmt::Write;

/// The columns' heads.
pub(super) const HEADS: [&str; 13] = [
    "writers", "what", "writes/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "drain ms", "cpu us",
    "of floor", "x etcd", "engine/s", "of limit",
];

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
    let mut rows = report.rows();
    rows.sort_by_key(|row| row.writers);
    let mut lines = vec![HEADS.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    text.push('\n');
    for cells in &lines {
        line(&mut text, &align(cells, &lines));
    }
    text
}

/// How the run was made, in a line.
pub(super) fn settings(settings: &Settings) -> String {
    let (keys, values, rounds) = (settings.key_bytes, settings.value_bytes, settings.rounds);
    let of_rounds = if rounds > 1 { format!(", medians of {rounds}") } else { String::new() };
    format!(
        "keys of {keys} bytes, values of {values}, {}, {} s after {} s{of_rounds}",
        settings.durability, settings.seconds, settings.warm_up_seconds
    )
}

fn line(text: &mut String, line: &str) {
    let written = writeln!(text, "{}", line.trim_end());
    debug_assert!(written.is_ok(), "a string takes everything");
}

fn probe(what: &str, found: &Percentiles) -> String {
    let micros = |nanos: u64| nanos as f64 / 1e3;
    format!("{what:<30} p50 {:>7.1} us   p99 {:>7.1} us", micros(found.p50), micros(found.p99))
}

/// What stands under the heads.
pub(super) fn cells(row: &Row) -> [String; HEADS.len()] {
    let millis = |nanos: u64| format!("{:.3}", nanos as f64 / 1e6);
    let known = |figure: Option<f64>, digits: usize| {
        figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
    };
    [
        row.writers.to_string(),
        row.what.clone(),
        format!("{:.0}", row.writes_per_second),
        millis(row.latency.p50),
        millis(row.latency.p99),
        millis(row.latency.p999),
        millis(row.latency.max),
        format!("{:.1}", row.drain_ms),
        known(row.processor_us_per_write, 1),
        known(row.share_of_floor, 2),
        known(row.times_etcd, 2),
        known(row.engine_limit_per_second, 0),
        known(row.share_of_limit, 2),
    ]
}

/// Columns as wide as their widest cell, to the right; the second one, which is text, to the left.
fn align(cells: &[String; HEADS.len()], lines: &[[String; HEADS.len()]]) -> String {
    let mut text = String::new();
    for (column, cell) in cells.iter().enumerate() {
        let width = lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
        let padded = if column == 1 { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
        text.push_str(&padded);
        text.push_str("  ");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;

    #[test]
    fn the_table_shows_a_line_for_each_step_by_the_number_of_writers() {
        let text = render(&report());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[3],
            "keys of 16 bytes, values of 100, sync,sync,majority, 8 s after 2 s, medians of 3"
        );
        assert_eq!(lines[4], "compared with etcd 3.4.23");
        assert!(lines[6].starts_with("writers  what "), "{text}");
        assert!(lines[7].starts_with("      1  memory "), "{text}");
        assert!(lines[8].starts_with("     64  bare loop       950   1.500   2.000"), "{text}");
        assert!(
            lines[11].starts_with("     64  fjall ")
                && lines[11].ends_with("0.24    2.37       750      0.50"),
            "{text}"
        );
        assert_eq!(lines.len(), 12);
    }
}
