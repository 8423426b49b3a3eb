//! Accounts: opening, profile, handles, operators' decisions, members.

use axum::http::Method;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use xiangxun::accounts::{self, By, NewAccount, members, profile::ProfileForm};
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::db::entities::account::{self, AccountState, Link};
use xiangxun::db::entities::member::{self, Role};
use xiangxun::db::entities::{event, user};
use xiangxun::error::Error;

use crate::both_databases;
use crate::support::TestApp;

async fn make_operator(app: &TestApp, email: &str) -> user::Model {
    let user = app.user(email).await;
    xiangxun::auth::users::promote(&app.app, &xiangxun::auth::Address::parse(&user.email).unwrap())
        .await
        .unwrap()
}

async fn reload(app: &TestApp, id: i64) -> account::Model {
    account::Entity::find_by_id(id).one(app.app.db.read()).await.unwrap().unwrap()
}

async fn events(app: &TestApp, kind: &str) -> u64 {
    event::Entity::find().filter(event::COLUMN.kind.eq(kind)).count(app.app.db.read()).await.unwrap()
}

async fn role_of(app: &TestApp, account_id: i64, user_id: i64) -> Option<Role> {
    accounts::roles::role_of(app.app.db.read(), account_id, user_id).await.unwrap()
}

fn problem_keys(error: &Error) -> Vec<(&'static str, &'static str)> {
    match error {
        Error::Invalid(problems) => problems.0.iter().map(|(field, message)| (*field, message.key)).collect(),
        other => panic!("not invalid: {other}"),
    }
}

both_databases! {
    async fn a_user_opens_an_account_and_owns_it(app) {
        let user = app.user("chen@example.org").await;
        app.get("/studio").await.assert_status(303);
        app.sign_in(user.id).await;
        let page = app.get("/studio/open").await.assert_status(200);
        assert!(page.text().contains("开公众号"), "{}", page.text());
        let fields = [("handle", "@Lundun"), ("name", "伦敦华人周报"), ("bio", "每周五出刊"), ("lang", "zh-Hans")];
        let answer = app.post("/studio/open", &fields).await.assert_status(303);
        assert_eq!(answer.location(), "/studio/@lundun");
        let overview = app.get("/studio/@lundun").await.assert_status(200);
        assert!(overview.text().contains("伦敦华人周报") && overview.text().contains("公众号已开通"));
        assert!(app.get("/studio").await.text().contains("/studio/@lundun"));
        assert!(app.get("/@lundun").await.assert_status(200).text().contains("每周五出刊"));
        assert_eq!(events(app, "account_changed").await, 1);
    }

    async fn a_bad_form_is_shown_again_with_its_input(app) {
        let user = app.user("chen@example.org").await;
        app.sign_in(user.id).await;
        app.account("taken").await;
        let cases = [
            ("studio", "周报", "这个用户名由本站保留"),
            ("taken", "周报", "这个用户名已被使用"),
            ("a", "周报", "用户名须为"),
            ("fine", "报\u{202e}gnp", "看不见的"),
            ("fine", "  ", "名称须为"),
            ("../../x", "<script>alert(1)</script>", "用户名须为"),
        ];
        for (handle, name, words) in cases {
            let fields = [("handle", handle), ("name", name), ("lang", "zh-Hans")];
            let answer = app.post("/studio/open", &fields).await.assert_status(422);
            let text = answer.text();
            assert!(text.contains(words), "{handle} {name}: {text}");
            assert!(!text.contains("<script>alert"), "{text}");
        }
        assert_eq!(account::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
    }

    async fn only_operators_open_accounts_where_the_settings_say_so(app) {
        let mut config = app.app.config.clone();
        config.open_accounts = false;
        let closed = xiangxun::app::App::open_with(config, app.app.mailer.clone(), app.app.clock.clone()).await.unwrap();
        let user = app.user("chen@example.org").await;
        let operator = make_operator(app, "op@example.org").await;
        let new = NewAccount { handle: "lundun".into(), name: "周报".into(), lang: "zh-Hans".into(), ..NewAccount::default() };
        let refused = accounts::open(&closed, By::User(&user), None, &new).await.unwrap_err();
        assert_eq!(refused.status(), 403);
        let account = accounts::open(&closed, By::User(&operator), Some(user.id), &new).await.unwrap();
        assert_eq!(role_of(app, account.id, user.id).await, Some(Role::Owner));
        assert_eq!(role_of(app, account.id, operator.id).await, None);
        closed.db.clone().close().await.unwrap();
    }

    async fn two_who_want_one_handle_at_once_do_not_both_get_it(app) {
        let mut tasks = Vec::new();
        for number in 0..6 {
            let user = app.user(&format!("u{number}@example.org")).await;
            let inner = app.app.clone();
            tasks.push(tokio::spawn(async move {
                let new = NewAccount { handle: "one".into(), name: "周报".into(), lang: "zh-Hans".into(), ..NewAccount::default() };
                accounts::open(&inner, By::User(&user), None, &new).await
            }));
        }
        let mut opened = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => opened += 1,
                Err(error) => assert_eq!(problem_keys(&error), [("handle", "account-handle-taken")]),
            }
        }
        assert_eq!(opened, 1);
    }

    async fn the_profile_is_changed_and_hostile_links_are_not(app) {
        let (account, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let fields = [
            ("name", "倫敦週報"), ("bio", "第一行\r\n第二行"), ("lang", "zh-Hant"), ("avatar_url", ""),
            ("link_label", "网站"), ("link_url", "https://example.org/"), ("link_label", ""), ("link_url", ""),
            ("link_label", ""), ("link_url", "https://www.example.com/a"),
        ];
        app.post("/studio/@lundun/settings", &fields).await.assert_status(303);
        let saved = reload(app, account.id).await;
        assert_eq!((saved.name.as_str(), saved.bio.as_str(), saved.lang.as_str()), ("倫敦週報", "第一行\n第二行", "zh-Hant"));
        let labels: Vec<_> = saved.links.0.iter().map(|link| link.label.as_str()).collect();
        assert_eq!(labels, ["网站", "example.com"]);
        for url in ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "//evil.example"] {
            let fields = [("name", "周报"), ("lang", "zh-Hans"), ("link_label", "x"), ("link_url", url)];
            let answer = app.post("/studio/@lundun/settings", &fields).await.assert_status(422);
            assert!(answer.text().contains("网址须以"), "{url}");
            assert_eq!(reload(app, account.id).await, saved, "nothing changes");
        }
        let fields = [("name", "周报"), ("lang", "zh-Hans"), ("avatar_url", "javascript:alert(1)")];
        app.post("/studio/@lundun/settings", &fields).await.assert_status(422);
        let many = vec![Link { label: "x".into(), url: "https://example.org".into() }; 9];
        let form = ProfileForm { links: many, ..ProfileForm::of(&saved) };
        let error = accounts::edit_profile(&app.app, owner.id, account.id, &form).await.unwrap_err();
        assert_eq!(problem_keys(&error), [("links", "account-links-many")]);
    }

    async fn a_renamed_account_is_found_under_its_old_handle_and_nobody_takes_it(app) {
        let (account, owner) = app.account("old-name").await;
        let (_, rival) = app.account("rival").await;
        app.sign_in(owner.id).await;
        let answer = app.post("/studio/@old-name/handle", &[("handle", "New_Name")]).await.assert_status(303);
        assert_eq!(answer.location(), "/studio/@new_name/settings");
        let moved = app.get("/@old-name").await;
        assert_eq!((moved.status.as_u16(), moved.location()), (308, "/@new_name"));
        let moved = app.get("/studio/@old-name/members?a=b").await;
        assert_eq!((moved.status.as_u16(), moved.location()), (308, "/studio/@new_name/members?a=b"));
        // Neither a new account nor another's rename gets it.
        app.sign_in(rival.id).await;
        let fields = [("handle", "old-name"), ("name", "周报"), ("lang", "zh-Hans")];
        let refused = app.post("/studio/open", &fields).await.assert_status(422);
        assert!(refused.text().contains("已被使用"));
        app.post("/studio/@rival/handle", &[("handle", "OLD-NAME")]).await.assert_status(422);
        app.post("/studio/@rival/handle", &[("handle", "new_name")]).await.assert_status(422);
        // Its own it may take back; then the other one leads to it.
        let back = accounts::rename(&app.app, owner.id, account.id, "old-name").await.unwrap();
        assert_eq!(back.handle, "old-name");
        let moved = app.get("/@new_name").await;
        assert_eq!((moved.status.as_u16(), moved.location()), (308, "/@old-name"));
        assert_eq!(events(app, "account_changed").await, 2);
    }

    async fn handles_are_not_collected_by_renaming(app) {
        let (account, owner) = app.account("name-0").await;
        for number in 1..=10 {
            accounts::rename(&app.app, owner.id, account.id, &format!("name-{number}")).await.unwrap();
        }
        let error = accounts::rename(&app.app, owner.id, account.id, "name-11").await.unwrap_err();
        assert_eq!(problem_keys(&error), [("handle", "account-handle-renamed-often")]);
        accounts::rename(&app.app, owner.id, account.id, "name-3").await.unwrap();
    }

    async fn operators_verify_and_suspend_and_others_do_not(app) {
        let (account, owner) = app.account("lundun").await;
        let operator = make_operator(app, "op@example.org").await;
        app.sign_in(owner.id).await;
        app.get("/studio/accounts").await.assert_status(403);
        for decision in ["verify", "unverify", "suspend", "reinstate"] {
            app.post(&format!("/studio/accounts/{}/{decision}", account.id), &[]).await.assert_status(403);
        }
        assert_eq!(reload(app, account.id).await, account);
        app.sign_out();
        app.sign_in(operator.id).await;
        app.post(&format!("/studio/accounts/{}/verify", account.id), &[]).await.assert_status(303);
        assert!(reload(app, account.id).await.verified_at.is_some());
        app.post(&format!("/studio/accounts/{}/suspend", account.id), &[]).await.assert_status(303);
        assert_eq!(reload(app, account.id).await.state, AccountState::Suspended);
        let list = app.get("/studio/accounts?q=LUNDUN").await.assert_status(200);
        assert!(list.text().contains("已停用"), "{}", list.text());
        assert!(!app.get("/studio/accounts?q=%25").await.text().contains("@lundun"), "% is a character");
        app.post("/studio/accounts/999999/suspend", &[]).await.assert_status(404);
        app.post(&format!("/studio/accounts/{}/promote", account.id), &[]).await;
        assert_eq!(events(app, "account_changed").await, 2);
        // Members still get in and are told.
        app.sign_out();
        app.sign_in(owner.id).await;
        assert!(app.get("/studio/@lundun").await.assert_status(200).text().contains("已被停用"));
        accounts::reinstate(&app.app, By::Console, account.id).await.unwrap();
        assert!(!app.get("/studio/@lundun").await.text().contains("已被停用"));
    }

    async fn a_person_without_a_user_is_invited_and_signs_in_by_the_letter(app) {
        let (account, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let fields = [("email", "Ling@Example.org"), ("role", "editor")];
        app.post("/studio/@lundun/members", &fields).await.assert_status(303);
        app.work().await;
        let letters = app.take_letters();
        let [letter] = &letters[..] else { panic!("{letters:?}") };
        assert_eq!(letter.to, "ling@example.org");
        assert!(letter.text.contains("编辑") && letter.text.contains("lundun 日报"), "{}", letter.text);
        let link = letter.text.lines().find(|line| line.contains("/sign-in/link/")).unwrap();
        let path = link.trim().strip_prefix("http://xiangxun.test").unwrap();
        app.sign_out();
        app.get(path).await.assert_status(200);
        let answer = app.post(path, &[]).await.assert_status(303);
        assert_eq!(answer.location(), "/studio/@lundun");
        app.get("/studio/@lundun").await.assert_status(200);
        let members = accounts::queries::members(app.app.db.read(), account.id).await.unwrap();
        assert_eq!(members.iter().map(|row| row.role).collect::<Vec<_>>(), [Role::Owner, Role::Editor]);
    }

    async fn who_has_a_user_gets_a_letter_without_a_key(app) {
        let (account, owner) = app.account("lundun").await;
        app.user("ling@example.org").await;
        let by = By::User(&owner);
        members::add(&app.app, by, account.id, "ling@example.org", Role::Author).await.unwrap();
        let again = members::add(&app.app, by, account.id, "LING@example.org", Role::Owner).await.unwrap_err();
        assert_eq!(problem_keys(&again), [("email", "member-already")]);
        let wrong = members::add(&app.app, by, account.id, "ling\r\nBcc: x@example.org", Role::Author).await;
        assert_eq!(problem_keys(&wrong.unwrap_err())[0].0, "email");
        app.work().await;
        let letters = app.take_letters();
        assert_eq!(letters.len(), 1);
        assert!(!letters[0].text.contains("/sign-in/link/"), "{}", letters[0].text);
    }

    async fn an_invitation_of_somebody_removed_meanwhile_is_not_sent(app) {
        let (account, owner) = app.account("lundun").await;
        let by = By::User(&owner);
        let member = members::add(&app.app, by, account.id, "ling@example.org", Role::Author).await.unwrap();
        members::remove(&app.app, by, account.id, member.id).await.unwrap();
        app.work().await;
        assert_eq!(app.take_letters().len(), 0);
    }

    async fn the_last_owner_stays(app) {
        let (account, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let own = member::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        let members = "/studio/@lundun/members";
        app.post(&format!("{members}/{}/role", own.id), &[("role", "editor")]).await.assert_status(409);
        app.post(&format!("{members}/{}/remove", own.id), &[]).await.assert_status(409);
        app.post("/studio/@lundun/leave", &[]).await.assert_status(409);
        app.post(&format!("{members}/{}/role", own.id), &[("role", "king")]).await.assert_status(422);
        // With a second owner the first may go.
        let second = app.user("second@example.org").await;
        app.member(account.id, second.id, Role::Owner).await;
        app.post("/studio/@lundun/leave", &[]).await.assert_status(303);
        assert_eq!(role_of(app, account.id, owner.id).await, None);
        app.get("/studio/@lundun").await.assert_status(403);
    }

    async fn two_owners_who_remove_each_other_at_once_leave_one(app) {
        for round in 0..5 {
            let (account, first) = app.account(&format!("round-{round}")).await;
            let second = app.user(&format!("second-{round}@example.org")).await;
            let theirs = app.member(account.id, second.id, Role::Owner).await;
            let own = accounts::queries::members(app.app.db.read(), account.id).await.unwrap()[0].id;
            let (a, b) = (app.app.clone(), app.app.clone());
            let (x, y) = tokio::join!(
                tokio::spawn(async move { members::remove(&a, By::User(&first), account.id, theirs.id).await }),
                tokio::spawn(async move {
                    members::change_role(&b, By::User(&second), account.id, own, Role::Analyst).await
                }),
            );
            let done = [x.unwrap(), y.unwrap()].iter().filter(|result| result.is_ok()).count();
            let left = member::Entity::find()
                .filter(member::COLUMN.account_id.eq(account.id))
                .all(app.app.db.read())
                .await
                .unwrap();
            let owners = left.iter().filter(|member| member.role == Role::Owner).count();
            assert_eq!((done, owners), (1, 1), "{left:?}");
        }
    }

    async fn each_role_may_do_what_the_table_says(app) {
        let (account, _) = app.account("lundun").await;
        let roles = [Some(Role::Owner), Some(Role::Editor), Some(Role::Author), Some(Role::Analyst), None];
        // Method, path, form; for owner, editor, author, analyst, stranger: whether it is forbidden.
        type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], [bool; 5]);
        let cases: &[Case] = &[
            ("GET", "", &[], [false, false, false, false, true]),
            ("GET", "/members", &[], [false, false, false, false, true]),
            ("GET", "/pushes", &[], [false, false, false, false, true]),
            ("GET", "/media", &[], [false, false, false, false, true]),
            ("GET", "/settings", &[], [false, true, true, true, true]),
            ("GET", "/pushes/new", &[], [false, false, true, true, true]),
            ("GET", "/pushes/last-look", &[("article", "1")], [false, false, true, true, true]),
            ("POST", "/pushes", &[("article", "1")], [false, false, true, true, true]),
            ("POST", "/settings", &[("name", ""), ("lang", "")], [false, true, true, true, true]),
            ("POST", "/handle", &[("handle", "a")], [false, true, true, true, true]),
            ("POST", "/members", &[("email", "x"), ("role", "author")], [false, true, true, true, true]),
            ("POST", "/members/0/role", &[("role", "author")], [false, true, true, true, true]),
            ("POST", "/members/0/remove", &[], [false, true, true, true, true]),
        ];
        for (index, role) in roles.into_iter().enumerate() {
            let user = app.user(&format!("role-{index}@example.org")).await;
            if let Some(role) = role {
                app.member(account.id, user.id, role).await;
            }
            app.sign_out();
            app.sign_in(user.id).await;
            for (method, path, fields, forbidden) in cases {
                let path = format!("/studio/@lundun{path}");
                let answer = if *method == "GET" {
                    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(*fields).finish();
                    app.get(&format!("{path}?{query}")).await
                } else {
                    app.post(&path, fields).await
                };
                assert_eq!(answer.status == 403, forbidden[index], "{role:?} {method} {path}: {}", answer.status);
                assert!(!answer.status.is_server_error(), "{role:?} {method} {path}");
            }
        }
    }

    async fn the_studio_is_complete_in_three_languages(app) {
        let (account, owner) = app.account("lundun").await;
        let operator = make_operator(app, "op@example.org").await;
        app.member(account.id, operator.id, Role::Owner).await;
        app.sign_in(operator.id).await;
        assert_ne!(owner.id, operator.id);
        for lang in ["zh-Hans", "zh-Hant", "en"] {
            app.keep_cookie("lang", lang);
            for path in [
                "/studio", "/studio/open", "/studio/accounts", "/studio/@lundun", "/studio/@lundun/settings",
                "/studio/@lundun/members", "/studio/@lundun/pushes", "/studio/@lundun/pushes/new",
                "/studio/@lundun/media",
            ] {
                let text = app.get(path).await.assert_status(200).text();
                assert!(!text.contains('⟦'), "{lang} {path}: {}", &text[text.find('⟦').unwrap_or(0)..]);
                assert!(!text.contains(" style="), "{path}");
            }
        }
    }

    async fn accounts_are_opened_read_and_changed_by_the_api(app) {
        let user = app.user("chen@example.org").await;
        let read = api_tokens::create(&app.app, user.id, "r", &[Scope::AccountsRead]).await.unwrap();
        let write = api_tokens::create(&app.app, user.id, "w", &[Scope::AccountsWrite]).await.unwrap();
        let body = json!({ "handle": "lundun", "name": "伦敦周报", "lang": "zh-Hans" });
        app.api(Method::POST, "/api/v1/accounts", "", &[], body.clone()).await.assert_status(401);
        app.api(Method::POST, "/api/v1/accounts", &read, &[], body.clone()).await.assert_status(403);
        let key = [("idempotency-key", "open-1")];
        let first = app.api(Method::POST, "/api/v1/accounts", &write, &key, body.clone()).await.assert_status(201);
        let again = app.api(Method::POST, "/api/v1/accounts", &write, &key, body.clone()).await.assert_status(201);
        assert_eq!(first.json(), again.json());
        assert_eq!(first.json()["url"], "http://xiangxun.test/@lundun");
        let taken = app.api(Method::POST, "/api/v1/accounts", &write, &[], body).await.assert_status(422);
        assert_eq!(taken.json()["errors"][0]["field"], "handle");
        let mine = app.api(Method::GET, "/api/v1/accounts?mine=true", &read, &[], json!(null)).await.assert_status(200);
        assert_eq!(mine.json()["items"][0]["role"], "owner");
        let changes = json!({ "handle": "london", "bio": "新的简介", "links": [{ "label": "站", "url": "https://example.org" }] });
        let changed = app.api(Method::PATCH, "/api/v1/accounts/lundun", &write, &[], changes).await.assert_status(200);
        assert_eq!((changed.json()["handle"].as_str(), changed.json()["bio"].as_str()), (Some("london"), Some("新的简介")));
        let moved = app.api(Method::GET, "/api/v1/accounts/lundun", "", &[], json!(null)).await.assert_status(200);
        assert_eq!(moved.json()["handle"], "london");
        let hostile = json!({ "links": [{ "label": "x", "url": "javascript:alert(1)" }] });
        app.api(Method::PATCH, "/api/v1/accounts/london", &write, &[], hostile).await.assert_status(422);
        let stranger = app.user("stranger@example.org").await;
        let token = api_tokens::create(&app.app, stranger.id, "w", &[Scope::AccountsWrite]).await.unwrap();
        app.api(Method::PATCH, "/api/v1/accounts/london", &token, &[], json!({})).await.assert_status(403);
        app.account("second").await;
        let page = app.api(Method::GET, "/api/v1/accounts?limit=1", "", &[], json!(null)).await.assert_status(200);
        let next = page.json()["next_cursor"].as_str().unwrap().to_owned();
        let page = app.api(Method::GET, &format!("/api/v1/accounts?limit=1&cursor={next}"), "", &[], json!(null)).await;
        assert_eq!(page.json()["items"][0]["handle"], "london");
        accounts::suspend(&app.app, By::Console, reload_by_handle(app, "london").await.id).await.unwrap();
        app.api(Method::GET, "/api/v1/accounts/london", "", &[], json!(null)).await.assert_status(410);
    }
}

async fn reload_by_handle(app: &TestApp, handle: &str) -> account::Model {
    account::Entity::find()
        .filter(account::COLUMN.handle.eq(handle))
        .one(app.app.db.read())
        .await
        .unwrap()
        .unwrap()
}
