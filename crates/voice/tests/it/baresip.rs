//! A foreign telephone, baresip, at the other end: each side says a sentence of its own and is understood by the other.
//!
//! These run where baresip is found (Debian: `baresip-core`); `cargo xtask test` installs it where it can.

use std::time::Duration;

use baresip::{Baresip, Telephone, is_here};
use base64::Engine as _;
use domain::call::{Party, Progress};
use domain::engine::CallEngine as _;
use tokio::time::{sleep, timeout};
use voice::{Authorities, Encryption, Secure, Signalling, Transport};

use crate::sound::{ACCIDENT, GREETING, THANKS, contains};
use crate::support::{Bench, OURS, PATIENCE, plan, trunk};

/// What the telephone says: nothing while it is greeted, and then its sentence.
fn speech() -> Vec<i16> {
    let mut samples = vec![0; 8000 * 6];
    samples.extend(ACCIDENT.samples());
    // A telephone goes on in silence.
    samples.extend(vec![0; 8000 * 30]);
    samples
}

/// Calls the telephone and talks with it until both have understood one another.
async fn talk(bench: &Bench, phone: &Baresip) {
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    listen(bench, phone).await;
}

/// Waits until both have understood one another, and hangs up.
async fn listen(bench: &Bench, phone: &Baresip) {
    let thanked = |progress: &Progress| matches!(progress, Progress::Said(said) if said.text == THANKS.text);
    bench.notebook.until(thanked).await;
    let understood = async {
        while !contains(&phone.heard(), GREETING) || !contains(&phone.heard(), THANKS) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(timeout(PATIENCE, understood).await.is_ok(), "the telephone hears us: {}", phone.log());
    bench.engine.hang_up(plan().call_id, None).await;
    let story = bench.notebook.end().await;
    let lines = story.lines();
    assert_eq!(
        lines[..3],
        [(Party::Agent, GREETING.text), (Party::Caller, ACCIDENT.text), (Party::Agent, THANKS.text)]
    );
}

/// A certificate for this machine, and its key.
fn certificate() -> (String, String) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let pem = |kind: &str, der: &[u8]| {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<String> =
            text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
    };
    (pem("CERTIFICATE", cert.der()), pem("PRIVATE KEY", &signing_key.serialize_der()))
}

#[tokio::test]
async fn a_telephone_is_called_over_tls_and_both_understand_each_other() {
    if !is_here() {
        return;
    }
    let (certificate, key) = certificate();
    let folder = tempfile::tempdir().expect("a folder");
    let authorities = folder.path().join("authorities.pem");
    std::fs::write(&authorities, &certificate).expect("a file");
    let own = format!("{key}{certificate}");
    let telephone =
        Telephone { transport: "tls", certificate: Some((own, certificate)), ..Telephone::default() };
    let phone = Baresip::start(telephone, speech(), None).await;
    let over_tls = Signalling {
        transport: Transport::Tls,
        authorities: Authorities::File(authorities),
        ..trunk(phone.address())
    };
    let bench = Bench::over_trunk(over_tls, Encryption::Off).await;
    talk(&bench, &phone).await;
}

#[tokio::test]
async fn encrypted_sound_is_understood_on_both_sides() {
    if !is_here() {
        return;
    }
    // As it must be for both, and as it may be for both.
    for (theirs, ours) in [("srtp-mand", Encryption::Required), ("srtp", Encryption::Optional)] {
        let telephone = Telephone { encryption: Some(theirs), ..Telephone::default() };
        let phone = Baresip::start(telephone, speech(), None).await;
        let bench = Bench::over_trunk(trunk(phone.address()), ours).await;
        talk(&bench, &phone).await;
        let is_encrypted = |progress: &Progress| matches!(progress, Progress::Noted { detail, .. } if detail.contains("AES_CM_128_HMAC_SHA1_80 forged=0"));
        assert!(bench.notebook.reports().iter().any(|report| is_encrypted(&report.progress)), "{theirs}");
    }
}

#[tokio::test]
async fn a_telephone_that_does_not_encrypt_is_not_spoken_with_where_that_is_required() {
    if !is_here() {
        return;
    }
    let phone = Baresip::start(Telephone::default(), speech(), None).await;
    let bench = Bench::over_trunk(trunk(phone.address()), Encryption::Required).await;
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    let story = bench.notebook.end().await;
    assert!(!story.was_answered, "{story:?}");
    assert!(phone.heard().iter().all(|sample| *sample == 0));
}

#[tokio::test]
async fn a_telephone_calls_us_over_tls_and_both_understand_each_other() {
    if !is_here() {
        return;
    }
    let (certificate, key) = certificate();
    let folder = tempfile::tempdir().expect("a folder");
    let secure = Secure {
        listen: "127.0.0.1:0".parse().expect("an address"),
        certificate: folder.path().join("own.pem"),
        key: folder.path().join("own.key"),
    };
    std::fs::write(&secure.certificate, &certificate).expect("a file");
    std::fs::write(&secure.key, &key).expect("a file");
    // Nobody listens at the port for discarded packets: this trunk only brings calls.
    let brings = Signalling {
        transport: Transport::Tls,
        authorities: Authorities::File(secure.certificate.clone()),
        ..trunk("127.0.0.1:9".parse().expect("an address"))
    };
    let bench = Bench::with_certificate(brings, secure).await;
    let ours = bench.engine.secure_address().expect("it listens");
    let own = format!("{key}{certificate}");
    let telephone =
        Telephone { transport: "tls", certificate: Some((own, certificate)), ..Telephone::default() };
    let number = format!("sip:{OURS}@{ours};transport=tls");
    let phone = Baresip::start(telephone, speech(), Some(number)).await;
    listen(&bench, &phone).await;
}
