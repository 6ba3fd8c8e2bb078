//! What the words and rules promise to other crates.

mod events;
mod leads;
mod money;
mod phone;
mod prompts;
mod texts;
mod times;
