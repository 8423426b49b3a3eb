//! What an API token may be used for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One permission of an API token. What is public needs none.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
    strum::IntoStaticStr,
)]
pub enum Scope {
    /// Read drafts and revisions of one's accounts.
    #[serde(rename = "articles:read")]
    #[strum(serialize = "articles:read")]
    ArticlesRead,
    /// Write, publish, schedule and withdraw articles.
    #[serde(rename = "articles:write")]
    #[strum(serialize = "articles:write")]
    ArticlesWrite,
    /// Read one's accounts with their members.
    #[serde(rename = "accounts:read")]
    #[strum(serialize = "accounts:read")]
    AccountsRead,
    /// Open and change accounts.
    #[serde(rename = "accounts:write")]
    #[strum(serialize = "accounts:write")]
    AccountsWrite,
    /// Read the pushes of one's accounts.
    #[serde(rename = "pushes:read")]
    #[strum(serialize = "pushes:read")]
    PushesRead,
    /// Push articles to subscribers.
    #[serde(rename = "pushes:write")]
    #[strum(serialize = "pushes:write")]
    PushesWrite,
    /// Read one's own subscriptions and timeline.
    #[serde(rename = "subscriptions:read")]
    #[strum(serialize = "subscriptions:read")]
    SubscriptionsRead,
    /// Subscribe, change and unsubscribe for oneself.
    #[serde(rename = "subscriptions:write")]
    #[strum(serialize = "subscriptions:write")]
    SubscriptionsWrite,
    /// Read one's own alerts.
    #[serde(rename = "alerts:read")]
    #[strum(serialize = "alerts:read")]
    AlertsRead,
    /// Save, change and delete one's own alerts.
    #[serde(rename = "alerts:write")]
    #[strum(serialize = "alerts:write")]
    AlertsWrite,
}

impl Scope {
    /// `articles:write`
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The key of its description.
    pub fn text_key(self) -> &'static str {
        match self {
            Self::ArticlesRead => "scope-articles-read",
            Self::ArticlesWrite => "scope-articles-write",
            Self::AccountsRead => "scope-accounts-read",
            Self::AccountsWrite => "scope-accounts-write",
            Self::PushesRead => "scope-pushes-read",
            Self::PushesWrite => "scope-pushes-write",
            Self::SubscriptionsRead => "scope-subscriptions-read",
            Self::SubscriptionsWrite => "scope-subscriptions-write",
            Self::AlertsRead => "scope-alerts-read",
            Self::AlertsWrite => "scope-alerts-write",
        }
    }

    /// Reads a row's list; names that are no longer known grant nothing.
    pub fn list(text: &str) -> Vec<Self> {
        text.split_whitespace().filter_map(|name| name.parse().ok()).collect()
    }

    /// Writes a list as a row keeps it.
    pub fn join(scopes: &[Self]) -> String {
        let mut scopes = scopes.to_vec();
        scopes.sort();
        scopes.dedup();
        scopes.into_iter().map(Self::name).collect::<Vec<_>>().join(" ")
    }
}
