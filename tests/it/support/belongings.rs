//! A person who has something in every place of the database that there is, and the database as it describes itself.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use xiangxun::auth::password::{self, Password};
use xiangxun::belongings::export;
use xiangxun::belongings::places::{Fate, PLACES};
use xiangxun::db::entities::user;

use super::TestApp;
use super::app::Answer;
use super::people::PASSWORD;

/// Nothing else in the database looks like these.
pub const ID: i64 = 7_340_033_771;
pub const EMAIL: &str = "leaver.q7x@example.org";
pub const NAME: &str = "离站者甲乙丙";

/// A person with a password, who is signed in.
pub async fn person(app: &TestApp) -> user::Model {
    let hash = password::hash(Password::parse(PASSWORD, EMAIL).unwrap()).await.unwrap();
    let now = app.app.clock.now().0;
    run(
        app,
        &format!(
            "INSERT INTO users (id, email, name, password_hash, operator, state, locale, script, timezone, created_at) \
             VALUES ({ID}, '{EMAIL}', '{NAME}', '{hash}', FALSE, 'active', 'zh-Hans', '', 'Asia/Shanghai', {now})"
        ),
    )
    .await;
    app.sign_in(ID).await;
    user::Entity::find_by_id(ID).one(app.app.db.read()).await.unwrap().unwrap()
}

/// Puts a row of the person into every place; `account_id` has a published article and is not theirs alone.
pub async fn everything(app: &TestApp, account_id: i64, article_id: i64) {
    let now = app.app.clock.now().0;
    let rows = [
        of_signing_in(now),
        of_following(now, account_id, article_id),
        of_being_told(now, account_id, article_id),
        of_reading(now, article_id),
        of_working(now, account_id, article_id),
    ];
    for row in rows.iter().flatten() {
        run(app, &format!("INSERT INTO {row}")).await;
    }
    run(app, &format!("UPDATE articles SET created_by = {ID} WHERE id = {article_id}")).await;
    let folder = app.app.config.data.join("media/1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("0123456789abcdef0123456789abcdef.png"), b"PNG!").unwrap();
}

/// The id of the first row of theirs in a table.
fn mine(table: &str) -> String {
    format!("(SELECT id FROM {table} WHERE user_id = {ID} ORDER BY id LIMIT 1)")
}

/// How they get in.
fn of_signing_in(now: i64) -> Vec<String> {
    let u = ID;
    let e = EMAIL;
    let session = mine("sessions");
    vec![
        format!(
            "devices (user_id, session_id, endpoint, host, public_key, auth, name, created_at) VALUES ({u}, {session}, 'https://push.example/1', 'push.example', 'the-public-key', 'the-device-secret', 'Firefox', {now})"
        ),
        format!("notified_readers (user_id, told_until, told_at) VALUES ({u}, 0, {now})"),
        format!(
            "api_tokens (user_id, name, token_hash, scopes, created_at) VALUES ({u}, '编辑部', 'the-token-hash', 'alerts:read', {now})"
        ),
        format!(
            "app_passwords (user_id, name, secret_hash, fever_hash, created_at) VALUES ({u}, '手机', 'the-app-hash', 'the-fever-hash', {now})"
        ),
        format!("private_feeds (user_id, nonce, created_at) VALUES ({u}, 'the-nonce', {now})"),
        format!("idempotency_keys (user_id, key, request_hash, created_at) VALUES ({u}, 'k1', 'h', {now})"),
        format!(
            "sign_in_links (email, purpose, token_hash, next, locale, expires_at, created_at) VALUES ('{e}', 'sign_in', 'the-link-hash', '/', '', {now}, {now})"
        ),
    ]
}

/// What they follow.
fn of_following(now: i64, a: i64, x: i64) -> Vec<String> {
    let u = ID;
    let e = EMAIL;
    let later = now + 86_400_000_000;
    let alert = mine("alerts");
    let list = mine("lists");
    let feed = "(SELECT MAX(id) FROM outside_feeds)";
    let item = "(SELECT MAX(id) FROM outside_items)";
    vec![
        format!("lists (user_id, name, place, created_at) VALUES ({u}, '侨乡', 1, {now})"),
        format!(
            "alerts (user_id, name, query, cadence, state, created_at, updated_at) VALUES ({u}, '签证', '签证 新规', 'daily', 'active', {now}, {now})"
        ),
        format!(
            "alert_hits (alert_id, article_id, occasion, created_at) VALUES ({alert}, {x}, 'article:{x}', {now})"
        ),
        format!(
            "subscriptions (account_id, user_id, email, state, cadence, locale, created_at, confirmed_at, list_id) VALUES ({a}, {u}, '{e}', 'active', 'instant', 'zh-Hans', {now}, {now}, {list})"
        ),
        format!(
            "readers (email, timezone, locale, script, cadence, digest_hour, digest_weekday, with_seen, daily_told, weekly_told, created_at) VALUES ('{e}', 'Europe/Rome', 'zh-Hans', '', 'daily', 7, 1, FALSE, 0, 0, {now})"
        ),
        format!(
            "outside_feeds (url, title, interval_ms, next_fetch_at, failures, gone, created_at) VALUES ('https://elsewhere.example/feed', '别处', 3600000, {later}, 0, FALSE, {now})"
        ),
        format!(
            "outside_items (feed_id, identity, link, content_hash, title, author, html, published_at, created_at, updated_at) VALUES ({feed}, 'i1', 'https://elsewhere.example/1', 'h', '别处的一篇', '', '', {now}, {now}, {now})"
        ),
        format!(
            "outside_follows (user_id, feed_id, title, read_until, created_at) VALUES ({u}, {feed}, '我的名字', 0, {now})"
        ),
        format!("outside_marks (user_id, item_id, is_read, starred_at) VALUES ({u}, {item}, TRUE, {now})"),
    ]
}

/// What they were told, and what came of it.
fn of_being_told(now: i64, a: i64, x: i64) -> Vec<String> {
    let u = ID;
    let e = EMAIL;
    let alert = mine("alerts");
    let subscription = mine("subscriptions");
    let push = "(SELECT MAX(id) FROM pushes)";
    let reader = format!("(SELECT id FROM readers WHERE email = '{e}')");
    let delivery =
        "channel, provider, state, attempts, next_attempt_at, message_id, answer, created_at, updated_at";
    let done = format!("'email', 'other', 'delivered', 1, {now}, '<m@x>', '250 <{e}> ok', {now}, {now}");
    vec![
        format!("suppressions (email, reason, created_at) VALUES ('{e}', '550 <{e}> unknown', {now})"),
        format!(
            "bounces (key, email, kind, words, created_at) VALUES ('1:soft', '{e}', 'soft', 'full', {now})"
        ),
        format!(
            "pushes (account_id, created_by, idempotency_key, state, created_at) VALUES ({a}, {u}, 'everything', 'sent', {now})"
        ),
        format!("deliveries (push_id, subscription_id, {delivery}) VALUES ({push}, {subscription}, {done})"),
        format!("deliveries (alert_id, occasion, {delivery}) VALUES ({alert}, 'article:{x}', {done})"),
        format!(
            "deliveries (reader_id, occasion, told, {delivery}) VALUES ({reader}, '{now}', '{{}}', {done})"
        ),
        format!(
            "inbox_items (user_id, subject, kind, push_id, created_at) VALUES ({u}, 'push:1', 'push', {push}, {now})"
        ),
    ]
}

/// What they have read and saved.
fn of_reading(now: i64, x: i64) -> Vec<String> {
    let u = ID;
    let saved = mine("saved_articles");
    vec![
        format!("read_marks (user_id, article_id, read_at, is_read) VALUES ({u}, {x}, {now}, TRUE)"),
        format!("timelines (user_id, mute_words, visited_at) VALUES ({u}, '[\"彩票\"]', {now})"),
        format!(
            "saved_articles (user_id, article_id, saved_at, version, url, account_handle, account_name, title, digest, author, tags, lang, letters, body_html) VALUES ({u}, {x}, {now}, 1, '/@paper/one', 'paper', '日报', '收着的文章', '', '记者', '[\"侨务\"]', 'zh-Hans', '', '<p>正文在<strong>这里</strong>。</p><p><img src=\"/media/1/0123456789abcdef0123456789abcdef.png\" alt=\"图\"></p>')"
        ),
        format!(
            "highlights (saved_id, quote, before, after, note, created_at) VALUES ({saved}, '正文', '', '在', '我的笔记', {now})"
        ),
    ]
}

/// What they do for an account.
fn of_working(now: i64, a: i64, x: i64) -> Vec<String> {
    let u = ID;
    let e = EMAIL;
    let later = now + 86_400_000_000;
    vec![
        format!("members (account_id, user_id, role, created_at) VALUES ({a}, {u}, 'author', {now})"),
        format!(
            "revisions (article_id, number, editor_id, title, digest, body_format, body_html, note, created_at) VALUES ({x}, 1, {u}, '旧题', '', 'html', '', '改了错字', {now})"
        ),
        format!(
            "autosaves (article_id, user_id, version, fields, saved_at) VALUES ({x}, {u}, 1, '{{\"title\": \"草稿\"}}', {now})"
        ),
        format!(
            "media (account_id, user_id, key, content_type, width, height, bytes, created_at) VALUES ({a}, {u}, '1/0123456789abcdef0123456789abcdef.png', 'image/png', 1, 1, 4, {now})"
        ),
        format!(
            "sources (account_id, url, title, mode, state, interval_ms, next_fetch_at, failures, created_by, created_at) VALUES ({a}, 'https://outlet.example/feed', '', 'draft', 'paused', 3600000, {later}, 0, {u}, {now})"
        ),
        format!(
            "from_addresses (account_id, address, domain, selector, secret, created_at) VALUES ({a}, '{e}', 'example.org', 's', 'x', {now})"
        ),
        format!(
            "jobs (kind, payload, unique_key, state, attempts, run_at, last_error, created_at) VALUES ('publish_article', '{{\"kind\": \"publish_article\", \"article_id\": {x}, \"user_id\": {u}}}', 'publish_article:{x}', 'waiting', 0, {later}, '550 <{e}> no', {now})"
        ),
    ]
}

/// Where the settings page lets them download their export.
pub async fn download_path(app: &TestApp) -> String {
    let page = app.get("/settings/data").await.text();
    let at = page.find("/settings/data/export/").unwrap_or_else(|| panic!("no file: {page}"));
    page[at..].split('"').next().unwrap().to_owned()
}

/// Asks for an export, makes it, and downloads it.
pub async fn export_of(app: &TestApp) -> Answer {
    app.post("/settings/data/export", &[]).await.assert_status(303);
    app.work().await;
    app.get(&download_path(app).await).await.assert_status(200)
}

pub fn exported_files(app: &TestApp) -> usize {
    std::fs::read_dir(export::folder(&app.app)).map_or(0, Iterator::count)
}

pub async fn run(app: &TestApp, sql: &str) {
    let done = app.app.db.write().execute_unprepared(sql).await;
    done.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// Every table with its columns.
pub async fn columns(app: &TestApp) -> Vec<(String, String)> {
    let sql = match app.app.db.backend() {
        DbBackend::Postgres => {
            "SELECT CAST(c.table_name AS text) AS one, CAST(c.column_name AS text) AS two FROM information_schema.columns c \
             JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
             WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
        }
        _ => {
            "SELECT t.name AS one, c.name AS two FROM sqlite_master t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table'"
        }
    };
    pairs(app, sql).await
}

/// Every column that refers to users.
pub async fn references_to_users(app: &TestApp) -> Vec<(String, String)> {
    let sql = match app.app.db.backend() {
        DbBackend::Postgres => {
            "SELECT CAST(r.relname AS text) AS one, CAST(a.attname AS text) AS two FROM pg_constraint f \
             JOIN pg_class r ON r.oid = f.conrelid \
             JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1] \
             WHERE f.contype = 'f' AND f.confrelid = 'users'::regclass"
        }
        _ => {
            "SELECT t.name AS one, f.\"from\" AS two FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f \
             WHERE t.type = 'table' AND f.\"table\" = 'users'"
        }
    };
    pairs(app, sql).await
}

async fn pairs(app: &TestApp, sql: &str) -> Vec<(String, String)> {
    let statement = Statement::from_string(app.app.db.backend(), sql);
    let rows = app.app.db.write().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| (row.try_get("", "one").unwrap(), row.try_get("", "two").unwrap())).collect()
}

/// How many rows have these words in a column.
pub async fn holds(app: &TestApp, table: &str, column: &str, words: &str) -> i64 {
    let sql = format!(
        "SELECT COUNT(*) AS count FROM \"{table}\" WHERE CAST(\"{column}\" AS text) LIKE '%{words}%'"
    );
    let statement = Statement::from_string(app.app.db.backend(), sql);
    app.app.db.write().query_one_raw(statement).await.unwrap().unwrap().try_get("", "count").unwrap()
}

/// Long enough for what was under way when somebody left.
pub const SETTLED: Duration = Duration::from_secs(41);

pub async fn leave(app: &TestApp) {
    let answer = app.post("/settings/leave", &[("password", PASSWORD)]).await.assert_status(303);
    assert_eq!(answer.location(), "/");
    assert_eq!(
        answer.header("clear-site-data"),
        "\"storage\"",
        "pages kept to be read without a network go too"
    );
}

/// Until everything is deleted.
pub async fn leave_for_good(app: &TestApp) {
    leave(app).await;
    app.work().await;
    app.app.clock.advance(SETTLED);
    app.work().await;
    assert!(user::Entity::find_by_id(ID).one(app.app.db.read()).await.unwrap().is_none());
}

/// By what the database would know them.
pub fn marks() -> [String; 3] {
    [ID.to_string(), EMAIL.to_owned(), NAME.to_owned()]
}

/// Looks for them in every column that there is.
pub async fn is_nowhere(app: &TestApp) {
    // SQLite counts the ids that it has given.
    for (table, column) in columns(app).await.iter().filter(|(table, _)| table != "sqlite_sequence") {
        for mark in marks() {
            let is_kept = PLACES.iter().any(|place| {
                place.table == table && place.column == column && matches!(place.fate, Fate::Kept(_))
            });
            let found = holds(app, table, column, &mark).await;
            assert!(is_kept || found == 0, "{table}.{column} still says {mark} {found} times");
        }
    }
}

/// Puts messages that wait into the ledger: of an alert, a digest, and a notification of a push.
pub async fn wait_for_everything(app: &TestApp, push: i64, article: i64, notices: &str) {
    let now = app.app.clock.now().0;
    let row = |provider: &str, channel: &str| {
        format!("'{channel}', '{provider}', 'waiting', 0, {now}, '<{provider}.{channel}@x>', {now}, {now}")
    };
    let columns = "channel, provider, state, attempts, next_attempt_at, message_id, created_at, updated_at";
    let of_user = |table: &str| format!("(SELECT MAX(id) FROM {table} WHERE user_id = {ID})");
    let (alert, subscription, session) = (of_user("alerts"), of_user("subscriptions"), of_user("sessions"));
    for sql in [
        format!(
            "INSERT INTO devices (user_id, session_id, endpoint, host, public_key, auth, name, created_at) \
             VALUES ({ID}, {session}, '{notices}/1', '127.0.0.1', 'x', 'x', 'Firefox', {now})"
        ),
        format!(
            "INSERT INTO alerts (user_id, name, query, cadence, state, created_at, updated_at) \
             VALUES ({ID}, '签证', '签证', 'instant', 'active', {now}, {now})"
        ),
        format!(
            "INSERT INTO alert_hits (alert_id, article_id, occasion, created_at) \
             VALUES ({alert}, {article}, 'article:{article}', {now})"
        ),
        format!(
            "INSERT INTO deliveries (alert_id, occasion, {columns}) VALUES ({alert}, 'article:{article}', {})",
            row("other", "email")
        ),
        format!(
            "INSERT INTO readers (email, timezone, locale, script, cadence, digest_hour, digest_weekday, with_seen, \
             daily_told, weekly_told, created_at) VALUES ('{EMAIL}', 'Europe/Rome', 'zh-Hans', '', 'daily', 7, 1, \
             FALSE, 0, 0, {now})"
        ),
        format!(
            "INSERT INTO deliveries (reader_id, occasion, told, {columns}) VALUES \
             ((SELECT MAX(id) FROM readers), '{now}', '{{\"articles\": [{article}]}}', {})",
            row("other", "email")
        ),
        format!(
            "INSERT INTO deliveries (push_id, subscription_id, {columns}) VALUES ({push}, {subscription}, {})",
            row("web_push", "web_push")
        ),
        format!(
            "INSERT INTO push_tallies (push_id, channel, provider, waiting, held, delivered, failed, suppressed) \
             VALUES ({push}, 'web_push', 'web_push', 1, 0, 0, 0, 0)"
        ),
    ] {
        run(app, &sql).await;
    }
}
