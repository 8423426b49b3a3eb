//! The timeline: what a reader follows, what they have read.

use std::time::Duration;

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbBackend, IntoActiveModel, Statement};
use xiangxun::db::entities::article;
use xiangxun::db::entities::subscription;
use xiangxun::db::entities::user;
use xiangxun::home::queries::Cursor;
use xiangxun::lists;
use xiangxun::page::Locale;
use xiangxun::subscriptions::timeline::mute::Mute;
use xiangxun::subscriptions::timeline::queries::{Scope, Wanted};
use xiangxun::subscriptions::timeline::{self, queries};
use xiangxun::subscriptions::{self, Change};

use crate::both_databases;
use crate::support::TestApp;

async fn follow(app: &TestApp, user: &user::Model, account_id: i64) -> subscription::Model {
    subscriptions::subscribe(&app.app, user, account_id, None, Locale::ZhHans).await.unwrap()
}

/// The visit is noted behind the answer's back.
async fn note_is_written(app: &TestApp, user_id: i64) {
    for _ in 0..100 {
        if timeline::settings::of_user(app.app.db.read(), user_id).await.unwrap().is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no visit was noted");
}

async fn unread(app: &TestApp, user_id: i64, words: &[&str]) -> i64 {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    queries::count_unread(app.app.db.read(), user_id, &Scope::default(), &Mute::of(&words)).await.unwrap()
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
    let wanted = Wanted { only_unread, ..Wanted::default() };
    titles_of(app, user_id, &wanted, &[]).await
}

/// The same of a part of the timeline, without articles that words hide.
async fn titles_of(app: &TestApp, user_id: i64, wanted: &Wanted, words: &[&str]) -> Vec<String> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let page = queries::page(app.app.db.read(), user_id, wanted, &Mute::of(&words), None).await.unwrap();
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
            let page = queries::page(app.app.db.read(), reader.id, &Wanted::default(), &Mute::default(), after).await.unwrap();
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
        assert_eq!(unread(app, reader.id, &[]).await, 2);
        assert_eq!(unread(app, other.id, &[]).await, 3);
        let page = queries::page(app.app.db.read(), reader.id, &Wanted::default(), &Mute::default(), None).await.unwrap();
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
        let seen = queries::page(app.app.db.read(), reader.id, &Wanted::default(), &Mute::default(), None).await.unwrap();
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
            let statement = queries::statement(app.app.db.backend(), reader.id, &Wanted { only_unread, ..Wanted::default() }, Some(Cursor { published_at: 1, id: 1 }), 31);
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
            assert!(plan.contains("(account_id=? AND state=? AND published_at>?"), "{plan}");
            assert_eq!(only_unread, plan.contains("ix_read_marks_unread"), "{plan}");
        }
    }

    async fn an_article_marked_as_unread_stays_so_until_it_is_read_again(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        follow(app, &reader, daily.id).await;
        let articles = publish(app, daily.id, &["一", "二", "三"]).await;
        let ids: Vec<i64> = articles.iter().map(|article| article.id).collect();
        let until = articles[2].published_at.unwrap();
        timeline::mark_all_read(&app.app, reader.id, &Scope::default(), until).await.unwrap();
        assert_eq!((unread(app, reader.id, &[]).await, titles(app, reader.id, true).await.len()), (0, 0));
        // Below what counts as read, and above.
        timeline::mark_unread(&app.app, reader.id, ids[0]).await.unwrap();
        let newer = publish(app, daily.id, &["四"]).await[0].id;
        timeline::mark_many(&app.app, reader.id, &[newer, ids[1], 99_999], false).await.unwrap();
        assert_eq!(titles(app, reader.id, true).await, ["四", "二", "一"]);
        assert_eq!(unread(app, reader.id, &[]).await, 3);
        let wanted = Wanted::unread();
        let seen = queries::page(app.app.db.read(), reader.id, &wanted, &Mute::default(), None).await.unwrap();
        let after = Some(seen.items[1].cursor());
        let older = queries::page(app.app.db.read(), reader.id, &wanted, &Mute::default(), after).await.unwrap();
        assert_eq!(older.items.iter().map(|item| item.id).collect::<Vec<_>>(), [ids[0]]);
        // Opened: read again. Read above, and all: the marks give way.
        timeline::mark_read(&app.app, reader.id, ids[1]).await.unwrap();
        assert_eq!(titles(app, reader.id, true).await, ["四", "一"]);
        let (newest, oldest) = (seen.items[0].cursor(), seen.items[0].cursor());
        timeline::mark_read_above(&app.app, reader.id, &Scope::default(), newest, oldest).await.unwrap();
        assert_eq!(titles(app, reader.id, true).await, ["一"]);
        timeline::mark_all_read(&app.app, reader.id, &Scope::default(), until).await.unwrap();
        assert!(titles(app, reader.id, true).await.is_empty());
    }

    async fn a_timeline_is_read_by_account_list_and_tag(app) {
        let reader = app.user("reader@example.org").await;
        let other = app.user("other@example.org").await;
        let mut accounts = Vec::new();
        for handle in ["home", "money", "sport"] {
            let (account, _) = app.account(handle).await;
            let subscription = follow(app, &reader, account.id).await;
            publish(app, account.id, &[&format!("{handle}的新闻")]).await;
            accounts.push((account, subscription));
        }
        let mut tagged = app.published(accounts[2].0.id, "有标签的").await.into_active_model();
        tagged.tags = Set(article::Tags(vec!["臺灣".into()]));
        tagged.update(app.app.db.write()).await.unwrap();
        let list = lists::create(&app.app, reader.id, " 早上 读 ").await.unwrap();
        assert_eq!(list.name, "早上 读");
        for (_, subscription) in &accounts[..2] {
            lists::put(&app.app, reader.id, subscription.id, Some(list.id)).await.unwrap();
        }
        let of = |account, list, tag: &str| Wanted { only_unread: false, scope: Scope { account, list }, tag: tag.into() };
        let shown = titles_of(app, reader.id, &of(None, Some(list.id), ""), &[]).await;
        assert_eq!(shown, ["money的新闻", "home的新闻"]);
        let shown = titles_of(app, reader.id, &of(Some(accounts[1].0.id), None, ""), &[]).await;
        assert_eq!(shown, ["money的新闻"]);
        assert_eq!(titles_of(app, reader.id, &of(None, None, "台湾"), &[]).await, ["有标签的"]);
        // All of a list is read, and the rest is not.
        let scope = Scope { account: None, list: Some(list.id) };
        timeline::mark_all_read(&app.app, reader.id, &scope, app.app.clock.now()).await.unwrap();
        assert_eq!(titles(app, reader.id, true).await, ["有标签的", "sport的新闻"]);
        // Another's lists and subscriptions are out of reach, and a list that goes takes nothing along.
        let refused = lists::put(&app.app, other.id, accounts[0].1.id, Some(list.id)).await;
        assert!(matches!(refused, Err(xiangxun::error::Error::NotFound)));
        lists::put(&app.app, reader.id, accounts[0].1.id, None).await.unwrap();
        assert_eq!(titles_of(app, reader.id, &of(None, Some(list.id), ""), &[]).await, ["money的新闻"]);
        lists::delete(&app.app, reader.id, list.id).await.unwrap();
        assert_eq!(titles(app, reader.id, false).await.len(), 4);
        assert_eq!(app.subscription(accounts[1].1.id).await.list_id, None);
    }

    async fn words_hide_articles_and_the_page_says_so(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        follow(app, &reader, daily.id).await;
        let plain: Vec<String> = (1..=70).map(|number| format!("新闻{number}")).collect();
        publish(app, daily.id, &plain.iter().map(String::as_str).collect::<Vec<_>>()).await;
        publish(app, daily.id, &["彩票开奖", "選舉結果", "选举之后"]).await;
        let shown = titles_of(app, reader.id, &Wanted::unread(), &["彩票", "選舉"]).await;
        assert_eq!((shown.len(), shown[0].as_str()), (queries::PAGE, "新闻70"));
        assert_eq!((unread(app, reader.id, &[]).await, unread(app, reader.id, &["彩票", "选举"]).await), (73, 70));
        app.sign_in(reader.id).await;
        app.post("/timeline/mute", &[("words", "彩票\n选举\n選舉")]).await.assert_status(303);
        let page = app.get("/timeline").await.assert_status(200).text();
        assert!(page.contains("有 3 篇因屏蔽词而隐藏") && !page.contains("彩票开奖"), "{page}");
        assert!(page.contains("<span class=\"num\">70</span>"));
        let page = app.get("/timeline?muted=show").await.assert_status(200).text();
        assert!(page.contains("彩票开奖") && page.contains("选举之后"));
        let page = app.get("/timeline/mute").await.assert_status(200).text();
        assert!(page.contains("彩票\n选举</textarea>"), "{page}");
        app.post("/timeline/mute", &[("words", "好\n!?")]).await.assert_status(422);
        app.post("/timeline/mute", &[("words", &"字".repeat(41))]).await.assert_status(422);
        app.post("/timeline/mute", &[("words", "")]).await.assert_status(303);
        assert!(app.get("/timeline").await.text().contains("彩票开奖"));
    }

    async fn a_line_shows_where_the_last_visit_ended(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        follow(app, &reader, daily.id).await;
        publish(app, daily.id, &["旧闻"]).await;
        app.sign_in(reader.id).await;
        assert!(!app.get("/timeline").await.text().contains("class=\"since\""), "a first visit");
        note_is_written(app, reader.id).await;
        app.app.clock.advance(Duration::from_secs(2 * 60 * 60));
        publish(app, daily.id, &["新一", "新二"]).await;
        for _ in 0..2 {
            // The same visit goes on.
            app.app.clock.advance(Duration::from_secs(5 * 60));
            let page = app.get("/timeline").await.assert_status(200).text();
            let (above, below) = page.split_once("<li class=\"since\">").expect("a line");
            assert!(above.contains("新一") && above.contains("新二") && below.contains("旧闻"));
            assert!(below.contains("2 篇"), "{below}");
        }
    }

    async fn articles_are_marked_one_by_one_from_the_page(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let other = app.user("other@example.org").await;
        follow(app, &reader, daily.id).await;
        follow(app, &other, daily.id).await;
        let article = publish(app, daily.id, &["一"]).await.remove(0);
        app.sign_in(reader.id).await;
        let back = app.post(&format!("/timeline/articles/{}/read", article.id), &[("next", "/timeline?show=unread")]).await;
        assert_eq!(back.assert_status(303).location(), format!("/timeline?show=unread#a{}", article.id));
        assert!(titles(app, reader.id, true).await.is_empty());
        app.post(&format!("/timeline/articles/{}/unread", article.id), &[]).await.assert_status(303);
        assert_eq!(titles(app, reader.id, true).await, ["一"]);
        assert_eq!(unread(app, other.id, &[]).await, 1);
        app.post(&format!("/timeline/articles/{}/burnt", article.id), &[]).await.assert_status(404);
        app.post("/timeline/articles/x/read", &[]).await.assert_status(404);
    }
}
