//! Words of the library that several modules need.

use rsipstack::dialog::authenticate::Credential;
use rsipstack::sip::prelude::HasHeaders as _;
use rsipstack::sip::{Header, Request};

use crate::settings::Credentials;

/// The type of a description.
pub(crate) fn of_type_sdp() -> Vec<Header> {
    vec![Header::ContentType("application/sdp".into())]
}

/// Name and password as the library takes them.
pub(crate) fn credential(credentials: &Credentials) -> Credential {
    let Credentials { username, password } = credentials.clone();
    Credential { username, password, ..Credential::default() }
}

/// What kind of failure it is: its own words may hold numbers.
pub(crate) fn kind_of(error: &rsipstack::Error) -> &'static str {
    match error {
        rsipstack::Error::TransportLayerError(..) | rsipstack::Error::IoError(_) => "transport",
        rsipstack::Error::DnsResolutionError(_) => "name",
        rsipstack::Error::DialogError(..) => "dialog",
        rsipstack::Error::TransactionError(..) => "transaction",
        _ => "message",
    }
}

/// A header that this crate reads only by its name.
pub(crate) fn header(request: &Request, name: &str) -> Option<String> {
    request
        .headers()
        .iter()
        .find(|header| header.name().eq_ignore_ascii_case(name))
        .map(|header| header.value().to_owned())
}
