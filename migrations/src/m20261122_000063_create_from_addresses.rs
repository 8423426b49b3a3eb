//! Accounts' own senders.

use sea_orm_migration::prelude::*;

use crate::columns::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let addresses = table(
            "from_addresses",
            [
                id(),
                big("account_id"),
                text("address"),
                text("domain"),
                text("selector"),
                text("secret"),
                big_null("proven_at"),
                big_null("checked_at"),
                big("created_at"),
            ],
            &[("account_id", "accounts")],
        );
        create(manager, vec![addresses], vec![unique("from_addresses", &["account_id"])]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["from_addresses"]).await
    }
}
