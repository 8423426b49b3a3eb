//! The language in which a sign-in link was asked for: its mail is written in it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut locale = ColumnDef::new("locale");
        locale.text().not_null().default("");
        manager.alter_table(Table::alter().table("sign_in_links").add_column(locale).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("sign_in_links").drop_column("locale").to_owned()).await
    }
}
