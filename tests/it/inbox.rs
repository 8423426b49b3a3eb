//! The inbox: what readers were told, on the site itself.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, Request, header};
use futures::StreamExt;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Statement};
use tower::ServiceExt;
use xiangxun::db::entities::alert::AlertCadence;
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::{inbox_item, user};
use xiangxun::inbox::queries;
use xiangxun::page::Locale;
use xiangxun::subscriptions;
use xiangxun::{alerts, jobs};

use crate::both_databases;
use crate::support::TestApp;

/// A reader with an account of theirs on the site who follows an account.
async fn reader(app: &TestApp, account_id: i64, email: &str) -> user::Model {
    let reader = app.user(email).await;
    subscriptions::subscribe(&app.app, &reader, account_id, None, Locale::ZhHans).await.unwrap();
    reader
}

async fn unread(app: &TestApp, user_id: i64) -> u64 {
    queries::unread(app.app.db.read(), user_id).await.unwrap()
}

both_databases! {
    async fn a_push_comes_to_the_inbox_of_each_signed_in_reader_who_is_told_at_once(app) {
        let (account, _) = app.account("times").await;
        let anna = reader(app, account.id, "anna@example.org").await;
        let muted = reader(app, account.id, "muted@example.org").await;
        let bert = reader(app, account.id, "bert@example.org").await;
        app.subscriber(account.id, "by-address@example.org").await;
        let rows = xiangxun::db::entities::subscription::Entity::find();
        let own = rows.filter(xiangxun::db::entities::subscription::COLUMN.user_id.eq(muted.id)).one(app.app.db.read()).await.unwrap().unwrap();
        subscriptions::change_own(&app.app, muted.id, own.id, subscriptions::Change::Mute).await.unwrap();
        let (one, two) = (app.published(account.id, "头条").await, app.published(account.id, "二条").await);
        app.push(account.id, &[&one, &two]).await;
        app.work().await;
        app.work().await;
        assert_eq!(inbox_item::Entity::find().count(app.app.db.read()).await.unwrap(), 2);
        for user in [&anna, &bert] {
            assert_eq!(unread(app, user.id).await, 1);
        }
        app.sign_in(anna.id).await;
        // The head of every page says so.
        let front = app.get("/").await.assert_status(200).text();
        assert!(front.contains("data-unread=\"1\""), "{front}");
        assert!(front.contains("<span class=\"num count\">1</span> <span class=\"sr\">未读</span>"));
        let list = app.get("/inbox").await.assert_status(200).text();
        assert!(list.contains("头条") && list.contains("二条") && list.contains("times 日报"), "{list}");
        let item = inbox_item::Entity::find().filter(inbox_item::COLUMN.user_id.eq(anna.id)).one(app.app.db.read()).await.unwrap().unwrap();
        // Only looking ahead reads nothing, and nobody reads another's.
        let ahead = app.request(Method::GET, &format!("/inbox/{}", item.id)).header("sec-purpose", "prefetch");
        app.send(ahead.body(Body::empty()).unwrap()).await.assert_status(204);
        assert_eq!(unread(app, anna.id).await, 1);
        let opened = app.get(&format!("/inbox/{}?article={}", item.id, two.id)).await.assert_status(303);
        assert_eq!(opened.location(), format!("/@times/{}", two.slug));
        assert_eq!((unread(app, anna.id).await, unread(app, bert.id).await), (0, 1));
        assert!(app.get("/").await.text().contains("data-unread=\"0\""));
        app.sign_out();
        app.sign_in(bert.id).await;
        app.get(&format!("/inbox/{}", item.id)).await.assert_status(404);
        app.sign_out();
        assert!(app.get("/inbox").await.assert_status(303).location().starts_with("/sign-in"));
    }

    async fn what_an_alert_found_comes_too_and_all_is_read_at_once(app) {
        let (account, _) = app.account("times").await;
        let reader = reader(app, account.id, "anna@example.org").await;
        let new = alerts::NewAlert { name: "台风".into(), query: "台风".into(), cadence: Some(AlertCadence::Instant) };
        alerts::save(&app.app, &reader, &new).await.unwrap();
        app.sign_in_as(account.id, Role::Editor).await;
        app.publish_new("times", "台風登陸", "正文").await;
        app.publish_new("times", "晴天", "正文").await;
        app.work().await;
        assert_eq!(unread(app, reader.id).await, 1);
        let article = app.published(account.id, "头条").await;
        app.push(account.id, &[&article]).await;
        app.work().await;
        assert_eq!(unread(app, reader.id).await, 2);
        app.sign_out();
        app.sign_in(reader.id).await;
        let list = app.get("/inbox?show=unread").await.assert_status(200).text();
        assert!(list.contains("台風登陸") && list.contains("提醒") && list.contains("头条"), "{list}");
        let newest = inbox_item::Entity::find().all(app.app.db.read()).await.unwrap().iter().map(|item| item.id).max().unwrap();
        // Something that comes while the page is looked at stays unread.
        let later = app.published(account.id, "后来").await;
        app.push(account.id, &[&later]).await;
        app.work().await;
        app.post("/inbox/read", &[("newest", &newest.to_string())]).await.assert_status(303);
        assert_eq!(unread(app, reader.id).await, 1);
        app.app.clock.advance(Duration::from_secs(91 * 86_400));
        jobs::upkeep::run_once(&app.app).await.unwrap();
        assert_eq!(inbox_item::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    }

    async fn readers_who_were_told_are_told_of_corrections_and_withdrawals(app) {
        let (account, _) = app.account("times").await;
        let told = reader(app, account.id, "anna@example.org").await;
        app.sign_in_as(account.id, Role::Editor).await;
        let id = app.publish_new("times", "头条", "正文").await;
        let article = app.article(id).await;
        app.push(account.id, &[&article]).await;
        app.work().await;
        let late = reader(app, account.id, "late@example.org").await;
        let save = async |title: &str, note: &str, correct: &str| {
            let version = app.article(id).await.version.to_string();
            let form = [("title", title), ("body", "正文"), ("lang", "zh-Hans"), ("version", &version), ("note", note), ("correct", correct)];
            app.post(&format!("/studio/@times/articles/{id}"), &form).await
        };
        // A new comma is nobody's news.
        save("头条，", "标点", "").await.assert_status(303);
        app.work().await;
        assert_eq!(unread(app, told.id).await, 1);
        save("更正的头条", "", "1").await.assert_status(422);
        save("更正的头条", "人数应为十二人", "1").await.assert_status(303);
        app.work().await;
        app.post(&format!("/studio/@times/articles/{id}/withdraw"), &[("reason", "消息有误")]).await.assert_status(303);
        app.work().await;
        assert_eq!((unread(app, told.id).await, unread(app, late.id).await), (3, 0));
        app.sign_out();
        app.sign_in(told.id).await;
        let list = app.get("/inbox").await.text();
        assert!(list.contains("人数应为十二人") && list.contains("消息有误") && list.contains("<s>更正的头条</s>"), "{list}");
        let list = app.get("/inbox?script=hant-tw").await.text();
        assert!(list.contains("<p lang=\"zh-Hant-TW\">人數應為十二人</p>") && list.contains("<s>更正的頭條</s>"), "{list}");
    }

    async fn counting_what_is_unread_reads_one_index(app) {
        let db = &app.app.db;
        let backend = db.backend();
        let reader = app.user("anna@example.org").await;
        let other = app.user("bert@example.org").await;
        let now = app.app.clock.now().0;
        for n in 0..40 {
            let rows: Vec<String> = (0..100)
                .map(|m| {
                    let (user, read) = if m == 0 { (reader.id, "NULL".to_owned()) } else { (other.id, now.to_string()) };
                    format!("({user}, 'push:{n}-{m}', 'push', {now}, {read})")
                })
                .collect();
            let insert = format!("INSERT INTO inbox_items (user_id, subject, kind, created_at, read_at) VALUES {}", rows.join(","));
            db.write().execute_unprepared(&insert).await.unwrap();
        }
        db.write().execute_unprepared("ANALYZE").await.unwrap();
        assert_eq!((unread(app, reader.id).await, unread(app, other.id).await), (40, 0));
        let explain = if backend == sea_orm::DbBackend::Sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
        let query = format!("{explain} {}", queries::COUNT_UNREAD.replace("$1", &reader.id.to_string()));
        let rows = db.read().query_all_raw(Statement::from_string(backend, query)).await.unwrap();
        let column = if backend == sea_orm::DbBackend::Sqlite { 3 } else { 0 };
        let plan: Vec<String> = rows.iter().map(|row| row.try_get_by_index(column).unwrap()).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("ix_inbox_items_unread"), "{plan}");
        assert!(!plan.contains("SCAN inbox_items") && !plan.contains("Seq Scan"), "{plan}");
        // More than anybody reads is not counted further.
        db.write().execute_unprepared("UPDATE inbox_items SET read_at = NULL").await.unwrap();
        assert_eq!(unread(app, other.id).await, 100);
        app.sign_in(other.id).await;
        assert!(app.get("/").await.text().contains("99+"));
    }

    async fn the_number_of_unread_items_comes_live_and_streams_are_bounded(app) {
        let (account, _) = app.account("times").await;
        let reader = reader(app, account.id, "anna@example.org").await;
        app.sign_in(reader.id).await;
        let stream = async || {
            let request: Request<Body> = app.request(Method::GET, "/inbox/live").body(Body::empty()).unwrap();
            xiangxun::routes::Site::new(app.app.clone()).oneshot(request).await.unwrap()
        };
        let response = stream().await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        let mut events = response.into_body().into_data_stream();
        let mut next = async || {
            let piece = tokio::time::timeout(Duration::from_secs(10), events.next()).await.expect("in time");
            String::from_utf8(piece.unwrap().unwrap().to_vec()).unwrap()
        };
        assert!(next().await.contains("data: 0"));
        let article = app.published(account.id, "头条").await;
        let began = Instant::now();
        app.push(account.id, &[&article]).await;
        app.work().await;
        let event = next().await;
        assert!(event.contains("event: unread") && event.contains("data: 1"), "{event}");
        assert!(began.elapsed() < Duration::from_secs(4));
        let item = inbox_item::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        app.get(&format!("/inbox/{}", item.id)).await.assert_status(303);
        assert!(next().await.contains("data: 0"));
        let mut open = Vec::new();
        for _ in 0..5 {
            open.push(stream().await);
        }
        assert!(open.iter().all(|response| response.status() == 200));
        assert_eq!(stream().await.status(), 429);
        open.clear();
        assert_eq!(stream().await.status(), 200);
        app.sign_out();
        assert_eq!(stream().await.status(), 303);
    }

    async fn what_another_node_writes_comes_live_too(app) {
        let (account, _) = app.account("times").await;
        let reader = reader(app, account.id, "anna@example.org").await;
        app.sign_in(reader.id).await;
        let mailer = xiangxun::mail::Mailer::memory(Default::default());
        let other = xiangxun::app::App::open_with(app.app.config.clone(), mailer, app.app.clock.clone()).await.unwrap();
        let request = app.request(Method::GET, "/inbox/live").body(Body::empty()).unwrap();
        let response = xiangxun::routes::Site::new(other.clone()).oneshot(request).await.unwrap();
        let mut events = response.into_body().into_data_stream();
        let mut next = async || {
            let piece = tokio::time::timeout(Duration::from_secs(10), events.next()).await.expect("in time");
            String::from_utf8(piece.unwrap().unwrap().to_vec()).unwrap()
        };
        assert!(next().await.contains("data: 0"));
        let article = app.published(account.id, "头条").await;
        app.push(account.id, &[&article]).await;
        app.work().await;
        assert!(next().await.contains("data: 1"));
        drop(events);
        let _ = other.db.clone().close().await;
    }
}
