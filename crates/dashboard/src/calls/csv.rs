//! Calls as a table for other programs. No cell can become a formula in them.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use web::Web;
use web::calls::talked_s;

use super::list::{Filters, find, quality};
use crate::form::Asked;
use crate::page::PageError;
use crate::visitor::Visitor;

/// Rows of one file.
const MOST: usize = 10_000;

/// Rows that are read at once.
const BATCH: u32 = 100;

/// The table that the filters show, beyond its first page.
pub(crate) async fn export(
    visitor: Visitor,
    State(web): State<Web>,
    asked: Asked,
) -> Result<Response, PageError> {
    let mut filters = Filters::of(&asked);
    let mut text = line(&[
        "id",
        "created_at",
        "direction",
        "status",
        "to",
        "from",
        "name",
        "agent",
        "seconds",
        "ended_reason",
        "quality",
        "cost_cents",
        "summary",
    ]);
    let mut rows = 0;
    loop {
        let found = find(&web, &visitor.tenancy, &filters, BATCH).await?;
        for view in &found.rows {
            let call = &view.call;
            let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
            text += &line(&[
                &call.id.to_string(),
                &call.created_at.to_string(),
                call.direction.as_str(),
                call.state().public(),
                call.to.as_str(),
                call.from.as_ref().map_or("", |from| from.as_str()),
                call.request.name.as_deref().unwrap_or_default(),
                &view.agent_name,
                &number(talked_s(call)),
                call.ended_reason().unwrap_or_default(),
                &number(quality(call).map(u64::from)),
                &call.cost_cents().to_string(),
                call.summary().unwrap_or_default(),
            ]);
        }
        rows += found.rows.len();
        filters = match found.next {
            Some(next) if rows < MOST => filters.from(next),
            _ => break,
        };
    }
    Ok(file(&format!("calls-{}.csv", visitor.mode()), text))
}

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
