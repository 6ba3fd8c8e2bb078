//! Tables as CSV files for other programs. No cell can become a formula in them.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

/// No further rows are read for a file that has this many.
pub(crate) const MOST_ROWS: usize = 10_000;

/// Rows that are read at once.
pub(crate) const BATCH: u32 = 100;

/// A file to keep.
pub(crate) fn file(name: &str, text: String) -> Response {
    let place = format!("attachment; filename=\"{name}\"");
    ([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, place)], text)
        .into_response()
}

/// One line of a table (RFC 4180). What a spreadsheet would compute becomes text.
pub(crate) fn line(cells: &[&str]) -> String {
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
