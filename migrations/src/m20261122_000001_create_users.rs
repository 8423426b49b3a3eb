//! People who sign in, their sessions and tokens, and the instance's own secrets.

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
            table("settings", [text("name").primary_key().take(), text("value")], &[]),
            table(
                "users",
                [
                    id(),
                    text("email"),
                    text("name"),
                    text_null("password_hash"),
                    flag("operator"),
                    text("state"),
                    text("locale"),
                    text("timezone"),
                    big("created_at"),
                ],
                &[],
            ),
            table(
                "sign_in_links",
                [
                    id(),
                    text("email"),
                    text("purpose"),
                    text("token_hash"),
                    text("next"),
                    big("expires_at"),
                    big_null("used_at"),
                    big("created_at"),
                ],
                &[],
            ),
            table(
                "sessions",
                [
                    id(),
                    big("user_id"),
                    text("token_hash"),
                    text("user_agent"),
                    text("ip"),
                    big("created_at"),
                    big("last_seen_at"),
                    big("expires_at"),
                ],
                &[("user_id", "users")],
            ),
            table(
                "api_tokens",
                [
                    id(),
                    big("user_id"),
                    text("name"),
                    text("token_hash"),
                    text("scopes"),
                    big("created_at"),
                    big_null("last_used_at"),
                    big_null("revoked_at"),
                ],
                &[("user_id", "users")],
            ),
            table(
                "idempotency_keys",
                [
                    id(),
                    big("user_id"),
                    text("key"),
                    text("request_hash"),
                    big_null("status"),
                    text_null("response"),
                    big("created_at"),
                ],
                &[("user_id", "users")],
            ),
        ];
        let indexes = vec![
            unique("users", &["email"]),
            unique("sign_in_links", &["token_hash"]),
            index("sign_in_links", &["email"]),
            unique("sessions", &["token_hash"]),
            index("sessions", &["user_id"]),
            unique("api_tokens", &["token_hash"]),
            index("api_tokens", &["user_id"]),
            unique("idempotency_keys", &["user_id", "key"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["idempotency_keys", "api_tokens", "sessions", "sign_in_links", "users", "settings"])
            .await
    }
}
