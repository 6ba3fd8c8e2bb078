//! Twenty conversations, judged by a person before the rules saw them: how promising the lead is, and how well the agent did. The rules
//! have to put them in nearly the same order.

use std::time::Duration;

use domain::agent::Model;
use domain::call::{Party, Utterance};
use speech::{Analysis, AnalysisRequest, Reached};

use super::by_rules::analyse;

/// A conversation, one turn a line: `A:` the agent, `C:` the caller, `C!` a caller over whom the agent talked.
pub(super) fn conversation(lines: &str) -> Vec<Utterance> {
    lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (who, text) = line.split_at(2);
            Utterance {
                by: if who.starts_with('A') { Party::Agent } else { Party::Caller },
                text: text.trim().to_owned(),
                start: Duration::ZERO,
                end: Duration::ZERO,
                interrupted: who.ends_with('!'),
            }
        })
        .collect()
}

pub(super) fn request(lines: &str, ended_reason: &str) -> AnalysisRequest {
    AnalysisRequest {
        system_prompt: String::new(),
        facts: Vec::new(),
        transcript: conversation(lines),
        ended_reason: ended_reason.into(),
        model: Model::default(),
    }
}

/// A conversation and what a person makes of it.
struct Judged {
    title: &'static str,
    lines: &'static str,
    ended: &'static str,
    /// How promising the lead is, from 0 to 100.
    lead: u8,
    /// How well the agent did, from 1 to 10.
    agent: u8,
    /// What a summary of it has to tell.
    told: &'static [&'static str],
}

const GOODBYE: &str = "agent-said-goodbye";
const HUNG_UP: &str = "caller-hung-up";

const CONVERSATIONS: [Judged; 20] = [
    Judged {
        title: "urgent leak, visit agreed",
        lines: "A: Thank you for calling Acme Roofing, this is Kai. How can I help you?
                C: Hi, my name is Dana Reyes. My roof is leaking and I need somebody as soon as possible.
                A: I'm sorry to hear that, Dana. May I have an email address?
                C: Sure, dana at example dot com. We had an estimate of four thousand dollars last year.
                A: Thank you. Shall I book you a visit for tomorrow at nine?
                C: Yes, that works, thank you.
                A: You are booked for tomorrow at nine. Thank you for calling. Goodbye.",
        ended: GOODBYE,
        lead: 98,
        agent: 10,
        told: &["Dana Reyes", "leaking", "four thousand dollars", "appointment", "tomorrow at nine", "dana@example.com", "urgent"],
    },
    Judged {
        title: "accident, consultation agreed",
        lines: "A: Hello, this is Kai, the assistant of Lopez Law. How can I help you?
                C: I was in a car accident last week and I need a lawyer.
                A: I'm so sorry to hear that. May I have your full name?
                C: Maria Lopez, and my email is maria at example dot com.
                A: Thank you, Maria. Would a consultation appointment on Thursday at two suit you?
                C: Thursday at two is perfect.
                A: It is scheduled. Thank you, Maria. Goodbye.",
        ended: GOODBYE,
        lead: 94,
        agent: 10,
        told: &["Maria Lopez", "car accident", "appointment", "Thursday at two"],
    },
    Judged {
        title: "Spanish, appointment agreed",
        lines: "A: Gracias por llamar a la clínica, le habla Kai. ¿En qué puedo ayudarle?
                C: Buenas tardes, me llamo Carmen Ruiz. Necesito una cita para mi hijo, le duele una muela.
                A: Lo siento mucho. ¿Le parece bien una cita el martes a las diez?
                C: Sí, el martes a las diez está bien.
                A: Muy bien. ¿Me da un correo?
                C: Claro, carmen@example.com.
                A: Su cita queda agendada. Gracias, Carmen. Adiós.",
        ended: GOODBYE,
        lead: 90,
        agent: 9,
        told: &["Carmen Ruiz", "español", "necesita una cita", "martes a las diez", "carmen@example.com"],
    },
    Judged {
        title: "call back agreed, deadline",
        lines: "A: Hello, this is Kai of Brown Tax. How may I help?
                C: This is Alex Chen. I need help with a letter from the tax office, they want two thousand dollars by Friday.
                A: I understand. What is the best number to reach you?
                C: Five one two, five five five, zero one four seven. Please call me back tomorrow after five.
                A: Of course, somebody will call you back tomorrow after five. Goodbye.
                C: Thanks, bye.",
        ended: GOODBYE,
        lead: 82,
        agent: 8,
        told: &["Alex Chen", "letter from the tax office", "two thousand dollars by Friday", "call back", "tomorrow after five", "5125550147"],
    },
    Judged {
        title: "new bathroom, estimate sent",
        lines: "A: Hello, this is Kai of Acme. How can I help you?
                C: We're thinking about a new bathroom, and how much would that cost?
                A: That depends on the size. Shall I send you an estimate by email?
                C: Yes please, it's robin at example dot com.
                A: Thank you. May I have your name?
                C: I'm Robin Park.
                A: Thank you, Robin. We will send the estimate this week. Goodbye.",
        ended: GOODBYE,
        lead: 76,
        agent: 8,
        told: &["Robin Park", "bathroom", "robin@example.com", "the price", "this week"],
    },
    Judged {
        title: "Spanish, asks for a price, call back",
        lines: "A: Hola, le habla Kai. ¿En qué puedo ayudarle?
                C: Buenos días, quiero pintar mi casa. ¿Cuánto cuesta?
                A: Depende del tamaño. ¿Le llamamos mañana por la mañana?
                C: Sí, por favor, al cinco cinco cinco. Me llamo Luis Vega.
                A: Muy bien, le llamaremos mañana por la mañana. Gracias. Adiós.",
        ended: GOODBYE,
        lead: 72,
        agent: 7,
        told: &["Luis Vega", "quiere pintar su casa", "mañana por la mañana", "precio"],
    },
    Judged {
        title: "deposit, corrected address, nothing agreed",
        lines: "A: Hello, this is Kai of Lopez Law. How can I help?
                C: It's about my landlord, he won't give back my deposit of twenty four hundred dollars.
                A: I understand. What is your email address?
                C: priya dot r at example dot com.
                A: Thank you. And your name?
                C: My name is Priya Rao.
                A: Thank you, Priya. Is there anything else?
                C: No, that's all, thank you.
                A: Thank you. Goodbye.",
        ended: GOODBYE,
        lead: 66,
        agent: 8,
        told: &["Priya Rao", "landlord", "twenty four hundred dollars", "get back to them"],
    },
    Judged {
        title: "wants gutters, gives only a name",
        lines: "A: Hello, this is Kai of Acme. How can I help?
                C: I need a roof. I'm Ann Lee.
                A: Thank you. What is your email address?
                C: I don't use email.
                A: That's all right. Anything else?
                C: Actually no, not a roof, it's the gutters that leak.
                A: Of course, gutters. Goodbye.
                C: Bye.",
        ended: GOODBYE,
        lead: 48,
        agent: 6,
        told: &["Ann Lee", "gutters that leak", "did not want to give an email"],
    },
    Judged {
        title: "wants a call later, says nothing of what for",
        lines: "A: Hello, this is Kai of Acme, do you have a minute?
                C: I'm driving right now. Can you call me back tonight at seven?
                A: Of course, we will call you back tonight at seven. Goodbye.",
        ended: GOODBYE,
        lead: 40,
        agent: 7,
        told: &["call back", "tonight at seven"],
    },
    Judged {
        title: "only looks around",
        lines: "A: Hello, this is Kai of Acme. How can I help?
                C: I'm just looking, how much do you charge for windows?
                A: That depends. May I have your name?
                C: No, I'm not sure yet. I'll think about it.
                A: Of course. Goodbye.
                C: Thanks, bye.",
        ended: GOODBYE,
        lead: 32,
        agent: 6,
        told: &["the price"],
    },
    Judged {
        title: "too expensive",
        lines: "A: Hello, this is Kai of Acme. How can I help?
                C: What do you charge for cleaning? I need my carpets done.
                A: It is two hundred dollars.
                C: That's too expensive. I can't afford that.
                A: I understand. Goodbye.
                C: Bye.",
        ended: GOODBYE,
        lead: 27,
        agent: 6,
        told: &["carpets", "price too high"],
    },
    Judged {
        title: "asks about the hours only",
        lines: "A: Hello, this is Kai of Acme. How can I help?
                C: What are your opening hours on Saturday?
                A: I don't know that.
                C: Okay.",
        ended: HUNG_UP,
        lead: 30,
        agent: 3,
        told: &["opening hours"],
    },
    Judged {
        title: "has somebody already",
        lines: "A: Hello, this is Kai of Acme about your request. Do you still need a roof?
                C: No, we already hired another company, they fixed it.
                A: I understand, thank you for telling us. Goodbye.
                C: Thank you, bye.",
        ended: GOODBYE,
        lead: 10,
        agent: 7,
        told: &["have somebody for it"],
    },
    Judged {
        title: "not interested",
        lines: "A: Hello, this is Kai of Acme. Do you need windows?
                C: No, I'm not interested.
                A: Of course, thank you. Goodbye.",
        ended: GOODBYE,
        lead: 8,
        agent: 6,
        told: &["not interested"],
    },
    Judged {
        title: "angry, wants a manager, ignored",
        lines: "A: Hello, this is Kai. How can I help?
                C: Your technician was supposed to come yesterday and nobody showed up. I want to speak to a manager.
                A: May I have your email address?
                C! This is ridiculous. I told you, a manager.
                A: May I have your email address?
                C: Forget it.",
        ended: HUNG_UP,
        lead: 14,
        agent: 1,
        told: &["technician", "nobody showed up", "upset", "speak to a person", "have a person call"],
    },
    Judged {
        title: "angry, met with sympathy, call back agreed",
        lines: "A: Thank you for calling Acme, this is Kai. How can I help?
                C: I'm Sam Hill. Nobody showed up yesterday, this is unacceptable. I need my boiler repaired.
                A: I'm very sorry, Sam, I understand. Shall I have somebody call you today at four?
                C: Yes, please do that.
                A: Somebody will call you today at four. I'm sorry again. Goodbye.
                C: Thank you, bye.",
        ended: GOODBYE,
        lead: 45,
        agent: 8,
        told: &["Sam Hill", "boiler", "upset", "today at four"],
    },
    Judged {
        title: "asks not to be called",
        lines: "A: Hello, this is Kai of Acme. How are you today?
                C: Please take me off your list and don't call me again.
                A: I understand, you will not be called again. Goodbye.",
        ended: GOODBYE,
        lead: 0,
        agent: 7,
        told: &["not to be called again"],
    },
    Judged {
        title: "sells something",
        lines: "A: Thank you for calling Acme, this is Kai. How can I help?
                C: Hi, this is Josh. We offer business loans and I'd like to talk about your website.
                A: Thank you. What is your email address?
                C: josh at example dot com.
                A: Thank you. Goodbye.",
        ended: GOODBYE,
        lead: 15,
        agent: 6,
        told: &["Josh"],
    },
    Judged {
        title: "asked in circles until they leave",
        lines: "A: Hello, this is Kai. Is that right?
                C: Is what right? I need a plumber.
                A: I didn't get that. Is that right, yes or no?
                C! I need a plumber.
                A: I didn't get that. Is that right, yes or no?
                C! I already said it.
                A: I didn't get that. Is that right, yes or no?",
        ended: HUNG_UP,
        lead: 35,
        agent: 1,
        told: &["plumber"],
    },
    Judged {
        title: "divorce, wants to come in, unmoved agent",
        lines: "A: Hello. How can I help you?
                C: Hello, this is Linh Nguyen. I'd like to come in next Tuesday at ten in the morning about my divorce.
                A: What is your email address?
                C: tran at example dot com.
                A: What is your phone number?
                C: I'd rather not say.
                A: Goodbye.",
        ended: GOODBYE,
        lead: 62,
        agent: 4,
        told: &["Linh Nguyen", "divorce", "next Tuesday at ten", "confirm the appointment"],
    },
];

fn mark(analysis: &Analysis) -> f64 {
    let quality = analysis.quality.expect("a person spoke");
    let marks = [quality.professionalism, quality.empathy, quality.information_gathering, quality.resolution];
    marks.into_iter().map(f64::from).sum::<f64>() / 4.0
}

/// How well two orders agree, from -1 to 1: Spearman's coefficient, with equal values sharing their ranks.
fn agreement(ours: &[f64], theirs: &[f64]) -> f64 {
    let ranks = |values: &[f64]| -> Vec<f64> {
        let below = |value: f64| values.iter().filter(|other| **other < value).count();
        let equal = |value: f64| values.iter().filter(|other| (**other - value).abs() < f64::EPSILON).count();
        let rank = |&value: &f64| {
            f64::from(u32::try_from(2 * below(value) + equal(value)).expect("a small number")) / 2.0
        };
        values.iter().map(rank).collect()
    };
    let (ours, theirs) = (ranks(ours), ranks(theirs));
    let mean =
        |values: &[f64]| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).expect("few"));
    let (our_mean, their_mean) = (mean(&ours), mean(&theirs));
    let product: f64 = ours.iter().zip(&theirs).map(|(a, b)| (a - our_mean) * (b - their_mean)).sum();
    let spread =
        |values: &[f64], mean: f64| values.iter().map(|value| (value - mean).powi(2)).sum::<f64>().sqrt();
    product / (spread(&ours, our_mean) * spread(&theirs, their_mean))
}

fn table() -> Vec<(&'static Judged, Analysis)> {
    CONVERSATIONS.iter().map(|judged| (judged, analyse(&request(judged.lines, judged.ended)))).collect()
}

#[test]
fn scores_order_leads_as_a_person_does() {
    let table = table();
    let ours: Vec<f64> = table.iter().map(|(_, found)| found.lead_score.map_or(0.0, f64::from)).collect();
    let theirs: Vec<f64> = table.iter().map(|(judged, _)| judged.lead.into()).collect();
    let shown: Vec<String> = table
        .iter()
        .zip(&ours)
        .map(|((judged, _), ours)| format!("{ours:>3} {:>3} {}", judged.lead, judged.title))
        .collect();
    let agreement = agreement(&ours, &theirs);
    assert!(agreement > 0.93, "{agreement}\n{}", shown.join("\n"));
    for ((judged, _), ours) in table.iter().zip(&ours) {
        assert!((ours - f64::from(judged.lead)).abs() <= 20.0, "{}\n{}", judged.title, shown.join("\n"));
    }
    let most = ours.iter().copied().fold(0.0, f64::max);
    assert!(most >= 90.0 && ours.contains(&0.0), "the whole range is used\n{}", shown.join("\n"));
}

#[test]
fn marks_order_agents_as_a_person_does() {
    let table = table();
    let ours: Vec<f64> = table.iter().map(|(_, found)| mark(found)).collect();
    let theirs: Vec<f64> = table.iter().map(|(judged, _)| judged.agent.into()).collect();
    let shown: Vec<String> = table
        .iter()
        .zip(&ours)
        .map(|((judged, found), ours)| {
            format!("{ours:>5.1} {:>2} {} {:?}", judged.agent, judged.title, found.quality)
        })
        .collect();
    let agreement = agreement(&ours, &theirs);
    assert!(agreement > 0.85, "{agreement}\n{}", shown.join("\n"));
    for ((judged, _), ours) in table.iter().zip(&ours) {
        match judged.agent {
            9.. => assert!(*ours >= 85.0, "{}\n{}", judged.title, shown.join("\n")),
            ..=3 => assert!(*ours <= 50.0, "{}\n{}", judged.title, shown.join("\n")),
            _ => {}
        }
    }
}

#[test]
fn summaries_tell_what_matters() {
    let mut missing = Vec::new();
    for (judged, found) in table() {
        assert_eq!(found.reached, Reached::Person, "{}", judged.title);
        for told in judged.told {
            if !found.summary.contains(told) {
                missing.push(format!("{}: {told:?} is not in {:?}", judged.title, found.summary));
            }
        }
        assert!(found.summary.chars().count() < 700, "{}", found.summary);
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
