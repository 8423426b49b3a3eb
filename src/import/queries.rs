//! Reads of sources for the studio.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::entities::source::{self, SourceState};
use crate::db::entities::{entry, job};
use crate::jobs::Job;

/// A source with how much it has brought.
#[derive(Clone, Debug)]
pub struct SourceRow {
    pub source: source::Model,
    /// Entries in all, and with the last fetch that succeeded.
    pub entries: i64,
    pub newest: i64,
}

/// The sources of an account, oldest first.
pub async fn of_account<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<Vec<SourceRow>, DbErr> {
    let sources = source::Entity::find()
        .filter(source::COLUMN.account_id.eq(account_id))
        .order_by_asc(source::COLUMN.id)
        .all(db)
        .await?;
    let counts: HashMap<i64, i64> = entry::Entity::find()
        .select_only()
        .column(entry::Column::SourceId)
        .column_as(entry::Column::Id.count(), "entries")
        .filter(entry::Column::SourceId.is_in(sources.iter().map(|source| source.id)))
        .group_by(entry::Column::SourceId)
        .into_tuple::<(i64, i64)>()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let mut rows = Vec::with_capacity(sources.len());
    for source in sources {
        let newest = newest(db, &source).await?;
        rows.push(SourceRow { entries: counts.get(&source.id).copied().unwrap_or_default(), newest, source });
    }
    Ok(rows)
}

/// Entries that came within a minute before the last fetch was noted: a large one takes a while.
async fn newest<C: ConnectionTrait>(db: &C, source: &source::Model) -> Result<i64, DbErr> {
    let Some(at) = source.last_success_at else { return Ok(0) };
    let since = at - std::time::Duration::from_secs(60);
    let count = entry::Entity::find()
        .select_only()
        .column_as(entry::Column::Id.count(), "entries")
        .filter(entry::COLUMN.source_id.eq(source.id))
        .filter(entry::Column::CreatedAt.gte(since))
        .into_tuple::<i64>()
        .one(db)
        .await?;
    Ok(count.unwrap_or_default())
}

/// Active sources that no job will refresh.
pub async fn without_job<C: ConnectionTrait>(db: &C) -> Result<Vec<source::Model>, DbErr> {
    let mut sources =
        source::Entity::find().filter(source::COLUMN.state.eq(SourceState::Active)).all(db).await?;
    let keys: HashSet<String> = job::Entity::find()
        .select_only()
        .column(job::Column::UniqueKey)
        .filter(job::COLUMN.kind.eq(<&str>::from(Job::RefreshSource { source_id: 0 })))
        .filter(job::Column::UniqueKey.is_not_null())
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    sources.retain(|source| {
        let key = Job::RefreshSource { source_id: source.id }.unique_key();
        key.is_some_and(|key| !keys.contains(&key))
    });
    Ok(sources)
}

/// One source of an account.
pub async fn one<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    source_id: i64,
) -> Result<Option<source::Model>, DbErr> {
    source::Entity::find_by_id(source_id).filter(source::COLUMN.account_id.eq(account_id)).one(db).await
}
