//! The account that an outlet's articles go into: found by its name, or opened.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::bail;
use sha2::{Digest, Sha256};

use crate::accounts::handle::Handle;
use crate::accounts::{self, By, NewAccount, queries};
use crate::app::App;
use crate::commands::Said;
use crate::text;

/// What stands in for an outlet that has no name.
const UNNAMED: &str = "未署名";

/// Accounts seen so far, by outlet.
pub struct Accounts {
    app: Arc<App>,
    /// All articles go here, whatever their outlet.
    only: Option<i64>,
    ids: HashMap<String, i64>,
}

impl Accounts {
    /// # Errors
    /// When there is no account with the handle given.
    pub async fn new(app: Arc<App>, handle: Option<&str>) -> anyhow::Result<Self> {
        let mut only = None;
        if let Some(handle) = handle {
            let handle = handle.trim_start_matches('@').to_lowercase();
            match queries::by_handle(app.db.read(), &handle).await? {
                Some(queries::Found::Here(account) | queries::Found::Moved(account)) => {
                    only = Some(account.id)
                }
                None => bail!("there is no account @{handle}: see `xiangxun account create`"),
            }
        }
        Ok(Self { app, only, ids: HashMap::new() })
    }

    pub fn count(&self) -> usize {
        self.ids.len().max(usize::from(self.only.is_some()))
    }

    /// The account for an outlet's article written in `lang`.
    pub async fn id_of(&mut self, outlet: &str, lang: &str) -> anyhow::Result<i64> {
        if let Some(id) = self.only {
            return Ok(id);
        }
        if let Some(id) = self.ids.get(outlet) {
            return Ok(*id);
        }
        let name: String = if outlet.is_empty() { UNNAMED } else { outlet }.chars().take(60).collect();
        let id = self.find_or_open(&name, lang).await?;
        self.ids.insert(outlet.to_owned(), id);
        Ok(id)
    }

    /// A handle is made from the name alone, so the next import finds the same account.
    async fn find_or_open(&self, name: &str, lang: &str) -> anyhow::Result<i64> {
        for handle in [plain_handle(name), marked_handle(name)] {
            match queries::by_handle(self.app.db.read(), &handle).await? {
                Some(queries::Found::Here(account)) if account.name == name => return Ok(account.id),
                // Another account's; or a name that may not be had.
                Some(_) => continue,
                None if Handle::parse(&handle).is_err() => continue,
                None => {}
            }
            let new = NewAccount { handle, name: name.to_owned(), bio: String::new(), lang: lang.to_owned() };
            let opened = accounts::open(&self.app, By::Console, None, &new).await;
            return Ok(opened.said("opening an account for an outlet")?.id);
        }
        bail!("no handle is free for {name}: open an account for it and use --account")
    }
}

/// `yangshiwangxinwenlianbo` for 央视网·新闻联播.
fn plain_handle(name: &str) -> String {
    text::slug::slug(name).replace('-', "").chars().take(30).collect()
}

fn marked_handle(name: &str) -> String {
    let mark = &hex::encode(Sha256::digest(name.as_bytes()))[..6];
    let plain: String = plain_handle(name).chars().take(23).collect();
    format!("{plain}-{mark}")
}
