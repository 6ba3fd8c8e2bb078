//! Card and social security numbers do not get into the database, unless the agent is set to keep them.
//!
//! They are taken out where reports arrive, in the transaction that stores them: of words during the call, of what an engine found out
//! afterwards, and of the message that brought both. What follows (transcript, summary, lead, webhooks) is made from what was stored.

use domain::call::{Call, Findings, Party, Progress, Report, Utterance};
use store::engine_messages::NewMessage;
use store::{PlatformTx, StoreError, Tenancy};
use understanding::opt_out::Speaker;
use understanding::sensitive::{Mask, mask, mask_quoted, may_hold_numbers};

/// The reports as they may be stored.
pub(crate) async fn masked(
    tx: &mut PlatformTx,
    call: &Call,
    reports: &[Report],
) -> Result<Vec<Report>, StoreError> {
    let holds_numbers = |report: &Report| match &report.progress {
        Progress::Said(said) => may_hold_numbers(&said.text),
        Progress::Found(_) => true,
        _ => false,
    };
    if !reports.iter().any(holds_numbers) || keeps_numbers(tx, call).await? {
        return Ok(reports.to_vec());
    }
    let mut ear = Mask::default();
    for said in store::call_log::utterances(tx, call.id).await? {
        hear(&mut ear, &said);
    }
    let mut masked = reports.to_vec();
    for report in &mut masked {
        match &mut report.progress {
            Progress::Said(said) => said.text = hear(&mut ear, said),
            Progress::Found(found) => mask_findings(found),
            _ => {}
        }
    }
    Ok(masked)
}

/// The message that brought reports, as it may be stored.
pub(crate) async fn masked_message(
    tx: &mut PlatformTx,
    call: &Call,
    message: &NewMessage,
) -> Result<NewMessage, StoreError> {
    if !may_hold_numbers(&message.body) || keeps_numbers(tx, call).await? {
        return Ok(message.clone());
    }
    Ok(NewMessage { body: mask_quoted(&message.body), ..message.clone() })
}

async fn keeps_numbers(tx: &mut PlatformTx, call: &Call) -> Result<bool, StoreError> {
    let one = Tenancy::one(call.business_id, call.mode);
    let agent = store::agents::get(tx, &one, call.agent_id).await?;
    Ok(agent.is_some_and(|agent| agent.config.keep_sensitive_numbers))
}

fn hear(ear: &mut Mask, said: &Utterance) -> String {
    let by = match said.by {
        Party::Agent => Speaker::Agent,
        Party::Caller => Speaker::Caller,
    };
    ear.hear(by, &said.text).into_owned()
}

fn mask_findings(found: &mut Findings) {
    let mut ear = Mask::default();
    for said in &mut found.transcript {
        said.text = hear(&mut ear, said);
    }
    for text in
        [&mut found.summary, &mut found.name, &mut found.intent, &mut found.phone].into_iter().flatten()
    {
        *text = mask(text).into_owned();
    }
}
