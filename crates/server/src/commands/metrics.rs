//! `kaicalls metrics`: the reference page of all figures.

use crate::failure::Failure;
use crate::output;

pub(crate) fn run() -> Result<(), Failure> {
    output::text(&meters::reference())
}
