//! Whoever looks at one of two things sees that one, and whoever changes it leaves the other as it was.

use std::fmt::Debug;
use std::time::Duration;

use domain::business::Role;
use domain::call::{Call, Findings, Party, Utterance};
use domain::endpoint::{Disabled, DisabledReason};
use domain::event::Subject;
use domain::usage::Month;
use domain::{
    AgentId, Author, BusinessId, CallId, DeliveryId, EndpointId, EventId, LeadId, Mode, NodeId, SessionId,
    UserId,
};
use store::call_remarks::Remark;
use store::deliveries::DeliveryState;
use store::endpoints::NewSecret;
use store::events::{EventFilter, EventOutcome, EventStatus};
use store::saved_views::SavedView;
use store::sessions::NewSession;
use store::{BoxFuture, Platform, PlatformTx, StoreError, Vault};
use testkit::databases;

use crate::{
    OURS, PAGE, THEIRS, agent, at, business, call, delivery, endpoint, event, id, key, lead, made_at, number,
    ours, phone, run, transcript, with_tenants,
};

/// What is done with the one of two things that has this number, or what is seen of it.
type Act<T> = for<'t> fn(&'t mut PlatformTx, &'t Vault, u128) -> BoxFuture<'t, Result<T, StoreError>>;

/// Two things that differ in their number alone stand beside each other: how each comes into being, how it is seen, and how it is changed.
struct Pair {
    name: &'static str,
    make: Act<()>,
    see: Act<String>,
    changes: &'static [(&'static str, Act<()>)],
}

fn text(seen: impl Debug) -> String {
    format!("{seen:?}")
}

const MODE: Mode = Mode::Test;

/// One of two businesses.
fn owner(number: u128) -> BusinessId {
    if number == 1 { OURS } else { THEIRS }
}

fn session(number: u128) -> NewSession {
    NewSession {
        id: SessionId(id(number)),
        user_id: UserId(id(20 + number)),
        token_hash: [u8::try_from(number).expect("a small number"); 32],
        created_at: at(100),
        expires_at: at(900),
        browser: Some(format!("browser {number}")),
        address: None,
    }
}

fn remark(number: u128, note: &str) -> Remark {
    Remark {
        call_id: CallId(id(10 + number)),
        business_id: OURS,
        mode: MODE,
        note: note.to_owned(),
        tags: vec![format!("tag {number}")],
        written_by: "you@example.com".into(),
        written_at: at(7),
    }
}

fn view(number: u128, query: &str) -> SavedView {
    SavedView {
        user_id: UserId(id(20 + number)),
        name: "Mine".into(),
        query: format!("{query}={number}"),
        created_at: made_at(number),
    }
}

/// A call that is being made.
fn dialling(number: u128) -> Call {
    let mut made = call(number, OURS, MODE);
    assert!(made.dial(NodeId(id(9))));
    made
}

/// A lead with a number and an address of its own.
fn person(number: u128) -> domain::lead::Lead {
    let mut made = lead(number, OURS, MODE);
    made.fields.email = Some(format!("{number}@example.com"));
    made.fields.phone = Some(phone(&format!("+1512555{number:04}")).into());
    made
}

const PAIRS: &[Pair] = &[
    Pair {
        name: "businesses",
        make: |_, _, _| Box::pin(async { Ok(()) }),
        see: |tx, vault, number| {
            Box::pin(async move {
                let secret = store::businesses::webhook_secret(tx, vault, owner(number)).await?;
                Ok(text((store::businesses::by_id(tx, owner(number)).await?, secret)))
            })
        },
        changes: &[
            ("update", |tx, _, number| {
                Box::pin(async move {
                    let mut changed = business(owner(number));
                    changed.disclosures.ai = true;
                    store::businesses::update(tx, &changed).await.map(drop)
                })
            }),
            ("exchange_webhook_secret", |tx, vault, number| {
                Box::pin(async move {
                    let secret = format!("whsec_new_{number}");
                    let new = NewSecret { secret: &secret, nonce: [5; 24], overlap_until: None };
                    store::businesses::exchange_webhook_secret(tx, vault, owner(number), new).await.map(drop)
                })
            }),
        ],
    },
    Pair {
        name: "users",
        make: |_, _, _| Box::pin(async { Ok(()) }),
        see: |tx, _, number| {
            Box::pin(async move {
                let address = format!("{}@example.com", 20 + number);
                let businesses = store::users::businesses_of(tx, UserId(id(20 + number))).await?;
                Ok(text((store::users::by_email(tx, &address).await?, businesses)))
            })
        },
        changes: &[
            ("set_password_hash", |tx, _, number| {
                Box::pin(async move {
                    store::users::set_password_hash(tx, UserId(id(20 + number)), "another hash").await
                })
            }),
            ("add_membership", |tx, _, number| {
                Box::pin(async move {
                    store::users::add_membership(tx, UserId(id(20 + number)), owner(number), Role::Owner)
                        .await
                })
            }),
        ],
    },
    Pair {
        name: "sessions",
        make: |tx, _, number| Box::pin(async move { store::sessions::insert(tx, &session(number)).await }),
        see: |tx, _, number| {
            Box::pin(async move {
                let token = session(number).token_hash;
                let all = store::sessions::of_user(tx, UserId(id(20 + number)), at(200)).await?;
                Ok(text((store::sessions::by_token_hash(tx, &token, at(200)).await?, all)))
            })
        },
        changes: &[
            ("touch", |tx, _, number| {
                Box::pin(async move { store::sessions::touch(tx, SessionId(id(number)), at(150)).await })
            }),
            ("delete_one", |tx, _, number| {
                Box::pin(async move {
                    let user = UserId(id(20 + number));
                    store::sessions::delete_one(tx, user, SessionId(id(number))).await.map(drop)
                })
            }),
        ],
    },
    Pair {
        name: "keys",
        make: |tx, _, number| {
            Box::pin(async move {
                let hash = [u8::try_from(number).expect("a small number"); 32];
                store::keys::insert(tx, &key(number, 20 + number), &hash).await
            })
        },
        see: |tx, _, number| {
            Box::pin(
                async move { Ok(text(store::keys::list(tx, UserId(id(20 + number)), &PAGE).await?.rows)) },
            )
        },
        changes: &[
            ("touch_used", |tx, _, number| {
                Box::pin(
                    async move { store::keys::touch_used(tx, &[(domain::KeyId(id(number)), at(50))]).await },
                )
            }),
            ("revoke", |tx, _, number| {
                Box::pin(async move {
                    let (user, key) = (UserId(id(20 + number)), domain::KeyId(id(number)));
                    store::keys::revoke(tx, user, key, at(60)).await.map(drop)
                })
            }),
        ],
    },
    Pair {
        name: "agents",
        make: |tx, _, number| {
            Box::pin(async move { store::agents::insert(tx, &agent(number, OURS), &Author::system()).await })
        },
        see: |tx, _, number| {
            Box::pin(async move { Ok(text(store::agents::by_id(tx, AgentId(id(number))).await?)) })
        },
        changes: &[
            ("update", |tx, _, number| {
                Box::pin(async move {
                    let before = agent(number, OURS);
                    let mut changed = before.clone();
                    changed.config.name = format!("Front desk {number}");
                    changed.version = 2;
                    let by = Author::system().into();
                    store::agents::update(tx, &ours(MODE), &changed, &before.config, &by).await
                })
            }),
            ("prefer_engine", |tx, _, number| {
                Box::pin(async move {
                    store::agents::prefer_engine(tx, AgentId(id(number)), Some("sandbox")).await.map(drop)
                })
            }),
        ],
    },
    Pair {
        name: "numbers",
        make: |tx, _, row| {
            Box::pin(async move {
                let held = number(row, &format!("+1512555010{row}"), OURS, row);
                store::numbers::insert(tx, &held).await
            })
        },
        see: |tx, _, row| {
            Box::pin(async move {
                Ok(text(store::numbers::by_phone(tx, &phone(&format!("+1512555010{row}"))).await?))
            })
        },
        changes: &[
            ("carried_by", |tx, _, row| {
                Box::pin(async move {
                    store::numbers::carried_by(tx, &phone(&format!("+1512555010{row}")), "vapi").await
                })
            }),
            ("assign", |tx, _, row| {
                Box::pin(async move {
                    let number = phone(&format!("+1512555010{row}"));
                    store::numbers::assign(tx, &number, Some(THEIRS), None).await.map(drop)
                })
            }),
        ],
    },
    Pair {
        name: "leads",
        make: |tx, _, number| Box::pin(async move { store::leads::insert(tx, &person(number)).await }),
        see: |tx, _, number| {
            Box::pin(async move {
                let known = person(number).fields;
                let by_id = store::leads::get(tx, &ours(MODE), LeadId(id(number))).await?;
                let email = known.email.expect("an address");
                let by_email = store::leads::by_email(tx, &ours(MODE), &email).await?;
                let written = phone(&format!("+1512555{number:04}"));
                let by_phone = store::leads::by_phone(tx, &ours(MODE), &written).await?;
                assert_eq!(
                    (&by_email, &by_phone),
                    (&by_id, &by_id),
                    "they are found by all they are known by"
                );
                Ok(text(by_id))
            })
        },
        changes: &[
            ("update", |tx, _, number| {
                Box::pin(async move {
                    let mut changed = person(number);
                    changed.fields.status = "won".into();
                    store::leads::update(tx, &changed).await
                })
            }),
            ("absorb", |tx, _, number| {
                Box::pin(async move {
                    // Whoever looks for the one that is gone finds the one that took it over.
                    store::leads::insert(tx, &lead(100 + number, OURS, MODE)).await?;
                    let from = person(number);
                    store::leads::absorb(tx, &from, LeadId(id(100 + number)), at(9)).await.map(drop)
                })
            }),
        ],
    },
    Pair {
        name: "calls",
        make: |tx, _, number| {
            Box::pin(async move { store::calls::insert(tx, &dialling(number)).await.map(drop) })
        },
        see: |tx, _, number| {
            Box::pin(async move {
                let end_seen = store::calls::end_seen_at(tx, CallId(id(number))).await?;
                let mut is_due = Vec::new();
                for second in [750, 9_000] {
                    let due = store::calls::to_check(tx, at(second), 10).await?;
                    is_due.push(due.iter().any(|one| one.call.id == CallId(id(number))));
                }
                Ok(text((store::calls::by_id(tx, CallId(id(number))).await?, end_seen, is_due)))
            })
        },
        changes: &[
            ("update", |tx, _, number| {
                Box::pin(async move {
                    let mut changed = dialling(number);
                    changed.name(&format!("leg-{number}"));
                    store::calls::update(tx, &changed).await
                })
            }),
            ("replace", |tx, _, number| {
                Box::pin(async move {
                    let before = store::calls::lock(tx, CallId(id(number))).await?.expect("the call");
                    let mut changed = before.clone();
                    changed.belong_to(LeadId(id(77)));
                    store::calls::replace(tx, &before, &changed).await
                })
            }),
            ("check_at", |tx, _, number| {
                Box::pin(async move { store::calls::check_at(tx, CallId(id(number)), at(800)).await })
            }),
            ("check_by", |tx, _, number| {
                Box::pin(async move { store::calls::check_by(tx, CallId(id(number)), at(700)).await })
            }),
            ("end_seen", |tx, _, number| {
                Box::pin(async move { store::calls::end_seen(tx, CallId(id(number)), at(600)).await })
            }),
        ],
    },
    Pair {
        name: "findings, remarks and transcripts",
        make: |tx, _, number| {
            Box::pin(async move {
                let made = call(10 + number, OURS, MODE);
                store::calls::insert(tx, &made).await?;
                let found = Findings { summary: Some(format!("Summary {number}")), ..Findings::default() };
                store::findings::put(tx, made.id, &found, at(5)).await?;
                store::call_remarks::put(tx, &remark(number, "At first")).await?;
                let said = format!("Caller: I am {number}");
                store::transcripts::insert(tx, &transcript(&made, &said, Vec::new())).await
            })
        },
        see: |tx, _, number| {
            Box::pin(async move {
                let call = CallId(id(10 + number));
                let found = store::findings::get(tx, call).await?;
                let noted = store::call_remarks::of_call(tx, &ours(MODE), call).await?;
                Ok(text((found, noted, store::transcripts::get(tx, &ours(MODE), call).await?)))
            })
        },
        changes: &[
            ("findings::put", |tx, _, number| {
                Box::pin(async move {
                    let found = Findings { name: Some(format!("Name {number}")), ..Findings::default() };
                    store::findings::put(tx, CallId(id(10 + number)), &found, at(6)).await.map(drop)
                })
            }),
            ("call_remarks::put", |tx, _, number| {
                Box::pin(async move { store::call_remarks::put(tx, &remark(number, "Later")).await })
            }),
            ("transcripts::replace", |tx, _, number| {
                Box::pin(async move {
                    let of = call(10 + number, OURS, MODE);
                    let said = Utterance {
                        by: Party::Caller,
                        text: format!("I was {number}"),
                        start: Duration::from_secs(1),
                        end: Duration::from_secs(2),
                        interrupted: false,
                    };
                    let better = transcript(&of, "Caller: I was", vec![said]);
                    store::transcripts::replace(tx, &better).await.map(drop)
                })
            }),
        ],
    },
    Pair {
        name: "saved views",
        make: |tx, _, number| {
            Box::pin(async move { store::saved_views::put(tx, &view(number, "first")).await })
        },
        see: |tx, _, number| {
            Box::pin(async move { Ok(text(store::saved_views::of_user(tx, UserId(id(20 + number))).await?)) })
        },
        changes: &[
            ("put", |tx, _, number| {
                Box::pin(async move { store::saved_views::put(tx, &view(number, "second")).await })
            }),
            ("delete", |tx, _, number| {
                Box::pin(async move {
                    assert!(!store::saved_views::delete(tx, UserId(id(20 + number)), "Yours").await?);
                    store::saved_views::delete(tx, UserId(id(20 + number)), "Mine").await.map(drop)
                })
            }),
        ],
    },
    Pair {
        name: "subscriptions",
        make: |tx, vault, number| {
            Box::pin(async move {
                let made = endpoint(number, owner(number), MODE);
                store::endpoints::insert(tx, vault, &made, &format!("whsec_{number}"), &[9; 24]).await
            })
        },
        see: |tx, vault, number| {
            Box::pin(async move {
                let tenancy = store::Tenancy::one(owner(number), MODE);
                let secrets = store::endpoints::secrets(tx, vault, EndpointId(id(number)), at(50)).await?;
                Ok(text((store::endpoints::get(tx, &tenancy, EndpointId(id(number))).await?, secrets)))
            })
        },
        changes: &[
            ("update", |tx, _, number| {
                Box::pin(async move {
                    let mut changed = endpoint(number, owner(number), MODE);
                    changed.description = Some(format!("Another office, {number}"));
                    store::endpoints::update(tx, &changed).await
                })
            }),
            ("exchange_secret", |tx, vault, number| {
                Box::pin(async move {
                    let secret = format!("whsec_second_{number}");
                    let new = NewSecret { secret: &secret, nonce: [3; 24], overlap_until: Some(at(100)) };
                    store::endpoints::exchange_secret(tx, vault, EndpointId(id(number)), new, at(40)).await
                })
            }),
            ("fails", |tx, _, number| {
                Box::pin(async move {
                    store::endpoints::fails(tx, EndpointId(id(number)), "timeout", at(41)).await
                })
            }),
            ("works_again", |tx, _, number| {
                Box::pin(async move { store::endpoints::works_again(tx, EndpointId(id(number))).await })
            }),
            ("disable", |tx, _, number| {
                Box::pin(async move {
                    let url = format!("https://hooks.example.com/{number}");
                    let disabled = Disabled { at: at(42), reason: DisabledReason::Gone };
                    let off =
                        store::endpoints::disable(tx, EndpointId(id(number)), &url, disabled, "gone", None);
                    assert!(off.await?.is_some());
                    Ok(())
                })
            }),
            ("remove_all", |tx, _, number| {
                Box::pin(async move {
                    let tenancy = store::Tenancy::one(owner(number), MODE);
                    let removed = store::endpoints::remove_all(tx, &tenancy, owner(number), at(43)).await?;
                    assert_eq!(removed, 1);
                    Ok(())
                })
            }),
        ],
    },
    Pair {
        name: "events and deliveries",
        make: |tx, _, number| {
            Box::pin(async move {
                let told = event(number, OURS, MODE, Subject::Lead(LeadId(id(number))));
                store::events::insert(tx, &told, EventOutcome::Sent).await?;
                store::deliveries::insert(tx, &delivery(number, number, OURS, None)).await
            })
        },
        see: |tx, _, number| {
            Box::pin(async move {
                let filter = EventFilter { id: Some(EventId(id(number))), ..EventFilter::default() };
                let listed = store::events::list(tx, &ours(MODE), &filter, &PAGE).await?.rows;
                let skipped = EventFilter { status: Some(EventStatus::Skipped), ..filter };
                let skipped = store::events::list(tx, &ours(MODE), &skipped, &PAGE).await?.rows;
                let deliveries = store::deliveries::of_event(tx, EventId(id(number))).await?;
                Ok(text((listed, skipped, deliveries)))
            })
        },
        changes: &[
            ("set_outcome", |tx, _, number| {
                Box::pin(async move {
                    store::events::set_outcome(tx, EventId(id(number)), EventOutcome::Skipped).await
                })
            }),
            ("deliveries::update", |tx, _, number| {
                Box::pin(async move {
                    let found = store::deliveries::lock(tx, DeliveryId(id(number))).await?;
                    let mut changed = found.expect("the delivery");
                    changed.state = DeliveryState::Failed;
                    store::deliveries::update(tx, &changed).await
                })
            }),
        ],
    },
    Pair {
        name: "minutes talked",
        make: |tx, _, number| {
            Box::pin(async move {
                let talked = Duration::from_secs(u64::try_from(number).expect("a small number"));
                store::usage::add_talked(tx, owner(number), MODE, Month::of(at(5)), talked).await
            })
        },
        see: |tx, _, number| {
            Box::pin(async move {
                let tenancy = store::Tenancy::one(owner(number), MODE);
                let month = Month::of(at(5));
                Ok(text(store::usage::talked_in(tx, &tenancy, owner(number), month).await?))
            })
        },
        changes: &[("add_talked", |tx, _, number| {
            Box::pin(async move {
                let talked = Duration::from_secs(60);
                store::usage::add_talked(tx, owner(number), MODE, Month::of(at(5)), talked).await
            })
        })],
    },
];

async fn act<T: Send + 'static>(platform: &Platform, act: Act<T>, number: u128) -> T {
    let vault = platform.vault().clone();
    run(platform, move |tx| Box::pin(async move { act(tx, &vault, number).await })).await
}

#[tokio::test]
async fn a_change_of_one_thing_is_seen_there_and_nowhere_else() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        for Pair { name, make, see, changes } in PAIRS {
            for number in [1, 2] {
                act(&platform, *make, number).await;
            }
            for (change, change_it) in *changes {
                for (number, other) in [(1, 2), (2, 1)] {
                    let before = (act(&platform, *see, number).await, act(&platform, *see, other).await);
                    assert_ne!(before.0, before.1, "{}: both {name} look alike", database.kind);
                    act(&platform, *change_it, number).await;
                    let after = (act(&platform, *see, number).await, act(&platform, *see, other).await);
                    assert_ne!(after.0, before.0, "{}: {change} changes no {name}", database.kind);
                    assert_eq!(after.1, before.1, "{}: {change} changes two {name}", database.kind);
                }
            }
        }
    }
}
