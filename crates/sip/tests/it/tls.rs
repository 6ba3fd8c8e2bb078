//! Calls over TLS: who is believed to be the trunk, and who is not.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sip::{
    Authorities, End, Failure, Health, Incoming, Secure, Settings, Side, StartError, Transport, Trunk,
    UserAgent, check_certificate,
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::support::{
    ANSWER, answered, caller, end_of, incoming, order, settings, talk_and_hang_up, trunk, until_empty,
    until_health,
};

/// Somebody who vouches for certificates, and a folder for what is written.
struct Office {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Office {
    fn open() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key"));
        let office = Self {
            folder: tempfile::tempdir().expect("a folder"),
            authority: authority.expect("it vouches"),
        };
        fs::write(office.file("authority.pem"), pem("CERTIFICATE", office.authority.der())).expect("a file");
        office
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn authorities(&self) -> Authorities {
        Authorities::File(self.file("authority.pem"))
    }

    /// A certificate for this name or address, and where to listen with it.
    fn certify(&self, name: &str) -> Secure {
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = parameters.signed_by(&key, &self.authority).expect("it vouches");
        let secure = Secure {
            listen: "127.0.0.1:0".parse().expect("an address"),
            certificate: self.file(&format!("{name}.pem")),
            key: self.file(&format!("{name}.key")),
        };
        fs::write(&secure.certificate, pem("CERTIFICATE", certificate.der())).expect("a file");
        fs::write(&secure.key, pem("PRIVATE KEY", &key.serialize_der())).expect("a file");
        secure
    }
}

fn pem(kind: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("letters")).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

/// Somebody who can be called over TLS.
async fn callee(secure: Secure) -> (UserAgent, mpsc::Receiver<Incoming>, SocketAddr) {
    let brings = trunk("127.0.0.1:9".parse().expect("an address"));
    let (agent, calls) = UserAgent::start(Settings { secure: Some(secure), ..settings(vec![brings]) })
        .await
        .expect("it starts");
    let address = agent.secure_address().expect("it listens");
    (agent, calls, address)
}

fn over_tls(office: &Office, to: SocketAddr) -> Trunk {
    Trunk { transport: Transport::Tls, authorities: office.authorities(), ..trunk(to) }
}

#[tokio::test]
async fn a_call_over_tls_is_made_and_ended_from_either_side_over_one_connection() {
    let office = Office::open();
    let (there, mut calls, address) = callee(office.certify("127.0.0.1")).await;
    let here = caller(vec![over_tls(&office, address)]).await;
    until_health(&here, |health| *health == Health::Up).await;
    for ends in [Side::Us, Side::Them] {
        let mut call = here.call(order("+15125550199"));
        let mut theirs = incoming(&mut calls).await;
        theirs.call.answer(ANSWER.to_vec()).await;
        assert_eq!(answered(&mut call).await, ANSWER);
        answered(&mut theirs.call).await;
        // They cannot connect with us: their goodbye comes on the connection that we opened.
        let first = if ends == Side::Us { &call } else { &theirs.call };
        first.hang_up().await;
        assert_eq!(end_of(&mut call).await, End::HungUp(ends));
        end_of(&mut theirs.call).await;
    }
    until_empty(&here).await;
    until_empty(&there).await;
}

#[tokio::test]
async fn a_trunk_whose_certificate_is_not_its_own_is_told_nothing() {
    let (office, stranger) = (Office::open(), Office::open());
    for (secure, authorities, why) in [
        (office.certify("sip.example.com"), office.authorities(), "is not for 127.0.0.1"),
        (office.certify("127.0.0.1"), stranger.authorities(), "from nobody who is trusted"),
        (office.certify("127.0.0.1"), Authorities::System, "trust"),
        (office.certify("127.0.0.1"), Authorities::File(office.file("none.pem")), "cannot be read"),
    ] {
        let (_there, mut calls, address) = callee(secure).await;
        let here = caller(vec![Trunk { authorities, ..over_tls(&office, address) }]).await;
        until_health(&here, |health| matches!(health, Health::Down(reason) if reason.contains(why))).await;
        let mut call = here.call(order("+15125550199"));
        assert_eq!(end_of(&mut call).await, End::Failed(Failure::NoTrunk));
        assert!(calls.try_recv().is_err(), "{why}");
    }
}

#[tokio::test]
async fn a_trunk_over_tls_does_not_call_over_anything_else() {
    let office = Office::open();
    let (there, mut calls, _) = callee(office.certify("127.0.0.1")).await;
    let brings = over_tls(&office, "127.0.0.1:9".parse().expect("an address"));
    let (picky, mut picky_calls) = UserAgent::start(settings(vec![brings])).await.expect("it starts");
    for transport in [Transport::Udp, Transport::Tcp] {
        let here = caller(vec![Trunk { transport, asks: false, ..trunk(picky.address()) }]).await;
        let mut call = here.call(order("+15125550199"));
        assert_eq!(end_of(&mut call).await, End::Failed(Failure::Forbidden), "{transport:?}");
        assert!(picky_calls.try_recv().is_err());
        // The same caller is welcome where the trunk is a plain one.
        let here = caller(vec![Trunk { transport, ..trunk(there.address()) }]).await;
        let mut call = here.call(order("+15125550199"));
        talk_and_hang_up(&mut call, &mut incoming(&mut calls).await.call).await;
    }
}

#[tokio::test]
async fn a_connection_that_ended_is_opened_again() {
    let office = Office::open();
    let secure = office.certify("127.0.0.1");
    let (there, mut calls, address) = callee(secure.clone()).await;
    let here = caller(vec![Trunk { asks: false, ..over_tls(&office, address) }]).await;
    talk_and_hang_up(&mut here.call(order("+15125550199")), &mut incoming(&mut calls).await.call).await;
    there.stop().await;
    drop(there);
    let again = Secure { listen: address, ..secure };
    // The port is free again as soon as the listener has noticed.
    let (_there, mut calls) = loop {
        let brings = trunk("127.0.0.1:9".parse().expect("an address"));
        match UserAgent::start(Settings { secure: Some(again.clone()), ..settings(vec![brings]) }).await {
            Ok(started) => break started,
            Err(StartError::Address(..)) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    };
    // The end of the connection may be heard of only when something is sent over it.
    loop {
        let mut call = here.call(order("+15125550199"));
        tokio::select! {
            came = calls.recv() => {
                let mut theirs = came.expect("a call");
                talk_and_hang_up(&mut call, &mut theirs.call).await;
                break;
            }
            _ = end_of(&mut call) => {}
        }
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_is_said_at_the_start() {
    let office = Office::open();
    let (one, other) = (office.certify("127.0.0.1"), office.certify("localhost"));
    assert_eq!(check_certificate(&one), Ok(()));
    let mixed = Secure { key: other.key, ..one.clone() };
    assert!(check_certificate(&mixed).is_err_and(|reason| reason.contains("127.0.0.1.pem")));
    fs::write(office.file("empty.pem"), "").expect("a file");
    let empty = Secure { certificate: office.file("empty.pem"), ..one.clone() };
    let missing = Secure { certificate: office.file("missing.pem"), ..one };
    for (secure, why) in [(mixed, "127.0.0.1.pem"), (empty, "no certificate"), (missing, "cannot be read")] {
        let started = UserAgent::start(Settings { secure: Some(secure), ..settings(Vec::new()) }).await;
        let error = started.map(|_| ()).expect_err("it does not start");
        assert!(matches!(&error, StartError::Certificate(reason) if reason.contains(why)), "{error}");
    }
}
