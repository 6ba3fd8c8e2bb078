//! Passkeys: what an authenticator says when it makes one, and when it uses one.
//!
//! Section numbers are those of Web Authentication, level 3. Attestation is not asked for: which maker an authenticator comes from decides
//! nothing here, so the key that a browser names is taken from the page that made it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;

/// The kinds of keys that are understood, as browsers number them (COSE), the preferred one first: ES256, EdDSA, RS256.
pub const KINDS: [i32; 3] = [-7, -8, -257];

/// The longest name that an authenticator gives a passkey (section 6.5.1).
pub const MAX_ID: usize = 1023;

/// What a browser was asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The name of the site: a domain.
    pub site: &'a str,
    /// The origins of the site's own pages.
    pub origins: &'a [String],
    /// Random bytes that were made for this one answer.
    pub challenge: &'a [u8],
}

/// The answer with a new passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The name that the authenticator gave the passkey.
    pub id: Vec<u8>,
    /// What the browser says about the page, in JSON.
    pub client_data: Vec<u8>,
    pub authenticator_data: Vec<u8>,
    /// The public key as a SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
}

/// The answer with a passkey that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    pub id: Vec<u8>,
    /// What the browser says about the page, in JSON.
    pub client_data: Vec<u8>,
    pub authenticator_data: Vec<u8>,
    pub signature: Vec<u8>,
}

/// Why an answer does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it is not an authenticator's answer")]
    Malformed,
    #[error("it answers something else")]
    OtherQuestion,
    #[error("it was made for another site")]
    OtherSite,
    #[error("nobody touched the authenticator")]
    NobodyThere,
    #[error("its key is of a kind that is not understood")]
    UnknownKind,
    #[error("the signature is wrong")]
    WrongSignature,
    #[error("its counter went back, as that of a copy would")]
    Copy,
}

/// Checks a new passkey (section 7.1) and gives its counter.
pub fn made(asked: &Asked<'_>, made: &Made) -> Result<u32, Refused> {
    from_this_page(asked, "webauthn.create", &made.client_data)?;
    let said = Said::read(asked, &made.authenticator_data)?;
    // Behind the flags and the counter: the maker's id, and the passkey's.
    let id = said.rest.get(16..).and_then(|rest| {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        rest.get(..usize::from(u16::from_be_bytes(*length)))
    });
    if !said.has_passkey || made.id.is_empty() || made.id.len() > MAX_ID || id != Some(&made.id[..]) {
        return Err(Refused::Malformed);
    }
    key(&made.public_key)?;
    Ok(said.counter)
}

/// Checks that a passkey was used (section 7.2) and gives its new counter.
pub fn used(asked: &Asked<'_>, used: &Used, public_key: &[u8], counter: u32) -> Result<u32, Refused> {
    from_this_page(asked, "webauthn.get", &used.client_data)?;
    let said = Said::read(asked, &used.authenticator_data)?;
    let (algorithm, key) = key(public_key)?;
    let signed = [&used.authenticator_data, digest(&SHA256, &used.client_data).as_ref()].concat();
    UnparsedPublicKey::new(algorithm, key)
        .verify(&signed, &used.signature)
        .map_err(|_| Refused::WrongSignature)?;
    // An authenticator that does not count says zero for ever.
    if (counter > 0 || said.counter > 0) && said.counter <= counter {
        return Err(Refused::Copy);
    }
    Ok(said.counter)
}

#[derive(Deserialize)]
struct ClientData<'a> {
    #[serde(rename = "type")]
    purpose: &'a str,
    challenge: &'a str,
    origin: &'a str,
    #[serde(rename = "crossOrigin", default)]
    is_framed: bool,
}

fn from_this_page(asked: &Asked<'_>, purpose: &str, client_data: &[u8]) -> Result<(), Refused> {
    let data: ClientData<'_> = serde_json::from_slice(client_data).map_err(|_| Refused::Malformed)?;
    let challenge = URL_SAFE_NO_PAD.decode(data.challenge).map_err(|_| Refused::Malformed)?;
    if data.purpose != purpose || challenge != asked.challenge {
        return Err(Refused::OtherQuestion);
    }
    if data.is_framed || !asked.origins.iter().any(|own| own == data.origin) {
        return Err(Refused::OtherSite);
    }
    Ok(())
}

/// What an authenticator says of itself (section 6.1).
struct Said<'a> {
    has_passkey: bool,
    counter: u32,
    rest: &'a [u8],
}

impl<'a> Said<'a> {
    fn read(asked: &Asked<'_>, data: &'a [u8]) -> Result<Self, Refused> {
        let (site, rest) = data.split_at_checked(32).ok_or(Refused::Malformed)?;
        let (&flags, rest) = rest.split_first().ok_or(Refused::Malformed)?;
        let (counter, rest) = rest.split_first_chunk::<4>().ok_or(Refused::Malformed)?;
        if site != digest(&SHA256, asked.site.as_bytes()).as_ref() {
            return Err(Refused::OtherSite);
        }
        if flags & 1 == 0 {
            return Err(Refused::NobodyThere);
        }
        Ok(Self { has_passkey: flags & 0x40 != 0, counter: u32::from_be_bytes(*counter), rest })
    }
}

/// How a key of each kind begins, up to what the library wants.
const P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const EDWARDS: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/// The key inside a SubjectPublicKeyInfo (RFC 5280), and what it verifies with.
fn key(info: &[u8]) -> Result<(&'static dyn VerificationAlgorithm, &[u8]), Refused> {
    if let Some(point) = info.strip_prefix(P256).filter(|point| point.len() == 65 && point[0] == 4) {
        return Ok((&ECDSA_P256_SHA256_ASN1, point));
    }
    if let Some(point) = info.strip_prefix(EDWARDS).filter(|point| point.len() == 32) {
        return Ok((&ED25519, point));
    }
    let rsa = contents(info, 0x30).and_then(|inside| contents(inside.strip_prefix(RSA)?, 0x03));
    match rsa.and_then(|bits| bits.strip_prefix(&[0])) {
        Some(key) if key.len() > 256 && key.len() < 1100 => Ok((&RSA_PKCS1_2048_8192_SHA256, key)),
        _ => Err(Refused::UnknownKind),
    }
}

/// What a value of DER holds that fills all of the bytes.
fn contents(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (length, rest) = match bytes.strip_prefix(&[tag])? {
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [0x81, length, rest @ ..] | [length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        _ => return None,
    };
    (rest.len() == length).then_some(rest)
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

    use super::*;

    const SITE: &str = "kai.example";
    const CHALLENGE: &[u8] = b"a challenge that is made once...";

    /// An authenticator and a browser, each of which may lie.
    struct Device {
        purpose: &'static str,
        challenge: &'static [u8],
        origin: &'static str,
        site: &'static str,
        flags: u8,
        counter: u32,
    }

    impl Device {
        fn honest(purpose: &'static str) -> Self {
            Self {
                purpose,
                challenge: CHALLENGE,
                origin: "https://kai.example",
                site: SITE,
                flags: 0x41,
                counter: 7,
            }
        }

        fn client_data(&self) -> Vec<u8> {
            let challenge = URL_SAFE_NO_PAD.encode(self.challenge);
            let (purpose, origin) = (self.purpose, self.origin);
            format!(r#"{{"type":"{purpose}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false,"new":1}}"#)
                .into_bytes()
        }

        fn data(&self) -> Vec<u8> {
            let site = digest(&SHA256, self.site.as_bytes());
            [site.as_ref(), &[self.flags], &self.counter.to_be_bytes()].concat()
        }

        fn make(&self, public_key: &[u8]) -> Made {
            let id = b"its name".to_vec();
            let named = [&[0; 16][..], &8_u16.to_be_bytes(), &id, b"\xa5 and its key in CBOR"].concat();
            Made {
                client_data: self.client_data(),
                authenticator_data: [self.data(), named].concat(),
                public_key: public_key.to_vec(),
                id,
            }
        }

        fn sign(&self, sign: &Sign) -> Used {
            let (client_data, authenticator_data) = (self.client_data(), self.data());
            let signed = [&authenticator_data, digest(&SHA256, &client_data).as_ref()].concat();
            Used { id: b"its name".to_vec(), client_data, authenticator_data, signature: sign(&signed) }
        }
    }

    fn asked(origins: &[String]) -> Asked<'_> {
        Asked { site: SITE, origins, challenge: CHALLENGE }
    }

    fn own() -> Vec<String> {
        vec!["https://kai.example".to_owned()]
    }

    type Sign = dyn Fn(&[u8]) -> Vec<u8>;

    struct Key {
        info: Vec<u8>,
        sign: Box<Sign>,
    }

    fn keys() -> [Key; 2] {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &random).expect("a key");
        let info = [P256, pair.public_key().as_ref()].concat();
        let sign =
            move |signed: &[u8]| pair.sign(&SystemRandom::new(), signed).expect("signs").as_ref().to_vec();
        let curve = Key { info, sign: Box::new(sign) };
        let made = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("a key");
        let info = [EDWARDS, pair.public_key().as_ref()].concat();
        let sign = move |signed: &[u8]| pair.sign(signed).as_ref().to_vec();
        [curve, Key { info, sign: Box::new(sign) }]
    }

    #[test]
    fn a_passkey_is_made_and_used() {
        let origins = own();
        for key in keys() {
            let new = Device::honest("webauthn.create").make(&key.info);
            assert_eq!(made(&asked(&origins), &new), Ok(7));
            let device = Device { counter: 8, flags: 1, ..Device::honest("webauthn.get") };
            let answer = device.sign(&*key.sign);
            assert_eq!(used(&asked(&origins), &answer, &key.info, 7), Ok(8));
            assert_eq!(used(&asked(&origins), &answer, &key.info, 8), Err(Refused::Copy));
            let uncounted = Device { counter: 0, ..device }.sign(&*key.sign);
            assert_eq!(used(&asked(&origins), &uncounted, &key.info, 0), Ok(0), "not all of them count");
            assert_eq!(used(&asked(&origins), &uncounted, &key.info, 1), Err(Refused::Copy));
        }
    }

    #[test]
    fn what_was_made_for_something_else_does_not_count() {
        let origins = own();
        let lies = [
            (Device { challenge: b"another", ..Device::honest("") }, Refused::OtherQuestion),
            (Device { origin: "https://kai.example.evil", ..Device::honest("") }, Refused::OtherSite),
            (Device { origin: "http://kai.example", ..Device::honest("") }, Refused::OtherSite),
            (Device { site: "evil.example", ..Device::honest("") }, Refused::OtherSite),
            (Device { flags: 0x40, ..Device::honest("") }, Refused::NobodyThere),
        ];
        let [key, other] = keys();
        for (lie, refused) in lies {
            let new = Device { purpose: "webauthn.create", ..lie };
            assert_eq!(made(&asked(&origins), &new.make(&key.info)), Err(refused));
            let answer = Device { purpose: "webauthn.get", ..new }.sign(&*key.sign);
            assert_eq!(used(&asked(&origins), &answer, &key.info, 0), Err(refused));
        }
        let crossed = Device::honest("webauthn.create").sign(&*key.sign);
        assert_eq!(used(&asked(&origins), &crossed, &key.info, 0), Err(Refused::OtherQuestion));
        let answer = Device::honest("webauthn.get").sign(&*key.sign);
        assert_eq!(used(&asked(&origins), &answer, &other.info, 0), Err(Refused::WrongSignature));
        for bit in 0..answer.signature.len() * 8 {
            let mut bent = answer.clone();
            bent.signature[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(used(&asked(&origins), &bent, &key.info, 0), Err(Refused::WrongSignature));
        }
    }

    #[test]
    fn what_is_cut_off_or_named_otherwise_is_refused() {
        let origins = own();
        let [key, _] = keys();
        let new = Device::honest("webauthn.create").make(&key.info);
        for length in 0..63 {
            let short = Made { authenticator_data: new.authenticator_data[..length].to_vec(), ..new.clone() };
            assert_eq!(made(&asked(&origins), &short), Err(Refused::Malformed), "{length}");
        }
        let renamed = Made { id: b"not that".to_vec(), ..new.clone() };
        assert_eq!(made(&asked(&origins), &renamed), Err(Refused::Malformed));
        for length in 0..key.info.len() {
            let short = Made { public_key: key.info[..length].to_vec(), ..new.clone() };
            assert_eq!(made(&asked(&origins), &short), Err(Refused::UnknownKind), "{length}");
        }
        for text in ["", "{}", "[]", "null", r#"{"type":"webauthn.create"}"#] {
            let odd = Made { client_data: text.into(), ..new.clone() };
            assert_eq!(made(&asked(&origins), &odd), Err(Refused::Malformed), "{text}");
        }
    }

    #[test]
    fn a_key_of_windows_is_understood() {
        let modulus = [0xb7; 256];
        let inner =
            [b"\x30\x82\x01\x0a\x02\x82\x01\x01\x00".as_slice(), &modulus, b"\x02\x03\x01\x00\x01"].concat();
        let bits = [&[0x03, 0x82, 0x01, 0x0f, 0x00][..], &inner].concat();
        let info = [b"\x30\x82\x01\x22".as_slice(), RSA, &bits].concat();
        assert!(key(&info).is_ok_and(|(_, key)| key == inner));
        assert!(key(&info[..info.len() - 1]).is_err() && key(&[&info[..], &[0]].concat()).is_err());
    }
}
