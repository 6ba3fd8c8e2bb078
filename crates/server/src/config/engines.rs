//! Settings of which engine makes live calls, and of Vapi. Those of our own voice are in `trunks`.

use vapi::Scheme;

use super::{Config, web_address};
use crate::failure::Failure;

/// Settings of the Vapi engine.
pub(crate) struct VapiConfig {
    pub(crate) api_key: String,
    pub(crate) base_url: String,
    pub(crate) phone_number_id: Option<String>,
    pub(crate) scheme: Scheme,
    /// None if one is to be made from the master key.
    pub(crate) secrets: Vec<String>,
    pub(crate) credential_id: Option<String>,
    pub(crate) max_concurrent_calls: u32,
}

impl Config {
    /// The default engine for live keys, by name.
    pub(crate) fn live_engine(&self) -> Result<Option<&'static str>, Failure> {
        let key = self.text("vapi_api_key");
        match self.text("live_engine") {
            None => Ok(key.map(|_| "vapi").or_else(|| self.has_trunks().then_some("voice"))),
            Some("none") => Ok(None),
            Some("sandbox") => Ok(Some("sandbox")),
            Some("vapi") if key.is_some() => Ok(Some("vapi")),
            Some("vapi") => {
                Err(Failure::setting("vapi_api_key", "the engine `vapi` needs the private key of an account"))
            }
            Some("voice") if self.has_trunks() => Ok(Some("voice")),
            Some("voice") => Err(Failure::setting("voice_trunks", "the engine `voice` needs a SIP trunk")),
            Some(_) => Err(Failure::setting("live_engine", "expected `vapi`, `voice`, `sandbox` or `none`")),
        }
    }

    /// True if new live calls may run on Vapi. Where live calls are only played or switched off, Vapi brings those to their end that
    /// it has begun and makes no others.
    pub(crate) fn vapi_takes_calls(&self) -> Result<bool, Failure> {
        Ok(self.text("vapi_api_key").is_some() && !matches!(self.live_engine()?, None | Some("sandbox")))
    }

    /// True if calls may run over trunks.
    pub(crate) fn voice_takes_calls(&self) -> Result<bool, Failure> {
        Ok(self.has_trunks() && !matches!(self.live_engine()?, None | Some("sandbox")))
    }

    /// What is set of Vapi, where there is a key for it.
    pub(crate) fn vapi(&self) -> Result<Option<VapiConfig>, Failure> {
        self.live_engine()?;
        if self.text("vapi_api_key").is_none() {
            return Ok(None);
        }
        let base_url = self.text("vapi_base_url").unwrap_or("https://api.vapi.ai");
        let base_url = web_address("vapi_base_url", base_url)?;
        let scheme: Scheme = self.parse("vapi_webhook_auth")?;
        let credential_id = self.text("vapi_credential_id").map(str::to_owned);
        if scheme != Scheme::Secret && credential_id.is_none() {
            let problem = "`bearer` and `hmac` need the id of the credential at Vapi that signs";
            return Err(Failure::setting("vapi_credential_id", problem));
        }
        let secrets = self.list("vapi_webhook_secret");
        if scheme != Scheme::Secret && secrets.is_empty() {
            let problem = "expected the secret of the credential at Vapi";
            return Err(Failure::setting("vapi_webhook_secret", problem));
        }
        Ok(Some(VapiConfig {
            api_key: self.text("vapi_api_key").unwrap_or_default().to_owned(),
            base_url,
            phone_number_id: self.text("vapi_phone_number_id").map(str::to_owned),
            scheme,
            secrets,
            credential_id,
            max_concurrent_calls: self.number("vapi_max_concurrent_calls", 1, 100_000)?,
        }))
    }
}
