//! `kaicalls metrics`: the reference page of all figures.

use crate::failure::Failure;
use crate::output;

/// Prints the page.
pub(crate) fn run() -> Result<(), Failure> {
    output::text(&meters::reference())
}
