//! What was found as a page of its own, which needs nothing else: its style and its drawings are in it.
//!
//! ```text
//!  render_report --> LinePlot: rates, latencies and ratios against what the steps differ in --+--> LogAxis
//!     |      \-----> SpreadPlot: the latencies of each step ----------------------------------+
//!     +--> table, page --> Element, which escapes and closes
//!  render_sheet
//! ```

mod element;
mod line_plot;
mod log_axis;
mod page_file;
mod report_page;
mod spread_plot;

pub(super) use page_file::PageFile;
pub(super) use report_page::render_report;

use super::printed::Sheet;
use element::Element;

/// The page's style. It has nothing in it that would be escaped.
const STYLE: &str = include_str!("html/style.css");

/// A sheet as a page.
pub(super) fn render_sheet(sheet: &Sheet) -> String {
    let main = Element::new("main").child(header(sheet.title, &sheet.notes)).child(figures(
        &sheet.lines,
        sheet.meanings,
        |_| RowStyle::default(),
    ));
    page(sheet.title, main)
}

fn page(title: &str, main: Element) -> String {
    let head = Element::new("head")
        .child(Element::new("meta").with("charset", "utf-8"))
        .child(viewport())
        .child(Element::new("title").text(title))
        .child(Element::new("style").text(STYLE));
    let page = Element::new("html").with("lang", "en").child(head).child(Element::new("body").child(main));
    format!("<!DOCTYPE html>\n{page}\n")
}

fn viewport() -> Element {
    Element::new("meta").with("name", "viewport").with("content", "width=device-width, initial-scale=1")
}

/// The title, the program's version and a line for each note.
fn header(title: &str, notes: &[String]) -> Element {
    let version = concat!("quorate ", env!("CARGO_PKG_VERSION"));
    Element::new("header")
        .child(Element::new("h1").text(title))
        .child(Element::new("p").text(version))
        .children(notes.iter().map(|note| Element::new("p").text(note)))
}

/// How a row of a table looks.
#[derive(Default)]
struct RowStyle {
    /// What gives its name a colour.
    colour: Option<String>,
    /// A line stands above it.
    begins: bool,
}

/// All figures in a table, its heads first, and what its columns mean.
fn figures(lines: &[Vec<String>], meanings: &[(&str, &str)], style: impl Fn(usize) -> RowStyle) -> Element {
    let (heads, rows) = lines.split_first().map_or((&[][..], &[][..]), |(heads, rows)| (&heads[..], rows));
    let head = heads.iter().map(|head| Element::new("th").with("scope", "col").text(head));
    let body = rows.iter().enumerate().map(|(index, cells)| table_row(cells, style(index)));
    let table = Element::new("table")
        .child(Element::new("thead").child(Element::new("tr").children(head)))
        .child(Element::new("tbody").children(body));
    let told = meanings.iter().filter(|(head, _)| heads.iter().any(|known| known == head));
    let meaning =
        |(head, meaning): &(&str, &str)| [Element::new("dt").text(head), Element::new("dd").text(meaning)];
    Element::new("section")
        .child(Element::new("h2").text("All figures"))
        .child(Element::new("div").with("class", "scroll").child(table))
        .child(Element::new("dl").children(told.flat_map(meaning)))
}

/// A row; the second column names what was measured.
fn table_row(cells: &[String], style: RowStyle) -> Element {
    let sample = |class: &String| Element::new("span").with("class", format_args!("sample {class}"));
    let cell = |(column, text): (usize, &String)| match column {
        1 => Element::new("th").with("scope", "row").children(style.colour.as_ref().map(sample)).text(text),
        _ => Element::new("td").text(text),
    };
    let row = Element::new("tr").children(cells.iter().enumerate().map(cell));
    if style.begins { row.with("class", "first") } else { row }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::printed::tests::sheet;

    /// The names of the elements that are open at the end, after checking that each end fits its beginning.
    pub(super) fn open_at_the_end(page: &str) -> Vec<&str> {
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
    fn a_sheet_is_a_page_with_its_notes_its_table_and_its_meanings() {
        let page = render_sheet(&sheet());
        assert_eq!(open_at_the_end(&page), [] as [&str; 0]);
        for part in ["<h1>A sheet</h1>", "how &lt;it&gt; was made", ">16</td>", "<dd>how long it took</dd>"] {
            assert!(page.contains(part), "{part}");
        }
    }

    #[test]
    fn a_column_that_is_not_there_is_not_explained() {
        let mut sheet = sheet();
        sheet.meanings = &[("lost", "how many were lost")];
        assert!(!render_sheet(&sheet).contains("how many were lost"));
    }
}
