//! How a reader's timeline is shown: words that hide articles, unread ones only, and until when they had looked.

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
        let timelines = table(
            "timelines",
            [
                big("user_id").primary_key().take(),
                json("mute_words"),
                big_null("visited_at"),
                big_null("left_at"),
            ],
            &[("user_id", "users")],
        );
        create(manager, vec![timelines], Vec::new()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["timelines"]).await
    }
}
