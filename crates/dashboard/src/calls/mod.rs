//! Calls: the table, one call with everything that happened in it, and what can be done with it.

pub(crate) mod act;
pub(crate) mod export;
pub(crate) mod list;
pub(crate) mod one;
mod sound;
pub(crate) mod story;
mod timeline;
pub(crate) mod views;
pub(crate) mod words;
