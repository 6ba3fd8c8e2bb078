//! `kaicalls openapi`: the published document, for code generators and for the file in the repository.

use crate::failure::Failure;

/// Prints the document with a neutral address.
pub(crate) fn run() -> Result<(), Failure> {
    let document = api::openapi::document("http://127.0.0.1:8080");
    let text =
        serde_json::to_string_pretty(&document).map_err(|error| Failure::Because(error.to_string()))?;
    crate::output::line(text)
}
