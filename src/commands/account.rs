//! `xiangxun account`: official accounts, from the server's own console.

use anyhow::{Context, bail};
use sea_orm::{EntityTrait, QueryOrder};

use super::{Said, open_app};
use crate::accounts::{
    self, By, NewAccount,
    queries::{self, Found},
};
use crate::app::App;
use crate::auth::{Address, users};
use crate::db::entities::account::{self, AccountState};
use crate::page::Locale;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Open an account
    Create {
        /// Its name in addresses: /@HANDLE
        handle: String,
        /// The name shown to readers, in any script
        #[arg(long)]
        name: String,
        /// A line or two about it
        #[arg(long, default_value = "")]
        bio: String,
        /// The language it writes in, such as zh-Hans, zh-Hant or en
        #[arg(long, default_value = "zh-Hans")]
        lang: String,
        /// Email address of the user who is to own it
        #[arg(long, value_name = "EMAIL")]
        owner: Option<String>,
    },
    /// List all accounts
    List,
    /// Give the verified mark, or take it away
    Verify {
        handle: String,
        /// Take the mark away
        #[arg(long)]
        remove: bool,
    },
    /// Hide an account and its articles from readers, or show them again
    Suspend {
        handle: String,
        /// End the suspension
        #[arg(long)]
        lift: bool,
    },
}

pub async fn run(command: Command) -> anyhow::Result<()> {
    let app = open_app().await?;
    match command {
        Command::Create { handle, name, bio, lang, owner } => {
            create(&app, NewAccount { handle, name, bio, lang }, owner).await?;
        }
        Command::List => list(&app).await?,
        Command::Verify { handle, remove } => {
            let id = id_of(&app, &handle).await?;
            let decided = if remove {
                accounts::unverify(&app, By::Console, id).await
            } else {
                accounts::verify(&app, By::Console, id).await
            };
            println!(
                "@{}: {}",
                decided.said("nothing was changed")?.handle,
                if remove { "not verified" } else { "verified" }
            );
        }
        Command::Suspend { handle, lift } => {
            let id = id_of(&app, &handle).await?;
            let decided = if lift {
                accounts::reinstate(&app, By::Console, id).await
            } else {
                accounts::suspend(&app, By::Console, id).await
            };
            println!(
                "@{}: {}",
                decided.said("nothing was changed")?.handle,
                if lift { "open" } else { "suspended" }
            );
        }
    }
    app.db.clone().close().await?;
    Ok(())
}

async fn create(app: &App, new: NewAccount, owner: Option<String>) -> anyhow::Result<()> {
    let owner_id = match owner {
        None => None,
        Some(email) => {
            let address = Address::parse(&email)
                .map_err(|message| anyhow::anyhow!("{email}: {}", message.text(Locale::En)))?;
            let user = users::find(app, &address).await?;
            Some(user.with_context(|| format!("there is no user {address}: see `xiangxun user create`"))?.id)
        }
    };
    let account =
        accounts::open(app, By::Console, owner_id, &new).await.said("the account was not opened")?;
    println!("opened {}", app.config.url(&format!("/@{}", account.handle)));
    Ok(())
}

async fn list(app: &App) -> anyhow::Result<()> {
    let rows = account::Entity::find().order_by_asc(account::Column::Handle).all(app.db.read()).await?;
    for row in &rows {
        let mark = if row.verified_at.is_some() { "verified" } else { "" };
        let state: &str = if row.state == AccountState::Active { "" } else { row.state.into() };
        println!("{:<30} {:<9} {:<9} {}", row.handle, mark, state, row.name);
    }
    println!("{} accounts", rows.len());
    Ok(())
}

async fn id_of(app: &App, handle: &str) -> anyhow::Result<i64> {
    let handle = handle.trim_start_matches('@').to_lowercase();
    let found = queries::by_handle(app.db.read(), &handle).await?;
    match found {
        Some(Found::Here(account) | Found::Moved(account)) => Ok(account.id),
        None => bail!("there is no account @{handle}"),
    }
}
