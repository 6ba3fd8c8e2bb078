//! Calls that come in.

use std::sync::Arc;

use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::prelude::HeadersExt as _;
use rsipstack::sip::{Request, Scheme, StatusCode, Uri};
use rsipstack::transaction::Transaction;
use rsipstack::transport::SipConnection;
use tokio::sync::mpsc;

use crate::call::{Call, EVENTS, End, Event, WISHES, Wish};
use crate::cause::Failure;
use crate::library::{header, of_type_sdp};
use crate::settings::Transport;
use crate::shared::Shared;
use crate::talk;

/// Somebody calls. Nothing has been said to them yet.
#[derive(Debug)]
pub struct Incoming {
    /// The name of the trunk that brings the call.
    pub trunk: String,
    /// Whom they called, as the trunk writes it.
    pub to: String,
    /// Who calls, if they show it.
    pub from: Option<String>,
    /// What tells this call from others in the signalling.
    pub call_id: String,
    /// The caller's offer; `None` if they want to hear ours in the answer.
    pub offer: Option<Vec<u8>>,
    pub call: Call,
}

/// Takes an INVITE and stays with the call until it ends.
pub(crate) async fn receive(
    shared: &Arc<Shared>,
    mut transaction: Transaction,
    calls: mpsc::Sender<Incoming>,
) -> rsipstack::Result<()> {
    let Some(place) = trunk_of(shared, &transaction) else {
        return transaction.reply(StatusCode::Forbidden).await;
    };
    let is_secure =
        transaction.connection.as_ref().is_some_and(|connection| matches!(connection, SipConnection::Tls(_)));
    if shared.trunk(place).transport == Transport::Tls && !is_secure {
        // Anybody could write its address on a datagram.
        tracing::warn!(trunk = shared.trunk(place).name, "a call was refused that did not come over TLS");
        return transaction.reply(StatusCode::Forbidden).await;
    }
    let invite = transaction.original.clone();
    let (sender, states) = shared.dialogs.new_dialog_state_channel();
    let (to, from) = (called(shared, place, &invite), caller(&invite));
    let mut contact = shared.contact(place, &to);
    if let Some(contact) = contact.as_mut().filter(|_| invite.uri.scheme == Some(Scheme::Sips)) {
        // RFC 3261 section 12.1.1: whoever is called at a `sips` address is reached at one.
        contact.scheme = Some(Scheme::Sips);
    }
    let dialog = shared.dialogs.get_or_create_server_invite(&transaction, sender, None, contact)?;
    let id = dialog.id();
    let (events, happened) = mpsc::channel(EVENTS);
    let (wished, wishes) = mpsc::channel(WISHES);
    let incoming = Incoming {
        trunk: shared.trunk(place).name.clone(),
        to,
        from,
        call_id: id.call_id.clone(),
        offer: Some(invite.body).filter(|body| !body.is_empty()),
        call: Call { events: happened, wishes: wished },
    };
    // The transaction needs somebody who drives it while the call is decided upon.
    let mut driven = dialog.clone();
    let driving = shared.tasks.spawn(async move { driven.handle(&mut transaction).await });
    if calls.try_send(incoming).is_err() {
        dialog.reject(Some(StatusCode::ServiceUnavailable), None)?;
    } else {
        let end = answer(&dialog, states, wishes, &events).await;
        // Its owner may be gone.
        let _ = events.send(Event::Ended(end)).await;
    }
    drop(events);
    // The last answer may still have to be repeated, or confirmed.
    if let Ok(driven) = driving.await {
        driven?;
    }
    shared.dialogs.remove_dialog(&id);
    Ok(())
}

/// Goes through the call, from its first ring to its end.
async fn answer(
    dialog: &InviteDialog,
    mut states: DialogStateReceiver,
    mut wishes: mpsc::Receiver<Wish>,
    events: &mpsc::Sender<Event>,
) -> End {
    let mut is_answered = false;
    loop {
        tokio::select! {
            state = states.recv() => match state {
                Some(DialogState::Confirmed(..)) => {
                    let description = dialog.last_remote_ack().map(|ack| ack.body).unwrap_or_default();
                    // If its owner is gone, the call ends in the next step.
                    let _ = events.send(Event::Answered(description)).await;
                    return talk::go_on(dialog, &mut states, &mut wishes, events).await;
                }
                Some(DialogState::Terminated(..)) | None if is_answered => return End::Lost,
                Some(DialogState::Terminated(..)) | None => return End::Failed(Failure::Cancelled),
                Some(_) => {}
            },
            wish = wishes.recv() => {
                let done = match wish {
                    Some(Wish::Ring) => dialog.ringing(None, None),
                    Some(Wish::EarlyMedia(description)) => dialog.ringing(Some(of_type_sdp()), Some(description)),
                    Some(Wish::Answer(description)) => {
                        is_answered = true;
                        dialog.accept(Some(of_type_sdp()), Some(description))
                    }
                    Some(Wish::Offer(..) | Wish::Key(_)) => Ok(()),
                    Some(Wish::HangUp) | None if is_answered => {
                        talk::hang_up(dialog);
                        return End::HungUp(crate::call::Side::Us);
                    }
                    Some(Wish::Reject(status)) => return refuse(dialog, status),
                    Some(Wish::HangUp) | None => return refuse(dialog, 480),
                };
                if done.is_err() {
                    return End::Lost;
                }
            }
        }
    }
}

fn refuse(dialog: &InviteDialog, status: u16) -> End {
    // If it cannot be said, the caller is gone.
    let _ = dialog.reject(Some(StatusCode::from(status)), None);
    End::Failed(Failure::of(status))
}

/// Whose address a request came from.
fn trunk_of(shared: &Shared, transaction: &Transaction) -> Option<usize> {
    let connection = transaction.connection.as_ref()?;
    let source = connection.get_remote_addr()?.get_socketaddr().ok()?;
    shared.gate.trunk_of(source.ip())
}

/// Whom they called. A trunk at which we are registered calls us by our name there, and says the number in the header To.
fn called(shared: &Shared, place: usize, invite: &Request) -> String {
    let user = |uri: &Uri| uri.user().unwrap_or_default().to_owned();
    let ours = shared.trunk(place).credentials.as_ref().map(|credentials| credentials.username.as_str());
    let asked = user(&invite.uri);
    if !asked.is_empty() && Some(asked.as_str()) != ours {
        return asked;
    }
    invite.to_header().ok().and_then(|to| to.uri().ok()).map_or(asked, |to| user(&to))
}

/// Who calls: what the trunk asserts, else what the caller says.
fn caller(invite: &Request) -> Option<String> {
    let asserted = header(invite, "P-Asserted-Identity").and_then(|value| {
        let uri = value.split('<').nth(1).and_then(|rest| rest.split('>').next()).unwrap_or(&value);
        Uri::try_from(uri.trim()).ok()
    });
    let shown = || invite.from_header().ok().and_then(|from| from.uri().ok());
    let user = asserted.or_else(shown)?.user()?.to_owned();
    Some(user).filter(|user| !user.is_empty() && !user.eq_ignore_ascii_case("anonymous"))
}
