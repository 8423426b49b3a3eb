//! Every column of the database that names a person, what becomes of its rows when that person leaves, and where they
//! stand in an export. A table that is not about people is in [`NOBODYS`].

use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::db::Db;
use crate::db::entities::user;

/// Rows that one statement changes, so that no other writer waits long.
const BATCH: u64 = 500;

/// By what a column names a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Id,
    Address,
}

/// What becomes of the rows when the person leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They go.
    Deleted,
    /// They stay with their account, and name nobody any more.
    Emptied,
    /// `leaving` does it by a way of its own, said here.
    Apart(&'static str),
    /// They stay as they are, for this reason.
    Kept(&'static str),
}

/// Where rows stand in the document of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Under this name.
    As(&'static str),
    /// Nowhere, for this reason.
    Not(&'static str),
}

/// A column that names a person.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub table: &'static str,
    pub column: &'static str,
    /// The table's key.
    key: &'static str,
    pub by: By,
    pub fate: Fate,
    pub told: Told,
}

const fn deleted(table: &'static str, column: &'static str, by: By, told: Told) -> Place {
    Place { table, column, key: "id", by, fate: Fate::Deleted, told }
}

const fn emptied(table: &'static str, column: &'static str, told: &'static str) -> Place {
    Place { table, column, key: "id", by: By::Id, fate: Fate::Emptied, told: Told::As(told) }
}

const fn apart(table: &'static str, column: &'static str, by: By, how: &'static str, told: Told) -> Place {
    Place { table, column, key: "id", by, fate: Fate::Apart(how), told }
}

/// All of them, in the order in which `leaving` goes through them.
pub const PLACES: [Place; 36] = [
    deleted("sessions", "user_id", By::Id, Told::As("sessions")),
    deleted("devices", "user_id", By::Id, Told::As("devices")),
    deleted("notified_readers", "user_id", By::Id, Told::As("notifications")),
    deleted("api_tokens", "user_id", By::Id, Told::As("api_tokens")),
    deleted("app_passwords", "user_id", By::Id, Told::As("app_passwords")),
    deleted("private_feeds", "user_id", By::Id, Told::As("private_feeds")),
    deleted("idempotency_keys", "user_id", By::Id, Told::As("api_requests")),
    deleted("sign_in_links", "email", By::Address, Told::As("sign_in_links")),
    deleted("members", "user_id", By::Id, Told::As("memberships")),
    apart(
        "alerts",
        "user_id",
        By::Id,
        "with an event, so that no node goes on matching it",
        Told::As("alerts"),
    ),
    apart(
        "subscriptions",
        "user_id",
        By::Id,
        "deleted; one that pushes were sent to stays for their counts, ended and without address and user",
        Told::As("subscriptions"),
    ),
    apart("subscriptions", "email", By::Address, "the same", Told::As("subscriptions")),
    deleted("readers", "email", By::Address, Told::As("reading")),
    deleted("suppressions", "email", By::Address, Told::As("suppressions")),
    deleted("bounces", "email", By::Address, Told::As("bounces")),
    deleted("inbox_items", "user_id", By::Id, Told::As("inbox")),
    deleted("read_marks", "user_id", By::Id, Told::As("read_marks")),
    Place {
        table: "timelines",
        column: "user_id",
        key: "user_id",
        by: By::Id,
        fate: Fate::Deleted,
        told: Told::As("timeline"),
    },
    deleted("saved_articles", "user_id", By::Id, Told::As("saved_articles")),
    deleted("outside_marks", "user_id", By::Id, Told::As("outside_marks")),
    deleted("outside_follows", "user_id", By::Id, Told::As("outside_feeds")),
    deleted("lists", "user_id", By::Id, Told::As("lists")),
    emptied("articles", "created_by", "articles"),
    emptied("revisions", "editor_id", "revisions"),
    Place {
        table: "autosaves",
        column: "user_id",
        key: "article_id",
        by: By::Id,
        fate: Fate::Emptied,
        told: Told::As("unsaved_work"),
    },
    emptied("pushes", "created_by", "pushes"),
    emptied("media", "user_id", "pictures"),
    emptied("sources", "created_by", "sources"),
    apart(
        "jobs",
        "payload",
        By::Id,
        "an article waits to be published in nobody's name; a link to leave by goes",
        Told::Not(JOBS),
    ),
    apart("jobs", "last_error", By::Address, "emptied where it names the address", Told::Not(JOBS)),
    apart(
        "deliveries",
        "answer",
        By::Address,
        "emptied: a server's words may repeat the address",
        Told::As("deliveries"),
    ),
    apart("exports", "user_id", By::Id, "with its file", Told::As("exports")),
    Place {
        table: "from_addresses",
        column: "address",
        key: "id",
        by: By::Address,
        fate: Fate::Kept("the sender of an account, which its domain has proven; its owners change it"),
        told: Told::Not("it is the account's"),
    },
    apart("users", "id", By::Id, "last of all", Told::As("profile")),
    apart("users", "email", By::Address, "last of all", Told::As("profile")),
    apart("users", "name", By::Id, "last of all", Told::As("profile")),
];

const JOBS: &str = "work under way, which is gone when it is done";

/// Tables that name nobody, or only through a row of another table, with which theirs go.
pub const NOBODYS: [&str; 32] = [
    "account_handles",
    "accounts",
    // With their alert.
    "alert_hits",
    "article_slugs",
    "article_tags",
    "collection_articles",
    "collections",
    "entries",
    "events",
    // With their saved article.
    "highlights",
    "hub_leases",
    "hub_requests",
    // Of accounts.
    "imported_covers",
    "mail_domains",
    "mail_reservations",
    // Fetched for all who follow them; one that nobody follows any more is dropped by the hourly upkeep.
    "outside_feeds",
    "outside_items",
    "provider_pauses",
    "push_articles",
    "push_services",
    "push_tallies",
    "reader_items",
    // Counts by day; who searched is not kept.
    "search_clicks",
    "search_queries",
    "seaql_migrations",
    "server_rests",
    "settings",
    // Subscribers are named to them by a word that leads nowhere.
    "webhook_attempts",
    "webhook_messages",
    "webhooks",
    // SQLite's own.
    "sqlite_sequence",
    "sqlite_stat1",
];

impl Place {
    /// Deletes or empties all that it has of a person, a batch at a time; returns how many rows it were.
    pub(super) async fn clear(&self, db: &Db, user: &user::Model) -> Result<u64, DbErr> {
        let Self { table, column, key, .. } = self;
        let some = format!("{key} IN (SELECT {key} FROM {table} WHERE {column} = $1 LIMIT {BATCH})");
        let sql = match self.fate {
            Fate::Deleted => format!("DELETE FROM {table} WHERE {some}"),
            Fate::Emptied => format!("UPDATE {table} SET {column} = NULL WHERE {some}"),
            Fate::Apart(_) | Fate::Kept(_) => return Ok(0),
        };
        let who = match self.by {
            By::Id => user.id.into(),
            By::Address => user.email.as_str().into(),
        };
        let mut changed = 0;
        loop {
            let statement = Statement::from_sql_and_values(db.backend(), &sql, [Clone::clone(&who)]);
            let rows = db.write().execute_raw(statement).await?.rows_affected();
            changed += rows;
            if rows < BATCH {
                return Ok(changed);
            }
        }
    }
}
