//! One lead: how it is found, and what it is called.

use domain::LeadId;
use domain::lead::{Lead, LeadFields, Phone};
use store::Tenancy;
use web::Web;

use crate::page::PageError;
use crate::show;

/// What a lead is called: its name, else what there is to reach it by.
pub(super) fn called(fields: &LeadFields) -> String {
    let texts = [fields.name.clone(), fields.email.clone(), fields.phone.as_ref().map(shown_phone)];
    texts.into_iter().flatten().find(|text| !text.trim().is_empty()).unwrap_or_else(|| "Unnamed".to_owned())
}

/// A number as people read it, or what stands for one as it was written.
pub(crate) fn shown_phone(phone: &Phone) -> String {
    phone.valid().map_or_else(|| phone.as_str().to_owned(), show::phone)
}

/// A lead that the visitor may see.
pub(super) async fn known(web: &Web, tenancy: &Tenancy, id: LeadId) -> Result<Lead, PageError> {
    let tenancy = tenancy.clone();
    let lead = web.read(move |tx| Box::pin(async move { store::leads::get(tx, &tenancy, id).await })).await?;
    lead.ok_or(PageError::NotFound)
}
