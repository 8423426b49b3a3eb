//! Alerts: searches are saved, each new article is matched against all of them, and their readers are
//! told of it once, at their pace.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::Method;
use chrono::Timelike;
use mail_parser::MessageParser;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QueryOrder};
use serde_json::json;
use xiangxun::alerts::percolate::{Article, Percolator};
use xiangxun::alerts::{self, Change, NewAlert, hits, links};
use xiangxun::articles::{self, Actor, ArticleForm, NewArticle};
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::db::entities::alert::{self, AlertCadence, AlertState};
use xiangxun::db::entities::delivery::{self, DeliveryState};
use xiangxun::db::entities::user::{self, UserState};
use xiangxun::db::entities::{account, alert_hit, article};
use xiangxun::search::query::{Atom, Clause, Filter, Parsed, Part, Term, Within};
use xiangxun::search::rank::{Request, Sort};
use xiangxun::search::{follower, queries as search_queries};
use xiangxun::{delivery as deliveries, import, jobs};

use crate::both_databases;
use crate::support::TestApp;
use crate::support::outlet::{Outlet, Page};
use crate::support::smtp::{SmtpSink, free_port};

impl TestApp {
    /// A search saved by a reader.
    pub async fn alert(&self, reader: &user::Model, query: &str, cadence: AlertCadence) -> alert::Model {
        let new = NewAlert { name: String::new(), query: query.into(), cadence: Some(cadence) };
        alerts::save(&self.app, reader, &new).await.unwrap()
    }

    /// An article written and published by a member.
    pub async fn news(
        &self,
        account: &account::Model,
        member: &user::Model,
        title: &str,
        body: &str,
    ) -> article::Model {
        let form = ArticleForm {
            title: title.into(),
            body: body.into(),
            lang: "zh-Hans".into(),
            ..ArticleForm::default()
        };
        let actor = Actor { account_id: account.id, user_id: member.id };
        let draft = articles::create(&self.app, actor, form.parse().await.unwrap(), None).await.unwrap();
        articles::publish(&self.app, actor, draft.id, None).await.unwrap()
    }

    async fn hits(&self) -> Vec<alert_hit::Model> {
        alert_hit::Entity::find().order_by_asc(alert_hit::COLUMN.id).all(self.app.db.read()).await.unwrap()
    }

    pub async fn told(&self) -> Vec<delivery::Model> {
        delivery::Entity::find().order_by_asc(delivery::COLUMN.id).all(self.app.db.read()).await.unwrap()
    }

    /// Subjects of the letters since the last call, in order of recipient.
    pub async fn subjects(&self) -> Vec<(String, String)> {
        let mut letters: Vec<_> =
            self.take_letters().into_iter().map(|letter| (letter.to, letter.subject)).collect();
        letters.sort();
        letters
    }
}

async fn change(app: &TestApp, reader: &user::Model, alert: &alert::Model, change: Change) -> alert::Model {
    alerts::change_own(&app.app, reader, alert.id, &change).await.unwrap()
}

fn state(state: AlertState) -> Change {
    Change { state: Some(state), ..Change::default() }
}

fn cadence(cadence: AlertCadence) -> Change {
    Change { cadence: Some(cadence), ..Change::default() }
}

/// Lets time pass until it is this hour and minute where the reader is.
pub fn advance_to(app: &TestApp, zone: chrono_tz::Tz, hour: u32, minute: u32) {
    let local = app.app.clock.now().utc().with_timezone(&zone);
    let now = local.num_seconds_from_midnight();
    let then = hour * 3600 + minute * 60;
    let wait = (then + 86_400 - now) % 86_400;
    app.app.clock.advance(Duration::from_secs(u64::from(wait)));
}

both_databases! {
    async fn a_new_article_is_told_to_those_whose_search_it_matches(app) {
        let (account, owner) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let other = app.user("other@example.org").await;
        app.alert(&reader, "颱風 登陸", AlertCadence::Instant).await;
        app.alert(&reader, "地震", AlertCadence::Instant).await;
        app.alert(&other, "台风 -登陆", AlertCadence::Instant).await;
        app.alert(&other, "\"台风登陆广东\"", AlertCadence::Instant).await;
        let article = app.news(&account, &owner, "台风登陆广东", "学校停课，列车停运。").await;
        app.work().await;
        let subjects = app.subjects().await;
        assert_eq!(subjects, [
            ("other@example.org".to_owned(), "\"台风登陆广东\"：台风登陆广东".to_owned()),
            ("reader@example.org".to_owned(), "颱風 登陸：台风登陆广东".to_owned()),
        ]);
        let hits = app.hits().await;
        assert_eq!(hits.len(), 2);
        assert!(hits.iter().all(|hit| hit.article_id == article.id));
        assert!(app.told().await.iter().all(|row| row.state == DeliveryState::Delivered && row.push_id.is_none()));
        // Nothing more comes of it.
        app.work().await;
        assert!(app.take_letters().is_empty());
    }

    async fn an_article_is_told_once_however_often_it_is_matched_revised_or_brought_back(app) {
        let (account, owner) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        app.alert(&reader, "台风", AlertCadence::Instant).await;
        let article = app.news(&account, &owner, "台风", "第一版").await;
        app.work().await;
        assert_eq!(app.take_letters().len(), 1);
        let actor = Actor { account_id: account.id, user_id: owner.id };
        let form = ArticleForm { title: "台风台风".into(), body: "第二版".into(), ..ArticleForm::of(&article) };
        articles::save(&app.app, actor, article.id, article.version, form.parse().await.unwrap(), articles::Note::default()).await.unwrap();
        articles::withdraw(&app.app, actor, article.id, "").await.unwrap();
        articles::reinstate(&app.app, actor, article.id).await.unwrap();
        app.work().await;
        // As if the worker had died before it settled the job: at any number of times.
        for _ in 0..3 {
            hits::find(&app.app, article.id).await.unwrap();
            app.work().await;
        }
        assert!(app.take_letters().is_empty());
        assert_eq!((app.hits().await.len(), app.told().await.len()), (1, 1));
    }

    async fn a_job_broken_off_between_its_transactions_leaves_nothing_out(app) {
        let (account, owner) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let instant = app.alert(&reader, "台风", AlertCadence::Instant).await;
        let daily = app.alert(&reader, "登陆", AlertCadence::Daily).await;
        let article = app.news(&account, &owner, "台风登陆", "来了").await;
        // The first worker wrote the hit of one of the alerts, then its machine died.
        let half = alert_hit::ActiveModel {
            id: sea_orm::ActiveValue::NotSet,
            alert_id: Set(instant.id),
            article_id: Set(article.id),
            occasion: Set(Some(format!("article:{}", article.id))),
            created_at: Set(app.app.clock.now()),
        };
        half.insert(app.app.db.write()).await.unwrap();
        app.work().await;
        assert_eq!(app.take_letters().len(), 1);
        // The mail of the other is gathered twice at the same time.
        advance_to(app, chrono_tz::Asia::Shanghai, 8, 0);
        let (one, two) = tokio::join!(hits::gather(&app.app, daily.id), hits::gather(&app.app, daily.id));
        one.and(two).unwrap();
        app.work().await;
        app.work().await;
        assert_eq!(app.subjects().await, [("reader@example.org".to_owned(), "登陆：台风登陆".to_owned())]);
    }

    async fn daily_and_weekly_alerts_come_in_one_mail_in_the_readers_morning(app) {
        app.allow_unfinished_jobs();
        let zone = chrono_tz::America::Toronto;
        let (account, owner) = app.account("daily").await;
        let mut reader = app.user("reader@example.org").await.into_active_model();
        reader.timezone = Set(zone.name().into());
        let reader = reader.update(app.app.db.write()).await.unwrap();
        advance_to(app, zone, 12, 0);
        app.alert(&reader, "台风", AlertCadence::Daily).await;
        app.alert(&reader, "台风 OR 地震", AlertCadence::Weekly).await;
        app.alert(&reader, "没有这个", AlertCadence::Daily).await;
        for number in 1..=3 {
            app.news(&account, &owner, &format!("台风第{number}号"), "来了").await;
            app.app.clock.advance(Duration::from_secs(60));
        }
        app.work().await;
        advance_to(app, zone, 7, 59);
        app.work().await;
        let before: Vec<_> = app.subjects().await;
        assert!(before.iter().all(|(_, subject)| subject.starts_with("台风 OR")), "not before the hour: {before:?}");
        advance_to(app, zone, 8, 0);
        app.work().await;
        let letters = app.take_letters();
        let daily: Vec<_> = letters.iter().filter(|letter| letter.subject.starts_with("台风：")).collect();
        assert_eq!(daily.len(), 1);
        assert_eq!(daily[0].subject, "台风：台风第3号（等 3 篇）");
        let places = [3, 2, 1].map(|number| daily[0].text.find(&format!("台风第{number}号\n")).unwrap());
        assert!(places.is_sorted(), "the newest first");
        // Nothing new: nothing is sent; something new: only that.
        advance_to(app, zone, 7, 0);
        app.app.clock.advance(Duration::from_secs(2 * 3600));
        app.work().await;
        assert!(app.subjects().await.iter().all(|(_, subject)| subject.starts_with("台风 OR")));
        app.news(&account, &owner, "台风第4号", "来了").await;
        app.work().await;
        advance_to(app, zone, 8, 1);
        app.work().await;
        assert!(app.subjects().await.iter().any(|(_, subject)| subject == "台风：台风第4号"));
        // Within a week the other one has told of the rest, each in one mail only.
        app.app.clock.advance(Duration::from_secs(7 * 24 * 3600));
        app.work().await;
        let told: Vec<_> = app.hits().await.into_iter().filter(|hit| hit.occasion.is_none()).collect();
        assert!(told.is_empty(), "{told:?}");
    }

    async fn what_is_withdrawn_before_the_mail_is_left_out_and_nothing_empty_is_sent(app) {
        app.allow_unfinished_jobs();
        let (account, owner) = app.account("daily").await;
        let actor = Actor { account_id: account.id, user_id: owner.id };
        let reader = app.user("reader@example.org").await;
        app.alert(&reader, "台风", AlertCadence::Daily).await;
        app.alert(&reader, "登陆", AlertCadence::Instant).await;
        let first = app.news(&account, &owner, "台风甲登陆", "撤回").await;
        app.news(&account, &owner, "台风乙", "留下").await;
        let third = app.news(&account, &owner, "台风丙登陆", "撤回").await;
        // The first before it is matched, the third before it is sent.
        articles::withdraw(&app.app, actor, first.id, "").await.unwrap();
        jobs::worker::run_due(&app.app).await.unwrap();
        articles::withdraw(&app.app, actor, third.id, "").await.unwrap();
        app.work().await;
        assert!(app.take_letters().is_empty());
        let row = app.told().await.remove(0);
        assert_eq!((row.state, row.answer.as_deref()), (DeliveryState::Suppressed, Some("the articles were withdrawn")));
        app.app.clock.advance(Duration::from_secs(24 * 3600));
        app.work().await;
        assert_eq!(app.subjects().await, [("reader@example.org".to_owned(), "台风：台风乙".to_owned())]);
    }

    async fn imports_and_archives_tell_nobody(app) {
        let (account, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        app.alert(&reader, "台风", AlertCadence::Instant).await;
        let batch = vec![NewArticle::from_plain_text(account.id, "1", "台风", "档案里的文章")];
        let tx = app.app.db.begin().await.unwrap();
        articles::insert_imported(&tx, app.app.clock.now(), batch).await.unwrap();
        tx.commit().await.unwrap();
        app.work().await;
        assert!(app.take_letters().is_empty() && app.hits().await.is_empty());
    }

    async fn changes_to_an_alert_take_effect_with_the_next_article(app) {
        app.allow_unfinished_jobs();
        let (account, owner) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let alert = app.alert(&reader, "台风", AlertCadence::Instant).await;
        let publish = async |title: &str| {
            app.news(&account, &owner, title, "来了").await;
            app.work().await;
            app.take_letters().len()
        };
        assert_eq!(publish("台风一").await, 1);
        change(app, &reader, &alert, state(AlertState::Paused)).await;
        assert_eq!(publish("台风二").await, 0);
        change(app, &reader, &alert, state(AlertState::Active)).await;
        assert_eq!(publish("台风三").await, 1);
        change(app, &reader, &alert, cadence(AlertCadence::Weekly)).await;
        assert_eq!(publish("台风四").await, 0);
        // What waited goes out when its reader wants it at once.
        change(app, &reader, &alert, cadence(AlertCadence::Instant)).await;
        app.work().await;
        assert_eq!(app.subjects().await, [("reader@example.org".to_owned(), "台风：台风四".to_owned())]);
        let query = |text: &str| Change { query: Some(text.into()), ..Change::default() };
        let renamed = change(app, &reader, &alert, query("地震")).await;
        assert_eq!(renamed.name, "地震", "it had no name of its own");
        assert_eq!((publish("台风未到").await, publish("地震一").await), (0, 1));
        change(app, &reader, &alert, query("台风")).await;
        change(app, &reader, &alert, cadence(AlertCadence::Daily)).await;
        assert_eq!(publish("台风五").await, 0);
        change(app, &reader, &alert, state(AlertState::Paused)).await;
        app.app.clock.advance(Duration::from_secs(2 * 24 * 3600));
        app.work().await;
        assert!(app.take_letters().is_empty(), "paused");
        change(app, &reader, &alert, state(AlertState::Active)).await;
        app.app.clock.advance(Duration::from_secs(24 * 3600));
        app.work().await;
        assert_eq!(app.take_letters().len(), 1);
        let other = app.alert(&reader, "台风六", AlertCadence::Daily).await;
        alerts::delete(&app.app, reader.id, alert.id).await.unwrap();
        assert_eq!(publish("台风六").await, 0);
        assert!(app.told().await.is_empty() && app.hits().await.iter().all(|hit| hit.alert_id == other.id));
        assert_eq!(app.app.alerts.count().await, 1);
    }

    async fn an_alert_that_matches_very_much_is_gathered_by_the_hour(app) {
        let (account, owner) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        app.alert(&reader, "来了", AlertCadence::Instant).await;
        for number in 0..13 {
            app.news(&account, &owner, &format!("第{number}条"), "来了").await;
            app.work().await;
        }
        assert_eq!(app.take_letters().len(), 10);
        app.app.clock.advance(Duration::from_secs(3601));
        app.work().await;
        let letters = app.take_letters();
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].subject, "来了：第12条（等 3 篇）");
        app.news(&account, &owner, "以后", "来了").await;
        app.work().await;
        assert_eq!(app.take_letters().len(), 1);
    }

    async fn nobody_is_told_who_cannot_be(app) {
        let (account, owner) = app.account("daily").await;
        let suspended = app.user("suspended@example.org").await;
        let bounced = app.user("bounced@example.org").await;
        for reader in [&suspended, &bounced] {
            app.alert(reader, "台风", AlertCadence::Instant).await;
        }
        deliveries::suppress(app.app.db.write(), app.app.clock.now(), "bounced@example.org", "550 gone").await.unwrap();
        app.news(&account, &owner, "台风", "来了").await;
        jobs::worker::run_due(&app.app).await.unwrap();
        let mut row = suspended.into_active_model();
        row.state = Set(UserState::Suspended);
        row.update(app.app.db.write()).await.unwrap();
        app.work().await;
        assert!(app.take_letters().is_empty());
        let mut reasons: Vec<_> = app.told().await.into_iter().filter_map(|row| row.answer).collect();
        reasons.sort();
        assert_eq!(reasons, ["550 gone", "the reader is suspended"]);
    }

    async fn the_mail_has_the_passage_and_what_mail_programs_look_for(app) {
        let (account, owner) = app.account("daily").await;
        let mut reader = app.user("reader@example.org").await.into_active_model();
        reader.locale = Set("zh-Hant".into());
        let reader = reader.update(app.app.db.write()).await.unwrap();
        let alert = app.alert(&reader, "颱風 停課", AlertCadence::Instant).await;
        let filler = "这一段没有说到什么。".repeat(40);
        let body = format!("{filler}\n\n强台风来了，各地学校 <停课> & 停工。\n\n{filler}");
        let article = app.news(&account, &owner, "天气", &body.replace('<', "&lt;")).await;
        app.work().await;
        let letter = app.take_letters().remove(0);
        let bytes = letter.compose(&"乡讯 <news@xiangxun.test>".parse().unwrap()).unwrap().formatted();
        let mail = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(mail.subject(), Some("颱風 停課：天氣"));
        let row = app.told().await.remove(0);
        assert_eq!(format!("<{}>", mail.message_id().unwrap()), row.message_id);
        assert_eq!(row.message_id, format!("<{}.a-{}@xiangxun.test>", row.id, alert.id));
        let stop = format!("http://xiangxun.test{}", links::stop_path(&app.app, alert.id));
        let header = |name: &str| {
            let (_, value) = letter.headers.iter().find(|(known, _)| *known == name).unwrap();
            value.clone()
        };
        assert_eq!(header("List-Unsubscribe"), format!("<{stop}>"));
        assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        assert_eq!(header("Auto-Submitted"), "auto-generated");
        let url = format!("http://xiangxun.test/@daily/{}", article.slug);
        let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
        for part in [&text, &html] {
            assert!(part.contains(&url) && part.contains(&stop) && part.contains(&account.name));
            assert!(part.contains("停止這個提醒") && !part.contains('⟦'));
        }
        assert!(text.contains("強颱風來了，各地學校 <停課> & 停工。"), "{text}");
        assert!(html.contains("學校 &lt;<mark class=\"hit\"") && html.contains("停課</mark>&gt; &amp; 停工"), "{html}");
    }

    async fn one_click_in_the_mail_stops_that_alert_only(app) {
        let (account, owner) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let stopped = app.alert(&reader, "台风", AlertCadence::Instant).await;
        app.alert(&reader, "来了", AlertCadence::Instant).await;
        let path = links::stop_path(&app.app, stopped.id);
        // Scanners look at every link.
        let page = app.get(&path).await.assert_status(200);
        assert!(page.text().contains("停止这个搜索提醒") && page.header("referrer-policy") == "no-referrer");
        let request = app.request(Method::POST, &path).body("List-Unsubscribe=One-Click".into()).unwrap();
        app.send_alone(request).await.assert_status(200);
        app.news(&account, &owner, "台风", "来了").await;
        app.work().await;
        assert_eq!(app.subjects().await, [("reader@example.org".to_owned(), "来了：台风".to_owned())]);
        app.post(&path.replace("/stop", "/resume"), &[]).await.assert_status(200);
        app.news(&account, &owner, "台风", "走了").await;
        app.work().await;
        assert_eq!(app.subjects().await.len(), 1);
        let forged = path.replace(&format!("/{}.", stopped.id), &format!("/{}.", stopped.id + 1));
        app.post(&forged, &[]).await.assert_status(404);
        alerts::delete(&app.app, reader.id, stopped.id).await.unwrap();
        app.get(&path).await.assert_status(404);
        // A mail program asks that nothing come, and nothing will.
        assert!(app.post(&path, &[]).await.assert_status(200).text().contains("今后不会再有邮件寄来"));
    }

    async fn a_search_is_saved_from_its_results_and_kept_in_settings(app) {
        let (account, owner) = app.account("daily").await;
        app.news(&account, &owner, "台风", "来了").await;
        follower::catch_up(&app.app).await.unwrap();
        for words in ["%E5%8F%B0%E9%A3%8E", "%E6%B2%A1%E6%9C%89"] {
            let results = app.get(&format!("/search?q={words}&account=daily")).await.assert_status(200).text();
            let link = format!("/settings/alerts/new?q={words}&#38;account=daily");
            assert!(results.contains(&link), "{results}");
        }
        let asked = app.get("/settings/alerts/new?q=%E5%8F%B0%E9%A3%8E&account=daily").await.assert_status(303);
        assert!(asked.location().starts_with("/sign-in?next="), "{}", asked.location());
        let reader = app.user("reader@example.org").await;
        app.sign_in(reader.id).await;
        assert!(app.get("/settings/alerts").await.text().contains("还没有搜索提醒"));
        let form = app.get("/settings/alerts/new?q=%E5%8F%B0%E9%A3%8E&account=daily").await.assert_status(200);
        assert!(form.text().contains("value=\"台风 from:@daily\""), "{}", form.text());
        let saved = [("query", "台风 from:@daily"), ("name", "台风 <早报>"), ("cadence", "daily")];
        app.post("/settings/alerts", &saved).await.assert_status(303);
        let list = app.get("/settings/alerts").await.assert_status(200).text();
        for words in ["台风 &#60;早报&#62;", "来自 daily 日报", "每天一封", "找到 0 篇", "还没有寄过邮件"] {
            assert!(list.contains(words), "{words}: {list}");
        }
        let id = xiangxun::alerts::queries::of_user(app.app.db.read(), reader.id).await.unwrap()[0].alert.id;
        for (fields, words) in [
            (vec![("query", "台风 from:@daily"), ("cadence", "daily")], "已经保存过"),
            (vec![("query", "，。！"), ("cadence", "daily")], "请写下要找的词语"),
            (vec![("query", "台风")], "请选择通知方式"),
        ] {
            let answer = app.post("/settings/alerts", &fields).await.assert_status(422);
            assert!(answer.text().contains(words), "{words}");
        }
        let answer = app.post("/settings/alerts", &[("query", &"长".repeat(501)), ("cadence", "daily")]).await;
        assert!(answer.assert_status(422).text().contains("最多 500 个字符"));
        let path = |action: &str| format!("/settings/alerts/{id}{action}");
        let weekly = ("cadence", "weekly");
        app.post(&path(""), &[("name", "新名"), ("query", "飓风 登陆"), weekly]).await.assert_status(303);
        for (fields, words) in [
            ([("name", ""), ("query", "飓风")], "请填写 1 到 80 个字符"),
            ([("name", "新名"), ("query", "，。！")], "请写下要找的词语"),
        ] {
            let answer = app.post(&path(""), &[fields[0], fields[1], weekly]).await.assert_status(422);
            assert!(answer.text().contains(words), "{words}");
            assert!(answer.text().contains(&format!("name=\"query\" value=\"{}\"", fields[1].1)), "{words}");
        }
        assert!(app.get("/settings/alerts").await.text().contains("value=\"飓风 登陆\""));
        app.post(&path("/pause"), &[]).await.assert_status(303);
        let list = app.get("/settings/alerts").await.text();
        assert!(list.contains("新名") && list.contains("每周一封") && list.contains("已暂停"));
        app.post(&path("/resume"), &[]).await.assert_status(303);
        // Another reader sees none of it.
        let other = app.user("other@example.org").await;
        app.sign_out();
        app.sign_in(other.id).await;
        assert!(!app.get("/settings/alerts").await.text().contains("新名"));
        for action in ["", "/pause", "/resume", "/delete"] {
            app.post(&path(action), &[("name", "x")]).await.assert_status(404);
        }
        app.sign_out();
        app.sign_in(reader.id).await;
        app.post(&path("/delete"), &[]).await.assert_status(303);
        assert!(app.get("/settings/alerts").await.text().contains("还没有搜索提醒"));
    }

    async fn a_reader_has_a_hundred_alerts_at_most(app) {
        let reader = app.user("reader@example.org").await;
        for number in 0..alerts::MOST_ALERTS {
            app.alert(&reader, &format!("第{number}个"), AlertCadence::Daily).await;
        }
        app.sign_in(reader.id).await;
        let answer = app.post("/settings/alerts", &[("query", "再来"), ("cadence", "daily")]).await.assert_status(422);
        assert!(answer.text().contains("每人最多保存 100 个搜索"));
    }

    async fn the_api_saves_lists_changes_and_deletes(app) {
        let reader = app.user("reader@example.org").await;
        let other = app.user("other@example.org").await;
        let token = api_tokens::create(&app.app, reader.id, "t", &[Scope::AlertsRead, Scope::AlertsWrite]).await.unwrap();
        let strange = api_tokens::create(&app.app, other.id, "t", &[Scope::AlertsWrite]).await.unwrap();
        let new = json!({ "query": "台风", "cadence": "daily" });
        let saved = app.api(Method::POST, "/api/v1/alerts", &token, &[], new.clone()).await.assert_status(201).json();
        assert_eq!((&saved["name"], &saved["state"], &saved["hits"]), (&json!("台风"), &json!("active"), &json!(0)));
        app.api(Method::POST, "/api/v1/alerts", &token, &[], new).await.assert_status(422);
        app.api(Method::POST, "/api/v1/alerts", &token, &[], json!({ "query": "x", "cadence": "hourly" })).await.assert_status(422);
        app.api(Method::GET, "/api/v1/alerts", &strange, &[], json!(null)).await.assert_status(403);
        app.api(Method::GET, "/api/v1/alerts", "", &[], json!(null)).await.assert_status(401);
        let path = format!("/api/v1/alerts/{}", saved["id"]);
        let wish = json!({ "name": "早报", "state": "paused", "cadence": "weekly" });
        app.api(Method::PATCH, &path, &strange, &[], wish.clone()).await.assert_status(404);
        let changed = app.api(Method::PATCH, &path, &token, &[], wish).await.assert_status(200).json();
        assert_eq!((&changed["name"], &changed["state"], &changed["cadence"]), (&json!("早报"), &json!("paused"), &json!("weekly")));
        let taken = json!({ "query": "地震", "cadence": "daily" });
        app.api(Method::POST, "/api/v1/alerts", &token, &[], taken).await.assert_status(201);
        for wrong in ["地震", "  ", "？！"] {
            app.api(Method::PATCH, &path, &token, &[], json!({ "query": wrong })).await.assert_status(422);
        }
        let changed = app.api(Method::PATCH, &path, &token, &[], json!({ "query": "飓风" })).await.assert_status(200).json();
        assert_eq!((&changed["name"], &changed["query"]), (&json!("早报"), &json!("飓风")));
        let list = app.api(Method::GET, "/api/v1/alerts", &token, &[], json!(null)).await.assert_status(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 2);
        app.api(Method::DELETE, &path, &strange, &[], json!(null)).await.assert_status(404);
        app.api(Method::DELETE, &path, &token, &[], json!(null)).await.assert_status(204);
        app.api(Method::DELETE, &path, &token, &[], json!(null)).await.assert_status(404);
    }

    async fn alerts_match_what_search_finds_as_it_stands(app) {
        let (one, _) = app.account("daily").await;
        let (two, _) = app.account("times").await;
        let passages: Vec<serde_json::Value> = include_str!("../fixtures/search/wiki.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let batch = passages.iter().enumerate().map(|(number, passage)| {
            let text = |name: &str| passage[name].as_str().unwrap();
            let account = if number % 3 == 0 { two.id } else { one.id };
            let mut new = NewArticle::from_plain_text(account, &number.to_string(), text("title"), text("body"));
            new.lang = text("lang").to_owned();
            new.author = ["王小明", "陳大文", ""][number % 3].into();
            new.tags = [vec![], vec!["人物".to_owned(), "歷史".into()], vec!["地理".to_owned()]][number % 3].clone();
            if number % 5 == 0 {
                new.body_html += "<p><img src=\"https://example.org/a.jpg\"></p>";
            }
            new
        });
        let tx = app.app.db.begin().await.unwrap();
        articles::insert_imported(&tx, app.app.clock.now(), batch.collect()).await.unwrap();
        tx.commit().await.unwrap();
        follower::catch_up(&app.app).await.unwrap();
        let rows = search_queries::published_after(app.app.db.read(), 0, 1_000).await.unwrap();
        let entries: Vec<_> = rows.into_iter().map(search_queries::Published::into_entry).collect();
        let articles: Vec<_> = entries.iter().map(|entry| (entry.id, Article::new(entry))).collect();
        let mut dice = StdRng::seed_from_u64(7);
        let mut found_any = 0;
        for _ in 0..300 {
            let query = random_query(&mut dice, &passages, &[one.id, two.id]);
            let mut percolator = Percolator::default();
            percolator.insert(1, &query);
            let percolated: BTreeSet<i64> = articles
                .iter()
                .filter(|(_, article)| !percolator.matches(article).is_empty())
                .map(|(id, _)| *id)
                .collect();
            let request = Request {
                query: query.clone(),
                filter: Filter::default(),
                sort: Sort::Newest,
                limit: 1_000,
                after: None,
                now: app.app.clock.now().0,
                facets: None,
                fold: false,
                time: None,
            };
            let answer = app.app.search.ask(request).await.unwrap();
            let searched = match answer.exact {
                0 => BTreeSet::new(),
                _ => answer.hits.iter().flat_map(|hit| hit.also.iter().copied().chain([hit.article])).collect(),
            };
            assert_eq!(percolated, searched, "{query:?}");
            found_any += usize::from(!searched.is_empty());
        }
        assert!(found_any > 100, "{found_any} of the queries find anything");
    }
}

/// A query of one to three clauses, of words from the passages or from nowhere, in either script.
fn random_query(dice: &mut StdRng, passages: &[serde_json::Value], accounts: &[i64]) -> Parsed {
    let clauses = (0..dice.random_range(1..=3)).map(|number| {
        let negated = number > 0 && dice.random_ratio(1, 4);
        let alternatives = if dice.random_ratio(1, 4) { 2 } else { 1 };
        Clause { negated, any: (0..alternatives).map(|_| random_atom(dice, passages, accounts)).collect() }
    });
    Parsed { clauses: clauses.collect() }
}

fn random_atom(dice: &mut StdRng, passages: &[serde_json::Value], accounts: &[i64]) -> Atom {
    match dice.random_range(0..12) {
        0 => Atom::Lang(["zh-Hans", "zh-Hant", "en"][dice.random_range(0..3)].into()),
        1 => Atom::Account { handle: "x".into(), id: Some(accounts[dice.random_range(0..accounts.len())]) },
        2 => Atom::Has([Part::Image, Part::Video][dice.random_range(0..2)]),
        3 => Atom::Account { handle: "nobody".into(), id: None },
        _ => Atom::Text(random_term(dice, passages)),
    }
}

fn random_term(dice: &mut StdRng, passages: &[serde_json::Value]) -> Term {
    let around = ["王小明", "小明", "陈大文", "人物", "历史", "人物历史", "daily", "日报", "times"];
    loop {
        let passage = &passages[dice.random_range(0..passages.len())];
        let text = match dice.random_range(0..6) {
            0 => around[dice.random_range(0..around.len())].to_owned(),
            1 => passage["title"].as_str().unwrap().to_owned(),
            _ => {
                let body: Vec<char> = passage["body"].as_str().unwrap().chars().collect();
                let start = dice.random_range(0..body.len());
                body[start..body.len().min(start + dice.random_range(1..6))].iter().collect()
            }
        };
        let quoted = dice.random_ratio(1, 3);
        let within = match dice.random_range(0..8) {
            0 => Within::Title,
            1 => Within::Author,
            2 => Within::Tag,
            _ => Within::Anywhere,
        };
        if let Some(term) = Term::new(&text, quoted, 100) {
            return Term { within, ..term };
        }
    }
}

/// An Atom feed whose entries have these ids and titles, dated now, or long ago where they say "旧".
fn feed(entries: &[(&str, &str)], now: xiangxun::clock::Timestamp) -> String {
    let entries: String = entries
        .iter()
        .map(|(id, title)| {
            let date = if title.starts_with('旧') { "2020-01-01T00:00:00Z".into() } else { now.rfc3339() };
            format!("<entry><id>urn:{id}</id><title>{title}</title><updated>{date}</updated><published>{date}</published><content>正文在这里</content></entry>")
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:f</id><title>乡土报</title><updated>2026-01-01T00:00:00Z</updated>{entries}</feed>"
    )
}

mod a_connected_feed_tells_of_what_comes_after_its_archive {
    use super::*;
    use crate::support::Backend;
    use xiangxun::db::entities::source::SourceMode;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        behaves(Backend::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        behaves(Backend::Postgres).await;
    }

    async fn behaves(backend: Backend) {
        let app = TestApp::start_with(backend, |config| config.fetch_allow_private = true).await;
        app.allow_unfinished_jobs();
        let outlet = Outlet::start().await;
        let (account, owner) = app.account("times").await;
        let reader = app.user("reader@example.org").await;
        app.alert(&reader, "台风", AlertCadence::Instant).await;
        let now = app.app.clock.now();
        outlet.serve(
            "/feed",
            Page::feed(feed(&[("1", "台风一"), ("2", "旧台风")], now - Duration::from_secs(3600))),
        );
        let actor = Actor { account_id: account.id, user_id: owner.id };
        let url = outlet.url("/feed").parse().unwrap();
        let source = import::connect(&app.app, actor, &url, "", SourceMode::Publish).await.unwrap();
        app.work().await;
        assert!(app.take_letters().is_empty(), "its archive is no news");
        let later = now + Duration::from_secs(3600);
        let all = [("3", "台风三"), ("4", "旧台风四"), ("5", "别的"), ("1", "台风一"), ("2", "旧台风")];
        outlet.serve("/feed", Page::feed(feed(&all, later)));
        app.app.clock.advance(Duration::from_secs(3600));
        import::refresh_now(&app.app, actor, source.id).await.unwrap();
        app.work().await;
        assert_eq!(app.subjects().await, [("reader@example.org".to_owned(), "台风：台风三".to_owned())]);
        app.finish().await;
    }
}

mod mail_goes_out_by_smtp {
    use super::*;
    use crate::support::Backend;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        behaves(Backend::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        behaves(Backend::Postgres).await;
    }

    async fn behaves(backend: Backend) {
        let sink = SmtpSink::start(free_port());
        let app = TestApp::start_with(backend, |config| config.smtp_url = sink.url()).await;
        let (account, owner) = app.account("daily").await;
        for number in 0..20 {
            let reader = app.user(&format!("reader{number}@example.org")).await;
            app.alert(&reader, if number % 2 == 0 { "颱風" } else { "地震" }, AlertCadence::Instant).await;
        }
        app.news(&account, &owner, "台风登陆", "来了").await;
        app.work().await;
        let messages = sink.messages();
        assert_eq!(messages.len(), 10);
        for (to, bytes) in &messages {
            assert!(to.starts_with("reader") && to.ends_with("@example.org"));
            let raw = String::from_utf8_lossy(bytes);
            assert!(raw.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
        }
        let ids: BTreeSet<_> = app.told().await.into_iter().map(|row| row.message_id).collect();
        assert_eq!(ids.len(), 10);
        app.finish().await;
    }
}
