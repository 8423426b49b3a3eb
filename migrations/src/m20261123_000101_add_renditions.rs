//! What was made of a kept picture: renditions, and the colour that stands in for it. Empty until it is made; the
//! program makes those of the pictures that are there already.

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
        for column in [ColumnDef::new("renditions").json().null().take(), text_null("tone")] {
            manager.alter_table(Table::alter().table("media").add_column(column).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["tone", "renditions"] {
            manager.alter_table(Table::alter().table("media").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
