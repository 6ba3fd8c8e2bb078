//! What callers ask of the receptionist that is neither an answer nor a question about the business: that something be done, a message for
//! somebody else, or, from a child, nothing at all.

use speech::{Chat, Role};
use understanding::matter::{self, Said};
use understanding::sentences::split;

use crate::understanding::{plain, says};

/// True if the caller wants something of the business that is no customer's wish: to sell it something, or to work there.
pub(super) fn sells_something(chat: &Chat) -> bool {
    let mut said = chat.messages.iter().filter(|message| message.role == Role::User);
    // Whoever cancels a contract is a customer still.
    let cancels = |text: &str| says(&plain(text), &["cancel", "cancelling", "canceling", "cancelar"]);
    said.any(|message| matter::heard(&message.content).contains(&Said::Sells) && !cancels(&message.content))
}

/// True if the question asks for something to be done ("can you tell him that…"), which can only be passed on.
pub(super) fn is_request(question: &str) -> bool {
    let said = plain(question);
    let asks = [
        "can you",
        "could you",
        "would you",
        "will you",
        "can somebody",
        "can someone",
        "puede",
        "podría",
        "me puede",
    ]
    .iter()
    .any(|opening| said.trim_start().starts_with(opening) || said.contains(&format!(" and {opening} ")));
    asks && says(&said, DOING)
}

/// True for "do you speak Spanish?", which the language of the reply answers.
pub(super) fn asks_for_language(clause: &str) -> bool {
    let said = plain(clause);
    says(&said, &["speak", "habla", "hablas", "hablan"])
        && ["spanish", "english", "español", "espanol", "inglés", "ingles"]
            .iter()
            .any(|word| said.contains(word))
}

/// True for "can you hear me?": the caller wants to know whether anybody is there.
pub(super) fn asks_whether_we_hear(clause: &str) -> bool {
    says(
        &plain(clause),
        &[
            "hear me",
            "are you there",
            "you still there",
            "anybody there",
            "anyone there",
            "somebody there",
            "me oye",
            "me oyen",
            "me escucha",
            "me escuchan",
            "sigue ahí",
            "hay alguien ahí",
        ],
    )
}

/// True for "can I give you my cell instead?": the caller offers something that we take.
pub(super) fn offers_something(clause: &str) -> bool {
    let said = plain(clause);
    let offers =
        ["can i", "could i", "may i", "should i", "shall i", "puedo", "le puedo", "podría", "quiere que le"];
    offers.iter().any(|opening| said.trim_start().starts_with(opening))
        && says(
            &said,
            &[
                "give you",
                "leave you",
                "leave my",
                "tell you",
                "spell",
                "send you",
                "text you",
                "email you",
                "darle",
                "dejarle",
                "decirle",
                "dar",
                "dé",
                "deje",
                "mandarle",
            ],
        )
}

/// True if they offer a telephone number.
pub(super) fn offers_a_number(clause: &str) -> bool {
    offers_something(clause)
        && says(
            &plain(clause),
            &["phone", "number", "cell", "mobile", "teléfono", "número", "celular", "móvil"],
        )
}

/// True for the "do you?" behind a sentence, which asks for nothing of its own.
pub(super) fn is_a_tag(clause: &str) -> bool {
    const TAGS: [&str; 10] = [
        " do you ",
        " don t you ",
        " dont you ",
        " is it ",
        " isn t it ",
        " isnt it ",
        " are you ",
        " right ",
        " will you ",
        " can you ",
    ];
    TAGS.contains(&plain(clause).as_str())
}

/// True for "Is this Tony's Pizza?": a caller wants to know whom they have reached.
pub(super) fn asks_whether_it_is_us(text: &str) -> bool {
    split(text).any(|sentence| {
        let asked = ["is this ", "is that ", "¿es "].into_iter().find_map(|opening| {
            let at = sentence.to_lowercase().find(opening)?;
            sentence.get(at + opening.len()..)
        });
        asked.is_some_and(|named| {
            let named = named.strip_prefix("the ").unwrap_or(named);
            named.ends_with('?')
                && named.split_whitespace().count() <= 4
                && named.starts_with(char::is_uppercase)
        })
    })
}

const DOING: &[&str] = &[
    "call",
    "tell",
    "ask",
    "have",
    "let",
    "send",
    "text",
    "email",
    "give",
    "remind",
    "cancel",
    "change",
    "check",
    "make sure",
    "put me through",
    "connect",
    "transfer",
    "decirle",
    "llamar",
    "llamarme",
    "llamarle",
    "pedirle",
    "enviar",
    "enviarme",
    "mandar",
    "mandarme",
    "avisar",
    "avisarle",
    "comunicar",
    "comunicarme",
    "pasar",
    "pasarme",
];

/// True if somebody offers to take a message for the person who was called.
pub(super) fn takes_a_message(said: &str) -> bool {
    says(
        &plain(said),
        &[
            "take a message",
            "leave a message",
            "leave him a message",
            "leave her a message",
            "ill tell him",
            "ill tell her",
            "ill let him know",
            "ill let her know",
            "can i tell him",
            "can i tell her",
            "give him a message",
            "give her a message",
            "dejar un mensaje",
            "dejar un recado",
            "dejarle un recado",
            "dejarle un mensaje",
            "tomar un recado",
            "yo le digo",
            "yo le aviso",
        ],
    )
}

/// True if somebody asks at which number the business can be reached.
pub(super) fn asks_for_our_number(said: &str) -> bool {
    let said = plain(said);
    let number = says(&said, &["number", "número", "numero", "teléfono", "telefono"]);
    number
        && says(
            &said,
            &[
                "whats your",
                "what is your",
                "your number",
                "call you back",
                "reach you",
                "call back",
                "back at",
                "su número",
                "su numero",
                "su teléfono",
                "devolverle",
                "devolver la llamada",
            ],
        )
        && says(
            &said,
            &[
                "what", "whats", "which", "where", "can he", "can she", "have", "give", "qué", "que", "cuál",
                "cual", "tiene", "a",
            ],
        )
        && !says(&said, &["my number", "mi número", "mi numero", "have my", "get my", "got my"])
}

/// True of a turn that agrees and tells nothing: "okay", "yes, sure", "mhm".
pub(super) fn only_agrees(said: &str) -> bool {
    const AGREEING: [&str; 29] = [
        "okay", "ok", "yes", "yeah", "yep", "yup", "ya", "sure", "alright", "all", "right", "fine", "good",
        "great", "mhm", "mmhmm", "mm", "hmm", "uhhuh", "uh", "huh", "si", "sí", "vale", "bueno", "claro",
        "bien", "está", "ajá",
    ];
    let said = plain(said);
    let words = said.split_whitespace().count();
    (1..=4).contains(&words)
        && said.split_whitespace().all(|word| AGREEING.contains(&word))
        && !["huh", "all", "uh"].contains(&said.trim())
}

/// True if somebody asks how the agent is called, or whether it said so.
pub(super) fn asks_for_our_name(said: &str) -> bool {
    let said = plain(said);
    let names = says(
        &said,
        &[
            "your name",
            "you have a name",
            "whats your name",
            "su nombre",
            "tu nombre",
            "se llama usted",
            "cómo se llama",
            "cómo te llamas",
        ],
    ) || says(&said, &["do i call you", "should i call you", "can i call you by"]);
    names && !says(&said, &["my name", "mi nombre", "your name on", "your name from"])
}

/// True if somebody asks whether we know how they are called.
pub(super) fn asks_for_their_name(said: &str) -> bool {
    let said = plain(said);
    says(&said, &["my name", "mi nombre"])
        && says(
            &said,
            &[
                "did you say",
                "did you get",
                "did you catch",
                "do you have",
                "do you know",
                "did i give",
                "did i tell",
                "did i say",
                "have you got",
                "what is",
                "whats",
                "tiene",
                "sabe",
                "le di",
                "cuál es",
            ],
        )
}

/// True if a child has answered.
pub(super) fn is_a_child(said: &str) -> bool {
    split(said).any(is_a_childs)
}

fn is_a_childs(sentence: &str) -> bool {
    let said = plain(sentence);
    let speaks_so = says(
        &said,
        &["my mommy", "my daddy", "mommy is", "daddy is", "mi mami", "mi papi", "mami está", "papi está"],
    );
    let age = ["im", "i am", "tengo"].iter().any(|own| {
        [
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "3",
            "4",
            "5",
            "6",
            "7",
            "8",
            "9",
            "tres años",
            "cuatro años",
            "cinco años",
            "seis años",
            "siete años",
            "ocho años",
            "nueve años",
        ]
        .iter()
        .any(|age| said.trim() == format!("{own} {age}") || said.trim() == format!("{own} {age} years old"))
    });
    speaks_so || age
}

/// True if the caller says that they never asked for this.
pub(super) fn denies_a_request(said: &str) -> bool {
    let said = plain(said);
    let never = says(
        &said,
        &[
            "dont remember",
            "do not remember",
            "dont recall",
            "never",
            "didnt",
            "did not",
            "no recuerdo",
            "nunca",
            "yo no",
        ],
    );
    never
        && says(
            &said,
            &[
                "asked",
                "asking",
                "ask",
                "requested",
                "requesting",
                "request",
                "filled",
                "fill",
                "signed up",
                "sign up",
                "contacted",
                "contact you",
                "pedí",
                "pedi",
                "haber pedido",
                "solicité",
                "llené",
            ],
        )
}

/// True of words that answer nothing and tell nothing.
pub(super) fn is_a_shrug(said: &str) -> bool {
    let said = plain(said);
    says(
        &said,
        &[
            "i dont know",
            "dont know",
            "not sure",
            "no idea",
            "who knows",
            "no sé",
            "no se",
            "ni idea",
            "maybe",
            "i guess",
            "quizás",
            "tal vez",
        ],
    ) && said.split_whitespace().count() <= 5
}

/// True if somebody says that they have no address to write to, beside the wordings that the remarks know.
pub(super) fn lacks_an_address(said: &str) -> bool {
    says(
        &plain(said),
        &[
            "dont have",
            "do not have",
            "dont use",
            "dont do",
            "cant spell",
            "just text",
            "text me",
            "no email",
            "no tengo",
            "no uso",
            "sin correo",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_from_questions() {
        for request in ["Can you call her?", "Could you tell him Steve called?", "¿Me puede llamar mañana?"]
        {
            assert!(is_request(request), "{request}");
        }
        for question in
            ["Can I bring my sister?", "Do you work weekends?", "Can you fix gutters?", "¿Puede venir hoy?"]
        {
            assert!(!is_request(question), "{question}");
        }
    }

    #[test]
    fn people_who_answer_for_others_are_heard() {
        assert!(
            takes_a_message("Can I take a message for him?") && takes_a_message("¿Quiere dejar un recado?")
        );
        assert!(!takes_a_message("I got your message."));
        assert!(
            asks_for_our_number("What number can he call you back at?")
                && asks_for_our_number("¿Cuál es su número?")
        );
        assert!(
            !asks_for_our_number("Where did you get my number?")
                && !asks_for_our_number("My number is 512 555 0147.")
        );
        assert!(
            is_a_child("My mommy is in the shower.")
                && is_a_child("I'm five.")
                && is_a_child("Tyler. I'm nine.")
                && !is_a_child("I'm free at five.")
        );
        assert!(
            denies_a_request("I don't remember asking about a roof.")
                && !denies_a_request("I never got the estimate.")
        );
        assert!(
            only_agrees("Okay.")
                && only_agrees("Yeah, sure.")
                && only_agrees("Uh-huh.")
                && only_agrees("Está bien.")
        );
        assert!(!only_agrees("Huh?") && !only_agrees("Okay, a roof.") && !only_agrees(""));
        for asked in
            ["Did you say your name?", "What's your name?", "Do you have a name?", "¿Cómo se llama usted?"]
        {
            assert!(asks_for_our_name(asked) && !asks_for_their_name(asked), "{asked}");
        }
        for asked in ["Did you get my name?", "Did you say my name?", "¿Tiene mi nombre?"] {
            assert!(asks_for_their_name(asked) && !asks_for_our_name(asked), "{asked}");
        }
        assert!(is_a_shrug("Hm, I don't know.") && !is_a_shrug("I don't know who to ask about my roof."));
    }
}
