use super::element::Element;
use super::log_axis::{self, LogAxis};
use crate::bench::case::{Case, counted};

/// A figure against what the steps differ in, a line for each subject; both axes are logarithmic.
pub(super) struct LinePlot {
    pub(super) title: &'static str,
    /// How to read it.
    pub(super) note: &'static str,
    pub(super) unit: &'static str,
    pub(super) across: Across,
    pub(super) lines: Vec<Line>,
}

/// What an axis shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Across {
    Writers,
    ValueBytes,
    Nodes,
}

impl Across {
    pub(super) const fn of(self, case: &Case) -> u32 {
        match self {
            Self::Writers => case.writers,
            Self::ValueBytes => case.value_bytes,
            Self::Nodes => case.nodes,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Writers => "number of writers",
            Self::ValueBytes => "length of the values in bytes",
            Self::Nodes => "number of nodes",
        }
    }

    /// A number on the axis in words.
    pub(super) fn text(self, number: u32) -> String {
        let thing = match self {
            Self::Writers => "writer",
            Self::ValueBytes => "byte",
            Self::Nodes => "node",
        };
        counted(number, thing)
    }
}

/// One line's figures.
pub(super) struct Line {
    pub(super) name: String,
    /// What gives it its colour.
    pub(super) class: String,
    /// A second line of a subject. It is not in the legend.
    pub(super) dashed: bool,
    /// Places on the axis, ascending, with the figure at each. Where one of both is zero nothing is drawn.
    pub(super) points: Vec<(u32, f64)>,
}

/// Size of the drawing and of what surrounds the lines, in pixels.
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;

impl LinePlot {
    /// The plot with its title and legend. None if there is nothing to draw.
    pub(super) fn figure(mut self) -> Option<Element> {
        for line in &mut self.lines {
            line.points.retain(|(place, figure)| *place > 0 && *figure > 0.0);
        }
        self.lines.retain(|line| !line.points.is_empty());
        let all = || self.lines.iter().flat_map(|line| &line.points);
        let figures: Vec<f64> = all().map(|(_, figure)| *figure).collect();
        let mut places: Vec<u32> = all().map(|(place, _)| *place).collect();
        places.sort_unstable();
        places.dedup();
        let numbers: Vec<f64> = places.iter().copied().map(f64::from).collect();
        let across = LogAxis::close_to(&numbers, LEFT, WIDTH - RIGHT)?;
        let up = LogAxis::around(&figures, HEIGHT - BOTTOM, TOP)?;
        let drawing = Element::new("svg")
            .with("viewBox", format_args!("0 0 {WIDTH} {HEIGHT}"))
            .with("role", "img")
            .with("aria-label", self.title)
            .children(up.ticks().into_iter().flat_map(|tick| level(&up, tick)))
            .children(places.iter().map(|place| place_tick(&across, *place)))
            .child(axis_title(self.across.title()))
            .children(self.lines.iter().map(|line| line.draw(&across, &up, &self)));
        let caption = Element::new("figcaption")
            .child(Element::new("h3").text(self.title))
            .child(Element::new("p").text(self.note))
            .child(self.legend());
        Some(Element::new("figure").child(caption).child(drawing))
    }

    fn legend(&self) -> Element {
        let entries = self.lines.iter().filter(|line| !line.dashed);
        let entry = |line: &Line| {
            let sample = Element::new("span").with("class", format_args!("sample {}", line.class));
            Element::new("li").child(sample).text(&line.name)
        };
        Element::new("ul").with("class", "legend").children(entries.map(entry))
    }
}

impl Line {
    fn draw(&self, across: &LogAxis, up: &LogAxis, plot: &LinePlot) -> Element {
        let place = |(place, figure): &(u32, f64)| (across.position((*place).into()), up.position(*figure));
        let corners: Vec<String> =
            self.points.iter().map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let dashed = if self.dashed { " dashed" } else { "" };
        let path = Element::new("polyline").with("points", corners.join(" "));
        let dot = |point: &(u32, f64)| {
            let (x, y) = place(point);
            let (at, figure) = (plot.across.text(point.0), figure_text(point.1));
            let told = format!("{}, {at}: {figure}{}", self.name, plot.unit);
            let title = Element::new("title").text(told);
            Element::new("circle").at("cx", x).at("cy", y).with("r", 4).child(title)
        };
        Element::new("g")
            .with("class", format_args!("line {}{dashed}", self.class))
            .child(path)
            .children(self.points.iter().map(dot))
    }
}

/// To three digits at least.
fn figure_text(figure: f64) -> String {
    let digits = (2 - figure.log10().floor() as i32).max(0) as usize;
    format!("{figure:.digits$}")
}

/// A level and its label.
fn level(up: &LogAxis, tick: f64) -> [Element; 2] {
    let y = up.position(tick);
    let line = Element::new("line").with("class", "grid").at("x1", LEFT).at("x2", WIDTH - RIGHT);
    let label = Element::new("text").with("class", "up").at("x", LEFT - 8.0).at("y", y + 4.0);
    [line.at("y1", y).at("y2", y), label.text(log_axis::label(tick))]
}

fn place_tick(across: &LogAxis, place: u32) -> Element {
    let x = across.position(place.into());
    Element::new("text").with("class", "across").at("x", x).at("y", HEIGHT - BOTTOM + 18.0).text(place)
}

fn axis_title(text: &str) -> Element {
    let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
    Element::new("text").with("class", "across").at("x", middle).at("y", HEIGHT - 6.0).text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, dashed: bool, points: &[(u32, f64)]) -> Line {
        Line { name: name.to_owned(), class: "g0".to_owned(), dashed, points: points.to_vec() }
    }

    fn plot(lines: Vec<Line>) -> Option<String> {
        let plot = LinePlot { title: "Rate", note: "up is good", unit: "/s", across: Across::Writers, lines };
        Some(plot.figure()?.to_string())
    }

    #[test]
    fn each_figure_is_a_dot_that_says_what_it_is() {
        let drawn = plot(vec![
            line("memory", false, &[(1, 10.0), (100, 1000.0)]),
            line("memory", true, &[(1, 20.0)]),
        ])
        .unwrap();
        for told in ["memory, 1 writer: 10.0/s", "memory, 100 writers: 1000/s", "memory, 1 writer: 20.0/s"] {
            assert!(drawn.contains(told), "{drawn}");
        }
        assert_eq!(drawn.matches("<li>").count(), 1, "{drawn}");
        assert_eq!(drawn.matches("<circle").count(), 3, "{drawn}");
    }

    #[test]
    fn what_a_logarithm_does_not_have_is_left_out() {
        assert!(plot(vec![line("memory", false, &[(1, 0.0)])]).is_none());
        let drawn = plot(vec![line("memory", false, &[(1, 0.0), (2, 1.0)])]).unwrap();
        assert_eq!(drawn.matches("<circle").count(), 1, "{drawn}");
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
    }
}
