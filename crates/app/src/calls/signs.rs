//! What words in a call mean for the call itself: what the agent disclosed, and whether somebody has to look at it soon.
//!
//! Read from the words, whichever engine brought them and whichever model thinks for the agent, in the transaction that stores them.

use domain::Timestamp;
use domain::call::{Call, LogEntry, LogLine, Party, Progress, Report, Urgency, Utterance};
use domain::disclosure;
use understanding::answering::{self, Answering};
use understanding::remark::{self, Remark};

/// Changes the call by what these reports brought, and gives the lines for its log.
pub(crate) fn take(call: &mut Call, reports: &[Report]) -> Vec<LogEntry> {
    let mut lines = Vec::new();
    for report in reports {
        let said = match &report.progress {
            Progress::Said(said) => std::slice::from_ref(said),
            Progress::Found(found) => found.transcript.as_slice(),
            _ => continue,
        };
        for utterance in said {
            hear(call, utterance, report.at, &mut lines);
        }
    }
    lines
}

fn hear(call: &mut Call, said: &Utterance, at: Timestamp, lines: &mut Vec<LogEntry>) {
    let mut note = |kind: &str, detail: &str| {
        let line = LogLine::Noted { kind: kind.to_owned(), detail: detail.to_owned() };
        lines.push(LogEntry { at, line });
    };
    match said.by {
        Party::Agent => {
            for disclosure in disclosure::said(&said.text) {
                if call.disclose(disclosure) {
                    note("disclosure", disclosure.as_str());
                }
            }
        }
        Party::Caller => {
            if let Some(urgency) = urgency(&said.text)
                && call.mark(urgency)
            {
                note(urgency.as_str(), "");
            }
        }
    }
}

/// What a turn of the caller says about it. Machines speak of emergencies too.
fn urgency(text: &str) -> Option<Urgency> {
    if answering::read(text) != Answering::Person {
        return None;
    }
    let remarks = remark::heard(text);
    let says = |remark| remarks.contains(&remark);
    match () {
        () if says(Remark::Emergency) => Some(Urgency::Emergency),
        () if says(Remark::Anger) || says(Remark::Grief) || says(Remark::Human) => Some(Urgency::Urgent),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_heard_and_machines_are_not() {
        for (text, expected) in [
            ("My husband isn't breathing, please help!", Some(Urgency::Emergency)),
            ("This is ridiculous, nobody ever showed up.", Some(Urgency::Urgent)),
            ("I want to speak to a manager.", Some(Urgency::Urgent)),
            ("My mother died last week.", Some(Urgency::Urgent)),
            ("Quiero hablar con una persona de verdad.", Some(Urgency::Urgent)),
            ("I need a new roof.", None),
            (
                "You have reached Dr. Smith's office. If this is an emergency, hang up and dial 911. Leave a message after the tone.",
                None,
            ),
        ] {
            assert_eq!(urgency(text), expected, "{text}");
        }
    }
}
