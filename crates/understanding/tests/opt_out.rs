//! Whether callers who want no more calls are heard, and nobody else.

use understanding::corpus::{self, Half, Label};
use understanding::opt_out::{OptOut, Speaker, Turn, read};

fn caller(text: &str) -> Turn<'_> {
    Turn { by: Speaker::Caller, text }
}

fn agent(text: &str) -> Turn<'_> {
    Turn { by: Speaker::Agent, text }
}

fn is_clear(turns: &[Turn<'_>]) -> bool {
    matches!(read(turns), OptOut::Clear(_))
}

#[test]
fn the_rules_carry_over_to_lines_for_which_they_were_not_made() {
    for (half, least_recall, least_precision) in [(Half::Build, 980, 980), (Half::Measure, 969, 979)] {
        let lines = corpus::opt_out(half);
        let readings: Vec<(Label, Label)> = lines.iter().map(|line| (line.label, line.reading())).collect();
        let wishes = readings.iter().filter(|(label, _)| *label == Label::OptOut).count();
        let clear = readings.iter().filter(|(_, reading)| *reading == Label::OptOut).count();
        let right = readings.iter().filter(|pair| **pair == (Label::OptOut, Label::OptOut)).count();
        assert!(wishes > 500, "{half:?}: the corpus has {wishes} wishes");
        assert!(right * 1000 >= wishes * least_recall, "{half:?}: recall fell to {right} of {wishes}");
        assert!(right * 1000 >= clear * least_precision, "{half:?}: precision fell to {right} of {clear}");
    }
}

#[test]
fn ordinary_wordings_are_heard() {
    let said = [
        "Do not contact me again.",
        "Please don't contact me anymore.",
        "Delete my number from your system.",
        "Don't call here anymore.",
        "Never call here again.",
        "I don't want to receive any more calls from you.",
        "Stop contacting me, please.",
        "Leave me alone and don't phone me ever again.",
        "Please remove us from your calling list.",
        "Take this number off your list.",
        "Would you mind not calling me any more?",
        "Don't you dare call me again.",
        "Cease and desist calling me.",
        "Scratch my name off your list.",
        "No more phone calls please.",
        "I've told you people three times already, stop it with the calls.",
        "No me llamen más, por favor.",
        "Por favor deje de llamarme.",
        "No vuelvan a llamar a este número.",
        "Borre mi número.",
        "Bitte rufen Sie mich nicht mehr an.",
        "STOP",
        "Don't ever contact me again.",
        "Do not call.",
        "Don't call me back.",
    ];
    for text in said {
        assert!(is_clear(&[caller(text)]), "{text}");
    }
}

#[test]
fn what_only_sounds_alike_is_none() {
    let said = [
        "Don't stop calling until you reach my wife, please.",
        "Can you take me off hold and help me with my roof?",
        "I told the other company to stop calling me, but you I want to hire.",
        "Never call me Bob, my name is Robert. I need a new roof.",
        "Is my mother's number on the do not call list at your office?",
        "My doctor said I should stop calling it an accident. I need help with my roof.",
        "How do I unsubscribe from your email newsletter? And I need a quote.",
        "No more calls today please, but call tomorrow about my roof.",
        "Please do not call me on my work phone, this one is better.",
        "Remove me as the contact and put my wife instead.",
    ];
    for text in said {
        assert_eq!(read(&[caller(text)]), OptOut::No, "{text}");
    }
}

#[test]
fn a_wish_over_two_turns_is_heard_with_or_without_a_question_between() {
    assert!(is_clear(&[caller("Take me..."), caller("off your list please.")]));
    assert!(is_clear(&[caller("Take me..."), agent("I'm sorry?"), caller("off your list please.")]));
    assert_eq!(read(&[caller("Take me..."), agent("I'm sorry?"), caller("off hold please.")]), OptOut::No);
}

#[test]
fn a_wish_that_a_recogniser_cuts_into_three_turns_is_heard() {
    assert!(is_clear(&[caller("Do not"), caller("ever"), caller("call here again.")]));
    let asked =
        [caller("Take"), agent("Sorry?"), caller("my number"), agent("Yes?"), caller("off your list.")];
    assert!(is_clear(&asked));
    assert_eq!(read(&[caller("Do not"), caller("ever"), caller("paint it green again.")]), OptOut::No);
}

#[test]
fn words_of_those_who_search_for_words_change_nothing() {
    for text in ["Can you just, like, not call?", "Don't, you know, call me.", "No me llamen, ¿sí?"] {
        assert!(is_clear(&[caller(text)]), "{text}");
    }
    assert_eq!(read(&[caller("Can you, like, not call before nine?")]), OptOut::No);
}

#[test]
fn who_forbids_calls_in_german_is_heard() {
    for text in [
        "Ich verbiete Ihnen, mich anzurufen.",
        "Ich untersage Ihnen weitere Anrufe.",
        "Sie haben keine Erlaubnis, hier anzurufen.",
    ] {
        assert!(is_clear(&[caller(text)]), "{text}");
    }
    assert_eq!(read(&[caller("Ich verbiete meinem Sohn das Rauchen.")]), OptOut::No);
}

#[test]
fn the_turn_that_says_it_is_the_evidence() {
    let turns = [
        agent("Hello, how can I help?"),
        caller("My roof leaks."),
        agent("I see."),
        caller("Don't call again."),
    ];
    let OptOut::Clear(evidence) = read(&turns) else { panic!("a clear wish") };
    assert_eq!(evidence.turn, 3);
    assert_eq!(evidence.language.tag(), "en");
    let OptOut::Clear(evidence) = read(&[caller("No me llamen más")]) else { panic!("a clear wish") };
    assert_eq!(evidence.language.tag(), "es");
}

#[test]
fn the_answer_to_asking_back_decides() {
    for language in understanding::Language::ALL {
        let question = understanding::opt_out::question(language);
        let (yes, no, doubt) = match language.tag() {
            "en" => ("Yes, please.", "No, you can call me.", "Leave me alone."),
            "es" => ("Sí, por favor.", "No, pueden llamarme.", "Déjeme en paz."),
            "fr" => ("Oui, merci.", "Non, ça va.", "Laissez-moi tranquille."),
            _ => ("Ja, bitte.", "Nein, schon gut.", "Lassen Sie mich in Ruhe."),
        };
        assert!(matches!(read(&[caller(doubt)]), OptOut::Doubtful(_)), "{doubt}");
        assert!(is_clear(&[caller(doubt), agent(question), caller(yes)]), "{yes}");
        assert_eq!(read(&[caller(doubt), agent(question), caller(no)]), OptOut::No, "{no}");
        assert!(matches!(read(&[caller(doubt), agent(question)]), OptOut::Doubtful(_)));
        let left = [caller(doubt), agent(question), caller("Bye.")];
        assert!(matches!(read(&left), OptOut::Doubtful(_)));
    }
}

#[test]
fn what_an_answer_has_settled_stays_settled_when_the_caller_goes_on() {
    for next in ["That's all.", "No, thanks.", "Bye.", "Please do."] {
        let turns = [
            caller("Leave me alone."),
            agent("Would you like us not to call this number again?"),
            caller("No, you can call me."),
            agent("All right. Anything else?"),
            caller(next),
        ];
        assert_eq!(read(&turns), OptOut::No, "{next}");
    }
}

#[test]
fn somebody_who_talks_on_about_something_else_has_not_asked_for_it() {
    let turns = [
        caller("You people call every day and I'm sick of these calls."),
        agent("Would you like us not to call this number again?"),
        caller("My roof is leaking and I need somebody to look at it."),
    ];
    assert_eq!(read(&turns), OptOut::No);
}

#[test]
fn a_wording_that_no_rule_knows_is_asked_about_and_never_blocks() {
    let unknown = [
        "You folks gotta give it up already with all the calls every week.",
        "I want my phone out of there, all of you, for good.",
        "I'd be happier without these calls coming to me.",
        "I beg you to spare me your calls.",
        "Spare me these calls.",
        "I could do without your calls.",
    ];
    let readings = unknown.map(|text| read(&[caller(text)]));
    assert!(readings.iter().all(|reading| !matches!(reading, OptOut::Clear(_))), "{readings:?}");
    let asked = readings.iter().filter(|reading| matches!(reading, OptOut::Doubtful(_))).count();
    assert!(asked >= 2, "{readings:?}");
}

#[test]
fn a_recording_that_says_which_key_to_press_wants_nothing() {
    let said = [
        "Press two to be removed from our calling list.",
        "Please press the number 9 to be taken off our list.",
        "To stop receiving these calls, press nine.",
        "If you would like to be added to our do not call list, press three now.",
        "Para no recibir más llamadas, oprima el dos.",
    ];
    for text in said {
        assert_eq!(read(&[caller(text)]), OptOut::No, "{text}");
    }
    for text in [
        "I pressed two to be removed and you still call. Stop calling me.",
        "Which button do I press to be removed?",
    ] {
        assert!(is_clear(&[caller(text)]), "{text}");
    }
}

#[test]
fn what_the_agent_offered_decides_what_an_answer_means() {
    let offer = agent("Would you like us not to call this number again?");
    for text in ["Please.", "Por favor.", "Bitte."] {
        assert!(is_clear(&[offer, caller(text)]), "{text}");
    }
    for (asked, text) in [
        ("Shall I take you off the Friday list?", "Yes please."),
        ("Shall I take you off the Friday list?", "Yes please, take me off."),
        ("May I record this call?", "No, please don't."),
    ] {
        assert_eq!(read(&[agent(asked), caller(text)]), OptOut::No, "{asked} {text}");
    }
}

#[test]
fn ordinary_talk_is_not_asked_about() {
    let said = [
        "I need somebody to look at my roof before the weekend.",
        "Could you call me back around three?",
        "It's about the list of prices you sent me.",
        "My number is five one two, five five five, zero one four three.",
        "How did you get my number?",
        "No, thank you. When will somebody call me?",
        "I'd like a call back, please.",
        "I'd rather not.",
        "I never got the email.",
        "No, that's all, thank you. Bye.",
        "Necesito una cita para el lunes.",
        "Ich hätte gern einen Termin.",
        "Je voudrais un devis pour ma toiture.",
    ];
    for text in said {
        assert_eq!(read(&[caller(text)]), OptOut::No, "{text}");
    }
}

#[test]
fn nothing_that_can_be_said_breaks_the_reading() {
    for text in ["", " ", "...", "?!", "'", "no no no no no no no", "\u{0}\u{feff}\u{301}", "止めて", "- - -"]
    {
        assert_eq!(read(&[caller(text)]), OptOut::No, "{text:?}");
    }
    let long = "and then I said ".repeat(20_000);
    assert_eq!(read(&[caller(&long)]), OptOut::No);
}

#[test]
fn people_who_are_somebody_else_are_not_asked_about() {
    let said =
        ["There's no Kevin here, I've had this number for two years.", "Nobody here goes by that name."];
    for text in said {
        assert_eq!(read(&[caller(text)]), OptOut::No, "{text}");
    }
}
