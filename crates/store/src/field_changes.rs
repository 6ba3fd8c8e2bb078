//! Fields that changed, as the histories of leads and the log of administrative changes keep them.

use domain::lead::changes::FieldChange;
use serde_json::Value;

use crate::StoreError;

/// A list with `[field, before, after]` for each change.
pub(crate) fn to_text(changes: &[FieldChange]) -> String {
    let kept: Vec<(&str, &Value, &Value)> =
        changes.iter().map(|change| (change.field.as_str(), &change.before, &change.after)).collect();
    serde_json::to_string(&kept).expect("texts and values can be written as JSON")
}

/// What [`to_text`] wrote into a table.
pub(crate) fn from_text(text: &str, table: &'static str) -> Result<Vec<FieldChange>, StoreError> {
    let kept: Vec<(String, Value, Value)> = serde_json::from_str(text)
        .map_err(|_| StoreError::corrupt(table, "a list that this version cannot read"))?;
    Ok(kept.into_iter().map(|(field, before, after)| FieldChange { field, before, after }).collect())
}
