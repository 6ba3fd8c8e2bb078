//! `cargo xtask understanding`: how often the rules that read people's words are right.
//!
//! The figures come from the measuring half of each corpus, which nobody looks at while the rules are written. `--misses` lists where the
//! rules are wrong in the other half: that is where to look for what to do better.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use understanding::Language;
use understanding::answering::{self, Answering};
use understanding::corpus::{self, FactLine, Half, Kind, Label, Line};
use understanding::language;
use understanding::matter::{self, Said};

/// Prints the table of figures.
pub fn table() {
    print!("{}\n{}\n{}\n{}\n{}", tables(), answering_table(), languages(), fact_tables(), matter_table());
}

/// Prints the lines of the building half that are read wrongly.
pub fn misses() {
    for line in corpus::opt_out(Half::Build) {
        let reading = line.reading();
        if reading != line.label {
            let said: Vec<&str> = line.turns.iter().map(|turn| turn.text).collect();
            println!("{} {:?} read as {reading:?}: {}", line.language.tag(), line.label, said.join(" | "));
        }
    }
    for line in corpus::answering(Half::Build) {
        let reading = answering::read(line.text);
        if reading != line.who {
            println!("{} {:?} read as {reading:?}: {}", line.language.tag(), line.who, line.text);
        }
    }
    for line in language::corpus(Half::Build) {
        let reading = language::heard(line.text);
        if reading != line.language {
            println!("{} read as {}: {}", tag(line.language), tag(reading), line.text);
        }
    }
    for line in matter::corpus(Half::Build) {
        let reading = measured(&line);
        if reading != line.said {
            println!("{} {:?} read as {reading:?}: {}", line.language.tag(), line.said, line.text);
        }
    }
    for line in corpus::facts(Half::Build) {
        let reading = line.reading();
        if reading.as_deref() != line.fact {
            let said: Vec<&str> = line.turns.iter().map(|turn| turn.text).collect();
            let (kind, fact) = (line.kind.as_str(), line.fact.unwrap_or("-"));
            println!(
                "{} {kind} {fact} read as {}: {}",
                line.language.tag(),
                reading.as_deref().unwrap_or("-"),
                said.join(" | ")
            );
        }
    }
}

/// The text of `docs/reference/understanding.md`.
pub fn page() -> String {
    format!(
        "{HEAD}\n{}\n{ANSWERING}\n{}\n{LANGUAGES}\n{}\n{FACTS_HEAD}\n{}\n{MATTER_HEAD}\n{}",
        tables(),
        answering_table(),
        languages(),
        fact_tables(),
        matter_table()
    )
}

const FACTS_HEAD: &str = "\
## What callers say of themselves

Names, e-mail addresses and telephone numbers, as they are spoken: spelled, in pairs and doubled, with remarks, corrected in the same turn or
a later one. A line is read rightly if exactly the fact is read that the caller meant, the last correction included. Recall is the share of
facts that are read rightly; precision the share of right ones among all that is read. Lines without a fact (a date of birth, an order number,
a web address, an answer that is no name) count against precision when something is read in them.

Two thirds of the lines were written before the rules; the rest, from other angles, when the rules could read nearly all of the first ones.
";

const MATTER_HEAD: &str = "\
## What a call is about

What callers say of their matter, as the account of a call reads it (decision 55). Recall is the share of lines that say a thing in which it is read, precision the share of
lines in which it is read that say it.
";

/// What of the measured things the rules read in a line.
fn measured(line: &matter::Line) -> BTreeSet<Said> {
    matter::heard(line.text).into_iter().filter(|said| Said::MEASURED.contains(said)).collect()
}

fn matter_table() -> String {
    let lines = read(matter::corpus(Half::Measure), measured);
    let mut text = String::from("| What | Lines that say it | Recall | Precision |\n|---|---|---|---|\n");
    let mut all = [0; 3];
    for said in Said::MEASURED {
        let of = lines.iter().filter(|(line, _)| line.said.contains(&said)).count();
        let read = lines.iter().filter(|(_, reading)| reading.contains(&said)).count();
        let right = lines
            .iter()
            .filter(|(line, reading)| line.said.contains(&said) && reading.contains(&said))
            .count();
        let _ =
            writeln!(text, "| {} | {of} | {} | {} |", said.as_str(), share(right, of), share(right, read));
        all = [all[0] + of, all[1] + read, all[2] + right];
    }
    let [of, read, right] = all;
    let _ = writeln!(text, "| all | {of} | {} | {} |", share(right, of), share(right, read));
    text
}

/// Lines, each with what the rules read in it.
fn read<L, R>(lines: Vec<L>, reading: impl Fn(&L) -> R) -> Vec<(L, R)> {
    lines
        .into_iter()
        .map(|line| {
            let reading = reading(&line);
            (line, reading)
        })
        .collect()
}

fn fact_tables() -> String {
    let lines = read(corpus::facts(Half::Measure), FactLine::reading);
    let mut text = String::from(
        "| Fact | Language | Lines with one | Recall | Precision | Lines without | Read in vain |\n|---|---|---|---|---|---|---|\n",
    );
    for kind in Kind::ALL {
        let of_kind = || lines.iter().filter(move |(line, _)| line.kind == kind);
        for language in [Language::English, Language::Spanish] {
            let of_language = of_kind().filter(|(line, _)| line.language == language);
            fact_row(&mut text, kind, language.tag(), &of_language.collect::<Vec<_>>());
        }
        fact_row(&mut text, kind, "all", &of_kind().collect::<Vec<_>>());
    }
    text
}

fn fact_row(text: &mut String, kind: Kind, language: &str, lines: &[&(FactLine, Option<String>)]) {
    let given = lines.iter().filter(|(line, _)| line.fact.is_some()).count();
    let read = lines.iter().filter(|(_, reading)| reading.is_some()).count();
    let right =
        lines.iter().filter(|(line, reading)| reading.is_some() && reading.as_deref() == line.fact).count();
    let in_vain = lines.iter().filter(|(line, reading)| reading.is_some() && line.fact.is_none()).count();
    let _ = writeln!(
        text,
        "| {} | {language} | {given} | {} | {} | {} | {in_vain} |",
        kind.as_str(),
        share(right, given),
        share(right, read),
        lines.len() - given,
    );
}

const HEAD: &str = "\
# What is understood, and how well

<!-- Written by `cargo xtask codegen`. The text is in xtask/src/understanding.rs. -->

What people say on the telephone is read by rules in `crates/understanding`. Each kind of thing that is read has a corpus in `corpus/`, in two
halves: the rules are written with one, and only the other is measured here. Nobody looks at the lines of the measuring half while they
work on the rules. `cargo xtask understanding` prints the figures, `cargo xtask understanding --misses` the lines of the building half that
are still read wrongly, and a test fails when a figure falls.

The lines were written for this purpose by the people who write the rules, before the rules; they are not recordings. Read the figures as
\"how well the rules carry over to wordings for which they were not made\", not as what a given business will see.

## Stop calling me

A line is labelled *wish* (no more calls), *doubtful* (a careful person would ask back) or *other*. The rules answer *clear* (the number is
blocked, the agent says so and ends), *doubtful* (the agent asks back once) or *no*. Recall is the share of wishes that are clear; beside it
stands the share that is clear or at least asked back. Precision is the share of wishes among everything that is clear. Asked in vain is the
share of other lines at which the agent asks back. A second opinion (decision 45) can leave a doubt where the rules know no word of the turn;
it never blocks a number.
";

const ANSWERING: &str = "\
## Who answered

A line is what is said by a *person*, a *voicemail* (with or without a tone), a *screener* (an assistant that asks who is calling, the one of
a telephone or a receptionist that is a machine), a *menu*, an *intercept* (the network says that the number reaches nobody) or on *hold* (a
queue, music). Recall is the share of each kind that is read as this kind, precision the share of right readings among all of this kind.
Where nothing says who it is, it is a person: hanging up on a person is a lost call. Each line is judged alone, as it must be while the
greeting plays; in a call every further line is another chance.
";

fn answering_table() -> String {
    let lines: Vec<(Answering, Answering)> =
        corpus::answering(Half::Measure).iter().map(|line| (line.who, answering::read(line.text))).collect();
    let mut text = String::from("| Who | Lines | Recall | Precision |");
    for who in Answering::ALL {
        let _ = write!(text, " Read as {} |", who.as_str());
    }
    text.push_str("\n|---|---|---|---|---|---|---|---|---|---|\n");
    for who in Answering::ALL {
        let of = lines.iter().filter(|(is, _)| *is == who).count();
        let read = lines.iter().filter(|(_, reading)| *reading == who).count();
        let right = lines.iter().filter(|pair| **pair == (who, who)).count();
        let _ = write!(text, "| {} | {of} | {} | {} |", who.as_str(), share(right, of), share(right, read));
        for reading in Answering::ALL {
            let count = lines.iter().filter(|pair| **pair == (who, reading)).count();
            let _ = write!(text, " {count} |");
        }
        text.push('\n');
    }
    text
}

fn tables() -> String {
    let lines = read(corpus::opt_out(Half::Measure), Line::reading);
    let mut text = String::from(
        "| Language | Wishes | Recall | Clear or asked back | Precision | Doubtful lines | Other lines | Asked in vain |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for language in Language::ALL {
        let of_language = lines.iter().filter(|(line, _)| line.language == language);
        row(&mut text, language.tag(), &of_language.collect::<Vec<_>>());
    }
    row(&mut text, "all", &lines.iter().collect::<Vec<_>>());
    text.push_str("\n| Language | Label | Kind of wording | Lines | Clear | Doubtful | No |\n|---|---|---|---|---|---|---|\n");
    let mut kinds: BTreeMap<(Language, Label, &str), [usize; 3]> = BTreeMap::new();
    for (line, reading) in &lines {
        kinds.entry((line.language, line.label, line.kind)).or_default()[*reading as usize] += 1;
    }
    for ((language, label, kind), [clear, doubtful, no]) in kinds {
        let label = match label {
            Label::OptOut => "wish",
            Label::Doubtful => "doubtful",
            Label::None => "other",
        };
        let total = clear + doubtful + no;
        let _ = writeln!(
            text,
            "| {} | {label} | {kind} | {total} | {clear} | {doubtful} | {no} |",
            language.tag()
        );
    }
    text
}

fn row(text: &mut String, name: &str, lines: &[&(Line, Label)]) {
    let count =
        |label, reading| lines.iter().filter(|(line, read)| line.label == label && *read == reading).count();
    let of = |label| lines.iter().filter(|(line, _)| line.label == label).count();
    let (right, asked) = (count(Label::OptOut, Label::OptOut), count(Label::OptOut, Label::Doubtful));
    let clear = lines.iter().filter(|(_, read)| *read == Label::OptOut).count();
    let _ = writeln!(
        text,
        "| {name} | {} | {} | {} | {} | {} | {} | {} |",
        of(Label::OptOut),
        share(right, of(Label::OptOut)),
        share(right + asked, of(Label::OptOut)),
        share(right, clear),
        of(Label::Doubtful),
        of(Label::None),
        share(count(Label::None, Label::Doubtful), of(Label::None)),
    );
}

/// Percent with one decimal, in whole numbers so that it is the same everywhere.
fn share(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let permille = (part * 2000 + whole) / (2 * whole);
    format!("{}.{} %", permille / 10, permille % 10)
}

const LANGUAGES: &str = "\
## The language of a caller

A line is one turn of a caller. Right is the share of the lines of a language that are read as that language; wrong is the share that is read as
another one, which would make the agent answer in a language that the caller does not speak. The rest tells nothing, and the agent goes on in the
language of the conversation. `none` are turns whose words do not tell: names, numbers, \"okay\".
";

fn languages() -> String {
    let mut text = String::from("| Language | Lines | Right | Wrong |\n|---|---|---|---|\n");
    let lines = language::corpus(Half::Measure);
    for language in Language::ALL.into_iter().map(Some).chain([None]) {
        let of_it: Vec<_> = lines.iter().filter(|line| line.language == language).collect();
        let readings: Vec<_> = of_it.iter().map(|line| language::heard(line.text)).collect();
        let right = readings.iter().filter(|reading| **reading == language).count();
        let wrong = readings.iter().filter(|reading| reading.is_some() && **reading != language).count();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            tag(language),
            of_it.len(),
            share(right, of_it.len()),
            share(wrong, of_it.len())
        );
    }
    text
}

fn tag(language: Option<Language>) -> &'static str {
    language.map_or("none", Language::tag)
}
