//! The report as a page of its own, which needs nothing else: its style and its drawings are in it.
//!
//! ```text
//!  render --> Element, which escapes and closes
//!     +------> LinePlot: rates, latencies and ratios against the number of writers --+--> LogAxis
//!     \------> SpreadPlot: the latencies of each step -------------------------------+
//! ```

mod element;
mod line_plot;
mod log_axis;
mod page_file;
mod spread_plot;

pub(super) use page_file::PageFile;

use super::latencies::Percentiles;
use super::report::{Report, Row, Subject};
use super::table;
use element::Element;
use line_plot::{Line, LinePlot};
use spread_plot::{Spread, SpreadPlot};
use std::num::NonZero;

/// The page's style. It has nothing in it that would be escaped.
const STYLE: &str = include_str!("html/style.css");

/// How many colours there are for groups.
const GROUP_COLOURS: usize = 6;

/// What the columns mean that do not say so themselves.
const MEANINGS: [(&str, &str); 7] = [
    ("writes/s", "committed and applied on the master, over the measured time and the drain"),
    ("drain ms", "from the last write until all nodes had applied everything"),
    ("cpu us", "processor time of all nodes and of the writers for each write, in microseconds"),
    (
        "of floor",
        "the rate over the bare loop's: three processes that write, sync and replicate, and do nothing else",
    ),
    ("x etcd", "the rate over etcd's at as many writers"),
    ("engine/s", "entries a second that three processes at once apply to the same engine without a group"),
    ("of limit", "the rate over the smaller of the memory engine's rate and of what the engine takes alone"),
];

/// The report as a page.
pub(super) fn render(report: &Report) -> String {
    let mut rows = report.rows();
    rows.sort_by_key(|row| row.writers);
    let subjects = Subjects::of(&rows);
    let body = Element::new("main")
        .child(header(report))
        .child(machine(report))
        .children(section("Rate and latency", [rate(&rows, &subjects), latency(&rows, &subjects)]))
        .children(section("Ratios", [of_floor(&rows, &subjects), times_etcd(&rows, &subjects)]))
        .children(section("Spread", [spread(&rows, &subjects)]))
        .child(figures(&rows, &subjects));
    let head = Element::new("head")
        .child(Element::new("meta").with("charset", "utf-8"))
        .child(viewport())
        .child(Element::new("title").text(TITLE))
        .child(Element::new("style").text(STYLE));
    let page = Element::new("html").with("lang", "en").child(head).child(Element::new("body").child(body));
    format!("<!DOCTYPE html>\n{page}\n")
}

const TITLE: &str = "Quorate benchmark";

fn viewport() -> Element {
    Element::new("meta").with("name", "viewport").with("content", "width=device-width, initial-scale=1")
}

fn header(report: &Report) -> Element {
    let version = concat!("quorate ", env!("CARGO_PKG_VERSION"));
    let compared = report.settings.etcd_version.as_ref();
    let compared = compared.map(|version| format!(", compared with etcd {version}")).unwrap_or_default();
    Element::new("header")
        .child(Element::new("h1").text(TITLE))
        .child(Element::new("p").text(format_args!("{version}{compared}")))
        .child(Element::new("p").text(table::settings(&report.settings)))
}

/// What the machine does alone.
fn machine(report: &Report) -> Element {
    let machine = &report.machine;
    let heading = match machine.processors.map(NonZero::get) {
        Some(1) => "The machine alone: one processor".to_owned(),
        Some(processors) => format!("The machine alone: {processors} processors"),
        None => "The machine alone".to_owned(),
    };
    let tiles = [
        ("4 KiB synced, one process", &machine.sync_alone),
        ("4 KiB synced, three processes", &machine.sync_of_three),
        ("loopback round trip", &machine.round_trip),
    ];
    Element::new("section").child(Element::new("h2").text(heading)).child(
        Element::new("div").with("class", "tiles").children(tiles.map(|(what, found)| tile(what, found))),
    )
}

fn tile(what: &str, found: &Percentiles) -> Element {
    let micros = |nanos: u64| format!("{:.1} \u{b5}s", nanos as f64 / 1e3);
    Element::new("div")
        .child(Element::new("span").text(what))
        .child(Element::new("strong").text(micros(found.p50)))
        .child(Element::new("span").text(format_args!("median; p99 {}", micros(found.p99))))
}

/// A section with those of the figures that there are; none without any.
fn section<const N: usize>(title: &str, figures: [Option<Element>; N]) -> Option<Element> {
    let figures: Vec<Element> = figures.into_iter().flatten().collect();
    let grid = |figures| Element::new("div").with("class", "figures").children(figures);
    (!figures.is_empty())
        .then(|| Element::new("section").child(Element::new("h2").text(title)).child(grid(figures)))
}

fn rate(rows: &[Row], subjects: &Subjects) -> Option<Element> {
    LinePlot {
        title: "Writes per second",
        note: "Both axes are logarithmic; higher is better.",
        unit: " writes/s",
        lines: subjects.lines(rows, false, |row| Some(row.writes_per_second)),
    }
    .figure()
}

fn latency(rows: &[Row], subjects: &Subjects) -> Option<Element> {
    let mut lines = subjects.lines(rows, false, |row| Some(row.latency.p50 as f64 / 1e6));
    lines.extend(subjects.lines(rows, true, |row| Some(row.latency.p99 as f64 / 1e6)));
    LinePlot {
        title: "Latency of a write, in milliseconds",
        note: "Solid: the median. Dashed: p99. Lower is better.",
        unit: " ms",
        lines,
    }
    .figure()
}

fn of_floor(rows: &[Row], subjects: &Subjects) -> Option<Element> {
    LinePlot {
        title: "Rate over the bare loop\u{2019}s",
        note: "1 would be the rate of three processes that write, sync and replicate, and do nothing else.",
        unit: " of the bare loop",
        lines: subjects.lines(rows, false, |row| row.share_of_floor),
    }
    .figure()
}

fn times_etcd(rows: &[Row], subjects: &Subjects) -> Option<Element> {
    LinePlot {
        title: "Rate over etcd\u{2019}s",
        note: "1 would be etcd\u{2019}s rate at as many writers; higher is better.",
        unit: " times etcd",
        lines: subjects.lines(rows, false, |row| row.times_etcd),
    }
    .figure()
}

fn spread(rows: &[Row], subjects: &Subjects) -> Option<Element> {
    let step = |row: &Row| Spread {
        name: row.what.clone(),
        class: subjects.class(row.subject),
        writers: row.writers,
        latencies: row.latency,
    };
    SpreadPlot { steps: rows.iter().map(step).collect() }.figure()
}

/// All figures in a table, and what its columns mean.
fn figures(rows: &[Row], subjects: &Subjects) -> Element {
    let heads = table::HEADS.map(|head| Element::new("th").with("scope", "col").text(head));
    let head = Element::new("thead").child(Element::new("tr").children(heads));
    let body =
        rows.chunk_by(|row, next| row.writers == next.writers).flat_map(|rows| table_rows(rows, subjects));
    let body = Element::new("tbody").children(body);
    let meaning =
        |(head, meaning): (&str, &str)| [Element::new("dt").text(head), Element::new("dd").text(meaning)];
    let table = Element::new("table").child(head).child(body);
    Element::new("section")
        .child(Element::new("h2").text("All figures"))
        .child(Element::new("div").with("class", "scroll").child(table))
        .child(Element::new("dl").children(MEANINGS.into_iter().flat_map(meaning)))
}

/// The rows of one number of writers.
fn table_rows(rows: &[Row], subjects: &Subjects) -> Vec<Element> {
    let line = |(index, row): (usize, &Row)| {
        let line = table_row(row, &subjects.class(row.subject));
        if index == 0 { line.with("class", "first") } else { line }
    };
    rows.iter().enumerate().map(line).collect()
}

fn table_row(row: &Row, class: &str) -> Element {
    let cell = |(head, text): (&str, String)| {
        if head == "what" {
            let sample = Element::new("span").with("class", format_args!("sample {class}"));
            return Element::new("th").with("scope", "row").child(sample).text(text);
        }
        Element::new("td").text(text)
    };
    Element::new("tr").children(table::HEADS.into_iter().zip(table::cells(row)).map(cell))
}

/// What was measured, in the order in which it first was, each with a colour.
struct Subjects(Vec<Subject>);

impl Subjects {
    fn of(rows: &[Row]) -> Self {
        let mut subjects = Vec::new();
        for row in rows {
            if !subjects.contains(&row.subject) {
                subjects.push(row.subject);
            }
        }
        Self(subjects)
    }

    /// The class that gives a subject its colour.
    fn class(&self, subject: Subject) -> String {
        match subject {
            Subject::Floor => "floor".to_owned(),
            Subject::Etcd => "etcd".to_owned(),
            Subject::Group { .. } => {
                let mut groups = self.0.iter().filter(|known| known.is_group());
                let number = groups.position(|known| *known == subject).unwrap_or_default();
                format!("g{}", number % GROUP_COLOURS)
            }
        }
    }

    /// A line for each subject that has the figure.
    fn lines(&self, rows: &[Row], dashed: bool, figure: impl Fn(&Row) -> Option<f64>) -> Vec<Line> {
        let line = |subject: &Subject| Line {
            name: subject.to_string(),
            class: self.class(*subject),
            dashed,
            points: rows
                .iter()
                .filter(|row| row.subject == *subject)
                .filter_map(|row| Some((row.writers, figure(row)?)))
                .collect(),
        };
        self.0.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;

    /// The names of the elements that are open at the end, after checking that each end fits its beginning.
    fn open_at_the_end(page: &str) -> Vec<&str> {
        let mut open = Vec::new();
        for tag in page.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("a tag ends");
            let name = tag.split(' ').next().unwrap_or_default();
            if let Some(name) = name.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "in {tag}");
            } else if !tag.ends_with('/') && !tag.starts_with('!') {
                open.push(name);
            }
        }
        open
    }

    #[test]
    fn the_page_is_well_formed_and_needs_nothing_else() {
        let page = render(&report());
        assert_eq!(open_at_the_end(&page), [] as [&str; 0]);
        assert!(page.contains(STYLE), "the style has nothing to escape");
        for reference in ["http:", "https:", "src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }

    #[test]
    fn the_page_holds_every_row_of_the_table_and_the_settings() {
        let report = report();
        let page = render(&report);
        let lines: Vec<&str> = page.split("<tr").collect();
        for row in report.rows() {
            let cells = table::cells(&row).map(|cell| format!(">{cell}</t"));
            let holds_all = |line: &&str| cells.iter().all(|cell| line.contains(cell));
            assert!(lines.iter().any(holds_all), "{} at {} writers", row.what, row.writers);
        }
        assert!(page.contains("keys of 16 bytes, values of 100, sync,sync,majority"));
        assert!(page.contains("compared with etcd 3.4.23"));
        assert!(page.contains("The machine alone: 2 processors"));
    }

    #[test]
    fn what_a_cluster_calls_its_version_stays_text() {
        let mut report = report();
        report.settings.etcd_version = Some("<script>alert(1)</script>".to_owned());
        let page = render(&report);
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert_eq!(open_at_the_end(&page), [] as [&str; 0]);
    }

    #[test]
    fn ratios_that_nobody_asked_for_have_no_plot() {
        let mut report = report();
        assert_eq!(render(&report).matches("<figure").count(), 5);
        report.forget(Subject::Etcd);
        report.forget(Subject::Floor);
        assert_eq!(render(&report).matches("<figure").count(), 3);
    }
}
