//! Leads from a table that another program wrote: read, mapped to fields, tried, and written line by line.
//!
//! A line is matched by its phone number, and by its e-mail address where it has no number that can be read. A cell that holds something
//! replaces what the lead said; an empty cell changes nothing. So the same file read twice changes nothing the second time. A line that is
//! wrong is reported with its number and keeps no other line from being read.

use std::collections::HashMap;

use domain::lead::{LeadFields, Phone};
use domain::{Author, BusinessId, LeadId, Mode};
use store::{StoreError, Tenancy};

use super::{LeadError, create, update};
use crate::App;

/// The largest table, in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;

/// The most lines of a table, without the one that names its columns.
pub const MOST_LINES: usize = 2_000;

/// The most columns of a table.
const MOST_COLUMNS: usize = 60;

/// Why a text is no table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    #[error("the table is empty")]
    Empty,
    #[error("the table may have 1 MiB; split it")]
    TooLarge,
    #[error("the table may have {MOST_LINES} lines; split it")]
    TooManyLines,
    #[error("the first line names more than {MOST_COLUMNS} columns")]
    TooManyColumns,
    #[error("line {0} cannot be read as CSV")]
    Malformed(u64),
}

/// A table: what its columns are called, and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub columns: Vec<String>,
    pub lines: Vec<Line>,
}

/// A line of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it begins in the file; the first line of a file is 1.
    pub number: u64,
    pub cells: Vec<String>,
}

impl Sheet {
    /// Reads a table whose first line names its columns, with commas, semicolons or tabs between its cells.
    pub fn read(text: &str) -> Result<Self, SheetError> {
        if text.len() > MOST_BYTES {
            return Err(SheetError::TooLarge);
        }
        let text = text.trim_start_matches('\u{feff}');
        let head = text.lines().next().unwrap_or_default();
        let count = |wanted: u8| head.bytes().filter(|&byte| byte == wanted).count();
        let delimiter = [b',', b';', b'\t'].into_iter().rev().max_by_key(|&one| count(one)).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let columns: Vec<String> = match reader.headers() {
            Ok(head) => head.iter().map(str::to_owned).collect(),
            Err(error) => return Err(SheetError::Malformed(line_of(&error))),
        };
        if columns.iter().all(String::is_empty) {
            return Err(SheetError::Empty);
        }
        if columns.len() > MOST_COLUMNS {
            return Err(SheetError::TooManyColumns);
        }
        let mut lines = Vec::new();
        let mut counted = LineCount { text, number: 1, at: 0 };
        for record in reader.records() {
            let record = record.map_err(|error| SheetError::Malformed(line_of(&error)))?;
            if record.iter().all(str::is_empty) {
                continue;
            }
            if lines.len() == MOST_LINES {
                return Err(SheetError::TooManyLines);
            }
            let number = counted.of(record.position().map_or(0, csv::Position::byte));
            lines.push(Line { number, cells: record.iter().map(plain).collect() });
        }
        if lines.is_empty() { Err(SheetError::Empty) } else { Ok(Self { columns, lines }) }
    }
}

/// Counts lines from the beginning of a text. The reader's own count does not know blank lines and ends of lines of two bytes.
struct LineCount<'a> {
    text: &'a str,
    number: u64,
    at: usize,
}

impl LineCount<'_> {
    /// The line of the first thing at a place or behind it.
    fn of(&mut self, byte: u64) -> u64 {
        let bytes = self.text.as_bytes();
        let from = usize::try_from(byte).unwrap_or(bytes.len()).min(bytes.len());
        let blanks = bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let passed = self.text.get(self.at.min(from)..from + blanks).unwrap_or_default();
        let breaks = passed.matches('\n').count();
        (self.number, self.at) = (self.number + breaks as u64, from + blanks);
        self.number
    }
}

fn line_of(error: &csv::Error) -> u64 {
    error.position().map_or(1, csv::Position::line)
}

/// A cell without the quote that our own files put before what a spreadsheet would compute.
fn plain(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start().starts_with(['=', '+', '-', '@']) => rest.to_owned(),
        _ => cell.to_owned(),
    }
}

domain::word_enum! {
    /// A field of a lead that a column can hold.
    pub enum Field {
        /// The full name.
        Name = "name",
        /// The first name.
        FirstName = "first_name",
        /// The last name.
        LastName = "last_name",
        /// The phone number.
        Phone = "phone",
        /// The e-mail address.
        Email = "email",
        /// The status.
        Status = "status",
        /// What they want.
        Message = "message",
        /// Notes.
        Notes = "notes",
        /// Street and house.
        Address = "address",
        /// The city.
        City = "city",
        /// The state.
        State = "state",
        /// The postal code.
        Zip = "zip",
        /// Where they come from.
        Source = "source",
    }
}

impl Field {
    /// The field that a column of this name most likely holds.
    pub fn guess(column: &str) -> Option<Self> {
        let letters = column.chars().filter(|letter| letter.is_alphanumeric());
        let word = letters.flat_map(char::to_lowercase).collect::<String>();
        Some(match word.as_str() {
            "name" | "fullname" | "contact" | "contactname" | "leadname" => Self::Name,
            "firstname" | "givenname" | "first" | "vorname" | "nombre" | "prénom" => Self::FirstName,
            "lastname" | "surname" | "familyname" | "last" | "nachname" | "apellido" | "nom" => {
                Self::LastName
            }
            "phone" | "phonenumber" | "telephone" | "mobile" | "mobilephone" | "cell" | "tel" | "telefon"
            | "teléfono" | "number" => Self::Phone,
            "email" | "emailaddress" | "mail" | "correo" => Self::Email,
            "status" | "stage" | "leadstatus" => Self::Status,
            "message" | "request" | "inquiry" | "enquiry" | "intent" => Self::Message,
            "notes" | "note" | "comment" | "comments" | "description" => Self::Notes,
            "address" | "street" | "streetaddress" | "address1" => Self::Address,
            "city" | "town" | "ort" | "ciudad" => Self::City,
            "state" | "region" | "province" => Self::State,
            "zip" | "zipcode" | "postcode" | "postalcode" | "plz" => Self::Zip,
            "source" | "leadsource" | "origin" => Self::Source,
            _ => return None,
        })
    }

    /// How many characters it may have.
    const fn longest(self) -> usize {
        match self {
            Self::Name | Self::FirstName | Self::LastName => 200,
            Self::Phone | Self::City | Self::State => 100,
            Self::Email => 320,
            Self::Status | Self::Source => 50,
            Self::Zip => 20,
            Self::Address => 500,
            Self::Message | Self::Notes => 10_000,
        }
    }

    fn write(self, fields: &mut LeadFields, text: String, home: &str) {
        match self {
            Self::Name => {
                if fields.name.as_ref() != Some(&text) {
                    (fields.first_name, fields.last_name) = (None, None);
                }
                fields.name = Some(text);
            }
            Self::FirstName | Self::LastName => {
                let part =
                    if self == Self::FirstName { &mut fields.first_name } else { &mut fields.last_name };
                if part.as_ref() != Some(&text) {
                    fields.name = None;
                }
                *part = Some(text);
            }
            Self::Phone => fields.phone = Some(Phone::read(&text, home)),
            Self::Email => fields.email = Some(text),
            Self::Status => fields.status = text,
            Self::Message => fields.message = Some(text),
            Self::Notes => fields.notes = Some(text),
            Self::Address => fields.address = Some(text),
            Self::City => fields.city = Some(text),
            Self::State => fields.state = Some(text),
            Self::Zip => fields.zip = Some(text),
            Self::Source => fields.source = text,
        }
    }
}

/// Which field each column holds; a column without one is not read.
pub type Mapping = Vec<Option<Field>>;

/// The mapping that the names of the columns suggest. No field comes from two columns.
pub fn suggested(columns: &[String]) -> Mapping {
    let mut taken = Vec::new();
    columns
        .iter()
        .map(|column| {
            let field = Field::guess(column).filter(|field| !taken.contains(field))?;
            taken.push(field);
            Some(field)
        })
        .collect()
}

/// What becomes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    New,
    /// A lead that is known says something else then.
    Changed,
    /// A lead that is known says so already.
    Same,
    /// The line is not read; the words say why.
    Wrong(String),
}

/// A line and what becomes of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Where the line begins in the file.
    pub line: u64,
    /// What the person is called, or how they are reached.
    pub who: String,
    pub verdict: Verdict,
}

/// Whether a file is only tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Nothing is written.
    Try,
    Write,
}

/// Where leads go, and who brings them.
#[derive(Debug, Clone)]
pub struct Destination {
    pub business: BusinessId,
    pub mode: Mode,
    /// The calling code of the business's home country, to read phone numbers by.
    pub home: String,
    pub by: Author,
}

/// Reads leads from a table, or says what would come of it. Each line is a transaction of its own.
pub async fn run(
    app: &App,
    into: &Destination,
    sheet: &Sheet,
    mapping: &[Option<Field>],
    run: Run,
) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(sheet.lines.len());
    let mut seen: HashMap<String, u64> = HashMap::new();
    for line in &sheet.lines {
        let cells = cells(line, mapping);
        let mut fields =
            LeadFields { status: "new".into(), source: "import".into(), ..LeadFields::default() };
        let said = apply(&cells, &mut fields, &into.home);
        fields.complete_names();
        let verdict = match said.and_then(|()| alone(&fields, &mut seen, line.number)) {
            Err(why) => Verdict::Wrong(why),
            Ok(()) => one(app, into, cells, &fields, run).await?,
        };
        let phone = fields.phone.as_ref().map(|phone| phone.as_str().to_owned());
        let who = [fields.name, fields.email, phone].into_iter().flatten().next().unwrap_or_default();
        outcomes.push(Outcome { line: line.number, who, verdict });
    }
    Ok(outcomes)
}

/// The cells that hold something, by their fields.
fn cells(line: &Line, mapping: &[Option<Field>]) -> Vec<(Field, String)> {
    let both = mapping.iter().zip(&line.cells);
    both.filter_map(|(field, cell)| (!cell.is_empty()).then(|| Some(((*field)?, cell.clone()))).flatten())
        .collect()
}

fn apply(cells: &[(Field, String)], fields: &mut LeadFields, home: &str) -> Result<(), String> {
    for (field, text) in cells {
        if text.chars().count() > field.longest() {
            return Err(format!("{} is longer than {} characters", field.as_str(), field.longest()));
        }
        if text.contains(domain::text::is_harmful) {
            return Err(format!("{} holds characters that cannot be kept", field.as_str()));
        }
        if *field == Field::Email && !text.contains('@') {
            return Err("email is no e-mail address".to_owned());
        }
        field.write(fields, text.clone(), home);
    }
    if let Some(Phone::AsGiven(_)) = &fields.phone {
        return Err("phone is no number that can be called".to_owned());
    }
    if fields.identifies_somebody() {
        Ok(())
    } else {
        Err("there is neither a name nor a phone number nor an e-mail address".to_owned())
    }
}

/// The number or address by which a line is matched.
fn key(fields: &LeadFields) -> Option<String> {
    let phone = fields.phone.as_ref().and_then(Phone::valid).map(ToString::to_string);
    phone.or_else(|| fields.email.as_deref().map(str::to_lowercase))
}

/// Refuses a person who stands in the file twice: which of the lines is right, nobody can say.
fn alone(fields: &LeadFields, seen: &mut HashMap<String, u64>, line: u64) -> Result<(), String> {
    let key = key(fields).ok_or("there is neither a phone number nor an e-mail address to know them by")?;
    match seen.insert(key, line) {
        Some(first) => Err(format!("the same person stands in line {first}")),
        None => Ok(()),
    }
}

async fn one(
    app: &App,
    into: &Destination,
    cells: Vec<(Field, String)>,
    fields: &LeadFields,
    run: Run,
) -> Result<Verdict, StoreError> {
    let tenancy = Tenancy::one(into.business, into.mode);
    let Some(known) = known(app, &tenancy, fields).await? else {
        if run == Run::Write {
            let made = create(app, into.mode, into.business, fields.clone(), into.by.clone(), None).await;
            if let Err(error) = made {
                return refused(error);
            }
        }
        return Ok(Verdict::New);
    };
    let (id, before) = known;
    let mut after = before.clone();
    if let Err(why) = apply(&cells, &mut after, &into.home) {
        return Ok(Verdict::Wrong(why));
    }
    after.complete_names();
    if after == before {
        return Ok(Verdict::Same);
    }
    if run == Run::Write {
        let change = move |fields: &mut LeadFields, home: &str| {
            for (field, text) in cells {
                field.write(fields, text, home);
            }
        };
        if let Err(error) = update(app, &tenancy, id, into.by.clone(), change).await {
            return refused(error);
        }
    }
    Ok(Verdict::Changed)
}

async fn known(
    app: &App,
    tenancy: &Tenancy,
    fields: &LeadFields,
) -> Result<Option<(LeadId, LeadFields)>, StoreError> {
    let (phone, email) = (fields.phone.as_ref().and_then(Phone::valid).cloned(), fields.email.clone());
    let tenancy = tenancy.clone();
    let lead = app
        .platform()
        .read(move |tx| {
            Box::pin(async move {
                match (phone, email) {
                    (Some(phone), _) => store::leads::by_phone(tx, &tenancy, &phone).await,
                    (None, Some(email)) => store::leads::by_email(tx, &tenancy, &email).await,
                    (None, None) => Ok(None),
                }
            })
        })
        .await?;
    Ok(lead.map(|lead| (lead.id, lead.fields)))
}

fn refused(error: LeadError) -> Result<Verdict, StoreError> {
    match error {
        LeadError::Store(error) => Err(error),
        error => Ok(Verdict::Wrong(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(u64, Vec<String>)> {
        let sheet = Sheet::read(text).expect("a table");
        sheet.lines.into_iter().map(|line| (line.number, line.cells)).collect()
    }

    fn row(number: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (number, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn a_table_is_read_whatever_stands_between_its_cells() {
        let expected = [row(2, &["Ada", "+15125550100"]), row(4, &["Otto, jun.", "2"])];
        assert_eq!(lines("name,phone\r\nAda,+15125550100\r\n\r\n\"Otto, jun.\",2\r\n"), expected);
        assert_eq!(lines("\u{feff}name;phone\nAda;+15125550100\n;\nOtto, jun.;2"), expected);
        assert_eq!(
            lines("name\tphone\nAda\t '+15125550100 \n\nOtto, jun.\t2"),
            expected,
            "our own quote goes"
        );
        let breaks = lines("name,notes\n\"Ada\",\"two\nlines\"\nBob,\"a \"\"word\"\"\"\n");
        assert_eq!(breaks, [row(2, &["Ada", "two\nlines"]), row(4, &["Bob", "a \"word\""])]);
        assert_eq!(lines("name\n'tis me\n"), [row(2, &["'tis me"])], "other quotes stay");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for empty in ["", "\n\n", "name,phone\n", "name\n\n \n", ",,\n1,2,3\n"] {
            assert_eq!(Sheet::read(empty), Err(SheetError::Empty), "{empty:?}");
        }
        let long = format!("name\n{}", "x\n".repeat(MOST_LINES + 1));
        assert_eq!(Sheet::read(&long), Err(SheetError::TooManyLines));
        assert!(Sheet::read(&long[..long.len() - 2]).is_ok());
        assert_eq!(Sheet::read(&"x".repeat(MOST_BYTES + 1)), Err(SheetError::TooLarge));
        assert_eq!(Sheet::read(&format!("{}\nx", "c,".repeat(60))), Err(SheetError::TooManyColumns));
    }

    #[test]
    fn columns_are_known_by_their_names_and_no_field_comes_twice() {
        let columns = ["Full Name", "Phone Number", "E-Mail", "mobile", "Anything", "ZIP code", "Teléfono"];
        let columns: Vec<String> = columns.map(str::to_owned).into();
        let expected =
            [Some(Field::Name), Some(Field::Phone), Some(Field::Email), None, None, Some(Field::Zip), None];
        assert_eq!(suggested(&columns), expected);
    }
}
