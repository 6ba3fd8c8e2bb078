//! Calls that come in: who answers them is asked of the platform, which knows whose number was called.

use std::sync::Arc;

use domain::E164;
use domain::Mode;
use domain::call::{CallPlan, Progress};
use domain::engine::{CallDesk, IncomingCall};
use sip::{Call, Event, Incoming, UserAgent};
use tokio::sync::Notify;

use crate::call::{Prepared, next_event, prepare};
use crate::cause;
use crate::reports::Reports;
use crate::shared::{NAME, Shared};

/// What we answer to a call that is not for us, that we have no room for, and whose sound we do not understand.
const NOT_FOUND: u16 = 404;
const UNAVAILABLE: u16 = 503;
const NOT_ACCEPTABLE: u16 = 488;

/// Takes one call to its end.
pub(crate) async fn receive(
    shared: &Arc<Shared>,
    agent: &UserAgent,
    desk: &dyn CallDesk,
    incoming: Incoming,
) {
    let Incoming { trunk, to, from, call_id, offer, call } = incoming;
    let named = number(&to).or_else(|| shared.settings.trunk(&trunk)?.number.clone());
    let Some(to) = named else {
        tracing::warn!(
            trunk,
            "a trunk brought a call to something that is no number in E.164; its `number` says which is meant"
        );
        return call.reject(NOT_FOUND).await;
    };
    if !shared.has_room() {
        tracing::warn!(trunk, "a call came in for which there is no room");
        return call.reject(UNAVAILABLE).await;
    }
    let asked = IncomingCall {
        engine: NAME,
        conversation_id: conversation_id(&call_id),
        mode: Mode::Live,
        to,
        from: from.as_deref().and_then(number),
        at: shared.clock.now(),
    };
    let plan = match desk.incoming(asked).await {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            tracing::warn!(
                trunk,
                "a call came in to a number that no agent answers; `kaicalls numbers list` shows which do"
            );
            return call.reject(NOT_FOUND).await;
        }
        Err(error) => {
            tracing::error!(%error, "a call that came in could not be stored");
            return call.reject(UNAVAILABLE).await;
        }
    };
    let hang_up = Arc::new(Notify::new());
    let reports = Reports::new(plan.call_id, desk.observer(), Arc::clone(&shared.clock));
    let Some(_entry) = shared.enter(plan.call_id, Arc::clone(&hang_up)) else {
        // Others took the room while this one was being stored.
        call.reject(UNAVAILABLE).await;
        return reports.end(cause::broken("no-room")).await;
    };
    let ringing = Ringing { shared, agent, plan: &plan, trunk: &trunk, offer };
    ringing.run(call, reports, &hang_up).await;
}

/// A call that somebody answers.
struct Ringing<'a> {
    shared: &'a Shared,
    agent: &'a UserAgent,
    plan: &'a CallPlan,
    trunk: &'a str,
    offer: Option<Vec<u8>>,
}

impl Ringing<'_> {
    async fn run(self, mut call: Call, reports: Reports, hang_up: &Notify) {
        let mut prepared = match prepare(self.shared, self.agent, self.plan, self.trunk) {
            Ok(prepared) => prepared,
            Err(end) => {
                call.reject(UNAVAILABLE).await;
                return reports.end(end).await;
            }
        };
        call.ring().await;
        let answer = prepared.line.answer(&mut prepared.negotiator, self.offer.as_deref());
        let Some(description) = answer else {
            call.reject(NOT_ACCEPTABLE).await;
            return reports.end(cause::failed(sip::Failure::NoCommonCodec)).await;
        };
        call.answer(description).await;
        match until_confirmed(&mut call, &mut prepared, self.offer.is_none(), hang_up).await {
            Ok(()) => prepared.talk(self.shared, self.plan, call, reports, hang_up).await,
            Err(end) => {
                prepared.line.leave();
                reports.end(end).await;
            }
        }
    }
}

/// Waits until the caller has confirmed our answer.
async fn until_confirmed(
    call: &mut Call,
    prepared: &mut Prepared,
    answers_our_offer: bool,
    hang_up: &Notify,
) -> Result<(), Progress> {
    loop {
        match next_event(call, hang_up).await {
            Some(Event::Answered(description)) => {
                if answers_our_offer && !prepared.line.accept(&mut prepared.negotiator, &description) {
                    call.hang_up().await;
                    return Err(cause::failed(sip::Failure::NoCommonCodec));
                }
                return Ok(());
            }
            Some(Event::Ended(_)) | None => return Err(cause::gave_up()),
            Some(Event::Offered(offer)) => offer.refuse().await,
            Some(Event::Ringing | Event::EarlyMedia(_) | Event::Key(_)) => {}
        }
    }
}

/// What the platform calls a call that the signalling calls so.
pub(crate) fn conversation_id(call_id: &str) -> String {
    format!("sip_{call_id}")
}

/// A number as trunks write it: with its plus sign, with the two zeros in its place, or with neither.
fn number(written: &str) -> Option<E164> {
    let written: String =
        written.chars().filter(|sign| !matches!(sign, '-' | '.' | '(' | ')' | ' ')).collect();
    let digits = written.strip_prefix('+').or_else(|| written.strip_prefix("00")).unwrap_or(&written);
    E164::parse(&format!("+{digits}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_way_that_trunks_write_them() {
        for written in ["+15125550100", "15125550100", "0015125550100", "+1-512-555-0100"] {
            assert_eq!(number(written).as_ref().map(E164::as_str), Some("+15125550100"), "{written}");
        }
        for other in ["", "+", "kai", "100", "05125550100"] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
