//! A scenario: who picks up, and how they react. Read from a small TOML file and checked once, with errors that a writer can use.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::pattern::Pattern;

/// What a called number does.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// One sentence for people.
    pub description: String,
    /// The numbers it answers at: E.164, or four digits for `+1500555xxxx`.
    pub numbers: Vec<String>,
    /// What becomes of the attempt to reach it.
    pub pickup: Pickup,
    /// How long it rings before that.
    pub ring: Duration,
    /// How fast the caller speaks; 1.0 is usual.
    pub speed: f64,
    /// How long the caller takes to react.
    pub reaction: Span,
    /// What the caller does after picking up, before hearing anything.
    pub opening: Option<Act>,
    /// When the caller hangs up in any case, counted from the answer.
    pub hang_up_at: Option<Duration>,
    /// How the caller reacts; the first rule that applies is taken.
    pub rules: Vec<Rule>,
}

/// What becomes of the attempt to reach a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pickup {
    /// Somebody or something answers.
    #[default]
    Answer,
    /// It rings out.
    NoAnswer,
    /// The line is busy.
    Busy,
    /// The other side refuses the call.
    Declined,
    /// The carrier fails.
    CarrierError,
    /// There is no such number; the engine refuses at once.
    InvalidNumber,
}

/// A span from which a time is chosen at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// At least.
    pub shortest: Duration,
    /// At most.
    pub longest: Duration,
}

/// Something the caller does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Act {
    /// How long after its cause; the scenario's `reaction` if absent.
    pub after: Option<Span>,
    /// One of these is said.
    pub say: Vec<String>,
    /// Keys pressed after that.
    pub press: String,
    /// The tone of an answering machine follows.
    pub beep: bool,
    /// The caller hangs up after that.
    pub hang_up: bool,
    /// What follows by itself.
    pub then: Vec<Act>,
}

/// How the caller reacts to something.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    asked: Vec<Pattern>,
    heard: Vec<Pattern>,
    /// How often it applies; always if absent.
    pub times: Option<u32>,
    /// The caller does not wait for the agent to finish but speaks after so many words.
    pub interrupt_after_words: Option<usize>,
    /// What the caller does.
    pub act: Act,
}

impl Rule {
    /// True if the rule fits a turn of the agent: `asked` looks at its questions only, `heard` at everything; a rule with neither
    /// fits always.
    pub(crate) fn fits(&self, questions: &[String], said: &[String]) -> bool {
        let any =
            |patterns: &[Pattern], words: &[String]| patterns.iter().any(|pattern| pattern.is_in(words));
        let asked = self.asked.is_empty() || any(&self.asked, questions);
        let heard = self.heard.is_empty() || any(&self.heard, said);
        asked && heard
    }
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file or directory cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no scenario.
    #[error("{file}: {source}")]
    Syntax {
        /// Which one.
        file: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A value makes no sense.
    #[error("{file}: `{field}` {problem}")]
    Senseless {
        /// Which file.
        file: String,
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two files answer at the same number.
    #[error("{file}: the number {number} is taken by {other}")]
    NumberTaken {
        /// Which file.
        file: String,
        number: String,
        /// The file that has it.
        other: String,
    },
}

impl Scenario {
    /// Reads a scenario; `file` is named in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let raw: RawScenario = toml::from_str(text)
            .map_err(|source| ScenarioError::Syntax { file: file.to_owned(), source: Box::new(source) })?;
        raw.check().map_err(|Senseless(field, problem)| ScenarioError::Senseless {
            file: file.to_owned(),
            field,
            problem,
        })
    }
}

// The file as it is written. Unknown keys are refused, because a misspelled one would be a caller who behaves oddly.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    description: String,
    #[serde(default)]
    numbers: Vec<String>,
    #[serde(default)]
    outcome: Pickup,
    ring: Option<f64>,
    speed: Option<f64>,
    reaction: Option<RawSpan>,
    opening: Option<RawAct>,
    hang_up_at: Option<f64>,
    #[serde(default)]
    rules: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawSpan {
    Exact(f64),
    Between([f64; 2]),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawLines {
    One(String),
    OneOf(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAct {
    after: Option<RawSpan>,
    say: Option<RawLines>,
    press: Option<String>,
    #[serde(default)]
    beep: bool,
    #[serde(default)]
    hang_up: bool,
    #[serde(default)]
    then: Vec<RawAct>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    #[serde(default)]
    asked: Vec<String>,
    #[serde(default)]
    heard: Vec<String>,
    times: Option<u32>,
    interrupt_after_words: Option<usize>,
    after: Option<RawSpan>,
    say: Option<RawLines>,
    press: Option<String>,
    #[serde(default)]
    beep: bool,
    #[serde(default)]
    hang_up: bool,
    #[serde(default)]
    then: Vec<RawAct>,
}

struct Senseless(&'static str, &'static str);

impl RawScenario {
    fn check(self) -> Result<Scenario, Senseless> {
        for number in &self.numbers {
            let suffix = number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_digit());
            if !suffix && domain::E164::parse(number).is_err() {
                return Err(Senseless("numbers", "holds neither four digits nor a number in E.164"));
            }
        }
        let speed = self.speed.unwrap_or(1.0);
        if !(0.25..=4.0).contains(&speed) {
            return Err(Senseless("speed", "is not between 0.25 and 4"));
        }
        let default_ring = if self.outcome == Pickup::NoAnswer { 30.0 } else { 3.0 };
        Ok(Scenario {
            description: self.description,
            numbers: self.numbers,
            pickup: self.outcome,
            ring: seconds("ring", self.ring.unwrap_or(default_ring))?,
            speed,
            reaction: span("reaction", self.reaction.unwrap_or(RawSpan::Between([0.3, 0.7])))?,
            opening: self.opening.map(|act| act.check(0)).transpose()?,
            hang_up_at: self.hang_up_at.map(|at| seconds("hang_up_at", at)).transpose()?,
            rules: self.rules.into_iter().map(RawRule::check).collect::<Result<_, _>>()?,
        })
    }
}

impl RawRule {
    fn check(self) -> Result<Rule, Senseless> {
        let Self { asked, heard, times, interrupt_after_words, after, say, press, beep, hang_up, then } =
            self;
        if interrupt_after_words == Some(0) {
            return Err(Senseless("interrupt_after_words", "is zero"));
        }
        Ok(Rule {
            asked: patterns("asked", asked)?,
            heard: patterns("heard", heard)?,
            times,
            interrupt_after_words,
            act: RawAct { after, say, press, beep, hang_up, then }.check(0)?,
        })
    }
}

impl RawAct {
    fn check(self, depth: u8) -> Result<Act, Senseless> {
        if depth > 4 {
            return Err(Senseless("then", "is nested too deeply"));
        }
        let say = match self.say {
            None => Vec::new(),
            Some(RawLines::One(line)) => vec![line],
            Some(RawLines::OneOf(lines)) if lines.is_empty() => return Err(Senseless("say", "is empty")),
            Some(RawLines::OneOf(lines)) => lines,
        };
        if say.iter().any(|line| line.trim().is_empty()) {
            return Err(Senseless("say", "holds an empty line"));
        }
        if say.iter().any(|line| line.len() > LONGEST_LINE) {
            return Err(Senseless("say", "holds a line of more than 2000 bytes"));
        }
        let press = self.press.unwrap_or_default();
        if !press.chars().all(|key| matches!(key, '0'..='9' | '*' | '#')) {
            return Err(Senseless("press", "holds something that is no telephone key"));
        }
        Ok(Act {
            after: self.after.map(|after| span("after", after)).transpose()?,
            say,
            press,
            beep: self.beep,
            hang_up: self.hang_up,
            then: self.then.into_iter().map(|act| act.check(depth + 1)).collect::<Result<_, _>>()?,
        })
    }
}

fn patterns(field: &'static str, texts: Vec<String>) -> Result<Vec<Pattern>, Senseless> {
    let parsed = texts.iter().map(|text| Pattern::parse(text));
    parsed.map(|pattern| pattern.ok_or(Senseless(field, "holds a pattern without words"))).collect()
}

fn seconds(field: &'static str, seconds: f64) -> Result<Duration, Senseless> {
    if !(0.0..=LONGEST_SECONDS).contains(&seconds) {
        return Err(Senseless(field, "is not a number of seconds between 0 and 3600"));
    }
    #[expect(clippy::cast_sign_loss, reason = "the range was checked")]
    let millis = (seconds * 1000.0).round() as u64;
    Ok(Duration::from_millis(millis))
}

fn span(field: &'static str, span: RawSpan) -> Result<Span, Senseless> {
    let (shortest, longest) = match span {
        RawSpan::Exact(exactly) => (exactly, exactly),
        RawSpan::Between([shortest, longest]) => (shortest, longest),
    };
    if shortest > longest {
        return Err(Senseless(field, "begins after it ends"));
    }
    Ok(Span { shortest: seconds(field, shortest)?, longest: seconds(field, longest)? })
}

const LONGEST_SECONDS: f64 = 3600.0;
const LONGEST_LINE: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_with_their_file_and_field() {
        let check = |text: &str, expected: &str| {
            let error = Scenario::parse("mine.toml", text).expect_err("a mistake").to_string();
            assert!(error.starts_with("mine.toml: ") && error.contains(expected), "{error}");
        };
        check("", "missing field `description`");
        check("description = 'x'\nrign = 3", "unknown field `rign`");
        check("description = 'x'\nring = -3", "`ring` is not a number of seconds");
        check("description = 'x'\nspeed = 9", "`speed` is not between");
        check("description = 'x'\nreaction = [2, 1]", "`reaction` begins after it ends");
        check("description = 'x'\nnumbers = ['12']", "`numbers` holds neither");
        check("description = 'x'\noutcome = 'fun'", "unknown variant `fun`");
        check(
            "description = 'x'\n[[rules]]\nasked = ['?']\nsay = 'x'",
            "`asked` holds a pattern without words",
        );
        check("description = 'x'\n[opening]\nsay = []", "`say` is empty");
        check("description = 'x'\n[opening]\npress = 'abc'", "`press` holds something");
    }

    #[test]
    fn whole_seconds_may_be_written_without_a_point() {
        let scenario =
            Scenario::parse("x", "description = 'x'\nring = 2\nreaction = 1\nhang_up_at = 7").expect("valid");
        assert_eq!(scenario.ring, Duration::from_secs(2));
        assert_eq!(scenario.reaction.longest, Duration::from_secs(1));
        assert_eq!(scenario.hang_up_at, Some(Duration::from_secs(7)));
    }
}
