//! Mail servers that are left alone for a while.

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
        let rests = table(
            "server_rests",
            [id(), text("name"), big("until"), number("refusals"), text("answer")],
            &[],
        );
        create(manager, vec![rests], vec![unique("server_rests", &["name"])]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["server_rests"]).await
    }
}
