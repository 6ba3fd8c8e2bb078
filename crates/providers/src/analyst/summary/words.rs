//! What a summary is made of. A language is complete when it has all of it.

use speech::LeadFacts;

use crate::analyst::account::{Account, Next, Refused, Topic};

/// What a summary is made of, in one language.
pub(super) trait Words: Sync {
    fn language(&self) -> Option<&'static str>;
    fn and(&self) -> &'static str;
    fn somebody(&self) -> &'static str;
    // Nobody, or not the one.
    fn voicemail(&self, message_left: bool) -> &'static str;
    fn not_in_service(&self) -> &'static str;
    fn machine(&self) -> &'static str;
    fn silence(&self) -> &'static str;
    fn somebody_else(&self, called: Option<&str>) -> String;
    fn wrong_number(&self, called: Option<&str>) -> String;
    fn has_died(&self, called: Option<&str>) -> String;
    fn they_said(&self, sentence: &str) -> String;
    // What was said.
    fn opted_out(&self, who: &str) -> String;
    fn answered_for(&self, called: &str, spoke: &str) -> String;
    fn emergency(&self) -> &'static str;
    fn named_no_concern(&self, who: &str) -> String;
    fn talked(&self, who: &str) -> String;
    fn wanted(&self, who: &str, sentence: &str) -> String;
    fn also(&self, sentence: &str) -> String;
    fn topic(&self, topic: Topic) -> &'static str;
    fn asked_about(&self, topics: &str) -> String;
    fn upset(&self) -> &'static str;
    fn wants_a_person(&self) -> &'static str;
    fn urgent(&self) -> &'static str;
    // What comes of it.
    fn next(&self, next: &Next) -> String;
    fn refused(&self, what: Refused) -> &'static str;
    fn email(&self, email: &str) -> String;
    fn phone(&self, phone: &str) -> String;
    fn left(&self, what: &str) -> String;
    fn open(&self, question: &str) -> String;
    fn to_do(&self, account: &Account, lead: &LeadFacts) -> Option<String>;
    fn ending(&self, reason: &str) -> Option<&'static str>;
}
