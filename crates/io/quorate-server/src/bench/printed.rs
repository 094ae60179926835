/// What an experiment has found, in both forms in which it can be printed.
pub(super) struct Printed {
    /// Whole lines.
    pub(super) text: String,
    /// One JSON object.
    pub(super) json: String,
}

/// Cells in columns as wide as their widest cell, to the right; the second one, which is text, to the left.
pub(super) fn columns(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(String::len).max();
    let padded = |(column, cell): (usize, &String)| {
        let width = width(column).unwrap_or(0);
        if column == 1 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
    };
    let aligned = |line: &Vec<String>| {
        let cells: Vec<String> = line.iter().enumerate().map(padded).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    lines.iter().map(aligned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_to_the_right_and_names_to_the_left() {
        let line = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let text = columns(&[line(["n", "what", "ms"]), line(["16", "a", "1.5"])]);
        assert_eq!(text, " n  what   ms\n16  a     1.5\n");
    }
}
