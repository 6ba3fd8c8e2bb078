//! What a note that somebody wrote for a call is about, in words that can be said to the person who is called.

use crate::words::Language;

/// The matter of the note as it stands in "I'm calling about …"; `None` if the note is not of a kind that can be put so.
#[must_use]
pub fn of(note: &str) -> Option<String> {
    let (form, matter) = read(note, &FORMS)?;
    let first = matter.split_whitespace().next()?.to_lowercase();
    let is_theirs =
        form.is_empty() && !DETERMINERS.contains(&first.as_str()) && matter.starts_with(char::is_lowercase);
    let theirs = if is_theirs { "your " } else { form };
    Some(format!("{theirs}{matter}"))
}

/// Why somebody is called, as a sentence in this language; `None` if the note is not written in it, or not of a kind that can be put so.
#[must_use]
pub fn as_reason(note: &str, language: Language) -> Option<String> {
    let (forms, sentence): (&[(&str, &str)], &str) = match language {
        Language::English => return of(note).map(|matter| format!("I'm calling about {matter}.")),
        Language::Spanish => (&SPANISH, "Le llamo por lo siguiente: {matter}."),
        Language::French => (&FRENCH, "Je vous appelle pour le motif suivant : {matter}."),
        Language::German => (&GERMAN, "Es geht um Folgendes: {matter}."),
    };
    let (form, matter) = read(note, forms)?;
    Some(sentence.replace("{matter}", &format!("{form}{matter}")))
}

/// What stands before the matter, and the matter itself.
fn read<'n>(note: &'n str, forms: &[(&str, &'static str)]) -> Option<(&'static str, &'n str)> {
    let note = note.trim().trim_end_matches('.');
    if note.contains(['.', '!', '?', '\n', ';', ':']) || note.split_whitespace().count() > MOST_WORDS {
        return None;
    }
    let lower = note.to_lowercase();
    let (form, begin) = forms.iter().find_map(|(opening, form)| {
        let rest = lower.strip_prefix(opening)?;
        (!rest.trim().is_empty() && note.is_char_boundary(opening.len())).then_some((*form, opening.len()))
    })?;
    Some((form, note.get(begin..)?.trim()))
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

const SPANISH: [(&str, &str); 14] = [
    ("seguimiento de ", ""),
    ("seguimiento sobre ", ""),
    ("sobre ", ""),
    ("acerca de ", ""),
    ("respecto a ", ""),
    ("pidió ", "su solicitud de "),
    ("solicitó ", "su solicitud de "),
    ("solicitud de ", "su solicitud de "),
    ("preguntó por ", "su pregunta por "),
    ("interesado en ", "su interés en "),
    ("interesada en ", "su interés en "),
    ("quiere ", "su solicitud de "),
    ("necesita ", "su solicitud de "),
    ("busca ", "su búsqueda de "),
];

const FRENCH: [(&str, &str); 10] = [
    ("suivi de ", ""),
    ("au sujet de ", ""),
    ("à propos de ", ""),
    ("concernant ", ""),
    ("demande de ", "votre demande de "),
    ("demande d'", "votre demande d'"),
    ("a demandé ", "votre demande, "),
    ("intéressé par ", "votre intérêt pour "),
    ("intéressée par ", "votre intérêt pour "),
    ("souhaite ", "votre demande, "),
];

const GERMAN: [(&str, &str); 10] = [
    ("wegen ", ""),
    ("bezüglich ", ""),
    ("betrifft ", ""),
    ("rückfrage zu ", "unsere Rückfrage zu "),
    ("nachfrage zu ", "unsere Nachfrage zu "),
    ("anfrage zu ", "Ihre Anfrage zu "),
    ("anfrage wegen ", "Ihre Anfrage wegen "),
    ("bittet um ", "Ihre Bitte um "),
    ("interesse an ", "Ihr Interesse an "),
    ("interessiert an ", "Ihr Interesse an "),
];

const DETERMINERS: [&str; 18] = [
    "your", "the", "a", "an", "his", "her", "their", "our", "my", "this", "that", "these", "those", "some",
    "any", "its", "whether", "how",
];

const PRIVATE: [&str; 29] = [
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
    " no mencion",
    " nunca ",
    " interno",
    " confidencial",
    " secreto",
    " pregunte",
    " ofrezca",
    " jamais ",
    " interne",
    " confidentiel",
    " demandez",
    " nicht ",
    " intern ",
    " vertraulich",
    " geheim",
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
        let reason = |note: &str, language| as_reason(note, language);
        for (note, language, expected) in [
            ("Asked about a roof", Language::English, "I'm calling about your question about a roof."),
            (
                "Pidió un presupuesto",
                Language::Spanish,
                "Le llamo por lo siguiente: su solicitud de un presupuesto.",
            ),
            ("Concernant le devis", Language::French, "Je vous appelle pour le motif suivant : le devis."),
            (
                "Anfrage zu einem neuen Dach.",
                Language::German,
                "Es geht um Folgendes: Ihre Anfrage zu einem neuen Dach.",
            ),
        ] {
            assert_eq!(reason(note, language).as_deref(), Some(expected));
        }
        assert_eq!(reason("Asked about a roof", Language::Spanish), None);
        assert!(is_private("Pidió un plazo, no mencionar la deuda") && is_private("Den Betrag nicht nennen"));
        assert!(is_private("He owes us money, do not mention it"));
        assert!(!is_private("Left a message on Friday"));
    }
}
