use super::element::Element;
use super::line_plot::{Across, Line, LinePlot};
use super::spread_plot::{Spread, SpreadPlot};
use super::{RowStyle, figures, header, page};
use crate::bench::case::{Case, Differences};
use crate::bench::latencies::Percentiles;
use crate::bench::report::{Report, Row, Series, Subject};
use crate::bench::table;
use std::num::NonZero;

const TITLE: &str = "Quorate benchmark";

/// How many colours there are for groups.
const GROUP_COLOURS: usize = 6;

/// What the columns mean that do not say so themselves.
const MEANINGS: [(&str, &str); 11] = [
    ("writes/s", "committed and applied on the master, over the measured time and the drain"),
    ("drain ms", "from the last write until all nodes had applied everything"),
    ("cpu us", "processor time of all nodes and of the writers for each write, in microseconds"),
    ("idle MiB", "memory of the node that has most before the load, without what it maps of files"),
    ("peak MiB", "the most memory that a node has at a time, without what it maps of files"),
    (
        "of floor",
        "the rate over the bare loop's: as many processes that write, sync and replicate, and do nothing else",
    ),
    ("x spread", "how many times its median the p99 is, over the same of the bare loop"),
    ("x first", "the rate over that with the durability that was named first"),
    ("x etcd", "the rate over etcd's at as many writers"),
    ("engine/s", "entries a second that as many processes at once apply to the same engine without a group"),
    ("of limit", "the rate over the smaller of the memory engine's rate and of what the engine takes alone"),
];

/// The report of a group's writes as a page.
pub(in crate::bench) fn render_report(report: &Report) -> String {
    let rows = report.rows();
    let chart = Chart::of(&rows);
    let main = Element::new("main")
        .child(header(TITLE, &notes(report)))
        .child(machine(report))
        .children(section("Rate and latency", [chart.rate(), chart.latency()]))
        .children(section("Ratios", [chart.of_floor(), chart.times_etcd()]))
        .children(section("Memory", [chart.memory()]))
        .children(section("Spread", [chart.spread()]))
        .child(figures(&table::lines(&rows), &MEANINGS, |index| chart.row_style(index)));
    page(TITLE, main)
}

fn notes(report: &Report) -> Vec<String> {
    let compared = report.settings.etcd_version.as_ref();
    let compared = compared.map(|version| format!("compared with etcd {version}"));
    compared.into_iter().chain([table::settings(&report.settings)]).collect()
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

/// The rows as lines of figures.
struct Chart<'a> {
    rows: &'a [Row],
    differences: Differences,
    across: Across,
    /// What was measured, in the order in which it first was, each with a colour.
    lines: Vec<LineOf>,
}

/// The rows of one line: those that differ only in what the axis shows.
#[derive(Clone, Copy, PartialEq, Eq)]
struct LineOf {
    series: Series,
    /// With a zero for what the axis shows.
    case: Case,
}

impl<'a> Chart<'a> {
    fn of(rows: &'a [Row]) -> Self {
        let cases: Vec<Case> = rows.iter().map(|row| row.case).collect();
        let differences = Differences::of(&cases);
        let across = match differences {
            Differences { writers: false, value_bytes: true, .. } => Across::ValueBytes,
            Differences { writers: false, nodes: true, .. } => Across::Nodes,
            _ => Across::Writers,
        };
        let mut lines = Vec::new();
        for row in rows {
            let line = LineOf::of(row, across);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        Self { rows, differences, across, lines }
    }

    fn rate(&self) -> Option<Element> {
        LinePlot {
            title: "Writes per second",
            note: "Both axes are logarithmic; higher is better.",
            unit: " writes/s",
            across: self.across,
            lines: self.lines(false, |row| Some(row.writes_per_second)),
        }
        .figure()
    }

    fn latency(&self) -> Option<Element> {
        let mut lines = self.lines(false, |row| Some(row.latency.p50 as f64 / 1e6));
        lines.extend(self.lines(true, |row| Some(row.latency.p99 as f64 / 1e6)));
        LinePlot {
            title: "Latency of a write, in milliseconds",
            note: "Solid: the median. Dashed: p99. Lower is better.",
            unit: " ms",
            across: self.across,
            lines,
        }
        .figure()
    }

    fn of_floor(&self) -> Option<Element> {
        LinePlot {
            title: "Rate over the bare loop\u{2019}s",
            note: "1 would be the rate of processes that write, sync and replicate, and do nothing else.",
            unit: " of the bare loop",
            across: self.across,
            lines: self.lines(false, |row| row.share_of_floor),
        }
        .figure()
    }

    fn times_etcd(&self) -> Option<Element> {
        LinePlot {
            title: "Rate over etcd\u{2019}s",
            note: "1 would be etcd\u{2019}s rate at as many writers; higher is better.",
            unit: " times etcd",
            across: self.across,
            lines: self.lines(false, |row| row.times_etcd),
        }
        .figure()
    }

    fn memory(&self) -> Option<Element> {
        let mebibytes = |bytes: Option<u64>| bytes.map(crate::bench::printed::mebibytes);
        let mut lines = self.lines(false, |row| mebibytes(row.peak_bytes));
        lines.extend(self.lines(true, |row| mebibytes(row.idle_bytes)));
        LinePlot {
            title: "Memory of the node that has most, in MiB",
            note: "Solid: the most at a time. Dashed: before the load. Lower is better.",
            unit: " MiB",
            across: self.across,
            lines,
        }
        .figure()
    }

    fn spread(&self) -> Option<Element> {
        let step = |row: &Row| Spread {
            name: row.what.clone(),
            class: self.class(LineOf::of(row, self.across)),
            case: self.differences.tell(&row.case),
            latencies: row.latency,
        };
        SpreadPlot { steps: self.rows.iter().map(step).collect() }.figure()
    }

    /// A line for each of those that have the figure.
    fn lines(&self, dashed: bool, figure: impl Fn(&Row) -> Option<f64>) -> Vec<Line> {
        let line = |line: &LineOf| Line {
            name: self.name(*line),
            class: self.class(*line),
            dashed,
            points: self
                .rows
                .iter()
                .filter(|row| LineOf::of(row, self.across) == *line)
                .filter_map(|row| Some((self.across.of(&row.case), figure(row)?)))
                .collect(),
        };
        self.lines.iter().map(line).collect()
    }

    /// What was measured, with what it is told apart by that the axis does not show.
    fn name(&self, line: LineOf) -> String {
        let mut name = line.series.to_string();
        if self.differences.value_bytes && self.across != Across::ValueBytes {
            name += &format!(", {}", Across::ValueBytes.text(line.case.value_bytes));
        }
        if self.differences.nodes && self.across != Across::Nodes {
            name += &format!(", {}", Across::Nodes.text(line.case.nodes));
        }
        name
    }

    /// The class that gives a line its colour.
    fn class(&self, line: LineOf) -> String {
        match line.series.subject {
            Subject::Floor => "floor".to_owned(),
            Subject::Etcd => "etcd".to_owned(),
            Subject::Group { .. } => {
                let mut groups = self.lines.iter().filter(|known| known.series.subject.is_group());
                let number = groups.position(|known| *known == line).unwrap_or_default();
                format!("g{}", number % GROUP_COLOURS)
            }
        }
    }

    fn row_style(&self, index: usize) -> RowStyle {
        let row = &self.rows[index];
        let begins = index == 0 || self.rows[index - 1].case != row.case;
        RowStyle { colour: Some(self.class(LineOf::of(row, self.across))), begins }
    }
}

impl LineOf {
    fn of(row: &Row, across: Across) -> Self {
        let case = match across {
            Across::Writers => Case { writers: 0, ..row.case },
            Across::ValueBytes => Case { value_bytes: 0, ..row.case },
            Across::Nodes => Case { nodes: 0, ..row.case },
        };
        Self { series: row.series, case }
    }
}

#[cfg(test)]
mod tests {
    use super::super::STYLE;
    use super::super::tests::open_at_the_end;
    use super::*;
    use crate::bench::report::tests::{report, report_of_sizes};

    #[test]
    fn the_page_is_well_formed_and_needs_nothing_else() {
        let page = render_report(&report());
        assert_eq!(open_at_the_end(&page), [] as [&str; 0]);
        assert!(page.contains(STYLE), "the style has nothing to escape");
        for reference in ["http:", "https:", "src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }

    #[test]
    fn the_page_holds_every_row_of_the_table_and_the_settings() {
        let report = report();
        let page = render_report(&report);
        let found: Vec<&str> = page.split("<tr").collect();
        for cells in table::lines(&report.rows()) {
            let holds_all = |line: &&str| cells.iter().all(|cell| line.contains(&format!(">{cell}</t")));
            assert!(found.iter().any(holds_all), "{cells:?}");
        }
        assert!(page.contains("keys of 16 bytes, values of 100, nodes 3, sync,sync,majority"));
        assert!(page.contains("compared with etcd 3.4.23"));
        assert!(page.contains("The machine alone: 2 processors"));
    }

    #[test]
    fn what_a_cluster_calls_its_version_stays_text() {
        let mut report = report();
        report.settings.etcd_version = Some("<script>alert(1)</script>".to_owned());
        let page = render_report(&report);
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert_eq!(open_at_the_end(&page), [] as [&str; 0]);
    }

    #[test]
    fn ratios_that_nobody_asked_for_have_no_plot() {
        let mut report = report();
        assert_eq!(render_report(&report).matches("<figure").count(), 6);
        report.forget(Subject::Etcd);
        report.forget(Subject::Floor);
        assert_eq!(render_report(&report).matches("<figure").count(), 4);
    }

    #[test]
    fn sizes_that_differ_take_the_place_of_the_writers_on_the_axis() {
        let page = render_report(&report_of_sizes());
        assert!(
            page.contains("length of the values in bytes") && !page.contains("number of writers"),
            "{page}"
        );
        assert!(page.contains("fjall, 5 nodes, 1048576 bytes: 4.00 writes/s"), "{page}");
        assert!(page.contains("64 writers, values of 1024 bytes, 1 node<"), "{page}");
    }
}
