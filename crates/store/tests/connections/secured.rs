//! PostgreSQL over TLS, with libpq's words in the URL: who is believed, who is not, and what is said then.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use store::{OpenError, Platform, StoreError};
use tempfile::TempDir;
use testkit::servers::{PrivatePostgres, SecuredBy};

use crate::hears;

/// Who vouches for a server, and for one client.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, with its key.
    fn vouches_for(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages.push(purpose);
        (params.signed_by(&key, &self.0).expect("a certificate").pem(), key.serialize_pem())
    }
}

/// A server whose certificate is made out to `localhost`, and the files that its clients name.
struct Scene {
    server: PrivatePostgres,
    folder: TempDir,
}

impl Scene {
    /// None where PostgreSQL is not installed.
    fn set() -> Option<Self> {
        let (authority, stranger) = (Authority::new(), Authority::new());
        let (certificate, key) = authority.vouches_for("localhost", ExtendedKeyUsagePurpose::ServerAuth);
        let secured = SecuredBy { certificate, key, clients_authority: authority.pem() };
        let server = PrivatePostgres::start(Some(&secured))?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (own, own_key) = authority.vouches_for("certified", ExtendedKeyUsagePurpose::ClientAuth);
        let files = [("ca", authority.pem()), ("stranger", stranger.pem()), ("own", own), ("key", own_key)];
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).expect("a file is written");
        }
        Some(Self { server, folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn open(&self, user: &str, host: &str, parameters: &str) -> Result<Platform, OpenError> {
        crate::open(format!("{}?{parameters}", self.server.url(user, host))).await
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Whether the connection that answers is encrypted.
async fn is_encrypted(platform: &Platform) -> bool {
    let health = platform.health().await;
    assert_eq!(health, Ok(()), "it takes writes");
    platform.is_encrypted().await.expect("it answers").expect("a server")
}

#[tokio::test]
async fn the_url_says_whether_the_connection_is_encrypted_and_whom_to_believe() {
    let Some(scene) = Scene::set() else { return };
    let ca = shown(&scene.file("ca"));
    let believed = [
        ("127.0.0.1", "sslmode=disable".to_owned(), false),
        ("127.0.0.1", String::new(), true),
        ("127.0.0.1", "sslmode=prefer".to_owned(), true),
        ("127.0.0.1", "sslmode=require".to_owned(), true),
        ("127.0.0.1", format!("sslmode=require&sslrootcert={ca}"), true),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={ca}"), true),
        ("localhost", format!("sslmode=verify-full&sslrootcert={ca}"), true),
    ];
    for (host, parameters, encrypted) in believed {
        let platform = scene.open("kaicalls", host, &parameters).await.expect("it opens");
        assert_eq!(is_encrypted(&platform).await, encrypted, "{parameters}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_believed_is_refused_in_words_that_help() {
    let Some(scene) = Scene::set() else { return };
    let (ca, stranger) = (shown(&scene.file("ca")), shown(&scene.file("stranger")));
    let refused = [
        ("localhost", format!("sslmode=verify-full&sslrootcert={stranger}"), "no authority in"),
        ("localhost", format!("sslmode=verify-ca&sslrootcert={stranger}"), "no authority in"),
        ("localhost", format!("sslmode=require&sslrootcert={stranger}"), "no authority in"),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={ca}"), "made out to another name"),
        ("localhost", "sslmode=verify-full".to_owned(), "sslrootcert"),
        ("localhost", "sslrootcert=system".to_owned(), "sslrootcert"),
    ];
    for (host, parameters, told) in refused {
        let error = scene.open("kaicalls", host, &parameters).await.expect_err("nobody is believed");
        assert!(matches!(&error, OpenError::Tls(why) if why.contains(told)), "{parameters}: {error}");
    }
}

#[tokio::test]
async fn a_client_that_must_show_a_certificate_gets_in_with_one() {
    let Some(scene) = Scene::set() else { return };
    let refused = scene.open("certified", "127.0.0.1", "sslmode=require").await.expect_err("no certificate");
    assert!(matches!(refused, OpenError::Store(StoreError::Unexpected(_))), "{refused}");
    let (own, key) = (shown(&scene.file("own")), shown(&scene.file("key")));
    let shown = format!("sslmode=require&sslcert={own}&sslkey={key}");
    let platform = scene.open("certified", "127.0.0.1", &shown).await.expect("the certificate is taken");
    assert!(is_encrypted(&platform).await);
}

#[tokio::test]
async fn a_server_without_tls_is_used_only_where_that_is_allowed() {
    let Some(server) = PrivatePostgres::start(None) else { return };
    let open = async |parameters: &str| {
        crate::open(format!("{}?{parameters}", server.url("kaicalls", "127.0.0.1"))).await
    };
    let platform = open("sslmode=prefer").await.expect("it goes on without");
    assert!(!is_encrypted(&platform).await);
    let error = open("sslmode=require").await.expect_err("it must be encrypted");
    assert!(matches!(&error, OpenError::Tls(why) if why.contains("offers none")), "{error}");
}

#[tokio::test]
async fn what_one_process_adds_wakes_another_over_tls() {
    let Some(scene) = Scene::set() else { return };
    let parameters = format!("sslmode=verify-full&sslrootcert={}", shown(&scene.file("ca")));
    let one = scene.open("kaicalls", "localhost", &parameters).await.expect("it opens");
    let other = scene.open("kaicalls", "localhost", &parameters).await.expect("it opens");
    assert!(hears(&other, &one, 40).await);
}
