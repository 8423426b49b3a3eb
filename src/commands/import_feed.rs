//! `xiangxun import feed`: a feed's entries into an account, from an address or a file.

use anyhow::{Context, bail};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use url::Url;

use super::{Said, open_app};
use crate::accounts::queries::{Found, by_handle};
use crate::app::App;
use crate::articles::Actor;
use crate::db::entities::account;
use crate::db::entities::member::{self, Role};
use crate::db::entities::source::SourceMode;
use crate::error::Error;
use crate::import::{self, Failure, Preview, file, queries};
use crate::page::Locale;

#[derive(clap::Args)]
pub struct Options {
    /// Address of a feed, or of a page that names one; or a file
    #[arg(value_name = "URL|FILE")]
    from: String,
    /// The account that its entries go to
    #[arg(long, value_name = "HANDLE")]
    account: String,
    /// Keep entries as drafts instead of publishing them
    #[arg(long)]
    draft: bool,
}

/// An address is connected as a source (once) and read at once; a file is taken in and forgotten.
/// Either way nobody is told, and what is there already is not made twice.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let app = open_app().await?;
    let account = match by_handle(app.db.read(), options.account.trim_start_matches('@')).await? {
        Some(Found::Here(account) | Found::Moved(account)) => account,
        None => bail!("there is no account {}", options.account),
    };
    let mode = if options.draft { SourceMode::Draft } else { SourceMode::Publish };
    if std::path::Path::new(&options.from).is_file() {
        return from_file(&app, &account, &options.from, mode).await;
    }
    from_address(&app, &account, &options.from, mode).await
}

async fn from_file(app: &App, account: &account::Model, path: &str, mode: SourceMode) -> anyhow::Result<()> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {path}"))?;
    let done =
        file::import_file(app, account, &bytes, mode).await.with_context(|| format!("importing {path}"))?;
    println!("{} entries, {} new in @{}", done.entries, done.inserted, account.handle);
    Ok(())
}

async fn from_address(
    app: &App,
    account: &account::Model,
    address: &str,
    mode: SourceMode,
) -> anyhow::Result<()> {
    let (url, title) = find_feed(app, address).await?;
    let actor = Actor { account_id: account.id, user_id: owner_of(app, account).await? };
    let source = import::connect(app, actor, &url, &title, mode).await.said("connecting the feed")?;
    import::refresh_now(app, actor, source.id).await.said("reading the feed")?;
    import::refresh(app, source.id).await?;
    let rows = queries::of_account(app.db.read(), account.id).await?;
    let row = rows.into_iter().find(|row| row.source.id == source.id).context("the source is gone")?;
    match row.source.last_error.as_deref().map(serde_json::from_str::<Failure>) {
        Some(Ok(failure)) => bail!("{} ({})", Locale::En.text(&failure.key), failure.detail),
        Some(Err(error)) => Err(error.into()),
        None => {
            println!("{url}: {} new, {} in all in @{}", row.newest, row.entries, account.handle);
            Ok(())
        }
    }
}

async fn find_feed(app: &App, address: &str) -> anyhow::Result<(Url, String)> {
    match import::preview(app, address).await {
        Ok(Preview::Feed { url, feed }) => Ok((url, feed.title)),
        Ok(Preview::Choices(found)) => {
            let names: Vec<String> = found.iter().map(|feed| format!("  {}", feed.url)).collect();
            bail!("{address} names several feeds; choose one:\n{}", names.join("\n"))
        }
        Err(failure) => bail!("{} ({})", Locale::En.text(&failure.key), failure.detail),
    }
}

/// The console acts for an owner of the account.
async fn owner_of(app: &App, account: &account::Model) -> anyhow::Result<i64> {
    let owner = member::Entity::find()
        .filter(member::COLUMN.account_id.eq(account.id))
        .filter(member::COLUMN.role.eq(Role::Owner))
        .one(app.db.read())
        .await
        .map_err(Error::from)
        .said("looking for the account's owner")?;
    Ok(owner.context("the account has no owner; give it one first")?.user_id)
}
