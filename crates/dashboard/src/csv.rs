//! Tables as CSV files for other programs. No cell can become a formula in them.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

/// No further rows are read for a file that has this many.
const MOST_ROWS: usize = 10_000;

/// Rows that are read at once.
pub(crate) const BATCH: u32 = 100;

/// A table in the making.
pub(crate) struct Table {
    text: String,
    rows: usize,
}

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self { text: line(columns), rows: 0 }
    }

    pub(crate) fn push(&mut self, cells: &[&str]) {
        self.text += &line(cells);
        self.rows += 1;
    }

    /// False once it has as many rows as one file may have.
    pub(crate) fn has_room(&self) -> bool {
        self.rows < MOST_ROWS
    }

    /// The table as a file to keep.
    pub(crate) fn into_file(self, name: &str) -> Response {
        let place = format!("attachment; filename=\"{name}\"");
        ([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, place)], self.text)
            .into_response()
    }
}

/// One line of a table (RFC 4180). What a spreadsheet would compute becomes text.
fn line(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    cells.join(",") + "\r\n"
}

fn quoted(cell: &str) -> String {
    let computes =
        cell.trim_start().starts_with(['=', '+', '-', '@']) || cell.starts_with(['\t', '\r', '\n']);
    let cell = if computes { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\r', '\n', ';', '\'']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_reaches_into_the_next_one() {
        for (cell, written) in [
            ("plain", "plain"),
            ("two, cells", "\"two, cells\""),
            ("a \"word\"", "\"a \"\"word\"\"\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+15125550100", "\"'+15125550100\""),
            ("-1", "\"'-1\""),
            (" @SUM(A1)", "\"' @SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("line\nbreak", "\"line\nbreak\""),
        ] {
            assert_eq!(line(&[cell, "x"]), format!("{written},x\r\n"));
        }
    }
}
