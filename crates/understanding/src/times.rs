//! When somebody wants to be called or to come, in their own words: days, parts of the day and hours that are still to come.
//!
//! Words that say a time by themselves ("Tuesday") carry those beside them ("next Tuesday after two"). An hour counts where the words
//! before it make it one ("at five"), or in answer to the question for a time. What was said last counts if the speaker corrects themselves.

use crate::words::Language;

/// The words about a time in a turn ("next Tuesday at ten in the morning"), as they were said.
#[must_use]
pub fn wanted(text: &str, language: Language) -> Option<String> {
    pick(text, language, false)
}

/// A time that is said in answer to the question for one: a bare hour is enough there ("five, five thirty").
#[must_use]
pub fn answered(text: &str, language: Language) -> Option<String> {
    pick(text, language, false).or_else(|| {
        let words = read(text, language);
        let small = |word: &Word<'_>| {
            word.kind != Kind::Other
                || AFTER_AN_HOUR.contains(&word.plain.as_str())
                || CORRECTIONS.contains(&word.plain.as_str())
        };
        (words.len() <= SHORT && words.iter().all(small)).then(|| pick(text, language, true)).flatten()
    })
}

/// True if the text is a time and nothing else.
#[must_use]
pub fn is_only_a_time(text: &str, language: Language) -> bool {
    let words = read(text, language);
    words.iter().all(|word| word.kind != Kind::Other) && wanted(text, language).is_some()
}

/// True if somebody leaves the time open: any time will do.
#[must_use]
pub fn is_any_time(text: &str) -> bool {
    has_phrase(text, ANY_TIME)
}

/// True if it cannot be too soon.
#[must_use]
pub fn is_at_once(text: &str) -> bool {
    has_phrase(text, AT_ONCE)
}

/// The longest answer in which a bare hour is a time, in words.
const SHORT: usize = 6;

fn has_phrase(text: &str, phrases: &[&str]) -> bool {
    let words: Vec<String> = text.split_whitespace().map(plain).filter(|word| !word.is_empty()).collect();
    let said = format!(" {} ", words.join(" "));
    phrases.iter().any(|phrase| said.contains(&format!(" {phrase} ")))
}

const ANY_TIME: &[&str] = &[
    "any time",
    "anytime",
    "whenever",
    "doesn't matter",
    "does not matter",
    "all day",
    "no preference",
    "cualquier hora",
    "cualquier momento",
    "cuando quiera",
    "cuando sea",
    "cuando gusten",
    "todo el día",
];

const AT_ONCE: &[&str] = &[
    "now",
    "right now",
    "right away",
    "as soon as possible",
    "as soon as you can",
    "the sooner the better",
    "immediately",
    "ahora",
    "ahora mismo",
    "ya",
    "cuanto antes",
    "lo antes posible",
    "ahorita",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Says a time by itself.
    Anchor,
    /// An hour, which needs something before it that makes it one.
    Hour,
    /// Belongs to a time beside an anchor.
    Part,
    /// Joins parts, and does not end a time.
    Between,
    Other,
}

struct Word<'t> {
    said: &'t str,
    plain: String,
    kind: Kind,
}

impl Word<'_> {
    fn ends_sentence(&self) -> bool {
        self.said.ends_with(['.', '?', '!', ';', ':'])
    }
}

fn plain(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase().replace('’', "'")
}

fn read(text: &str, language: Language) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = text
        .split_whitespace()
        .map(|said| {
            let plain = plain(said);
            let kind = kind(&plain, language);
            Word { said, plain, kind }
        })
        .filter(|word| !word.plain.is_empty())
        .collect();
    // "Five one two, five five five" is a telephone number.
    let mut at = 0;
    while at < words.len() {
        let hours = words[at..].iter().take_while(|word| word.kind == Kind::Hour).count();
        if hours >= 3 {
            words[at..at + hours].iter_mut().for_each(|word| word.kind = Kind::Other);
        }
        at += hours.max(1);
    }
    for at in 0..words.len() {
        let before = at.checked_sub(1).map_or("", |before| words[before].plain.as_str());
        let is_time = match words[at].kind {
            Kind::Hour => MAKES_AN_HOUR.contains(&before) && !is_counted(&words, at),
            Kind::Part if words[at].plain == "day" => {
                before == "the"
                    && is_day_after(&words, at)
                    && words[..at].iter().any(|word| word.plain == "tomorrow")
            }
            // "Pasado mañana".
            Kind::Part if words[at].plain == "pasado" => is_before_tomorrow(&words, at),
            // "Next week", but neither "last week" nor "two weeks".
            Kind::Part if SPANS.contains(&words[at].plain.as_str()) => MAKES_A_SPAN.contains(&before),
            _ => false,
        };
        if is_time {
            words[at].kind = Kind::Anchor;
        }
    }
    words
}

/// True for "day after" that does not say after which.
fn is_day_after(words: &[Word<'_>], day: usize) -> bool {
    let said = |at: usize| words.get(day + at).map_or("", |word| word.plain.as_str());
    said(0) == "day" && said(1) == "after" && said(2) != "tomorrow"
}

/// True for the first word of "pasado mañana", which is still to come.
fn is_before_tomorrow(words: &[Word<'_>], at: usize) -> bool {
    let said = |at: usize| words.get(at).map_or("", |word| word.plain.as_str());
    said(at) == "pasado" && said(at + 1) == "mañana"
}

/// True for "after two years": the number counts something.
fn is_counted(words: &[Word<'_>], hour: usize) -> bool {
    let pauses = words[hour].said.ends_with(|c: char| !c.is_alphanumeric());
    let next = words[hour + 1..].first();
    !pauses
        && next.is_some_and(|next| {
            next.kind == Kind::Other && !AFTER_AN_HOUR.contains(&next.plain.as_str())
                || SPANS.contains(&next.plain.as_str())
        })
}

/// A time in a turn, with what stands around it.
struct Found {
    from: usize,
    to: usize,
    anchors: usize,
}

fn pick(text: &str, language: Language, hours_suffice: bool) -> Option<String> {
    let words = read(text, language);
    let found: Vec<Found> = runs(&words, hours_suffice)
        .into_iter()
        .filter(|found| !is_past(&words, found) && !is_declined(&words, found.from))
        .collect();
    let corrected = found.windows(2).rposition(|pair| takes_back(&words[pair[0].to..pair[1].from]));
    let best = match corrected {
        Some(before) => &found[before + 1],
        None => found.iter().rev().max_by_key(|found| (found.anchors, found.to - found.from))?,
    };
    // "Not before ten" is no "before ten".
    let is_barred = is_bound(&words[best.from])
        && best.from > 0
        && ["not", "no"].contains(&words[best.from - 1].plain.as_str())
        && !words[best.from - 1].said.ends_with(PAUSES);
    let from = best.from - usize::from(is_barred);
    let said: Vec<&str> = words[from..best.to]
        .iter()
        .filter(|word| !FILLERS.contains(&word.plain.as_str()))
        .map(|word| word.said)
        .collect();
    let whole = said.join(" ").replace(". ", ", ").replace("! ", ", ");
    // "Not tomorrow. The day after": it is the one after tomorrow.
    let after_tomorrow =
        is_day_after(&words, from) && words[..from].iter().any(|word| word.plain == "tomorrow");
    let whole = if after_tomorrow { whole.replacen("after", "after tomorrow", 1) } else { whole };
    Some(whole.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()).filter(|said| !said.is_empty())
}

/// Everything in the words that says a time. "Today. Before six." is one.
fn runs(words: &[Word<'_>], hours_suffice: bool) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let length = words[at..].iter().take_while(|word| word.kind != Kind::Other).count();
        let mut end = at;
        while end < at + length {
            end += 1;
            if words[end - 1].ends_sentence() {
                break;
            }
        }
        if let Some(run) = trimmed(words, at, end, hours_suffice) {
            match found.last_mut() {
                Some(last)
                    if last.to == run.from && run.to - run.from <= 3 && !is_declined(words, last.from) =>
                {
                    last.to = run.to;
                    last.anchors += run.anchors;
                }
                _ => found.push(run),
            }
        }
        at = end.max(at + 1);
    }
    found
}

fn trimmed(words: &[Word<'_>], mut from: usize, mut to: usize, hours_suffice: bool) -> Option<Found> {
    while to > from && words[to - 1].kind == Kind::Between {
        to -= 1;
    }
    // "Come in next Tuesday": what stands before the time is not all of it.
    let opens = |at: usize| {
        let next = words.get(at + 1).map_or("", |word| word.plain.as_str());
        match words[at].plain.as_str() {
            "in" => matches!(next, "the" | "a" | "an"),
            word => OPENING.contains(&word),
        }
    };
    while from < to && words[from].kind == Kind::Between && !opens(from) {
        from += 1;
    }
    let counts = |word: &&Word<'_>| word.kind == Kind::Anchor || (hours_suffice && word.kind == Kind::Hour);
    let anchors = words[from..to].iter().filter(counts).count();
    (anchors > 0).then_some(Found { from, to, anchors })
}

fn is_past(words: &[Word<'_>], found: &Found) -> bool {
    let mut around = found.from.saturating_sub(1)..(found.to + 1).min(words.len());
    around.any(|at| {
        ["last", "since", "ago", "yesterday", "pasado", "pasada", "ayer", "desde"]
            .contains(&words[at].plain.as_str())
            && !is_before_tomorrow(words, at)
    })
}

/// Marks after which a new thought begins.
const PAUSES: [char; 4] = [',', '.', '!', '?'];

/// True for a word that sets a bound to a time instead of naming one.
fn is_bound(word: &Word<'_>) -> bool {
    ["before", "after", "until", "till", "antes", "después"].contains(&word.plain.as_str())
}

/// "Except Monday", "I can't on Friday", but not "not before noon".
fn is_declined(words: &[Word<'_>], from: usize) -> bool {
    let before = words[from.saturating_sub(3)..from].iter();
    !is_bound(&words[from])
        && before.rev().take_while(|word| !word.said.ends_with(PAUSES)).any(|word| {
            ["not", "can't", "cannot", "never", "except", "no", "excepto", "menos"]
                .contains(&word.plain.as_str())
        })
}

fn takes_back(between: &[Word<'_>]) -> bool {
    between.iter().any(|word| CORRECTIONS.contains(&word.plain.as_str()))
}

const CORRECTIONS: &[&str] = &[
    "no", "wait", "sorry", "actually", "rather", "make", "perdón", "mejor", "digo", "instead", "scratch",
    "can't", "oops",
];

fn kind(word: &str, language: Language) -> Kind {
    let (anchors, parts, between) = match language {
        Language::Spanish => SPANISH,
        _ => ENGLISH,
    };
    let among = |list: &str| list.split_whitespace().any(|known| known == word);
    let digits = word.chars().take_while(|c| c.is_ascii_digit() || *c == ':').count();
    let (clock, after) = word.split_at(digits);
    let small = (1..=5).contains(&clock.len());
    match () {
        () if among(anchors) || (small && matches!(after, "am" | "pm" | "a.m" | "p.m" | "h")) => Kind::Anchor,
        () if small && after.is_empty() && clock.contains(':') => Kind::Anchor,
        () if is_hour(word) => Kind::Hour,
        () if among(parts)
            || (small && clock.len() <= 2 && matches!(after, "" | "st" | "nd" | "rd" | "th")) =>
        {
            Kind::Part
        }
        () if among(between) => Kind::Between,
        () => Kind::Other,
    }
}

fn is_hour(word: &str) -> bool {
    HOURS.split_whitespace().any(|hour| hour == word)
        || word.parse::<u8>().is_ok_and(|hour| (1..=12).contains(&hour))
}

const HOURS: &str = "one two three four five six seven eight nine ten eleven twelve una dos tres cuatro cinco seis siete ocho nueve diez once doce";

/// Words that make an hour of a number, as in "at five" and "a las cinco".
const MAKES_AN_HOUR: &[&str] = &[
    "at", "around", "by", "before", "after", "until", "till", "past", "like", "las", "la", "that", "it",
    "between",
];

/// Words that may follow an hour.
const AFTER_AN_HOUR: &[&str] = &[
    "please", "thanks", "thank", "if", "or", "and", "would", "is", "works", "when", "because", "but", "so",
    "most", "sharp", "fine", "i", "por", "si", "gracias", "estaría",
];

/// Stretches of time, and the words that put them into the future.
const SPANS: &[&str] = &[
    "week", "month", "year", "days", "weeks", "months", "years", "semana", "mes", "año", "hours", "minutes",
];
const MAKES_A_SPAN: &[&str] = &["next", "this", "próxima", "próximo", "esta", "este"];

/// Small words with which a time can begin.
const OPENING: [&str; 13] =
    ["at", "on", "by", "between", "until", "from", "a", "en", "el", "la", "los", "las", "por"];

/// Words that people put in while they think.
const FILLERS: &[&str] = &["like", "maybe", "say", "um", "uh"];

type Lists = (&'static str, &'static str, &'static str);

const ENGLISH: Lists = (
    "today asap monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays tomorrow \
     tonight morning mornings afternoon afternoons evening evenings noon lunchtime weekend weekends weekday weekdays anytime o'clock oclock \
     midday midnight january february april june july august september october november december christmas",
    "next this thirty fifteen forty-five twenty forty fifty half past quarter early late any every time after before around week weeks day days am pm a.m p.m month \
     year march may first second third fourth fifth end most weekend's most same either late later",
    "at in on the by between and or to of until till from a like maybe say um uh through",
);

const SPANISH: Lists = (
    "hoy lunes martes miércoles miercoles jueves viernes sábado sabado domingo sábados sabados domingos mañana tarde tardes mañanas noche mediodía \
     mediodia enero febrero abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "pasado próximo proximo próxima proxima viene esta este media cuarto temprano después despues antes semana mes día dia \
     cualquier hora horas mismo fin",
    "a en el la las los por de del y o hasta entre al que lo más mas como para",
);

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: Language = Language::English;
    const SPANISH: Language = Language::Spanish;

    #[test]
    fn times_are_taken_in_the_callers_words() {
        let check = |language, text: &str, expected: Option<&str>| {
            assert_eq!(wanted(text, language).as_deref(), expected, "{text}");
        };
        check(
            ENGLISH,
            "I'd like to come in next Tuesday at ten in the morning about my divorce.",
            Some("next Tuesday at ten in the morning"),
        );
        check(ENGLISH, "Tomorrow after five.", Some("Tomorrow after five"));
        check(ENGLISH, "Please call me back tomorrow after five.", Some("tomorrow after five"));
        check(ENGLISH, "Call me at 3pm please", Some("at 3pm"));
        check(ENGLISH, "Shall I book you for Friday, March 6 at 3:30pm?", Some("Friday, March 6 at 3:30pm"));
        check(ENGLISH, "It has to be done by the end of next month.", Some("by the end of next month"));
        check(ENGLISH, "Today. Before six.", Some("Today, Before six"));
        check(ENGLISH, "For next Wednesday at like three thirty.", Some("next Wednesday at three thirty"));
        check(ENGLISH, "Can you call back next week?", Some("next week"));
        check(SPANISH, "El martes por la tarde me queda bien.", Some("El martes por la tarde"));
        check(SPANISH, "¿Puede llamarme mañana por la tarde?", Some("mañana por la tarde"));
        check(SPANISH, "A las cinco.", Some("A las cinco"));
        check(SPANISH, "Hoy mismo, antes de las cuatro.", Some("Hoy mismo, antes de las cuatro"));
        check(SPANISH, "Pasado mañana a las nueve.", Some("Pasado mañana a las nueve"));
        check(SPANISH, "El lunes pasado me caí.", None);
        check(
            ENGLISH,
            "Not tomorrow. The day after, in the morning.",
            Some("day after tomorrow, in the morning"),
        );
        check(ENGLISH, "The day after tomorrow at nine.", Some("day after tomorrow at nine"));
        check(ENGLISH, "It broke the day after I bought it.", None);
        for none in [
            "I have two cars and three kids.",
            "Okay.",
            "I need a new roof.",
            "You may march on.",
            "After two years it broke.",
            "Call me at five one two, five five five, oh one nine nine.",
        ] {
            check(ENGLISH, none, None);
        }
        check(ENGLISH, "I was in an accident last week.", None);
        check(SPANISH, "Sí, gracias.", None);
    }

    #[test]
    fn what_is_said_last_counts() {
        let check = |text: &str, expected: &str| {
            assert_eq!(wanted(text, ENGLISH).as_deref(), Some(expected), "{text}");
        };
        check("Can you call back around five? No, make that six, I've got practice.", "six");
        check(
            "Tomorrow morning if you can. No wait, tomorrow I'm at the dentist. Make it Thursday after two.",
            "Thursday after two",
        );
        check("Monday at nine. Or no, Monday I can't, Tuesday at nine.", "Tuesday at nine");
        check("Not on Monday. Tuesday is fine.", "Tuesday");
    }

    #[test]
    fn a_bare_hour_answers_the_question_for_a_time() {
        assert_eq!(answered("Five.", ENGLISH).as_deref(), Some("Five"));
        assert_eq!(answered("Around five.", ENGLISH).as_deref(), Some("Around five"));
        assert_eq!(answered("I have five kids.", ENGLISH), None);
        assert!(is_only_a_time("Monday morning.", ENGLISH) && !is_only_a_time("Monday is bad.", ENGLISH));
        assert!(
            is_any_time("Oh, whenever.") && is_at_once("Now! As soon as you can.") && !is_any_time("Never.")
        );
    }
}
