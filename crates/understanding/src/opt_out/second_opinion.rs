//! A second opinion on what the grammars do not know.
//!
//! The grammars say exactly what asks for no more calls and what takes it back, but people find new words for it every day. A turn for which
//! the grammars have no word either way is judged by a small logistic regression over its words, pairs and triples of words. It never
//! blocks a number: at most the agent asks back. `cargo xtask understanding --train` makes the weights from the building half of
//! the corpus; they are a text file, one feature a line.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// What a turn must weigh before it is asked about, in log odds: twenty to one.
const THRESHOLD: f32 = 3.0;

/// The feature that every turn has.
pub const BIAS: &str = "*";

/// True if the words of a turn resemble those of people who want no more calls.
#[must_use]
pub fn suspects(text: &str) -> bool {
    let weights = &*WEIGHTS;
    features(text).iter().filter_map(|feature| weights.get(feature.as_str())).sum::<f32>() > THRESHOLD
}

/// What is weighed: the words of the text, each two and three that stand together, and each two around another word.
#[must_use]
pub fn features(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase().replace('\u{2019}', "'");
    let marks = |c: char| !(c.is_alphanumeric() || c == '\'');
    let words: Vec<&str> = std::iter::once("^")
        .chain(text.split(marks).map(|word| word.trim_matches('\'')).filter(|word| !word.is_empty()))
        .chain(std::iter::once("$"))
        .collect();
    let mut features: BTreeSet<String> = words.iter().map(|word| (*word).to_owned()).collect();
    features.insert(BIAS.to_owned());
    features.extend(words.windows(2).map(|pair| pair.join(" ")));
    for triple in words.windows(3) {
        features.insert(triple.join(" "));
        features.insert(format!("{} _ {}", triple[0], triple[2]));
    }
    features
}

static WEIGHTS: LazyLock<HashMap<&'static str, f32>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (weight, feature) = line.split_once('\t').expect("a weight and a feature");
        (feature, weight.parse().expect("a weight"))
    };
    include_str!("second_opinion.tsv").lines().filter(|line| !line.starts_with('#')).map(line).collect()
});
