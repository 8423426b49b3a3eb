//! Signing up and in: links, passwords, what pages do not tell.

use std::time::{Duration, Instant};

use sea_orm::{EntityTrait, PaginatorTrait};
use xiangxun::auth::links::{self, LinkPurpose};
use xiangxun::auth::users::{self};
use xiangxun::auth::{Address, LocalPath, Scope, api_tokens, setup};
use xiangxun::db::entities::user::{self};
use xiangxun::db::entities::{session as session_row, sign_in_link, subscription};

use crate::both_databases;
use crate::support::people::{PASSWORD, is_signed_in, link_path, suspend, user_with_password};

both_databases! {
    async fn a_new_reader_signs_up_by_a_link(app) {
        let answer = app.post("/sign-up", &[("email", "Reader@Example.org"), ("next", "/search?q=a")]).await;
        assert_eq!(answer.assert_status(303).location(), "/sign-in/sent");
        app.get("/sign-in/sent").await.assert_status(200);
        app.work().await;
        let path = link_path(app);
        // A mail scanner opens the link, several times.
        for _ in 0..3 {
            let page = app.get(&path).await.assert_status(200);
            assert!(page.text().contains("reader@example.org"));
            assert_eq!(page.header("referrer-policy"), "no-referrer");
        }
        assert_eq!(user::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        assert!(!is_signed_in(app).await);
        let answer = app.post(&path, &[("name", "  王  小明 "), ("password", PASSWORD)]).await;
        assert_eq!(answer.assert_status(303).location(), "/search?q=a");
        assert!(app.get("/settings").await.assert_status(200).text().contains("王 小明"));
        // Used up.
        app.get(&path).await.assert_status(410);
        app.post(&path, &[]).await.assert_status(410);
        app.post("/sign-out", &[]).await.assert_status(303);
        assert!(!is_signed_in(app).await);
        // The password chosen on the way works.
        let answer = app.post("/sign-in", &[("email", "ｒｅａｄｅｒ＠ｅｘａｍｐｌｅ．ｏｒｇ"), ("password", PASSWORD)]).await;
        assert_eq!(answer.assert_status(303).location(), "/");
        assert!(is_signed_in(app).await);
    }

    async fn a_link_mail_speaks_the_language_of_the_page(app) {
        for (lang, subject) in [("zh-Hans", "登录乡讯"), ("zh-Hant", "登入鄉訊"), ("en", "Sign in to Xiangxun")] {
            app.keep_cookie("lang", lang);
            app.post("/sign-in", &[("email", "reader@example.org")]).await.assert_status(303);
            app.work().await;
            let letters = app.take_letters();
            assert_eq!(letters[0].subject, subject);
            assert_eq!(letters[0].to, "reader@example.org");
            assert!(letters[0].html.contains(&format!("lang=\"{lang}\"")));
        }
    }

    async fn only_the_hash_of_a_link_is_kept_and_it_ends_after_fifteen_minutes(app) {
        app.post("/sign-in", &[("email", "reader@example.org")]).await.assert_status(303);
        app.work().await;
        let path = link_path(app);
        let token = path.rsplit('/').next().unwrap().to_owned();
        let row = sign_in_link::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!(row.token_hash, xiangxun::auth::token::hash(&token));
        app.app.clock.advance(Duration::from_secs(14 * 60));
        app.get(&path).await.assert_status(200);
        app.app.clock.advance(Duration::from_secs(61));
        app.get(&path).await.assert_status(410);
        app.post(&path, &[]).await.assert_status(410);
    }

    async fn of_two_who_use_a_link_at_once_one_signs_in(app) {
        let reader = Address::parse("reader@example.org").unwrap();
        let link = links::create(&app.app, &reader, LinkPurpose::SignIn, &LocalPath::default(), links::LIFETIME).await;
        let link = link.unwrap();
        let path = link.strip_prefix("http://xiangxun.test").unwrap();
        let (one, other) = tokio::join!(app.post(path, &[]), app.post(path, &[]));
        let mut answers = [one.status.as_u16(), other.status.as_u16()];
        answers.sort_unstable();
        assert_eq!(answers, [303, 410]);
        assert_eq!(user::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        assert_eq!(session_row::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
    }

    async fn sign_in_pages_do_not_tell_who_exists(app) {
        user_with_password(app, "known@example.org").await;
        app.user("linked@example.org").await;
        let suspended = user_with_password(app, "ended@example.org").await;
        suspend(app, suspended.id).await;
        let all = ["known@example.org", "linked@example.org", "ended@example.org", "nobody@example.org"];
        let mut seen = Vec::new();
        let mut times = Vec::new();
        for email in all {
            // One client may ask for ten links at once.
            app.app.clock.advance(Duration::from_secs(600));
            let begun = Instant::now();
            let wrong = app.post("/sign-in", &[("email", email), ("password", "not the password")]).await;
            times.push(begun.elapsed());
            let asked = app.post("/sign-in", &[("email", email)]).await;
            let forgot = app.post("/sign-in/forgotten", &[("email", email)]).await;
            let signed_up = app.post("/sign-up", &[("email", email)]).await;
            seen.push([wrong, asked, forgot, signed_up].map(|answer| {
                let text = answer.text().replace(email, "ADDRESS");
                (answer.status.as_u16(), answer.location().to_owned(), text)
            }));
        }
        assert_eq!(seen[0][0].0, 422);
        for other in &seen[1..] {
            assert_eq!(&seen[0], other);
        }
        // The right password of somebody suspended is no better than a wrong one.
        let answer = app.post("/sign-in", &[("email", "ended@example.org"), ("password", PASSWORD)]).await;
        assert_eq!(answer.text().replace("ended@example.org", "ADDRESS"), seen[0][0].2);
        // One hashing each: nobody's answer comes much sooner than the quickest of the others.
        assert!(times[3] * 4 > *times[..3].iter().min().unwrap(), "{times:?}");
        app.work().await;
        assert_eq!(app.take_letters().len(), 12, "three for each");
    }

    async fn a_wrong_address_is_shown_again_with_its_message(app) {
        let answer = app.post("/sign-up", &[("email", "no address")]).await.assert_status(422);
        assert!(answer.text().contains("value=\"no address\""));
        assert!(answer.text().contains("aria-invalid"));
        app.post("/sign-in", &[("email", ""), ("password", "x")]).await.assert_status(422);
        assert_eq!(sign_in_link::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    }

    async fn signing_in_leads_to_pages_of_this_site_only(app) {
        user_with_password(app, "known@example.org").await;
        for next in ["//evil.example", "/\\evil.example", "https://evil.example/", "/\t/evil.example", "javascript:alert(1)"] {
            let fields = [("email", "known@example.org"), ("password", PASSWORD), ("next", next)];
            assert_eq!(app.post("/sign-in", &fields).await.assert_status(303).location(), "/", "{next:?}");
            // Signed in by now, the page itself leads on.
            let query: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            let answer = app.get(&format!("/sign-in?next={query}")).await.assert_status(303);
            assert_eq!(answer.location(), "/");
        }
        app.sign_out();
        assert_eq!(app.get("/settings/tokens?a=b").await.location(), "/sign-in?next=%2Fsettings%2Ftokens%3Fa%3Db");
    }

    async fn the_first_operator_is_set_up_by_a_link(app) {
        let link = setup::link_if_empty(&app.app).await.unwrap().expect("nobody is here yet");
        let second = setup::link_if_empty(&app.app).await.unwrap().expect("still nobody");
        let path = link.strip_prefix("http://xiangxun.test").unwrap();
        app.get(path).await.assert_status(200);
        app.post(path, &[("email", "not an address")]).await.assert_status(422);
        app.post(path, &[("email", "boss@example.org"), ("password", "short")]).await.assert_status(422);
        let answer = app.post(path, &[("email", "boss@example.org"), ("name", "站长"), ("password", PASSWORD)]).await;
        assert_eq!(answer.assert_status(303).location(), "/");
        let boss = user::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert!(boss.operator && boss.email == "boss@example.org" && boss.password_hash.is_some());
        // The other link, printed by another start, makes nobody else an operator.
        let second = second.strip_prefix("http://xiangxun.test").unwrap();
        app.post(second, &[("email", "thief@example.org")]).await.assert_status(410);
        assert_eq!(user::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        assert_eq!(setup::link_if_empty(&app.app).await.unwrap(), None);
    }

    async fn people_who_are_suspended_stay_outside(app) {
        let person = user_with_password(app, "ended@example.org").await;
        app.sign_in(person.id).await;
        assert!(is_signed_in(app).await);
        let token = api_tokens::create(&app.app, person.id, "t", &[Scope::ArticlesRead]).await.unwrap();
        suspend(app, person.id).await;
        assert!(!is_signed_in(app).await);
        assert!(api_tokens::find(&app.app, &token).await.unwrap().is_none());
        app.post("/sign-in", &[("email", "ended@example.org")]).await.assert_status(303);
        app.work().await;
        app.post(&link_path(app), &[]).await.assert_status(403);
        assert!(!is_signed_in(app).await);
    }

    async fn subscriptions_of_an_address_belong_to_whoever_proves_it(app) {
        let (account, _) = app.account("daily").await;
        app.post("/@daily/subscribe", &[("email", "reader@example.org")]).await.assert_status(303);
        app.work().await;
        app.take_letters();
        app.post("/sign-in", &[("email", "reader@example.org")]).await.assert_status(303);
        app.work().await;
        app.post(&link_path(app), &[]).await.assert_status(303);
        let reader = users::find(&app.app, &Address::parse("reader@example.org").unwrap()).await.unwrap().unwrap();
        let row = subscription::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!((row.account_id, row.user_id), (account.id, Some(reader.id)));
    }

    async fn a_link_mail_that_cannot_go_out_now_goes_out_later(app) {
        app.post("/sign-in", &[("email", "reader@example.org")]).await.assert_status(303);
        // The worker was away for longer than a link is good: it is minted when it is sent.
        app.app.clock.advance(Duration::from_secs(20 * 60));
        app.work().await;
        app.get(&link_path(app)).await.assert_status(200);
        app.post("/sign-in", &[("email", "reader@example.org")]).await.assert_status(303);
        app.app.clock.advance(Duration::from_secs(2 * 3600));
        app.work().await;
        assert!(app.take_letters().is_empty(), "nobody waits for it any more");
        // Rows of links that are over do not pile up.
        app.app.clock.advance(Duration::from_secs(25 * 3600));
        app.post("/sign-in", &[("email", "reader@example.org")]).await.assert_status(303);
        assert_eq!(sign_in_link::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        app.work().await;
    }
}
