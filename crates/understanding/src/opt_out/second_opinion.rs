//! A second opinion on what the grammars do not know.
//!
//! The grammars say exactly what asks for no more calls and what takes it back, but people find new words for it every day. A turn for which
//! the grammars have no word either way is judged by a small logistic regression over its words, pairs and triples of words. It sees each
//! word twice: as it was said, and as the class of words that mean the same here in whatever language ("ring", "llamen": CALL), so that what it
//! learned from one wording holds for others. It never blocks a number: at most the agent asks back. `cargo xtask understanding --train` makes the weights
//! from the building half of the corpus; they are a text file, one feature a line, and so are the classes.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// What a turn must weigh before it is asked about, in log odds: thirteen to one.
const THRESHOLD: f32 = 2.6;

/// The feature that every turn has.
pub const BIAS: &str = "*";

/// True if the words of a turn resemble those of people who want no more calls.
#[must_use]
pub fn suspects(text: &str) -> bool {
    let weights = &*WEIGHTS;
    features(text).iter().filter_map(|feature| weights.get(feature.as_str())).sum::<f32>() > THRESHOLD
}

/// What is weighed: the words of the text and their classes, each two and three that stand together, each two around another word, and the
/// order of the classes with everything between them left out.
#[must_use]
pub fn features(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase().replace('\u{2019}', "'");
    let marks = |c: char| !(c.is_alphanumeric() || c == '\'');
    let said = || text.split(marks).map(|word| word.trim_matches('\'')).filter(|word| !word.is_empty());
    let class = |word| CLASSES.get(word).copied();
    let mut features = BTreeSet::from([BIAS.to_owned()]);
    let words: Vec<&str> = between_ends(said());
    add(&mut features, "", &words);
    let classes: Vec<&str> =
        between_ends(said().map(|word| class(word).unwrap_or(word)).filter(|word| *word != IDLE));
    add(&mut features, "", &classes);
    let order: Vec<&str> = between_ends(said().filter_map(class).filter(|word| *word != IDLE));
    add(&mut features, "~ ", &order);
    features.extend(order.windows(4).map(|four| format!("~ {}", four.join(" "))));
    features
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
static CLASSES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("second_opinion.words").lines().filter(|line| !line.starts_with('#'));
    let class = |line: &'static str| {
        let (class, words) = line.split_once(": ").expect("a class and its words");
        words.split(' ').map(move |word| (word, class))
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
