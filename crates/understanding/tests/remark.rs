//! Whether the remarks that change the course of a call are heard, and only they.

use understanding::remark::Remark::{self, *};
use understanding::remark::heard;

fn check(remark: Remark, said: &[&str], not_said: &[&str]) {
    let missed: Vec<_> = said.iter().filter(|text| !heard(text).contains(&remark)).collect();
    let invented: Vec<_> = not_said.iter().filter(|text| heard(text).contains(&remark)).collect();
    assert!(missed.is_empty() && invented.is_empty(), "{remark:?} missed {missed:?}, invented {invented:?}");
}

#[test]
fn questions_about_the_call_are_heard() {
    check(
        Robot,
        &[
            "Are you a robot?",
            "Am I speaking to a real person or a machine?",
            "Is this AI?",
            "You sound like a bot.",
            "Is this a recorded message?",
            "Is this a recording?",
            "Hold on, are you human?",
            "Are you a real person?",
            "Is this a real person?",
            "Wait, are you like an AI or something?",
            "I think you're a computer.",
            "Am I talking to a human?",
            "¿Es usted un robot?",
            "¿Estoy hablando con una persona o con una máquina?",
            "¿Esto es una grabación?",
        ],
        &[
            "I need a robot vacuum repaired.",
            "Is this call being recorded?",
            "My computer is broken.",
            "Are you open today?",
            "I'm a real estate agent.",
        ],
    );
    check(
        Recorded,
        &[
            "Is this call being recorded?",
            "Are you recording this?",
            "Am I being recorded?",
            "Do you record your calls?",
            "¿Están grabando esta llamada?",
            "¿Se graba la llamada?",
        ],
        &["Is this a recording?", "I run a recording studio.", "Is this a recorded message?"],
    );
    check(
        Source,
        &[
            "Where did you get my number?",
            "Where do you have my number from?",
            "How did you get my name and number?",
            "Who gave you my information?",
            "So where did you get my number from?",
            "¿De dónde sacaron mi número?",
            "¿Quién le dio mi número?",
        ],
        &["My number is 512 555 0147.", "Where is your office?", "How did you fix it?"],
    );
    check(
        Who,
        &[
            "Who is this?",
            "Wait, wait. Who's this?",
            "Who am I speaking with?",
            "Who's calling please?",
            "What company are you with?",
            "Where are you calling from?",
            "And you are?",
            "¿Quién habla?",
            "¿De parte de quién?",
        ],
        &["Who is responsible for billing?", "This is Ken.", "Who gave you my number?"],
    );
    check(
        About,
        &[
            "What is this about?",
            "Why are you calling me?",
            "What's this in regards to?",
            "¿De qué se trata?",
        ],
        &["It's about my roof.", "What about Tuesday?"],
    );
}

#[test]
fn who_has_no_time_is_told_from_who_only_sounds_so() {
    check(
        Later,
        &[
            "This is not a good time.",
            "I'm driving right now.",
            "Can you call me back later?",
            "I'm in a meeting, call me tomorrow.",
            "I can't talk right now.",
            "Sorry, bad time.",
            "I'm busy.",
            "Ahora no puedo hablar.",
            "Estoy manejando, llámeme más tarde.",
        ],
        &[
            "Now's not a bad time, go ahead, I need a new roof.",
            "I was in a meeting with your colleague yesterday about my roof.",
            "I'm busy comparing roofers, so I'm glad you called.",
            "I have another time in mind for the roof, say March.",
            "I can't talk highly enough of your firm, I need another roof.",
            "Please call me back at five one two, five five five, oh one nine nine.",
        ],
    );
    check(
        WrongPerson,
        &[
            "Who? I think you have the wrong number. There's no Maria here.",
            "Wrong number.",
            "You've got the wrong person, buddy.",
            "There's nobody here by that name.",
            "He doesn't live here anymore.",
            "I'm not Maria, you called the wrong number",
            "Número equivocado.",
            "Aquí no vive ninguna María.",
        ],
        &[
            "I called the wrong number first, but now I have you. I need a roof.",
            "I wrote the wrong number on the form.",
            "There's no hurry.",
        ],
    );
    check(
        Human,
        &[
            "Can I talk to a human please?",
            "A human!",
            "Human!",
            "I want to speak to a manager.",
            "No, I want a real person.",
            "Representative.",
            "Let me speak with somebody who knows.",
            "Quiero hablar con una persona.",
        ],
        &[
            "I'm the manager of a bakery and I need a roof.",
            "I'm a representative of the church, we need a roof.",
            "I need a real estate agent.",
        ],
    );
}

#[test]
fn danger_and_feelings_are_heard() {
    check(
        Emergency,
        &[
            "There is a fire in my house, call nine one one!",
            "My husband isn't breathing, please help!",
            "I think he's having a heart attack.",
            "My kitchen is on fire!",
            "Somebody is breaking into my house.",
            "I want to kill myself.",
            "We need an ambulance.",
            "There's a really strong smell of gas in my kitchen and I feel dizzy.",
            "I smell gas.",
            "Hay un olor fuerte a gas.",
            "Mi esposo no respira.",
            "Hay un incendio en mi casa.",
        ],
        &[
            "I was in a car accident last week.",
            "We had a fire in the kitchen last year and need a contractor.",
            "My pipe burst, it's an emergency.",
            "I need help with my fire insurance claim.",
            "My father had a heart attack two years ago.",
        ],
    );
    check(
        Grief,
        &[
            "My mother passed away last week.",
            "I lost my husband in May.",
            "My dad just died.",
            "Mi papá falleció ayer.",
        ],
        &["My phone died.", "I lost my keys."],
    );
    check(
        Anger,
        &[
            "This is ridiculous. Forget it, I'll cancel my contract.",
            "Nobody showed up. This is the second time.",
            "I'm fed up with you people.",
            "Esto es inaceptable.",
        ],
        &["I need a lawyer.", "That's fine."],
    );
}

#[test]
fn answers_are_heard() {
    check(Yes, &["Yes.", "Yeah, sure.", "Okay.", "Sí, claro."], &["No.", "I need a roof."]);
    check(
        No,
        &["No, that's all.", "Nope, thank you.", "No, gracias."],
        &["No problem, sure.", "Not a bad idea."],
    );
    check(
        Done,
        &["No, that's all.", "That's it, thanks.", "Eso es todo."],
        &["That's all I know about the roof."],
    );
    check(
        Goodbye,
        &["Okay, bye!", "Have a good one.", "Adiós."],
        &["I flew by there.", "I said goodbye to him."],
    );
    check(
        Refusal,
        &["I'd rather not say.", "I don't use email.", "None of your business."],
        &["I don't know."],
    );
    check(
        Repeat,
        &["Can you say that again?", "Sorry, I didn't catch that.", "¿Puede repetir?"],
        &["I did it again."],
    );
}
