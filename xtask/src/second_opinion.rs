//! `cargo xtask understanding --train`: the weights of the second opinion on "stop calling me".
//!
//! A logistic regression that is charged for every weight (L1), so that most are nothing and the rest fit into a file that a person can
//! read. Trained by accelerated proximal gradient steps (Beck and Teboulle, 2009), which draw no random numbers: the same corpus gives the same weights.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use understanding::corpus::{self, Half, Label};
use understanding::opt_out::Speaker;
use understanding::opt_out::second_opinion::{BIAS, features};

use crate::failure::Failure;

/// What a weight costs beside the mean loss of a line.
const CHARGE: f32 = 4e-4;

/// After so many steps the weights no longer move in their second decimal place.
const STEPS: usize = 4000;

/// Where the weights are kept.
const FILE: &str = "crates/understanding/src/opt_out/second_opinion.tsv";

/// Trains on the building half and writes the weights.
pub fn train() -> Result<(), Failure> {
    let lines = lines();
    let names: BTreeSet<&String> = lines.iter().flat_map(|(features, _)| features).collect();
    let places: BTreeMap<&String, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let rows: Vec<(Vec<usize>, f32)> = lines
        .iter()
        .map(|(features, wish)| {
            (features.iter().map(|name| places[name]).collect(), f32::from(u8::from(*wish)))
        })
        .collect();
    let weights = fit(&rows, names.len(), places.get(&BIAS.to_owned()).copied());

    let mut kept: Vec<(f32, &String)> = weights
        .iter()
        .zip(&names)
        .filter(|(weight, _)| weight.abs() >= 0.005)
        .map(|(w, name)| (*w, *name))
        .collect();
    kept.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let mut text = String::from(
        "# Written by `cargo xtask understanding --train`: log odds, and the words that bring them.\n",
    );
    for (weight, name) in &kept {
        let _ = writeln!(text, "{weight:.2}\t{name}");
    }
    std::fs::write(FILE, text).map_err(|source| Failure::Io { doing: format!("write {FILE}"), source })?;
    println!("{} lines, {} features, {} weights kept in {FILE}", rows.len(), names.len(), kept.len());
    Ok(())
}

/// Turns of callers with whether they want no more calls. Everything in the other corpora is said by people who do not.
fn lines() -> Vec<(BTreeSet<String>, bool)> {
    let wishes = corpus::opt_out(Half::Build).into_iter().filter(|line| line.turns.len() == 1);
    let mut lines: Vec<(BTreeSet<String>, bool)> =
        wishes.map(|line| (features(line.turns[0].text), line.label != Label::None)).collect();
    let others = corpus::facts(Half::Build).into_iter().flat_map(|line| line.turns);
    lines.extend(others.filter(|turn| turn.by == Speaker::Caller).map(|turn| (features(turn.text), false)));
    lines.extend(corpus::answering(Half::Build).iter().map(|line| (features(line.text), false)));
    lines
        .extend(understanding::language::corpus(Half::Build).iter().map(|line| (features(line.text), false)));
    lines
}

/// The weights with the least loss. The bias is not charged.
fn fit(rows: &[(Vec<usize>, f32)], width: usize, bias: Option<usize>) -> Vec<f32> {
    let count: f32 = rows.iter().map(|_| 1.0).sum();
    let longest = rows.iter().map(|(row, _)| row.iter().map(|_| 1.0).sum()).fold(1.0_f32, f32::max);
    // The loss bends by at most a quarter of a row's length.
    let step = 4.0 / longest;
    let mut weights = vec![0.0_f32; width];
    let mut ahead = weights.clone();
    let mut momentum = 1.0_f32;
    for _ in 0..STEPS {
        let mut slope = vec![0.0_f32; width];
        for (row, wish) in rows {
            let odds: f32 = row.iter().map(|&at| ahead[at]).sum();
            let error = (1.0 / (1.0 + (-odds).exp()) - wish) / count;
            for &at in row {
                slope[at] += error;
            }
        }
        let next: Vec<f32> = ahead
            .iter()
            .zip(&slope)
            .enumerate()
            .map(|(at, (weight, slope))| {
                let moved = weight - step * slope;
                let charge = if Some(at) == bias { 0.0 } else { step * CHARGE };
                moved.signum() * (moved.abs() - charge).max(0.0)
            })
            .collect();
        let faster = f32::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
        let push = (momentum - 1.0) / faster;
        ahead = next.iter().zip(&weights).map(|(new, old)| new + push * (new - old)).collect();
        weights = next;
        momentum = faster;
    }
    weights
}
