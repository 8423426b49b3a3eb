//! What is under way when the cadence of a subscription changes between at once and by digests: it is neither lost nor
//! told twice.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::news::{self, News};
use super::queries::{self, Follows};
use super::{row, told, write};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::db::entities::delivery::{self, Channel, DeliveryState};
use crate::db::entities::subscription::{Cadence, Model as Subscription};
use crate::db::entities::{event, push_article};
use crate::outbox;
use crate::readers::hours::{Hours, Pace};

/// Writes one last digest of what a subscription, `before` it changed, would have told by its next one, which is what
/// came after the event `from`; from here on it tells at once. The digest waits for the end of quiet hours. Returns the
/// event up to which it tells; none where nothing was left.
pub async fn tell_the_rest(
    tx: &DatabaseTransaction,
    config: &Config,
    (reader_id, hours): (i64, &Hours),
    (before, from): (&Subscription, i64),
    now: Timestamp,
) -> Result<Option<i64>, DbErr> {
    let pace = if before.cadence == Cadence::Weekly { Pace::Weekly } else { Pace::Daily };
    let Some(due) = queries::readers(tx, config, &[reader_id]).await?.pop() else { return Ok(None) };
    let mut news = News::up_to(outbox::latest(tx).await?);
    news.load(tx, &HashMap::from([(before.account_id, from)])).await?;
    let own = Follows {
        id: before.id,
        account_id: before.account_id,
        cadence: before.cadence,
        told: Some(from),
        is_on_timeline: before.user_id.is_some(),
        read_until: before.read_until.unwrap_or_default(),
    };
    let Some(told) = told(&due, &[&own], &news, pace).filter(|_| due.suppressed.is_none()) else {
        return Ok(None);
    };
    let occasion = format!("change:{}:{}", before.id, news.until);
    let at = hours.quiet_until(now).unwrap_or(now);
    write(tx, vec![row(&due, &told, occasion, at, now)]).await?;
    Ok(Some(news.until))
}

/// The event up to which a subscription that told at once has done so, for the first digest to go on from. What was
/// published within the digest's pace and not pushed yet counts as not told; so does what a push still waits to
/// tell, which it will leave to the digest. (A message that is being handed over at this moment may be told again: once
/// more is better than not at all.)
pub async fn told_at_once(
    tx: &DatabaseTransaction,
    subscription: &Subscription,
    cadence: Cadence,
    now: Timestamp,
) -> Result<i64, DbErr> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let latest = outbox::latest(tx).await?;
    let pushed = pushed(tx, subscription.id).await?;
    let (told, waiting): (Vec<_>, Vec<_>) = pushed.into_iter().partition(|row| row.is_told());
    let ids = |rows: &[Pushed]| rows.iter().map(|row| row.article_id).collect::<HashSet<i64>>();
    let (told, waiting) = (ids(&told), ids(&waiting));
    let days = if cadence == Cadence::Weekly { 7 } else { 1 };
    let joined = subscription.confirmed_at.unwrap_or(subscription.created_at);
    // Some slack, for a push that has waited long.
    let from = last_event_by(tx, std::cmp::max(now - DAY * (days + 7), joined)).await?;
    let news = news::published(tx, std::iter::once(subscription.account_id), from, latest).await?;
    let newest_told =
        news.iter().filter(|article| told.contains(&article.article_id)).map(|article| article.id).max();
    let is_left = |article: &&news::Published| {
        waiting.contains(&article.article_id)
            || (article.at > now - DAY * days && newest_told.is_none_or(|told| article.id > told))
    };
    Ok(news.iter().find(is_left).map_or(latest, |article| article.id - 1))
}

/// An article that a push told a subscription of by mail, or is about to.
#[derive(FromQueryResult)]
struct Pushed {
    article_id: i64,
    state: DeliveryState,
}

impl Pushed {
    fn is_told(&self) -> bool {
        !matches!(self.state, DeliveryState::Waiting | DeliveryState::Held)
    }
}

/// The newest of them.
async fn pushed(tx: &DatabaseTransaction, subscription_id: i64) -> Result<Vec<Pushed>, DbErr> {
    const MOST: u64 = 200;
    let same_push = Expr::col((push_article::Entity, push_article::Column::PushId))
        .equals((delivery::Entity, delivery::Column::PushId));
    let query = Query::select()
        .column((push_article::Entity, push_article::Column::ArticleId))
        .column((delivery::Entity, delivery::Column::State))
        .from(delivery::Entity)
        .join(JoinType::InnerJoin, push_article::Entity, same_push)
        .and_where(Expr::col((delivery::Entity, delivery::Column::SubscriptionId)).eq(subscription_id))
        .and_where(Expr::col((delivery::Entity, delivery::Column::Channel)).eq(Channel::Email))
        .order_by((delivery::Entity, delivery::Column::Id), sea_orm::Order::Desc)
        .limit(MOST)
        .take();
    Pushed::find_by_statement(tx.get_database_backend().build(&query)).all(tx).await
}

/// The newest event of a moment or before it; ids follow time.
async fn last_event_by(tx: &DatabaseTransaction, moment: Timestamp) -> Result<i64, DbErr> {
    let event = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(event::COLUMN.created_at.lte(moment))
        .order_by_desc(event::COLUMN.id)
        .into_tuple::<i64>()
        .one(tx);
    Ok(event.await?.unwrap_or(0))
}
