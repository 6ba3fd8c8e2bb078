//! Keys made from the master key, and what they protect: sealed columns, keyed hashes, links.
//!
//! Each purpose has its own key by HKDF-SHA256 (RFC 5869). Sealed values are XChaCha20-Poly1305 with a random nonce, carry the id
//! of the master key, and are bound to the row that they stand in: copied into another row they do not open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use domain::digest::{KeyedHash, hmac_sha256};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::StoreError;

const NONCE_BYTES: usize = 24;
const KEY_ID_BYTES: usize = 4;

/// 32 secret bytes from which every other key is made.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// The text is no master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 bytes in Base64, as `openssl rand -base64 32` prints them")]
pub struct NotAMasterKey;

impl MasterKey {
    /// Takes 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the Base64 form.
    pub fn parse(text: &str) -> Result<Self, NotAMasterKey> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| NotAMasterKey)?);
        <[u8; 32]>::try_from(bytes.as_slice()).map(Self::new).map_err(|_| NotAMasterKey)
    }

    pub fn to_base64(&self) -> String {
        STANDARD.encode(*self.0)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// What a sealed value is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Table and column, such as `businesses.webhook_secret`.
    pub column: &'a str,
    pub row: uuid::Uuid,
}

/// Everything that needs the master key.
#[derive(Clone)]
pub struct Vault {
    kdf: Hkdf<Sha256>,
    sealing: XChaCha20Poly1305,
    /// Begins every keyed hash of an API key.
    api_keys: KeyedHash,
    /// Begins every proof in a link to a recording.
    recording_links: KeyedHash,
    key_id: [u8; KEY_ID_BYTES],
}

impl Vault {
    /// Derives a key for each purpose from the master key.
    pub fn new(master: &MasterKey) -> Self {
        let kdf = Hkdf::<Sha256>::new(Some(b"kaicalls"), &*master.0);
        let sealing = Zeroizing::new(derive::<32>(&kdf, "seal"));
        let key_id = derive::<KEY_ID_BYTES>(&kdf, "key-id");
        let sealing = XChaCha20Poly1305::new_from_slice(&*sealing).expect("the key has 32 bytes");
        let keyed = |purpose| KeyedHash::new(&*Zeroizing::new(derive::<32>(&kdf, purpose)));
        let (api_keys, recording_links) = (keyed("api-key"), keyed("recording-link"));
        Self { kdf, sealing, api_keys, recording_links, key_id }
    }

    /// A keyed hash (HMAC-SHA256) for one purpose.
    pub fn mac(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let key = Zeroizing::new(derive::<32>(&self.kdf, purpose));
        hmac_sha256(&*key, &[bytes])
    }

    /// The keyed hash under which an API key is stored and found.
    pub fn hash_key(&self, key: &str) -> [u8; 32] {
        self.api_keys.of(&[key.as_bytes()])
    }

    /// The proof in a link to a recording that we made what it says.
    pub fn prove_link(&self, says: &[u8]) -> [u8; 32] {
        self.recording_links.of(&[says])
    }

    /// Seals a value for the place where it will be stored. `nonce` must be random.
    pub fn seal(&self, place: Place<'_>, nonce: &[u8; NONCE_BYTES], secret: &[u8]) -> Vec<u8> {
        let bound = bound(place);
        let payload = Payload { msg: secret, aad: &bound };
        let sealed = self.sealing.encrypt(&XNonce::from(*nonce), payload).expect("secrets are short");
        [&self.key_id[..], nonce, &sealed].concat()
    }

    /// Opens a value that was sealed for this place.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let broken = |why: &str| StoreError::corrupt("sealed columns", why);
        let (key_id, rest) = sealed.split_at_checked(KEY_ID_BYTES).ok_or_else(|| broken("too short"))?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| broken("too short"))?;
        if key_id != self.key_id {
            return Err(broken("sealed with another master key"));
        }
        let bound = bound(place);
        let payload = Payload { msg: sealed, aad: &bound };
        self.sealing
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| broken("damaged, or moved from another row"))
    }

    /// The same for a text.
    pub(crate) fn open_text(&self, place: Place<'_>, sealed: &[u8]) -> Result<String, StoreError> {
        let opened = self.open(place, sealed)?;
        String::from_utf8(opened).map_err(|_| StoreError::corrupt("sealed columns", "a secret is no text"))
    }

    /// Tells databases made with different master keys apart.
    pub(crate) fn fingerprint(&self) -> String {
        STANDARD.encode(self.mac("fingerprint", b""))
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

fn derive<const N: usize>(kdf: &Hkdf<Sha256>, purpose: &str) -> [u8; N] {
    let mut key = [0; N];
    kdf.expand(purpose.as_bytes(), &mut key).expect("short keys can be derived");
    key
}

fn bound(place: Place<'_>) -> Vec<u8> {
    [place.column.as_bytes(), b"\0", place.row.as_bytes()].concat()
}

/// Compares secrets in constant time.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn place(row: u128) -> Place<'static> {
        Place { column: "businesses.webhook_secret", row: Uuid::from_u128(row) }
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_own_row_and_with_its_own_key() {
        let vault = Vault::new(&MasterKey::new([1; 32]));
        let sealed = vault.seal(place(1), &[9; NONCE_BYTES], b"secret");
        assert_eq!(vault.open(place(1), &sealed), Ok(b"secret".to_vec()));
        assert!(vault.open(place(2), &sealed).is_err());
        assert!(Vault::new(&MasterKey::new([2; 32])).open(place(1), &sealed).is_err());
        let mut damaged = sealed;
        *damaged.last_mut().expect("not empty") ^= 1;
        assert!(vault.open(place(1), &damaged).is_err());
        assert!(vault.open(place(1), b"x").is_err());
    }

    #[test]
    fn hashes_for_different_purposes_differ() {
        let vault = Vault::new(&MasterKey::new([1; 32]));
        assert_ne!(vault.mac("api-key", b"x"), vault.mac("recording-link", b"x"));
        assert_eq!(
            vault.prove_link(b"x"),
            vault.mac("recording-link", b"x"),
            "links of earlier versions hold"
        );
    }

    #[test]
    fn a_master_key_is_32_bytes_of_base64_and_never_printed() {
        let key = MasterKey::new([3; 32]);
        assert_eq!(MasterKey::parse(&key.to_base64()).map(|key| key.to_base64()), Ok(key.to_base64()));
        assert_eq!(format!("{key:?}"), "MasterKey(…)");
        assert!(MasterKey::parse("c2hvcnQ=").is_err() && MasterKey::parse("not base64").is_err());
    }
}
