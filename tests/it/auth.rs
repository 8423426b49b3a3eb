//! Signing up, in and out; sessions, passwords, links, tokens.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use axum::routing::{get, post};
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use xiangxun::auth::links::{self, LinkPurpose};
use xiangxun::auth::password::{self, Password};
use xiangxun::auth::users::{self, NewUser};
use xiangxun::auth::{Address, ApiUser, LocalPath, Scope, api_tokens, session, setup};
use xiangxun::db::entities::user::{self, UserState};
use xiangxun::db::entities::{api_token, session as session_row, sign_in_link, subscription};
use xiangxun::error::Error;
use xiangxun::page::Locale;

use crate::both_databases;
use crate::support::TestApp;
use crate::support::app::Answer;

const PASSWORD: &str = "月落乌啼霜满天江枫渔火";

/// The path of the link in the only letter sent.
fn link_path(app: &TestApp) -> String {
    let letters = app.take_letters();
    assert_eq!(letters.len(), 1);
    let base = "http://xiangxun.test";
    for text in [&letters[0].text, &letters[0].html] {
        assert!(text.contains(&format!("{base}/sign-in/link/")), "{text}");
    }
    let start = letters[0].text.find("/sign-in/link/").unwrap();
    letters[0].text[start..].split_whitespace().next().unwrap().to_owned()
}

async fn user_with_password(app: &TestApp, email: &str) -> user::Model {
    let hash = password::hash(Password::parse(PASSWORD, email).unwrap()).await.unwrap();
    let new = NewUser {
        address: Address::parse(email).unwrap(),
        name: "读者".into(),
        password_hash: Some(hash),
        operator: false,
        locale: Locale::ZhHans,
    };
    users::create(&app.app, new).await.unwrap()
}

async fn suspend(app: &TestApp, id: i64) {
    user::Entity::update_many()
        .col_expr(user::Column::State, Expr::value(UserState::Suspended))
        .filter(user::COLUMN.id.eq(id))
        .exec(app.app.db.write())
        .await
        .unwrap();
}

/// Whether this browser is signed in.
async fn is_signed_in(app: &TestApp) -> bool {
    app.get("/settings").await.status == 200
}

/// A page of another browser, which has this session.
async fn get_with_session(app: &TestApp, path: &str, token: &str) -> Answer {
    let request = Request::get(path)
        .header(header::HOST, "xiangxun.test")
        .header(header::COOKIE, format!("session={token}"))
        .body(Body::empty());
    app.send_alone(request.unwrap()).await
}

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
        // One hashing each: nobody's answer comes much sooner.
        assert!(times[3] * 4 > times[0], "{times:?}");
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

    async fn signing_in_always_makes_a_new_session(app) {
        let person = user_with_password(app, "known@example.org").await;
        // A token planted by somebody else is never taken over.
        app.keep_cookie("session", "planted");
        let fields = [("email", "known@example.org"), ("password", PASSWORD)];
        let first = app.post("/sign-in", &fields).await.assert_status(303);
        assert!(!first.header("set-cookie").contains("planted"));
        assert_eq!(get_with_session(app, "/settings", "planted").await.status, 303);
        let old = session_token(&first);
        // Signing in again replaces the session that this browser had.
        app.post("/sign-in", &fields).await.assert_status(303);
        assert_eq!(get_with_session(app, "/settings", &old).await.status, 303);
        assert_eq!(session::list(&app.app, person.id).await.unwrap().len(), 1);
        // Only a hash is kept.
        let row = session_row::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!(row.token_hash.len(), 64);
    }

    async fn sessions_are_listed_and_ended(app) {
        let person = app.user("known@example.org").await;
        let other = app.user("other@example.org").await;
        let phone = session::open(&app.app, person.id, "Mozilla/5.0 (iPhone) Safari/604.1", "203.0.113.9").await.unwrap();
        let strangers = session::open(&app.app, other.id, "curl/8", "203.0.113.10").await.unwrap();
        app.sign_in(person.id).await;
        let page = app.get("/settings/sessions").await.assert_status(200).text();
        assert!(page.contains("Safari · iPhone") && page.contains("203.0.113.9") && !page.contains("203.0.113.10"), "{page}");
        let rows = session::list(&app.app, person.id).await.unwrap();
        let phones = rows.iter().find(|row| row.ip == "203.0.113.9").unwrap();
        let strangers_id = session::list(&app.app, other.id).await.unwrap()[0].id;
        app.post(&format!("/settings/sessions/{strangers_id}/end"), &[]).await.assert_status(404);
        app.post(&format!("/settings/sessions/{}/end", phones.id), &[]).await.assert_status(303);
        assert_eq!(get_with_session(app, "/settings", phone.value()).await.status, 303);
        assert_eq!(get_with_session(app, "/settings", strangers.value()).await.status, 200);
        assert!(is_signed_in(app).await);
        // Everywhere, here too.
        app.post("/settings/sessions/end", &[]).await.assert_status(303);
        assert!(session::list(&app.app, person.id).await.unwrap().is_empty());
        assert!(!is_signed_in(app).await);
    }

    async fn a_session_ends_thirty_days_after_its_last_use(app) {
        let person = app.user("known@example.org").await;
        app.sign_in(person.id).await;
        app.app.clock.advance(Duration::from_secs(29 * 24 * 3600));
        assert!(is_signed_in(app).await);
        app.app.clock.advance(Duration::from_secs(29 * 24 * 3600));
        assert!(is_signed_in(app).await);
        app.app.clock.advance(Duration::from_secs(31 * 24 * 3600));
        assert!(!is_signed_in(app).await);
    }

    async fn changing_the_password_ends_other_sessions(app) {
        let person = user_with_password(app, "known@example.org").await;
        let other = session::open(&app.app, person.id, "curl", "203.0.113.9").await.unwrap();
        app.sign_in(person.id).await;
        let wrong = [("current", "not it at all"), ("password", "another good one")];
        assert!(app.post("/settings/password", &wrong).await.assert_status(422).text().contains("aria-invalid"));
        app.post("/settings/password", &[("current", PASSWORD), ("password", "short")]).await.assert_status(422);
        assert_eq!(get_with_session(app, "/settings", other.value()).await.status, 200);
        let right = [("current", PASSWORD), ("password", "another good one")];
        app.post("/settings/password", &right).await.assert_status(303);
        assert_eq!(get_with_session(app, "/settings", other.value()).await.status, 303);
        assert!(is_signed_in(app).await);
        app.sign_out();
        app.post("/sign-in", &[("email", "known@example.org"), ("password", PASSWORD)]).await.assert_status(422);
        app.post("/sign-in", &[("email", "known@example.org"), ("password", "another good one")]).await.assert_status(303);
    }

    async fn a_forgotten_password_is_set_anew_by_a_link(app) {
        let person = user_with_password(app, "known@example.org").await;
        let other = session::open(&app.app, person.id, "curl", "203.0.113.9").await.unwrap();
        app.post("/sign-in/forgotten", &[("email", "known@example.org")]).await.assert_status(303);
        app.work().await;
        let path = link_path(app);
        app.get(&path).await.assert_status(200);
        // A password that will not do leaves the link good.
        app.post(&path, &[("password", "1234567890")]).await.assert_status(422);
        app.post(&path, &[]).await.assert_status(422);
        app.post(&path, &[("password", "another good one")]).await.assert_status(303);
        assert!(is_signed_in(app).await);
        assert_eq!(get_with_session(app, "/settings", other.value()).await.status, 303);
        app.post("/sign-in", &[("email", "known@example.org"), ("password", PASSWORD)]).await.assert_status(422);
    }

    async fn somebody_without_a_password_gets_one_by_a_link(app) {
        let person = app.user("known@example.org").await;
        app.sign_in(person.id).await;
        app.post("/settings/password", &[("current", ""), ("password", "another good one")]).await.assert_status(422);
        app.post("/settings/password/link", &[]).await.assert_status(303);
        app.work().await;
        let answer = app.post(&link_path(app), &[("password", "another good one")]).await.assert_status(303);
        assert_eq!(answer.location(), "/settings/password");
        app.sign_out();
        app.post("/sign-in", &[("email", "known@example.org"), ("password", "another good one")]).await.assert_status(303);
    }

    async fn a_sign_in_link_does_not_set_a_password(app) {
        user_with_password(app, "known@example.org").await;
        app.post("/sign-in", &[("email", "known@example.org")]).await.assert_status(303);
        app.work().await;
        app.post(&link_path(app), &[("password", "another good one"), ("name", "别人")]).await.assert_status(303);
        app.sign_out();
        app.post("/sign-in", &[("email", "known@example.org"), ("password", "another good one")]).await.assert_status(422);
        app.post("/sign-in", &[("email", "known@example.org"), ("password", PASSWORD)]).await.assert_status(303);
        assert!(app.get("/settings").await.text().contains("读者"));
    }

    async fn a_profile_is_changed_and_shows_at_once(app) {
        let person = app.user("known@example.org").await;
        app.sign_in(person.id).await;
        app.keep_cookie("lang", "zh-Hans");
        let bad = [("name", ""), ("locale", "tlh"), ("timezone", "Mars/Olympus")];
        let answer = app.post("/settings", &bad).await.assert_status(422);
        assert_eq!(answer.text().matches("class=\"error\"").count(), 3, "{}", answer.text());
        let good = [("name", "Ming"), ("locale", "en"), ("timezone", "America/Toronto")];
        app.post("/settings", &good).await.assert_status(303);
        let page = app.get("/settings").await.assert_status(200).text();
        assert!(page.contains("Saved.") && page.contains("<html lang=\"en\">"), "{page}");
        assert!(page.contains("<option selected>America/Toronto</option>"), "{page}");
    }

    async fn a_token_is_shown_once_and_does_what_its_scopes_allow(app) {
        let person = app.user("known@example.org").await;
        app.sign_in(person.id).await;
        let answer = app.post("/settings/tokens", &[("name", ""), ("scopes", "root")]).await.assert_status(422);
        assert_eq!(answer.text().matches("class=\"error\"").count(), 2, "{}", answer.text());
        let fields = [("name", "编辑部"), ("scopes", "articles:read"), ("scopes", "articles:write")];
        let answer = app.post("/settings/tokens", &fields).await.assert_status(200);
        assert_eq!(answer.header("cache-control"), "private, no-store");
        let page = answer.text();
        let start = page.find("xiangxun_").expect("the token is shown");
        let token: String = page[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
        let page = app.get("/settings/tokens").await.text();
        assert!(page.contains("编辑部") && !page.contains(&token));
        let row = api_token::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!((row.token_hash.len(), row.last_used_at), (64, None));
        app.sign_out();

        let answer = call(app, "/api/v1/write", &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(answer.assert_status(200).text(), "known@example.org");
        let answer = call(app, "/api/v1/push", &[("authorization", &format!("bearer {token}"))]).await;
        assert!(answer.assert_status(403).json()["detail"].as_str().unwrap().contains("pushes:write"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer xiangxun_nonsense", "Basic YTpi", &format!("Token {token}")] {
            let answer = call(app, "/api/v1/open", &[("authorization", wrong)]).await.assert_status(401);
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{wrong}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
        assert_eq!(call(app, "/api/v1/open", &[]).await.assert_status(200).text(), "stranger");
        call(app, "/api/v1/write", &[]).await.assert_status(401);
        let row = api_tokens::list(&app.app, person.id).await.unwrap().remove(0);
        assert!(row.last_used_at.is_some());

        let other = app.user("other@example.org").await;
        assert!(matches!(api_tokens::revoke(&app.app, other.id, row.id).await, Err(Error::NotFound)));
        app.sign_in(person.id).await;
        app.post(&format!("/settings/tokens/{}/revoke", row.id), &[]).await.assert_status(303);
        app.sign_out();
        call(app, "/api/v1/write", &[("authorization", &format!("Bearer {token}"))]).await.assert_status(401);
    }

    async fn a_post_with_an_idempotency_key_is_done_once(app) {
        let person = app.user("known@example.org").await;
        let token = api_tokens::create(&app.app, person.id, "t", &[Scope::ArticlesWrite]).await.unwrap();
        let bearer = format!("Bearer {token}");
        let send = async |key: &str, body: &str| {
            let request = Request::post("/api/v1/count")
                .header("authorization", &bearer)
                .header("idempotency-key", key)
                .body(Body::from(body.to_owned()));
            app.send_to(api(app), request.unwrap()).await
        };
        let first = send("one", "a").await.assert_status(201);
        let again = send("one", "a").await.assert_status(201);
        assert_eq!((again.text(), again.location()), (first.text(), first.location()));
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_eq!(again.header("idempotency-replayed"), "true");
        send("one", "other").await.assert_status(422);
        assert_ne!(send("two", "a").await.assert_status(201).text(), first.text());
        // A failure does not use the key up.
        send("three", "fail").await.assert_status(409);
        send("three", "fail").await.assert_status(409);
        send("", "a").await.assert_status(422);
        let (one, other) = tokio::join!(send("slow", "slow"), send("slow", "slow"));
        let mut answers = [one.status.as_u16(), other.status.as_u16()];
        answers.sort_unstable();
        assert_eq!(answers, [201, 409]);
        // Keys are a caller's own, and are kept for a day.
        app.app.clock.advance(Duration::from_secs(25 * 3600));
        assert_ne!(send("one", "a").await.assert_status(201).text(), first.text());
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

fn session_token(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie");
    cookie.strip_prefix("session=").unwrap().split(';').next().unwrap().to_owned()
}

/// Handlers that ask for scopes, inside the site's own frame.
fn api(app: &TestApp) -> Router {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let routes = Router::new()
        .route(
            "/api/v1/write",
            get(async |caller: ApiUser| caller.require(Scope::ArticlesWrite).map(|user| user.email.clone())),
        )
        .route(
            "/api/v1/push",
            get(async |caller: ApiUser| caller.require(Scope::PushesWrite).map(|user| user.email.clone())),
        )
        .route(
            "/api/v1/open",
            get(async |caller: Option<ApiUser>| caller.map_or("stranger".into(), |caller| caller.user.email)),
        )
        .route(
            "/api/v1/count",
            post(async |_caller: ApiUser, body: String| {
                if body == "fail" {
                    return Err(Error::Conflict("error-invalid".into()));
                }
                if body == "slow" {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                let count = COUNT.fetch_add(1, Ordering::Relaxed);
                let headers = [(header::LOCATION, format!("/api/v1/count/{count}"))];
                Ok((axum::http::StatusCode::CREATED, headers, axum::Json(count)))
            }),
        );
    xiangxun::routes::framed(routes, &app.app).with_state(app.app.clone())
}

async fn call(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send_to(api(app), request.body(Body::empty()).unwrap()).await
}
