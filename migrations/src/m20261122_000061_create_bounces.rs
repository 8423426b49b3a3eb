//! Word that came back about messages.

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
        let bounces = table(
            "bounces",
            [
                id(),
                text("key"),
                big_null("delivery_id"),
                text("email"),
                text("kind"),
                text("words"),
                big("created_at"),
            ],
            &[],
        );
        let indexes = vec![
            unique("bounces", &["key"]),
            index("bounces", &["email", "created_at"]),
            index("bounces", &["created_at"]),
        ];
        create(manager, vec![bounces], indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["bounces"]).await
    }
}
