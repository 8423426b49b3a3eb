//! The schema of Xiangxun: one file per step, each with a way up and a way down, run alike on
//! SQLite and PostgreSQL.
//!
//! Ids are 64-bit and given by the database. Times are Unix milliseconds in UTC (`bigint`), so that
//! both databases compare them the same way. Enumerations are short text.

pub use sea_orm_migration::prelude::*;

mod columns;
mod m20261122_000001_create_users;
mod m20261122_000002_create_accounts;
mod m20261122_000003_create_articles;
mod m20261122_000004_create_outbox;
mod m20261122_000005_create_subscriptions;
mod m20261122_000006_create_sources;
mod m20261122_000007_add_locale_to_sign_in_links;
mod m20261122_000008_extend_subscriptions;
mod m20261122_000020_index_events_by_account;
mod m20261122_000030_create_alerts;
mod m20261122_000031_create_search_counts;
mod m20261122_000040_count_deliveries;
mod m20261122_000050_create_readers;
mod m20261122_000051_index_events_by_article;
mod m20261122_000060_create_server_rests;
mod m20261122_000061_create_bounces;
mod m20261122_000062_ask_domains_again;
mod m20261122_000063_create_from_addresses;
mod m20261122_000070_create_hub;
mod m20261122_000071_create_webhooks;
mod m20261122_000072_create_inbox;
mod m20261122_000073_create_devices;
mod m20261122_000080_show_notes;
mod m20261122_000081_create_collections;
mod m20261122_000082_create_article_tags;
mod m20261122_000083_place_accounts;
mod m20261122_000085_add_scripts;
mod m20261122_000090_create_lists;
mod m20261122_000091_create_saved_articles;
mod m20261122_000092_create_timelines;
mod m20261122_000095_create_outside_feeds;
mod m20261122_000096_create_app_passwords;
mod m20261123_000101_add_renditions;
mod m20261123_000102_create_outside_pictures;
mod m20261123_000103_make_renditions_anew;
mod m20261123_000104_tell_covers_apart;
mod m20261123_000110_rename_outside_pictures;
mod m20261123_000111_create_exports;
mod m20261123_000181_index_messages;
mod m20261123_000190_unstar_saved;

/// What every step answers to `use_transaction`: it happens whole or not at all, on SQLite too. A
/// process that is killed half way through a step would else never start again.
const WHOLE: Option<bool> = Some(true);

/// Runs the steps in order; its table of finished steps is `seaql_migrations`.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_create_users::Migration),
            Box::new(m20261122_000002_create_accounts::Migration),
            Box::new(m20261122_000003_create_articles::Migration),
            Box::new(m20261122_000004_create_outbox::Migration),
            Box::new(m20261122_000005_create_subscriptions::Migration),
            Box::new(m20261122_000006_create_sources::Migration),
            Box::new(m20261122_000007_add_locale_to_sign_in_links::Migration),
            Box::new(m20261122_000008_extend_subscriptions::Migration),
            Box::new(m20261122_000020_index_events_by_account::Migration),
            Box::new(m20261122_000030_create_alerts::Migration),
            Box::new(m20261122_000031_create_search_counts::Migration),
            Box::new(m20261122_000040_count_deliveries::Migration),
            Box::new(m20261122_000050_create_readers::Migration),
            Box::new(m20261122_000051_index_events_by_article::Migration),
            Box::new(m20261122_000060_create_server_rests::Migration),
            Box::new(m20261122_000061_create_bounces::Migration),
            Box::new(m20261122_000062_ask_domains_again::Migration),
            Box::new(m20261122_000063_create_from_addresses::Migration),
            Box::new(m20261122_000070_create_hub::Migration),
            Box::new(m20261122_000071_create_webhooks::Migration),
            Box::new(m20261122_000072_create_inbox::Migration),
            Box::new(m20261122_000073_create_devices::Migration),
            Box::new(m20261122_000080_show_notes::Migration),
            Box::new(m20261122_000081_create_collections::Migration),
            Box::new(m20261122_000082_create_article_tags::Migration),
            Box::new(m20261122_000083_place_accounts::Migration),
            Box::new(m20261122_000085_add_scripts::Migration),
            Box::new(m20261122_000090_create_lists::Migration),
            Box::new(m20261122_000091_create_saved_articles::Migration),
            Box::new(m20261122_000092_create_timelines::Migration),
            Box::new(m20261122_000095_create_outside_feeds::Migration),
            Box::new(m20261122_000096_create_app_passwords::Migration),
            Box::new(m20261123_000101_add_renditions::Migration),
            Box::new(m20261123_000102_create_outside_pictures::Migration),
            Box::new(m20261123_000103_make_renditions_anew::Migration),
            Box::new(m20261123_000104_tell_covers_apart::Migration),
            Box::new(m20261123_000110_rename_outside_pictures::Migration),
            Box::new(m20261123_000111_create_exports::Migration),
            Box::new(m20261123_000181_index_messages::Migration),
            Box::new(m20261123_000190_unstar_saved::Migration),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_happens_whole_or_not_at_all() {
        for step in Migrator::migrations() {
            assert_eq!(step.use_transaction(), WHOLE, "{}", step.name());
        }
    }
}
