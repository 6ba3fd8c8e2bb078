//! `kaicalls settings`: the reference page of all settings.

use crate::config;

/// Prints the page.
pub(crate) fn run() {
    print!("{}", config::reference());
}
