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
    use domain::call::Findings;
    use domain::disclosure::Disclosure;

    use super::super::fixtures::{incoming, said};
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

    fn noted(lines: &[LogEntry]) -> Vec<String> {
        let words = |entry: &LogEntry| match &entry.line {
            LogLine::Noted { kind, detail } => format!("{kind} {detail}").trim_end().to_owned(),
            other => format!("{other:?}"),
        };
        lines.iter().map(words).collect()
    }

    #[test]
    fn a_sign_is_noted_once_wherever_it_comes_from_and_only_of_whom_it_counts() {
        let sentence = |disclosure: Disclosure| disclosure.sentence("en", "Smith & Partners");
        let (ai, recording) = (sentence(Disclosure::Ai), sentence(Disclosure::Recording));
        let emergency = "My husband isn't breathing, please help!";
        let mut call = incoming(Timestamp::UNIX_EPOCH);
        let mut heard = |progress| {
            let report = Report { call_id: call.id, at: Timestamp::UNIX_EPOCH, progress };
            noted(&take(&mut call, &[report]))
        };
        assert_eq!(heard(Progress::Ringing), [""; 0]);
        assert_eq!(heard(Progress::Said(said(Party::Caller, &ai))), [""; 0], "a caller discloses nothing");
        assert_eq!(heard(Progress::Said(said(Party::Agent, emergency))), [""; 0], "an agent is in no danger");
        assert_eq!(heard(Progress::Said(said(Party::Agent, &ai))), ["disclosure ai"]);
        assert_eq!(heard(Progress::Said(said(Party::Agent, &ai))), [""; 0]);
        let transcript =
            vec![said(Party::Agent, &recording), said(Party::Caller, "I want to speak to a manager.")];
        let found = Box::new(Findings { transcript, ..Findings::default() });
        assert_eq!(heard(Progress::Found(found.clone())), ["disclosure recording", "urgent"]);
        assert_eq!(heard(Progress::Found(found)), [""; 0]);
        assert_eq!(heard(Progress::Said(said(Party::Caller, emergency))), ["emergency"], "it gets worse");
        assert_eq!(
            heard(Progress::Said(said(Party::Caller, "This is ridiculous."))),
            [""; 0],
            "and not better"
        );
        assert_eq!(
            (call.disclosed(), call.urgency()),
            (&[Disclosure::Ai, Disclosure::Recording][..], Some(Urgency::Emergency))
        );
    }
}
