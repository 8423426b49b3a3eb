//! Reads of leases and wishes.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Select,
};

use super::OUTSIDE_SETTING;
use crate::app::App;
use crate::config::Config;
use crate::db::entities::hub_request::HubMode;
use crate::db::entities::{hub_lease, hub_request, setting};

/// Of these accounts, those of whose changes somebody wants to be told; with each whether only its own feeds have
/// changed, and not those of several accounts.
pub async fn listened_to<C: ConnectionTrait>(
    db: &C,
    mut accounts: BTreeMap<i64, bool>,
) -> Result<BTreeMap<i64, bool>, DbErr> {
    if accounts.is_empty() {
        return Ok(accounts);
    }
    let is_heard = Condition::any()
        .add(Expr::col(hub_lease::Column::AccountId).is_null())
        .add(hub_lease::Column::AccountId.is_in(accounts.keys().copied()));
    let heard: BTreeSet<Option<i64>> = hub_lease::Entity::find()
        .select_only()
        .column(hub_lease::Column::AccountId)
        .distinct()
        .filter(is_heard)
        .into_tuple::<Option<i64>>()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let all_are_heard = heard.contains(&None) || !outside_hubs(db).await?.is_empty();
    accounts.retain(|id, own_only| heard.contains(&Some(*id)) || (all_are_heard && !*own_only));
    Ok(accounts)
}

/// Hubs elsewhere that are told of changes.
pub(super) async fn outside_hubs<C: ConnectionTrait>(db: &C) -> Result<Vec<String>, DbErr> {
    let row = setting::Entity::find_by_id(OUTSIDE_SETTING).one(db).await?;
    Ok(row.map(|row| row.value.split_whitespace().map(str::to_owned).collect()).unwrap_or_default())
}

/// The lease of a callback for a topic.
pub async fn lease<C: ConnectionTrait>(
    db: &C,
    callback: &str,
    topic: &str,
) -> Result<Option<hub_lease::Model>, DbErr> {
    hub_lease::Entity::find()
        .filter(hub_lease::COLUMN.callback.eq(callback))
        .filter(hub_lease::COLUMN.topic.eq(topic))
        .one(db)
        .await
}

/// Leases that have not ended, to be counted.
#[derive(Clone, Debug)]
pub(super) struct Leases(Select<hub_lease::Entity>);

impl Leases {
    pub fn now(app: &App) -> Self {
        Self(hub_lease::Entity::find().filter(hub_lease::COLUMN.expires_at.gt(app.clock.now())))
    }

    pub fn of_topic(self, topic: &str) -> Self {
        Self(self.0.filter(hub_lease::COLUMN.topic.eq(topic)))
    }

    pub fn of_host(self, host: &str) -> Self {
        Self(self.0.filter(hub_lease::COLUMN.host.eq(host)))
    }

    pub fn of_searches(self, config: &Config) -> Self {
        Self(self.0.filter(hub_lease::COLUMN.topic.starts_with(searches(config))))
    }

    pub async fn count<C: ConnectionTrait>(self, db: &C) -> Result<u64, DbErr> {
        self.0.count(db).await
    }
}

/// What a host wishes for of searches, but for leases it has and would renew.
pub(super) async fn new_searches_wished<C: ConnectionTrait>(
    db: &C,
    config: &Config,
    host: &str,
) -> Result<u64, DbErr> {
    let same = |lease: hub_lease::Column, wish: hub_request::Column| {
        Expr::col((hub_lease::Entity, lease)).equals((hub_request::Entity, wish))
    };
    let its_lease = Query::select()
        .expr(Expr::value(1))
        .from(hub_lease::Entity)
        .and_where(same(hub_lease::Column::Callback, hub_request::Column::Callback))
        .and_where(same(hub_lease::Column::Topic, hub_request::Column::Topic))
        .take();
    hub_request::Entity::find()
        .filter(hub_request::COLUMN.topic.starts_with(searches(config)))
        .filter(hub_request::COLUMN.mode.eq(HubMode::Subscribe))
        .filter(hub_request::COLUMN.host.eq(host))
        .filter(Expr::exists(its_lease).not())
        .count(db)
        .await
}

pub(super) fn is_search(config: &Config, topic: &str) -> bool {
    topic.starts_with(&searches(config))
}

/// What the topics of searches begin with.
fn searches(config: &Config) -> String {
    config.url("/search/")
}

pub(super) async fn wishes_of_host<C: ConnectionTrait>(db: &C, host: &str) -> Result<u64, DbErr> {
    hub_request::Entity::find().filter(hub_request::COLUMN.host.eq(host)).count(db).await
}

pub(super) async fn wishes<C: ConnectionTrait>(db: &C) -> Result<u64, DbErr> {
    hub_request::Entity::find().count(db).await
}
