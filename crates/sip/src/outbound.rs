//! Calls that go out.
//!
//! A number is tried over one trunk after the other, but never rung twice: another trunk is tried only if the first could not be reached
//! at all, or gave a final answer of its own failure before anything rang. Whatever is uncertain ends the call.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver};
use rsipstack::dialog::invitation::{InviteAsyncResult, InviteOption};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::Response;
use rsipstack::transport::SipAddr;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::call::{Call, EVENTS, End, Event, WISHES, Wish};
use crate::cause::{self, Failure};
use crate::library::{self, kind_of};
use crate::shared::Shared;
use crate::talk;
use crate::trunk;

/// A call to be made: the number, and how it is shown and offered.
#[derive(Debug, Clone)]
pub struct Order {
    /// The number, as the trunks want it.
    pub to: String,
    /// The number to show, unless the trunk has one of its own.
    pub from: Option<String>,
    /// The SDP offer (RFC 3264) of the INVITE.
    pub offer: Vec<u8>,
    /// How long it may ring.
    pub rings_for: Duration,
}

/// How long a trunk may take until it can be reached at all.
const REACH: Duration = Duration::from_secs(5);

/// What came of one trunk.
enum Attempt {
    Ended(End),
    /// It certainly did not ring the number.
    DidNotRing(Failure),
}

pub(crate) fn start(shared: &Arc<Shared>, order: Order) -> Call {
    let (events, happened) = mpsc::channel(EVENTS);
    let (wished, wishes) = mpsc::channel(WISHES);
    let caller = Caller { shared: Arc::clone(shared), order, wishes, events };
    shared.tasks.spawn(caller.run());
    Call { events: happened, wishes: wished }
}

/// The task of one call.
struct Caller {
    shared: Arc<Shared>,
    order: Order,
    wishes: mpsc::Receiver<Wish>,
    events: mpsc::Sender<Event>,
}

impl Caller {
    async fn run(mut self) {
        let end = self.over_all_trunks().await;
        // Its owner may be gone.
        let _ = self.events.send(Event::Ended(end)).await;
    }

    async fn over_all_trunks(&mut self) -> End {
        let health = self.shared.health.borrow().clone();
        let mut failure = Failure::NoTrunk;
        for place in trunk::for_number(&self.shared.settings.trunks, &health, &self.order.to) {
            if self.is_called_off() {
                return End::Failed(Failure::Cancelled);
            }
            match self.over(place).await {
                Attempt::Ended(end) => return end,
                Attempt::DidNotRing(reason) => failure = reason,
            }
            tracing::warn!(trunk = self.shared.trunk(place).name, ?failure, "a trunk did not place a call");
        }
        End::Failed(failure)
    }

    /// Whether somebody called it off before anything was sent.
    fn is_called_off(&mut self) -> bool {
        match self.wishes.try_recv() {
            Ok(Wish::HangUp) | Err(mpsc::error::TryRecvError::Disconnected) => true,
            Ok(_) | Err(mpsc::error::TryRecvError::Empty) => false,
        }
    }

    async fn over(&mut self, place: usize) -> Attempt {
        let destination = match timeout(REACH, self.shared.reach(place)).await {
            Ok(Ok(destination)) => destination,
            Ok(Err(reason)) => {
                tracing::warn!(trunk = self.shared.trunk(place).name, reason, "a trunk cannot be reached");
                return Attempt::DidNotRing(Failure::Carrier(None));
            }
            Err(_) => return Attempt::DidNotRing(Failure::Carrier(None)),
        };
        let Some(option) = self.invitation(place, destination) else {
            return Attempt::Ended(End::Failed(Failure::InvalidNumber));
        };
        let (sender, states) = self.shared.dialogs.new_dialog_state_channel();
        match self.shared.dialogs.do_invite_async(option, sender) {
            Ok((dialog, invitation)) => self.invite(dialog, states, invitation).await,
            Err(error) => {
                tracing::warn!(kind = kind_of(&error), "an invitation could not be written");
                Attempt::DidNotRing(Failure::Carrier(None))
            }
        }
    }

    fn invitation(&self, place: usize, destination: SipAddr) -> Option<InviteOption> {
        let trunk = self.shared.trunk(place);
        let username = trunk.credentials.as_ref().map(|credentials| credentials.username.clone());
        let from = trunk.caller_id.clone().or_else(|| self.order.from.clone()).or_else(|| username.clone());
        let from = from.unwrap_or_else(|| "anonymous".to_owned());
        Some(InviteOption {
            caller: self.shared.user_at(place, &from)?,
            callee: self.shared.user_at(place, &self.order.to)?,
            destination: Some(destination),
            contact: self.shared.contact(place, &username.unwrap_or(from))?,
            offer: Some(self.order.offer.clone()),
            credential: trunk.credentials.as_ref().map(library::credential),
            support_prack: true,
            ..InviteOption::default()
        })
    }

    async fn invite(
        &mut self,
        dialog: InviteDialog,
        mut states: DialogStateReceiver,
        mut invitation: JoinHandle<InviteAsyncResult>,
    ) -> Attempt {
        let mut so_far = SoFar::default();
        let mut patience = pin!(sleep(self.order.rings_for));
        let result = loop {
            tokio::select! {
                biased;
                Some(state) = states.recv() => {
                    if let Some(event) = so_far.note(state) {
                        // If its owner is gone, the call is called off in the next step.
                        let _ = self.events.send(event).await;
                    }
                }
                result = &mut invitation => break result,
                wish = self.wishes.recv() => if matches!(wish, Some(Wish::HangUp) | None) {
                    call_off(dialog);
                    return Attempt::Ended(End::Failed(Failure::Cancelled));
                },
                () = &mut patience => {
                    call_off(dialog);
                    return Attempt::Ended(End::Failed(Failure::NoAnswer));
                }
            }
        };
        let Ok(Ok((id, answer))) = result else {
            // Its answer could not be understood. Whether anything rang is unknown.
            call_off(dialog);
            return Attempt::Ended(End::Failed(Failure::Carrier(None)));
        };
        match answer {
            Some(answer) if answer.status_code.code() == 200 => {
                let _ = self.events.send(Event::Answered(answer.body)).await;
                let end = talk::go_on(&dialog, &mut states, &mut self.wishes, &self.events).await;
                self.shared.dialogs.remove_dialog(&id);
                Attempt::Ended(end)
            }
            answer => so_far.failed(answer.as_ref()),
        }
    }
}

/// What a trunk has said before its final answer.
#[derive(Debug, Default)]
struct SoFar {
    /// It has said anything at all.
    answered: bool,
    /// The number may have rung.
    rang: bool,
}

impl SoFar {
    fn note(&mut self, state: DialogState) -> Option<Event> {
        match state {
            DialogState::Trying(_) => {
                self.answered = true;
                None
            }
            DialogState::Early(_, response) => {
                self.answered = true;
                self.rang = true;
                let has_description = !response.body.is_empty();
                Some(if has_description { Event::EarlyMedia(response.body) } else { Event::Ringing })
            }
            _ => None,
        }
    }

    /// What a final answer means, or none within the time that the protocol allows.
    fn failed(&self, answer: Option<&Response>) -> Attempt {
        let status = answer.map(|answer| answer.status_code.code()).filter(|_| self.has_said(answer));
        match status {
            Some(status) if cause::is_the_trunks_own(status) && !self.rang => {
                Attempt::DidNotRing(Failure::of(status))
            }
            Some(status) => Attempt::Ended(End::Failed(Failure::of(status))),
            None => Attempt::Ended(End::Failed(Failure::Carrier(None))),
        }
    }

    /// The library gives an answer 408 of its own where none came.
    fn has_said(&self, answer: Option<&Response>) -> bool {
        self.answered || answer.is_some_and(|answer| answer.status_code.code() != 408)
    }
}

/// Calls it off. Whoever wanted that does not wait; should somebody have answered meanwhile, the library hangs up.
fn call_off(dialog: InviteDialog) {
    tokio::spawn(async move {
        if let Err(error) = dialog.hangup().await {
            tracing::debug!(kind = kind_of(&error), "a call could not be called off");
        }
    });
}
