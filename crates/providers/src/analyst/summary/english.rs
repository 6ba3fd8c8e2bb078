//! Summaries in English.

use speech::LeadFacts;

use super::told::in_english as told;
use super::words::Words;
use crate::analyst::account::{Account, Next, Refused, Sign, Step, Topic};

pub(super) struct English;

impl Words for English {
    fn language(&self) -> Option<&'static str> {
        None
    }

    fn and(&self) -> &'static str {
        "and"
    }

    fn somebody(&self) -> &'static str {
        "The caller"
    }

    fn voicemail(&self, message_left: bool) -> &'static str {
        if message_left {
            "An answering machine picked up, and the agent left a message."
        } else {
            "An answering machine picked up. No message was left."
        }
    }

    fn not_in_service(&self) -> &'static str {
        "An announcement said that the number is not in service. Nobody was reached."
    }

    fn machine(&self) -> &'static str {
        "A recording or an automatic system answered. No person was reached."
    }

    fn silence(&self) -> &'static str {
        "The call was answered, but nobody spoke."
    }

    fn somebody_else(&self, called: Option<&str>) -> String {
        called.map_or_else(
            || "Somebody else answered, and the person the call was for was not reached".to_owned(),
            |called| format!("Somebody else answered, and {called} was not reached"),
        )
    }

    fn wrong_number(&self, called: Option<&str>) -> String {
        called.map_or_else(
            || "It was a wrong number: the person who answered is not the one the call was for.".to_owned(),
            |called| format!("It was a wrong number: the person who answered is not {called}."),
        )
    }

    fn has_died(&self, called: Option<&str>) -> String {
        let called = called.unwrap_or("the person the call was for");
        format!(
            "Somebody else answered and said that {called} has died. To do: correct the records, and do not call again."
        )
    }

    fn they_said(&self, sentence: &str) -> String {
        told("They", sentence)
    }

    fn opted_out(&self, who: &str) -> String {
        format!("{who} asked not to be called again and was told that this will not happen")
    }

    fn answered_for(&self, called: &str, spoke: &str) -> String {
        format!("The call was for {called}; {spoke} answered")
    }

    fn emergency(&self) -> &'static str {
        "It was an emergency, and the agent gave the number to dial"
    }

    fn named_no_concern(&self, who: &str) -> String {
        format!("{who} talked with the agent but named no concern")
    }

    fn talked(&self, who: &str) -> String {
        format!("{who} talked with the agent")
    }

    fn wanted(&self, who: &str, sentence: &str) -> String {
        told(who, sentence)
    }

    fn also(&self, sentence: &str) -> String {
        told("They", sentence)
    }

    fn topic(&self, topic: Topic) -> &'static str {
        match topic {
            Topic::Price => "the price",
            Topic::Address => "the address",
            Topic::Hours => "the opening hours",
            Topic::Availability => "available times",
            Topic::Payment => "ways to pay",
            Topic::Insurance => "insurance",
            Topic::Parking => "parking",
            Topic::Recording => "whether the call is recorded",
            Topic::Origin => "where their number comes from",
        }
    }

    fn asked_about(&self, topics: &str) -> String {
        format!("They asked about {topics}")
    }

    fn upset(&self) -> &'static str {
        "they were upset"
    }

    fn wants_a_person(&self) -> &'static str {
        "they asked to speak to a person"
    }

    fn urgent(&self) -> &'static str {
        "it is urgent"
    }

    fn next(&self, next: &Next) -> String {
        let when = next.when.as_deref().map_or_else(String::new, |when| match next.step {
            Step::Appointment | Step::CallBack if !begins_with_preposition(when) => {
                format!(" for {}", lowered(when))
            }
            _ => format!(" {}", lowered(when)),
        });
        match (next.step, next.agreed) {
            (Step::Appointment, true) => format!("Agreed: an appointment{when}"),
            (Step::Appointment, false) => {
                format!("They asked for an appointment{when}, which was not confirmed")
            }
            (Step::CallBack, true) => format!("Agreed: a call back{when}"),
            (Step::CallBack, false) => {
                format!("They asked to be called back{}", when.replacen(" for ", " ", 1))
            }
            (Step::Send, true) => format!("Agreed: they will be sent what they asked for{when}"),
            (Step::Send, false) => format!("They asked to be sent something{when}"),
            (Step::PutThrough, true) => "Agreed: they would be put through".to_owned(),
            (Step::PutThrough, false) => "They asked to be put through".to_owned(),
        }
    }

    fn refused(&self, what: Refused) -> &'static str {
        match what {
            Refused::Name => "They did not want to give their name",
            Refused::Email => "They did not want to give an email address",
            Refused::Phone => "They did not want to give a phone number",
            Refused::Offer => "They were not interested",
            Refused::HasSomebody => "They have somebody for it already",
            Refused::TooExpensive => "They found the price too high",
        }
    }

    fn email(&self, email: &str) -> String {
        format!("the email address {email}")
    }

    fn phone(&self, phone: &str) -> String {
        format!("the phone number {phone}")
    }

    fn left(&self, what: &str) -> String {
        format!("They left {what}")
    }

    fn open(&self, question: &str) -> String {
        format!("Still to be answered: \"{question}\"")
    }

    fn to_do(&self, account: &Account, lead: &LeadFacts) -> Option<String> {
        let next = account.next.as_ref();
        let when = next
            .and_then(|next| next.when.as_deref())
            .map_or_else(String::new, |when| format!(" {}", lowered(when)));
        let back =
            if account.shows(Sign::WantsAPerson) { "have a person call them back" } else { "call them back" };
        Some(match next.map(|next| (next.step, next.agreed)) {
            Some((Step::CallBack, _)) if account.is_lost() && when.is_empty() => return None,
            Some((Step::CallBack, _)) => {
                let number = lead.phone.as_ref().map_or_else(String::new, |phone| format!(" at {phone}"));
                format!("To do: {back}{when}{number}")
            }
            Some((Step::Send, _)) => format!("To do: send it{when}"),
            Some((Step::Appointment, false)) => format!("To do: confirm the appointment{when}"),
            Some((Step::Appointment, true) | (Step::PutThrough, _)) => return None,
            None if account.shows(Sign::WantsAPerson) || account.shows(Sign::Upset) => {
                format!("To do: {back}")
            }
            None if account.is_lost() || account.concerns.is_empty() => return None,
            None => "To do: get back to them".to_owned(),
        })
    }

    fn ending(&self, reason: &str) -> Option<&'static str> {
        Some(match reason {
            "agent-said-goodbye" | "assistant-said-end-call-phrase" => "The call ended with a goodbye",
            "caller-hung-up" | "customer-ended-call" => "The caller hung up",
            "silence" | "silence-timed-out" => "The call ended after a silence",
            "max-duration" | "exceeded-max-duration" => "The call ended at its time limit",
            "engine-lost" => "The call was cut off by a fault",
            _ => return None,
        })
    }
}

fn begins_with_preposition(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default().to_lowercase();
    ["on", "at", "by", "before", "after", "until", "till", "between", "in", "within", "around", "as"]
        .contains(&first.as_str())
}

/// A time within a sentence: names of days and months keep their capital.
fn lowered(when: &str) -> String {
    const SMALL: [&str; 27] = [
        "on",
        "at",
        "by",
        "before",
        "after",
        "until",
        "till",
        "between",
        "in",
        "around",
        "tomorrow",
        "today",
        "tonight",
        "next",
        "this",
        "any",
        "anytime",
        "morning",
        "mornings",
        "afternoon",
        "afternoons",
        "evening",
        "evenings",
        "weekends",
        "every",
        "early",
        "as",
    ];
    let first = when.split(' ').next().unwrap_or_default();
    if SMALL.contains(&first.trim_end_matches(',').to_lowercase().as_str()) {
        first.to_lowercase() + &when[first.len()..]
    } else {
        when.to_owned()
    }
}
