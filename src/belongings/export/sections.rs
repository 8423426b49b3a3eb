//! The lists of an export's document, and where each is in the database.
//!
//! `$1` is the person's id and `$3` their address. Secrets, and hashes of them, are never among the columns.

use super::section::Column::{Flag, Json, Number, Path, Text, Time};
use super::section::Section;

/// Rows that are read at once, of such as are short ..
const MANY: usize = 500;
/// .. and of such as can have a megabyte.
const FEW: usize = 20;

/// What is told of an article only where it can be read, or to those who still work on its account.
macro_rules! of_article {
    ($what:literal AS $name:literal) => {
        concat!(
            "CASE WHEN x.state = 'published' OR EXISTS (SELECT 1 FROM members y WHERE y.account_id = x.account_id \
             AND y.user_id = $1) THEN ",
            $what,
            " END AS ",
            $name
        )
    };
}

/// What is told of a delivery, after what it was for.
macro_rules! delivery {
    ($($what:expr)?) => {
        &[
            $($what,)?
            Text("d.channel"),
            Text("d.state"),
            Number("d.attempts"),
            Text("d.answer"),
            Time("d.created_at"),
            Time("d.updated_at"),
        ]
    };
}

/// All of them, in their order in the document. Saved articles are written apart, with their highlights.
pub const SECTIONS: [Section; 30] = [
    Section {
        name: "reading",
        columns: &[
            Text("r.timezone"),
            Text("r.locale"),
            Text("r.script"),
            Text("r.cadence"),
            Number("r.digest_hour"),
            Number("r.digest_weekday"),
            Number("r.quiet_from"),
            Number("r.quiet_until"),
            Flag("r.with_seen"),
            Time("r.daily_due_at"),
            Time("r.weekly_due_at"),
            Time("r.seen_at"),
            Time("r.created_at"),
        ],
        from: "readers r",
        whose: "r.email = $3",
        cursor: "r.id",
        at_once: MANY,
    },
    Section {
        name: "timeline",
        columns: &[Json("t.mute_words"), Time("t.visited_at"), Time("t.left_at")],
        from: "timelines t",
        whose: "t.user_id = $1",
        cursor: "t.user_id",
        at_once: MANY,
    },
    Section {
        name: "lists",
        columns: &[Text("l.name"), Number("l.place"), Time("l.created_at")],
        from: "lists l",
        whose: "l.user_id = $1",
        cursor: "l.id",
        at_once: MANY,
    },
    Section {
        name: "subscriptions",
        columns: &[
            Text("a.handle AS account"),
            Text("a.name AS account_name"),
            Path("'/@' || a.handle AS url"),
            Text("s.email AS address"),
            Text("s.state"),
            Text("s.cadence"),
            Text("s.locale"),
            Text("l.name AS list"),
            Time("s.created_at"),
            Time("s.confirmed_at"),
            Time("s.ended_at"),
            Time("s.asked_at"),
            Time("s.read_until"),
        ],
        from: "subscriptions s JOIN accounts a ON a.id = s.account_id LEFT JOIN lists l ON l.id = s.list_id",
        whose: "(s.user_id = $1 OR s.email = $3)",
        cursor: "s.id",
        at_once: MANY,
    },
    Section {
        name: "outside_feeds",
        columns: &[
            Text("f.url"),
            Text("f.title"),
            Text("o.title AS own_title"),
            Text("l.name AS list"),
            Time("o.read_until"),
            Time("o.created_at"),
        ],
        from: "outside_follows o JOIN outside_feeds f ON f.id = o.feed_id LEFT JOIN lists l ON l.id = o.list_id",
        whose: "o.user_id = $1",
        cursor: "o.id",
        at_once: MANY,
    },
    Section {
        name: "outside_marks",
        columns: &[
            Text("f.url AS feed"),
            Text("i.link"),
            Text("i.title"),
            Flag("m.is_read"),
            Time("m.starred_at"),
        ],
        from: "outside_marks m JOIN outside_items i ON i.id = m.item_id JOIN outside_feeds f ON f.id = i.feed_id",
        whose: "m.user_id = $1",
        cursor: "m.id",
        at_once: MANY,
    },
    Section {
        name: "read_marks",
        columns: &[
            Path("'/@' || a.handle || '/' || x.slug AS url"),
            Text("x.title"),
            Flag("m.is_read"),
            Time("m.read_at"),
        ],
        from: "read_marks m JOIN articles x ON x.id = m.article_id JOIN accounts a ON a.id = x.account_id",
        whose: "m.user_id = $1",
        cursor: "m.id",
        at_once: MANY,
    },
    Section {
        name: "alerts",
        columns: &[
            Text("l.name"),
            Text("l.query"),
            Text("l.cadence"),
            Text("l.state"),
            Time("l.created_at"),
            Time("l.updated_at"),
        ],
        from: "alerts l",
        whose: "l.user_id = $1",
        cursor: "l.id",
        at_once: MANY,
    },
    Section {
        name: "alert_hits",
        columns: &[
            Text("l.name AS alert"),
            Path("'/@' || a.handle || '/' || x.slug AS url"),
            Text("x.title"),
            Time("h.created_at"),
        ],
        from: "alert_hits h JOIN alerts l ON l.id = h.alert_id JOIN articles x ON x.id = h.article_id \
               JOIN accounts a ON a.id = x.account_id",
        whose: "l.user_id = $1",
        cursor: "h.id",
        at_once: MANY,
    },
    Section {
        name: "inbox",
        columns: &[
            Text("i.kind"),
            Text("i.subject"),
            Text("a.handle AS account"),
            Text("l.name AS alert"),
            Text("x.title"),
            Text("i.words"),
            Time("i.created_at"),
            Time("i.read_at"),
        ],
        from: "inbox_items i LEFT JOIN pushes p ON p.id = i.push_id LEFT JOIN articles x ON x.id = i.article_id \
               LEFT JOIN accounts a ON a.id = COALESCE(p.account_id, x.account_id) LEFT JOIN alerts l ON l.id = i.alert_id",
        whose: "i.user_id = $1",
        cursor: "i.id",
        at_once: MANY,
    },
    Section {
        name: "deliveries",
        columns: delivery!(Text("a.handle AS account")),
        from: "deliveries d JOIN subscriptions s ON s.id = d.subscription_id JOIN accounts a ON a.id = s.account_id",
        whose: "(s.user_id = $1 OR s.email = $3)",
        cursor: "d.id",
        at_once: MANY,
    },
    Section {
        name: "alert_deliveries",
        columns: delivery!(Text("l.name AS alert")),
        from: "deliveries d JOIN alerts l ON l.id = d.alert_id",
        whose: "l.user_id = $1",
        cursor: "d.id",
        at_once: MANY,
    },
    Section {
        name: "digests",
        columns: delivery!(),
        from: "deliveries d JOIN readers r ON r.id = d.reader_id",
        whose: "r.email = $3",
        cursor: "d.id",
        at_once: MANY,
    },
    Section {
        name: "suppressions",
        columns: &[Text("p.reason"), Time("p.created_at")],
        from: "suppressions p",
        whose: "p.email = $3",
        cursor: "p.id",
        at_once: MANY,
    },
    Section {
        name: "bounces",
        columns: &[Text("b.kind"), Text("b.words"), Time("b.created_at")],
        from: "bounces b",
        whose: "b.email = $3",
        cursor: "b.id",
        at_once: MANY,
    },
    Section {
        name: "sessions",
        columns: &[
            Text("s.user_agent"),
            Text("s.ip"),
            Time("s.created_at"),
            Time("s.last_seen_at"),
            Time("s.expires_at"),
        ],
        from: "sessions s",
        whose: "s.user_id = $1",
        cursor: "s.id",
        at_once: MANY,
    },
    Section {
        name: "devices",
        columns: &[Text("d.name"), Text("d.host"), Time("d.created_at"), Time("d.notified_at")],
        from: "devices d",
        whose: "d.user_id = $1",
        cursor: "d.id",
        at_once: MANY,
    },
    Section {
        name: "notifications",
        columns: &[Time("n.told_at")],
        from: "notified_readers n",
        whose: "n.user_id = $1",
        cursor: "n.id",
        at_once: MANY,
    },
    Section {
        name: "api_tokens",
        columns: &[
            Text("t.name"),
            Text("t.scopes"),
            Time("t.created_at"),
            Time("t.last_used_at"),
            Time("t.revoked_at"),
        ],
        from: "api_tokens t",
        whose: "t.user_id = $1",
        cursor: "t.id",
        at_once: MANY,
    },
    Section {
        name: "api_requests",
        columns: &[Text("k.key"), Number("k.status"), Time("k.created_at")],
        from: "idempotency_keys k",
        whose: "k.user_id = $1",
        cursor: "k.id",
        at_once: MANY,
    },
    Section {
        name: "app_passwords",
        columns: &[Text("p.name"), Time("p.created_at"), Time("p.last_used_at"), Text("p.last_used_by")],
        from: "app_passwords p",
        whose: "p.user_id = $1",
        cursor: "p.id",
        at_once: MANY,
    },
    Section {
        name: "private_feeds",
        columns: &[Time("f.created_at"), Time("f.last_used_at")],
        from: "private_feeds f",
        whose: "f.user_id = $1",
        cursor: "f.id",
        at_once: MANY,
    },
    Section {
        name: "sign_in_links",
        columns: &[
            Text("l.purpose"),
            Text("l.next"),
            Time("l.created_at"),
            Time("l.expires_at"),
            Time("l.used_at"),
        ],
        from: "sign_in_links l",
        whose: "l.email = $3",
        cursor: "l.id",
        at_once: MANY,
    },
    Section {
        name: "memberships",
        columns: &[
            Text("a.handle AS account"),
            Text("a.name AS account_name"),
            Text("m.role"),
            Time("m.created_at"),
        ],
        from: "members m JOIN accounts a ON a.id = m.account_id",
        whose: "m.user_id = $1",
        cursor: "m.id",
        at_once: MANY,
    },
    Section {
        name: "articles",
        columns: &[
            Path(of_article!("'/@' || a.handle || '/' || x.slug" AS "url")),
            Text(of_article!("x.title" AS "title")),
            Text("x.state"),
            Time("x.created_at"),
            Time("x.published_at"),
        ],
        from: "articles x JOIN accounts a ON a.id = x.account_id",
        whose: "x.created_by = $1",
        cursor: "x.id",
        at_once: MANY,
    },
    Section {
        name: "revisions",
        columns: &[
            Path(of_article!("'/@' || a.handle || '/' || x.slug" AS "url")),
            Number("r.number"),
            Text(of_article!("r.title" AS "title")),
            Text("r.note"),
            Time("r.created_at"),
        ],
        from: "revisions r JOIN articles x ON x.id = r.article_id JOIN accounts a ON a.id = x.account_id",
        whose: "r.editor_id = $1",
        cursor: "r.id",
        at_once: MANY,
    },
    Section {
        name: "unsaved_work",
        columns: &[Path("'/@' || a.handle || '/' || x.slug AS url"), Json("w.fields"), Time("w.saved_at")],
        from: "autosaves w JOIN articles x ON x.id = w.article_id JOIN accounts a ON a.id = x.account_id \
               JOIN members m ON m.account_id = x.account_id AND m.user_id = w.user_id",
        whose: "w.user_id = $1",
        cursor: "w.article_id",
        at_once: FEW,
    },
    Section {
        name: "pushes",
        columns: &[Text("a.handle AS account"), Text("p.state"), Time("p.created_at"), Time("p.finished_at")],
        from: "pushes p JOIN accounts a ON a.id = p.account_id",
        whose: "p.created_by = $1",
        cursor: "p.id",
        at_once: MANY,
    },
    Section {
        name: "pictures",
        columns: &[
            Text("a.handle AS account"),
            Path("'/media/' || m.key AS url"),
            Text("m.content_type"),
            Number("m.bytes"),
            Time("m.created_at"),
        ],
        from: "media m JOIN accounts a ON a.id = m.account_id",
        whose: "m.user_id = $1",
        cursor: "m.id",
        at_once: MANY,
    },
    Section {
        name: "sources",
        columns: &[Text("a.handle AS account"), Text("s.url"), Text("s.title"), Time("s.created_at")],
        from: "sources s JOIN accounts a ON a.id = s.account_id",
        whose: "s.created_by = $1",
        cursor: "s.id",
        at_once: MANY,
    },
];
