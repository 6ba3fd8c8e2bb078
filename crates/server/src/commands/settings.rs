//! `kaicalls settings`: the reference page of all settings.

use crate::failure::Failure;
use crate::{config, output};

/// Prints the page.
pub(crate) fn run() -> Result<(), Failure> {
    output::text(&config::reference())
}
