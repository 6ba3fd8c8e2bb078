//! Whether what is said of a matter is heard.

use std::collections::BTreeSet;

use understanding::corpus::Half;
use understanding::matter::{Said, corpus, heard};

#[test]
fn matters_are_heard_in_lines_for_which_the_rules_were_not_made() {
    for (half, least) in [(Half::Build, 85), (Half::Measure, 75)] {
        let readings: Vec<(BTreeSet<Said>, BTreeSet<Said>)> =
            corpus(half).into_iter().map(|line| (line.said, measured(line.text))).collect();
        let count =
            |of: fn(&(BTreeSet<Said>, BTreeSet<Said>)) -> usize| readings.iter().map(of).sum::<usize>();
        let said = count(|(said, _)| said.len());
        let read = count(|(_, read)| read.len());
        let right = count(|(said, read)| said.intersection(read).count());
        assert!(said >= 80, "{half:?}: the corpus says {said} things");
        assert!(right * 100 >= said * least, "{half:?}: recall fell to {right} of {said}");
        assert!(right * 100 >= read * least, "{half:?}: precision fell to {right} of {read}");
    }
}

fn measured(text: &str) -> BTreeSet<Said> {
    heard(text).into_iter().filter(|said| Said::MEASURED.contains(said)).collect()
}

#[test]
fn what_either_side_says_is_to_be_done_is_heard() {
    for (text, said) in [
        ("Shall I book you a visit for tomorrow at nine?", Said::OffersAppointment),
        ("Somebody will call you back tomorrow.", Said::OffersCall),
        ("We will send the estimate this week.", Said::Promise),
        ("Yes, that works, thank you.", Said::Accepts),
        ("What time of day suits you best for a call?", Said::AsksTime),
        ("How can I help you?", Said::AsksReason),
        ("I'm not sure about that.", Said::CannotSay),
        ("It was $2,400.", Said::Amount),
        ("¿Le llamamos mañana?", Said::OffersCall),
        ("¿A qué hora le viene mejor una llamada?", Said::AsksTime),
    ] {
        assert!(heard(text).contains(&said), "{text}: {:?}", heard(text));
    }
}
