//! Subscribing, confirming, managing and leaving.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::subscription::{self, Cadence, SubscriptionState};
use xiangxun::delivery;
use xiangxun::jobs;
use xiangxun::mail::Letter;
use xiangxun::subscriptions::{self, links, queries};

use crate::both_databases;
use crate::support::TestApp;

const SITE: &str = "http://xiangxun.test";

/// The path of the first link of a letter's text that leads to a signed page.
fn signed_path(letter: &Letter) -> String {
    let start = letter.text.find(&format!("{SITE}/s/")).expect("the letter has a signed link");
    letter.text[start + SITE.len()..].split_whitespace().next().unwrap().to_owned()
}

async fn ask(app: &TestApp, handle: &str, email: &str) {
    let answer = app.post(&format!("/@{handle}/subscribe"), &[("email", email)]).await.assert_status(303);
    assert_eq!(answer.location(), format!("/@{handle}/subscribe?asked"));
}

async fn only(app: &TestApp, email: &str) -> subscription::Model {
    subscription::Entity::find()
        .filter(subscription::COLUMN.email.eq(email))
        .one(app.app.db.read())
        .await
        .unwrap()
        .unwrap()
}

both_databases! {
    async fn an_address_is_subscribed_once_its_owner_confirms(app) {
        let (account, _) = app.account("daily").await;
        let form = app.get("/@daily/subscribe").await.assert_status(200);
        assert!(form.text().contains("name=\"email\""));
        ask(app, "daily", "Reader@Example.ORG").await;
        let notice = app.get("/@daily/subscribe?asked").await.assert_status(200);
        assert!(!notice.text().contains("name=\"email\""));
        app.work().await;
        let letter = app.take_letters().remove(0);
        assert_eq!(letter.to, "reader@example.org");
        assert!(letter.subject.contains(&account.name), "{}", letter.subject);
        assert!(letter.html.contains("/confirm"));
        // Scanners follow links; nothing comes of it.
        let path = signed_path(&letter);
        let page = app.get(&path).await.assert_status(200);
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(only(app, "reader@example.org").await.state, SubscriptionState::Pending);
        let answer = app.post(&path, &[]).await.assert_status(303);
        let row = only(app, "reader@example.org").await;
        assert_eq!((row.state, row.cadence), (SubscriptionState::Active, Cadence::Instant));
        assert!(row.confirmed_at.is_some());
        app.get(answer.location()).await.assert_status(200);
        // Confirming twice is as good as once.
        app.post(&path, &[]).await.assert_status(303);
    }

    async fn the_answer_does_not_tell_whether_an_address_is_subscribed(app) {
        let (account, _) = app.account("daily").await;
        app.subscriber(account.id, "known@example.org").await;
        let known = app.post("/@daily/subscribe", &[("email", "known@example.org")]).await;
        let fresh = app.post("/@daily/subscribe", &[("email", "fresh@example.org")]).await;
        assert_eq!((known.status, known.location(), &known.bytes), (fresh.status, fresh.location(), &fresh.bytes));
        app.work().await;
        let mut letters = app.take_letters();
        letters.sort_by(|a, b| a.to.cmp(&b.to));
        assert_eq!(letters.len(), 2);
        assert!(letters[0].text.contains("/confirm"));
        // Who is subscribed already is told so, with the way to manage it.
        assert!(!letters[1].text.contains("/confirm"));
        app.get(&signed_path(&letters[1])).await.assert_status(200);
        assert_eq!(only(app, "known@example.org").await.state, SubscriptionState::Active);
    }

    async fn a_letter_is_not_sent_again_at_once(app) {
        app.account("daily").await;
        for _ in 0..3 {
            ask(app, "daily", "reader@example.org").await;
            app.work().await;
        }
        assert_eq!(app.take_letters().len(), 1);
        app.app.clock.advance(Duration::from_secs(6 * 60));
        ask(app, "daily", "reader@example.org").await;
        app.work().await;
        assert_eq!(app.take_letters().len(), 1);
    }

    async fn an_address_is_not_flooded_through_many_accounts(app) {
        for number in 0..14 {
            app.account(&format!("daily{number}")).await;
            ask(app, &format!("daily{number}"), "reader@example.org").await;
        }
        app.work().await;
        assert_eq!(app.take_letters().len(), 12);
    }

    async fn what_is_no_address_is_shown_again_with_the_reason(app) {
        app.account("daily").await;
        for typed in ["", "reader", "a@b@c.org", "reader@example.org\r\nBcc: all@example.org", "<script>@x.org"] {
            let answer = app.post("/@daily/subscribe", &[("email", typed)]).await.assert_status(422);
            assert!(answer.text().contains("aria-invalid"), "{typed}");
            assert!(!answer.text().contains("<script>@"));
        }
        assert_eq!(subscription::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    }

    async fn a_confirmation_link_ends_after_a_week_and_cannot_be_made_up(app) {
        app.account("daily").await;
        ask(app, "daily", "reader@example.org").await;
        app.work().await;
        let path = signed_path(&app.take_letters()[0]);
        let forged = path.replacen("/s/1-", "/s/2-", 1);
        assert_ne!(forged, path);
        app.post(&forged, &[]).await.assert_status(404);
        // A link to manage is not one to confirm, nor the other way about.
        let id = only(app, "reader@example.org").await.id;
        app.post(&format!("{}/confirm", links::manage_path(&app.app, id)), &[]).await.assert_status(404);
        app.get(path.trim_end_matches("/confirm")).await.assert_status(404);
        app.app.clock.advance(Duration::from_secs(8 * 24 * 60 * 60));
        app.get(&path).await.assert_status(410);
        app.post(&path, &[]).await.assert_status(410);
        assert_eq!(only(app, "reader@example.org").await.state, SubscriptionState::Pending);
    }

    async fn who_is_signed_in_subscribes_with_one_click(app) {
        let (account, _) = app.account("daily").await;
        let user = app.user("reader@example.org").await;
        app.sign_in(user.id).await;
        let answer = app.post("/@daily/subscribe", &[]).await.assert_status(303);
        assert_eq!(answer.location(), "/@daily");
        assert!(app.take_letters().is_empty());
        let row = only(app, "reader@example.org").await;
        assert_eq!((row.state, row.user_id), (SubscriptionState::Active, Some(user.id)));
        assert!(queries::follows(app.app.db.read(), user.id, account.id).await.unwrap());
        app.post("/@daily/subscribe", &[]).await.assert_status(303);
        assert_eq!(subscription::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        // It leads back where it was asked for, and never elsewhere.
        let answer = app.post("/@daily/subscribe", &[("next", "/@daily/piece")]).await;
        assert_eq!(answer.location(), "/@daily/piece");
        let answer = app.post("/@daily/subscribe", &[("next", "//evil.example")]).await;
        assert_eq!(answer.location(), "/");
        app.post("/@daily/unsubscribe", &[]).await.assert_status(303);
        assert_eq!(only(app, "reader@example.org").await.state, SubscriptionState::Ended);
    }

    async fn a_reader_changes_subscriptions_of_their_own_only(app) {
        let (account, _) = app.account("daily").await;
        let user = app.user("reader@example.org").await;
        let other = app.subscriber(account.id, "other@example.org").await;
        app.sign_in(user.id).await;
        app.post("/@daily/subscribe", &[]).await.assert_status(303);
        let id = only(app, "reader@example.org").await.id;
        let steps = [
            ("mute", SubscriptionState::Active, Cadence::Muted),
            ("instant", SubscriptionState::Active, Cadence::Instant),
            ("pause", SubscriptionState::Paused, Cadence::Instant),
            ("resume", SubscriptionState::Active, Cadence::Instant),
            ("leave", SubscriptionState::Ended, Cadence::Instant),
        ];
        for (step, state, cadence) in steps {
            app.get("/subscriptions").await.assert_status(200);
            app.post(&format!("/subscriptions/{id}/{step}"), &[]).await.assert_status(303);
            let row = app.subscription(id).await;
            assert_eq!((row.state, row.cadence), (state, cadence), "{step}");
        }
        app.post(&format!("/subscriptions/{id}/explode"), &[]).await.assert_status(404);
        app.post(&format!("/subscriptions/{}/leave", other.id), &[]).await.assert_status(404);
        assert_eq!(app.subscription(other.id).await.state, SubscriptionState::Active);
        app.sign_out();
        assert!(app.get("/subscriptions").await.assert_status(303).location().starts_with("/sign-in"));
    }

    async fn a_signed_link_manages_without_signing_in(app) {
        let (account, _) = app.account("daily").await;
        let row = app.subscriber(account.id, "reader@example.org").await;
        let path = links::manage_path(&app.app, row.id);
        for (step, state) in [
            ("pause", SubscriptionState::Paused),
            ("resume", SubscriptionState::Active),
            ("mute", SubscriptionState::Active),
            ("leave", SubscriptionState::Ended),
            ("rejoin", SubscriptionState::Active),
        ] {
            let page = app.get(&path).await.assert_status(200);
            assert!(page.text().contains("reader@example.org"));
            app.post(&format!("{path}/{step}"), &[]).await;
            assert_eq!(app.subscription(row.id).await.state, state, "{step}");
        }
        assert_eq!(app.subscription(row.id).await.cadence, Cadence::Instant, "coming back begins anew");
        app.get("/s/1.AAAAAAAAAAAAAAAAAAAAAA").await.assert_status(404);
        app.get("/s/x").await.assert_status(404);
    }

    async fn leaving_by_link_needs_a_post_and_takes_the_one_click_of_mail_programs(app) {
        let (account, _) = app.account("daily").await;
        let row = app.subscriber(account.id, "reader@example.org").await;
        let path = links::leave_path(&app.app, row.id);
        let page = app.get(&path).await.assert_status(200);
        assert!(page.text().contains("<form method=\"post\""));
        assert_eq!(app.subscription(row.id).await.state, SubscriptionState::Active);
        // As a mail provider posts: no cookie, no origin, and no redirect is followed.
        let request = app
            .request(Method::POST, &path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("List-Unsubscribe=One-Click"));
        app.send(request.unwrap()).await.assert_status(200);
        assert_eq!(app.subscription(row.id).await.state, SubscriptionState::Ended);
        let request = app
            .request(Method::POST, &path)
            .header("content-type", "multipart/form-data; boundary=b")
            .header("origin", "https://mail.example")
            .header("sec-fetch-site", "cross-site")
            .body(Body::from("--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"));
        app.send(request.unwrap()).await.assert_status(200);
    }

    async fn who_left_can_subscribe_again_by_address(app) {
        let (account, _) = app.account("daily").await;
        let row = app.subscriber(account.id, "reader@example.org").await;
        app.post(&links::leave_path(&app.app, row.id), &[]).await.assert_status(200);
        ask(app, "daily", "reader@example.org").await;
        assert_eq!(app.subscription(row.id).await.state, SubscriptionState::Pending);
        app.work().await;
        app.post(&signed_path(&app.take_letters()[0]), &[]).await.assert_status(303);
        let row = app.subscription(row.id).await;
        assert_eq!((row.state, row.ended_at), (SubscriptionState::Active, None));
    }

    async fn a_failed_address_is_written_to_again_after_a_week_and_trusted_once_confirmed(app) {
        app.account("daily").await;
        let db = app.app.db.write();
        delivery::suppress(db, app.app.clock.now(), "reader@example.org", "550 no such user").await.unwrap();
        ask(app, "daily", "reader@example.org").await;
        app.work().await;
        assert!(app.take_letters().is_empty());
        app.app.clock.advance(Duration::from_secs(8 * 24 * 60 * 60));
        ask(app, "daily", "reader@example.org").await;
        app.work().await;
        app.post(&signed_path(&app.take_letters()[0]), &[]).await.assert_status(303);
        assert_eq!(app.suppressed("reader@example.org").await, None);
    }

    async fn signing_in_brings_the_subscriptions_made_by_address(app) {
        let (account, _) = app.account("daily").await;
        let (second, _) = app.account("weekly").await;
        app.subscriber(account.id, "reader@example.org").await;
        app.subscriber(second.id, "other@example.org").await;
        let user = app.user("reader@example.org").await;
        let tx = app.app.db.begin().await.unwrap();
        subscriptions::link_to_user(&tx, &user.email, user.id).await.unwrap();
        tx.commit().await.unwrap();
        let list = queries::list_of_user(app.app.db.read(), user.id).await.unwrap();
        assert_eq!(list.iter().map(|followed| followed.handle.as_str()).collect::<Vec<_>>(), ["daily"]);
    }

    async fn the_audience_says_who_is_told_and_who_is_not(app) {
        let (account, _) = app.account("daily").await;
        for (name, change) in [("a", None), ("b", None), ("c", Some("mute")), ("d", Some("pause")), ("e", Some("leave")), ("f", None)] {
            let row = app.subscriber(account.id, &format!("{name}@example.org")).await;
            if let Some(change) = change {
                app.post(&format!("{}/{change}", links::manage_path(&app.app, row.id)), &[]).await;
            }
        }
        ask(app, "daily", "pending@example.org").await;
        app.work().await;
        delivery::suppress(app.app.db.write(), app.app.clock.now(), "f@example.org", "550").await.unwrap();
        let audience = queries::audience(app.app.db.read(), account.id).await.unwrap();
        assert_eq!(audience.told_total(), 2);
        assert_eq!((audience.muted, audience.paused, audience.pending, audience.suppressed), (1, 1, 1, 1));
        assert_eq!(audience.followers(), 5);
    }

    async fn a_suspended_account_takes_no_subscribers(app) {
        use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
        use xiangxun::db::entities::account::AccountState;
        let (account, _) = app.account("daily").await;
        let mut row = account.into_active_model();
        row.state = Set(AccountState::Suspended);
        row.update(app.app.db.write()).await.unwrap();
        app.get("/@daily/subscribe").await.assert_status(410);
        app.post("/@daily/subscribe", &[("email", "reader@example.org")]).await.assert_status(410);
        app.get("/@nobody/subscribe").await.assert_status(404);
    }

    async fn a_reader_subscribes_changes_and_leaves_by_the_api(app) {
        let (account, owner) = app.account("daily").await;
        app.account("weekly").await;
        let reader = app.user("reader@example.org").await;
        let scopes = [Scope::SubscriptionsRead, Scope::SubscriptionsWrite];
        let token = api_tokens::create(&app.app, reader.id, "t", &scopes).await.unwrap();
        let api = "/api/v1/subscriptions";
        let first = app.api(Method::POST, api, &token, &[], json!({ "account": "daily" })).await.assert_status(201).json();
        assert_eq!((first["state"].as_str(), first["email"].as_str()), (Some("active"), Some("reader@example.org")));
        app.api(Method::POST, api, &token, &[], json!({ "account": "@weekly" })).await.assert_status(201);
        app.api(Method::POST, api, &token, &[], json!({ "account": "nobody" })).await.assert_status(404);
        let page = app.api(Method::GET, "/api/v1/subscriptions?limit=1", &token, &[], json!(null)).await.json();
        let rest = format!("{api}?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
        let rest = app.api(Method::GET, &rest, &token, &[], json!(null)).await.assert_status(200).json();
        assert_eq!((page["items"][0]["account"].as_str(), rest["items"][0]["account"].as_str()), (Some("daily"), Some("weekly")));
        assert!(rest["next_cursor"].is_null());
        let one = format!("{api}/{}", first["id"]);
        let changed = app.api(Method::PATCH, &one, &token, &[], json!({ "cadence": "muted", "state": "paused" })).await;
        let changed = changed.assert_status(200).json();
        assert_eq!((changed["cadence"].as_str(), changed["state"].as_str()), (Some("muted"), Some("paused")));
        app.api(Method::PATCH, &one, &token, &[], json!({ "cadence": "hourly" })).await.assert_status(422);
        // Another's subscription is not there.
        let theirs = api_tokens::create(&app.app, owner.id, "t", &[Scope::SubscriptionsWrite, Scope::AccountsRead]).await.unwrap();
        app.api(Method::DELETE, &one, &theirs, &[], json!(null)).await.assert_status(404);
        app.api(Method::PATCH, &one, &theirs, &[], json!({ "cadence": "instant" })).await.assert_status(404);
        app.api(Method::GET, api, &theirs, &[], json!(null)).await.assert_status(403);
        // Who is told is for the account's members, addresses for its owner alone.
        app.subscriber(account.id, "second@example.org").await;
        let audience = "/api/v1/accounts/daily/audience";
        let counted = app.api(Method::GET, audience, &theirs, &[], json!(null)).await.assert_status(200).json();
        assert_eq!((&counted["followers"], &counted["told"], &counted["paused"]), (&json!(2), &json!(1), &json!(1)));
        let list = "/api/v1/accounts/daily/subscribers";
        let listed = app.api(Method::GET, list, &theirs, &[], json!(null)).await.assert_status(200).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
        let analyst = app.user("analyst@example.org").await;
        app.member(account.id, analyst.id, Role::Analyst).await;
        let analyst = api_tokens::create(&app.app, analyst.id, "t", &[Scope::AccountsRead]).await.unwrap();
        app.api(Method::GET, audience, &analyst, &[], json!(null)).await.assert_status(200);
        app.api(Method::GET, list, &analyst, &[], json!(null)).await.assert_status(403);
        let stranger = api_tokens::create(&app.app, reader.id, "t", &[Scope::AccountsRead]).await.unwrap();
        app.api(Method::GET, audience, &stranger, &[], json!(null)).await.assert_status(403);
        app.api(Method::DELETE, &one, &token, &[], json!(null)).await.assert_status(204);
        app.api(Method::GET, api, "", &[], json!(null)).await.assert_status(401);
    }

    async fn what_nobody_confirms_within_a_week_is_forgotten(app) {
        let (account, _) = app.account("daily").await;
        let day = Duration::from_secs(24 * 60 * 60);
        ask(app, "daily", "never@example.org").await;
        ask(app, "daily", "again@example.org").await;
        let reader = app.subscriber(account.id, "came-back@example.org").await;
        subscriptions::change(&app.app, reader.id, subscriptions::Change::Leave).await.unwrap();
        ask(app, "daily", "came-back@example.org").await;
        app.subscriber(account.id, "reader@example.org").await;
        app.work().await;
        let letters = app.take_letters();
        let link = signed_path(letters.iter().find(|letter| letter.to == "never@example.org").unwrap());
        app.app.clock.advance(6 * day);
        jobs::upkeep::run_once(&app.app).await.unwrap();
        assert_eq!(subscription::Entity::find().count(app.app.db.read()).await.unwrap(), 4, "a week is not over");
        // Whoever asks again gets a week again.
        ask(app, "daily", "again@example.org").await;
        app.work().await;
        app.app.clock.advance(day + day / 2);
        jobs::upkeep::run_once(&app.app).await.unwrap();
        let kept = subscription::Entity::find().order_by_asc(subscription::COLUMN.email).all(app.app.db.read()).await.unwrap();
        let kept: Vec<_> = kept.iter().map(|row| (row.email.as_str(), row.state)).collect();
        assert_eq!(kept, [
            ("again@example.org", SubscriptionState::Pending),
            ("came-back@example.org", SubscriptionState::Ended),
            ("reader@example.org", SubscriptionState::Active),
        ]);
        let gone = app.get(&link).await.assert_status(410).text();
        assert!(gone.contains("链接已过期"), "{gone}");
        app.post(&link, &[]).await.assert_status(410);
    }
}
