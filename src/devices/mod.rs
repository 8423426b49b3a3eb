//! Devices: browsers that a signed-in reader lets us notify. Registered by a click in the settings, and gone with the
//! session, with a click, or when their push service says so.

pub mod pages;
pub mod queries;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use url::Url;

use crate::app::App;
use crate::db::entities::device::{self, Column};
use crate::delivery::web_push::encrypt::Keys;
use crate::error::Error;

/// Devices of one reader; a further one takes the place of the oldest.
const MOST: u64 = 20;
/// The longest endpoint; it is a key.
const LONGEST_ENDPOINT: usize = 1_500;

/// What a browser gives out when its reader has allowed notifications.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct NewDevice {
    pub endpoint: String,
    pub keys: NewKeys,
}

#[derive(Clone, Debug, serde::Deserialize)]
pub struct NewKeys {
    pub p256dh: String,
    pub auth: String,
}

/// Registers a browser for its reader and session; one that is known already is theirs from now on.
///
/// # Errors
/// Invalid where the endpoint is no push service's on the public Internet, or the keys are none.
pub async fn register(
    app: &App,
    user_id: i64,
    session_id: i64,
    new: &NewDevice,
    name: &str,
) -> Result<(), Error> {
    let url = Url::parse(&new.endpoint).ok().filter(|url| url.as_str().len() <= LONGEST_ENDPOINT);
    let url = url.filter(|url| url.scheme() == "https" || app.config.fetch_allow_private);
    let url = url.filter(|url| app.fetcher.check(url).is_ok());
    let url = url.ok_or_else(|| Error::invalid("endpoint", "device-endpoint-wrong"))?;
    let keys = Keys::parse(&new.keys.p256dh, &new.keys.auth);
    let (public_key, auth) = keys.ok_or_else(|| Error::invalid("keys", "device-keys-wrong"))?.write();
    let row = device::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        session_id: Set(session_id),
        host: Set(url.host_str().unwrap_or_default().to_owned()),
        endpoint: Set(url.into()),
        public_key: Set(public_key),
        auth: Set(auth),
        name: Set(name.chars().take(100).collect()),
        created_at: Set(app.clock.now()),
        notified_at: Set(None),
    };
    let columns = [Column::UserId, Column::SessionId, Column::PublicKey, Column::Auth, Column::Name];
    let tx = app.db.begin().await?;
    device::Entity::insert(row)
        .on_conflict(OnConflict::column(Column::Endpoint).update_columns(columns).to_owned())
        .exec_without_returning(&*tx)
        .await?;
    let oldest: Vec<i64> = device::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(device::COLUMN.user_id.eq(user_id))
        .order_by_desc(device::COLUMN.id)
        .offset(MOST)
        .limit(MOST)
        .into_tuple()
        .all(&*tx)
        .await?;
    if !oldest.is_empty() {
        use sea_orm::ColumnTrait;
        device::Entity::delete_many().filter(Column::Id.is_in(oldest)).exec(&*tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Forgets a device of the reader's own.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn remove(app: &App, user_id: i64, id: i64) -> Result<(), Error> {
    let removed = device::Entity::delete_many()
        .filter(device::COLUMN.id.eq(id))
        .filter(device::COLUMN.user_id.eq(user_id))
        .exec(app.db.write())
        .await?;
    if removed.rows_affected == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Forgets a device whose push service says that it is gone.
pub async fn forget(app: &App, id: i64) -> Result<(), DbErr> {
    device::Entity::delete_by_id(id).exec(app.db.write()).await?;
    Ok(())
}

/// Its push service took a message.
pub async fn notified(app: &App, id: i64) -> Result<(), DbErr> {
    device::Entity::update_many()
        .col_expr(Column::NotifiedAt, Expr::value(Some(app.clock.now())))
        .filter(device::COLUMN.id.eq(id))
        .exec(app.db.write())
        .await?;
    Ok(())
}
