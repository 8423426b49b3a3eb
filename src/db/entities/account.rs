//! An official account (公众号).

use crate::clock::Timestamp;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;

stored_word! {
    /// Whether an account is to be seen.
    pub enum AccountState {
        /// Open to readers.
        Active,
        /// Hidden everywhere until reinstated, by an operator's decision.
        Suspended,
        /// The same at the wish of an owner.
        Closed,
    }
}

impl AccountState {
    /// The key of what those are told who look for an account that is hidden.
    pub fn hidden_key(self) -> Option<&'static str> {
        match self {
            Self::Active => None,
            Self::Suspended => Some("account-suspended"),
            Self::Closed => Some("account-closed"),
        }
    }
}

stored_word! {
    /// Where an account's readers are, or what part of the world it tells of.
    pub enum Region {
        MainlandChina,
        HongKongMacao,
        Taiwan,
        SingaporeMalaysia,
        SoutheastAsia,
        Japan,
        Korea,
        UnitedStates,
        Canada,
        LatinAmerica,
        Britain,
        Europe,
        Oceania,
        MiddleEast,
        Africa,
        World,
    }
}

stored_word! {
    /// What an account is mostly about.
    pub enum Topic {
        News,
        Community,
        Business,
        Technology,
        Science,
        Culture,
        Education,
        Health,
        Law,
        Life,
        Food,
        Travel,
        Sports,
        Entertainment,
        Opinion,
    }
}

/// Links on a profile, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, FromJsonQueryResult)]
pub struct Links(pub Vec<Link>);

/// One link on a profile.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Link {
    pub label: String,
    /// Absolute, http or https.
    pub url: String,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Lower case; the `handle` of `/@handle`.
    pub handle: String,
    pub name: String,
    pub bio: String,
    pub avatar_url: Option<String>,
    /// BCP 47: zh-Hans, zh-Hant, en, ...
    pub lang: String,
    pub links: Links,
    pub region: Option<Region>,
    pub topic: Option<Topic>,
    pub verified_at: Option<Timestamp>,
    pub state: AccountState,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
