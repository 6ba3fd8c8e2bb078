//! A scenario: who picks up, and how they react. Read from a small TOML file and checked once, with errors that a writer can use.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

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
    /// What the network says meanwhile, before anybody has answered.
    pub early: Option<String>,
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
    NoAnswer,
    /// The line is busy.
    Busy,
    /// The other side refuses the call.
    Declined,
    CarrierError,
    /// There is no such number; the engine refuses at once.
    InvalidNumber,
}

/// A span from which a time is chosen at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub shortest: Duration,
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
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The file is no scenario.
    #[error("{file}: {source}")]
    Syntax { file: String, source: Box<toml::de::Error> },
    /// A value makes no sense.
    #[error("{file}, line {line}: `{field}` {problem}")]
    Senseless {
        file: String,
        /// Where the value stands, from 1.
        line: usize,
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two files answer at the same number.
    #[error("{file}: the number {number} is taken by {other}")]
    NumberTaken {
        file: String,
        number: String,
        /// The file that has it.
        other: String,
    },
}

/// The numbers that short ones in scenario files stand for begin with this.
const PREFIX: &str = "+1500555";

impl Scenario {
    /// The numbers that it answers at, each in E.164.
    pub fn full_numbers(&self) -> Vec<String> {
        let full = |number: &String| {
            if number.starts_with('+') { number.clone() } else { format!("{PREFIX}{number}") }
        };
        self.numbers.iter().map(full).collect()
    }

    /// True if somebody talks in it, who can then also be one who calls.
    pub fn can_call(&self) -> bool {
        self.pickup == Pickup::Answer
    }

    /// Reads a scenario; `file` is named in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let raw: RawScenario = toml::from_str(text)
            .map_err(|source| ScenarioError::Syntax { file: file.to_owned(), source: Box::new(source) })?;
        raw.check().map_err(|Senseless { field, at, problem }| ScenarioError::Senseless {
            file: file.to_owned(),
            line: 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count(),
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
    numbers: Vec<Spanned<String>>,
    #[serde(default)]
    outcome: Pickup,
    ring: Option<Spanned<f64>>,
    early: Option<Spanned<String>>,
    speed: Option<Spanned<f64>>,
    reaction: Option<Spanned<RawSpan>>,
    opening: Option<RawAct>,
    hang_up_at: Option<Spanned<f64>>,
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
    after: Option<Spanned<RawSpan>>,
    say: Option<Spanned<RawLines>>,
    press: Option<Spanned<String>>,
    #[serde(default)]
    beep: bool,
    #[serde(default)]
    hang_up: bool,
    #[serde(default)]
    then: Vec<Spanned<RawAct>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    #[serde(default)]
    asked: Vec<Spanned<String>>,
    #[serde(default)]
    heard: Vec<Spanned<String>>,
    times: Option<u32>,
    interrupt_after_words: Option<Spanned<usize>>,
    after: Option<Spanned<RawSpan>>,
    say: Option<Spanned<RawLines>>,
    press: Option<Spanned<String>>,
    #[serde(default)]
    beep: bool,
    #[serde(default)]
    hang_up: bool,
    #[serde(default)]
    then: Vec<Spanned<RawAct>>,
}

/// A value that makes no sense, and where in the text it stands, in bytes.
struct Senseless {
    field: &'static str,
    at: usize,
    problem: &'static str,
}

impl Senseless {
    fn of<T>(field: &'static str, value: &Spanned<T>, problem: &'static str) -> Self {
        Self { field, at: value.span().start, problem }
    }
}

impl RawScenario {
    fn check(self) -> Result<Scenario, Senseless> {
        for number in &self.numbers {
            let text = number.get_ref();
            let suffix = text.len() == 4 && text.bytes().all(|digit| digit.is_ascii_digit());
            if !suffix && domain::E164::parse(text).is_err() {
                let problem = "holds neither four digits nor a number in E.164";
                return Err(Senseless::of("numbers", number, problem));
            }
        }
        if let Some(speed) = &self.speed
            && !(0.25..=4.0).contains(speed.get_ref())
        {
            return Err(Senseless::of("speed", speed, "is not between 0.25 and 4"));
        }
        let usual_ring = Duration::from_secs(if self.outcome == Pickup::NoAnswer { 30 } else { 3 });
        Ok(Scenario {
            description: self.description,
            numbers: self.numbers.into_iter().map(Spanned::into_inner).collect(),
            pickup: self.outcome,
            ring: self.ring.map_or(Ok(usual_ring), |ring| seconds("ring", &ring))?,
            early: self.early.map(early).transpose()?,
            speed: self.speed.map_or(1.0, Spanned::into_inner),
            reaction: self.reaction.map_or(Ok(USUAL_REACTION), |reaction| span("reaction", &reaction))?,
            opening: self.opening.map(|act| act.check(0)).transpose()?,
            hang_up_at: self.hang_up_at.map(|at| seconds("hang_up_at", &at)).transpose()?,
            rules: self.rules.into_iter().map(RawRule::check).collect::<Result<_, _>>()?,
        })
    }
}

fn early(words: Spanned<String>) -> Result<String, Senseless> {
    match words.get_ref().trim() {
        "" => Err(Senseless::of("early", &words, "is empty")),
        text if text.len() > LONGEST_LINE => {
            Err(Senseless::of("early", &words, "holds more than 2000 bytes"))
        }
        _ => Ok(words.into_inner()),
    }
}

impl RawRule {
    fn check(self) -> Result<Rule, Senseless> {
        let Self { asked, heard, times, interrupt_after_words, after, say, press, beep, hang_up, then } =
            self;
        if let Some(words) = interrupt_after_words.as_ref().filter(|words| *words.get_ref() == 0) {
            return Err(Senseless::of("interrupt_after_words", words, "is zero"));
        }
        Ok(Rule {
            asked: patterns("asked", &asked)?,
            heard: patterns("heard", &heard)?,
            times,
            interrupt_after_words: interrupt_after_words.map(Spanned::into_inner),
            act: RawAct { after, say, press, beep, hang_up, then }.check(0)?,
        })
    }
}

impl RawAct {
    fn check(self, depth: u8) -> Result<Act, Senseless> {
        if let (5.., Some(then)) = (depth + 1, self.then.first()) {
            return Err(Senseless::of("then", then, "is nested too deeply"));
        }
        let press = self.press.as_ref();
        if let Some(press) = press.filter(|press| !press.get_ref().chars().all(is_a_key)) {
            return Err(Senseless::of("press", press, "holds something that is no telephone key"));
        }
        let then = self.then.into_iter().map(|act| act.into_inner().check(depth + 1));
        Ok(Act {
            after: self.after.map(|after| span("after", &after)).transpose()?,
            say: self.say.map_or(Ok(Vec::new()), lines)?,
            press: self.press.map(Spanned::into_inner).unwrap_or_default(),
            beep: self.beep,
            hang_up: self.hang_up,
            then: then.collect::<Result<_, _>>()?,
        })
    }
}

fn is_a_key(key: char) -> bool {
    matches!(key, '0'..='9' | '*' | '#')
}

fn lines(say: Spanned<RawLines>) -> Result<Vec<String>, Senseless> {
    let lines = match say.get_ref() {
        RawLines::One(line) => std::slice::from_ref(line),
        RawLines::OneOf(lines) => lines,
    };
    if lines.is_empty() {
        return Err(Senseless::of("say", &say, "is empty"));
    }
    if lines.iter().any(|line| line.trim().is_empty()) {
        return Err(Senseless::of("say", &say, "holds an empty line"));
    }
    if lines.iter().any(|line| line.len() > LONGEST_LINE) {
        return Err(Senseless::of("say", &say, "holds a line of more than 2000 bytes"));
    }
    Ok(match say.into_inner() {
        RawLines::One(line) => vec![line],
        RawLines::OneOf(lines) => lines,
    })
}

fn patterns(field: &'static str, texts: &[Spanned<String>]) -> Result<Vec<Pattern>, Senseless> {
    let parsed = texts.iter().map(|text| {
        let pattern = Pattern::parse(text.get_ref());
        pattern.ok_or_else(|| Senseless::of(field, text, "holds a pattern without words"))
    });
    parsed.collect()
}

fn seconds(field: &'static str, written: &Spanned<f64>) -> Result<Duration, Senseless> {
    let duration = duration(*written.get_ref());
    duration.ok_or_else(|| Senseless::of(field, written, NO_SECONDS))
}

fn span(field: &'static str, written: &Spanned<RawSpan>) -> Result<Span, Senseless> {
    let (shortest, longest) = match written.get_ref() {
        RawSpan::Exact(exactly) => (*exactly, *exactly),
        RawSpan::Between([shortest, longest]) => (*shortest, *longest),
    };
    if shortest > longest {
        return Err(Senseless::of(field, written, "begins after it ends"));
    }
    let ends = duration(shortest).zip(duration(longest));
    let (shortest, longest) = ends.ok_or_else(|| Senseless::of(field, written, NO_SECONDS))?;
    Ok(Span { shortest, longest })
}

/// A time in whole milliseconds, if it is one that a call can last.
fn duration(seconds: f64) -> Option<Duration> {
    if !(0.0..=LONGEST_SECONDS).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_sign_loss, reason = "the range was checked")]
    let millis = (seconds * 1000.0).round() as u64;
    Some(Duration::from_millis(millis))
}

const NO_SECONDS: &str = "is not a number of seconds between 0 and 3600";
const USUAL_REACTION: Span =
    Span { shortest: Duration::from_millis(300), longest: Duration::from_millis(700) };
const LONGEST_SECONDS: f64 = 3600.0;
const LONGEST_LINE: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_with_their_file_and_field() {
        let check = |text: &str, expected: &str| {
            let error = Scenario::parse("mine.toml", text).expect_err("a mistake").to_string();
            assert!(error.starts_with("mine.toml") && error.contains(expected), "{error}");
            assert!(error.contains("line "), "says where: {error}");
        };
        check("", "missing field `description`");
        check("description = 'x'\nrign = 3", "unknown field `rign`");
        check("description = 'x'\nring = -3", "line 2: `ring` is not a number of seconds");
        check("description = 'x'\nspeed = 9", "`speed` is not between");
        check("description = 'x'\nreaction = [2, 1]", "`reaction` begins after it ends");
        check("description = 'x'\nnumbers = ['12']", "`numbers` holds neither");
        check("description = 'x'\noutcome = 'fun'", "unknown variant `fun`");
        check(
            "description = 'x'\n[[rules]]\nasked = ['?']\nsay = 'x'",
            "`asked` holds a pattern without words",
        );
        check("description = 'x'\nearly = ' '", "`early` is empty");
        check("description = 'x'\n[opening]\nsay = []", "line 3: `say` is empty");
        check(
            "description = 'x'\n[[rules]]\nsay = 'x'\n\n[[rules]]\nasked = ['name']\nafter = [1.5, 1]\n",
            "line 7: `after` begins after it ends",
        );
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
