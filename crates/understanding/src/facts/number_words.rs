//! The words of which spoken numbers are made, in English and Spanish.

/// What one word contributes to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Unit(u32),
    Teen(u32),
    Tens(u32),
    Hundreds(u32),
    Hundred,
    Thousand,
    Times(usize),
}

/// What this word contributes.
pub(crate) fn part(word: &str) -> Option<Part> {
    Some(match word {
        "zero" | "oh" | "o" | "nought" | "naught" | "cero" => Part::Unit(0),
        "one" | "uno" => Part::Unit(1),
        "two" | "dos" => Part::Unit(2),
        "three" | "tres" => Part::Unit(3),
        "four" | "cuatro" => Part::Unit(4),
        "five" | "cinco" => Part::Unit(5),
        "six" | "seis" => Part::Unit(6),
        "seven" | "siete" => Part::Unit(7),
        "eight" | "ocho" => Part::Unit(8),
        "nine" | "niner" | "nueve" => Part::Unit(9),
        "ten" | "diez" => Part::Teen(10),
        "eleven" => Part::Teen(11),
        "twelve" | "doce" => Part::Teen(12),
        "thirteen" | "trece" => Part::Teen(13),
        "fourteen" | "catorce" => Part::Teen(14),
        "fifteen" | "quince" => Part::Teen(15),
        "sixteen" | "dieciseis" => Part::Teen(16),
        "seventeen" | "diecisiete" => Part::Teen(17),
        "eighteen" | "dieciocho" => Part::Teen(18),
        "nineteen" | "diecinueve" => Part::Teen(19),
        "twenty" | "veinte" => Part::Tens(20),
        "veintiuno" | "veintiun" => Part::Teen(21),
        "veintidos" => Part::Teen(22),
        "veintitres" => Part::Teen(23),
        "veinticuatro" => Part::Teen(24),
        "veinticinco" => Part::Teen(25),
        "veintiseis" => Part::Teen(26),
        "veintisiete" => Part::Teen(27),
        "veintiocho" => Part::Teen(28),
        "veintinueve" => Part::Teen(29),
        "thirty" | "treinta" => Part::Tens(30),
        "forty" | "fourty" | "cuarenta" => Part::Tens(40),
        "fifty" | "cincuenta" => Part::Tens(50),
        "sixty" | "sesenta" => Part::Tens(60),
        "seventy" | "setenta" => Part::Tens(70),
        "eighty" | "ochenta" => Part::Tens(80),
        "ninety" | "noventa" => Part::Tens(90),
        "hundred" => Part::Hundred,
        "cien" | "ciento" => Part::Hundreds(100),
        "doscientos" => Part::Hundreds(200),
        "trescientos" => Part::Hundreds(300),
        "cuatrocientos" => Part::Hundreds(400),
        "quinientos" => Part::Hundreds(500),
        "seiscientos" => Part::Hundreds(600),
        "setecientos" => Part::Hundreds(700),
        "ochocientos" => Part::Hundreds(800),
        "novecientos" => Part::Hundreds(900),
        "thousand" | "mil" => Part::Thousand,
        "double" | "doble" => Part::Times(2),
        "triple" | "treble" => Part::Times(3),
        "quadruple" => Part::Times(4),
        _ => return None,
    })
}

/// True if the word can stand in a spoken number.
pub(crate) fn is_number_word(plain: &str) -> bool {
    part(plain).is_some() || (!plain.is_empty() && plain.chars().all(|c| c.is_ascii_digit()))
}
