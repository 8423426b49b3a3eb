//! The timeline: what a reader follows, what they have read.

use std::time::Duration;

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbBackend, IntoActiveModel, Statement};
use xiangxun::db::entities::article;
use xiangxun::db::entities::subscription;
use xiangxun::db::entities::user;
use xiangxun::home::queries::Cursor;
use xiangxun::page::Locale;
use xiangxun::subscriptions::timeline::{self, queries};
use xiangxun::subscriptions::{self, Change};

use crate::both_databases;
use crate::support::TestApp;

async fn follow(app: &TestApp, user: &user::Model, account_id: i64) -> subscription::Model {
    subscriptions::subscribe(&app.app, user, account_id, None, Locale::ZhHans).await.unwrap()
}

/// Articles published one minute after the other.
async fn publish(app: &TestApp, account_id: i64, titles: &[&str]) -> Vec<article::Model> {
    let mut articles = Vec::new();
    for title in titles {
        app.app.clock.advance(Duration::from_secs(60));
        articles.push(app.published(account_id, title).await);
    }
    articles
}

async fn titles(app: &TestApp, user_id: i64, only_unread: bool) -> Vec<String> {
    let page = queries::page(app.app.db.read(), user_id, only_unread, None).await.unwrap();
    page.items.into_iter().map(|item| item.title).collect()
}

both_databases! {
    async fn the_timeline_holds_the_articles_of_accounts_followed_newest_first(app) {
        let (daily, _) = app.account("daily").await;
        let (weekly, _) = app.account("weekly").await;
        let (other, _) = app.account("other").await;
        let reader = app.user("reader@example.org").await;
        follow(app, &reader, daily.id).await;
        let paused = follow(app, &reader, weekly.id).await;
        publish(app, daily.id, &["一", "二"]).await;
        publish(app, weekly.id, &["三"]).await;
        publish(app, other.id, &["别人的"]).await;
        publish(app, daily.id, &["四"]).await;
        assert_eq!(titles(app, reader.id, false).await, ["四", "三", "二", "一"]);
        subscriptions::change_own(&app.app, reader.id, paused.id, Change::Pause).await.unwrap();
        assert_eq!(titles(app, reader.id, false).await.len(), 4, "a paused account is still read here");
        subscriptions::change_own(&app.app, reader.id, paused.id, Change::Leave).await.unwrap();
        assert_eq!(titles(app, reader.id, false).await, ["四", "二", "一"]);
        app.sign_in(reader.id).await;
        let page = app.get("/timeline").await.assert_status(200).text();
        assert!(page.contains("四") && !page.contains("别人的") && page.contains("unread"));
        app.sign_out();
        assert_eq!(app.get("/timeline").await.assert_status(303).location(), "/sign-in?next=%2Ftimeline");
    }

    async fn pages_follow_each_other_without_gap_or_double(app) {
        let reader = app.user("reader@example.org").await;
        let mut expected = Vec::new();
        for handle in ["a1", "a2", "a3"] {
            let (account, _) = app.account(handle).await;
            follow(app, &reader, account.id).await;
            for number in 0..40 {
                // Many at the same millisecond: the id decides.
                let article = app.published(account.id, &format!("{handle}-{number}")).await;
                let mut row = article.clone().into_active_model();
                let moment = xiangxun::clock::Timestamp(1_700_000_000_000 + i64::from(number / 10));
                row.published_at = Set(Some(moment));
                row.update(app.app.db.write()).await.unwrap();
                expected.push((moment.0, article.id));
            }
        }
        expected.sort();
        expected.reverse();
        let (mut seen, mut after): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let page = queries::page(app.app.db.read(), reader.id, false, after).await.unwrap();
            seen.extend(page.items.iter().map(|item| (item.published_at.unwrap().0, item.id)));
            after = page.older;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected);
        app.sign_in(reader.id).await;
        let first = app.get("/timeline").await.assert_status(200).text();
        let older = first.split("href=\"").find(|part| part.starts_with("/timeline?after=")).unwrap();
        let older = older.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
        app.get(&older).await.assert_status(200);
        app.get("/timeline?after=nonsense&newest=x").await.assert_status(200);
    }

    async fn an_opened_article_is_read(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let other = app.user("other@example.org").await;
        follow(app, &reader, daily.id).await;
        follow(app, &other, daily.id).await;
        let articles = publish(app, daily.id, &["一", "二", "三"]).await;
        timeline::mark_read(&app.app, reader.id, articles[1].id).await.unwrap();
        timeline::mark_read(&app.app, reader.id, articles[1].id).await.unwrap();
        assert_eq!(titles(app, reader.id, true).await, ["三", "一"]);
        assert_eq!(queries::count_unread(app.app.db.read(), reader.id).await.unwrap(), 2);
        assert_eq!(queries::count_unread(app.app.db.read(), other.id).await.unwrap(), 3);
        let page = queries::page(app.app.db.read(), reader.id, false, None).await.unwrap();
        let states: Vec<_> = page.items.iter().map(queries::TimelineItem::state).collect();
        assert_eq!(states, ["unread", "read", "unread"]);
    }

    async fn what_was_seen_is_marked_as_read_and_what_came_since_is_not(app) {
        let (daily, _) = app.account("daily").await;
        let (other, _) = app.account("other").await;
        let reader = app.user("reader@example.org").await;
        follow(app, &reader, daily.id).await;
        publish(app, other.id, &["别人的"]).await;
        publish(app, daily.id, &["一", "二", "三"]).await;
        app.sign_in(reader.id).await;
        let seen = queries::page(app.app.db.read(), reader.id, false, None).await.unwrap();
        publish(app, daily.id, &["刚到"]).await;
        let newest = seen.items[0].cursor().to_string();
        let second = seen.items[1].cursor().to_string();
        app.post("/timeline/read", &[("newest", &newest), ("oldest", &second)]).await.assert_status(303);
        assert_eq!(titles(app, reader.id, true).await, ["刚到", "一"]);
        app.post("/timeline/read", &[("newest", &newest)]).await.assert_status(303);
        assert_eq!(titles(app, reader.id, true).await, ["刚到"]);
        app.post("/timeline/read", &[("newest", "x")]).await.assert_status(422);
        assert_eq!(titles(app, reader.id, false).await.len(), 4);
    }

    async fn a_new_subscriber_is_not_met_by_years_of_unread_articles(app) {
        let (daily, _) = app.account("daily").await;
        publish(app, daily.id, &["旧", "旧闻"]).await;
        app.app.clock.advance(Duration::from_secs(30 * 24 * 60 * 60));
        publish(app, daily.id, &["上周"]).await;
        app.app.clock.advance(Duration::from_secs(24 * 60 * 60));
        let reader = app.user("reader@example.org").await;
        follow(app, &reader, daily.id).await;
        assert_eq!(titles(app, reader.id, true).await, ["上周"]);
        assert_eq!(titles(app, reader.id, false).await.len(), 3);
    }

    async fn a_page_reads_from_indexes(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        follow(app, &reader, daily.id).await;
        publish(app, daily.id, &["一"]).await;
        if app.app.db.backend() != DbBackend::Sqlite {
            return;
        }
        for only_unread in [false, true] {
            let statement = queries::statement(app.app.db.backend(), reader.id, only_unread, Some(Cursor { published_at: 1, id: 1 }));
            let explained = Statement::from_sql_and_values(
                DbBackend::Sqlite,
                format!("EXPLAIN QUERY PLAN {}", statement.sql),
                statement.values.unwrap(),
            );
            let rows = app.app.db.read().query_all_raw(explained).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
            let plan = plan.join("\n");
            assert!(!plan.contains("SCAN x") && !plan.contains("SCAN b") && !plan.contains("SCAN s"), "{plan}");
            assert!(plan.contains("SEARCH x USING COVERING INDEX") || plan.contains("SEARCH x USING INDEX"), "{plan}");
        }
    }
}
