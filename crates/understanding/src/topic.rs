//! What a note that somebody wrote for a call is about, in words that can be said to the person who is called.

/// The matter of the note as it stands in "I'm calling about …"; `None` if the note is not of a kind that can be put so.
#[must_use]
pub fn of(note: &str) -> Option<String> {
    let note = note.trim().trim_end_matches('.');
    if note.contains(['.', '!', '?', '\n', ';', ':']) || note.split_whitespace().count() > MOST_WORDS {
        return None;
    }
    let lower = note.to_lowercase();
    let (form, begin) = FORMS.iter().find_map(|(opening, form)| {
        let rest = lower.strip_prefix(opening)?;
        (!rest.trim().is_empty() && note.is_char_boundary(opening.len())).then_some((form, opening.len()))
    })?;
    let matter = note.get(begin..)?.trim();
    let first = matter.split_whitespace().next()?.to_lowercase();
    let is_theirs =
        form.is_empty() && !DETERMINERS.contains(&first.as_str()) && matter.starts_with(char::is_lowercase);
    let theirs = if is_theirs { "your " } else { form };
    Some(format!("{theirs}{matter}"))
}

/// True if a note is written to the agent and not for the ears of the person: it gives orders or is long.
#[must_use]
pub fn is_private(note: &str) -> bool {
    let said = format!(" {} ", note.to_lowercase());
    note.split_whitespace().count() > 30 || PRIVATE.iter().any(|word| said.contains(word))
}

const MOST_WORDS: usize = 14;

/// How notes begin, and what stands before the matter instead. Lower case; the longer ones come first.
const FORMS: [(&str, &str); 22] = [
    ("following up on ", ""),
    ("following up about ", ""),
    ("following up regarding ", ""),
    ("follow-up on ", ""),
    ("follow up on ", ""),
    ("follow-up about ", ""),
    ("follow up about ", ""),
    ("follow up regarding ", ""),
    ("follow-up regarding ", ""),
    ("calling about ", ""),
    ("call about ", ""),
    ("regarding ", ""),
    ("about ", ""),
    ("re ", ""),
    ("asked for ", "your request for "),
    ("requested ", "your request for "),
    ("asked about ", "your question about "),
    ("inquired about ", "your question about "),
    ("interested in ", "your interest in "),
    ("wants ", "your wish for "),
    ("needs ", "your request for "),
    ("looking for ", "your search for "),
];

const DETERMINERS: [&str; 18] = [
    "your", "the", "a", "an", "his", "her", "their", "our", "my", "this", "that", "these", "those", "some",
    "any", "its", "whether", "how",
];

const PRIVATE: [&str; 14] = [
    " do not ",
    " don't ",
    " never ",
    " be ",
    " internal",
    " confidential",
    " secret",
    " make sure",
    " ask ",
    " tell ",
    " offer ",
    " try to ",
    " must ",
    " should ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_become_something_that_can_be_said() {
        let check = |note: &str, expected: Option<&str>| assert_eq!(of(note).as_deref(), expected, "{note}");
        check("Following up on car accident case", Some("your car accident case"));
        check("Follow up on the estimate.", Some("the estimate"));
        check(
            "Asked for a consultation on the web site",
            Some("your request for a consultation on the web site"),
        );
        check("Regarding Smith v. Jones", None);
        check("VIP, handle with care", None);
        check("about ", None);
        check("", None);
        assert!(is_private("He owes us money, do not mention it"));
        assert!(!is_private("Left a message on Friday"));
    }
}
