//! Browsers that readers let us notify, what each reader was last notified of, and push services that asked to be left
//! alone.

use crate::columns::*;
use sea_orm_migration::prelude::*;

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
                "devices",
                [
                    id(),
                    big("user_id"),
                    big("session_id"),
                    text("endpoint"),
                    text("host"),
                    text("public_key"),
                    text("auth"),
                    text("name"),
                    big("created_at"),
                    big_null("notified_at"),
                ],
                &[("user_id", "users"), ("session_id", "sessions")],
            ),
            table(
                "notified_readers",
                [id(), big("user_id"), big("told_until"), big("told_at")],
                &[("user_id", "users")],
            ),
            table(
                "push_services",
                [id(), text("host"), big("until"), number("refusals"), text("answer")],
                &[],
            ),
        ];
        let indexes = vec![
            unique("devices", &["endpoint"]),
            index("devices", &["user_id"]),
            index("devices", &["session_id"]),
            unique("notified_readers", &["user_id"]),
            unique("push_services", &["host"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for table in ["deliveries", "push_tallies"] {
            let own = format!("DELETE FROM {table} WHERE channel = 'web_push'");
            sea_orm_migration::sea_orm::ConnectionTrait::execute_unprepared(db, &own).await?;
        }
        drop(manager, &["push_services", "notified_readers", "devices"]).await
    }
}
