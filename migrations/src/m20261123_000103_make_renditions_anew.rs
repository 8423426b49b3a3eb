//! Renditions of pictures that were offered narrower ones alone, and avatars without a file under both their names, are
//! made anew; and an index for pictures that have none yet.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// JSON is written without spaces: `{"webp":[320,700],"avif":[]}`.
const ANEW: &str = "UPDATE media SET renditions = NULL WHERE renditions IS NOT NULL AND \
    ((width = height AND width <= 400) OR CAST(renditions AS text) NOT LIKE '%' || width || ']%')";
const INDEX: &str = "CREATE INDEX ix_media_without_renditions ON media (id) WHERE renditions IS NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [ANEW, INDEX] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX ix_media_without_renditions").await?;
        Ok(())
    }
}
