//! Leads as everybody finds and changes them.

use domain::lead::{LeadFields, Phone};
use domain::{AgentId, BusinessId};
use store::{StoreError, Tenancy};

use crate::Web;
use crate::change::Change;

/// A partial change of a lead.
#[derive(Debug, Clone, Default)]
pub struct LeadPatch {
    /// The agent that found it.
    pub agent_id: Change<AgentId>,
    pub name: Change<String>,
    pub first_name: Change<String>,
    pub last_name: Change<String>,
    pub email: Change<String>,
    /// Phone number as people of the business's country write it.
    pub phone: Change<String>,
    pub address: Change<String>,
    pub city: Change<String>,
    pub state: Change<String>,
    pub zip: Change<String>,
    /// Status, which is never empty.
    pub status: Option<String>,
    /// Source, which is never empty.
    pub source: Option<String>,
    pub source_url: Change<String>,
    /// Title of that page.
    pub source_page: Change<String>,
    pub notes: Change<String>,
    /// What the person wrote or wants.
    pub message: Change<String>,
    /// Date of the person's event.
    pub event_date: Change<String>,
    /// Kind of the person's event.
    pub event_type: Change<String>,
    pub timezone: Change<String>,
}

impl LeadPatch {
    /// Applies the changes; `home` is the calling code of the business's country. The parts of a name follow a new full name, and a full name follows new parts.
    pub fn apply(self, fields: &mut LeadFields, home: &str) {
        let renamed = matches!(self.name, Change::Set(_));
        let parts_sent = !matches!((&self.first_name, &self.last_name), (Change::Keep, Change::Keep));
        if renamed && !parts_sent {
            (fields.first_name, fields.last_name) = (None, None);
        } else if parts_sent && matches!(self.name, Change::Keep) {
            fields.name = None;
        }
        self.agent_id.apply(&mut fields.agent_id);
        self.name.apply(&mut fields.name);
        self.first_name.apply(&mut fields.first_name);
        self.last_name.apply(&mut fields.last_name);
        self.email.apply(&mut fields.email);
        self.phone.map(|text| Phone::read(&text, home)).apply(&mut fields.phone);
        self.address.apply(&mut fields.address);
        self.city.apply(&mut fields.city);
        self.state.apply(&mut fields.state);
        self.zip.apply(&mut fields.zip);
        if let Some(status) = self.status {
            fields.status = status;
        }
        if let Some(source) = self.source {
            fields.source = source;
        }
        self.source_url.apply(&mut fields.source_url);
        self.source_page.apply(&mut fields.source_page);
        self.notes.apply(&mut fields.notes);
        self.message.apply(&mut fields.message);
        self.event_date.apply(&mut fields.event_date);
        self.event_type.apply(&mut fields.event_type);
        self.timezone.apply(&mut fields.timezone);
    }
}

/// A phone number from a query, where a plus sign that nobody escaped arrives as a space.
pub fn unescaped(text: &str) -> String {
    text.strip_prefix(' ').map_or_else(|| text.to_owned(), |rest| format!("+{}", rest.trim_start()))
}

/// An e-mail address from a query, where a plus sign that nobody escaped arrives as a space. No address has a space.
pub fn unescaped_address(text: &str) -> String {
    let text = text.trim();
    if text.contains('@') { text.replace(' ', "+") } else { text.to_owned() }
}

/// Reads a phone number as people of the business's country write it; without a business, as the tenant's first one's do.
pub async fn read_phone(
    web: &Web,
    tenancy: &Tenancy,
    business: Option<BusinessId>,
    text: &str,
) -> Result<Phone, StoreError> {
    let known = match business.or_else(|| tenancy.businesses().first().copied()) {
        Some(id) => {
            let tenancy = tenancy.clone();
            web.read(move |tx| Box::pin(async move { store::businesses::get(tx, &tenancy, id).await }))
                .await?
        }
        None => None,
    };
    let country = known.map_or_else(|| "1".to_owned(), |business| business.country_calling_code);
    Ok(Phone::read(text, &country))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maria() -> LeadFields {
        LeadFields {
            name: Some("Maria Lopez".to_owned()),
            first_name: Some("Maria".to_owned()),
            last_name: Some("Lopez".to_owned()),
            ..LeadFields::default()
        }
    }

    fn names(patch: LeadPatch) -> [Option<String>; 3] {
        let mut fields = maria();
        patch.apply(&mut fields, "1");
        fields.complete_names();
        [fields.name, fields.first_name, fields.last_name]
    }

    #[test]
    fn a_plus_sign_that_arrives_as_a_space_is_put_back() {
        assert_eq!(unescaped(" 15125550100"), "+15125550100");
        assert_eq!(unescaped_address("dana web@gmail.com"), "dana+web@gmail.com");
        assert_eq!(unescaped_address(" dana+a b@gmail.com "), "dana+a+b@gmail.com");
        assert_eq!(unescaped_address("ask her"), "ask her");
    }

    #[test]
    fn a_new_full_name_brings_its_parts_and_new_parts_their_full_name() {
        let set = |text: &str| Change::Set(text.to_owned());
        let some = |texts: [&str; 3]| texts.map(|text| Some(text.to_owned()));
        let renamed = LeadPatch { name: set("Ana Ruiz"), ..LeadPatch::default() };
        assert_eq!(names(renamed), some(["Ana Ruiz", "Ana", "Ruiz"]));
        let married = LeadPatch { last_name: set("Ruiz"), ..LeadPatch::default() };
        assert_eq!(names(married), some(["Maria Ruiz", "Maria", "Ruiz"]));
        assert_eq!(names(LeadPatch::default()), some(["Maria Lopez", "Maria", "Lopez"]));
    }
}
