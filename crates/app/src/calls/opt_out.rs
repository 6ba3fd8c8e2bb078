//! A caller's wish not to be called again, carried out as soon as it is heard.
//!
//! It belongs to the transaction that stores the words, so the number is blocked before the call can end. The words alone decide: no
//! analyst and no language model is asked. A wish that stayed doubtful to the end blocks as well, marked so that an operator can see it.

use domain::Timestamp;
use domain::call::{Call, Party, Progress, Report, Utterance, ended_by_machine};
use store::opt_outs::Certainty;
use store::{PlatformTx, StoreError};
use understanding::opt_out::{self, OptOut, Speaker, Turn};

/// Blocks the number if what these reports brought says so. Expects their words to be in the log and the call to be as they made it.
pub(crate) async fn heed(
    tx: &mut PlatformTx,
    call: &Call,
    reports: &[Report],
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(number) = call.other_party() else { return Ok(()) };
    let is_over = call.talk().is_some() || call.state().is_final();
    let was_heard = |report: &Report| match &report.progress {
        Progress::Said(said) => said.by == Party::Caller,
        Progress::Found(_) => true,
        // In a call that was never answered nobody has spoken.
        Progress::Ended { .. } => call.talk().is_some(),
        _ => false,
    };
    let is_machine = call.ended_reason().is_some_and(ended_by_machine);
    if is_machine || !reports.iter().any(was_heard) {
        return Ok(());
    }
    let found = reports.iter().rev().find_map(|report| match &report.progress {
        Progress::Found(found) if !found.transcript.is_empty() => Some(found.transcript.clone()),
        _ => None,
    });
    let words = match found {
        Some(words) => words,
        None => written_down(tx, call, is_over).await?,
    };
    let certainty = match opt_out::read(&turns(&words)) {
        OptOut::Clear(_) => Certainty::Clear,
        OptOut::Doubtful(_) if is_over => Certainty::Doubtful,
        OptOut::Doubtful(_) | OptOut::No => return Ok(()),
    };
    let wish = store::opt_outs::OptOut {
        business_id: call.business_id,
        mode: call.mode,
        phone_number: number.clone(),
        source: format!("call {}", call.id),
        reason: None,
        certainty,
        created_at: now,
    };
    store::opt_outs::add(tx, &wish).await
}

/// What was said. Once the talk is over, what the engine has written down of it counts more than what was heard at the time.
async fn written_down(tx: &mut PlatformTx, call: &Call, is_over: bool) -> Result<Vec<Utterance>, StoreError> {
    if is_over
        && let Some(found) = store::findings::get(tx, call.id).await?
        && !found.transcript.is_empty()
    {
        return Ok(found.transcript);
    }
    store::call_log::utterances(tx, call.id).await
}

fn turns(words: &[Utterance]) -> Vec<Turn<'_>> {
    let turn = |said: &'_ Utterance| match said.by {
        Party::Agent => Speaker::Agent,
        Party::Caller => Speaker::Caller,
    };
    words.iter().map(|said| Turn { by: turn(said), text: &said.text }).collect()
}
