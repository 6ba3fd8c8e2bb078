//! What a page and a browser tell each other about passkeys: binary values in Base64, each in a field of its own.

use app::second_factor::{Proof, ProofError, Question};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use factors::passkeys::{Made, Used};
use web::Web;

use crate::form::Filled;

/// What a page asks a browser for.
pub(crate) struct Wanted {
    pub(crate) challenge: String,
    /// The domain that passkeys are made for.
    pub(crate) site: String,
    /// The address under which that works.
    pub(crate) origin: String,
    /// The passkeys that there are.
    pub(crate) known: String,
}

impl Wanted {
    /// `None` where people come by a bare network address: browsers know no passkeys there.
    pub(crate) fn used(web: &Web, question: &Question) -> Option<Self> {
        let site = web.settings().own_origin.site()?;
        let known: Vec<String> = question.passkeys.iter().map(|id| URL_SAFE_NO_PAD.encode(id)).collect();
        Some(Self {
            challenge: URL_SAFE_NO_PAD.encode(&question.challenge),
            site: site.id,
            origin: site.origins.into_iter().next().unwrap_or_default(),
            known: known.join(" "),
        })
    }
}

fn bytes(form: &Filled, prefix: &str, name: &str) -> Option<Vec<u8>> {
    let text = form.text(&format!("{prefix}{name}"));
    (!text.is_empty()).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten()
}

/// The second factor in a form: a passkey, or a code.
pub(crate) fn proof(form: &Filled, prefix: &str) -> Option<Proof> {
    let read = |name| bytes(form, prefix, name);
    if let (Some(id), Some(client_data), Some(authenticator_data), Some(signature)) =
        (read("id"), read("client"), read("data"), read("signature"))
    {
        return Some(Proof::Passkey(Used { id, client_data, authenticator_data, signature }));
    }
    let code = form.text(&format!("{prefix}code"));
    (!code.is_empty()).then_some(Proof::Code(code))
}

/// The new passkey in a form.
pub(crate) fn made(form: &Filled) -> Option<Made> {
    let read = |name| bytes(form, "passkey_", name);
    Some(Made {
        id: read("id")?,
        client_data: read("client")?,
        authenticator_data: read("data")?,
        public_key: read("key")?,
    })
}

/// What to tell somebody whose second factor does not count.
pub(crate) fn words(error: &ProofError) -> String {
    match error {
        ProofError::Wrong => {
            "That does not count. A code counts once, and only for about a minute.".to_owned()
        }
        ProofError::TooManyCodes => {
            "There were too many wrong codes. For an hour only a passkey or a recovery code counts."
                .to_owned()
        }
        ProofError::Gone => "That took too long, or was wrong too often.".to_owned(),
        ProofError::Store(_) => "The server cannot do this now. Please try again in a moment.".to_owned(),
    }
}
