//! Whole calls with sound: an engine and telephones of our own, and foreign ones.

mod baresip;
mod calls;
mod minds;
mod phone;
mod sipp;
mod sound;
mod support;
