//! Which language a caller speaks, from a few words of a telephone call.
//!
//! Small words decide: articles, pronouns, greetings and forms of "to be" come in every sentence and differ between languages. A turn with
//! too little of them (a name, a number, "okay") says nothing, and the language stays what it was.

use crate::corpus::Half;
use crate::words::{self, Language, Piece};

/// What a turn tells about the language in which the caller wants to talk: the one they ask for, else the one they speak.
#[must_use]
pub fn heard(text: &str) -> Option<Language> {
    wanted(text).or_else(|| spoken(text))
}

/// The language that the caller asks for by its name.
fn wanted(text: &str) -> Option<Language> {
    let said = plain(text);
    let names = |phrases: &[&str]| phrases.iter().any(|phrase| said.contains(&format!(" {phrase} ")));
    WANTED.iter().find(|(_, phrases)| names(phrases)).map(|(language, _)| *language)
}

/// The language of the words.
fn spoken(text: &str) -> Option<Language> {
    let said = plain(text);
    let count = said.split_whitespace().count();
    let mut scores: Vec<(usize, Language)> = COMMON
        .iter()
        .map(|(language, sure, common)| {
            let of = |list: &str| {
                said.split_whitespace().filter(|word| list.split(' ').any(|known| known == *word)).count()
            };
            let marks = MARKS.iter().find(|(of, _)| of == language).map_or("", |(_, marks)| marks);
            let marked = usize::from(text.chars().any(|c| marks.contains(c)));
            (2 * of(sure) + of(common) + marked, *language)
        })
        .collect();
    scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let [(best, language), (second, _), ..] = scores.as_slice() else { return None };
    // Of a long turn more than two small words are small words.
    let enough = *best >= 2 && *best * 6 >= count;
    (enough && best > second).then_some(*language)
}

/// The words in plain form, with a space at either end of each.
fn plain(text: &str) -> String {
    let mut plain = String::from(" ");
    for piece in words::pieces(text, Language::Spanish) {
        if let Piece::Word(word) = piece {
            plain.push_str(&word);
            plain.push(' ');
        }
    }
    plain
}

const WANTED: [(Language, &[&str]); 4] = [
    (
        Language::Spanish,
        &[
            "no hablo ingles",
            "no entiendo ingles",
            "no ingles",
            "habla espanol",
            "hablas espanol",
            "hablan espanol",
            "en espanol",
            "speak spanish",
            "speaks spanish",
            "in spanish",
            "spanish please",
            "espanol",
        ],
    ),
    (
        Language::English,
        &[
            "do you speak english",
            "in english please",
            "english please",
            "speak in english",
            "habla ingles",
            "en ingles",
            "i do not speak spanish",
            "i don't speak spanish",
            "no spanish",
        ],
    ),
    (Language::French, &["parlez vous francais", "en francais", "speak french", "in french"]),
    (Language::German, &["sprechen sie deutsch", "auf deutsch", "speak german", "in german"]),
];

/// Signs that one language has and the others lack.
const MARKS: [(Language, &str); 3] =
    [(Language::Spanish, "ñÑ¿¡áíóúÁÍÓÚ"), (Language::French, "çœèêàûÇ"), (Language::German, "ßäöüÄÖÜ")];

/// Words of each language: those that are enough by themselves, and those of which it takes two.
const COMMON: [(Language, &str, &str); 4] = [
    (
        Language::English,
        "hello the what please thanks this that would yes yeah with you my your about speaking calling sorry who can't don't",
        "i is are am was it and of to for have has hi on in need want at from do does did not can will how where when why if \
         there here we they he she but or so just know go good name right call called me an up out had been be i'm it's that's our their its his her were has by than then them us rather last night \
         today now after before again back any some all one two i'd i've i'll won't didn't doesn't isn't let could should",
    ),
    (
        Language::Spanish,
        "hola gracias bueno buenos buenas diga digame alo usted quiero necesito llamo senor senora perdon favor tengo estoy soy \
         quien donde cuando porque tambien ustedes quisiera mire oiga claro adios hablo habla cuanto ahorita espanol",
        "el la los las un una de del en y que no si por para con mi su es esta como lo le me se al muy mas pero hay fue ya nombre \
         llama casa abogado cita numero correo manana tarde dias desde hasta sobre ayer hoy tiene hijo ella ellos son \
         eso ese sin ni o tengo va van ha he puede despues antes dos nada todo alguien",
    ),
    (
        Language::French,
        "bonjour bonsoir merci oui allo je vous suis c'est monsieur madame avec pour est s'il plait voudrais j'ai appelle parlez \
         qui quoi votre mon pourquoi rappelez",
        "le la les un une des du de et en ne pas que ce il elle nous mais sur dans au aux mes sa son tres bien",
    ),
    (
        Language::German,
        "hallo guten ja nein danke bitte ich sie ist und nicht mochte wer warum haben habe bin mein meine wie konnen morgen \
         tschuss wiederhoren",
        "der die das ein eine einen zu mit von auf fur es wir was wo im den dem auch noch aber so am uhr geht worum gerade nach bei schon kann hat sind war oder viel",
    ),
];

/// A turn and the language of its speaker; `None` where the words do not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoken {
    pub language: Option<Language>,
    pub text: &'static str,
}

/// The corpus of languages.
///
/// # Panics
/// Never: a test reads both files.
#[must_use]
pub fn corpus(half: Half) -> Vec<Spoken> {
    let text = match half {
        Half::Build => include_str!("../../../corpus/language/build.tsv"),
        Half::Measure => include_str!("../../../corpus/language/measure.tsv"),
    };
    let spoken = |line: &'static str| {
        let (tag, text) = line.split_once('\t').expect("a line has two columns");
        let language =
            (tag != "none").then(|| Language::of_tag(tag).expect("the first column is a language"));
        Spoken { language, text }
    };
    text.lines().filter(|line| !line.starts_with('#')).map(spoken).collect()
}
