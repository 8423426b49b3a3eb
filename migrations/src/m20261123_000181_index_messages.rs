//! Operators look through all deliveries, the newest first: those of alerts, those of digests, and those that were
//! not sent, are found without walking over all others. Each index holds these rows alone, so a push's fan-out
//! writes to none of them.
//!
//! Addresses are looked up by their beginning. PostgreSQL's usual index goes by the order of a language, where what begins
//! alike need not stand together; one by bytes answers for whole addresses too, so it takes the place of the usual
//! one where nothing else needs that.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEXES: [&str; 3] = [
    "CREATE INDEX ix_deliveries_alerts ON deliveries (id) WHERE alert_id IS NOT NULL",
    "CREATE INDEX ix_deliveries_digests ON deliveries (id) WHERE reader_id IS NOT NULL",
    "CREATE INDEX ix_deliveries_not_sent ON deliveries (state, id) WHERE state <> 'delivered' AND state <> 'waiting'",
];

const BEGINNINGS: [&str; 5] = [
    "ALTER INDEX ix_subscriptions_email RENAME TO ix_subscriptions_email_before",
    "CREATE INDEX ix_subscriptions_email ON subscriptions (email text_pattern_ops)",
    "DROP INDEX ix_subscriptions_email_before",
    "CREATE INDEX ix_readers_email_beginning ON readers (email text_pattern_ops)",
    "CREATE INDEX ix_users_email_beginning ON users (email text_pattern_ops)",
];

const NO_BEGINNINGS: [&str; 4] = [
    "DROP INDEX ix_users_email_beginning",
    "DROP INDEX ix_readers_email_beginning",
    "DROP INDEX ix_subscriptions_email",
    "CREATE INDEX ix_subscriptions_email ON subscriptions (email)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for index in INDEXES {
            db.execute_unprepared(index).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            for change in BEGINNINGS {
                db.execute_unprepared(change).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            for change in NO_BEGINNINGS {
                db.execute_unprepared(change).await?;
            }
        }
        for name in ["not_sent", "digests", "alerts"] {
            db.execute_unprepared(&format!("DROP INDEX ix_deliveries_{name}")).await?;
        }
        Ok(())
    }
}
