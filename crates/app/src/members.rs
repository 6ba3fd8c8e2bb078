//! Who belongs to a business, and what they may do in it.
//!
//! A business keeps an owner, however many people change roles at once: whoever changes one holds the rows of all members until it is done.

use domain::audit::{Action, Deed, Target};
use domain::business::{Role, User};
use domain::{BusinessId, UserId};
use store::StoreError;

use crate::accounts::{admit, named};
use crate::acting::Concerned;
use crate::setup::{AccountError, check_email, created, new_password, new_user};
use crate::{Acting, App};

/// Somebody who belongs to a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub user: User,
    pub role: Role,
}

/// Who gives somebody a role or takes one away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appointer {
    /// Whoever runs the server, who may do everything.
    Operator,
    /// A member of the business, who may do what their own role allows.
    Member(UserId),
}

/// Somebody who was let into a business.
#[derive(Debug, Clone)]
pub struct Welcomed {
    pub user: User,
    /// The password of an account that was made for them; shown this once.
    pub password: Option<String>,
}

/// Whether accounts are made for people whose e-mail address is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strangers {
    /// An account is made, with a password that whoever lets them in hands over.
    GetAnAccount,
    /// They need an account first.
    StayOutside,
}

/// The members of a business, in the order in which their accounts were made.
pub async fn of_business(app: &App, business: BusinessId) -> Result<Vec<Member>, StoreError> {
    app.platform()
        .read(move |tx| {
            Box::pin(async move {
                let mut members = Vec::new();
                for (id, role) in store::users::members_of(tx, business).await? {
                    let user = store::users::get(tx, id).await?;
                    members.extend(user.map(|user| Member { user, role }));
                }
                members.sort_by_key(|member| member.user.created_at);
                Ok(members)
            })
        })
        .await
}

/// Gives a member another role, or takes the business away from them with `None`. Everybody may leave; only owners make or unmake owners.
pub async fn set_role(
    app: &Acting,
    by: Appointer,
    email: &str,
    business: BusinessId,
    role: Option<Role>,
) -> Result<User, AccountError> {
    let (email, acting) = (email.to_owned(), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let members = store::users::lock_members(tx, business).await?;
                let user = named(tx, &email).await?;
                let known = role_of(&members, user.id).ok_or(AccountError::NotAMember)?;
                let leaves = role.is_none() && by == Appointer::Member(user.id);
                if !leaves {
                    check_right(&members, by, known)?;
                    check_right(&members, by, role.unwrap_or(Role::Viewer))?;
                }
                let others_own =
                    members.iter().any(|(member, role)| *member != user.id && *role == Role::Owner);
                if role != Some(Role::Owner) && !others_own {
                    return Err(AccountError::LastOwner);
                }
                store::users::set_role(tx, user.id, business, role).await?;
                if role != Some(known) {
                    let action = role.map_or(Action::MemberRemoved, |_| Action::MemberChanged);
                    let deed = Deed::new(action, Target::user(&user)).with(
                        "role",
                        known.as_str(),
                        role.map(Role::as_str),
                    );
                    acting.note(tx, Concerned::Business(business), deed).await?;
                }
                Ok(user)
            })
        })
        .await
}

/// Lets somebody into a business who is not in it. Whoever has no account gets one if that is wanted.
pub async fn welcome(
    app: &Acting,
    by: Appointer,
    email: &str,
    business: BusinessId,
    role: Role,
    strangers: Strangers,
) -> Result<Welcomed, AccountError> {
    check_email(email)?;
    match let_one_in(app, by, email, business, role).await {
        Err(AccountError::UnknownUser) if strangers == Strangers::GetAnAccount => {}
        other => return other.map(|user| Welcomed { user, password: None }),
    }
    let password = new_password(&*app.parts().entropy);
    let password_hash = app.passwords().hash(password.clone(), app.random()).await;
    let (user, acting) = (new_user(app, email), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let members = store::users::lock_members(tx, business).await?;
                check_right(&members, by, role)?;
                store::users::insert(tx, &user, &password_hash).await?;
                admit(tx, &acting, &user, &[business], role).await?;
                acting.note(tx, Concerned::Business(business), created(&user)).await?;
                Ok(Welcomed { user, password: Some(password) })
            })
        })
        .await
}

async fn let_one_in(
    app: &Acting,
    by: Appointer,
    email: &str,
    business: BusinessId,
    role: Role,
) -> Result<User, AccountError> {
    let (email, acting) = (email.to_owned(), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let members = store::users::lock_members(tx, business).await?;
                check_right(&members, by, role)?;
                let user = named(tx, &email).await?;
                if role_of(&members, user.id).is_some() {
                    return Err(AccountError::MemberAlready);
                }
                admit(tx, &acting, &user, &[business], role).await?;
                Ok(user)
            })
        })
        .await
}

fn role_of(members: &[(UserId, Role)], user: UserId) -> Option<Role> {
    members.iter().find(|(member, _)| *member == user).map(|(_, role)| *role)
}

/// Whether somebody may appoint to a role, or to another one than this.
fn check_right(members: &[(UserId, Role)], by: Appointer, role: Role) -> Result<(), AccountError> {
    let may = match by {
        Appointer::Operator => true,
        Appointer::Member(user) => role_of(members, user).is_some_and(|own| own.may_appoint(role)),
    };
    if may { Ok(()) } else { Err(AccountError::BeyondRole) }
}
