//! Who may log in, for how long, and what they see, on every database that is at hand.

use std::sync::Arc;

use app::App;
use app::accounts::{NewBusiness, add_business, add_user, end_sessions, let_in, set_password};
use app::keys::{KeyError, NewKey};
use app::members::{Appointer, Strangers, of_business, set_role, welcome};
use app::sessions::{Client, LoggedIn, LoginError, current, log_in_with_code, log_out};
use app::setup::AccountError;
use domain::api_key::PlainKey;
use domain::business::Role;
use domain::{BusinessId, Clock as _, E164, Mode, ScopeSet};
use jiff::SignedDuration;
use store::Page;
use testkit::{ManualClock, Platform, Setup, TestDatabase, databases};
use uuid::Uuid;

async fn start(database: &TestDatabase) -> (Platform, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at("2026-11-28T12:00:00Z"));
    let setup = Setup { clock: Arc::<ManualClock>::clone(&clock), ..Setup::default() };
    (Platform::start(database, setup).await, clock)
}

async fn log_in(app: &App, email: &str, password: &str, client: Client) -> Result<LoggedIn, LoginError> {
    log_in_with_code(app, email, password, None, client).await
}

async fn is_in(platform: &Platform, token: &str) -> bool {
    current(&platform.app, token).await.expect("the database works").is_some()
}

#[tokio::test]
async fn a_login_ends_half_an_hour_after_its_last_use() {
    for database in databases().await {
        let (platform, clock) = start(&database).await;
        let owner = &platform.account;
        let token = log_in(&platform.app, " Owner@Example.com ", &owner.password, Client::default())
            .await
            .expect("the password")
            .token;
        for _ in 0..3 {
            clock.advance(SignedDuration::from_mins(30));
            assert!(is_in(&platform, &token).await, "{}: used in time", database.kind);
        }
        clock.advance(SignedDuration::from_mins(30) + SignedDuration::from_secs(1));
        assert!(!is_in(&platform, &token).await, "{}: idle for too long", database.kind);
        assert!(!is_in(&platform, &token).await, "asking does not bring it back");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_login_ends_twelve_hours_after_it_began_however_much_it_is_used() {
    for database in databases().await {
        let (platform, clock) = start(&database).await;
        let owner = &platform.account;
        let session = log_in(&platform.app, &owner.user.email, &owner.password, Client::default())
            .await
            .expect("the password");
        assert_eq!(session.expires_at, clock.now() + SignedDuration::from_hours(12));
        for _ in 0..35 {
            clock.advance(SignedDuration::from_mins(20));
            assert!(is_in(&platform, &session.token).await, "{}", database.kind);
        }
        clock.advance(SignedDuration::from_mins(20));
        assert!(!is_in(&platform, &session.token).await, "{}", database.kind);
        platform.stop().await;
    }
}

#[tokio::test]
async fn logging_out_ends_one_login_and_a_new_password_ends_all() {
    for database in databases().await {
        let (platform, _) = start(&database).await;
        let (app, owner) = (&platform.app, &platform.account);
        let enter = async || {
            log_in(app, &owner.user.email, &owner.password, Client::default())
                .await
                .expect("the password")
                .token
        };
        let (one, other) = (enter().await, enter().await);
        log_out(app, &one, None).await.expect("the database works");
        log_out(app, &one, None).await.expect("doing it again changes nothing");
        assert!(!is_in(&platform, &one).await && is_in(&platform, &other).await, "{}", database.kind);

        let unknown =
            set_password(&app.for_itself(), "nobody@example.com", "a new password".to_owned()).await;
        assert!(matches!(unknown, Err(AccountError::UnknownUser)));
        let short = set_password(&app.for_itself(), &owner.user.email, "short".to_owned()).await;
        assert!(matches!(short, Err(AccountError::Password)));
        assert!(is_in(&platform, &other).await, "what is refused changes nothing");
        let third = enter().await;
        let ended = set_password(&app.for_itself(), &owner.user.email, "a new password".to_owned()).await;
        assert_eq!(ended.expect("the user exists"), 2);
        assert!(!is_in(&platform, &other).await && !is_in(&platform, &third).await);
        let old = log_in(app, &owner.user.email, &owner.password, Client::default()).await;
        assert!(matches!(old, Err(LoginError::Wrong)), "{}", database.kind);
        let new =
            log_in(app, &owner.user.email, "a new password", Client::default()).await.expect("the new one");
        assert_eq!(end_sessions(&app.for_itself(), &owner.user.email).await.expect("the user exists"), 1);
        assert!(!is_in(&platform, &new.token).await, "{}", database.kind);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_new_user_sees_the_businesses_that_they_were_let_into() {
    for database in databases().await {
        let (platform, _) = start(&database).await;
        let app = &platform.app;
        let wanted = |timezone: &str, owner: &str| NewBusiness {
            name: "Lopez Roofing".to_owned(),
            timezone: timezone.to_owned(),
            phone: E164::parse("+442079460000").ok(),
            owner: owner.to_owned(),
        };
        let owner = &platform.account.user.email;
        let wrong = add_business(&app.for_itself(), wanted("Texas", owner)).await;
        assert!(matches!(wrong, Err(AccountError::Timezone(_))));
        let nobody = add_business(&app.for_itself(), wanted("Europe/London", "nobody@example.com")).await;
        assert!(matches!(nobody, Err(AccountError::UnknownUser)));
        let business = add_business(&app.for_itself(), wanted("Europe/London", owner))
            .await
            .expect("nothing is wrong with it");
        assert_eq!(business.country_calling_code, "44", "it is at home where its office is");
        let seen = async |user| {
            let tenancy = app::sessions::tenancy(app, user, Mode::Live).await.expect("the database works");
            tenancy.businesses().to_vec()
        };
        assert!(seen(platform.account.user.id).await.contains(&business.id));

        let first = platform.account.business.id;
        let missing = BusinessId(Uuid::from_u128(7));
        let password = || "long enough".to_owned();
        let lost =
            add_user(&app.for_itself(), "maria@example.com", password(), vec![missing], Role::Owner).await;
        assert!(matches!(lost, Err(AccountError::UnknownBusiness)));
        let maria =
            add_user(&app.for_itself(), "Maria@Example.com", password(), vec![business.id], Role::Owner)
                .await
                .expect("a new user");
        assert_eq!(maria.email, "maria@example.com");
        assert_eq!(seen(maria.id).await, [business.id], "{}", database.kind);
        let taken =
            add_user(&app.for_itself(), "maria@example.com", password(), Vec::new(), Role::Owner).await;
        assert!(matches!(taken, Err(AccountError::EmailTaken)));
        let lost = let_in(&app.for_itself(), "maria@example.com", vec![first, missing], Role::Owner).await;
        assert!(matches!(lost, Err(AccountError::UnknownBusiness)));
        assert_eq!(seen(maria.id).await, [business.id], "{}: all or nothing", database.kind);
        let_in(&app.for_itself(), "MARIA@example.com", vec![first, business.id], Role::Owner)
            .await
            .expect("both exist");
        let mut all = vec![first, business.id];
        all.sort();
        assert_eq!(seen(maria.id).await, all, "{}", database.kind);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_key_works_until_it_expires_or_is_revoked_and_only_for_its_owners_businesses() {
    for database in databases().await {
        let (platform, clock) = start(&database).await;
        let (app, owner) = (&platform.app, &platform.account);
        let stranger = platform.stranger("other@example.com", "Other & Co").await;
        let wanted = |business_id: Option<BusinessId>| NewKey {
            name: "Office".to_owned(),
            mode: Mode::Test,
            scopes: ScopeSet::new([domain::Scope::LeadsRead]),
            business_id,
            expires_at: Some(clock.now() + SignedDuration::from_hours(1)),
        };
        let foreign =
            app::keys::create(&app.for_itself(), owner.user.id, wanted(Some(stranger.business.id))).await;
        assert!(matches!(foreign, Err(KeyError::ForeignBusiness)), "{}", database.kind);
        let made = app::keys::create(&app.for_itself(), owner.user.id, wanted(Some(owner.business.id)))
            .await
            .expect("a key");
        let plain = PlainKey::parse(&made.plain).expect("a key");
        let found = app::keys::authenticate(app, &plain, clock.now()).await.expect("the database works");
        let found = found.expect("it works");
        assert_eq!(found.tenancy.businesses(), [owner.business.id]);
        assert!(app::keys::is_usable(app, &found, clock.now()).await.expect("the database works"));
        let expired = clock.now() + SignedDuration::from_hours(1);
        assert!(!app::keys::is_usable(app, &found, expired).await.expect("the database works"));

        let page = Page { limit: 10, after: None };
        let listed = app::keys::list(app, owner.user.id, page).await.expect("the database works");
        assert!(listed.rows.iter().any(|key| key.id == made.key.id) && !listed.has_more);
        let revoke = async |user| {
            app::keys::revoke(&app.for_itself(), user, made.key.id).await.expect("the database works")
        };
        assert!(!revoke(stranger.user.id).await, "somebody else's key is out of reach");
        assert!(app::keys::is_usable(app, &found, clock.now()).await.expect("the database works"));
        assert!(revoke(owner.user.id).await && revoke(owner.user.id).await);
        assert!(!app::keys::is_usable(app, &found, clock.now()).await.expect("the database works"));
        platform.stop().await;
    }
}

#[tokio::test]
async fn members_give_no_role_that_is_above_their_own_and_everybody_may_leave() {
    for database in databases().await {
        let (platform, _) = start(&database).await;
        let (app, business) = (&platform.app, platform.account.business.id);
        let mut people = Vec::new();
        for role in [Role::Admin, Role::Member, Role::Viewer] {
            let email = format!("{}@example.com", role.as_str());
            let by = Appointer::Member(platform.account.user.id);
            let made = welcome(&app.for_itself(), by, &email, business, role, Strangers::GetAnAccount)
                .await
                .expect("a member");
            let password = made.password.expect("an account was made");
            log_in(app, &email, &password, Client::default()).await.expect("the password works");
            people.push((role, made.user.id));
        }
        for (own, user) in &people {
            for role in Role::ALL {
                let email = format!("{}-by-{}@example.com", role.as_str(), own.as_str());
                let by = Appointer::Member(*user);
                let done =
                    welcome(&app.for_itself(), by, &email, business, *role, Strangers::GetAnAccount).await;
                assert_eq!(
                    done.is_ok(),
                    *own == Role::Admin && *role != Role::Owner,
                    "{own:?} gives {role:?}"
                );
                if done.is_err() {
                    let nobody = log_in(app, &email, "whatever it is", Client::default()).await;
                    assert!(matches!(nobody, Err(LoginError::Wrong)));
                    let unknown = let_in(&app.for_itself(), &email, Vec::new(), Role::Viewer).await;
                    assert!(matches!(unknown, Err(AccountError::UnknownUser)), "no account was made");
                }
            }
        }
        let admin = Appointer::Member(people[0].1);
        let owner = platform.account.user.email.as_str();
        for role in [Some(Role::Member), None] {
            let refused = set_role(&app.for_itself(), admin, owner, business, role).await;
            assert!(matches!(refused, Err(AccountError::BeyondRole)), "an admin does not unmake an owner");
        }
        let refused =
            set_role(&app.for_itself(), admin, "member@example.com", business, Some(Role::Owner)).await;
        assert!(matches!(refused, Err(AccountError::BeyondRole)));
        set_role(&app.for_itself(), admin, "member@example.com", business, Some(Role::Viewer))
            .await
            .expect("an admin may");
        let viewer = Appointer::Member(people[2].1);
        let refused = set_role(&app.for_itself(), viewer, "member@example.com", business, None).await;
        assert!(matches!(refused, Err(AccountError::BeyondRole)));
        set_role(&app.for_itself(), viewer, "viewer@example.com", business, None)
            .await
            .expect("everybody may leave");
        let gone = set_role(&app.for_itself(), viewer, "member@example.com", business, None).await;
        assert!(matches!(gone, Err(AccountError::BeyondRole)), "whoever left has no say");
        let again =
            welcome(&app.for_itself(), admin, owner, business, Role::Viewer, Strangers::GetAnAccount).await;
        assert!(matches!(again, Err(AccountError::MemberAlready)));
        let acting = app.for_itself();
        let stranger =
            welcome(&acting, admin, "somebody@example.com", business, Role::Viewer, Strangers::StayOutside);
        assert!(matches!(stranger.await, Err(AccountError::UnknownUser)));
        platform.stop().await;
    }
}

#[tokio::test]
async fn two_owners_who_remove_each_other_at_once_leave_one() {
    for database in databases().await {
        let (platform, _) = start(&database).await;
        let (app, business) = (&platform.app, platform.account.business.id);
        let (first, second) = ("owner@example.com", "second@example.com");
        for _ in 0..10 {
            let operator = Appointer::Operator;
            let both =
                welcome(&app.for_itself(), operator, second, business, Role::Owner, Strangers::GetAnAccount)
                    .await;
            assert!(matches!(both, Ok(_) | Err(AccountError::MemberAlready)));
            let back =
                welcome(&app.for_itself(), operator, first, business, Role::Owner, Strangers::GetAnAccount)
                    .await;
            assert!(matches!(back, Ok(_) | Err(AccountError::MemberAlready)));
            let removals = [first, second].map(|email| {
                let app = app.clone();
                tokio::spawn(
                    async move { set_role(&app.for_itself(), operator, email, business, None).await },
                )
            });
            let mut done = 0;
            for removal in removals {
                match removal.await.expect("no panic") {
                    Ok(_) => done += 1,
                    Err(AccountError::LastOwner) => {}
                    Err(other) => panic!("{}: {other}", database.kind),
                }
            }
            let left = of_business(app, business).await.expect("the database works");
            assert_eq!((done, left.len(), left[0].role), (1, 1, Role::Owner), "{}", database.kind);
        }
        platform.stop().await;
    }
}
