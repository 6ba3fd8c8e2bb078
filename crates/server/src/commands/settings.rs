//! `kaicalls settings`: the reference page of all settings.

use crate::failure::Failure;
use crate::{config, output};

pub(crate) fn run() -> Result<(), Failure> {
    output::text(&config::reference())
}
