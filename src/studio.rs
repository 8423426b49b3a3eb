//! The studio's frame: the account that a studio page is about, who works there, and the
//! navigation. A handler takes [`Studio`] as an extractor on any path with `{handle}`; its page
//! struct keeps it as `studio` next to `page`, and its template extends `studio/layout.html`:
//!
//! ```text
//! #[template(path = "articles/list.html")]
//! struct ListPage { page: Page, studio: Studio, .. }
//!
//! async fn list_articles(page: Page, studio: Studio, ..) -> Result<View<ListPage>, Error> {
//!     Ok(View(ListPage { page: page.titled_key("articles"), studio: studio.at(Tab::Articles), .. }))
//! }
//! ```
//!
//! The extractor only asks for `ReadStudio`; the operation that a handler calls asks for its own.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};

use crate::accounts::queries::{self, Found};
use crate::accounts::roles::{self, Operation};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::member::Role;
use crate::db::entities::user;
use crate::error::Error;

/// A part of the studio, as in its navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum Tab {
    Overview,
    Articles,
    Collections,
    Pushes,
    Media,
    Sources,
    Webhooks,
    Members,
    Searches,
    Settings,
}

impl Tab {
    /// What follows `/studio/@handle`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Articles => "/articles",
            Self::Collections => "/collections",
            Self::Pushes => "/pushes",
            Self::Media => "/media",
            Self::Sources => "/sources",
            Self::Webhooks => "/webhooks",
            Self::Members => "/members",
            Self::Searches => "/searches",
            Self::Settings => "/settings",
        }
    }

    /// The key of its label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Overview => "studio-overview",
            Self::Articles => "studio-articles",
            Self::Collections => "collections-title",
            Self::Pushes => "studio-pushes",
            Self::Media => "studio-media",
            Self::Sources => "studio-sources",
            Self::Webhooks => "webhooks-title",
            Self::Members => "studio-members",
            Self::Searches => "insight-title",
            Self::Settings => "studio-settings",
        }
    }

    /// What a member must be allowed to do to be shown it.
    fn operation(self) -> Operation {
        match self {
            Self::Overview | Self::Articles | Self::Pushes | Self::Media | Self::Members | Self::Searches => {
                Operation::ReadStudio
            }
            Self::Collections => Operation::ManageCollections,
            Self::Sources => Operation::ManageSources,
            Self::Webhooks => Operation::ManageWebhooks,
            Self::Settings => Operation::ManageAccount,
        }
    }
}

/// The account of a studio page and the member who looks at it.
#[derive(Clone, Debug)]
pub struct Studio {
    pub account: account::Model,
    pub user: user::Model,
    pub role: Role,
    pub tab: Tab,
}

impl Studio {
    /// Marks the tab that the page belongs to.
    pub fn at(mut self, tab: Tab) -> Self {
        self.tab = tab;
        self
    }

    pub fn allows(&self, operation: Operation) -> bool {
        roles::allows(self.role, operation)
    }

    /// `/studio/@handle` and what follows; `rest` is empty or begins with a slash.
    pub fn path(&self, rest: &str) -> String {
        format!("/studio/@{}{rest}", self.account.handle)
    }

    /// The key of what its members are told while readers do not see it.
    pub fn hidden_key(&self) -> Option<&'static str> {
        match self.account.state {
            AccountState::Active => None,
            AccountState::Suspended => Some("studio-suspended"),
            AccountState::Closed => Some("studio-closed"),
        }
    }

    /// Whether this member may push articles of the account now.
    pub fn may_push(&self) -> bool {
        self.allows(Operation::Push) && self.hidden_key().is_none()
    }

    /// The tabs that this member is shown.
    pub fn tabs(&self) -> Vec<Tab> {
        use strum::IntoEnumIterator;
        Tab::iter().filter(|tab| self.allows(tab.operation())).collect()
    }

    async fn find(app: &App, user: user::Model, handle: &str) -> Result<(Self, bool), Error> {
        let (account, moved) = match queries::by_handle(app.db.read(), handle).await? {
            Some(Found::Here(account)) => (account, false),
            Some(Found::Moved(account)) => (account, true),
            None => return Err(Error::NotFound),
        };
        let role = roles::require(app.db.read(), account.id, user.id, Operation::ReadStudio).await?;
        Ok((Self { account, user, role, tab: Tab::Overview }, moved))
    }
}

impl FromRequestParts<Arc<App>> for Studio {
    /// An error, or the way to an account that changed its handle.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let CurrentUser(user) =
            CurrentUser::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let params =
            RawPathParams::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let handle = params
            .iter()
            .find_map(|(name, value)| (name == "handle").then_some(value))
            .ok_or_else(|| Error::NotFound.into_response())?;
        let (studio, moved) = Self::find(app, user, handle).await.map_err(IntoResponse::into_response)?;
        if moved && parts.method == Method::GET {
            let path = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
            let rest = path.split_once(&format!("@{handle}")).map_or("", |(_, rest)| rest);
            return Err(Redirect::permanent(&studio.path(rest)).into_response());
        }
        Ok(studio)
    }
}
