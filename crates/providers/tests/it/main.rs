//! Providers as an engine meets them: the same demands on every language model, and the wire as endpoints really write it.

mod conformance;
mod endpoint;
mod habits;
mod hearing;
mod openai;
mod quirks;
mod reading_calls;
mod speaking;
mod vendor;
