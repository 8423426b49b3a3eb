//! The lists of an export's document: what is asked of the database for each, and what its columns hold.
//!
//! `$1` is the person's id, `$2` the `cursor` after which a batch begins, and `$3` their address. Secrets, and hashes of them, are
//! never among the columns.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};
use serde_json::{Map, Value as Json};

use crate::clock::Timestamp;
use crate::db::entities::user;

/// Rows that are read at once.
const BATCH: usize = 500;

/// What a column holds, and how the document writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Flag,
    /// As `2026-01-31T08:00:00Z`.
    Time,
    /// A path of this site, written as an address.
    Path,
    Json,
}

use Kind::{Flag, Json as JsonText, Number, Path, Text, Time};

/// One list of the document.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    pub name: &'static str,
    /// Up to its conditions, which [`Section::batch`] completes.
    select: &'static str,
    from: &'static str,
    whose: &'static str,
    /// What batches are ordered by.
    cursor: &'static str,
    columns: &'static [(&'static str, Kind)],
}

/// All of them, in their order in the document. Saved articles are written apart, with their highlights.
pub const SECTIONS: [Section; 30] = [
    Section {
        name: "reading",
        select: "r.timezone, r.locale, r.script, r.cadence, r.digest_hour, r.digest_weekday, r.quiet_from, r.quiet_until, \
                 r.with_seen, r.daily_due_at, r.weekly_due_at, r.seen_at, r.created_at",
        from: "readers r",
        whose: "r.email = $3",
        cursor: "r.id",
        columns: &[
            ("timezone", Text),
            ("locale", Text),
            ("script", Text),
            ("cadence", Text),
            ("digest_hour", Number),
            ("digest_weekday", Number),
            ("quiet_from", Number),
            ("quiet_until", Number),
            ("with_seen", Flag),
            ("daily_due_at", Time),
            ("weekly_due_at", Time),
            ("seen_at", Time),
            ("created_at", Time),
        ],
    },
    Section {
        name: "timeline",
        select: "t.mute_words, t.visited_at, t.left_at",
        from: "timelines t",
        whose: "t.user_id = $1",
        cursor: "t.user_id",
        columns: &[("mute_words", JsonText), ("visited_at", Time), ("left_at", Time)],
    },
    Section {
        name: "lists",
        select: "l.name, l.place, l.created_at",
        from: "lists l",
        whose: "l.user_id = $1",
        cursor: "l.id",
        columns: &[("name", Text), ("place", Number), ("created_at", Time)],
    },
    Section {
        name: "subscriptions",
        select: "a.handle AS account, a.name AS account_name, '/@' || a.handle AS url, s.email AS address, s.state, s.cadence, \
                 s.locale, l.name AS list, s.created_at, s.confirmed_at, s.ended_at, s.asked_at, s.read_until",
        from: "subscriptions s JOIN accounts a ON a.id = s.account_id LEFT JOIN lists l ON l.id = s.list_id",
        whose: "(s.user_id = $1 OR s.email = $3)",
        cursor: "s.id",
        columns: &[
            ("account", Text),
            ("account_name", Text),
            ("url", Path),
            ("address", Text),
            ("state", Text),
            ("cadence", Text),
            ("locale", Text),
            ("list", Text),
            ("created_at", Time),
            ("confirmed_at", Time),
            ("ended_at", Time),
            ("asked_at", Time),
            ("read_until", Time),
        ],
    },
    Section {
        name: "outside_feeds",
        select: "f.url, f.title, o.title AS own_title, l.name AS list, o.read_until, o.created_at",
        from: "outside_follows o JOIN outside_feeds f ON f.id = o.feed_id LEFT JOIN lists l ON l.id = o.list_id",
        whose: "o.user_id = $1",
        cursor: "o.id",
        columns: &[
            ("url", Text),
            ("title", Text),
            ("own_title", Text),
            ("list", Text),
            ("read_until", Time),
            ("created_at", Time),
        ],
    },
    Section {
        name: "outside_marks",
        select: "f.url AS feed, i.link, i.title, m.is_read, m.starred_at",
        from: "outside_marks m JOIN outside_items i ON i.id = m.item_id JOIN outside_feeds f ON f.id = i.feed_id",
        whose: "m.user_id = $1",
        cursor: "m.id",
        columns: &[("feed", Text), ("link", Text), ("title", Text), ("is_read", Flag), ("starred_at", Time)],
    },
    Section {
        name: "read_marks",
        select: "'/@' || a.handle || '/' || x.slug AS url, x.title, m.is_read, m.read_at",
        from: "read_marks m JOIN articles x ON x.id = m.article_id JOIN accounts a ON a.id = x.account_id",
        whose: "m.user_id = $1",
        cursor: "m.id",
        columns: &[("url", Path), ("title", Text), ("is_read", Flag), ("read_at", Time)],
    },
    Section {
        name: "alerts",
        select: "l.name, l.query, l.cadence, l.state, l.created_at, l.updated_at",
        from: "alerts l",
        whose: "l.user_id = $1",
        cursor: "l.id",
        columns: &[
            ("name", Text),
            ("query", Text),
            ("cadence", Text),
            ("state", Text),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    },
    Section {
        name: "alert_hits",
        select: "l.name AS alert, '/@' || a.handle || '/' || x.slug AS url, x.title, h.created_at",
        from: "alert_hits h JOIN alerts l ON l.id = h.alert_id JOIN articles x ON x.id = h.article_id \
               JOIN accounts a ON a.id = x.account_id",
        whose: "l.user_id = $1",
        cursor: "h.id",
        columns: &[("alert", Text), ("url", Path), ("title", Text), ("created_at", Time)],
    },
    Section {
        name: "inbox",
        select: "i.kind, i.subject, a.handle AS account, l.name AS alert, x.title, i.words, i.created_at, i.read_at",
        from: "inbox_items i LEFT JOIN pushes p ON p.id = i.push_id LEFT JOIN articles x ON x.id = i.article_id \
               LEFT JOIN accounts a ON a.id = COALESCE(p.account_id, x.account_id) LEFT JOIN alerts l ON l.id = i.alert_id",
        whose: "i.user_id = $1",
        cursor: "i.id",
        columns: &[
            ("kind", Text),
            ("subject", Text),
            ("account", Text),
            ("alert", Text),
            ("title", Text),
            ("words", Text),
            ("created_at", Time),
            ("read_at", Time),
        ],
    },
    Section {
        name: "deliveries",
        select: DELIVERY,
        from: "deliveries d JOIN subscriptions s ON s.id = d.subscription_id JOIN accounts a ON a.id = s.account_id",
        whose: "(s.user_id = $1 OR s.email = $3)",
        cursor: "d.id",
        columns: &[
            ("account", Text),
            ("channel", Text),
            ("state", Text),
            ("attempts", Number),
            ("answer", Text),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    },
    Section {
        name: "alert_deliveries",
        select: "l.name AS alert, d.channel, d.state, d.attempts, d.answer, d.created_at, d.updated_at",
        from: "deliveries d JOIN alerts l ON l.id = d.alert_id",
        whose: "l.user_id = $1",
        cursor: "d.id",
        columns: &[
            ("alert", Text),
            ("channel", Text),
            ("state", Text),
            ("attempts", Number),
            ("answer", Text),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    },
    Section {
        name: "digests",
        select: "d.channel, d.state, d.attempts, d.answer, d.created_at, d.updated_at",
        from: "deliveries d JOIN readers r ON r.id = d.reader_id",
        whose: "r.email = $3",
        cursor: "d.id",
        columns: &[
            ("channel", Text),
            ("state", Text),
            ("attempts", Number),
            ("answer", Text),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    },
    Section {
        name: "suppressions",
        select: "p.reason, p.created_at",
        from: "suppressions p",
        whose: "p.email = $3",
        cursor: "p.id",
        columns: &[("reason", Text), ("created_at", Time)],
    },
    Section {
        name: "bounces",
        select: "b.kind, b.words, b.created_at",
        from: "bounces b",
        whose: "b.email = $3",
        cursor: "b.id",
        columns: &[("kind", Text), ("words", Text), ("created_at", Time)],
    },
    Section {
        name: "sessions",
        select: "s.user_agent, s.ip, s.created_at, s.last_seen_at, s.expires_at",
        from: "sessions s",
        whose: "s.user_id = $1",
        cursor: "s.id",
        columns: &[
            ("user_agent", Text),
            ("ip", Text),
            ("created_at", Time),
            ("last_seen_at", Time),
            ("expires_at", Time),
        ],
    },
    Section {
        name: "devices",
        select: "d.name, d.host, d.created_at, d.notified_at",
        from: "devices d",
        whose: "d.user_id = $1",
        cursor: "d.id",
        columns: &[("name", Text), ("host", Text), ("created_at", Time), ("notified_at", Time)],
    },
    Section {
        name: "notifications",
        select: "n.told_at",
        from: "notified_readers n",
        whose: "n.user_id = $1",
        cursor: "n.id",
        columns: &[("told_at", Time)],
    },
    Section {
        name: "api_tokens",
        select: "t.name, t.scopes, t.created_at, t.last_used_at, t.revoked_at",
        from: "api_tokens t",
        whose: "t.user_id = $1",
        cursor: "t.id",
        columns: &[
            ("name", Text),
            ("scopes", Text),
            ("created_at", Time),
            ("last_used_at", Time),
            ("revoked_at", Time),
        ],
    },
    Section {
        name: "api_requests",
        select: "k.key, k.status, k.created_at",
        from: "idempotency_keys k",
        whose: "k.user_id = $1",
        cursor: "k.id",
        columns: &[("key", Text), ("status", Number), ("created_at", Time)],
    },
    Section {
        name: "app_passwords",
        select: "p.name, p.created_at, p.last_used_at, p.last_used_by",
        from: "app_passwords p",
        whose: "p.user_id = $1",
        cursor: "p.id",
        columns: &[("name", Text), ("created_at", Time), ("last_used_at", Time), ("last_used_by", Text)],
    },
    Section {
        name: "private_feeds",
        select: "f.created_at, f.last_used_at",
        from: "private_feeds f",
        whose: "f.user_id = $1",
        cursor: "f.id",
        columns: &[("created_at", Time), ("last_used_at", Time)],
    },
    Section {
        name: "sign_in_links",
        select: "l.purpose, l.next, l.created_at, l.expires_at, l.used_at",
        from: "sign_in_links l",
        whose: "l.email = $3",
        cursor: "l.id",
        columns: &[
            ("purpose", Text),
            ("next", Text),
            ("created_at", Time),
            ("expires_at", Time),
            ("used_at", Time),
        ],
    },
    Section {
        name: "memberships",
        select: "a.handle AS account, a.name AS account_name, m.role, m.created_at",
        from: "members m JOIN accounts a ON a.id = m.account_id",
        whose: "m.user_id = $1",
        cursor: "m.id",
        columns: &[("account", Text), ("account_name", Text), ("role", Text), ("created_at", Time)],
    },
    Section {
        name: "articles",
        select: "'/@' || a.handle || '/' || x.slug AS url, x.title, x.state, x.created_at, x.published_at",
        from: "articles x JOIN accounts a ON a.id = x.account_id",
        whose: "x.created_by = $1",
        cursor: "x.id",
        columns: &[
            ("url", Path),
            ("title", Text),
            ("state", Text),
            ("created_at", Time),
            ("published_at", Time),
        ],
    },
    Section {
        name: "revisions",
        select: "'/@' || a.handle || '/' || x.slug AS url, r.number, r.title, r.note, r.created_at",
        from: "revisions r JOIN articles x ON x.id = r.article_id JOIN accounts a ON a.id = x.account_id",
        whose: "r.editor_id = $1",
        cursor: "r.id",
        columns: &[("url", Path), ("number", Number), ("title", Text), ("note", Text), ("created_at", Time)],
    },
    Section {
        name: "unsaved_work",
        select: "'/@' || a.handle || '/' || x.slug AS url, w.fields, w.saved_at",
        from: "autosaves w JOIN articles x ON x.id = w.article_id JOIN accounts a ON a.id = x.account_id",
        whose: "w.user_id = $1",
        cursor: "w.article_id",
        columns: &[("url", Path), ("fields", JsonText), ("saved_at", Time)],
    },
    Section {
        name: "pushes",
        select: "a.handle AS account, p.state, p.created_at, p.finished_at",
        from: "pushes p JOIN accounts a ON a.id = p.account_id",
        whose: "p.created_by = $1",
        cursor: "p.id",
        columns: &[("account", Text), ("state", Text), ("created_at", Time), ("finished_at", Time)],
    },
    Section {
        name: "pictures",
        select: "a.handle AS account, '/media/' || m.key AS url, m.content_type, m.bytes, m.created_at",
        from: "media m JOIN accounts a ON a.id = m.account_id",
        whose: "m.user_id = $1",
        cursor: "m.id",
        columns: &[
            ("account", Text),
            ("url", Path),
            ("content_type", Text),
            ("bytes", Number),
            ("created_at", Time),
        ],
    },
    Section {
        name: "sources",
        select: "a.handle AS account, s.url, s.title, s.created_at",
        from: "sources s JOIN accounts a ON a.id = s.account_id",
        whose: "s.created_by = $1",
        cursor: "s.id",
        columns: &[("account", Text), ("url", Text), ("title", Text), ("created_at", Time)],
    },
];

const DELIVERY: &str =
    "a.handle AS account, d.channel, d.state, d.attempts, d.answer, d.created_at, d.updated_at";

impl Section {
    /// How many rows it has of a person.
    pub async fn count<C: ConnectionTrait>(&self, db: &C, user: &user::Model) -> Result<i64, DbErr> {
        let Self { from, whose, cursor, .. } = self;
        let sql = format!("SELECT COUNT(*) AS count FROM {from} WHERE {whose} AND {cursor} > $2");
        let row = db.query_one_raw(self.statement(db, &sql, user, 0)).await?;
        row.map_or(Ok(0), |row| row.try_get("", "count"))
    }

    /// The next rows after a cursor as the document has them, and the cursor after which to go on; none at the end.
    pub async fn batch<C: ConnectionTrait>(
        &self,
        db: &C,
        user: &user::Model,
        after: i64,
        base_url: &str,
    ) -> Result<(Vec<Json>, Option<i64>), DbErr> {
        let Self { select, from, whose, cursor, .. } = self;
        let sql = format!(
            "SELECT {cursor} AS after_this, {select} FROM {from} WHERE {whose} AND {cursor} > $2 \
             ORDER BY {cursor} LIMIT {BATCH}"
        );
        let rows = db.query_all_raw(self.statement(db, &sql, user, after)).await?;
        let last = match rows.last() {
            Some(row) if rows.len() == BATCH => Some(row.try_get("", "after_this")?),
            _ => None,
        };
        let rows = rows.iter().map(|row| self.object(row, base_url)).collect::<Result<_, _>>()?;
        Ok((rows, last))
    }

    /// PostgreSQL takes no value that a statement does not name.
    fn statement<C: ConnectionTrait>(&self, db: &C, sql: &str, user: &user::Model, after: i64) -> Statement {
        let (has_id, has_address) = (self.whose.contains("$1"), self.whose.contains("$3"));
        let address: Value = user.email.as_str().into();
        match (has_id, has_address) {
            (true, true) => Statement::from_sql_and_values(
                db.get_database_backend(),
                sql,
                [user.id.into(), after.into(), address],
            ),
            (true, false) => {
                Statement::from_sql_and_values(db.get_database_backend(), sql, [user.id.into(), after.into()])
            }
            _ => {
                let sql = sql.replace("$3", "$1");
                Statement::from_sql_and_values(db.get_database_backend(), sql, [address, after.into()])
            }
        }
    }

    fn object(&self, row: &QueryResult, base_url: &str) -> Result<Json, DbErr> {
        let mut object = Map::new();
        for (name, kind) in self.columns {
            let value = match kind {
                Kind::Text => row.try_get::<Option<String>>("", name)?.map_or(Json::Null, Json::from),
                Kind::Number => number(row, name)?.map_or(Json::Null, Json::from),
                Kind::Flag => row.try_get::<Option<bool>>("", name)?.map_or(Json::Null, Json::from),
                Kind::Time => row
                    .try_get::<Option<i64>>("", name)?
                    .map_or(Json::Null, |moment| Json::from(Timestamp(moment).rfc3339())),
                Kind::Path => row
                    .try_get::<Option<String>>("", name)?
                    .map_or(Json::Null, |path| Json::from(format!("{base_url}{path}"))),
                Kind::Json => row.try_get::<Option<Json>>("", name)?.unwrap_or_default(),
            };
            object.insert((*name).to_owned(), value);
        }
        Ok(Json::Object(object))
    }
}

/// PostgreSQL tells 32 bits from 64.
fn number(row: &QueryResult, name: &str) -> Result<Option<i64>, DbErr> {
    match row.try_get::<Option<i64>>("", name) {
        Ok(number) => Ok(number),
        Err(_) => Ok(row.try_get::<Option<i32>>("", name)?.map(i64::from)),
    }
}
