use super::element::Element;
use super::log_axis::{self, LogAxis};
use crate::bench::latencies::Percentiles;

/// How the latencies of each step are spread, from the median to the longest, on one logarithmic axis.
pub(super) struct SpreadPlot {
    /// Steps of the same case stand together.
    pub(super) steps: Vec<Spread>,
}

/// One step's latencies.
pub(super) struct Spread {
    pub(super) name: String,
    /// What gives it its colour.
    pub(super) class: String,
    /// At what it was measured, in words.
    pub(super) case: String,
    pub(super) latencies: Percentiles,
}

/// Size of the drawing and of its parts, in pixels.
const WIDTH: f64 = 1000.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 26.0;
const ROW_HEIGHT: f64 = 22.0;
const HEADING_HEIGHT: f64 = 28.0;

impl SpreadPlot {
    /// The plot with its title and legend. None if there is nothing to draw.
    pub(super) fn figure(mut self) -> Option<Element> {
        self.steps.retain(|step| step.latencies.p50 > 0);
        let ends = |step: &Spread| [step.latencies.p50, step.latencies.max].map(millis);
        let values: Vec<f64> = self.steps.iter().flat_map(ends).collect();
        let across = LogAxis::around(&values, LEFT, WIDTH - RIGHT)?;
        let (rows, height) = self.rows(&across);
        let drawing = Element::new("svg")
            .with("viewBox", format_args!("0 0 {WIDTH} {height}"))
            .with("role", "img")
            .with("aria-label", TITLE)
            .children(across.ticks().into_iter().flat_map(|tick| tick_line(&across, tick, height)))
            .children(rows);
        let caption = Element::new("figcaption")
            .child(Element::new("h3").text(TITLE))
            .child(Element::new("p").text(NOTE))
            .child(legend());
        Some(Element::new("figure").with("class", "wide").child(caption).child(drawing))
    }

    /// A row for each step, under a heading for each case, and how far down they reach.
    fn rows(&self, across: &LogAxis) -> (Vec<Element>, f64) {
        let (mut rows, mut y, mut case) = (Vec::new(), TOP, None);
        for step in &self.steps {
            if case != Some(&step.case) {
                case = Some(&step.case);
                rows.push(heading(&step.case, y));
                y += HEADING_HEIGHT;
            }
            rows.push(step.draw(across, y));
            y += ROW_HEIGHT;
        }
        (rows, y + 4.0)
    }
}

const TITLE: &str = "Latency of a write, in milliseconds";
const NOTE: &str = "From the median to the longest; the axis is logarithmic, shorter is better.";

impl Spread {
    fn draw(&self, across: &LogAxis, top: f64) -> Element {
        let y = top + ROW_HEIGHT / 2.0;
        let figures = [
            ("p50", self.latencies.p50),
            ("p99", self.latencies.p99),
            ("p99.9", self.latencies.p999),
            ("max", self.latencies.max),
        ];
        let told = figures.map(|(name, nanos)| format!("{name} {:.3} ms", millis(nanos)));
        let title = format!("{}, {}: {}", self.name, self.case, told.join(", "));
        let x = figures.map(|(_, nanos)| across.position(millis(nanos)));
        let name = Element::new("text").with("class", "up").at("x", LEFT - 10.0).at("y", y + 4.0);
        let range = Element::new("line").with("class", "range").at("x1", x[0]).at("x2", x[3]);
        Element::new("g")
            .with("class", format_args!("line {}", self.class))
            .child(Element::new("title").text(title))
            .child(name.text(&self.name))
            .child(range.at("y1", y).at("y2", y))
            .children(Mark::ALL.into_iter().zip(x).map(|(mark, x)| mark.draw(x, y)))
    }
}

/// How a percentile is drawn.
#[derive(Clone, Copy)]
enum Mark {
    Median,
    P99,
    P999,
    Longest,
}

impl Mark {
    const ALL: [Self; 4] = [Self::Median, Self::P99, Self::P999, Self::Longest];

    fn draw(self, x: f64, y: f64) -> Element {
        match self {
            Self::Median => circle("dot", x, y, 5),
            Self::P99 => circle("ring", x, y, 4),
            Self::P999 => circle("dot", x, y, 3),
            Self::Longest => Element::new("line").at("x1", x).at("x2", x).at("y1", y - 6.0).at("y2", y + 6.0),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Median => "p50",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::Longest => "max",
        }
    }
}

fn circle(class: &'static str, x: f64, y: f64, radius: u32) -> Element {
    Element::new("circle").with("class", class).at("cx", x).at("cy", y).with("r", radius)
}

fn legend() -> Element {
    let entry = |mark: Mark| {
        let sample = Element::new("svg").with("class", "mark line").with("viewBox", "0 0 16 16");
        Element::new("li").child(sample.child(mark.draw(8.0, 8.0))).text(mark.name())
    };
    Element::new("ul").with("class", "legend").children(Mark::ALL.map(entry))
}

fn heading(case: &str, top: f64) -> Element {
    let text = Element::new("text").with("class", "heading").at("x", 4.0).at("y", top + HEADING_HEIGHT - 8.0);
    text.text(case)
}

/// A tick's line from top to bottom, and its label above.
fn tick_line(across: &LogAxis, tick: f64, height: f64) -> [Element; 2] {
    let x = across.position(tick);
    let line = Element::new("line").with("class", "grid").at("x1", x).at("x2", x);
    let label = Element::new("text").with("class", "across").at("x", x).at("y", TOP - 10.0);
    [line.at("y1", TOP - 4.0).at("y2", height), label.text(log_axis::label(tick))]
}

fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(name: &str, case: &str, p50: u64) -> Spread {
        let latencies = Percentiles { p50, p99: 2_000_000, p999: 3_000_000, max: 4_000_000 };
        Spread { name: name.to_owned(), class: "g0".to_owned(), case: case.to_owned(), latencies }
    }

    #[test]
    fn each_step_has_a_row_under_its_case() {
        let steps = vec![
            spread("fjall", "1 writer", 1_000_000),
            spread("redb", "1 writer", 1_000_000),
            spread("fjall", "8 writers", 1_500_000),
        ];
        let drawn = SpreadPlot { steps }.figure().unwrap().to_string();
        assert_eq!(drawn.matches("class=\"heading\"").count(), 2, "{drawn}");
        assert_eq!(drawn.matches("class=\"range\"").count(), 3, "{drawn}");
        let told = "fjall, 8 writers: p50 1.500 ms, p99 2.000 ms, p99.9 3.000 ms, max 4.000 ms";
        assert!(drawn.contains(told), "{drawn}");
    }

    #[test]
    fn a_step_without_a_write_has_no_row() {
        assert!(SpreadPlot { steps: vec![spread("fjall", "1 writer", 0)] }.figure().is_none());
    }
}
