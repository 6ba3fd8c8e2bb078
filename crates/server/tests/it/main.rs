//! The real binary, as somebody at a terminal sees it: a fresh folder, free ports, real processes.

mod demo;
mod harness;
mod operator;
mod over_the_api;
mod terminal;
