//! A scripted caller: hears the agent's words and decides what to do, by the rules of a scenario and seeded dice. Pure; when things
//! happen is the stage's business.

use std::sync::Arc;
use std::time::Duration;

use crate::pattern;
use crate::scenario::{Act, Rule, Scenario};
use crate::seed::Dice;

/// One thing the caller does, `after` the end of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cue {
    pub(crate) after: Duration,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Say(String),
    Press(char),
    Beep,
    HangUp,
}

#[derive(Debug)]
pub(crate) struct ScriptedCaller {
    scenario: Arc<Scenario>,
    dice: Dice,
    /// How often each rule has applied.
    uses: Vec<u32>,
}

impl ScriptedCaller {
    pub(crate) fn new(scenario: Arc<Scenario>, dice: Dice) -> Self {
        let uses = vec![0; scenario.rules.len()];
        Self { scenario, dice, uses }
    }

    /// What the caller does after picking up.
    pub(crate) fn opens(&mut self) -> Vec<Cue> {
        let scenario = Arc::clone(&self.scenario);
        scenario.opening.as_ref().map(|act| self.perform(act)).unwrap_or_default()
    }

    /// The agent has said this so far and goes on. Gives an interruption, if the caller has had enough.
    pub(crate) fn hears(&mut self, so_far: &str) -> Option<Vec<Cue>> {
        let count = so_far.split_whitespace().count();
        self.react(so_far, |rule| rule.interrupt_after_words.is_some_and(|words| count >= words))
    }

    /// The agent has said this and waits.
    pub(crate) fn is_asked(&mut self, turn: &str) -> Option<Vec<Cue>> {
        self.react(turn, |rule| rule.interrupt_after_words.is_none())
    }

    fn react(&mut self, turn: &str, applies: impl Fn(&Rule) -> bool) -> Option<Vec<Cue>> {
        let said = pattern::words(turn);
        let questions = pattern::words(&questions(turn));
        let scenario = Arc::clone(&self.scenario);
        let open = |index: usize, rule: &Rule| rule.times.is_none_or(|times| self.uses[index] < times);
        let mut candidates = scenario.rules.iter().enumerate();
        let (index, rule) = candidates
            .find(|(index, rule)| applies(rule) && open(*index, rule) && rule.fits(&questions, &said))?;
        self.uses[index] += 1;
        Some(self.perform(&rule.act))
    }

    fn perform(&mut self, act: &Act) -> Vec<Cue> {
        let mut after = self.dice.within(act.after.unwrap_or(self.scenario.reaction));
        let mut cues = Vec::new();
        let mut cue = |what: What, then: Duration| {
            cues.push(Cue { after: std::mem::replace(&mut after, then), what });
        };
        if let Some(line) = self.dice.pick(&act.say) {
            cue(What::Say(line.clone()), A_MOMENT);
        }
        for key in act.press.chars() {
            cue(What::Press(key), A_MOMENT);
        }
        if act.beep {
            cue(What::Beep, A_MOMENT);
        }
        if act.hang_up {
            cue(What::HangUp, A_MOMENT);
        }
        for next in &act.then {
            cues.extend(self.perform(next));
        }
        cues
    }
}

/// Between two things that belong together.
const A_MOMENT: Duration = Duration::from_millis(300);

/// The questions in a text.
fn questions(text: &str) -> String {
    let mut questions = String::new();
    let mut sentence: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        sentence.push(word);
        if word.ends_with('?') {
            questions.push_str(&sentence.join(" "));
            questions.push(' ');
        }
        if word.ends_with(['.', '!', '?']) {
            sentence.clear();
        }
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(rules: &str) -> ScriptedCaller {
        let text = format!("description = 'x'\nreaction = 0.5\n{rules}");
        ScriptedCaller::new(Arc::new(Scenario::parse("x", &text).expect("valid")), Dice::new(0, ""))
    }

    fn said(cues: Option<Vec<Cue>>) -> Option<String> {
        cues?.into_iter().find_map(|cue| match cue.what {
            What::Say(line) => Some(line),
            _ => None,
        })
    }

    #[test]
    fn the_first_rule_that_fits_is_taken_as_often_as_it_may() {
        let mut caller = caller(
            "[[rules]]\nasked = ['your name']\ntimes = 1\nsay = 'Sam.'\n\
             [[rules]]\nasked = ['your name']\nsay = 'Sam, as I said.'\n\
             [[rules]]\nheard = ['goodbye']\nsay = 'Bye.'\nhang_up = true\n",
        );
        assert_eq!(said(caller.is_asked("Hi. What is your name?")).as_deref(), Some("Sam."));
        assert_eq!(said(caller.is_asked("Your name, please?")).as_deref(), Some("Sam, as I said."));
        assert_eq!(said(caller.is_asked("I have your name.")), None);
        let cues = caller.is_asked("Goodbye!").expect("a reaction");
        assert_eq!(cues.last().map(|cue| &cue.what), Some(&What::HangUp));
        assert_eq!(cues[0].after, Duration::from_millis(500));
    }

    #[test]
    fn an_impatient_caller_interrupts_after_some_words() {
        let mut caller = caller("[[rules]]\ninterrupt_after_words = 3\ntimes = 1\nsay = 'Stop.'\n");
        assert_eq!(caller.hears("Good morning"), None);
        assert_eq!(said(caller.hears("Good morning, this")).as_deref(), Some("Stop."));
        assert_eq!(caller.hears("Good morning, this is"), None);
        assert_eq!(caller.is_asked("Good morning, this is Kai."), None);
    }
}
