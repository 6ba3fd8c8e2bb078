//! What an operator does by hand, on every database that is at hand: handing numbers over, lifting wishes, checking a new account.

use app::accounts::{NewBusiness, add_business};
use app::numbers::{Holder, NumberError, assign, register, release};
use app::setup::{AccountError, FirstAccount, first_account};
use domain::number::Number;
use domain::{AgentId, BusinessId, E164, Mode};
use store::StoreError;
use testkit::{Platform, Setup, databases};

use crate::bench::phone;

async fn stored(platform: &Platform, number: &E164) -> Number {
    let number = number.clone();
    let found =
        platform.store.read(move |tx| Box::pin(async move { store::numbers::by_phone(tx, &number).await }));
    found.await.map_err(|error: StoreError| error).expect("the database works").expect("it is registered")
}

#[tokio::test]
async fn a_number_goes_to_a_business_and_its_own_agents_only_and_back_into_the_pool() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let (app, business_id) = (&platform.app, platform.account.business.id);
        let agent: AgentId = platform.agent().await.parse().expect("an id");
        let stranger = platform.stranger("other@example.com", "Other & Co").await.business.id;
        let number = phone("+15125550199");
        let own = Holder { business_id, agent_id: Some(agent) };
        let foreign = Holder { business_id: stranger, agent_id: Some(agent) };
        let nobody = Holder { business_id: BusinessId(uuid::Uuid::nil()), agent_id: None };

        assert!(matches!(
            assign(&app.for_itself(), number.clone(), own).await,
            Err(NumberError::Unregistered)
        ));
        assert!(matches!(release(&app.for_itself(), number.clone()).await, Err(NumberError::Unregistered)));
        assert!(matches!(
            register(&app.for_itself(), number.clone(), Some(foreign), None).await,
            Err(NumberError::UnknownAgent)
        ));
        register(&app.for_itself(), number.clone(), None, None).await.expect("it is new");
        assert!(matches!(
            register(&app.for_itself(), number.clone(), None, None).await,
            Err(NumberError::Taken)
        ));

        assign(&app.for_itself(), number.clone(), own).await.expect("the agent is the business's own");
        for (holder, expected) in [(foreign, "no such agent"), (nobody, "no such business")] {
            let error = assign(&app.for_itself(), number.clone(), holder).await.expect_err(expected);
            assert!(error.to_string().contains(expected), "{error}");
        }
        let held = stored(&platform, &number).await;
        assert_eq!((held.business_id, held.agent_id), (Some(business_id), Some(agent)), "{}", database.kind);
        release(&app.for_itself(), number.clone()).await.expect("it is registered");
        let free = stored(&platform, &number).await;
        assert_eq!((free.business_id, free.agent_id), (None, None), "{}", database.kind);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_lifted_wish_lets_the_number_be_called_again_in_that_mode_only() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let (business, agent) = (platform.account.business.id, platform.agent().await);
        let number = "+15005550013";
        let call = serde_json::json!({ "agent_id": agent, "to": number });
        let placed = platform.post("/api/v1/calls", &call).await;
        platform.finished(&placed.text("id")).await;
        assert_eq!(platform.post("/api/v1/calls", &call).await.code(), "number_on_dnc");

        let acting = platform.app.for_itself();
        let lift = |mode| app::opt_outs::lift(&acting, business, mode, phone(number));
        assert!(!lift(Mode::Live).await.expect("the database works"), "the wish was made in test mode");
        assert_eq!(platform.post("/api/v1/calls", &call).await.code(), "number_on_dnc");
        assert!(lift(Mode::Test).await.expect("the database works"));
        assert!(!lift(Mode::Test).await.expect("the database works"), "there is none left");
        let again = platform.post("/api/v1/calls", &call).await;
        assert_eq!(again.status, 201, "{} {:?}", database.kind, again.body);
        platform.finished(&again.text("id")).await;
        platform.stop().await;
    }
}

#[tokio::test]
async fn an_account_that_nobody_could_use_is_refused_before_anything_is_stored() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let good = || FirstAccount {
            email: "you@example.com".to_owned(),
            password: "long enough".to_owned(),
            business_name: "Smith & Partners".to_owned(),
            timezone: "America/Chicago".to_owned(),
            phone: None,
        };
        let made = first_account(&platform.app.for_itself(), good()).await.expect("nothing is wrong with it");
        assert!(made.is_none(), "there is an account already");
        for email in ["you", "@example.com", "you@host", &format!("{}@example.com", "y".repeat(320))] {
            let wrong = FirstAccount { email: email.to_owned(), ..good() };
            assert!(matches!(wrong.check(), Err(AccountError::Email)), "{email}");
        }
        for password in ["too short", &"x".repeat(257)] {
            let wrong = FirstAccount { password: password.to_owned(), ..good() };
            assert!(matches!(
                first_account(&platform.app.for_itself(), wrong).await,
                Err(AccountError::Password)
            ));
        }
        for name in ["", "  ", "\t", "Smith\nPartners", "Smith\u{202e}", &"x".repeat(201)] {
            let wrong = FirstAccount { business_name: name.to_owned(), ..good() };
            assert!(matches!(wrong.check(), Err(AccountError::BusinessName)), "{name:?}");
            let second = NewBusiness {
                name: name.to_owned(),
                timezone: "UTC".to_owned(),
                phone: None,
                owner: "owner@example.com".to_owned(),
            };
            let made = add_business(&platform.app.for_itself(), second).await;
            assert!(matches!(made, Err(AccountError::BusinessName)), "{name:?}");
        }
        let wrong = FirstAccount { timezone: "Texas".to_owned(), ..good() };
        assert!(matches!(
            first_account(&platform.app.for_itself(), wrong).await,
            Err(AccountError::Timezone(_))
        ));
        platform.stop().await;
    }
}
