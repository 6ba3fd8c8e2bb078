//! What must not matter, and what must: a recogniser writes the same words now in capital letters, now with other marks, and every telephone
//! number, card number and address is another one than those of the examples.

use std::fmt::Debug;

use understanding::corpus::{self, Half};
use understanding::facts::{self, Phone};
use understanding::opt_out::{self, OptOut, Turn};
use understanding::sensitive::{self, CARD};
use understanding::{Language, answering, language, matter, read_back, remark, sentences, times, topic};

/// Numbers that are the same every time and look as if nobody had chosen them (a linear congruential generator).
struct Chosen(u64);

impl Chosen {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + u8::try_from(self.below(10)).expect("a digit"))).collect()
    }
}

type Write = fn(&str) -> String;

/// Ways of writing the same words.
const WRITINGS: [(&str, Write); 6] = [
    ("in capital letters", |text| text.to_uppercase()),
    ("in small letters", |text| text.to_lowercase()),
    ("with a curved apostrophe", |text| text.replace('\'', "\u{2019}")),
    ("with blanks around it", |text| format!("  {text}\n")),
    ("with two blanks between words", |text| text.replace(' ', "  ")),
    ("with invisible marks", |text| text.replace(' ', " \u{200b}")),
];

/// At most so many of a thousand readings may change with the writing.
fn unchanged<T: PartialEq + Debug>(what: &str, lines: &[&str], read: impl Fn(&str) -> T, most: usize) {
    for (writing, write) in WRITINGS {
        let changed: Vec<(&str, T, T)> = lines
            .iter()
            .map(|line| (*line, read(line), read(&write(line))))
            .filter(|(_, plain, written)| plain != written)
            .collect();
        assert!(
            changed.len() * 1000 <= lines.len() * most,
            "{what} {writing}: {} of {} readings changed, such as {:?}",
            changed.len(),
            lines.len(),
            changed.iter().take(5).collect::<Vec<_>>()
        );
    }
}

#[test]
fn who_wants_no_more_calls_is_heard_however_the_words_are_written() {
    for half in [Half::Build, Half::Measure] {
        let lines = corpus::opt_out(half);
        let word = |reading| match reading {
            OptOut::No => "no",
            OptOut::Doubtful(_) => "doubtful",
            OptOut::Clear(_) => "clear",
        };
        for (number, (writing, write)) in WRITINGS.into_iter().enumerate() {
            let mut changed = Vec::new();
            // Every tenth line, another one for each writing: to read a conversation takes a while without an optimiser.
            for line in lines.iter().skip(number).step_by(10) {
                let written: Vec<String> = line.turns.iter().map(|turn| write(turn.text)).collect();
                let turns: Vec<Turn<'_>> =
                    line.turns.iter().zip(&written).map(|(turn, text)| Turn { by: turn.by, text }).collect();
                let (plain, other) = (word(opt_out::read(&line.turns)), word(opt_out::read(&turns)));
                if plain != other {
                    changed.push((written, plain, other));
                }
            }
            assert!(
                changed.len() * 100 <= lines.len() / 10,
                "{half:?} {writing}: {} of {} changed, such as {:?}",
                changed.len(),
                lines.len() / 10,
                changed.iter().take(5).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn who_answers_what_they_mean_and_in_which_language_does_not_depend_on_the_writing() {
    for half in [Half::Build, Half::Measure] {
        let answers = corpus::answering(half);
        let answers: Vec<&str> = answers.iter().map(|line| line.text).collect();
        unchanged("answering", &answers, answering::read, 10);
        let matters = matter::corpus(half);
        let matters: Vec<&str> = matters.iter().map(|line| line.text).collect();
        unchanged("matter", &matters, matter::heard, 10);
        unchanged("remark", &matters, remark::heard, 10);
        let spoken = language::corpus(half);
        let spoken: Vec<&str> = spoken.iter().map(|line| line.text).collect();
        unchanged("language", &spoken, language::heard, 10);
    }
}

/// The digit that makes these a card number (ISO/IEC 7812-1, annex B).
fn check_digit(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            let doubled = if place % 2 == 0 { digit * 2 } else { digit };
            doubled / 10 + doubled % 10
        })
        .sum();
    char::from(b'0' + u8::try_from((10 - sum % 10) % 10).expect("a digit"))
}

#[test]
fn every_card_number_goes_however_its_digits_are_grouped() {
    let mut chosen = Chosen(1);
    for number in 0..200 {
        let (first, length) = [("4", 16), ("51", 16), ("34", 15), ("37", 15), ("6011", 16)][number % 5];
        let rest = chosen.digits(length - 1 - first.len());
        let mut digits = format!("{first}{rest}");
        digits.push(check_digit(&digits));
        let groups: Vec<&str> = digits
            .as_bytes()
            .chunks(4)
            .map(|group| std::str::from_utf8(group).expect("digits are text"))
            .collect();
        let alone: Vec<String> = digits.chars().map(String::from).collect();
        for written in [digits.clone(), groups.join(" "), groups.join("-"), alone.join(" ")] {
            for (before, after) in [("Sure, it's ", "."), ("", ""), ("You can charge ", ", thank you.")] {
                let said = format!("{before}{written}{after}");
                let masked = sensitive::mask(&said);
                assert_eq!(masked, format!("{before}{CARD}{after}"), "{said}");
                assert_eq!(sensitive::mask(&masked), masked, "what was taken out once stays out");
            }
        }
    }
}

#[test]
fn a_telephone_number_is_never_taken_for_a_card_and_is_read_digit_by_digit() {
    const WORDS: [&str; 10] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let mut chosen = Chosen(2);
    for _ in 0..200 {
        let area = 200 + chosen.below(799);
        let exchange = 200 + chosen.below(799);
        let digits = format!("{area}{exchange}{}", chosen.digits(4));
        let (a, b, c) = (&digits[..3], &digits[3..6], &digits[6..]);
        let spoken: Vec<&str> = digits.bytes().map(|digit| WORDS[usize::from(digit - b'0')]).collect();
        for written in [
            format!("{a}-{b}-{c}"),
            format!("({a}) {b}-{c}"),
            format!("{a} {b} {c}"),
            digits.clone(),
            spoken.join(" "),
        ] {
            let said = format!("My number is {written}.");
            let read = facts::phone(&said, "");
            assert_eq!(read, Some(Phone { digits: digits.clone(), extension: None }), "{said}");
            assert_eq!(sensitive::mask(&said), said);
        }
    }
}

#[test]
fn an_address_is_read_however_it_is_said() {
    const NAMES: [&str; 8] = ["maria", "lopez", "devon", "wright", "anna", "schmidt", "kim", "oneill"];
    let mut chosen = Chosen(3);
    let name = |chosen: &mut Chosen| NAMES[usize::try_from(chosen.below(8)).expect("small")];
    for _ in 0..100 {
        let (first, last) = (name(&mut chosen), name(&mut chosen));
        if first == last {
            continue;
        }
        for (said, address) in [
            (format!("It's {first}.{last}@gmail.com"), format!("{first}.{last}@gmail.com")),
            (format!("It's {first} dot {last} at gmail dot com."), format!("{first}.{last}@gmail.com")),
            (format!("{first} underscore {last} at yahoo dot com"), format!("{first}_{last}@yahoo.com")),
            (
                format!("my email is {first} dash {last} at hotmail dot com"),
                format!("{first}-{last}@hotmail.com"),
            ),
            (format!("{first} punto {last} arroba gmail punto com"), format!("{first}.{last}@gmail.com")),
        ] {
            assert_eq!(facts::email(&said).as_deref(), Some(address.as_str()), "{said}");
        }
    }
}

/// Everything that callers and agents say in the corpora.
fn everything() -> Vec<String> {
    let mut all = Vec::new();
    for half in [Half::Build, Half::Measure] {
        all.extend(
            corpus::opt_out(half).iter().flat_map(|line| &line.turns).map(|turn| turn.text.to_owned()),
        );
        all.extend(corpus::answering(half).iter().map(|line| line.text.to_owned()));
        all.extend(matter::corpus(half).iter().map(|line| line.text.to_owned()));
        all.extend(language::corpus(half).iter().map(|line| line.text.to_owned()));
    }
    all
}

#[test]
fn sentences_hold_every_word_of_a_turn_once_and_in_its_order() {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    for text in everything() {
        let mut rest = text.as_str();
        for sentence in sentences::split(&text) {
            let at = rest.find(sentence).unwrap_or_else(|| panic!("{sentence:?} is not next in {text:?}"));
            assert_eq!(letters(&rest[..at]), "", "words were lost before {sentence:?} of {text:?}");
            assert!(sentence.chars().any(char::is_alphanumeric) && sentence.trim() == sentence, "{text:?}");
            rest = &rest[at + sentence.len()..];
        }
        assert_eq!(letters(rest), "", "words were lost at the end of {text:?}");
    }
    assert_eq!(sentences::split("Dr. Lee is in at 3 p.m. on St. James. Yes… No").count(), 3);
}

#[test]
fn a_time_is_quoted_and_never_made_up() {
    for text in everything() {
        for spoken in [Language::English, Language::Spanish] {
            let Some(time) = times::wanted(&text, spoken) else { continue };
            let said = text.to_lowercase();
            for word in time.to_lowercase().split_whitespace() {
                let word = word.trim_matches(|c: char| !c.is_alphanumeric());
                assert!(said.contains(word), "{word:?} of {time:?} was not said: {text:?}");
            }
            assert_eq!(times::answered(&text, spoken).as_deref(), Some(time.as_str()), "{text:?}");
        }
    }
}

#[test]
fn what_is_said_of_a_time_decides_whether_it_is_one() {
    const ENGLISH: Language = Language::English;
    for day in ["Monday", "Tuesday", "tomorrow", "today", "Friday"] {
        let wanted = |text: String| times::wanted(&text, ENGLISH);
        assert_eq!(wanted(format!("{day} works for me")).as_deref(), Some(day));
        assert_eq!(wanted(format!("I can't on {day}")), None, "{day}");
        assert_eq!(wanted(format!("Any day except {day}")), None, "{day}");
        assert_eq!(wanted(format!("{day} no, wait, Saturday at noon")).as_deref(), Some("Saturday at noon"));
        assert!(times::is_only_a_time(&format!("{day} at nine."), ENGLISH), "{day}");
        assert!(!times::is_only_a_time(&format!("{day} at nine is bad."), ENGLISH), "{day}");
    }
    for past in ["I called last Monday", "It's been broken since Friday", "That was yesterday morning"] {
        assert_eq!(times::wanted(past, ENGLISH), None, "{past}");
    }
    for (hour, is_one) in [("1", true), ("12", true), ("0", false), ("13", false), ("five", true)] {
        let found = times::answered(&format!("At {hour}."), ENGLISH);
        assert_eq!(found.is_some(), is_one, "at {hour}: {found:?}");
    }
    // So many words are no answer any more.
    assert_eq!(times::answered("five or six or seven or eight", ENGLISH), None);
    assert!(times::is_any_time("ANYTIME is fine") && !times::is_any_time("Sometimes"));
    assert!(times::is_at_once("Right away!") && !times::is_at_once("I know."));
}

#[test]
fn a_word_is_read_back_letter_by_letter_in_every_language_of_the_agent() {
    for (spoken, link) in [
        (Language::English, " as in "),
        (Language::German, " as in "),
        (Language::French, " as in "),
        (Language::Spanish, " de "),
    ] {
        for word in ["Wright", "o'Neill", "x9", "b", "Zoë", "abcdefghijklmnopqrstuvwxyz"] {
            let said = read_back::letters(word, spoken);
            let letters: String = said
                .split(", ")
                .flat_map(|letter| letter.split(' ').take_while(|part| part.chars().count() == 1))
                .collect();
            let expected: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
            assert_eq!(letters.to_lowercase(), expected.to_lowercase(), "{said}");
            for example in said.split(", ").filter_map(|letter| letter.split_once(link)) {
                let first = example.1.chars().next().expect("a word").to_lowercase().to_string();
                assert_eq!(example.0.to_lowercase(), first, "an example begins with its letter: {said}");
            }
        }
    }
    assert_eq!(read_back::letters("", Language::English), "");
    assert_eq!(read_back::letters("1984a", Language::English), "1 9 8 4, A");
}

#[test]
fn a_tag_names_a_language_whatever_follows_it() {
    for language in Language::ALL {
        let tag = language.tag();
        for longer in [tag.to_owned(), format!("{tag}-US"), format!("{}_419", tag.to_uppercase())] {
            assert_eq!(Language::of_tag(&longer), Some(language), "{longer}");
        }
        assert_eq!(Language::of_tag(&format!("{tag}x")), None);
    }
    for unknown in ["", "-", "e", "pt", "english"] {
        assert_eq!(Language::of_tag(unknown), None, "{unknown:?}");
    }
}

#[test]
fn a_note_is_said_to_the_person_only_if_it_is_of_a_kind_that_can_be() {
    for (note, said) in [
        ("Following up on the estimate", Some("I'm calling about the estimate.")),
        ("FOLLOWING UP ON the estimate.", Some("I'm calling about the estimate.")),
        ("looking for insurance", Some("I'm calling about your search for insurance.")),
        ("about a roof; she owes us money", None),
        ("about one two three four five six seven eight nine ten eleven twelve thirteen fourteen", None),
        ("Schwieriger Kunde", None),
    ] {
        assert_eq!(topic::as_reason(note, Language::English).as_deref(), said, "{note}");
    }
    for language in Language::ALL {
        assert_eq!(topic::as_reason("about ", language), None);
        assert_eq!(topic::as_reason("", language), None);
    }
    let long = "a very ".repeat(16);
    assert!(topic::is_private(&long) && topic::is_private("Do NOT mention the debt"));
    assert!(topic::is_private("Nunca hable del pago") && !topic::is_private("About the roof"));
}
