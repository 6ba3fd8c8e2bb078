//! Where a business wants to hear of events: the subscriptions that it has made.
//!
//! A subscription belongs to live or to test events, like everything else that calls leave behind. It is switched off by its owner, or by us
//! when its receiver says that it is gone or when nothing has reached it for days.

use std::time::Duration;

use jiff::SignedDuration;

use crate::event_type::EventType;
use crate::{BusinessId, EndpointId, Mode, Timestamp};

/// How many subscriptions a business may have in one mode. Each event is sent to all of them.
pub const MOST_ENDPOINTS: u32 = 50;

/// How long deliveries carry a second signature, made with the secret from before it was exchanged.
pub const SECRET_OVERLAP: Duration = Duration::from_secs(24 * 3600);

/// A subscription to events, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub id: EndpointId,
    pub business_id: BusinessId,
    /// It hears of live events, or of those of test keys.
    pub mode: Mode,
    pub url: String,
    /// What it hears of.
    pub events: Subscribed,
    /// What its owner says that it is for.
    pub description: Option<String>,
    /// It hears of what happens.
    pub is_active: bool,
    /// The last characters of its secret, by which people recognise it.
    pub secret_hint: String,
    /// Until when deliveries are signed with the secret of before as well.
    pub exchanged_until: Option<Timestamp>,
    /// The first failure after which nothing has arrived.
    pub failing_since: Option<Timestamp>,
    /// What came of the last failure since then, as one word or a status.
    pub last_error: Option<String>,
    pub last_error_at: Option<Timestamp>,
    /// When and why we have switched it off.
    pub disabled: Option<Disabled>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// That a subscription was switched off by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disabled {
    pub at: Timestamp,
    pub reason: DisabledReason,
}

crate::word_enum! {
    /// Why a subscription was switched off.
    pub enum DisabledReason {
        /// Its receiver answered 410.
        Gone = "gone",
        /// Nothing had reached it for days.
        Failing = "failing",
    }
}

impl Endpoint {
    /// Switches it on again, with nothing held against it.
    pub fn activate(&mut self) {
        self.is_active = true;
        self.failing_since = None;
        self.last_error = None;
        self.last_error_at = None;
        self.disabled = None;
    }
}

/// The end of a secret, by which people recognise it.
pub fn secret_hint(secret: &str) -> &str {
    let begin = secret.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    &secret[begin..]
}

/// True if a receiver that has been failing since then is given up at this time.
pub fn has_failed_too_long(failing_since: Option<Timestamp>, patience: Duration, now: Timestamp) -> bool {
    let patience = SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX);
    failing_since.is_some_and(|since| now.duration_since(since) >= patience)
}

/// Which events a subscription hears of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscribed {
    /// All, those of later versions included.
    All,
    /// These types of events, each named once.
    Only(Vec<EventType>),
}

/// What stands for all events.
const ALL: &str = "*";

impl Subscribed {
    /// Every kind that this version knows.
    pub fn every_known() -> Self {
        Self::Only(EventType::subscribable().collect())
    }

    /// Reads the names that a client sends. `None` if one of them names nothing that can be subscribed to, or if there is none.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut kinds = Vec::new();
        let mut all = false;
        for name in names {
            if name == ALL {
                all = true;
                continue;
            }
            let kind = EventType::subscribable().find(|kind| kind.as_str() == name)?;
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        match (all, kinds.is_empty()) {
            (true, _) => Some(Self::All),
            (false, true) => None,
            (false, false) => Some(Self::Only(kinds)),
        }
    }

    /// The names of the types, or `*` for all.
    pub fn names(&self) -> Vec<&'static str> {
        match self {
            Self::All => vec![ALL],
            Self::Only(kinds) => kinds.iter().map(|kind| kind.as_str()).collect(),
        }
    }

    /// True if it hears of events of this kind.
    pub fn hears(&self, kind: EventType) -> bool {
        match self {
            Self::All => kind != EventType::WebhookTest,
            Self::Only(kinds) => kinds.contains(&kind),
        }
    }

    /// The stored form: names separated by spaces.
    pub fn to_text(&self) -> String {
        self.names().join(" ")
    }

    /// Reads the stored form. A name that only a newer version knows is passed over: this one has no such events.
    pub fn from_text(text: &str) -> Self {
        if text == ALL {
            return Self::All;
        }
        Self::Only(text.split(' ').filter_map(EventType::parse).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_each_once_and_a_star_stands_for_all() {
        let read = |names: &[&str]| Subscribed::parse(names.iter().copied());
        let calls = Subscribed::Only(vec![EventType::CallFailed, EventType::CallCompleted]);
        assert_eq!(read(&["call.failed", "call.completed", "call.failed"]), Some(calls.clone()));
        assert_eq!(read(&["call.failed", "*"]), Some(Subscribed::All));
        for wrong in [&[][..], &["call.exploded"], &["*", "call.exploded"], &["webhook.test"], &[""]] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        assert!(calls.hears(EventType::CallFailed) && !calls.hears(EventType::LeadCreated));
    }

    #[test]
    fn everybody_is_spared_the_tests_of_others() {
        for subscribed in [Subscribed::All, Subscribed::every_known()] {
            assert!(!subscribed.hears(EventType::WebhookTest));
            assert!(EventType::subscribable().all(|kind| subscribed.hears(kind)));
        }
    }

    #[test]
    fn the_stored_form_reads_back_and_passes_over_what_a_newer_version_wrote() {
        let two = Subscribed::parse(["lead.created", "call.started"]).expect("known names");
        for subscribed in [Subscribed::All, Subscribed::every_known(), two.clone()] {
            assert_eq!(Subscribed::from_text(&subscribed.to_text()), subscribed);
        }
        assert_eq!(Subscribed::from_text("lead.created invoice.paid call.started"), two);
        assert_eq!(Subscribed::from_text("invoice.paid"), Subscribed::Only(Vec::new()));
    }

    #[test]
    fn a_secret_is_recognised_by_its_last_four_characters() {
        for (secret, hint) in [("whsec_MfKQ9r8GKYqr", "KYqr"), ("äöüß€", "öüß€"), ("abc", "abc"), ("", "")]
        {
            assert_eq!(secret_hint(secret), hint);
        }
    }

    #[test]
    fn a_receiver_is_given_up_after_the_patience_and_not_before() {
        let since = Timestamp::from_second(1_000_000).expect("in range");
        let five_days = Duration::from_secs(5 * 24 * 3600);
        let after = |seconds: i64| since + SignedDuration::from_secs(seconds);
        assert!(!has_failed_too_long(None, five_days, after(10_000_000)));
        assert!(!has_failed_too_long(Some(since), five_days, after(5 * 24 * 3600 - 1)));
        assert!(has_failed_too_long(Some(since), five_days, after(5 * 24 * 3600)));
    }
}
