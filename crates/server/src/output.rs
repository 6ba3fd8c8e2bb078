//! What commands print.
//!
//! Everything for standard output goes through here. A reader who has seen enough (`| head`) closes the pipe, and then the command ends
//! quietly and well ([`Failure::NobodyReads`]) instead of in a panic.

use std::io::Write as _;

use domain::text::is_harmful;
use serde_json::Value;

use crate::failure::Failure;

/// How a command shows what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Tables and sentences, for people.
    Text,
    /// JSON, for programs.
    Json,
}

/// A column of a table: its header, and which field of a row stands in it; `/prompts/inbound` is a field of a field.
pub(crate) type Column = (&'static str, &'static str);

/// Prints a line; takes what `format!` takes.
macro_rules! say {
    () => { $crate::output::line(format_args!("")) };
    ($($argument:tt)*) => { $crate::output::line(format_args!($($argument)*)) };
}
pub(crate) use say;

/// Prints a line.
pub(crate) fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    Ok(writeln!(out, "{text}")?)
}

/// Prints a text that brings its own line breaks.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    bytes(text.as_bytes())
}

/// Writes bytes as they are.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// Prints a value as JSON over several lines.
pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    line(format_args!("{value:#}"))
}

/// Tells people something that is no result, on standard error. If nobody reads that, nothing is lost.
pub(crate) fn remark(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "kaicalls: {text}");
}

/// Prints rows: a table with headers, or a JSON array of all their fields.
pub(crate) fn rows(format: Format, rows: &[Value], columns: &[Column]) -> Result<(), Failure> {
    if format == Format::Json {
        return json(&Value::Array(rows.to_vec()));
    }
    let mut table: Vec<Vec<String>> = vec![columns.iter().map(|(header, _)| (*header).to_owned()).collect()];
    table.extend(rows.iter().map(|row| columns.iter().map(|(_, field)| cell(at(row, field))).collect()));
    let mut widths = vec![0; columns.len()];
    for row in &table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &table {
        let mut shown = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            shown.push_str(cell);
            let padding = width - cell.chars().count() + 2;
            shown.extend(std::iter::repeat_n(' ', padding));
        }
        line(shown.trim_end())?;
    }
    Ok(())
}

/// Prints one thing: a line for each of these fields that has a value, or all of it as JSON.
pub(crate) fn record(format: Format, value: &Value, fields: &[Column]) -> Result<(), Failure> {
    if format == Format::Json {
        return json(value);
    }
    let width = fields.iter().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
    for (label, field) in fields {
        let value = at(value, field);
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            line(format_args!("{label:<width$}  {}", cell(value)))?;
        }
    }
    Ok(())
}

/// Prints the id of something that was made, or all of it as JSON.
pub(crate) fn made(format: Format, value: &Value) -> Result<(), Failure> {
    match format {
        Format::Json => json(value),
        Format::Text => line(value["id"].as_str().unwrap_or_default()),
    }
}

fn at<'a>(value: &'a Value, field: &str) -> &'a Value {
    if field.starts_with('/') { value.pointer(field).unwrap_or(&Value::Null) } else { &value[field] }
}

/// A value in a table. What others have written cannot move the cursor or change colours.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => printable(text),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A text on one line of a terminal, without anything that would move the cursor or change colours.
pub(crate) fn printable(text: &str) -> String {
    let one_line = text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c });
    one_line.filter(|&c| !is_harmful(c)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_one_line_without_control_characters() {
        assert_eq!(cell(&json!("a\nb\u{1b}[31mc")), "a b[31mc");
        assert_eq!(cell(&json!(null)), "-");
        assert_eq!(cell(&json!(["calls:read", "calls:write"])), "calls:read,calls:write");
        assert_eq!(cell(&json!(true)), "yes");
        assert_eq!(cell(&json!(12.5)), "12.5");
    }

    #[test]
    fn a_field_of_a_field_is_found_and_a_missing_one_is_none() {
        let row = json!({ "id": 7, "prompts": { "inbound": "Be brief." } });
        assert_eq!(at(&row, "id"), &json!(7));
        assert_eq!(at(&row, "/prompts/inbound"), &json!("Be brief."));
        for missing in ["name", "/prompts/outbound", "/nothing/at/all", "prompts/inbound"] {
            assert!(at(&row, missing).is_null(), "{missing}");
        }
        assert_eq!((cell(&json!(false)), cell(&json!([]))), ("no".to_owned(), String::new()));
    }

    proptest! {
        /// Whatever a stranger has written: one line that does nothing but stand there.
        #[test]
        fn no_text_moves_the_cursor(text in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f\\u{202e}\\u{2066}a-c]*") {
            let shown = printable(&text);
            prop_assert!(!shown.contains(|c: char| is_harmful(c) || c.is_control()), "{:?}", shown);
            prop_assert_eq!(printable(&shown), shown.clone(), "once is enough");
        }
    }
}
