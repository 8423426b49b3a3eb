//! When a mail domain that was learned is looked up again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::columns::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("mail_domains").add_column(big_null("ask_at")).to_owned();
        manager.alter_table(column).await?;
        manager.create_index(index("mail_domains", &["ask_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP INDEX ix_mail_domains_ask_at").await?;
        db.execute_unprepared("ALTER TABLE mail_domains DROP COLUMN ask_at").await?;
        Ok(())
    }
}
