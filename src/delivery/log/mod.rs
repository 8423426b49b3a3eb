//! The ledger as people read it: a line for each message. A push's page shows those of the push, and the operators'
//! page ([`pages`]) those of the whole site ([`queries`]).

pub mod pages;
pub mod queries;

use sea_orm::FromQueryResult;
use serde::Deserialize;
use strum::IntoEnumIterator;

use crate::clock::Timestamp;
use crate::db::entities::delivery::{self, Channel, Column, DeliveryState};
use crate::db::entities::subscription::is_nobodys;
use crate::delivery::channel::QUIET;
use crate::delivery::tally::Tally;

/// One message's line.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Line {
    /// Of a push.
    pub subscription_id: Option<i64>,
    /// As its owner is kept now.
    pub email: String,
    pub channel: Channel,
    pub state: DeliveryState,
    pub attempts: i32,
    /// The remote's words.
    pub answer: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub next_attempt_at: Timestamp,
}

impl Line {
    /// What is selected of a delivery; `email` comes from elsewhere.
    pub fn columns() -> [(delivery::Entity, Column); 8] {
        [
            Column::SubscriptionId,
            Column::Channel,
            Column::State,
            Column::Attempts,
            Column::Answer,
            Column::CreatedAt,
            Column::UpdatedAt,
            Column::NextAttemptAt,
        ]
        .map(|column| (delivery::Entity, column))
    }

    /// Its address; a dash where there is none any more, for whoever may see it.
    pub fn address(&self) -> String {
        if is_nobodys(&self.email) { "–".into() } else { self.email.clone() }
    }

    /// The same, of which only its owner sees which it is: `r***@example.org`.
    pub fn masked(&self) -> String {
        let Some((local, domain)) = self.email.split_once('@') else { return self.address() };
        format!("{}***@{domain}", local.chars().next().unwrap_or('*'))
    }

    /// When the quiet hours end that it waits for, if it does.
    pub fn quiet_until(&self) -> Option<Timestamp> {
        let is_quiet = self.state == DeliveryState::Waiting && self.answer.as_deref() == Some(QUIET);
        is_quiet.then_some(self.next_attempt_at)
    }

    /// The colour of its state.
    pub fn badge(&self) -> &'static str {
        match self.state {
            DeliveryState::Waiting | DeliveryState::Held => "warn",
            DeliveryState::Delivered => "good",
            DeliveryState::Failed => "bad",
            DeliveryState::Suppressed => "",
        }
    }
}

/// Which lines of a log are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, strum::Display, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Shown {
    #[default]
    All,
    Delivered,
    Waiting,
    Failed,
    Suppressed,
}

impl Shown {
    pub fn every() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// Empty for all.
    pub fn states(self) -> &'static [DeliveryState] {
        match self {
            Self::All => &[],
            Self::Delivered => &[DeliveryState::Delivered],
            Self::Waiting => &[DeliveryState::Waiting, DeliveryState::Held],
            Self::Failed => &[DeliveryState::Failed],
            Self::Suppressed => &[DeliveryState::Suppressed],
        }
    }

    pub fn count(self, tally: &Tally) -> i64 {
        match self {
            Self::All => tally.total(),
            Self::Delivered => tally.delivered,
            Self::Waiting => tally.unfinished(),
            Self::Failed => tally.failed,
            Self::Suppressed => tally.suppressed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_address_shows_its_first_letter_and_its_host() {
        let of = |email: &str| Line {
            subscription_id: None,
            email: email.into(),
            channel: Channel::Email,
            state: DeliveryState::Delivered,
            attempts: 1,
            answer: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            next_attempt_at: Timestamp(0),
        };
        assert_eq!(of("reader@example.org").masked(), "r***@example.org");
        assert_eq!(of("@x").masked(), "****@x");
        assert_eq!((of("left-7").masked(), of("left-7").address()), ("–".into(), "–".into()));
    }
}
