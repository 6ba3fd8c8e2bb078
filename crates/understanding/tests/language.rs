//! Whether the language of a caller is heard.

use understanding::Language;
use understanding::corpus::Half;
use understanding::language::{corpus, heard};

#[test]
fn the_language_is_heard_in_lines_for_which_the_words_were_not_chosen() {
    for (half, least) in [(Half::Build, 97), (Half::Measure, 93)] {
        let lines = corpus(half);
        let right = lines.iter().filter(|line| heard(line.text) == line.language).count();
        let wrong: Vec<_> = lines.iter().filter(|line| heard(line.text) != line.language).collect();
        assert!(right * 100 >= lines.len() * least, "{half:?}: {right} of {}: {wrong:?}", lines.len());
    }
}

#[test]
fn a_name_or_a_number_does_not_change_the_language() {
    for text in ["Carmen Ruiz.", "512 555 0147", "Okay.", "José Hernández", "", "..."] {
        assert_eq!(heard(text), None, "{text}");
    }
    assert_eq!(heard("Yes, por favor is all I know"), Some(Language::English));
    assert_eq!(heard("Do you speak Spanish?"), Some(Language::Spanish));
}
