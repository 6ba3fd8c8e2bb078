//! A passkey from its making to a login, with an authenticator made of a key and a counter.

use app::App;
use app::second_factor::{
    Proof, ProofError, Site, add_passkey, ask_for_passkey, ask_to_confirm, at_login, confirm, of_user,
};
use app::sessions::{Client, Login, current, finish, log_in};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use factors::passkeys::{Made, Used};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use testkit::{Platform, Setup, databases};

const ORIGIN: &str = "https://kai.example";
const SPKI: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

struct Authenticator {
    pair: EcdsaKeyPair,
    id: Vec<u8>,
    uses: u32,
}

impl Authenticator {
    fn new(name: &str) -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &random).expect("a key");
        Self { pair, id: name.as_bytes().to_vec(), uses: 0 }
    }

    fn client_data(purpose: &str, challenge: &[u8]) -> Vec<u8> {
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        format!(r#"{{"type":"webauthn.{purpose}","challenge":"{challenge}","origin":"{ORIGIN}"}}"#)
            .into_bytes()
    }

    fn data(&mut self, flags: u8) -> Vec<u8> {
        self.uses += 1;
        let site = digest(&SHA256, b"kai.example");
        [site.as_ref(), &[flags], &self.uses.to_be_bytes()].concat()
    }

    fn make(&mut self, challenge: &[u8]) -> Made {
        let length = u16::try_from(self.id.len()).expect("short").to_be_bytes();
        let data = [self.data(0x41), vec![0; 16], length.to_vec(), self.id.clone()].concat();
        Made {
            id: self.id.clone(),
            client_data: Self::client_data("create", challenge),
            authenticator_data: data,
            public_key: [SPKI, self.pair.public_key().as_ref()].concat(),
        }
    }

    fn sign(&mut self, challenge: &[u8]) -> Proof {
        let (client_data, authenticator_data) = (Self::client_data("get", challenge), self.data(1));
        let signed = [&authenticator_data, digest(&SHA256, &client_data).as_ref()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).expect("signs").as_ref().to_vec();
        Proof::Passkey(Used { id: self.id.clone(), client_data, authenticator_data, signature })
    }
}

fn site() -> Site {
    Site { id: "kai.example".to_owned(), origins: vec![ORIGIN.to_owned()] }
}

async fn first_step(app: &App, platform: &Platform) -> String {
    let owner = &platform.account;
    match log_in(app, &owner.user.email, &owner.password, Client::default()).await.expect("the password") {
        Login::SecondFactor(token) => token,
        Login::Done(_) => panic!("a second factor is asked for"),
    }
}

#[tokio::test]
async fn a_passkey_opens_a_session_once_per_question() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let (app, owner) = (&platform.app, &platform.account);
        let user = owner.user.id;
        let login =
            log_in(app, &owner.user.email, &owner.password, Client::default()).await.expect("the password");
        let Login::Done(open) = login else { panic!("there is no second factor yet") };
        let session = current(app, &open.token).await.expect("reads").expect("it is open").session_id;
        let mut key = Authenticator::new("on a key ring");
        let question = ask_for_passkey(app, session, user).await.expect("asks");
        let made = key.make(&question.challenge);
        let codes = add_passkey(&app.for_itself(), session, user, &site(), "Blue key", made.clone())
            .await
            .expect("it is good");
        assert_eq!(codes.len(), 10);
        let again = add_passkey(&app.for_itself(), session, user, &site(), "Blue key", made).await;
        assert!(again.is_err(), "a question has one answer");
        let question = ask_for_passkey(app, session, user).await.expect("asks");
        let same = key.make(&question.challenge);
        let known = add_passkey(&app.for_itself(), session, user, &site(), "Twin", same).await;
        assert!(known.is_err_and(|error| error.to_string().contains("in use already")));
        let mut other = Authenticator::new("in a telephone");
        let question = ask_for_passkey(app, session, user).await.expect("asks");
        let made = other.make(&question.challenge);
        let codes =
            add_passkey(&app.for_itself(), session, user, &site(), "Phone", made).await.expect("it is good");
        assert!(codes.is_empty(), "there are recovery codes already");

        let token = first_step(app, &platform).await;
        let (_, question) = at_login(app, &token).await.expect("reads").expect("it waits");
        assert_eq!(question.passkeys.len(), 2);
        let stranger = Authenticator::new("on a key ring").sign(&question.challenge);
        let wrong = finish(app, &token, &site(), stranger, Client::default()).await;
        assert!(matches!(wrong, Err(ProofError::Wrong)), "the name alone is not enough");
        let proof = key.sign(&question.challenge);
        let elsewhere = Site { origins: vec!["https://evil.example".to_owned()], ..site() };
        let wrong = finish(app, &token, &elsewhere, proof.clone(), Client::default()).await;
        assert!(matches!(wrong, Err(ProofError::Wrong)));
        let opened =
            finish(app, &token, &site(), proof.clone(), Client::default()).await.expect("it is right");
        let inside = current(app, &opened.token).await.expect("reads").expect("it is open");
        assert!(inside.is_certain);
        let repeated = finish(app, &token, &site(), proof.clone(), Client::default()).await;
        assert!(matches!(repeated, Err(ProofError::Gone)));
        let token = first_step(app, &platform).await;
        let old = finish(app, &token, &site(), proof, Client::default()).await;
        assert!(matches!(old, Err(ProofError::Wrong)), "it answers another question");
        let used = of_user(app, user).await.expect("reads").all;
        assert_eq!(used.iter().map(|one| one.last_used_at.is_some()).collect::<Vec<_>>(), [true, false]);

        let question = ask_to_confirm(app, session, user).await.expect("asks");
        let proof = other.sign(&question.challenge);
        confirm(app, session, user, &site(), proof).await.expect("either of them counts");
        let ended =
            app::accounts::reset_second_factors(&app.for_itself(), &owner.user.email).await.expect("known");
        assert_eq!(ended, 2);
        assert!(current(app, &opened.token).await.expect("reads").is_none(), "sessions end with a reset");
        let login = log_in(app, &owner.user.email, &owner.password, Client::default()).await;
        assert!(matches!(login, Ok(Login::Done(_))), "the password is enough");
        platform.stop().await;
    }
}
