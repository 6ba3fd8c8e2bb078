//! Reported speech: "I need my roof fixed" becomes "they need their roof fixed", so that a reader sees at once who wants what of whom. What
//! cannot be turned with certainty stands in quotes.

use crate::understanding::{name, plain};

/// The longest sentence that is told as it was said, in characters.
const LONGEST: usize = 240;

/// A caller's sentence as somebody else tells it: "Ann needs a roof", "Ann said that they were in an accident".
pub(super) fn in_english(who: &str, sentence: &str) -> String {
    let bare = without_beginnings(sentence);
    if bare.ends_with('?') {
        return asked(who, &bare);
    }
    let told = reported(&bare);
    if !is_a_statement(&told) {
        return format!("{who} said: \"{}\"", cut(sentence.trim_end_matches(['.', '!', ' '])));
    }
    let simple = !told.contains(" they ") && !told.contains(" and ");
    let plural = who == "They";
    for (first, one, many) in [
        ("they need ", "needs", "need"),
        ("they want ", "wants", "want"),
        ("they have ", "has", "have"),
        ("they are calling ", "called", "called"),
        ("they were calling ", "called", "called"),
        ("they are ", "is", "are"),
    ] {
        if let Some(rest) = told.strip_prefix(first).filter(|_| simple) {
            return format!("{who} {} {rest}", if plural { many } else { one });
        }
    }
    for first in ["they would like ", "they asked for ", "they found "] {
        if told.starts_with(first) && simple {
            return format!("{who} {}", &told[5..]);
        }
    }
    format!("{who} said that {told}")
}

/// True if the turned words begin like a whole sentence.
fn is_a_statement(told: &str) -> bool {
    const SUBJECTS: &[&str] = &[
        "they",
        "their",
        "it",
        "its",
        "it's",
        "there",
        "there's",
        "the",
        "a",
        "an",
        "this",
        "that",
        "he",
        "he's",
        "she",
        "she's",
        "his",
        "her",
        "somebody",
        "someone",
        "nobody",
        "some",
        "when",
        "if",
        "after",
        "since",
        "because",
        "that's",
        "what",
        "one",
        "two",
        "three",
        "everything",
    ];
    const AFTER_BUSINESS: &[&str] = &[
        "is", "are", "has", "have", "had", "will", "would", "can", "could", "did", "do", "does", "sent",
        "said", "told", "came", "left", "took", "gave", "put", "never", "still", "keep", "kept", "owe",
        "owes", "was", "were", "made", "just", "already", "called", "charged",
    ];
    let words: Vec<String> = told.split_whitespace().take(3).map(plain_word).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["the", "business", verb] => AFTER_BUSINESS.contains(verb) || verb.ends_with("ed"),
        [first, _, _] => SUBJECTS.contains(first),
        _ => false,
    }
}

fn plain_word(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).replace('’', "'").to_lowercase()
}

/// A question as somebody else tells it; one that cannot be turned stands as it was put.
fn asked(who: &str, question: &str) -> String {
    let told = reported(question.trim_end_matches('?'));
    for (first, whether) in [
        ("can the business ", "whether the business can "),
        ("could the business ", "whether the business could "),
        ("do the business ", "whether the business would "),
        ("does the business ", "whether the business would "),
        ("can they ", "whether they can "),
        ("could they ", "whether they could "),
        ("should they ", "whether they should "),
        ("do they ", "whether they "),
    ] {
        if let Some(rest) = told.strip_prefix(first) {
            return format!("{who} asked {whether}{rest}");
        }
    }
    if told.starts_with("they ") {
        return format!("{who} said that {told}");
    }
    format!("{who} asked: \"{}\"", cut(question))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST).collect();
    let end = kept.rfind(' ').unwrap_or(kept.len());
    format!("{} …", kept[..end].trim_end_matches([',', ' ']))
}

/// The sentence without greetings, small words and the speaker's name before it.
fn without_beginnings(sentence: &str) -> String {
    const SMALL: &[&str] = &[
        "hi",
        "hello",
        "hey",
        "yes",
        "yeah",
        "yep",
        "sure",
        "well",
        "so",
        "okay",
        "ok",
        "um",
        "uh",
        "actually",
        "look",
        "listen",
        "oh",
        "and",
        "but",
        "sorry",
        "please",
        "right",
        "good",
        "morning",
        "afternoon",
        "evening",
        "there",
        "no",
        "hola",
        "sí",
        "bueno",
        "oiga",
        "buenas",
        "buenos",
        "días",
        "tardes",
        "noches",
        "mire",
        "pues",
        "eh",
        "perdón",
        "because",
        "ah",
        "hang",
        "alright",
    ];
    let mut rest = sentence.trim();
    while let Some((first, after)) = rest.split_once(' ') {
        if SMALL.contains(&plain(first).trim()) {
            rest = after.trim_start();
            continue;
        }
        // "I'm Ann Lee and I need a roof", "this is Dana, I want to sell".
        let clause = [", ", " and ", " y "]
            .iter()
            .filter_map(|joint| rest.find(joint).map(|at| (at, at + joint.len())))
            .min()
            .filter(|(at, _)| rest[..*at].split_whitespace().count() <= 7 && name(&rest[..*at]).is_some());
        match clause {
            Some((_, after)) if rest[after..].split_whitespace().count() >= 3 => rest = &rest[after..],
            _ => break,
        }
    }
    rest.trim().to_owned()
}

/// First person to third, business for "you".
fn reported(sentence: &str) -> String {
    let sentence = cut(sentence.trim_end_matches(['.', '!', '…', ',', ' ']));
    let mut told: Vec<String> = Vec::new();
    for word in sentence.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’');
        let lower = bare.replace('’', "'").to_lowercase();
        let after_they = told.last().is_some_and(|last| last.trim_matches(',') == "they");
        let after_business = told.last().is_some_and(|last| last == "business");
        if FILLERS.contains(&lower.as_str()) {
            continue;
        }
        let turned = match lower.as_str() {
            "i" | "we" => "they",
            "i'm" | "we're" | "im" => "they are",
            "i've" | "we've" | "ive" => "they have",
            "i'd" | "we'd" => "they would",
            "i'll" | "we'll" => "they will",
            "me" | "us" => "them",
            "my" | "our" => "their",
            "mine" | "ours" => "theirs",
            "myself" | "ourselves" => "themselves",
            "you" => "the business",
            "your" => "the business's",
            "you're" => "the business is",
            "am" => "are",
            "was" if after_they => "were",
            "wasn't" if after_they => "weren't",
            "are" if after_business => "is",
            "have" if after_business => "has",
            "guys" | "people" | "folks" | "all" if after_business => "",
            _ => {
                told.push(if told.is_empty() { lowered(word) } else { word.to_owned() });
                continue;
            }
        };
        let mut word = word.replacen(bare, turned, 1);
        if word == "the business" && told.last().is_some_and(|last| last == "the") {
            "business".clone_into(&mut word);
        }
        told.extend(word.split_whitespace().map(str::to_owned));
    }
    told.join(" ")
}

/// Words that people put in while they think.
const FILLERS: &[&str] = &["um", "uh", "er", "erm", "hmm"];

/// The word that begins a sentence without its capital; a word in capitals stays.
fn lowered(word: &str) -> String {
    let mut chars = word.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => word.to_lowercase(),
    }
}

/// A caller's sentence as somebody else tells it in Spanish.
pub(super) fn in_spanish(sentence: &str) -> String {
    const TURNED: [(&str, &str); 47] = [
        ("llevo", "lleva"),
        ("yo", ""),
        ("me", "le"),
        ("mi", "su"),
        ("mis", "sus"),
        ("mío", "suyo"),
        ("mía", "suya"),
        ("nuestro", "su"),
        ("nuestra", "su"),
        ("nuestros", "sus"),
        ("nuestras", "sus"),
        ("nos", "les"),
        ("necesito", "necesita"),
        ("necesitamos", "necesitan"),
        ("quiero", "quiere"),
        ("queremos", "quieren"),
        ("busco", "busca"),
        ("buscamos", "buscan"),
        ("tengo", "tiene"),
        ("tenemos", "tienen"),
        ("estoy", "está"),
        ("estamos", "están"),
        ("soy", "es"),
        ("somos", "son"),
        ("puedo", "puede"),
        ("podemos", "pueden"),
        ("llamo", "llama"),
        ("llamaba", "llamaba"),
        ("tuve", "tuvo"),
        ("tuvimos", "tuvieron"),
        ("fui", "fue"),
        ("vi", "vio"),
        ("hice", "hizo"),
        ("pedí", "pidió"),
        ("perdí", "perdió"),
        ("recibí", "recibió"),
        ("pagué", "pagó"),
        ("compré", "compró"),
        ("voy", "va"),
        ("vamos", "van"),
        ("debo", "debe"),
        ("vivo", "vive"),
        ("trabajo", "trabaja"),
        ("he", "ha"),
        ("hemos", "han"),
        ("sé", "sabe"),
        ("creo", "cree"),
    ];
    let bare = without_beginnings(sentence);
    if bare.contains('?') {
        return format!("preguntó: «{}»", cut(bare.trim()));
    }
    let bare = cut(bare.trim_end_matches(['.', '!', '…', ',', ' ']));
    let mut told: Vec<String> = Vec::new();
    for word in bare.split_whitespace() {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let lower = core.to_lowercase();
        match TURNED.iter().find(|(first, _)| *first == lower) {
            Some((_, "")) => {}
            Some((_, third)) => told.push(word.replacen(core, third, 1)),
            None if told.is_empty() => told.push(lowered(word)),
            None => told.push(word.to_owned()),
        }
    }
    format!("dijo que {}", told.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_told_of_the_caller() {
        let check = |sentence: &str, expected: &str| {
            assert_eq!(in_english("Ann Lee", sentence), expected, "{sentence}");
        };
        check("I need a new roof.", "Ann Lee needs a new roof");
        check("Hi, this is Ann Lee, I need a new roof.", "Ann Lee needs a new roof");
        check(
            "I was in a car accident and I need a lawyer.",
            "Ann Lee said that they were in a car accident and they need a lawyer",
        );
        check(
            "We're looking for somebody to fix our roof.",
            "Ann Lee is looking for somebody to fix their roof",
        );
        check(
            "It's about my landlord, he won't give me my deposit back.",
            "Ann Lee said that it's about their landlord, he won't give them their deposit back",
        );
        check("Can you fix my gutters?", "Ann Lee asked whether the business can fix their gutters");
        check("Where is your office?", "Ann Lee asked: \"Where is your office?\"");
        check("I'd like an appointment.", "Ann Lee would like an appointment");
    }

    #[test]
    fn what_was_said_in_spanish_is_in_spanish() {
        assert_eq!(
            in_spanish("Hola, necesito una cita para mi hijo."),
            "dijo que necesita una cita para su hijo"
        );
        assert_eq!(
            in_spanish("Tuve un accidente y quiero un abogado."),
            "dijo que tuvo un accidente y quiere un abogado"
        );
    }
}
