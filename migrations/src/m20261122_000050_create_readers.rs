//! Readers with their hours, and digests: many articles in one message. A delivery may be of a digest,
//! and is then unique on its reader, the time at which it fell due (its occasion) and the channel.
//!
//! How far a reader has been told is kept as the id of an event, because ids cannot overtake each other
//! and moments can: once for all of a reader's daily subscriptions, once for all weekly ones, and in a
//! subscription for as long as it is out of step with them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::columns::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEXES: [&str; 3] = [
    "CREATE INDEX ix_readers_daily_due_at ON readers (daily_due_at) WHERE daily_due_at IS NOT NULL",
    "CREATE INDEX ix_readers_weekly_due_at ON readers (weekly_due_at) WHERE weekly_due_at IS NOT NULL",
    "CREATE UNIQUE INDEX ix_deliveries_reader_id_occasion_channel ON deliveries (reader_id, occasion, channel) \
     WHERE reader_id IS NOT NULL",
];

/// Readers by address of those subscriptions that are not told at once; they are due at once, and what
/// was published before is not told.
const READERS: &str = "INSERT INTO readers (email, locale, cadence, digest_hour, digest_weekday, \
    daily_due_at, daily_told, weekly_due_at, weekly_told, created_at) \
    SELECT email, MAX(locale), 'instant', 8, 1, \
    MAX(CASE cadence WHEN 'daily' THEN 0 END), (SELECT COALESCE(MAX(id), 0) FROM events), \
    MAX(CASE cadence WHEN 'weekly' THEN 0 END), (SELECT COALESCE(MAX(id), 0) FROM events), MAX(created_at) \
    FROM subscriptions WHERE state = 'active' AND cadence IN ('daily', 'weekly') GROUP BY email";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let readers = table(
            "readers",
            [
                id(),
                text("email"),
                text_null("timezone"),
                text("locale"),
                text("cadence"),
                number("digest_hour"),
                number("digest_weekday"),
                number_null("quiet_from"),
                number_null("quiet_until"),
                flag("with_seen"),
                big_null("daily_due_at"),
                big("daily_told"),
                big_null("weekly_due_at"),
                big("weekly_told"),
                big_null("seen"),
                big_null("seen_at"),
                big("created_at"),
            ],
            &[],
        );
        create(manager, vec![readers], vec![unique("readers", &["email"])]).await?;
        for (table, column) in [
            ("subscriptions", big_null("told")),
            ("deliveries", reader_id()),
            ("deliveries", text_null("told")),
        ] {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        let db = manager.get_connection();
        for index in INDEXES {
            db.execute_unprepared(index).await?;
        }
        db.execute_unprepared(READERS).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for change in [
            "DELETE FROM deliveries WHERE reader_id IS NOT NULL",
            "DROP INDEX ix_deliveries_reader_id_occasion_channel",
            "ALTER TABLE deliveries DROP COLUMN told",
            "ALTER TABLE deliveries DROP COLUMN reader_id",
            "ALTER TABLE subscriptions DROP COLUMN told",
        ] {
            db.execute_unprepared(change).await?;
        }
        drop(manager, &["readers"]).await
    }
}

fn number_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().null().take()
}

fn reader_id() -> ColumnDef {
    ColumnDef::new("reader_id").big_integer().null().extra("REFERENCES readers (id) ON DELETE CASCADE").take()
}
