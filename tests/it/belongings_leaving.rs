//! A person leaves: who may, what ends at once, and what is deleted.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, header};
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use xiangxun::accounts::{self, By};
use xiangxun::belongings::places::{NOBODYS, PLACES};
use xiangxun::belongings::{export, leaving};
use xiangxun::db::entities::delivery::DeliveryState;
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::subscription::SubscriptionState;
use xiangxun::db::entities::user::{self, UserState};
use xiangxun::error::Error;
use xiangxun::jobs::{self, Job, Outcome};
use xiangxun::mail::Letter;
use xiangxun::page::Locale;
use xiangxun::subscriptions::links;

use crate::both_databases;
use crate::support::belongings::{
    EMAIL, ID, SETTLED, columns, everything, export_of, exported_files, holds, is_nowhere, leave,
    leave_for_good, marks, person, references_to_users, run, wait_for_everything,
};
use crate::support::people::{self, PASSWORD};
use crate::support::receiver::Receiver;

/// The link of a letter.
fn leaving_path(letter: &Letter) -> String {
    let at = letter.text.find("/settings/leave/").unwrap_or_else(|| panic!("no link: {}", letter.text));
    letter.text[at..].split_whitespace().next().unwrap().to_owned()
}

both_databases! {
    async fn every_column_that_names_somebody_is_a_place(app) {
        let all = columns(app).await;
        let tables: BTreeSet<&str> = all.iter().map(|(table, _)| table.as_str()).collect();
        let listed: BTreeSet<&str> = PLACES.iter().map(|place| place.table).chain(NOBODYS).collect();
        let forgotten: Vec<_> = tables.difference(&listed).collect();
        assert!(forgotten.is_empty(), "{forgotten:?}: say in belongings::places what becomes of their rows");
        let is_place = |table: &str, column: &str| {
            PLACES.iter().any(|place| place.table == table && place.column == column)
        };
        let names_somebody = |column: &str| {
            column == "email" || column == "editor_id" || column.ends_with("user_id")
                || column.ends_with("_by") && column != "last_used_by"
        };
        for (table, column) in all.iter().filter(|(_, column)| names_somebody(column)) {
            assert!(is_place(table, column), "{table}.{column}: say in belongings::places what becomes of it");
        }
        for (table, column) in references_to_users(app).await {
            assert!(is_place(&table, &column), "{table}.{column}: say in belongings::places what becomes of it");
        }
    }

    async fn whoever_leaves_is_nowhere_in_the_database(app) {
        let (account, _) = app.account("paper").await;
        let (second, _) = app.account("weekly").await;
        let article = app.published(account.id, "签证新规").await;
        person(app).await;
        everything(app, account.id, article.id).await;
        app.subscriber(second.id, EMAIL).await;
        export_of(app).await;
        app.allow_unfinished_jobs();
        app.take_letters();

        // There is something in each place, so that the rest proves something.
        for place in PLACES {
            let mut found = 0;
            for mark in marks() {
                found += holds(app, place.table, place.column, &mark).await;
            }
            assert!(found > 0, "{}.{}: the test puts nothing there", place.table, place.column);
        }

        assert!(app.get("/settings/leave").await.text().contains("发信地址"), "an account writes from their address");
        leave(app).await;
        app.work().await;
        app.app.clock.advance(SETTLED);
        app.work().await;
        is_nowhere(app).await;
        assert_eq!(exported_files(app), 0);
        let letters = app.take_letters();
        assert_eq!(letters.iter().map(|letter| letter.to.as_str()).collect::<Vec<_>>(), [EMAIL]);
        assert!(letters[0].text.contains("有公众号以这个地址发信"), "{}", letters[0].text);
        // What accounts have stays: the article, its history, and that one mail was delivered.
        assert_eq!(xiangxun::db::entities::delivery::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        assert_eq!(xiangxun::db::entities::revision::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        app.get("/@paper").await.assert_status(200);
        // Done twice it is done once.
        let again = leaving::run(&app.app, ID, app.app.clock.now()).await.unwrap();
        assert_eq!(again, Outcome::Done);
    }

    async fn from_the_moment_of_the_wish_nobody_gets_in_and_nothing_goes_out(app) {
        let (account, _) = app.account("paper").await;
        let person = person(app).await;
        let article = app.published(account.id, "签证新规").await;
        app.post("/@paper/subscribe", &[]).await;
        let token = xiangxun::auth::api_tokens::create(&app.app, ID, "x", &[xiangxun::auth::Scope::AlertsRead]).await;
        let token = token.unwrap();
        let secret = xiangxun::reader_apps::create(&app.app, &person, "手机").await.unwrap();
        xiangxun::private_feeds::renew(&app.app, ID).await.unwrap();
        let feed = xiangxun::private_feeds::addresses(&app.app, ID).await.unwrap()[0].formats[0].1.clone();
        let feed = feed.trim_start_matches("http://xiangxun.test").to_owned();
        app.get(&feed).await.assert_status(200);
        // Messages of every kind wait, and word of an export.
        let push = app.push(account.id, &[&article]).await;
        jobs::worker::run_due(&app.app).await.unwrap();
        assert_eq!(app.deliveries(push).await[0].state, DeliveryState::Waiting);
        let manage = links::manage_path(&app.app, app.deliveries(push).await[0].subscription_id.unwrap());
        let notices = Receiver::start().await;
        wait_for_everything(app, push, article.id, &notices.address).await;
        let export = export::ask(&app.app, &person, Locale::ZhHans).await.unwrap();
        let made = export::make(&app.app, export.id).await.unwrap();
        assert!(matches!(made, Outcome::Again { job: Job::TellExport { .. }, .. }), "{made:?}");

        app.post("/settings/leave", &[("password", "nicht dieses passwort")]).await.assert_status(422);
        app.get("/settings").await.assert_status(200);
        leave(app).await;
        // Before any job has run.
        assert!(!people::is_signed_in(app).await);
        app.api(Method::GET, "/api/v1/alerts", &token, &[], serde_json::Value::Null).await.assert_status(401);
        app.get(&feed).await.assert_status(404);
        let login = format!("Email={EMAIL}&Passwd={secret}");
        let login = Request::post("/api/greader.php/accounts/ClientLogin")
            .header(header::HOST, "xiangxun.test")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(login));
        assert_eq!(app.send_alone(login.unwrap()).await.status, 401);
        app.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await.assert_status(422);
        assert_eq!(export::tell(&app.app, export.id).await.unwrap(), Outcome::Done);
        assert!(export::ask(&app.app, &person, Locale::ZhHans).await.is_err(), "a click that was under way");
        xiangxun::delivery::sender::send_due(&app.app).await.unwrap();
        xiangxun::delivery::web_push::sender::send_due(&app.app).await.unwrap();
        assert!(app.take_letters().is_empty());
        assert!(notices.take().is_empty());
        assert!(app.deliveries(push).await.iter().all(|row| row.state == DeliveryState::Suppressed));
        // The link of an old mail brings nobody back, neither before nor after the job.
        jobs::worker::run_due(&app.app).await.unwrap();
        app.post(&format!("{manage}/rejoin"), &[]).await.assert_status(410);
        // Nothing of a later push.
        let second = app.published(account.id, "第二篇").await;
        let later = app.push(account.id, &[&second]).await;
        app.work().await;
        assert!(app.deliveries(later).await.is_empty());
        app.app.clock.advance(SETTLED);
        app.work().await;
        let letters = app.take_letters();
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert!(letters[0].text.contains(EMAIL), "{}", letters[0].text);
        assert!(letters[0].text.contains("连这个地址也不再保存"), "{}", letters[0].text);
        // The address can be used anew.
        app.post("/sign-in", &[("email", EMAIL)]).await.assert_status(303);
        app.work().await;
        assert_eq!(app.take_letters().len(), 1);
    }

    async fn subscriptions_that_had_ended_keep_their_time(app) {
        let (account, _) = app.account("paper").await;
        let (second, _) = app.account("weekly").await;
        person(app).await;
        let long_over = app.subscriber(account.id, EMAIL).await;
        run(app, &format!("UPDATE subscriptions SET state = 'ended', ended_at = 1234 WHERE id = {}", long_over.id)).await;
        let pending = app.subscriber(second.id, EMAIL).await;
        run(app, &format!("UPDATE subscriptions SET state = 'pending' WHERE id = {}", pending.id)).await;
        leave(app).await;
        assert_eq!(app.subscription(long_over.id).await.ended_at.map(|moment| moment.0), Some(1234));
        let pending = app.subscription(pending.id).await;
        assert_eq!(pending.state, SubscriptionState::Ended);
        assert!(pending.ended_at.is_some());
        app.work().await;
        app.app.clock.advance(SETTLED);
        app.work().await;
    }

    async fn an_export_that_has_expired_goes_with_its_person(app) {
        person(app).await;
        export_of(app).await;
        app.app.clock.advance(export::KEPT);
        app.sign_in(ID).await;
        assert_eq!(exported_files(app), 1);
        leave_for_good(app).await;
        assert_eq!(exported_files(app), 0);
        is_nowhere(app).await;
    }

    async fn who_leaves_or_is_suspended_is_made_no_member(app) {
        let (account, owner) = app.account("paper").await;
        let reader = app.user("reader@example.org").await;
        app.sign_in(owner.id).await;
        for state in ["leaving", "suspended"] {
            run(app, &format!("UPDATE users SET state = '{state}' WHERE id = {}", reader.id)).await;
            let fields = [("email", "reader@example.org"), ("role", "owner")];
            let page = app.post("/studio/@paper/members", &fields).await.assert_status(422).text();
            assert!(page.contains("现在不能把这个人添加为成员"), "{page}");
        }
        let refused = accounts::members::add(&app.app, By::Console, account.id, "reader@example.org", Role::Editor).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }

    async fn without_a_password_one_leaves_by_a_mailed_link(app) {
        let reader = app.user("reader@example.org").await;
        app.sign_in(reader.id).await;
        let page = app.get("/settings/leave").await.assert_status(200).text();
        assert!(!page.contains("type=\"password\"") && page.contains("/settings/leave/link"), "{page}");
        app.post("/settings/leave/link", &[]).await.assert_status(303);
        app.work().await;
        let letter = app.take_letters().remove(0);
        let path = leaving_path(&letter);
        // It is for this person, in a browser that is signed in; looking at it changes nothing.
        let page = app.get(&path).await.assert_status(200).text();
        assert!(page.contains(&format!("action=\"{path}\"")), "{page}");
        let other = app.user("other@example.org").await;
        app.sign_in(other.id).await;
        app.get(&path).await.assert_status(410);
        app.post(&path, &[]).await.assert_status(410);
        app.sign_out();
        app.get(&path).await.assert_status(303);
        app.sign_in(reader.id).await;
        app.get(&format!("{path}x")).await.assert_status(410);
        app.post(&path, &[]).await.assert_status(303);
        let state = user::Entity::find_by_id(reader.id).one(app.app.db.read()).await.unwrap().unwrap().state;
        assert_eq!(state, UserState::Leaving);
        app.app.clock.advance(SETTLED);
        app.work().await;
        assert_eq!(user::Entity::find().filter(user::COLUMN.email.eq("reader@example.org")).count(app.app.db.read()).await.unwrap(), 0);
        assert_eq!(app.take_letters().len(), 1);
        // Another's link that has grown old.
        app.sign_in(other.id).await;
        app.post("/settings/leave/link", &[]).await.assert_status(303);
        app.work().await;
        let letter = app.take_letters().remove(0);
        let path = leaving_path(&letter);
        app.app.clock.advance(leaving::LINK_LIFETIME);
        app.post(&path, &[]).await.assert_status(410);
    }

    async fn an_owner_hands_over_or_closes_before_leaving(app) {
        let (account, owner) = app.account("paper").await;
        app.sign_in(owner.id).await;
        run(app, &format!("UPDATE users SET operator = TRUE WHERE id = {}", owner.id)).await;
        let page = app.get("/settings/leave").await.assert_status(200).text();
        assert!(page.contains("/studio/@paper/members") && page.contains("xiangxun user promote"), "{page}");
        assert!(!page.contains("action=\"/settings/leave/link\""), "{page}");
        // A link that was asked for before does not lead around it.
        app.post("/settings/leave/link", &[]).await.assert_status(303);
        app.work().await;
        let letter = app.take_letters().remove(0);
        let path = leaving_path(&letter);
        app.post(&path, &[]).await.assert_status(409);
        let operator = app.user("operator@example.org").await;
        run(app, &format!("UPDATE users SET operator = TRUE WHERE id = {}", operator.id)).await;
        app.post(&path, &[]).await.assert_status(409);
        // Somebody who only writes there cannot close it, nor be its owner.
        let author = app.user("author@example.org").await;
        let member = app.member(account.id, author.id, Role::Author).await;
        app.sign_in(author.id).await;
        app.post(&format!("/settings/leave/accounts/{}/close", account.id), &[]).await.assert_status(403);
        app.sign_in(owner.id).await;
        assert!(app.get("/settings/leave").await.text().contains("/studio/@paper/members"));
        run(app, &format!("UPDATE members SET role = 'owner' WHERE id = {}", member.id)).await;
        run(app, &format!("UPDATE users SET state = 'suspended' WHERE id = {}", author.id)).await;
        assert!(app.get("/settings/leave").await.text().contains("/studio/@paper/members"), "nobody could get in");
        run(app, &format!("UPDATE users SET state = 'active' WHERE id = {}", author.id)).await;
        assert!(!app.get("/settings/leave").await.text().contains("/studio/@paper/members"));
        app.post(&path, &[]).await.assert_status(303);
        // The one who is left closes it.
        app.sign_in(author.id).await;
        app.post(&format!("/settings/leave/accounts/{}/close", account.id), &[]).await.assert_status(303);
        let gone = app.get("/@paper").await.assert_status(410).text();
        assert!(gone.contains("这个公众号已关闭"), "{gone}");
        // Its members read that, and not that they did wrong; and an operator can open it again.
        assert!(app.get("/studio/@paper").await.text().contains("已由所有者关闭"));
        app.sign_in(operator.id).await;
        assert!(app.get("/studio/accounts").await.text().contains("已关闭"));
        app.post(&format!("/studio/accounts/{}/reinstate", account.id), &[]).await.assert_status(303);
        app.get("/@paper").await.assert_status(200);
        // What operators have suspended is not an owner's to close, and so to be opened by mistake.
        app.post(&format!("/studio/accounts/{}/suspend", account.id), &[]).await.assert_status(303);
        app.sign_in(author.id).await;
        app.post(&format!("/settings/leave/accounts/{}/close", account.id), &[]).await.assert_status(303);
        assert!(app.get("/@paper").await.assert_status(410).text().contains("已被停用"));
        app.post("/settings/leave/link", &[]).await.assert_status(303);
        app.work().await;
        let letters = app.take_letters();
        let letter = letters.iter().find(|letter| letter.to == "author@example.org").unwrap();
        let path = leaving_path(letter);
        app.post(&path, &[]).await.assert_status(303);
        app.app.clock.advance(SETTLED);
        app.work().await;
        assert_eq!(user::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
    }
}
