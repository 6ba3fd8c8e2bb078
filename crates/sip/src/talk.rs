//! A connected call: what the other side does in it, and what its owner wants.

use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver, TerminatedReason, TransactionHandle};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{Header, Method, Request, StatusCode, StatusCodeKind};
use tokio::sync::mpsc;

use crate::call::{Changed, End, Event, Offer, Side, Wish};
use crate::info;
use crate::library::{header, kind_of, of_type_sdp};

/// Goes on with a connected call until it ends.
pub(crate) async fn go_on(
    dialog: &InviteDialog,
    states: &mut DialogStateReceiver,
    wishes: &mut mpsc::Receiver<Wish>,
    events: &mpsc::Sender<Event>,
) -> End {
    loop {
        tokio::select! {
            state = states.recv() => match state {
                Some(DialogState::Terminated(_, reason)) => return end(dialog, &reason),
                Some(state) => happened(state, events).await,
                None => return End::Lost,
            },
            wish = wishes.recv() => match wish {
                Some(Wish::Offer(description, reply)) => {
                    // Runs beside the call: the other side may hang up meanwhile.
                    let dialog = dialog.clone();
                    tokio::spawn(async move { reply.send(offer(&dialog, description).await) });
                }
                Some(Wish::Key(key)) => {
                    let dialog = dialog.clone();
                    let headers = vec![Header::ContentType("application/dtmf-relay".into())];
                    tokio::spawn(async move { dialog.info(Some(headers), Some(info::body(key).into_bytes())).await });
                }
                // What belongs before the answer comes too late.
                Some(Wish::Ring | Wish::EarlyMedia(_) | Wish::Answer(_)) => {}
                Some(Wish::HangUp | Wish::Reject(_)) | None => {
                    hang_up(dialog);
                    return End::HungUp(Side::Us);
                }
            },
        }
    }
}

/// Ends a connected call. Whoever hears of its end does not wait until the other side has confirmed it.
pub(crate) fn hang_up(dialog: &InviteDialog) {
    let dialog = dialog.clone();
    tokio::spawn(async move {
        if let Err(error) = dialog.bye().await {
            tracing::debug!(kind = kind_of(&error), "the end of a call could not be told");
        }
    });
}

fn end(dialog: &InviteDialog, reason: &TerminatedReason) -> End {
    use rsipstack::transaction::key::TransactionRole;
    match (reason, dialog.role()) {
        (TerminatedReason::UacBye, TransactionRole::Client)
        | (TerminatedReason::UasBye, TransactionRole::Server) => End::HungUp(Side::Us),
        (TerminatedReason::UacBye | TerminatedReason::UasBye, _) => End::HungUp(Side::Them),
        _ => End::Lost,
    }
}

async fn happened(state: DialogState, events: &mpsc::Sender<Event>) {
    let event = match state {
        DialogState::Updated(_, request, reply) => changed(request, reply).await,
        DialogState::Info(_, request, reply) => {
            let kind = header(&request, "Content-Type").unwrap_or_default();
            respond(reply, StatusCode::OK).await;
            info::key(&kind, &request.body).map(Event::Key)
        }
        DialogState::Options(_, _, reply) => {
            respond(reply, StatusCode::OK).await;
            None
        }
        DialogState::Refer(_, _, reply)
        | DialogState::Message(_, _, reply)
        | DialogState::Notify(_, _, reply) => {
            respond(reply, StatusCode::NotImplemented).await;
            None
        }
        _ => None,
    };
    if let Some(event) = event {
        // If its owner is gone, the call ends in the next step.
        let _ = events.send(event).await;
    }
}

/// A re-INVITE or an UPDATE. An UPDATE without a description only says that its sender is still there.
async fn changed(request: Request, reply: TransactionHandle) -> Option<Event> {
    let description = Some(request.body).filter(|body| !body.is_empty());
    if description.is_none() && request.method == Method::Update {
        respond(reply, StatusCode::OK).await;
        return None;
    }
    Some(Event::Offered(Offer { description, reply: Some(reply) }))
}

async fn respond(reply: TransactionHandle, status: StatusCode) {
    // The other side has given up waiting.
    let _ = reply.reply(status).await;
}

async fn offer(dialog: &InviteDialog, description: Vec<u8>) -> Changed {
    /// Both sides may want a change at once; then each waits and tries again.
    const ATTEMPTS: usize = 3;
    match dialog.reinvite_with_glare_retry(Some(of_type_sdp()), Some(description), ATTEMPTS).await {
        Ok(Some(answer)) if answer.status_code.kind() == StatusCodeKind::Successful => {
            Changed::Agreed(answer.body)
        }
        _ => Changed::Refused,
    }
}
