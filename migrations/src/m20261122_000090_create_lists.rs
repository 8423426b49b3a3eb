//! A reader's lists of subscriptions; marks that say unread as well as read. An article that a reader has
//! marked as unread stays so, whatever "everything until then" says.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::columns::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const UNREAD: &str =
    "CREATE INDEX ix_read_marks_unread ON read_marks (user_id, article_id) WHERE is_read = FALSE";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let lists = table(
            "lists",
            [id(), big("user_id"), text("name"), number("place"), big("created_at")],
            &[("user_id", "users")],
        );
        create(manager, vec![lists], vec![unique("lists", &["user_id", "name"])]).await?;
        let list_id = ColumnDef::new("list_id")
            .big_integer()
            .null()
            .extra("REFERENCES lists (id) ON DELETE SET NULL")
            .take();
        let is_read = ColumnDef::new("is_read").boolean().not_null().default(true).take();
        for (table, column) in [("subscriptions", list_id), ("read_marks", is_read)] {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        manager.create_index(index("subscriptions", &["list_id"])).await?;
        manager.get_connection().execute_unprepared(UNREAD).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for change in [
            "DROP INDEX ix_read_marks_unread",
            "DELETE FROM read_marks WHERE is_read = FALSE",
            "ALTER TABLE read_marks DROP COLUMN is_read",
            "DROP INDEX ix_subscriptions_list_id",
            "ALTER TABLE subscriptions DROP COLUMN list_id",
        ] {
            db.execute_unprepared(change).await?;
        }
        drop(manager, &["lists"]).await
    }
}
