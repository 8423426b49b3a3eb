//! Digests: one mail at the reader's hour with all that is new, nothing twice, nothing lost.

use std::time::Duration;

use chrono_tz::Tz;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use tokio_util::sync::CancellationToken;
use xiangxun::articles::{self, Actor, ArticleForm};
use xiangxun::clock::Timestamp;
use xiangxun::db::entities::delivery::{self, DeliveryState};
use xiangxun::db::entities::subscription::{self, Cadence};
use xiangxun::db::entities::{account, article, reader, user};
use xiangxun::mail::Letter;
use xiangxun::page::Locale;
use xiangxun::subscriptions::{self, Change};
use xiangxun::{digests, readers};

use crate::alerts::advance_to;
use crate::both_databases;
use crate::support::TestApp;

const ZONE: Tz = Tz::Asia__Shanghai;

impl TestApp {
    /// A subscription by address at a cadence, made as its owner would.
    pub async fn follower(&self, account: i64, email: &str, cadence: Cadence) -> subscription::Model {
        let row = self.subscriber(account, email).await;
        subscriptions::change(&self.app, row.id, Change::from(cadence)).await.unwrap()
    }

    /// A user who follows at a cadence.
    pub async fn follow(&self, user: &user::Model, account: i64, cadence: Cadence) -> subscription::Model {
        subscriptions::subscribe(&self.app, user, account, Some(cadence), Locale::ZhHans).await.unwrap()
    }

    pub async fn reader(&self, email: &str) -> reader::Model {
        let found = reader::Entity::find().filter(reader::COLUMN.email.eq(email));
        found.one(self.app.db.read()).await.unwrap().unwrap()
    }

    /// The next morning's letters: at the usual hour, the next time that it comes.
    pub async fn morning(&self) -> Vec<Letter> {
        self.app.clock.advance(Duration::from_secs(60));
        advance_to(self, ZONE, 8, 0);
        self.work().await;
        self.take_letters()
    }

    async fn digests(&self) -> Vec<delivery::Model> {
        let rows = delivery::Entity::find().filter(Expr::col(delivery::Column::ReaderId).is_not_null());
        rows.all(self.app.db.read()).await.unwrap()
    }

    /// As if so many days had passed: until the next one of this weekday, at noon.
    fn advance_to_noon_of(&self, weekday: chrono::Weekday) {
        use chrono::Datelike;
        advance_to(self, ZONE, 12, 0);
        while self.app.clock.now().utc().with_timezone(&ZONE).weekday() != weekday {
            self.app.clock.advance(Duration::from_secs(24 * 60 * 60));
        }
    }
}

/// Where each title stands in a letter's text; none where it does not.
fn places(letter: &Letter, titles: &[&str]) -> Vec<Option<usize>> {
    titles.iter().map(|title| letter.text.find(&format!("* {title}\n"))).collect()
}

fn has(letter: &Letter, title: &str) -> bool {
    places(letter, &[title])[0].is_some()
}

async fn read(app: &TestApp, reader: &user::Model, article: &article::Model) {
    subscriptions::timeline::mark_read(&app.app, reader.id, article.id).await.unwrap();
}

async fn withdraw(app: &TestApp, account: &account::Model, owner: &user::Model, article: i64) {
    let actor = Actor { account_id: account.id, user_id: owner.id };
    articles::withdraw(&app.app, actor, article, "").await.unwrap();
}

async fn build(app: &TestApp) -> usize {
    digests::build_due(&app.app, &CancellationToken::new()).await.unwrap()
}

both_databases! {
    async fn all_accounts_of_a_reader_come_in_one_mail_at_the_hour_grouped_and_newest_first(app) {
        app.app.clock.advance(Duration::from_secs(1));
        advance_to(app, ZONE, 12, 0);
        let (first, owner) = app.account("first").await;
        let (second, other) = app.account("second").await;
        let (_, stranger) = app.account("third").await;
        app.follower(first.id, "reader@example.org", Cadence::Daily).await;
        app.follower(second.id, "reader@example.org", Cadence::Daily).await;
        app.follower(second.id, "else@example.org", Cadence::Instant).await;
        for (account, owner, title) in [
            (&first, &owner, "甲一"), (&second, &other, "乙一"), (&first, &owner, "甲二"), (&second, &other, "乙二"), (&first, &owner, "甲三"),
        ] {
            app.news(account, owner, title, "内容").await;
        }
        let _ = stranger;
        advance_to(app, ZONE, 7, 59);
        app.work().await;
        assert!(app.take_letters().is_empty(), "not before the hour");
        let letters = app.morning().await;
        assert_eq!(letters.len(), 1);
        let letter = &letters[0];
        assert_eq!((letter.to.as_str(), letter.subject.as_str()), ("reader@example.org", "每日摘要：甲三（等 5 篇）"));
        let order = places(letter, &["甲三", "甲二", "甲一", "乙二", "乙一"]);
        assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{}", letter.text);
        assert!(letter.text.contains("2 个公众号，5 篇新文章"));
        let row = app.digests().await.remove(0);
        assert_eq!((row.state, row.push_id, row.alert_id), (DeliveryState::Delivered, None, None));
        // Nothing new: nothing is sent, and nothing written. Then only what is new.
        assert!(app.morning().await.is_empty());
        app.news(&second, &other, "乙三", "内容").await;
        let letters = app.morning().await;
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].subject, "每日摘要：乙三");
        assert!(!has(&letters[0], "甲三"));
        assert_eq!(app.digests().await.len(), 2);
    }

    async fn daily_and_weekly_come_together_on_the_day_of_the_week(app) {
        app.advance_to_noon_of(chrono::Weekday::Fri);
        let (daily, owner) = app.account("daily").await;
        let (weekly, other) = app.account("weekly").await;
        app.follower(daily.id, "reader@example.org", Cadence::Daily).await;
        app.follower(weekly.id, "reader@example.org", Cadence::Weekly).await;
        app.follower(weekly.id, "week@example.org", Cadence::Weekly).await;
        app.news(&daily, &owner, "日一", "内容").await;
        app.news(&weekly, &other, "周一", "内容").await;
        let saturday = app.morning().await;
        assert_eq!(saturday.len(), 1);
        assert!(has(&saturday[0], "日一") && !has(&saturday[0], "周一"));
        app.news(&weekly, &other, "周二", "内容").await;
        assert!(app.morning().await.is_empty(), "on Sunday");
        app.news(&daily, &owner, "日二", "内容").await;
        let mut monday = app.morning().await;
        monday.sort_by_key(|letter| letter.to.clone());
        assert_eq!(monday.iter().map(|letter| letter.subject.as_str()).collect::<Vec<_>>(),
            ["每日摘要：日二（等 3 篇）", "每周摘要：周二（等 2 篇）"]);
        assert!(!has(&monday[0], "日一") && has(&monday[0], "周一") && has(&monday[1], "周一"));
        for _ in 0..6 {
            assert!(app.morning().await.is_empty());
        }
        app.news(&weekly, &other, "周三", "内容").await;
        assert_eq!(app.morning().await.len(), 2, "on Monday again");
    }

    async fn what_was_read_withdrawn_or_revised_is_not_told_and_nothing_empty_is_sent(app) {
        advance_to(app, ZONE, 12, 0);
        let (account, owner) = app.account("daily").await;
        let actor = Actor { account_id: account.id, user_id: owner.id };
        let reader = app.user("reader@example.org").await;
        app.follow(&reader, account.id, Cadence::Daily).await;
        let opened = app.news(&account, &owner, "读过", "内容").await;
        let gone = app.news(&account, &owner, "撤回", "内容").await;
        let stays = app.news(&account, &owner, "留下", "内容").await;
        read(app, &reader, &opened).await;
        // One of them after the digest was built.
        advance_to(app, ZONE, 8, 0);
        assert_eq!(build(app).await, 1);
        withdraw(app, &account, &owner, gone.id).await;
        app.work().await;
        let letter = app.take_letters().remove(0);
        assert_eq!(letter.subject, "每日摘要：留下");
        assert!(!letter.text.contains("读过") && !letter.text.contains("撤回") && !letter.html.contains("撤回"));
        // A new version, and one that comes back, are no news.
        let form = ArticleForm { title: "留下了".into(), body: "改过".into(), ..ArticleForm::of(&stays) };
        articles::save(&app.app, actor, stays.id, stays.version, form.parse().await.unwrap(), Default::default()).await.unwrap();
        articles::reinstate(&app.app, actor, gone.id).await.unwrap();
        assert!(app.morning().await.is_empty());
        // Everything that there was has been read or withdrawn: the ledger says why nothing went.
        let opened = app.news(&account, &owner, "又读", "内容").await;
        let gone = app.news(&account, &owner, "又撤", "内容").await;
        read(app, &reader, &opened).await;
        withdraw(app, &account, &owner, gone.id).await;
        assert!(app.morning().await.is_empty());
        let row = app.digests().await.into_iter().max_by_key(|row| row.id).unwrap();
        assert_eq!((row.state, row.answer.as_deref()), (DeliveryState::Suppressed, Some("nothing of it is left to tell")));
        // What was marked as read on the timeline counts as read, and a suspended account tells nothing.
        app.news(&account, &owner, "勾掉", "内容").await;
        subscriptions::timeline::mark_all_read(&app.app, reader.id, &Default::default(), app.app.clock.now()).await.unwrap();
        assert!(app.morning().await.is_empty());
        app.news(&account, &owner, "停用", "内容").await;
        let mut row = account.clone().into_active_model();
        row.state = Set(account::AccountState::Suspended);
        row.update(app.app.db.write()).await.unwrap();
        assert!(app.morning().await.is_empty());
    }

    async fn a_digest_begins_where_the_reader_last_looked_at_the_timeline(app) {
        advance_to(app, ZONE, 12, 0);
        let (account, owner) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        app.follow(&reader, account.id, Cadence::Daily).await;
        app.news(&account, &owner, "上午", "内容").await;
        app.app.clock.advance(Duration::from_secs(60 * 60));
        app.sign_in(reader.id).await;
        app.get("/timeline").await.assert_status(200);
        for _ in 0..100 {
            if app.reader("reader@example.org").await.seen.is_some() { break }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        app.news(&account, &owner, "下午", "内容").await;
        let letter = app.morning().await.remove(0);
        assert_eq!(letter.subject, "每日摘要：下午");
        assert!(letter.text.contains("从您上次查看时间线算起") && letter.text.contains("13:00"), "{}", letter.text);
        // The visit is over by then, and does not count twice.
        app.news(&account, &owner, "次日", "内容").await;
        let letter = app.morning().await.remove(0);
        assert!(has(&letter, "次日") && !letter.text.contains("上次查看"));
        // Who wants to be told of all of it is.
        let reader = readers::of_user(&app.app, &reader).await.unwrap();
        let settings = readers::Settings { with_seen: true, ..reader.settings() };
        readers::change(&app.app, "reader@example.org", "zh-Hans", &settings).await.unwrap();
        app.news(&account, &owner, "看过", "内容").await;
        readers::mark_visit(&app.app, "reader@example.org", i64::MAX / 2).await.unwrap();
        assert_eq!(app.morning().await.remove(0).subject, "每日摘要：看过");
    }

    async fn a_change_of_cadence_neither_loses_nor_repeats_an_article(app) {
        app.advance_to_noon_of(chrono::Weekday::Tue);
        let (account, owner) = app.account("daily").await;
        let (quiet, _) = app.account("quiet").await;
        let change = async |row: &subscription::Model, cadence| {
            subscriptions::change(&app.app, row.id, Change::from(cadence)).await.unwrap();
        };
        app.news(&account, &owner, "订阅之前", "内容").await;
        let row = app.follower(account.id, "reader@example.org", Cadence::Daily).await;
        app.follower(quiet.id, "reader@example.org", Cadence::Weekly).await;
        app.news(&account, &owner, "一", "内容").await;
        let letter = app.morning().await.remove(0);
        assert!(has(&letter, "一") && !has(&letter, "订阅之前"));
        app.news(&account, &owner, "二", "内容").await;
        change(&row, Cadence::Weekly).await;
        app.news(&account, &owner, "三", "内容").await;
        for _ in 0..4 {
            assert!(app.morning().await.is_empty());
        }
        let letter = app.morning().await.remove(0);
        assert_eq!(places(&letter, &["一", "二", "三"]).iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true]);
        app.news(&account, &owner, "四", "内容").await;
        change(&row, Cadence::Daily).await;
        change(&row, Cadence::Weekly).await;
        change(&row, Cadence::Daily).await;
        let letter = app.morning().await.remove(0);
        assert_eq!(letter.subject, "每日摘要：四");
        // Nothing of the time in which nothing was wanted.
        change(&row, Cadence::Muted).await;
        app.news(&account, &owner, "五", "内容").await;
        assert!(app.morning().await.is_empty());
        change(&row, Cadence::Daily).await;
        subscriptions::change(&app.app, row.id, Change::Pause).await.unwrap();
        app.news(&account, &owner, "六", "内容").await;
        assert!(app.morning().await.is_empty());
        subscriptions::change(&app.app, row.id, Change::Resume).await.unwrap();
        app.news(&account, &owner, "七", "内容").await;
        assert_eq!(app.morning().await.remove(0).subject, "每日摘要：七");
    }

    async fn a_push_of_what_a_digest_has_told_is_not_told_again(app) {
        advance_to(app, ZONE, 12, 0);
        let (account, owner) = app.account("daily").await;
        let row = app.follower(account.id, "reader@example.org", Cadence::Daily).await;
        let old = app.news(&account, &owner, "摘要里说过", "内容").await;
        assert_eq!(app.morning().await.len(), 1);
        subscriptions::change(&app.app, row.id, Change::Instant).await.unwrap();
        let new = app.news(&account, &owner, "新的", "内容").await;
        let push = app.push(account.id, &[&old]).await;
        app.work().await;
        assert!(app.take_letters().is_empty());
        let told = app.deliveries(push).await.remove(0);
        assert_eq!((told.state, told.answer.as_deref()), (DeliveryState::Suppressed, Some("a digest has told of it")));
        app.push(account.id, &[&new]).await;
        app.work().await;
        assert_eq!(app.take_letters().remove(0).subject, "新的");
    }

    async fn a_job_broken_off_anywhere_tells_nobody_twice_and_loses_nothing(app) {
        advance_to(app, ZONE, 12, 0);
        let (account, owner) = app.account("daily").await;
        let readers = 1_200;
        let base = app.follower(account.id, "reader0@example.org", Cadence::Daily).await;
        for number in 1..readers {
            let email = format!("reader{number}@example.org");
            let mut row = base.clone().into_active_model();
            (row.id, row.email) = (sea_orm::ActiveValue::NotSet, Set(email.clone()));
            row.insert(app.app.db.write()).await.unwrap();
            let mut row = app.reader("reader0@example.org").await.into_active_model();
            (row.id, row.email) = (sea_orm::ActiveValue::NotSet, Set(email));
            row.insert(app.app.db.write()).await.unwrap();
        }
        app.news(&account, &owner, "新闻", "内容").await;
        advance_to(app, ZONE, 8, 0);
        // Broken off between its steps, by several nodes at a time, and begun anew.
        for pause in [1, 3, 7, 15, 30, 60, 120, 250] {
            let stop = CancellationToken::new();
            let both = async { tokio::join!(digests::build_due(&app.app, &stop), digests::build_due(&app.app, &stop)) };
            if let Ok((one, two)) = tokio::time::timeout(Duration::from_millis(pause), both).await {
                one.and(two).unwrap();
            }
        }
        // PostgreSQL may still be taking back what was broken off; its readers are passed over until it has.
        for _ in 0..600 {
            build(app).await;
            if app.digests().await.len() == readers {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(app.digests().await.len(), readers);
        app.work().await;
        let mut told: Vec<String> = app.take_letters().into_iter().map(|letter| letter.to).collect();
        told.sort();
        assert!(told.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(told.len(), readers);
        app.work().await;
        assert!(app.take_letters().is_empty());
        // The marks as they were before, as if a machine had come back from a copy of yesterday: the
        // ledger knows each digest by its time.
        reader::Entity::update_many()
            .col_expr(reader::Column::DailyDueAt, Expr::value(base_due(&app.digests().await[0])))
            .col_expr(reader::Column::DailyTold, Expr::value(0i64))
            .exec(app.app.db.write())
            .await
            .unwrap();
        app.work().await;
        assert!(app.take_letters().is_empty());
        assert_eq!(app.digests().await.len(), readers);
    }

    async fn a_digest_missed_while_nothing_ran_comes_once_and_late(app) {
        advance_to(app, ZONE, 12, 0);
        let (account, owner) = app.account("daily").await;
        app.follower(account.id, "reader@example.org", Cadence::Daily).await;
        app.news(&account, &owner, "一", "内容").await;
        app.app.clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
        app.news(&account, &owner, "二", "内容").await;
        app.work().await;
        let letters = app.take_letters();
        assert_eq!(letters.len(), 1);
        assert!(has(&letters[0], "一") && has(&letters[0], "二"));
        let due = app.reader("reader@example.org").await.daily_due_at.unwrap();
        assert!(due > app.app.clock.now() && due < app.app.clock.now() + Duration::from_secs(24 * 60 * 60));
    }

    async fn who_cannot_be_told_gets_no_row_and_archives_are_no_news(app) {
        advance_to(app, ZONE, 12, 0);
        let (account, owner) = app.account("daily").await;
        app.follower(account.id, "reader@example.org", Cadence::Daily).await;
        app.follower(account.id, "dead@example.org", Cadence::Daily).await;
        xiangxun::delivery::suppress(app.app.db.write(), Timestamp(1), "dead@example.org", "550 gone").await.unwrap();
        let old = vec![articles::NewArticle::from_plain_text(account.id, "1", "旧闻", "档案")];
        let tx = app.app.db.begin().await.unwrap();
        articles::insert_imported(&tx, app.app.clock.now(), old).await.unwrap();
        tx.commit().await.unwrap();
        assert!(app.morning().await.is_empty() && app.digests().await.is_empty());
        app.news(&account, &owner, "新闻", "内容").await;
        assert_eq!(app.morning().await.len(), 1);
        assert_eq!(app.digests().await.len(), 1);
    }

    async fn much_news_is_cut_short_and_counted(app) {
        advance_to(app, ZONE, 12, 0);
        let (loud, owner) = app.account("loud").await;
        let (rare, other) = app.account("rare").await;
        app.follower(loud.id, "reader@example.org", Cadence::Daily).await;
        app.follower(rare.id, "reader@example.org", Cadence::Daily).await;
        app.news(&rare, &other, "少有", "内容").await;
        for number in 1..=12 {
            app.news(&loud, &owner, &format!("第{number}篇"), "内容").await;
        }
        let letter = app.morning().await.remove(0);
        assert_eq!(letter.subject, "每日摘要：第12篇（等 13 篇）");
        assert!(has(&letter, "少有") && has(&letter, "第5篇") && !has(&letter, "第4篇"));
        assert!(letter.text.contains("该公众号还有 4 篇") && letter.text.contains("查看全部，还有 4 篇"));
    }

    async fn due_readers_are_found_by_index(app) {
        let queries = ["daily_due_at", "weekly_due_at"].map(|column| {
            format!("SELECT id FROM readers WHERE {column} <= 1 ORDER BY {column} LIMIT 500")
        });
        let backend = app.app.db.backend();
        let tx = app.app.db.begin().await.unwrap();
        if backend == sea_orm::DbBackend::Postgres {
            // So few rows would be read as they lie.
            tx.execute_unprepared("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off").await.unwrap();
        }
        for (query, index) in queries.iter().zip(["ix_readers_daily_due_at", "ix_readers_weekly_due_at"]) {
            let explain = if backend == sea_orm::DbBackend::Sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
            let plan = sea_orm::Statement::from_string(backend, format!("{explain} {query}"));
            let rows = tx.query_all_raw(plan).await.unwrap();
            let line = |row: &sea_orm::QueryResult| row.try_get::<String>("", "detail").or_else(|_| row.try_get_by_index(0));
            let text: String = rows.iter().map(|row| line(row).unwrap()).collect();
            assert!(text.contains(index), "{text}");
        }
        tx.rollback().await.unwrap();
    }
}

/// When a digest fell due.
fn base_due(row: &delivery::Model) -> Option<Timestamp> {
    row.occasion.as_deref()?.strip_prefix("digest:")?.parse().ok().map(Timestamp)
}
