//! Summaries in Spanish.

use speech::LeadFacts;

use super::told::in_spanish as told;
use super::words::Words;
use crate::analyst::account::{Account, Next, Refused, Sign, Step, Topic};

pub(super) struct Spanish;

impl Words for Spanish {
    fn language(&self) -> Option<&'static str> {
        Some("La llamada fue en español")
    }

    fn and(&self) -> &'static str {
        "y"
    }

    fn somebody(&self) -> &'static str {
        "Quien llamó"
    }

    fn voicemail(&self, message_left: bool) -> &'static str {
        if message_left {
            "Contestó un buzón de voz, y el agente dejó un mensaje."
        } else {
            "Contestó un buzón de voz. No se dejó ningún mensaje."
        }
    }

    fn not_in_service(&self) -> &'static str {
        "Una grabación dijo que el número no está en servicio. No se habló con nadie."
    }

    fn machine(&self) -> &'static str {
        "Contestó una grabación o un sistema automático. No se habló con nadie."
    }

    fn silence(&self) -> &'static str {
        "Contestaron, pero nadie habló."
    }

    fn somebody_else(&self, called: Option<&str>) -> String {
        let called = called.unwrap_or("la persona a quien se llamaba");
        format!("Contestó otra persona, y no se habló con {called}")
    }

    fn wrong_number(&self, called: Option<&str>) -> String {
        called.map_or_else(
            || "El número es equivocado: quien contestó no es la persona a quien se llamaba.".to_owned(),
            |called| format!("El número es equivocado: quien contestó no es {called}."),
        )
    }

    fn has_died(&self, called: Option<&str>) -> String {
        let called = called.unwrap_or("la persona a quien se llamaba");
        format!(
            "Contestó otra persona y dijo que {called} ha fallecido. Pendiente: corregir los datos y no volver a llamar."
        )
    }

    fn they_said(&self, sentence: &str) -> String {
        format!("Quien contestó {}", told(sentence))
    }

    fn opted_out(&self, who: &str) -> String {
        format!("{who} pidió que no se le vuelva a llamar, y se le aseguró que así será")
    }

    fn answered_for(&self, called: &str, spoke: &str) -> String {
        format!("La llamada era para {called}; contestó {spoke}")
    }

    fn emergency(&self) -> &'static str {
        "Era una emergencia, y el agente dio el número que hay que marcar"
    }

    fn named_no_concern(&self, who: &str) -> String {
        format!("{who} habló con el agente, pero no dijo qué quería")
    }

    fn talked(&self, who: &str) -> String {
        format!("{who} habló con el agente")
    }

    fn wanted(&self, who: &str, sentence: &str) -> String {
        format!("{who} {}", told(sentence))
    }

    fn also(&self, sentence: &str) -> String {
        format!("También {}", told(sentence))
    }

    fn topic(&self, topic: Topic) -> &'static str {
        match topic {
            Topic::Price => "el precio",
            Topic::Address => "la dirección",
            Topic::Hours => "el horario",
            Topic::Availability => "los horarios disponibles",
            Topic::Payment => "las formas de pago",
            Topic::Insurance => "el seguro",
            Topic::Parking => "el estacionamiento",
            Topic::Recording => "si se graba la llamada",
            Topic::Origin => "de dónde viene su número",
        }
    }

    fn asked_about(&self, topics: &str) -> String {
        format!("Preguntó por {topics}")
    }

    fn upset(&self) -> &'static str {
        "mostró enojo"
    }

    fn wants_a_person(&self) -> &'static str {
        "pidió hablar con una persona"
    }

    fn urgent(&self) -> &'static str {
        "es urgente"
    }

    fn next(&self, next: &Next) -> String {
        let when =
            next.when.as_deref().map_or_else(String::new, |when| format!(" ({})", when.to_lowercase()));
        match (next.step, next.agreed) {
            (Step::Appointment, true) => format!("Se acordó una cita{when}"),
            (Step::Appointment, false) => format!("Pidió una cita{when}, que no se confirmó"),
            (Step::CallBack, true) => format!("Se acordó devolverle la llamada{when}"),
            (Step::CallBack, false) => format!("Pidió que se le devuelva la llamada{when}"),
            (Step::Send, true) => format!("Se acordó enviarle lo que pidió{when}"),
            (Step::Send, false) => format!("Pidió que se le envíe algo{when}"),
            (Step::PutThrough, true) => "Se acordó pasarle con una persona".to_owned(),
            (Step::PutThrough, false) => "Pidió que se le pase con una persona".to_owned(),
        }
    }

    fn refused(&self, what: Refused) -> &'static str {
        match what {
            Refused::Name => "No quiso dar su nombre",
            Refused::Email => "No quiso dar un correo electrónico",
            Refused::Phone => "No quiso dar un número de teléfono",
            Refused::Offer => "No tuvo interés",
            Refused::HasSomebody => "Ya tiene a alguien para eso",
            Refused::TooExpensive => "Le pareció demasiado caro",
        }
    }

    fn email(&self, email: &str) -> String {
        format!("el correo {email}")
    }

    fn phone(&self, phone: &str) -> String {
        format!("el teléfono {phone}")
    }

    fn left(&self, what: &str) -> String {
        format!("Dejó {what}")
    }

    fn open(&self, question: &str) -> String {
        format!("Falta responder: «{question}»")
    }

    fn to_do(&self, account: &Account, lead: &LeadFacts) -> Option<String> {
        let next = account.next.as_ref();
        let when = next
            .and_then(|next| next.when.as_deref())
            .map_or_else(String::new, |when| format!(" ({})", when.to_lowercase()));
        Some(match next.map(|next| (next.step, next.agreed)) {
            Some((Step::CallBack, _)) if account.is_lost() && when.is_empty() => return None,
            Some((Step::CallBack, _)) => {
                let number = lead.phone.as_ref().map_or_else(String::new, |phone| format!(" al {phone}"));
                let who = if account.shows(Sign::WantsAPerson) {
                    "que una persona le llame"
                } else {
                    "devolverle la llamada"
                };
                format!("Pendiente: {who}{when}{number}")
            }
            Some((Step::Send, _)) => format!("Pendiente: enviárselo{when}"),
            Some((Step::Appointment, false)) => format!("Pendiente: confirmar la cita{when}"),
            Some((Step::Appointment, true) | (Step::PutThrough, _)) => return None,
            None if account.shows(Sign::WantsAPerson) || account.shows(Sign::Upset) => {
                "Pendiente: que una persona le llame".to_owned()
            }
            None if account.is_lost() || account.concerns.is_empty() => return None,
            None => "Pendiente: ponerse en contacto".to_owned(),
        })
    }

    fn ending(&self, reason: &str) -> Option<&'static str> {
        Some(match reason {
            "agent-said-goodbye" | "assistant-said-end-call-phrase" => "La llamada terminó con una despedida",
            "caller-hung-up" | "customer-ended-call" => "Quien llamó colgó",
            "silence" | "silence-timed-out" => "La llamada terminó tras un silencio",
            "max-duration" | "exceeded-max-duration" => "La llamada llegó a su límite de tiempo",
            "engine-lost" => "La llamada se cortó por una falla",
            _ => return None,
        })
    }
}
