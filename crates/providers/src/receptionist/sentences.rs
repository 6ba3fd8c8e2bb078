//! Everything that the receptionist says, one table per language. A language is complete when its table is.
//!
//! Each list holds wordings of the same thing: the next one is taken each time, so that nobody hears a sentence twice running. What stands
//! in braces is filled in. The policy recognises its own questions in the chat by these wordings.

use understanding::Language;

/// Wordings of one thing.
pub(super) type Wordings = &'static [&'static str];

/// The sentences of one language.
#[derive(Debug)]
pub(super) struct Sentences {
    // Questions
    pub(super) ask_reason: Wordings,
    pub(super) ask_topic: Wordings,
    pub(super) ask_name: Wordings,
    pub(super) ask_email: Wordings,
    pub(super) ask_phone: Wordings,
    pub(super) ask_time: Wordings,
    pub(super) ask_better_time: Wordings,
    /// To somebody who is not the person who was called.
    pub(super) ask_for: Wordings,
    /// When somebody else can be reached, with their name or without.
    pub(super) ask_when_there: Wordings,
    pub(super) ask_when_they_are_there: Wordings,
    pub(super) ask_more: Wordings,
    // Taking note
    pub(super) thanks: Wordings,
    pub(super) thanks_name: Wordings,
    pub(super) understood: Wordings,
    pub(super) noted_email: Wordings,
    pub(super) noted_phone: Wordings,
    pub(super) noted_time: Wordings,
    pub(super) noted_more: Wordings,
    pub(super) corrected: Wordings,
    pub(super) all_right: Wordings,
    pub(super) missed: Wordings,
    pub(super) go_on: Wordings,
    /// To somebody who agrees to be asked and does not answer: what they want, or something to be written down.
    pub(super) tell_reason: Wordings,
    pub(super) tell_value: Wordings,
    pub(super) take_your_time: Wordings,
    pub(super) of_course: Wordings,
    /// To somebody who asks whether anybody is there.
    pub(super) here: Wordings,
    pub(super) sum_topic: &'static str,
    pub(super) fine_thanks: Wordings,
    // About the call
    pub(super) introduction: Wordings,
    /// The agent's own name, if the first message gave one, and that it has none.
    pub(super) own_name: Wordings,
    pub(super) no_name: Wordings,
    /// The caller's name, if they ask whether it is known.
    pub(super) your_name: Wordings,
    pub(super) topic: Wordings,
    pub(super) note: Wordings,
    pub(super) no_topic: Wordings,
    /// To somebody who answers for another.
    pub(super) private_topic: Wordings,
    pub(super) robot: Wordings,
    pub(super) recorded: Wordings,
    pub(super) is_recorded: Wordings,
    pub(super) not_recorded: Wordings,
    pub(super) source_outbound: Wordings,
    pub(super) source_inbound: Wordings,
    pub(super) other_note: Wordings,
    pub(super) unknown: Wordings,
    pub(super) will_ask: Wordings,
    pub(super) our_number: Wordings,
    pub(super) tell_them: Wordings,
    pub(super) tell_them_number: Wordings,
    pub(super) child: Wordings,
    pub(super) when: Wordings,
    pub(super) said_before: Wordings,
    // Feelings
    pub(super) person: Wordings,
    pub(super) put_through: Wordings,
    pub(super) condolence: Wordings,
    /// The person who was called has died.
    pub(super) died: Wordings,
    pub(super) anger: Wordings,
    pub(super) urgent: Wordings,
    // Summing up
    pub(super) sum_up: &'static str,
    pub(super) sum_name: &'static str,
    pub(super) sum_email: &'static str,
    pub(super) sum_phone: &'static str,
    pub(super) sum_time: &'static str,
    pub(super) sum_reason: &'static str,
    pub(super) will_call: Wordings,
    // Ends
    pub(super) farewell: Wordings,
    pub(super) farewell_name: Wordings,
    pub(super) farewell_again: Wordings,
    pub(super) wrong_person: Wordings,
    /// To somebody who called us by mistake.
    pub(super) misdialled: Wordings,
    pub(super) later: Wordings,
    pub(super) later_at: Wordings,
    pub(super) not_interested: Wordings,
    pub(super) emergency: Wordings,
    /// What signs of an address are called: `@`, `.`, `_`, `-`, `+`.
    pub(super) signs: [&'static str; 5],
    pub(super) our_office: &'static str,
}

/// The table of a language; English where there is none.
pub(super) fn of(language: Language) -> &'static Sentences {
    match language {
        Language::Spanish => &SPANISH,
        Language::English | Language::French | Language::German => &ENGLISH,
    }
}

pub(super) const ALL: [&Sentences; 2] = [&ENGLISH, &SPANISH];

static ENGLISH: Sentences = Sentences {
    ask_reason: &[
        "What can we help you with today?",
        "In a few words, what can we help you with?",
        "Could you tell me what we can help you with?",
    ],
    ask_topic: &["How can we help you with that?", "What can we help you with there?"],
    ask_name: &["May I have your full name, please?", "And your full name, please?"],
    ask_email: &[
        "What is the best email address to reach you?",
        "Could you spell your email address for me?",
    ],
    ask_phone: &["What is the best phone number to reach you?", "Which phone number may we call you at?"],
    ask_time: &[
        "What time of day suits you best for a call?",
        "What would be a good day and time to call you?",
    ],
    ask_better_time: &["When would be a better time to call?", "What other time would suit you?"],
    ask_for: &["Could I speak with {name}, please?", "I'm calling for {name}; may I speak with them?"],
    ask_when_there: &[
        "When would be a good time to reach {name}?",
        "What would be a better time to reach {name}?",
    ],
    ask_when_they_are_there: &[
        "When would be a good time to reach them?",
        "What would be a better time to reach them?",
    ],
    ask_more: &[
        "Is there anything else I can do for you?",
        "Do you need anything else?",
        "Can I help you with anything else?",
        "Is there anything else you would like me to note?",
    ],
    thanks: &["Thank you.", "Thanks.", "Good."],
    thanks_name: &["Thank you, {name}.", "Thanks, {name}."],
    understood: &["I understand.", "All right, I see.", "Okay, I have that."],
    noted_email: &["Thank you, I have noted {value}.", "Thanks, so that is {value}."],
    noted_phone: &["Thank you, I have noted {value}.", "Thanks, the number is {value}."],
    noted_time: &["Very good, {value}.", "All right, {value}."],
    noted_more: &["I'll pass that on as well.", "I have added that.", "That goes into the message too."],
    corrected: &["Thank you, I have changed that to {value}.", "Sorry about that, it is {value} now."],
    all_right: &["That's all right.", "No problem at all.", "That's fine."],
    missed: &[
        "I'm sorry, I didn't get that.",
        "Sorry, I didn't quite catch that.",
        "Forgive me, I missed that.",
    ],
    go_on: &["Please go on.", "I'm listening.", "Yes, tell me."],
    tell_reason: &["Please go ahead, tell me what it is about."],
    tell_value: &["I'm ready to write it down."],
    of_course: &["Of course.", "Sure, once more."],
    here: &["Yes, I can hear you.", "Yes, I'm here."],
    sum_topic: "this is about {value}",
    take_your_time: &["Of course, take your time.", "Sure, I'll wait."],
    fine_thanks: &["I'm well, thank you.", "Very well, thanks for asking."],
    introduction: &[
        "This is the AI assistant of {business}.",
        "You are talking with the AI assistant of {business}.",
    ],
    own_name: &[
        "My name is {name}, and I'm the AI assistant of {business}.",
        "I'm {name}, the AI assistant of {business}.",
    ],
    no_name: &[
        "I have no name of my own; I'm the AI assistant of {business}.",
        "As an AI assistant I have no name; I answer for {business}.",
    ],
    your_name: &["I have your name as {name}.", "Your name is down here as {name}."],
    topic: &["I'm calling about {topic}.", "The call is about {topic}."],
    note: &["I'm calling with this note: {topic}", "The note for this call says: {topic}"],
    no_topic: &[
        "I don't know more about the reason of this call than that {business} wanted to talk with you.",
        "I can't see a more exact reason here.",
    ],
    private_topic: &[
        "It's about a request that we got, and I would like to talk about it in person.",
        "I can only say that it's about a request to {business}.",
    ],
    robot: &[
        "Yes, I'm an AI assistant of {business}, not a person.",
        "Yes, I'm an AI assistant, and I take notes for the people at {business}.",
    ],
    recorded: &[
        "What we say is written down for {business}, and the call may be recorded.",
        "Yes, {business} gets a written record of this call, and there may be a recording too.",
    ],
    is_recorded: &[
        "Yes, it is recorded, and {business} also gets it in writing.",
        "Yes, there is a recording of this call for {business}.",
    ],
    not_recorded: &[
        "No recording of this call is kept; {business} only gets a written record of it.",
        "It isn't recorded, but what we say is written down for {business}.",
    ],
    source_outbound: &[
        "Your number is in the records of {business}; I can't see how it got there, but somebody can look that up and tell you.",
        "All I see is that {business} has your number on file; somebody there can tell you where it came from.",
    ],
    source_inbound: &[
        "You called us, so I see nothing but the number that you are calling from, if your phone shows it.",
        "I have no number of yours except the one that your phone shows.",
    ],
    other_note: &["I'm calling for {business}.", "The call is from {business}."],
    will_ask: &["I'll pass that on to {business}.", "I'll ask somebody from {business} to do that."],
    our_number: &["Our number is {value}.", "You can reach us at {value}."],
    tell_them: &[
        "Thank you. Please tell them that {business} called, and that we will try again. Goodbye.",
        "That's kind, thank you. Please say that {business} called. Goodbye.",
    ],
    tell_them_number: &[
        "Thank you. Please tell them that {business} called; our number is {value}. Have a good day, goodbye.",
        "That's kind, thank you. The number of {business} is {value}. Goodbye.",
    ],
    child: &[
        "All right. Please tell your parents that {business} called. Thank you, goodbye.",
        "Okay, thank you. We'll call again when a grown-up is there. Goodbye.",
    ],
    unknown: &[
        "I don't know that, but somebody from {business} will call you back about it.",
        "That I can't say myself; I'll note the question for {business}.",
        "I'm not sure about that, so I'll have somebody from {business} answer it.",
    ],
    when: &[
        "I can't promise a time, but I'll note when it suits you.",
        "I can't see when exactly, but I'll pass on that you are waiting.",
    ],
    said_before: &["As I said: {value}", "Once more: {value}"],
    person: &[
        "I can't put you through myself, but I'll have a person from {business} call you back.",
        "A person from {business} will call you; I have passed that on.",
        "Yes, a person will call you back.",
    ],
    put_through: &[
        "Of course, one moment, I'll put you through to somebody from {business}.",
        "Sure, I'm putting you through to {business} now.",
    ],
    condolence: &["I'm very sorry for your loss.", "I'm so sorry; that is very hard."],
    died: &[
        "I'm very sorry for your loss, and I apologise for this call. I'll pass on that our records must be corrected. Goodbye.",
        "I'm so sorry. You won't be troubled about this again. Goodbye.",
    ],
    anger: &[
        "I'm sorry about this, and I can hear that you are upset.",
        "I understand that this is frustrating, and I apologise.",
    ],
    urgent: &["I have put down that this is urgent.", "It says here that this is urgent."],
    sum_up: "So I have it right:",
    sum_name: "your name is {value}",
    sum_email: "your email is {value}",
    sum_phone: "your number is {value}",
    sum_time: "the best time to call is {value}",
    sum_reason: "I have your message down",
    will_call: &["Somebody from {business} will get back to you.", "You will hear from {business}."],
    farewell: &["Thank you for your time. Goodbye.", "Thank you for the call, and goodbye."],
    farewell_name: &["Thank you for your time, {name}. Goodbye.", "Thank you, {name}, and goodbye."],
    farewell_again: &["All the best, goodbye.", "Thanks again, goodbye.", "Take care, goodbye."],
    wrong_person: &[
        "I'm sorry, I have the wrong person. Please excuse the call, and have a good day. Goodbye.",
        "My apologies for the mix-up. Goodbye.",
    ],
    misdialled: &["That's no trouble at all. Have a good day, goodbye.", "No harm done. Take care, goodbye."],
    later: &[
        "Of course, I won't keep you. We will try again another time. Goodbye.",
        "All right, another time then. Goodbye.",
    ],
    later_at: &[
        "Thank you, I have noted {value}. Goodbye.",
        "Very good, we'll note {value} for the call. Goodbye.",
    ],
    not_interested: &[
        "That's all right, thank you for telling me. Goodbye.",
        "I understand, and I won't keep you. Goodbye.",
    ],
    emergency: &[
        "If somebody is in danger, please hang up and dial {number} right now. I'm ending this call so that your line is free. Goodbye.",
        "Please dial {number} now. I'm hanging up so that you can. Goodbye.",
    ],
    signs: ["at", "dot", "underscore", "dash", "plus"],
    our_office: "our office",
};

static SPANISH: Sentences = Sentences {
    ask_reason: &[
        "¿En qué le podemos ayudar hoy?",
        "En pocas palabras, ¿en qué le podemos ayudar?",
        "¿Me puede decir en qué le podemos ayudar?",
    ],
    ask_topic: &["¿Cómo le podemos ayudar con eso?", "¿En qué le ayudamos con ese asunto?"],
    ask_name: &["¿Me puede dar su nombre completo, por favor?", "¿Y cuál es su nombre completo?"],
    ask_email: &["¿Cuál es su correo electrónico?", "¿Me puede deletrear su correo electrónico?"],
    ask_phone: &["¿Cuál es el mejor número de teléfono para llamarle?", "¿A qué teléfono le podemos llamar?"],
    ask_time: &["¿A qué hora le viene mejor una llamada?", "¿Qué día y a qué hora le podemos llamar?"],
    ask_better_time: &["¿Cuándo sería mejor momento para llamarle?", "¿Qué otra hora le viene bien?"],
    ask_for: &["¿Podría hablar con {name}, por favor?", "Llamo para {name}; ¿me puede comunicar?"],
    ask_when_there: &[
        "¿A qué hora se encuentra {name}?",
        "¿Cuándo sería buen momento para hablar con {name}?",
    ],
    ask_when_they_are_there: &[
        "¿A qué hora se encuentra esa persona?",
        "¿Cuándo sería buen momento para hablar con esa persona?",
    ],
    ask_more: &[
        "¿Hay algo más en lo que le pueda ayudar?",
        "¿Necesita algo más?",
        "¿Le ayudo con algo más?",
        "¿Desea que anote algo más?",
    ],
    thanks: &["Gracias.", "Muchas gracias.", "Muy bien."],
    thanks_name: &["Gracias, {name}.", "Muchas gracias, {name}."],
    understood: &["Entiendo.", "De acuerdo, comprendo.", "Muy bien, lo tengo."],
    noted_email: &["Gracias, he anotado {value}.", "Muy bien, entonces es {value}."],
    noted_phone: &["Gracias, he anotado {value}.", "Muy bien, el número es {value}."],
    noted_time: &["Muy bien, {value}.", "De acuerdo, {value}."],
    noted_more: &["También lo voy a anotar.", "Lo he añadido.", "Eso también va en el mensaje."],
    corrected: &["Gracias, lo he cambiado a {value}.", "Disculpe, ahora dice {value}."],
    all_right: &["No hay problema.", "Está bien.", "No se preocupe."],
    missed: &["Perdón, no le entendí.", "Disculpe, no lo escuché bien.", "Perdone, se me escapó eso."],
    go_on: &["Siga, por favor.", "Le escucho.", "Sí, dígame."],
    tell_reason: &["Adelante, cuénteme de qué se trata."],
    tell_value: &["Dígame, lo voy anotando."],
    of_course: &["Claro.", "Sí, otra vez."],
    here: &["Sí, le escucho.", "Sí, aquí estoy."],
    sum_topic: "se trata de {value}",
    take_your_time: &["Claro, tómese su tiempo.", "Por supuesto, aquí espero."],
    fine_thanks: &["Muy bien, gracias.", "Bien, gracias por preguntar."],
    introduction: &[
        "Soy el asistente de inteligencia artificial de {business}, y hablo español.",
        "Habla con el asistente de inteligencia artificial de {business}.",
    ],
    own_name: &[
        "Me llamo {name} y soy el asistente de inteligencia artificial de {business}.",
        "Soy {name}, el asistente de inteligencia artificial de {business}.",
    ],
    no_name: &[
        "No tengo nombre propio; soy el asistente de inteligencia artificial de {business}.",
        "Como asistente de inteligencia artificial no tengo nombre; contesto por {business}.",
    ],
    your_name: &["Tengo su nombre como {name}.", "Aquí su nombre es {name}."],
    topic: &["Le llamo por lo siguiente: {topic}.", "La llamada es por esto: {topic}."],
    note: &["Le llamo con esta nota: {topic}", "La nota de esta llamada dice: {topic}"],
    no_topic: &[
        "No sé más del motivo de esta llamada que esto: {business} quería hablar con usted.",
        "Aquí no veo un motivo más exacto.",
    ],
    private_topic: &[
        "Es por una solicitud que recibimos, y quisiera hablarlo en persona.",
        "Solo puedo decirle que es por una solicitud a {business}.",
    ],
    robot: &[
        "Sí, soy un asistente de inteligencia artificial de {business}, no una persona.",
        "Sí, soy una inteligencia artificial y tomo nota para la gente de {business}.",
    ],
    recorded: &[
        "Lo que hablamos queda por escrito para {business}, y es posible que la llamada se grabe.",
        "Sí, {business} recibe un registro escrito de esta llamada, y puede haber también una grabación.",
    ],
    is_recorded: &[
        "Sí, se está grabando, y {business} la recibe también por escrito.",
        "Sí, hay una grabación de esta llamada para {business}.",
    ],
    not_recorded: &[
        "No se guarda ninguna grabación de esta llamada; {business} solo la recibe por escrito.",
        "No se graba, pero lo que hablamos queda por escrito para {business}.",
    ],
    source_outbound: &[
        "Su número está en los registros de {business}; no veo cómo llegó ahí, pero alguien lo puede averiguar y decírselo.",
        "Solo veo que {business} tiene su número; alguien de allí le puede decir de dónde viene.",
    ],
    source_inbound: &[
        "Usted nos llamó, así que solo veo el número desde el que llama, si su teléfono lo muestra.",
        "No tengo más número suyo que el que muestra su teléfono.",
    ],
    other_note: &["Le llamo de parte de {business}.", "La llamada es de {business}."],
    will_ask: &["Se lo paso a {business}.", "Le pediré a alguien de {business} que lo haga."],
    our_number: &["Nuestro número es {value}.", "Nos puede llamar al {value}."],
    tell_them: &[
        "Gracias. Dígale, por favor, que llamó {business} y que volveremos a llamar. Adiós.",
        "Muy amable, gracias. Dígale, por favor, que llamó {business}. Adiós.",
    ],
    tell_them_number: &[
        "Gracias. Dígale, por favor, que llamó {business}; nuestro número es {value}. Que tenga buen día, adiós.",
        "Muy amable, gracias. El número de {business} es {value}. Adiós.",
    ],
    child: &[
        "Está bien. Dile a tus papás que llamó {business}, por favor. Gracias, adiós.",
        "Bueno, gracias. Llamaremos otra vez cuando haya un adulto. Adiós.",
    ],
    unknown: &[
        "Eso no lo sé, pero alguien de {business} le llamará para decírselo.",
        "Yo no se lo puedo decir; anoto la pregunta para {business}.",
        "No estoy seguro, así que alguien de {business} se lo contestará.",
    ],
    when: &[
        "No puedo prometer una hora, pero anoto cuándo le viene bien.",
        "No veo cuándo exactamente, pero aviso de que está esperando.",
    ],
    said_before: &["Como le dije: {value}", "Una vez más: {value}"],
    person: &[
        "Yo no le puedo comunicar, pero haré que una persona de {business} le llame.",
        "Una persona de {business} le llamará; ya lo he avisado.",
        "Sí, le llamará una persona.",
    ],
    put_through: &[
        "Claro, un momento, le comunico con alguien de {business}.",
        "Por supuesto, ahora mismo le paso con {business}.",
    ],
    condolence: &["Lamento mucho su pérdida.", "Lo siento muchísimo; es muy duro."],
    died: &[
        "Siento mucho su pérdida y le pido disculpas por la llamada. Avisaré para que se corrijan los datos. Adiós.",
        "Lo siento muchísimo. No le molestaremos más con esto. Adiós.",
    ],
    anger: &[
        "Lamento mucho lo ocurrido, y entiendo su molestia.",
        "Entiendo que es frustrante, y le pido disculpas.",
    ],
    urgent: &["He anotado que es urgente.", "Aquí consta que es urgente."],
    sum_up: "Le resumo:",
    sum_name: "su nombre es {value}",
    sum_email: "su correo es {value}",
    sum_phone: "su número es {value}",
    sum_time: "la mejor hora para llamarle es {value}",
    sum_reason: "su mensaje está anotado",
    will_call: &["Alguien de {business} se pondrá en contacto con usted.", "{business} le responderá."],
    farewell: &["Gracias por su tiempo. Adiós.", "Gracias por la llamada, adiós."],
    farewell_name: &["Gracias por su tiempo, {name}. Adiós.", "Gracias, {name}, y adiós."],
    farewell_again: &["Que le vaya bien, adiós.", "Gracias de nuevo, adiós.", "Cuídese, adiós."],
    wrong_person: &[
        "Perdone, me he equivocado de persona. Disculpe la molestia y que tenga buen día. Adiós.",
        "Disculpe la confusión. Adiós.",
    ],
    misdialled: &["No es molestia. Que tenga buen día, adiós.", "No pasa nada. Cuídese, adiós."],
    later: &[
        "Claro, no le entretengo. Lo intentaremos en otro momento. Adiós.",
        "De acuerdo, será otro día. Adiós.",
    ],
    later_at: &["Gracias, he anotado {value}. Adiós.", "Muy bien, apuntamos {value} para la llamada. Adiós."],
    not_interested: &["Está bien, gracias por decírmelo. Adiós.", "Entiendo, no le quito más tiempo. Adiós."],
    emergency: &[
        "Si alguien está en peligro, cuelgue y marque {number} ahora mismo. Termino esta llamada para que su línea quede libre. Adiós.",
        "Marque {number} ahora. Cuelgo para que pueda llamar. Adiós.",
    ],
    signs: ["arroba", "punto", "guion bajo", "guion", "más"],
    our_office: "nuestra oficina",
};

/// A wording with what its braces stand for.
pub(super) fn filled(wording: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(wording.len() + 40);
    let mut rest = wording;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        text.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_as_they_are() {
        assert_eq!(filled("Thank you, {name}.", &[("name", "{value}")]), "Thank you, {value}.");
        assert_eq!(filled("No braces", &[]), "No braces");
    }
}
