//! An account's own sender: an address at its domain, with a DKIM key of its own.
//!
//! Whoever can put our key into a domain's DNS speaks for the domain; nobody else does. So the address
//! is used once the key is found there, and no longer when it is gone: an outlet cannot write in the
//! name of another's domain, or of the site's. Keys are made here, never brought along.

use lettre::message::Mailbox;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
};

use super::roles::{self, Operation};
use crate::app::App;
use crate::auth::Address;
use crate::blocking;
use crate::db::entities::from_address::{self, Model};
use crate::error::{Error, Message};
use crate::mail::check::{self, Proof};
use crate::mail::dkim::{self, Dkim, Key};

/// What a key is sealed for.
const PURPOSE: &str = "from-address";

/// The account's own, proven or not.
pub async fn of_account<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<Option<Model>, DbErr> {
    from_address::Entity::find().filter(from_address::COLUMN.account_id.eq(account_id)).one(db).await
}

/// Whether some account writes from this address.
pub async fn is_used<C: ConnectionTrait>(db: &C, address: &str) -> Result<bool, DbErr> {
    let found = from_address::Entity::find().filter(from_address::COLUMN.address.eq(address));
    Ok(found.one(db).await?.is_some())
}

/// Wishes for an address of the account's own; a key is made for it, unless its domain stays.
///
/// # Errors
/// Invalid `address`.
pub async fn choose(app: &App, user_id: i64, account_id: i64, typed: &str) -> Result<Model, Error> {
    roles::require(app.db.read(), account_id, user_id, Operation::ManageAccount).await?;
    let address = Address::parse(typed).map_err(|message| Error::invalid("address", message))?;
    let domain = domain(address.as_str());
    if domain == "localhost" || domain == app.mailer.from.email.domain() {
        return Err(Error::invalid("address", Message::from("account-from-ours").with("domain", domain)));
    }
    let known = of_account(app.db.read(), account_id).await?;
    let key = match &known {
        Some(known) if known.domain == domain => None,
        _ => Some(blocking::run(dkim::make_rsa).await.map_err(anyhow::Error::from)??),
    };
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    roles::require(&*tx, account_id, user_id, Operation::ManageAccount).await?;
    let row = match (known, key) {
        (Some(known), None) => {
            let mut row = known.into_active_model();
            row.address = Set(address.to_string());
            row.update(&*tx).await?
        }
        (known, key) => {
            if let Some(known) = known {
                from_address::Entity::delete_by_id(known.id).exec(&*tx).await?;
            }
            let row = from_address::ActiveModel {
                id: NotSet,
                account_id: Set(account_id),
                address: Set(address.to_string()),
                domain: Set(domain.to_owned()),
                selector: Set(format!("xiangxun-{:08x}", rand::random::<u32>())),
                secret: Set(app.signer.seal(PURPOSE, &key.unwrap_or_default())),
                proven_at: Set(None),
                checked_at: Set(None),
                created_at: Set(now),
            };
            row.insert(&*tx).await?
        }
    };
    tx.commit().await?;
    Ok(row)
}

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// The record that proves the domain: its name, and its text.
///
/// # Errors
/// When the key is not of this instance.
pub fn record(app: &App, row: &Model) -> anyhow::Result<(String, String)> {
    Ok((format!("{}._domainkey.{}", row.selector, row.domain), key(app, row)?.record()))
}

fn key(app: &App, row: &Model) -> anyhow::Result<Key> {
    let pem = app.signer.open(PURPOSE, &row.secret);
    Key::read(&row.selector, &pem.ok_or_else(|| anyhow::anyhow!("the key was sealed by another instance"))?)
}

/// Looks whether the domain has the key.
///
/// # Errors
/// Not found where no address was chosen.
pub async fn prove(app: &App, user_id: i64, account_id: i64) -> Result<Proof, Error> {
    roles::require(app.db.read(), account_id, user_id, Operation::ManageAccount).await?;
    let row = of_account(app.db.read(), account_id).await?.ok_or(Error::NotFound)?;
    look(app, row).await
}

async fn look(app: &App, row: Model) -> Result<Proof, Error> {
    let (name, text) = record(app, &row)?;
    let proof = check::proof(&app.dns, &name, &text).await;
    let now = app.clock.now();
    let proven_at = match &proof {
        Proof::Right => row.proven_at.or(Some(now)),
        Proof::Missing | Proof::Another => None,
        // A name server that does not answer says nothing of whose the domain is.
        Proof::Unknown(_) => row.proven_at,
    };
    if row.proven_at.is_some() && proven_at.is_none() {
        tracing::warn!(
            account = row.account_id,
            "{name} has our key no longer: mail goes by the site's address"
        );
    }
    // Only the key that was looked for: another may have taken its place.
    from_address::Entity::update_many()
        .col_expr(from_address::Column::ProvenAt, sea_orm::sea_query::Expr::value(proven_at))
        .col_expr(from_address::Column::CheckedAt, sea_orm::sea_query::Expr::value(Some(now)))
        .filter(from_address::COLUMN.id.eq(row.id))
        .filter(from_address::COLUMN.selector.eq(row.selector))
        .exec(app.db.write())
        .await?;
    Ok(proof)
}

/// Goes back to the site's address.
pub async fn leave(app: &App, user_id: i64, account_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    roles::require(&*tx, account_id, user_id, Operation::ManageAccount).await?;
    from_address::Entity::delete_many()
        .filter(from_address::COLUMN.account_id.eq(account_id))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Looks again at all that are in use.
pub async fn look_again(app: &App) -> anyhow::Result<()> {
    let rows = from_address::Entity::find()
        .filter(from_address::Column::ProvenAt.is_not_null())
        .all(app.db.read())
        .await?;
    for row in rows {
        if let Err(error) = look(app, row).await {
            tracing::error!("looking at an account's domain failed: {error:?}");
        }
    }
    Ok(())
}

/// The sender of an account's mail, and the key that signs it beside the site's; none for the site's own.
pub fn sender(app: &App, row: &Model) -> anyhow::Result<Option<(Mailbox, Dkim)>> {
    if row.proven_at.is_none() {
        return Ok(None);
    }
    let address = row.address.parse()?;
    Ok(Some((Mailbox::new(None, address), Dkim::new(&row.domain, vec![key(app, row)?]))))
}
