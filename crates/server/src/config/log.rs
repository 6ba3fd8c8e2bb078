//! What the log holds, and its form.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::Config;
use crate::failure::Failure;

/// What libraries tell at a level that is not theirs: PostgreSQL's notices that something is there already come as `info`. What the SIP
/// library tells holds numbers.
const QUIET: &str = "tokio_postgres=warn,rsipstack=off";

impl Config {
    /// Which lines are written. A word by itself is a level: taken for the name of a part of the program, as the library does it, a
    /// misspelt one would silence everything else.
    pub(crate) fn log_filter(&self) -> Result<EnvFilter, Failure> {
        let wanted = self.text("log").unwrap_or("info");
        let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
        let words = wanted.split(',').map(str::trim).filter(|word| !word.is_empty());
        if let Some(odd) = words.filter(|word| !word.contains(['=', '[', ']'])).find(|word| !is_level(word)) {
            let expected = format!(
                "`{odd}` is no level; expected off, error, warn, info, debug or trace, and others for parts of the program, like \
                 `info,store=debug`"
            );
            return Err(Failure::setting("log", expected));
        }
        EnvFilter::try_new(format!("{QUIET},{wanted}")).map_err(|error| Failure::setting("log", error))
    }

    /// Whether lines are JSON.
    pub(crate) fn logs_json(&self) -> Result<bool, Failure> {
        match self.text("log_format").unwrap_or("auto") {
            "text" => Ok(false),
            "json" => Ok(true),
            "auto" => Ok(!std::io::stderr().is_terminal()),
            _ => Err(Failure::setting("log_format", "expected `text`, `json` or `auto`")),
        }
    }
}
