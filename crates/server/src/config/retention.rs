//! Settings that say how long what people said is kept.

use app::Retention;
use jiff::SignedDuration;

use super::Config;
use crate::failure::Failure;

/// A century is for ever.
const MOST_DAYS: u32 = 36_500;

impl Config {
    /// How long recordings, transcripts, logs and the log of administrative changes are kept.
    pub(crate) fn retention(&self) -> Result<Retention, Failure> {
        Ok(Retention {
            recordings: self.days("keep_recordings_days")?,
            transcripts: self.days("keep_transcripts_days")?,
            logs: self.days("keep_logs_days")?,
            audit: self.days("keep_audit_days")?,
        })
    }

    fn days(&self, name: &'static str) -> Result<Option<SignedDuration>, Failure> {
        if self.text(name).is_none() {
            return Ok(None);
        }
        let days = self.number(name, 1, MOST_DAYS)?;
        Ok(Some(SignedDuration::from_hours(24 * i64::from(days))))
    }
}
