//! Everything that is known of one call, read at once.

use std::time::Duration;

use app::live::Watcher;
use domain::call::{LogLine, Party, SoundQuality, TurnTimes, Utterance};
use domain::lead::Lead;
use domain::{CallId, Timestamp};
use store::call_deliveries::CallDelivery;
use store::call_log::LogRow;
use store::call_remarks::Remark;
use store::calls::CallView;
use store::{StoreError, Tenancy};
use web::Web;

use super::words;
use crate::page::PageError;

/// A turn is measured by the clock of sound and told by that of the call, which may be a moment later.
const SAME_MOMENT: Duration = Duration::from_millis(250);

/// The longest log that a page shows.
const LINES: u32 = 5000;

/// A call with all that happened.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) view: CallView,
    pub(crate) log: Vec<LogRow>,
    /// What was said, in the order in which it began.
    pub(crate) said: Vec<Utterance>,
    pub(crate) lead: Option<Lead>,
    pub(crate) deliveries: Vec<CallDelivery>,
    /// What a person noted.
    pub(crate) remark: Option<Remark>,
}

/// Reads it; `None` if the tenant has no such call.
pub(crate) async fn read(web: &Web, tenancy: &Tenancy, id: CallId) -> Result<Option<Story>, StoreError> {
    let tenancy = tenancy.clone();
    web.read(move |tx| {
        Box::pin(async move {
            let Some(view) = store::calls::get(tx, &tenancy, id).await? else { return Ok(None) };
            let log = store::call_log::since(tx, &tenancy, id, 0, LINES).await?;
            let transcript = store::transcripts::get(tx, &tenancy, id).await?;
            let mut said = match transcript {
                Some(transcript) => transcript.utterances,
                None => log.iter().filter_map(utterance).cloned().collect(),
            };
            said.sort_by_key(|said| said.start);
            let lead = match view.call.lead_id() {
                Some(lead) => store::leads::get(tx, &tenancy, lead).await?,
                None => None,
            };
            let deliveries = store::call_deliveries::of_call(tx, &tenancy, id).await?;
            let remark = store::call_remarks::of_call(tx, &tenancy, id).await?;
            Ok(Some(Story { view, log, said, lead, deliveries, remark }))
        })
    })
    .await
}

fn utterance(row: &LogRow) -> Option<&Utterance> {
    match &row.line {
        Some(LogLine::Said(said)) => Some(said),
        _ => None,
    }
}

/// A call that a page follows.
pub(crate) struct Followed {
    pub(crate) web: Web,
    pub(crate) tenancy: Tenancy,
    id: CallId,
    bell: Watcher,
}

impl Followed {
    /// Listens for news of a call before anything of it is read, so that nothing is missed in between.
    pub(crate) async fn new(web: &Web, tenancy: Tenancy, id: CallId) -> Result<Self, PageError> {
        let bell = web.app().live().watch(id);
        let of_tenant = tenancy.clone();
        let known =
            web.read(move |tx| Box::pin(async move { store::calls::get(tx, &of_tenant, id).await })).await?;
        known.ok_or(PageError::NotFound)?;
        Ok(Self { web: web.clone(), tenancy, id, bell })
    }

    pub(crate) async fn story(&self) -> Result<Option<Story>, StoreError> {
        read(&self.web, &self.tenancy, self.id).await
    }

    /// Waits for news of it.
    pub(crate) async fn wait(&mut self) {
        // Calls that run on other replicas do not ring here; they are looked at again after this time.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.bell.rung()).await;
    }
}

impl Story {
    /// The place of the last line of the log.
    pub(crate) fn seq(&self) -> i64 {
        self.log.last().map_or(0, |row| row.seq)
    }

    /// What was measured of the agent's turn that an utterance is, if its call has sound.
    pub(crate) fn measured(&self, said: &Utterance) -> Option<&TurnTimes> {
        let turns = self.log.iter().filter_map(|row| match &row.line {
            Some(LogLine::Turn(times)) => Some(&**times),
            _ => None,
        });
        turns
            .filter(|_| said.by == Party::Agent)
            .find(|times| times.first_agent_packet.abs_diff(said.start) < SAME_MOMENT)
    }

    /// How the sound was, once a call with sound is over.
    pub(crate) fn sound(&self) -> Option<&SoundQuality> {
        self.log.iter().find_map(|row| match &row.line {
            Some(LogLine::Sound(quality)) => Some(quality),
            _ => None,
        })
    }

    /// How long an agent's turn was waited for: as it was measured, or from the end of the caller's words to the agent's first. One for
    /// each utterance; `None` where nobody waited.
    pub(crate) fn waits(&self) -> Vec<Option<Duration>> {
        let mut before: Option<&Utterance> = None;
        let mut waits = Vec::with_capacity(self.said.len());
        for said in &self.said {
            let waited = before
                .filter(|before| before.by == Party::Caller && said.by == Party::Agent)
                .and_then(|before| said.start.checked_sub(before.end));
            waits.push(self.measured(said).map_or(waited, TurnTimes::waited));
            before = Some(said);
        }
        waits
    }

    /// When it was answered, on the engine's clock, which the log is kept on.
    pub(crate) fn answered_at(&self) -> Option<Timestamp> {
        let answered = self.log.iter().find(|row| row.line == Some(LogLine::Answered)).map(|row| row.at);
        answered.or_else(|| self.view.call.answered_at())
    }

    /// A point of the log's clock as time since the answer; zero for what came before.
    fn since_answer(&self, at: Timestamp) -> Option<Duration> {
        let millis = at.as_millisecond() - self.answered_at()?.as_millisecond();
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    }

    /// What was noted since the answer: when, in words, and how it looks.
    pub(crate) fn notes(&self) -> impl Iterator<Item = (Duration, String, &'static str)> {
        self.log.iter().filter_map(|row| {
            let Some(LogLine::Noted { kind, detail }) = &row.line else { return None };
            let at = self.since_answer(row.at)?;
            let (text, tone) = words::noted(kind, detail);
            Some((at, text, tone))
        })
    }

    /// How long the talk is, or has been so far.
    pub(crate) fn talk_length(&self) -> Duration {
        let talked = self.view.call.talk().map(|talk| talk.talked).unwrap_or_default();
        let said = self.said.iter().map(|said| said.end).max().unwrap_or_default();
        let recorded =
            self.view.call.recording().and_then(|recording| recording.duration).unwrap_or_default();
        talked.max(said).max(recorded)
    }
}
