use std::fmt::{self, Display, Write};

/// A piece of HTML or SVG. Whatever text it is given is escaped, and whatever it opens it closes.
pub(super) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Child>,
}

enum Child {
    Element(Element),
    Text(String),
}

/// HTML's elements without an end.
const VOID: [&str; 1] = ["meta"];

impl Element {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), children: Vec::new() }
    }

    pub(super) fn with(mut self, attribute: &'static str, value: impl Display) -> Self {
        self.attributes.push((attribute, value.to_string()));
        self
    }

    /// A coordinate or length, to a tenth of a pixel.
    pub(super) fn at(self, attribute: &'static str, pixels: f64) -> Self {
        self.with(attribute, format_args!("{pixels:.1}"))
    }

    pub(super) fn text(mut self, text: impl Display) -> Self {
        self.children.push(Child::Text(text.to_string()));
        self
    }

    pub(super) fn child(mut self, child: Self) -> Self {
        self.children.push(Child::Element(child));
        self
    }

    pub(super) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children.into_iter().map(Child::Element));
        self
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.name)?;
        for (name, value) in &self.attributes {
            write!(f, " {name}=\"")?;
            escape(f, value)?;
            f.write_char('"')?;
        }
        if VOID.contains(&self.name) {
            return f.write_str("/>");
        }
        f.write_char('>')?;
        for child in &self.children {
            match child {
                Child::Element(element) => element.fmt(f)?,
                Child::Text(text) => escape(f, text)?,
            }
        }
        write!(f, "</{}>", self.name)
    }
}

fn escape(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for letter in text.chars() {
        match letter {
            '&' => f.write_str("&amp;")?,
            '<' => f.write_str("&lt;")?,
            '>' => f.write_str("&gt;")?,
            '"' => f.write_str("&quot;")?,
            '\'' => f.write_str("&#39;")?,
            letter => f.write_char(letter)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_cannot_end_what_they_stand_in() {
        let element =
            Element::new("p").with("title", "\"'><b>").text("</p><script>&").child(Element::new("b"));
        assert_eq!(
            element.to_string(),
            "<p title=\"&quot;&#39;&gt;&lt;b&gt;\">&lt;/p&gt;&lt;script&gt;&amp;<b></b></p>"
        );
    }

    #[test]
    fn only_what_has_no_end_in_html_is_written_without_one() {
        let element = Element::new("td").child(Element::new("meta").with("charset", "utf-8"));
        assert_eq!(element.to_string(), "<td><meta charset=\"utf-8\"/></td>");
    }
}
