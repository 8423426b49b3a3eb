//! The wish to leave: what stands in its way, and how somebody shows that it is really theirs.

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::begin;
use crate::app::App;
use crate::auth::limits::Limit;
use crate::auth::{Address, password};
use crate::belongings::letters;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::member::{self, Role};
use crate::db::entities::user::{self, UserState};
use crate::error::Error;
use crate::jobs::{self, Job, Outcome};

/// How long a mailed link is good.
pub const LINK_LIFETIME: Duration = Duration::from_secs(60 * 60);
const PURPOSE: &str = "leave";

/// Why somebody cannot leave yet.
#[derive(Clone, Debug, Default)]
pub struct Hindrances {
    /// Accounts that would have no owner.
    pub accounts: Vec<account::Model>,
    /// The site would have no operator.
    pub last_operator: bool,
}

impl Hindrances {
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && !self.last_operator
    }
}

/// What stands in a person's way.
pub async fn hindrances<C: ConnectionTrait>(db: &C, user: &user::Model) -> Result<Hindrances, DbErr> {
    let mine = owners().and_where(of_member(member::Column::UserId).eq(user.id)).take();
    let same = of_member(member::Column::UserId).equals((user::Entity, user::Column::Id));
    let others = owners()
        .join(JoinType::InnerJoin, user::Entity, same)
        .and_where(Expr::col((user::Entity, user::Column::State)).eq(UserState::Active))
        .and_where(of_member(member::Column::UserId).ne(user.id))
        .take();
    // One that is closed can stay without an owner.
    let accounts = account::Entity::find()
        .filter(account::COLUMN.state.eq(AccountState::Active))
        .filter(Expr::exists(mine))
        .filter(Expr::exists(others).not())
        .order_by_asc(account::COLUMN.id)
        .all(db)
        .await?;
    let other_operators = user::Entity::find()
        .filter(user::COLUMN.operator.eq(true))
        .filter(user::COLUMN.state.eq(UserState::Active))
        .filter(user::COLUMN.id.ne(user.id))
        .count(db)
        .await?;
    Ok(Hindrances { accounts, last_operator: user.operator && other_operators == 0 })
}

/// Owners of an account, for a statement that looks at accounts.
fn owners() -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(member::Entity)
        .and_where(of_member(member::Column::AccountId).equals((account::Entity, account::Column::Id)))
        .and_where(of_member(member::Column::Role).eq(Role::Owner))
        .take()
}

fn of_member(column: member::Column) -> Expr {
    Expr::col((member::Entity, column))
}

/// Begins it for somebody who knows their password.
///
/// # Errors
/// Invalid `password`; too many tries; conflict where something stands in the way.
pub async fn by_password(app: &App, user: &user::Model, typed: &str) -> Result<(), Error> {
    let address = Address::parse(&user.email).map_err(|message| Error::invalid("password", message))?;
    app.limits.address(Limit::Password, &address)?;
    if !password::verify(typed, user.password_hash.clone()).await? {
        return Err(Error::invalid("password", "settings-password-current-wrong"));
    }
    begin(app, user).await
}

/// Asks for a link by mail, for those who have no password.
///
/// # Errors
/// Too many tries.
pub async fn ask_for_link(app: &App, user: &user::Model) -> Result<(), Error> {
    let address = Address::parse(&user.email).map_err(|message| Error::invalid("password", message))?;
    app.limits.address(Limit::LinkMail, &address)?;
    let now = app.clock.now();
    let job = Job::SendLeavingLink { user_id: user.id };
    jobs::queue::enqueue(app.db.write(), now, job, now).await?;
    Ok(())
}

/// The job of it.
pub async fn send_link(app: &App, user_id: i64) -> anyhow::Result<Outcome> {
    letters::send_leaving_link(app, user_id).await
}

/// The path of a mailed link.
pub(in crate::belongings) fn link_path(app: &App, user_id: i64) -> String {
    let expires_at = app.clock.now() + LINK_LIFETIME;
    format!("/settings/leave/{}", app.signer.sign(PURPOSE, &format!("{user_id}-{}", expires_at.0)))
}

/// Checks a mailed link, which is good for the person it was mailed to, signed in.
///
/// # Errors
/// Gone when it has expired, or is another's or none.
pub fn check_link(app: &App, user: &user::Model, signed: &str) -> Result<(), Error> {
    let parts = app.signer.verify(PURPOSE, signed).and_then(|value| value.split_once('-'));
    let numbers = parts.and_then(|(id, until)| Some((id.parse::<i64>().ok()?, until.parse::<i64>().ok()?)));
    match numbers {
        Some((id, until)) if id == user.id && Timestamp(until) > app.clock.now() => Ok(()),
        _ => Err(Error::Gone("leave-link-gone".into())),
    }
}

/// Begins it for somebody who came by a mailed link.
pub async fn by_link(app: &App, user: &user::Model, signed: &str) -> Result<(), Error> {
    check_link(app, user, signed)?;
    begin(app, user).await
}
