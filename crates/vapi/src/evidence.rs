//! Everything that Vapi has said about one call, in whichever order it came, and how the call ended by all of it.
//!
//! Reports may contradict each other and the messages before them. What decides between them is what they say, never which came first: a
//! report that knows when the call was answered counts before any other, an answer before none, and the richer of two equals.

use domain::Timestamp;
use domain::call::{Ending, Progress};
use domain::engine::KeptMessage;

use crate::facts::Facts;
use crate::message::Message;
use crate::reasons::Verdict;
use crate::time::time;

#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// Reports, and the call itself as Vapi keeps it once it is over.
    reports: Vec<Facts>,
    /// What the message says that the call is over; it knows less than any report.
    over: Option<Facts>,
    answered_at: Option<Timestamp>,
    /// Some message has said that it was answered, if not when.
    was_in_progress: bool,
}

impl Evidence {
    /// What the kept messages of a call say.
    pub(crate) fn of(messages: &[KeptMessage]) -> Self {
        let mut evidence = Self::default();
        for kept in messages {
            let Ok(message) = serde_json::from_str(&kept.body) else { continue };
            evidence.hear(&Message::kept_as(message));
        }
        evidence
    }

    fn hear(&mut self, message: &Message) {
        match (message.kind(), message.status().as_str()) {
            ("end-of-call-report", _) => self.add(Facts::read(message.body())),
            ("status-update", "ended") => self.over = Some(Facts::read(message.body())),
            ("status-update", "in-progress" | "forwarding") => {
                let at = time(&message.body()["startedAt"]).or_else(|| time(&message.body()["timestamp"]));
                self.answered_at = self.answered_at.into_iter().chain(at).min();
                self.was_in_progress = true;
            }
            _ => {}
        }
    }

    /// Takes a report, or the call itself.
    pub(crate) fn add(&mut self, facts: Facts) {
        self.reports.push(facts);
    }

    pub(crate) fn has_report(&self) -> bool {
        !self.reports.is_empty()
    }

    /// True if some message has said that the call is over.
    pub(crate) fn knows_the_end(&self) -> bool {
        self.has_report() || self.over.is_some()
    }

    /// How the call ended; `None` if nobody has said that it has. `now` stands in for a time that is missing.
    pub(crate) fn end(&self, now: Timestamp) -> Option<(Timestamp, Progress)> {
        let reports = || self.reports.iter().chain(self.over.as_ref().filter(|_| self.reports.is_empty()));
        if let Some(certain) =
            reports().filter(|facts| facts.is_conclusive()).max_by_key(|facts| facts.richness())
        {
            return Some(certain.end(now, true));
        }
        let was_answered = self.answered_at.is_some() || reports().any(Facts::shows_an_answer);
        let weight = |facts: &&Facts| match facts.verdict() {
            Verdict::Talked if was_answered => 2,
            Verdict::NotReached(_) if !was_answered => 2,
            Verdict::Broke(_) => 1,
            Verdict::Talked | Verdict::NotReached(_) => 0,
        };
        let best = reports().max_by_key(|facts| (weight(facts), facts.richness()))?;
        let (at, mut end) = best.end(now, was_answered);
        if let Progress::Ended { ending: Ending::Talked { answered_at, talked }, .. } = &mut end {
            *answered_at = answered_at.or(self.answered_at);
            // Where nobody has told when it was answered, it was as long before its end as the last word says.
            if answered_at.is_none() && !self.was_in_progress {
                *talked = talked.or_else(|| reports().filter_map(Facts::last_word).max());
            }
        }
        Some((at, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn now() -> Timestamp {
        "2026-03-01T11:00:00Z".parse().expect("a time")
    }

    fn kept(message: &Value) -> KeptMessage {
        KeptMessage { kind: String::new(), body: message.to_string() }
    }

    fn end(messages: &[&Value]) -> Option<(Timestamp, Progress)> {
        let kept: Vec<KeptMessage> = messages.iter().map(|message| kept(message)).collect();
        Evidence::of(&kept).end(now())
    }

    /// All orders of some things.
    fn orders<T: Copy>(things: &[T]) -> Vec<Vec<T>> {
        let [first, rest @ ..] = things else { return vec![Vec::new()] };
        orders(rest)
            .into_iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |place| {
                    let mut longer = order.clone();
                    longer.insert(place, *first);
                    longer
                })
            })
            .collect()
    }

    #[test]
    fn the_order_of_messages_decides_nothing() {
        let answer =
            json!({ "type": "status-update", "status": "in-progress", "timestamp": "2026-03-01T10:00:05Z" });
        let busy_end = json!({ "type": "status-update", "status": "ended", "endedReason": "customer-busy", "timestamp": "2026-03-01T10:01:00Z" });
        let report = |reason: &str, more: Value| {
            let mut report = json!({ "type": "end-of-call-report", "endedReason": reason, "timestamp": "2026-03-01T10:01:05Z" });
            for (name, value) in more.as_object().expect("fields") {
                report[name] = value.clone();
            }
            report
        };
        let busy = report("customer-busy", json!({}));
        let unanswered = report("customer-did-not-answer", json!({}));
        let timeless = report("customer-ended-call", json!({ "summary": "A talk." }));
        let words = report(
            "assistant-ended-call",
            json!({ "transcript": "AI: Hello\nUser: Hi", "durationSeconds": 20 }),
        );
        let sure = report(
            "customer-ended-call",
            json!({ "startedAt": "2026-03-01T10:00:06Z", "endedAt": "2026-03-01T10:01:00Z" }),
        );
        let broken = report("call.in-progress.error-vapifault-worker-died", json!({}));
        let seen = [&answer, &busy_end, &busy, &unanswered, &timeless, &words, &sure, &broken];
        for left in 0..seen.len() {
            // Five messages out of eight, with every one of them left out once.
            let five: Vec<&Value> = (0..5).map(|place| seen[(left + place) % seen.len()]).collect();
            let orders = orders(&five);
            assert_eq!(orders.len(), 120);
            let expected = end(&orders[0]);
            assert!(expected.is_some());
            for order in &orders {
                assert_eq!(end(order), expected, "{order:#?}");
            }
        }
    }

    #[test]
    fn a_call_of_which_nobody_has_told_the_times_lasted_as_long_as_its_words() {
        let words = json!([
            { "role": "bot", "message": "Hello", "secondsFromStart": 0.5, "duration": 1500 },
            { "role": "user", "message": "Hi, it is about the lease.", "secondsFromStart": 38.0, "duration": 4000 },
        ]);
        let report = |more: Value| {
            let mut report = json!({
                "type": "end-of-call-report", "endedReason": "customer-ended-call",
                "timestamp": 1_772_359_270_000_u64, "artifact": { "messages": words },
            });
            for (name, value) in more.as_object().expect("fields") {
                report[name] = value.clone();
            }
            report
        };
        let talked = |messages: &[&Value]| match end(messages) {
            Some((at, Progress::Ended { ending: Ending::Talked { answered_at, talked }, .. })) => {
                (at.strftime("%M:%S").to_string(), answered_at, talked.map(|talked| talked.as_secs()))
            }
            other => panic!("somebody spoke: {other:?}"),
        };
        let sent = "01:10".to_owned();
        assert_eq!(talked(&[&report(json!({}))]), (sent.clone(), None, Some(42)));
        assert_eq!(
            talked(&[&report(json!({ "durationSeconds": 50 }))]).2,
            Some(50),
            "what is told counts first"
        );
        let poor = report(json!({ "artifact": { "messages": [] }, "analysis": { "summary": "A talk." } }));
        assert_eq!(talked(&[&report(json!({})), &poor]).2, Some(42), "whichever report has the words");
        // Where an answer is known, the call lasted from there to its end.
        let answer =
            json!({ "type": "status-update", "status": "in-progress", "timestamp": 1_772_359_210_000_u64 });
        let at: Timestamp = "2026-03-01T10:00:10Z".parse().expect("a time");
        assert_eq!(talked(&[&report(json!({})), &answer]), (sent.clone(), Some(at), None));
        let timeless = json!({ "type": "status-update", "status": "in-progress" });
        assert_eq!(
            talked(&[&timeless, &report(json!({}))]),
            (sent, None, None),
            "our own time of it is better"
        );
    }

    #[test]
    fn what_knows_more_counts() {
        let answer =
            json!({ "type": "status-update", "status": "in-progress", "startedAt": "2026-03-01T10:00:05Z" });
        let over = json!({ "type": "status-update", "status": "ended", "endedReason": "voicemail", "timestamp": "2026-03-01T10:01:00Z" });
        let busy = json!({ "type": "end-of-call-report", "endedReason": "customer-busy", "endedAt": "2026-03-01T10:00:50Z" });
        let talked = json!({ "type": "end-of-call-report", "endedReason": "customer-ended-call", "endedAt": "2026-03-01T10:01:00Z" });
        let read = |messages: &[&Value]| {
            let Some((at, Progress::Ended { ending, reason })) = end(messages) else {
                return "nothing".to_owned();
            };
            let how = match ending {
                Ending::Talked { answered_at, .. } => format!("talked since {answered_at:?}"),
                Ending::Failed(code) | Ending::Refused { code, .. } => code.as_str().to_owned(),
            };
            format!("{how}, {reason}, {}", at.strftime("%M:%S"))
        };
        assert_eq!(read(&[]), "nothing");
        assert_eq!(read(&[&answer]), "nothing");
        assert_eq!(read(&[&busy]), "busy, customer-busy, 00:50");
        assert_eq!(read(&[&talked]), "no_answer, customer-ended-call, 01:00");
        assert_eq!(read(&[&talked, &busy]), "busy, customer-busy, 00:50");
        assert_eq!(read(&[&over]), "no_answer, voicemail, 01:00");
        let since = "talked since Some(2026-03-01T10:00:05Z)";
        assert_eq!(read(&[&over, &answer]), format!("{since}, voicemail, 01:00"));
        assert_eq!(read(&[&talked, &busy, &answer]), format!("{since}, customer-ended-call, 01:00"));
        assert_eq!(read(&[&busy, &answer, &over]), format!("{since}, customer-busy, 00:50"));
    }
}
