//! Phone numbers of leads that an older version read otherwise than this one does.

use domain::lead::{LeadFields, Phone};
use domain::{Author, BusinessId, LeadId, Mode};
use store::{StoreError, Tenancy};

use crate::App;
use crate::leads::{self, LeadError};

/// How many leads are looked at in one go.
const BATCH: u32 = 500;

/// Where the number of a lead comes from that a call has made: it was dialled or it called, so that it works whatever any plan says.
const FROM_A_CALL: &str = "call";

/// A number that is read otherwise today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    pub lead_id: LeadId,
    pub business_id: BusinessId,
    pub mode: Mode,
    /// As it is stored.
    pub stored: Phone,
    /// As it is read today.
    pub today: Phone,
}

/// The leads whose numbers are read otherwise today, perhaps of one business only.
pub async fn misread(app: &App, business: Option<BusinessId>) -> Result<Vec<Misread>, StoreError> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let (batch, businesses) = app
            .platform()
            .read(move |tx| {
                Box::pin(async move {
                    let batch = store::leads::with_phone(tx, after, BATCH).await?;
                    Ok::<_, StoreError>((batch, store::businesses::all(tx).await?))
                })
            })
            .await?;
        let Some(last) = batch.last() else { return Ok(found) };
        after = Some(last.id);
        for lead in &batch {
            let home = businesses.iter().find(|home| home.id == lead.business_id);
            let Some(home) = home.filter(|home| business.is_none_or(|wanted| wanted == home.id)) else {
                continue;
            };
            let today = reread(&lead.fields, &home.country_calling_code);
            if let Some((stored, today)) = lead.fields.phone.clone().zip(today) {
                let (lead_id, business_id, mode) = (lead.id, lead.business_id, lead.mode);
                found.push(Misread { lead_id, business_id, mode, stored, today });
            }
        }
    }
}

/// Stores a number as it is read today. The change is told like any other of a lead.
pub async fn mend(app: &App, misread: &Misread) -> Result<(), LeadError> {
    let tenancy = Tenancy::one(misread.business_id, misread.mode);
    let change = |fields: &mut LeadFields, home: &str| {
        if let Some(today) = reread(fields, home) {
            fields.phone = Some(today);
        }
    };
    leads::update(app, &tenancy, misread.lead_id, Author::system(), change).await.map(drop)
}

/// The number as it is read today; `None` if that changes nothing.
fn reread(fields: &LeadFields, home: &str) -> Option<Phone> {
    let stored = fields.phone.as_ref()?;
    let today = match (stored, Phone::read(stored.as_str(), home)) {
        // The extension was split off when the number was stored and stands beside it.
        (Phone::Valid(stored), Phone::Valid(mut today)) => {
            today.extension = today.extension.or_else(|| stored.extension.clone());
            Phone::Valid(today)
        }
        (Phone::Valid(_), Phone::AsGiven(_)) if fields.source == FROM_A_CALL => return None,
        (_, today) => today,
    };
    (today != *stored).then_some(today)
}

#[cfg(test)]
mod tests {
    use domain::E164;
    use domain::phone::WrittenNumber;

    use super::*;

    fn valid(number: &str, extension: Option<&str>) -> Phone {
        let number = E164::parse(number).expect("a number");
        Phone::Valid(WrittenNumber { number, extension: extension.map(str::to_owned) })
    }

    fn read(phone: Phone, source: &str, home: &str) -> Option<Phone> {
        reread(&LeadFields { phone: Some(phone), source: source.to_owned(), ..LeadFields::default() }, home)
    }

    #[test]
    fn only_numbers_that_are_read_otherwise_today_are_found() {
        let given = |text: &str| Phone::AsGiven(text.to_owned());
        assert_eq!(read(given("(512) 555-0147 ext. 7"), "api", "1"), Some(valid("+15125550147", Some("7"))));
        assert_eq!(read(given("call me"), "api", "1"), None);
        assert_eq!(read(valid("+15125550147", Some("7")), "api", "1"), None);
        // The bracketed zero of "+44 (0)20 7946 0958" was taken for a part of the number.
        assert_eq!(read(valid("+4402079460958", None), "api", "44"), Some(valid("+442079460958", None)));
        let impossible = valid("+10000000000", None);
        assert_eq!(read(impossible.clone(), "api", "1"), Some(given("+10000000000")));
        assert_eq!(read(impossible, "call", "1"), None, "it has worked");
    }
}
