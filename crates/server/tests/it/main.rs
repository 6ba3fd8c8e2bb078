//! The real binary, as somebody at a terminal sees it: a fresh folder, free ports, real processes.

mod arguments;
mod backups;
mod demo;
mod engine_elsewhere;
mod harness;
mod newer;
mod operator;
mod over_the_api;
mod probes;
mod refusals;
mod replicas;
mod settings_file;
mod stopping;
mod terminal;
mod trunks;
mod webhooks;
