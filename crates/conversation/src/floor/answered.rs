//! Who has answered, and what is said to them first: a person, or one of the machines that answer instead.

use std::time::Duration;

use domain::agent::{OnMenu, OnScreener, OnVoicemail};
use understanding::answering::{self, Answering};

use super::{Conversation, Phase};
use crate::reply::{After, Manners};
use crate::{EndReason, Note, Output, Timer};

impl Conversation {
    pub(super) fn handle_beep(&mut self, now: Duration) {
        let Some(answering) = self.settings.answering else { return };
        if self.phase == Phase::Machine {
            self.take_caller_turn(now);
            self.leave_message(now);
        } else if matches!(self.phase, Phase::Opening) && !self.caller.text().is_empty() {
            // A greeting that we did not recognise by its words.
            self.take_caller_turn(now);
            self.out.push_back(Output::Note(Note::VoicemailDetected));
            match answering.voicemail {
                OnVoicemail::LeaveMessage => self.leave_message(now),
                OnVoicemail::HangUp => self.end(EndReason::Voicemail, now),
            }
        }
    }

    /// The first words of somebody: who are they?
    pub(super) fn meet(&mut self, text: &str, now: Duration) {
        let Some(answering) = self.settings.answering else { return self.greet_back(now) };
        match answering::read(text) {
            Answering::Person if answering::asks_to_wait(text) && self.phase != Phase::Talking => {
                self.timers.set(Timer::Silence, now + self.settings.hold_patience);
            }
            Answering::Person => self.greet_back(now),
            Answering::Voicemail => {
                self.out.push_back(Output::Note(Note::VoicemailDetected));
                match answering.voicemail {
                    OnVoicemail::LeaveMessage => {
                        self.leave_queue();
                        self.phase = Phase::Machine;
                        self.timers.set(Timer::Beep, now + self.settings.beep_patience);
                    }
                    OnVoicemail::HangUp => self.end(EndReason::Voicemail, now),
                }
            }
            Answering::Screener if self.introductions >= MAX_INTRODUCTIONS => self.greet_back(now),
            Answering::Screener => {
                self.out.push_back(Output::Note(Note::ScreenerDetected));
                match answering.screener {
                    OnScreener::Introduce => self.introduce(now),
                    OnScreener::HangUp => self.end(EndReason::Screener, now),
                }
            }
            // After an introduction these are the words of a screener that puts us through.
            Answering::Hold if self.phase == Phase::Screened => self.listen(now),
            Answering::Hold => self.queue(Note::HoldDetected, EndReason::OnHold, answering.menu, now),
            Answering::Menu => self.queue(Note::MenuDetected, EndReason::Menu, answering.menu, now),
            Answering::Intercept => {
                self.out.push_back(Output::Note(Note::InterceptDetected));
                self.end(EndReason::NotInService, now);
            }
        }
    }

    /// A person has spoken: they get the first message, or an answer if they have had it.
    fn greet_back(&mut self, now: Duration) {
        if self.phase == Phase::Talking { self.start_reply(now) } else { self.open(now) }
    }

    fn introduce(&mut self, now: Duration) {
        self.leave_queue();
        self.introductions += 1;
        self.phase = Phase::Screened;
        let introduction = self.words_of(|settings| &settings.introduction);
        self.speak(&introduction, After::Listen, Manners::Yield, now);
    }

    /// Waits in silence for a person, but not for ever.
    fn queue(&mut self, note: Note, unless_somebody_comes: EndReason, menu: OnMenu, now: Duration) {
        let was_queued = matches!(self.phase, Phase::Queued(_));
        if self.phase != Phase::Queued(unless_somebody_comes) {
            self.out.push_back(Output::Note(note));
        }
        if menu == OnMenu::HangUp {
            return self.end(unless_somebody_comes, now);
        }
        self.phase = Phase::Queued(unless_somebody_comes);
        if !was_queued {
            self.timers.set(Timer::Queue, now + self.settings.queue_patience);
        }
    }

    pub(super) fn leave_queue(&mut self) {
        self.timers.clear(Timer::Queue);
    }

    pub(super) fn open(&mut self, now: Duration) {
        self.leave_queue();
        self.phase = Phase::Talking;
        if self.has_disclosed {
            return self.greet(now);
        }
        self.has_disclosed = true;
        let disclosure = self.words_of(|settings| &settings.disclosure);
        self.speak(&disclosure, After::Greet, Manners::Insist, now);
    }

    pub(super) fn is_disclosing(&self) -> bool {
        self.agent.as_ref().is_some_and(|agent| agent.after == After::Greet)
    }

    /// What must be said first has been heard, and the other side may have spoken meanwhile.
    pub(super) fn disclosed(&mut self, now: Duration) {
        if self.caller.speaking || self.caller.stopped.is_some() {
            // Whoever is speaking is heard out, and then gets the first message.
            self.phase = Phase::Opening;
            return;
        }
        if let Some((words, _)) = self.nod.take() {
            self.transcript.caller_said(&words);
            self.caller_turns += 1;
            if self.settings.answering.is_some() && answering::read(&words) != Answering::Person {
                // A machine has heard it; who comes after it has not.
                self.has_disclosed = false;
                return self.meet(&words, now);
            }
        } else {
            self.goes_on = true;
        }
        self.greet(now);
    }

    /// What the agent says once it has said what must be said first.
    fn greet(&mut self, now: Duration) {
        match self.settings.first_message.clone() {
            Some(message) => self.speak(&message, After::Listen, Manners::Yield, now),
            None if self.transcript.awaits_reply() => self.start_reply(now),
            None => self.listen(now),
        }
    }

    pub(super) fn leave_message(&mut self, now: Duration) {
        self.timers.clear(Timer::Beep);
        let message = self.words_of(|settings| &settings.voicemail_message);
        self.phase = Phase::Talking;
        self.speak(&message, After::Part(EndReason::Voicemail), Manners::Insist, now);
    }
}

/// How often a screener is told who is calling; one that asks on is talked to like a person.
const MAX_INTRODUCTIONS: u32 = 2;
