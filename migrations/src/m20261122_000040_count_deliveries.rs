//! What a push with a million readers needs: its deliveries counted by channel and provider as they
//! change; indexes that hold only what is still to be done; how many messages went to which provider
//! within a time; and a stop.
//!
//! A claimed delivery is no longer in a state of its own: it waits, under a lease. Claiming then
//! changes no index.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::columns::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Whose mailboxes are behind which domains; further ones are learned.
const DOMAINS: [(&str, &[&str]); 5] = [
    ("gmail", &["gmail.com", "googlemail.com"]),
    (
        "outlook",
        &[
            "outlook.com",
            "hotmail.com",
            "live.com",
            "msn.com",
            "outlook.com.au",
            "outlook.co.nz",
            "outlook.sg",
            "outlook.my",
            "outlook.jp",
            "outlook.fr",
            "outlook.de",
            "outlook.es",
            "outlook.it",
            "hotmail.co.uk",
            "hotmail.ca",
            "hotmail.com.au",
            "hotmail.com.hk",
            "hotmail.com.tw",
            "hotmail.fr",
            "hotmail.de",
            "hotmail.es",
            "hotmail.it",
            "hotmail.co.jp",
            "hotmail.sg",
            "hotmail.my",
            "live.cn",
            "live.ca",
            "live.co.uk",
            "live.com.au",
            "live.com.sg",
            "live.com.my",
            "live.hk",
            "live.fr",
            "live.de",
            "live.jp",
            "windowslive.com",
        ],
    ),
    ("qq", &["qq.com", "vip.qq.com", "foxmail.com"]),
    ("netease", &["163.com", "126.com", "yeah.net", "vip.163.com", "vip.126.com", "188.com"]),
    (
        "yahoo",
        &[
            "yahoo.com",
            "ymail.com",
            "rocketmail.com",
            "myyahoo.com",
            "yahoo.ca",
            "yahoo.co.uk",
            "yahoo.com.au",
            "yahoo.co.nz",
            "yahoo.com.hk",
            "yahoo.com.tw",
            "yahoo.com.sg",
            "yahoo.com.my",
            "yahoo.co.id",
            "yahoo.com.ph",
            "yahoo.com.vn",
            "yahoo.fr",
            "yahoo.de",
            "yahoo.es",
            "yahoo.it",
            "aol.com",
        ],
    ),
];

/// Of every delivery, from its address and the table of domains.
const PROVIDER: &str = "COALESCE((SELECT d.provider FROM mail_domains d WHERE d.domain = {domain}), 'other')";

const INDEXES: [&str; 4] = [
    "CREATE INDEX ix_pushes_stopped ON pushes (id) WHERE stopped_at IS NOT NULL",
    "CREATE INDEX ix_deliveries_due ON deliveries (provider, next_attempt_at) WHERE state = 'waiting'",
    "CREATE INDEX ix_deliveries_unfinished ON deliveries (push_id, state, subscription_id) \
     WHERE state <> 'delivered'",
    "CREATE UNIQUE INDEX ix_deliveries_alert_id_occasion_channel ON deliveries (alert_id, occasion, channel) \
     WHERE alert_id IS NOT NULL",
];

/// PostgreSQL looks each inserted row's owners up, which is a third of a fan-out, though they come from the
/// very rows that it reads. The other half of the constraint, that deliveries go with their owner, is
/// kept by triggers.
const GUARDS: [&str; 5] = [
    "ALTER TABLE deliveries DROP CONSTRAINT deliveries_push_id_fkey",
    "ALTER TABLE deliveries DROP CONSTRAINT deliveries_subscription_id_fkey",
    "CREATE FUNCTION forget_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     EXECUTE format('DELETE FROM deliveries WHERE %I = $1', TG_ARGV[0]) USING OLD.id; RETURN OLD; END $$",
    "CREATE TRIGGER forget_deliveries AFTER DELETE ON pushes \
     FOR EACH ROW EXECUTE FUNCTION forget_deliveries('push_id')",
    "CREATE TRIGGER forget_deliveries AFTER DELETE ON subscriptions \
     FOR EACH ROW EXECUTE FUNCTION forget_deliveries('subscription_id')",
];

const CONSTRAINTS: [&str; 5] = [
    "DROP TRIGGER forget_deliveries ON subscriptions",
    "DROP TRIGGER forget_deliveries ON pushes",
    "DROP FUNCTION forget_deliveries()",
    "ALTER TABLE deliveries ADD FOREIGN KEY (push_id) REFERENCES pushes (id) ON DELETE CASCADE",
    "ALTER TABLE deliveries ADD FOREIGN KEY (subscription_id) REFERENCES subscriptions (id) ON DELETE CASCADE",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, tables(), indexes()).await?;
        fill_domains(manager).await?;
        add_columns(manager).await?;
        let db = manager.get_connection();
        let domain = match manager.get_database_backend() {
            DbBackend::Sqlite => "substr(s.email, instr(s.email, '@') + 1)",
            _ => "split_part(s.email, '@', 2)",
        };
        let provider = PROVIDER.replace("{domain}", domain);
        for change in [
            "UPDATE deliveries SET state = 'waiting' WHERE state = 'sending'".to_owned(),
            format!(
                "UPDATE deliveries SET provider = (SELECT {provider} FROM subscriptions s \
                 WHERE s.id = deliveries.subscription_id) WHERE subscription_id IS NOT NULL"
            ),
            "INSERT INTO push_tallies (push_id, channel, provider, waiting, held, delivered, failed, suppressed) \
             SELECT push_id, channel, provider, SUM(CASE state WHEN 'waiting' THEN 1 ELSE 0 END), 0, \
             SUM(CASE state WHEN 'delivered' THEN 1 ELSE 0 END), SUM(CASE state WHEN 'failed' THEN 1 ELSE 0 END), \
             SUM(CASE state WHEN 'suppressed' THEN 1 ELSE 0 END) \
             FROM deliveries WHERE push_id IS NOT NULL GROUP BY push_id, channel, provider"
                .to_owned(),
            "DROP INDEX ix_deliveries_state_next_attempt_at".to_owned(),
            "DROP INDEX ix_deliveries_push_id_state".to_owned(),
            "DROP INDEX ix_deliveries_alert_id_occasion_channel".to_owned(),
        ] {
            db.execute_unprepared(&change).await?;
        }
        for index in INDEXES {
            db.execute_unprepared(index).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            // Room on each page, so that a claim stays where its row is and touches no index.
            db.execute_unprepared("ALTER TABLE deliveries SET (fillfactor = 70)").await?;
            for change in GUARDS {
                db.execute_unprepared(change).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for change in [
            "UPDATE deliveries SET state = 'waiting' WHERE state = 'held'",
            "DROP INDEX ix_pushes_stopped",
            "DROP INDEX ix_deliveries_due",
            "DROP INDEX ix_deliveries_unfinished",
            "DROP INDEX ix_deliveries_alert_id_occasion_channel",
            "ALTER TABLE deliveries DROP COLUMN provider",
            "ALTER TABLE pushes DROP COLUMN stopped_at",
            "ALTER TABLE pushes DROP COLUMN untold",
        ] {
            db.execute_unprepared(change).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared("ALTER TABLE deliveries RESET (fillfactor)").await?;
            for change in CONSTRAINTS {
                db.execute_unprepared(change).await?;
            }
        }
        let indexes = vec![
            index("deliveries", &["state", "next_attempt_at"]),
            index("deliveries", &["push_id", "state"]),
            unique("deliveries", &["alert_id", "occasion", "channel"]),
        ];
        create(manager, Vec::new(), indexes).await?;
        drop(manager, &["provider_pauses", "mail_reservations", "mail_domains", "push_tallies"]).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "push_tallies",
            [
                id(),
                big("push_id"),
                text("channel"),
                text("provider"),
                big("waiting"),
                big("held"),
                big("delivered"),
                big("failed"),
                big("suppressed"),
            ],
            &[("push_id", "pushes")],
        ),
        table("mail_domains", [id(), text("domain"), text("provider"), big_null("learned_at")], &[]),
        table(
            "mail_reservations",
            [id(), text("scope"), text("holder"), big("span"), big("count"), big("until")],
            &[],
        ),
        table(
            "provider_pauses",
            [id(), text("provider"), big("until"), number("refusals"), text("answer")],
            &[],
        ),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("push_tallies", &["push_id", "channel", "provider"]),
        unique("mail_domains", &["domain"]),
        unique("mail_reservations", &["scope", "holder", "until"]),
        index("mail_reservations", &["until"]),
        index("mail_reservations", &["holder"]),
        unique("provider_pauses", &["provider"]),
    ]
}

async fn fill_domains(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut insert = Query::insert();
    insert.into_table("mail_domains").columns(["domain", "provider"]);
    for (provider, domains) in DOMAINS {
        for domain in domains {
            insert.values_panic([Expr::val(*domain), Expr::val(provider)]);
        }
    }
    manager.execute(insert).await
}

async fn add_columns(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut provider = text("provider");
    provider.default("other");
    for (table, column) in
        [("deliveries", provider), ("pushes", big_null("stopped_at")), ("pushes", text_null("untold"))]
    {
        manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
    }
    Ok(())
}
