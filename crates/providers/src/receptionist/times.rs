//! When somebody wants to be called, in their own words.

use understanding::Language;

/// A time that is said in answer to the question for one: a bare hour is enough there ("around five").
pub(super) fn answered(text: &str, language: Language) -> Option<String> {
    wanted(text, language).or_else(|| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let kinds: Vec<Kind> = words.iter().map(|word| kind(word, language)).collect();
        let short = words.len() <= 6 && kinds.iter().all(|kind| *kind != Kind::Other);
        let says_hour = words.iter().zip(&kinds).any(|(word, kind)| *kind == Kind::Part && is_hour(word));
        let said = text.trim().trim_end_matches(|c: char| !c.is_alphanumeric());
        (short && says_hour).then(|| said.to_owned())
    })
}

/// True if the text is a time and nothing else.
pub(super) fn is_only_a_time(text: &str, language: Language) -> bool {
    text.split_whitespace().all(|word| kind(word, language) != Kind::Other)
        && wanted(text, language).is_some()
}

fn is_hour(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let hours = "one two three four five six seven eight nine ten eleven twelve una dos tres cuatro cinco seis siete ocho nueve diez once doce";
    hours.split(' ').any(|hour| hour == word) || word.parse::<u8>().is_ok_and(|hour| (1..=12).contains(&hour))
}

/// The words about a time in a turn ("next Tuesday at ten in the morning"), as they were said.
pub(super) fn wanted(text: &str, language: Language) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let kinds: Vec<Kind> = words.iter().map(|word| kind(word, language)).collect();
    let mut best: Option<(usize, usize)> = None;
    let mut at = 0;
    while at < words.len() {
        let mut end = at;
        while end < words.len() && kinds[end] != Kind::Other {
            end += 1;
            if words[end - 1].ends_with(['.', '?', '!', ';']) {
                break;
            }
        }
        let mut last = end;
        while last > at && kinds[last - 1] == Kind::Between {
            last -= 1;
        }
        let anchors = kinds[at..last].iter().filter(|kind| **kind == Kind::Anchor).count();
        if anchors > 0 && best.is_none_or(|(begin, stop)| last - at > stop - begin) {
            best = Some((at, last));
        }
        at = end.max(at + 1);
    }
    let (mut begin, end) = best?;
    // "come in next Tuesday": what stands before the time is not all of it.
    let opens = |at: usize| {
        let word = words[at].to_lowercase();
        let next = words.get(at + 1).map(|word| word.to_lowercase());
        OPENING.contains(&word.as_str())
            || (word == "in" && matches!(next.as_deref(), Some("the" | "a" | "an")))
    };
    while begin < end && kinds[begin] == Kind::Between && !opens(begin) {
        begin += 1;
    }
    let said = words[begin..end].join(" ");
    Some(said.trim_end_matches(|c: char| !c.is_alphanumeric()).to_owned()).filter(|said| !said.is_empty())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Says a time by itself.
    Anchor,
    /// Belongs to a time beside an anchor.
    Part,
    /// Joins parts, and does not end a time.
    Between,
    Other,
}

fn kind(word: &str, language: Language) -> Kind {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let (anchors, parts, between) = match language {
        Language::Spanish => SPANISH,
        _ => ENGLISH,
    };
    let among = |list: &str| list.split_whitespace().any(|known| known == word);
    let digits = word.chars().take_while(char::is_ascii_digit).count();
    let clock = (1..=2).contains(&digits) && matches!(&word[digits..], "am" | "pm" | "h");
    match () {
        () if among(anchors) || clock => Kind::Anchor,
        () if among(parts) || ((1..=2).contains(&digits) && digits == word.len()) => Kind::Part,
        () if among(between) => Kind::Between,
        () => Kind::Other,
    }
}

/// Small words with which a time can begin.
const OPENING: [&str; 13] =
    ["at", "on", "by", "between", "until", "from", "a", "en", "el", "la", "los", "las", "por"];

type Lists = (&'static str, &'static str, &'static str);

const ENGLISH: Lists = (
    "today asap monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays tomorrow \
     tonight morning mornings afternoon afternoons evening evenings noon lunchtime weekend weekends weekday weekdays anytime o'clock oclock \
     midday",
    "next this one two three four five six seven eight nine ten eleven twelve thirty fifteen forty-five half past quarter early late any \
     time after before around week day days am pm",
    "at in on the by between and or to of until from a",
);

const SPANISH: Lists = (
    "hoy lunes martes miércoles miercoles jueves viernes sábado sabado domingo sábados domingos mañana tarde tardes mañanas noche mediodía \
     mediodia",
    "próximo proximo que viene esta este una dos tres cuatro cinco seis siete ocho nueve diez once doce media cuarto temprano después \
     despues antes pasado semana día dia cualquier hora horas",
    "a en el la las los por de del y o hasta entre al",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_taken_in_the_callers_words() {
        let check = |language, text: &str, expected: Option<&str>| {
            assert_eq!(wanted(text, language).as_deref(), expected, "{text}");
        };
        let english = Language::English;
        check(
            english,
            "I'd like to come in next Tuesday at ten in the morning about my divorce.",
            Some("next Tuesday at ten in the morning"),
        );
        check(english, "Tomorrow after five.", Some("Tomorrow after five"));
        check(english, "Call me at 3pm please", Some("at 3pm"));
        check(english, "I have two cars and three kids.", None);
        check(english, "Okay.", None);
        check(Language::Spanish, "El martes por la tarde me queda bien.", Some("El martes por la tarde"));
        check(Language::Spanish, "Sí, gracias.", None);
        check(english, "Today. Before six.", Some("Today"));
        assert_eq!(answered("Around five.", english).as_deref(), Some("Around five"));
        assert_eq!(answered("A las cinco.", Language::Spanish).as_deref(), Some("A las cinco"));
        assert_eq!(answered("I have five kids.", english), None);
        assert!(is_only_a_time("Monday morning.", english) && !is_only_a_time("Monday is bad.", english));
    }
}
