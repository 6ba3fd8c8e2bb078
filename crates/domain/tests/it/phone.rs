//! Numbers are read as another port of libphonenumber reads them.

use domain::phone::{NumberKind, read_written};

/// What libphonenumber says of many numbers; `e2e/phone_numbers.py` made the file.
const NUMBERS: &str = include_str!("numbers.tsv");

#[test]
fn example_numbers_of_every_country_are_read_as_libphonenumber_reads_them() {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for line in NUMBERS.lines().filter(|line| !line.starts_with('#')) {
        let [home, text, number, kind, extension] = *line.split('\t').collect::<Vec<_>>() else {
            panic!("five columns: {line}")
        };
        rows += 1;
        let found = read_written(text, home).map(|written| {
            let kind = match written.number.kind().expect("a number that was read exists") {
                NumberKind::Ordinary => "ordinary",
                NumberKind::PremiumRate => "premium",
                NumberKind::SharedCost => "shared",
                NumberKind::Personal => "personal",
                NumberKind::UniversalAccess => "universal",
            };
            (written.number.to_string(), kind, written.extension.unwrap_or_default())
        });
        let expected = (number != "-").then(|| (number.to_owned(), kind, extension.to_owned()));
        if found != expected {
            wrong.push(format!("home +{home}, {text:?}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(rows > 3000, "the table is there: {rows}");
    assert!(wrong.is_empty(), "{} of {rows}:\n{}", wrong.len(), wrong.join("\n"));
}
