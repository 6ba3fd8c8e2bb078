//! Whole calls with sound: an engine and telephones of our own, and foreign ones.

mod calls;
mod minds;
mod phone;
mod sipp;
mod sound;
mod support;
