//! How calls end, in sentences: first what happened, then whose doing it was and what helps.

use std::time::Duration;

use domain::call::{Call, CallState, Direction, FailureCode, SoundQuality, Stage, TurnTimes};

use crate::show;

/// How a state is called.
pub(crate) fn state(call: &Call) -> &'static str {
    match call.state() {
        CallState::Queued => "Waiting",
        CallState::Dialing => "Dialling",
        CallState::Ringing => "Ringing",
        CallState::InProgress { .. } => "In progress",
        CallState::WrappingUp { .. } => "Wrapping up",
        CallState::Ended(_) => call.failure().map_or("Completed", |failure| failed(failure.code)),
    }
}

fn failed(code: FailureCode) -> &'static str {
    match code {
        FailureCode::NoAnswer => "No answer",
        FailureCode::Busy => "Busy",
        FailureCode::Declined => "Declined",
        FailureCode::InvalidNumber => "No such number",
        FailureCode::CarrierError => "Carrier failed",
        FailureCode::Canceled => "Called off",
        FailureCode::Blocked => "Not allowed",
        FailureCode::AgentError => "Agent failed",
        FailureCode::InternalError => "Lost",
    }
}

/// Why it ended as it did, and what can be done about it.
pub(crate) fn verdict(call: &Call) -> String {
    if let Some(failure) = call.failure() {
        if let Some(refusal) = &failure.refusal {
            return format!("It never rang: {refusal}.");
        }
        return match failure.code {
            FailureCode::NoAnswer => "It rang and nobody picked up. Try again at another time of day.",
            FailureCode::Busy => "The line was busy. Trying again in some minutes usually helps.",
            FailureCode::Declined => "The other side refused the call.",
            FailureCode::InvalidNumber => "This number does not exist. Correct it with the lead.",
            FailureCode::CarrierError => {
                "The carrier could not connect the call. Neither agent nor number is at fault."
            }
            FailureCode::Canceled => "Somebody on our side called it off before it was answered.",
            FailureCode::Blocked => "The dial policy forbade the call when its turn came.",
            FailureCode::AgentError => "The agent could not take part: look at its model and voice.",
            FailureCode::InternalError => {
                "KaiCalls lost the call: the server stopped, or its engine is gone."
            }
        }
        .to_owned();
    }
    let Some(reason) = call.ended_reason() else {
        return match call.state() {
            CallState::Queued => "It waits for its turn.".to_owned(),
            CallState::InProgress { .. } => "They are talking.".to_owned(),
            _ => "The phone is about to ring, or rings.".to_owned(),
        };
    };
    ended(reason)
}

/// What a caller waited for until the agent spoke, the longest first.
pub(super) fn stages(times: &TurnTimes) -> String {
    let mut stages: Vec<(Duration, &str)> = times
        .stages()
        .filter_map(|(stage, took)| {
            let name = match stage {
                Stage::EndOfTurn => "end of turn",
                Stage::Model => "model",
                Stage::Voice => "voice",
                Stage::Sending => "sending",
                // That is a part of the end of the turn, and the sum of all.
                Stage::Recogniser | Stage::Whole => return None,
            };
            Some((took, name))
        })
        .filter(|(took, _)| took.as_millis() > 0)
        .collect();
    stages.sort_by_key(|(took, _)| std::cmp::Reverse(*took));
    let stages: Vec<String> =
        stages.into_iter().map(|(took, name)| format!("{name} {}", show::span(took))).collect();
    stages.join(", ")
}

/// A measured turn in the log.
pub(super) fn turn(times: &TurnTimes) -> String {
    match times.waited() {
        Some(waited) => format!("answered after {} ({})", show::span(waited), stages(times)),
        None => format!("heard {} after the answer", show::span(times.first_agent_packet)),
    }
}

/// How the sound was.
pub(super) fn sound(quality: &SoundQuality) -> String {
    format!(
        "opinion score {:.1} of 4.4, {:.1} % lost, jitter {}",
        f64::from(quality.mos_hundredths) / 100.0,
        f64::from(quality.loss_per_mille) / 10.0,
        show::span(quality.jitter)
    )
}

/// The engine's word for the end of a talk as a sentence; a word that we do not know stands for itself.
pub(super) fn ended(reason: &str) -> String {
    let known = match reason {
        "caller-hung-up" => "The caller hung up.",
        "agent-said-goodbye" => "The agent said goodbye.",
        "silence" => "Nobody said anything any more.",
        "max-duration" => "It reached the longest duration of its agent.",
        "voicemail" => "A machine answered.",
        "screener" => "A call screener answered and did not put it through.",
        "menu" => "A menu answered.",
        "on-hold" => "It was put on hold for too long.",
        "number-not-in-service" => "An announcement said that the number is not in service.",
        "transferred" => "The caller was passed on to a person.",
        "agent-error" => "The agent failed in the middle of the talk.",
        "cancelled" => "It was called off.",
        "ended-by-api" => "Somebody asked for its end.",
        "engine-lost" => "Its engine was lost.",
        "server-stopped" => "The server was stopped.",
        "opted-out" => "The caller wants no more calls.",
        other => return format!("It ended with `{other}`."),
    };
    known.to_owned()
}

/// A note in a call's log as people say it, and how it looks on the timeline.
pub(super) fn noted(what: &str, detail: &str) -> (String, &'static str) {
    let (text, tone) = match what {
        "barge_in" => ("The caller interrupted", "warn"),
        "false_barge_in" => ("A noise, no interruption", ""),
        "voicemail" => ("A machine answered", "warn"),
        "screener" => ("A call screener answered", "warn"),
        "menu" => ("A menu answered", "warn"),
        "hold" => ("Put on hold", ""),
        "intercept" => ("An announcement of the carrier", "bad"),
        "silence_prompt" => ("Asked whether anybody is there", ""),
        "transfer" => ("Passed on to a person", ""),
        "reply_failed" => ("The model gave no answer", "bad"),
        "time_is_up" => ("The time was up", "warn"),
        "disclosure" => match detail {
            "ai" => return ("Said that it is an AI".to_owned(), ""),
            "recording" => return ("Said that the call is recorded".to_owned(), ""),
            _ => ("Disclosed", ""),
        },
        "urgent" => ("Urgent: upset, grieved, or asks for a person", "warn"),
        "emergency" => ("Emergency: somebody is in danger", "bad"),
        "end_requested" => ("Somebody asked for the end", ""),
        "tool_call" => ("Tool call", ""),
        other => {
            let words = other.replace('_', " ");
            return (if detail.is_empty() { words } else { format!("{words}: {detail}") }, "");
        }
    };
    (if detail.is_empty() { text.to_owned() } else { format!("{text}: {detail}") }, tone)
}

/// Which way a call goes.
pub(super) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "Incoming",
        Direction::Outbound => "Outgoing",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use domain::call::{CallFacts, CallRequest, Ending, Progress, Refusal, WRAP_UP_LIMIT};
    use domain::{AgentId, BusinessId, CallId, E164, Mode, NodeId, Timestamp};
    use uuid::Uuid;

    use super::*;

    const THEN: Timestamp = Timestamp::UNIX_EPOCH;

    fn queued() -> Call {
        let facts = CallFacts {
            id: CallId(Uuid::nil()),
            business_id: BusinessId(Uuid::nil()),
            mode: Mode::Live,
            agent_id: AgentId(Uuid::nil()),
            direction: Direction::Outbound,
            to: E164::parse("+15125550142").expect("a number"),
            from: None,
            request: CallRequest::default(),
            max_duration: Duration::from_secs(60),
            engine: "voice".to_owned(),
            policy_reason: "allowed".to_owned(),
            created_at: THEN,
        };
        Call::outbound(facts, None)
    }

    /// A call that has come so far.
    fn after(steps: &[Progress]) -> Call {
        let mut call = queued();
        assert!(call.dial(NodeId(Uuid::nil())));
        for step in steps {
            let _ = call.on(step, THEN, THEN, WRAP_UP_LIMIT);
        }
        call
    }

    fn ended_by(ending: Ending, reason: &str) -> Progress {
        Progress::Ended { ending, reason: reason.to_owned() }
    }

    #[test]
    fn a_call_under_way_says_how_far_it_has_come() {
        let talked = || Ending::Talked { answered_at: None, talked: Some(Duration::from_secs(5)) };
        for (call, is, says) in [
            (queued(), "Waiting", "It waits for its turn."),
            (after(&[]), "Dialling", "The phone is about to ring, or rings."),
            (after(&[Progress::Ringing]), "Ringing", "The phone is about to ring, or rings."),
            (after(&[Progress::Answered]), "In progress", "They are talking."),
            (
                after(&[Progress::Answered, ended_by(talked(), "caller-hung-up")]),
                "Wrapping up",
                "The caller hung up.",
            ),
        ] {
            assert_eq!((state(&call), verdict(&call).as_str()), (is, says));
        }
        let mut done = after(&[Progress::Answered, ended_by(talked(), "silence")]);
        assert!(done.conclude(0, None, None, THEN));
        assert_eq!((state(&done), verdict(&done).as_str()), ("Completed", "Nobody said anything any more."));
    }

    #[test]
    fn each_failure_has_a_word_and_a_sentence_of_its_own() {
        let (mut words, mut sentences) = (BTreeSet::new(), BTreeSet::new());
        for &code in FailureCode::ALL {
            let failed = after(&[ended_by(Ending::Failed(code), "whatever")]);
            words.insert(state(&failed));
            assert!(verdict(&failed).ends_with('.'), "{code:?}");
            sentences.insert(verdict(&failed));
        }
        assert_eq!((words.len(), sentences.len()), (FailureCode::ALL.len(), FailureCode::ALL.len()));
        let mut refused = queued();
        let words = "the number asked not to be called".to_owned();
        let refusal = Refusal { code: FailureCode::Blocked, reason: "opted-out".to_owned(), words };
        assert!(refused.refuse(refusal, THEN));
        assert_eq!(verdict(&refused), "It never rang: the number asked not to be called.");
        assert_eq!(state(&refused), "Not allowed");
    }

    #[test]
    fn what_a_caller_waited_for_is_told_the_longest_first() {
        let ms = |millis| Some(Duration::from_millis(millis));
        let times = TurnTimes {
            last_caller_packet: ms(1000),
            end_of_turn: ms(1400),
            first_token: ms(2600),
            first_sentence: ms(2600),
            first_audio: ms(2750),
            first_agent_packet: Duration::from_millis(2750),
            ..TurnTimes::default()
        };
        assert_eq!(stages(&times), "model 1.2 s, end of turn 400 ms, voice 150 ms");
        assert_eq!(turn(&times), "answered after 1.7 s (model 1.2 s, end of turn 400 ms, voice 150 ms)");
        let greeting = TurnTimes { first_agent_packet: Duration::from_millis(20), ..TurnTimes::default() };
        assert_eq!(turn(&greeting), "heard 20 ms after the answer");
        let quality = SoundQuality {
            mos_hundredths: 431,
            loss_per_mille: 12,
            jitter: Duration::from_millis(3),
            ..SoundQuality::default()
        };
        assert_eq!(sound(&quality), "opinion score 4.3 of 4.4, 1.2 % lost, jitter 3 ms");
    }

    #[test]
    fn a_word_of_an_engine_that_nobody_knows_here_stands_for_itself() {
        assert_eq!(ended("pipeline-error-x"), "It ended with `pipeline-error-x`.");
        assert_eq!(noted("odd_thing", ""), ("odd thing".to_owned(), ""));
        assert_eq!(noted("odd_thing", "seven"), ("odd thing: seven".to_owned(), ""));
        assert_eq!(noted("hold", "music"), ("Put on hold: music".to_owned(), ""));
        assert_eq!(noted("disclosure", "ai").0, "Said that it is an AI");
        assert_eq!(noted("disclosure", "recording").0, "Said that the call is recorded");
        assert_eq!(noted("disclosure", "age").0, "Disclosed: age");
    }
}
