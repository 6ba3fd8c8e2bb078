//! A second opinion beside the grammars.
//!
//! The grammars say exactly what asks for no more calls and what takes it back, but people find new words for it every day. A turn in which
//! the grammars find no word either way, or only a doubt, is judged by a small logistic regression. It sees each
//! word three times: as it was said, as the class of words that mean the same here in whatever language ("ring", "llamen": CALL), so that what it
//! learned from one wording holds for others, and by its letters, so that "yamar" is near "llamar". A turn that weighs little says nothing; one that
//! weighs more is asked about; only one that resembles nothing but wishes is a wish. `cargo xtask understanding --train` makes the weights
//! from the building half of the corpus; they are a text file, one feature a line, and so are the classes.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use crate::grammar::Finding;
use crate::words::{self, Language};

/// What a turn weighs that is asked about, in log odds: three to one.
const ASKED_ABOUT: f32 = 1.1;

/// What a turn weighs that is a wish although the grammars know none of its words: forty-five to one.
const CERTAIN: f32 = 3.8;

/// What a turn weighs that is a wish if the grammars doubt it: forty-five to one.
const CERTAIN_WITH_A_DOUBT: f32 = 3.8;

/// The feature that every turn has.
pub const BIAS: &str = "*";

/// What the words of a turn say, given what the grammars found in them.
pub(crate) fn of(text: &str, found: Finding) -> Finding {
    let weights = &*WEIGHTS;
    let weight: f32 = features(text).iter().filter_map(|feature| weights.get(feature.as_str())).sum();
    match found {
        Finding::Nothing if weight > CERTAIN => Finding::Clear,
        Finding::Nothing if weight > ASKED_ABOUT => Finding::Unsure,
        Finding::Unsure if weight > CERTAIN_WITH_A_DOUBT => Finding::Clear,
        found => found,
    }
}

/// What is weighed: the words of the text and their classes, each two and three that stand together, each two around another word, the
/// order of the classes with everything between them left out, and each three letters of a word.
#[must_use]
pub fn features(text: &str) -> BTreeSet<String> {
    let text = plain(text);
    let marks = |c: char| !(c.is_alphanumeric() || c == '\'');
    let said = || text.split(marks).map(|word| word.trim_matches('\'')).filter(|word| !word.is_empty());
    let class = |word| CLASSES.get(word).copied();
    let mut features = BTreeSet::from([BIAS.to_owned()]);
    let words: Vec<&str> = between_ends(said());
    add(&mut features, "", &words);
    let classes: Vec<&str> =
        between_ends(said().map(|word| class(word).unwrap_or(word)).filter(|word| *word != IDLE));
    add(&mut features, "= ", &classes);
    let order: Vec<&str> = between_ends(said().filter_map(class).filter(|word| *word != IDLE));
    add(&mut features, "~ ", &order);
    features.extend(order.windows(4).map(|four| format!("~ {}", four.join(" "))));
    for word in said() {
        let letters: Vec<char> =
            std::iter::once('<').chain(word.chars()).chain(std::iter::once('>')).collect();
        features.extend(letters.windows(3).map(|three| format!("#{}", three.iter().collect::<String>())));
    }
    features
}

/// Lower case without accents: recognisers set them or not.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2019}' => plain.push('\''),
            c => words::fold(c, Language::Spanish, &mut plain),
        }
    }
    plain
}

fn between_ends<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    std::iter::once("^").chain(words).chain(std::iter::once("$")).collect()
}

fn add(features: &mut BTreeSet<String>, prefix: &str, words: &[&str]) {
    features.extend(words.iter().map(|word| format!("{prefix}{word}")));
    features.extend(words.windows(2).map(|pair| format!("{prefix}{}", pair.join(" "))));
    for triple in words.windows(3) {
        features.insert(format!("{prefix}{}", triple.join(" ")));
        features.insert(format!("{prefix}{} _ {}", triple[0], triple[2]));
    }
}

/// The class of words that mean nothing here.
const IDLE: &str = "-";

/// The class of each word that has one.
static CLASSES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("second_opinion.words").lines().filter(|line| !line.starts_with('#'));
    let class = |line: &'static str| {
        let (class, words) = line.split_once(": ").expect("a class and its words");
        words.split(' ').map(move |word| (plain(word), class))
    };
    lines.flat_map(class).collect()
});

static WEIGHTS: LazyLock<HashMap<&'static str, f32>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (weight, feature) = line.split_once('\t').expect("a weight and a feature");
        (feature, weight.parse().expect("a weight"))
    };
    include_str!("second_opinion.tsv").lines().filter(|line| !line.starts_with('#')).map(line).collect()
});
