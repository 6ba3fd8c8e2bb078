//! `kaicalls metrics`: the reference page of all figures.

/// Prints the page.
pub(crate) fn run() {
    print!("{}", meters::reference());
}
