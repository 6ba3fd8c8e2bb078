//! One call as whoever makes or takes it sees it.

use rsipstack::dialog::dialog::TransactionHandle;
use rsipstack::sip::StatusCode;
use tokio::sync::{mpsc, oneshot};

use crate::cause::Failure;
use crate::library;

/// How many events wait until they are taken; whoever makes more waits.
pub(crate) const EVENTS: usize = 32;

/// How many wishes wait until they are granted.
pub(crate) const WISHES: usize = 16;

/// A call. Dropping it hangs up.
#[derive(Debug)]
pub struct Call {
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) wishes: mpsc::Sender<Wish>,
}

/// What happens in a call. [`Event::Ended`] comes last, once.
#[derive(Debug)]
pub enum Event {
    /// The other side has answered 180: its telephone rings.
    Ringing,
    /// There is sound before the answer, as this description says.
    EarlyMedia(Vec<u8>),
    /// The call is connected. The description is the other side's; it is empty if the other side has not given any.
    Answered(Vec<u8>),
    /// The other side wants to change something: hold, the end of a hold, another address.
    Offered(Offer),
    /// A key, sent in the signalling.
    Key(char),
    Ended(End),
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was connected, and this side hung up.
    HungUp(Side),
    /// It was connected, and the other side disappeared.
    Lost,
    /// The call was never connected.
    Failed(Failure),
}

/// One side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Us,
    Them,
}

/// The other side offers a change. Dropping it refuses the change; the call goes on as it was.
#[derive(Debug)]
pub struct Offer {
    /// What it offers; `None` if it wants to hear our offer.
    pub description: Option<Vec<u8>>,
    pub(crate) reply: Option<TransactionHandle>,
}

/// What came of a change that we offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The other side's answer.
    Agreed(Vec<u8>),
    /// It does not want it; the call goes on as it was.
    Refused,
}

/// What the owner of a call wants.
#[derive(Debug)]
pub(crate) enum Wish {
    Ring,
    EarlyMedia(Vec<u8>),
    Answer(Vec<u8>),
    Reject(u16),
    HangUp,
    Offer(Vec<u8>, oneshot::Sender<Changed>),
    Key(char),
}

impl Call {
    /// What happens next; `None` after the end.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Ends the call, or calls it off before it is answered. Its end is an event as usual.
    pub async fn hang_up(&self) {
        self.wish(Wish::HangUp).await;
    }

    /// Says that it rings. Only before the answer of a call that came in.
    pub async fn ring(&self) {
        self.wish(Wish::Ring).await;
    }

    /// Lets the caller hear something before the answer. Only in a call that came in.
    pub async fn early_media(&self, description: Vec<u8>) {
        self.wish(Wish::EarlyMedia(description)).await;
    }

    /// Answers a call that came in. [`Event::Answered`] follows when the caller has confirmed it.
    pub async fn answer(&self, description: Vec<u8>) {
        self.wish(Wish::Answer(description)).await;
    }

    /// Refuses a call that came in, with this final answer.
    pub async fn reject(&self, status: u16) {
        self.wish(Wish::Reject(status)).await;
    }

    /// Offers a change of a connected call, such as a hold.
    pub async fn offer(&self, description: Vec<u8>) -> Changed {
        let (reply, answer) = oneshot::channel();
        self.wish(Wish::Offer(description, reply)).await;
        answer.await.unwrap_or(Changed::Refused)
    }

    /// Presses a key in the signalling, for trunks that hear none in the sound.
    pub async fn press(&self, key: char) {
        self.wish(Wish::Key(key)).await;
    }

    async fn wish(&self, wish: Wish) {
        // The call has ended, or it will hear of it.
        let _ = self.wishes.send(wish).await;
    }
}

impl Offer {
    /// Agrees, with this answer, or with this offer where the other side wanted to hear ours.
    pub async fn accept(mut self, description: Vec<u8>) {
        self.respond(StatusCode::OK, description).await;
    }

    /// Refuses: nothing in it is acceptable.
    pub async fn refuse(mut self) {
        self.respond(StatusCode::NotAcceptableHere, Vec::new()).await;
    }

    async fn respond(&mut self, status: StatusCode, description: Vec<u8>) {
        if let Some(reply) = self.reply.take() {
            let body = Some(description).filter(|description| !description.is_empty());
            let headers = body.is_some().then(library::of_type_sdp);
            // The other side has given up waiting.
            let _ = reply.respond(status, headers, body).await;
        }
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        if let Some(reply) = self.reply.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { reply.reply(StatusCode::NotAcceptableHere).await });
        }
    }
}
