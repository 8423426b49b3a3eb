//! Saved searches and the articles that they found. A delivery is no longer always of a push: it may
//! be of an alert, and is then unique on the alert, what it tells of (its occasion) and the channel.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::columns::*;

/// What a delivery was before, and still is beside its subject.
const KEPT: &str = "id, push_id, subscription_id, channel, state, attempts, next_attempt_at, lease_until, \
    lease_owner, message_id, answer, created_at, updated_at";

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = vec![
            table(
                "alerts",
                [
                    id(),
                    big("user_id"),
                    text("name"),
                    text("query"),
                    text("cadence"),
                    text("state"),
                    big("created_at"),
                    big("updated_at"),
                ],
                &[("user_id", "users")],
            ),
            table(
                "alert_hits",
                [id(), big("alert_id"), big("article_id"), text_null("occasion"), big("created_at")],
                &[("alert_id", "alerts"), ("article_id", "articles")],
            ),
        ];
        let indexes = vec![
            unique("alerts", &["user_id", "query"]),
            unique("alert_hits", &["alert_id", "article_id"]),
            index("alert_hits", &["alert_id", "occasion"]),
            index("alert_hits", &["article_id"]),
        ];
        create(manager, tables, indexes).await?;
        if manager.get_database_backend() == DbBackend::Sqlite {
            remake_deliveries(manager, true).await
        } else {
            let db = manager.get_connection();
            for change in [
                "ALTER TABLE deliveries ALTER COLUMN push_id DROP NOT NULL",
                "ALTER TABLE deliveries ALTER COLUMN subscription_id DROP NOT NULL",
                "ALTER TABLE deliveries ADD COLUMN alert_id bigint REFERENCES alerts (id) ON DELETE CASCADE",
                "ALTER TABLE deliveries ADD COLUMN occasion text",
            ] {
                db.execute_unprepared(change).await?;
            }
            manager.create_index(unique("deliveries", &["alert_id", "occasion", "channel"])).await
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Sqlite {
            remake_deliveries(manager, false).await?;
        } else {
            let db = manager.get_connection();
            for change in [
                "DELETE FROM deliveries WHERE push_id IS NULL",
                "ALTER TABLE deliveries DROP COLUMN occasion",
                "ALTER TABLE deliveries DROP COLUMN alert_id",
                "ALTER TABLE deliveries ALTER COLUMN subscription_id SET NOT NULL",
                "ALTER TABLE deliveries ALTER COLUMN push_id SET NOT NULL",
            ] {
                db.execute_unprepared(change).await?;
            }
        }
        drop(manager, &["alert_hits", "alerts"]).await
    }
}

/// SQLite cannot let a column be empty that was not, nor the other way round: the rows move into a
/// new table of the old one's name.
async fn remake_deliveries(manager: &SchemaManager<'_>, with_alerts: bool) -> Result<(), DbErr> {
    let db = manager.get_connection();
    db.execute_unprepared("ALTER TABLE deliveries RENAME TO deliveries_before").await?;
    manager.create_table(if with_alerts { deliveries() } else { deliveries_of_pushes() }).await?;
    db.execute_unprepared(&format!(
        "INSERT INTO deliveries ({KEPT}) SELECT {KEPT} FROM deliveries_before WHERE push_id IS NOT NULL"
    ))
    .await?;
    // Its indexes go with it, and their names are free.
    drop(manager, &["deliveries_before"]).await?;
    let mut indexes = vec![
        unique("deliveries", &["push_id", "subscription_id", "channel"]),
        index("deliveries", &["state", "next_attempt_at"]),
        index("deliveries", &["subscription_id"]),
        index("deliveries", &["push_id", "state"]),
    ];
    if with_alerts {
        indexes.push(unique("deliveries", &["alert_id", "occasion", "channel"]));
    }
    create(manager, Vec::new(), indexes).await
}

fn deliveries() -> TableCreateStatement {
    table(
        "deliveries",
        [
            id(),
            big_null("push_id"),
            big_null("subscription_id"),
            big_null("alert_id"),
            text_null("occasion"),
            text("channel"),
            text("state"),
            number("attempts"),
            big("next_attempt_at"),
            big_null("lease_until"),
            text_null("lease_owner"),
            text("message_id"),
            text_null("answer"),
            big("created_at"),
            big("updated_at"),
        ],
        &[("push_id", "pushes"), ("subscription_id", "subscriptions"), ("alert_id", "alerts")],
    )
}

fn deliveries_of_pushes() -> TableCreateStatement {
    table(
        "deliveries",
        [
            id(),
            big("push_id"),
            big("subscription_id"),
            text("channel"),
            text("state"),
            number("attempts"),
            big("next_attempt_at"),
            big_null("lease_until"),
            text_null("lease_owner"),
            text("message_id"),
            text_null("answer"),
            big("created_at"),
            big("updated_at"),
        ],
        &[("push_id", "pushes"), ("subscription_id", "subscriptions")],
    )
}
