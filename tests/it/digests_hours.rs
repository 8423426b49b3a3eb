//! Readers' hours: cadence, hour, day and zone of digests, quiet hours; chosen on pages, by the links of
//! mails and by the API.

use std::time::Duration;

use axum::http::Method;
use chrono::Timelike;
use chrono_tz::Tz;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::db::entities::alert::AlertCadence;
use xiangxun::db::entities::delivery::DeliveryState;
use xiangxun::db::entities::subscription::{self, Cadence, SubscriptionState};
use xiangxun::db::entities::user;
use xiangxun::mail::Letter;
use xiangxun::readers::{self, hours::Quiet, links};
use xiangxun::subscriptions;

use crate::alerts::advance_to;
use crate::both_databases;
use crate::support::TestApp;
use crate::support::people;

fn header<'a>(letter: &'a Letter, name: &str) -> &'a str {
    letter.headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

/// The path of a link in a mail's text, by what it ends with.
fn path(letter: &Letter, ending: &str) -> String {
    let url = letter.text.lines().find(|line| line.contains("/s/reader/") && line.ends_with(ending)).unwrap();
    url.trim().strip_prefix("http://xiangxun.test").unwrap().to_owned()
}

async fn cadence(app: &TestApp, row: &subscription::Model) -> Cadence {
    app.subscription(row.id).await.cadence
}

pub async fn set_quiet(app: &TestApp, email: &str, from: u32, until: u32) {
    let reader = readers::queries::of_address(app.app.db.read(), &app.app.config, email).await.unwrap();
    let settings = readers::Settings { quiet: Some(Quiet { from, until }), ..reader.settings() };
    readers::change(&app.app, email, "zh-Hans", &settings).await.unwrap();
}

const HOURS: [(&str, &str); 6] = [
    ("timezone", "Europe/London"),
    ("cadence", "daily"),
    ("digest_hour", "19"),
    ("digest_weekday", "5"),
    ("quiet_from", "22"),
    ("quiet_until", "7"),
];

both_databases! {
    async fn a_push_waits_for_the_end_of_the_readers_quiet_hours(app) {
        let zone = Tz::Asia__Shanghai;
        let (account, owner) = app.account("daily").await;
        app.subscriber(account.id, "sleeps@example.org").await;
        app.subscriber(account.id, "wakes@example.org").await;
        set_quiet(app, "sleeps@example.org", 22, 7).await;
        advance_to(app, zone, 23, 30);
        let first = app.published(account.id, "第一条").await;
        let second = app.published(account.id, "第二条").await;
        let push = app.push(account.id, &[&first]).await;
        app.work().await;
        app.push(account.id, &[&second]).await;
        app.work().await;
        assert!(app.take_letters().iter().all(|letter| letter.to == "wakes@example.org"));
        let held = app.deliveries(push).await.remove(0);
        assert_eq!((held.state, held.attempts), (DeliveryState::Waiting, 0));
        let end = held.next_attempt_at.utc().with_timezone(&zone);
        assert_eq!((end.hour(), end.minute()), (7, 0));
        app.sign_in(owner.id).await;
        let page = app.get(&format!("/studio/@daily/pushes/{push}")).await.assert_status(200).text();
        assert!(page.contains("等待发送") && page.contains("读者免打扰，") && page.contains("07:00 之后发送"), "{page}");
        advance_to(app, zone, 6, 59);
        app.work().await;
        assert!(app.take_letters().is_empty());
        advance_to(app, zone, 7, 0);
        app.work().await;
        let letters = app.take_letters();
        assert_eq!(letters.len(), 2);
        assert!(letters.iter().all(|letter| letter.to == "sleeps@example.org"));
        let told = app.deliveries(push).await.remove(0);
        assert_eq!((told.state, told.attempts), (DeliveryState::Delivered, 1));
    }

    async fn an_instant_alert_waits_too_and_a_digest_does_not(app) {
        let zone = Tz::Asia__Shanghai;
        advance_to(app, zone, 12, 0);
        let (account, owner) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        app.alert(&reader, "台风", AlertCadence::Instant).await;
        app.follow(&reader, account.id, Cadence::Daily).await;
        set_quiet(app, "reader@example.org", 0, 12).await;
        advance_to(app, zone, 3, 0);
        app.news(&account, &owner, "台风", "来了").await;
        app.work().await;
        assert!(app.take_letters().is_empty());
        advance_to(app, zone, 8, 0);
        app.work().await;
        assert_eq!(app.subjects().await, [("reader@example.org".to_owned(), "每日摘要：台风".to_owned())]);
        advance_to(app, zone, 12, 0);
        app.work().await;
        assert_eq!(app.subjects().await, [("reader@example.org".to_owned(), "台风：台风".to_owned())]);
    }

    async fn digests_and_alerts_come_at_the_hour_and_day_that_were_chosen(app) {
        app.allow_unfinished_jobs();
        let zone = Tz::Europe__London;
        advance_to(app, Tz::Asia__Shanghai, 12, 0);
        let (account, owner) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        app.follow(&reader, account.id, Cadence::Daily).await;
        app.alert(&reader, "台风", AlertCadence::Daily).await;
        advance_to(app, Tz::Asia__Shanghai, 1, 0);
        app.news(&account, &owner, "台风", "来了").await;
        app.work().await;
        app.sign_in(reader.id).await;
        let form = app.get("/settings/hours").await.assert_status(200).text();
        assert!(form.contains("下一封摘要：") && form.contains("08:00"), "{form}");
        app.post("/settings/hours", &HOURS).await.assert_status(303);
        let form = app.get("/settings/hours").await.text();
        assert!(form.contains("<option selected>Europe/London") && form.contains("19:00</option>"), "{form}");
        advance_to(app, zone, 18, 59);
        app.work().await;
        assert!(app.take_letters().is_empty());
        advance_to(app, zone, 19, 0);
        app.work().await;
        let subjects: Vec<_> = app.subjects().await.into_iter().map(|(_, subject)| subject).collect();
        assert_eq!(subjects, ["台风：台风", "每日摘要：台风"]);
        // The zone of the profile is the same one.
        let user = user::Entity::find_by_id(reader.id).one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!(user.timezone, "Europe/London");
        app.post("/settings", &[("name", "读者"), ("locale", "zh-Hans"), ("timezone", "America/New_York")]).await.assert_status(303);
        let due = app.reader("reader@example.org").await.daily_due_at.unwrap();
        assert_eq!(due.utc().with_timezone(&Tz::America__New_York).hour(), 19);
        // New subscriptions begin as was chosen.
        let (other, _) = app.account("other").await;
        let page = app.get("/@other").await.text();
        assert!(page.contains("<option value=\"daily\" selected>"), "{page}");
        app.post("/@other/subscribe", &[]).await.assert_status(303);
        let row = subscriptions::queries::of_user(app.app.db.read(), reader.id, other.id).await.unwrap().unwrap();
        assert_eq!(row.cadence, Cadence::Daily);
    }

    async fn what_makes_no_sense_is_refused_and_changes_nothing(app) {
        let reader = app.user("reader@example.org").await;
        app.sign_in(reader.id).await;
        for (field, value, words) in [
            ("timezone", "Mars/Olympus", "没有这个时区"),
            ("digest_hour", "24", "请选择 0 到 23 点"),
            ("digest_weekday", "0", "请选择星期几"),
            ("quiet_until", "-1", "请选择 0 到 23 点"),
            ("quiet_until", "22", "不能是同一时间"),
        ] {
            let mut form: Vec<_> = HOURS.iter().filter(|(name, _)| *name != field).copied().collect();
            form.extend([(field, value), ("quiet", "1")]);
            let answer = app.post("/settings/hours", &form).await.assert_status(422);
            assert!(answer.text().contains(words), "{field}={value}: {}", answer.text());
        }
        for broken in [vec![("digest_hour", "x")], vec![("cadence", "hourly")], vec![]] {
            let mut form: Vec<_> = HOURS.iter().filter(|(name, _)| broken.iter().all(|(other, _)| name != other)).copied().collect();
            if broken.is_empty() { form.clear() } else { form.extend(broken) }
            let status = app.post("/settings/hours", &form).await.status.as_u16();
            assert!((400..500).contains(&status), "{status}");
        }
        let row = readers::of_user(&app.app, &reader).await.unwrap();
        assert!(row.row.is_none());
    }

    async fn a_cadence_is_chosen_right_where_one_subscribes(app) {
        let (account, _) = app.account("daily").await;
        // By address: it holds once the owner has confirmed.
        app.post("/@daily/subscribe", &[("email", "mail@example.org"), ("cadence", "weekly")]).await.assert_status(303);
        app.work().await;
        let letter = app.take_letters().remove(0);
        let confirm = letter.text.lines().find_map(|line| line.trim().strip_prefix("http://xiangxun.test/s/")).unwrap().to_owned();
        app.post(&format!("/s/{confirm}"), &[]).await.assert_status(303);
        let found = subscription::Entity::find().filter(subscription::COLUMN.email.eq("mail@example.org"));
        let row = found.one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!((row.state, row.cadence), (SubscriptionState::Active, Cadence::Weekly));
        assert!(app.reader("mail@example.org").await.weekly_due_at.is_some());
        // Somebody who types the address of another changes nothing of theirs.
        app.post("/@daily/subscribe", &[("email", "mail@example.org"), ("cadence", "muted")]).await.assert_status(303);
        assert_eq!(cadence(app, &row).await, Cadence::Weekly);
        app.work().await;
        app.take_letters();
        // By the signed link of a mail.
        let manage = subscriptions::links::manage_path(&app.app, row.id);
        for (value, shown) in [("instant", "新文章立即发到邮箱"), ("daily", "每天一封邮件"), ("weekly", "每周一封邮件"), ("muted", "不发邮件，只在时间线显示")] {
            app.post(&format!("{manage}/cadence"), &[("cadence", value)]).await.assert_status(303);
            assert!(app.get(&manage).await.text().contains(shown), "{value}");
        }
        app.post(&format!("{manage}/hours"), &HOURS).await.assert_status(303);
        assert_eq!(app.reader("mail@example.org").await.timezone.as_deref(), Some("Europe/London"));
        let wrong = app.post(&format!("{manage}/hours"), &[HOURS.as_slice(), &[("quiet", "1"), ("quiet_from", "7")]].concat()).await;
        assert!(matches!(wrong.status.as_u16(), 400 | 422));
        // Signed in: on the account's page and in the list.
        let reader = app.user("reader@example.org").await;
        app.sign_in(reader.id).await;
        app.post("/@daily/subscribe", &[("cadence", "daily")]).await.assert_status(303);
        let own = subscriptions::queries::of_user(app.app.db.read(), reader.id, account.id).await.unwrap().unwrap();
        assert_eq!(own.cadence, Cadence::Daily);
        let page = app.get("/@daily").await.text();
        assert!(page.contains(&format!("/subscriptions/{}/cadence", own.id)) && page.contains("<option value=\"daily\" selected>"));
        let answer = app.post(&format!("/subscriptions/{}/cadence", own.id), &[("cadence", "weekly"), ("next", "/@daily")]).await;
        assert_eq!(answer.assert_status(303).location(), "/@daily");
        assert_eq!(cadence(app, &own).await, Cadence::Weekly);
        let answer = app.post(&format!("/subscriptions/{}/cadence", own.id), &[("cadence", "muted"), ("next", "//evil.example")]).await;
        assert_eq!(answer.location(), "/");
        app.post(&format!("/subscriptions/{}/cadence", row.id), &[("cadence", "muted")]).await.assert_status(404);
        assert!(app.get("/subscriptions").await.text().contains(&format!("/subscriptions/{}/cadence", own.id)));
    }

    async fn one_click_in_a_digest_mutes_what_it_tells_of_and_the_rest_goes_on(app) {
        advance_to(app, Tz::Asia__Shanghai, 12, 0);
        let (account, owner) = app.account("daily").await;
        let (weekly, _) = app.account("weekly").await;
        let (instant, _) = app.account("instant").await;
        let daily = app.follower(account.id, "reader@example.org", Cadence::Daily).await;
        let other = app.follower(account.id, "other@example.org", Cadence::Daily).await;
        let weekly = app.follower(weekly.id, "reader@example.org", Cadence::Weekly).await;
        let kept = app.subscriber(instant.id, "reader@example.org").await;
        app.news(&account, &owner, "新闻", "内容").await;
        let mut letters = app.morning().await;
        letters.sort_by_key(|letter| letter.to.clone());
        let letter = letters.remove(1);
        let stop = path(&letter, "/stop");
        assert_eq!(header(&letter, "List-Unsubscribe"), format!("<http://xiangxun.test{stop}>"));
        assert_eq!(header(&letter, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        // Scanners look at every link.
        let page = app.get(&stop).await.assert_status(200);
        assert!(page.text().contains("停收摘要") && page.header("referrer-policy") == "no-referrer");
        assert_eq!(cadence(app, &daily).await, Cadence::Daily);
        // What waits already does not go out after it.
        app.news(&account, &owner, "又一条", "内容").await;
        app.app.clock.advance(Duration::from_secs(24 * 60 * 60));
        xiangxun::digests::build_due(&app.app, &tokio_util::sync::CancellationToken::new()).await.unwrap();
        let request = app.request(Method::POST, &stop).body("List-Unsubscribe=One-Click".into()).unwrap();
        app.send_alone(request).await.assert_status(200);
        assert_eq!((cadence(app, &daily).await, cadence(app, &weekly).await), (Cadence::Muted, Cadence::Muted));
        assert_eq!((cadence(app, &kept).await, cadence(app, &other).await), (Cadence::Instant, Cadence::Daily));
        app.work().await;
        assert_eq!(app.subjects().await, [("other@example.org".to_owned(), "每日摘要：又一条".to_owned())]);
        let row = app.reader("reader@example.org").await;
        assert_eq!((row.daily_due_at, row.weekly_due_at), (None, None));
        // Each can be chosen anew from there, or all at once.
        let manage = links::manage_path(&app.app, row.id);
        app.get(&manage).await.assert_status(200);
        app.post(&format!("{manage}/{}/cadence", weekly.id), &[("cadence", "weekly")]).await.assert_status(303);
        app.post(&format!("{manage}/{}/cadence", other.id), &[("cadence", "muted")]).await.assert_status(404);
        assert_eq!((cadence(app, &weekly).await, cadence(app, &other).await), (Cadence::Weekly, Cadence::Daily));
        app.post(&format!("{manage}/all"), &[("cadence", "daily")]).await.assert_status(303);
        assert_eq!((cadence(app, &daily).await, cadence(app, &kept).await), (Cadence::Daily, Cadence::Daily));
        app.post(&format!("{manage}/hours"), &HOURS).await.assert_status(303);
        let due = app.reader("reader@example.org").await.daily_due_at.unwrap();
        assert_eq!(due.utc().with_timezone(&Tz::Europe__London).hour(), 19);
        let forged = manage.replacen(&format!("/{}.", row.id), &format!("/{}.", row.id + 1), 1);
        for path in [forged.clone(), format!("{forged}/stop")] {
            app.get(&path).await.assert_status(404);
        }
        app.post(&format!("{forged}/stop"), &[]).await.assert_status(404);
    }

    async fn a_digest_is_written_in_its_readers_language_and_safely(app) {
        advance_to(app, Tz::Asia__Shanghai, 12, 0);
        let (account, owner) = app.account("daily").await;
        let mut row = app.user("hant@example.org").await.into_active_model();
        row.locale = Set("zh-Hant".into());
        let hant = row.update(app.app.db.write()).await.unwrap();
        app.follow(&hant, account.id, Cadence::Daily).await;
        let english = app.subscriber(account.id, "en@example.org").await;
        let mut row = english.clone().into_active_model();
        row.locale = Set("en".into());
        row.update(app.app.db.write()).await.unwrap();
        subscriptions::change(&app.app, english.id, subscriptions::Change::Daily).await.unwrap();
        let article = app.news(&account, &owner, "<b>标题</b> & \"引号\"", "第一段 &lt;script&gt;。").await;
        app.news(&account, &owner, "第二篇", "内容").await;
        let mut letters = app.morning().await;
        letters.sort_by_key(|letter| letter.to.clone());
        for (letter, subject, words, title) in [
            (&letters[0], "Daily digest: 第二篇 (and 1 more)", "2 new articles from one account", "<b>标题</b> & \"引号\""),
            (&letters[1], "每日摘要：第二篇（等 2 篇）", "停收摘要", "<b>標題</b> & \"引號\""),
        ] {
            assert_eq!(letter.subject, subject);
            for part in [&letter.text, &letter.html] {
                assert!(part.contains(words) && !part.contains('⟦'), "{part}");
                assert!(part.contains(&format!("http://xiangxun.test/@daily/{}", article.slug)) && part.contains(&account.name));
                assert!(part.contains(&format!("http://xiangxun.test{}", path(letter, "/stop"))));
            }
            assert!(letter.text.contains(title));
            assert!(!letter.html.contains(&title[..6]) && !letter.html.contains("<script"));
            let bytes = letter.compose(&"乡讯 <news@xiangxun.test>".parse().unwrap()).unwrap().formatted();
            let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            assert_eq!(mail.subject(), Some(subject));
            assert_eq!(header(letter, "Auto-Submitted"), "auto-generated");
            assert!(header(letter, "List-Id").ends_with("<digest.xiangxun.test>"));
        }
        assert!(letters[1].html.contains("您用 hant@example.org 訂閱了這些公眾號"), "{}", letters[1].html);
        let id = &letters[0].message_id;
        assert!(id.starts_with('<') && id.contains(".r-") && id.ends_with("@xiangxun.test>"), "{id}");
    }

    async fn a_zone_chosen_by_mail_is_kept_when_its_reader_becomes_a_user(app) {
        let (account, _) = app.account("daily").await;
        let row = app.follower(account.id, "reader@example.org", Cadence::Daily).await;
        let manage = subscriptions::links::manage_path(&app.app, row.id);
        app.post(&format!("{manage}/hours"), &HOURS).await.assert_status(303);
        let user = people::user_with_password(app, "reader@example.org").await;
        assert_eq!(user.timezone, "Europe/London");
        let reader = readers::of_user(&app.app, &user).await.unwrap();
        assert_eq!((reader.hours().hour, reader.cadence()), (19, Cadence::Daily));
    }

    async fn the_api_tells_and_changes_cadence_and_hours(app) {
        let (account, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let scopes = [Scope::SubscriptionsRead, Scope::SubscriptionsWrite];
        let token = api_tokens::create(&app.app, reader.id, "t", &scopes).await.unwrap();
        let usual = app.api(Method::GET, "/api/v1/reader", &token, &[], json!(null)).await.assert_status(200).json();
        assert_eq!(usual, json!({
            "timezone": "Asia/Shanghai", "cadence": "instant", "digest_hour": 8, "digest_weekday": 1,
            "quiet_from": null, "quiet_until": null, "with_seen": false, "script": "", "next_digest_at": null,
        }));
        let wish = json!({ "timezone": "Australia/Sydney", "cadence": "daily", "digest_hour": 7, "quiet": { "from": 22, "until": 6 } });
        let changed = app.api(Method::PATCH, "/api/v1/reader", &token, &[], wish).await.assert_status(200).json();
        assert_eq!((&changed["digest_hour"], &changed["quiet_from"], &changed["digest_weekday"]), (&json!(7), &json!(22), &json!(1)));
        let changed = app.api(Method::PATCH, "/api/v1/reader", &token, &[], json!({ "quiet": null })).await.assert_status(200).json();
        assert_eq!((&changed["quiet_from"], &changed["timezone"]), (&json!(null), &json!("Australia/Sydney")));
        let changed = app.api(Method::PATCH, "/api/v1/reader", &token, &[], json!({ "script": "hant-hk" })).await.assert_status(200).json();
        assert_eq!(changed["script"], "hant-hk");
        for wrong in [json!({ "digest_hour": 99 }), json!({ "timezone": "Mars" }), json!({ "script": "latin" }), json!({ "quiet": { "from": 3, "until": 3 } })] {
            let answer = app.api(Method::PATCH, "/api/v1/reader", &token, &[], wrong.clone()).await.assert_status(422);
            assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 1, "{wrong}");
        }
        app.api(Method::PATCH, "/api/v1/reader", &token, &[], json!({ "digest_minute": 1 })).await.assert_status(422);
        app.api(Method::GET, "/api/v1/reader", "", &[], json!(null)).await.assert_status(401);
        let made = app.api(Method::POST, "/api/v1/subscriptions", &token, &[], json!({ "account": "daily" })).await.assert_status(201).json();
        assert_eq!(made["cadence"], "daily", "the usual one");
        let one = format!("/api/v1/subscriptions/{}", made["id"]);
        for cadence in ["weekly", "muted", "instant", "daily"] {
            let changed = app.api(Method::PATCH, &one, &token, &[], json!({ "cadence": cadence })).await.assert_status(200).json();
            assert_eq!(changed["cadence"], cadence);
        }
        let due = app.api(Method::GET, "/api/v1/reader", &token, &[], json!(null)).await.json();
        assert!(due["next_digest_at"].is_string());
        let other = app.account("other").await.0;
        let made = app.api(Method::POST, "/api/v1/subscriptions", &token, &[], json!({ "account": "other", "cadence": "weekly" })).await.assert_status(201).json();
        assert_eq!(made["cadence"], "weekly");
        let audience = subscriptions::queries::audience(app.app.db.read(), other.id).await.unwrap();
        assert_eq!((audience.weekly, audience.daily, audience.followers()), (1, 0, 1));
        let audience = subscriptions::queries::audience(app.app.db.read(), account.id).await.unwrap();
        assert_eq!((audience.daily, audience.muted), (1, 0));
    }

    async fn digests_are_built_by_a_running_node(app) {
        let (account, owner) = app.account("daily").await;
        app.follower(account.id, "reader@example.org", Cadence::Daily).await;
        app.news(&account, &owner, "新闻", "内容").await;
        advance_to(app, Tz::Asia__Shanghai, 8, 0);
        let stop = tokio_util::sync::CancellationToken::new();
        let tasks = [
            tokio::spawn(xiangxun::digests::run(app.app.clone(), stop.clone())),
            tokio::spawn(xiangxun::digests::run(app.app.clone(), stop.clone())),
            tokio::spawn(xiangxun::delivery::sender::run(app.app.clone(), stop.clone())),
        ];
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if app.reader("reader@example.org").await.daily_due_at.unwrap() > app.app.clock.now() { break }
        }
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        stop.cancel();
        for task in tasks { task.await.unwrap() }
        assert_eq!(app.subjects().await.len(), 1);
    }
}
