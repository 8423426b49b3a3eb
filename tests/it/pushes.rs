//! Pushes: choosing, the last look, sending once, and what became of it.

use axum::http::Method;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ActiveModelTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use xiangxun::accounts::{self, By};
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::clock::Timestamp;
use xiangxun::db::entities::article::{self, ArticleState, BodyFormat, Tags};
use xiangxun::db::entities::delivery::{self, DeliveryState};
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::subscription::{self, Cadence, SubscriptionState};
use xiangxun::db::entities::{event, push, push_article, suppression};
use xiangxun::error::Error;
use xiangxun::pushes::{self, NewPush};

use crate::both_databases;
use crate::support::TestApp;

/// An article of an account in a state.
async fn article(app: &TestApp, account_id: i64, title: &str, state: ArticleState) -> article::Model {
    let now = app.app.clock.now();
    article::ActiveModel {
        id: NotSet,
        account_id: Set(account_id),
        external_id: Set(None),
        slug: Set(format!("{title}-{:08x}", rand::random::<u32>())),
        title: Set(title.to_owned()),
        digest: Set(format!("{title}的摘要")),
        author: Set(String::new()),
        body_format: Set(BodyFormat::Markdown),
        body_source: Set(Some("正文".into())),
        body_html: Set("<p>正文</p>".into()),
        cover_url: Set(None),
        tags: Set(Tags::default()),
        lang: Set("zh-Hans".into()),
        original_url: Set(None),
        state: Set(state),
        version: Set(1),
        word_count: Set(2),
        created_by: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        publish_at: Set((state == ArticleState::Scheduled).then_some(Timestamp(now.0 + 3_600_000))),
        published_at: Set((state == ArticleState::Published).then_some(now)),
        withdrawn_at: Set((state == ArticleState::Withdrawn).then_some(now)),
        withdrawn_reason: Set(None),
        idempotency_key: Set(None),
    }
    .insert(app.app.db.write())
    .await
    .unwrap()
}

async fn published(app: &TestApp, account_id: i64, title: &str) -> article::Model {
    article(app, account_id, title, ArticleState::Published).await
}

async fn subscriber(app: &TestApp, account_id: i64, email: &str, state: SubscriptionState, cadence: Cadence) {
    let now = app.app.clock.now();
    subscription::ActiveModel {
        account_id: Set(account_id),
        user_id: Set(None),
        email: Set(email.to_owned()),
        state: Set(state),
        cadence: Set(cadence),
        locale: Set("zh-Hans".into()),
        created_at: Set(now),
        confirmed_at: Set(Some(now)),
        ended_at: Set(None),
        ..Default::default()
    }
    .insert(app.app.db.write())
    .await
    .unwrap();
}

async fn reader(app: &TestApp, account_id: i64, email: &str) {
    subscriber(app, account_id, email, SubscriptionState::Active, Cadence::Instant).await;
}

fn of(ids: &[i64]) -> NewPush {
    NewPush { article_ids: ids.to_vec(), idempotency_key: String::new() }
}

async fn count_pushes(app: &TestApp) -> (u64, u64, u64) {
    let db = app.app.db.read();
    let created =
        event::Entity::find().filter(event::COLUMN.kind.eq("push_created")).count(db).await.unwrap();
    (
        push::Entity::find().count(db).await.unwrap(),
        push_article::Entity::find().count(db).await.unwrap(),
        created,
    )
}

/// The value of a hidden field.
fn hidden(html: &str, name: &str) -> String {
    let from = html.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {html}"));
    html[from..].split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

both_databases! {
    async fn what_was_pushed_meanwhile_is_not_chosen_again(app) {
        let (account, owner) = app.account("lundun").await;
        let first = published(app, account.id, "头条").await;
        let second = published(app, account.id, "次条").await;
        let gone = article(app, account.id, "撤回", ArticleState::Withdrawn).await;
        app.sign_in(owner.id).await;
        let (first_id, second_id, gone_id) = (first.id.to_string(), second.id.to_string(), gone.id.to_string());
        app.post("/studio/@lundun/pushes", &[("article", &first_id), ("key", "one")]).await.assert_status(303);
        // Another editor had chosen both already.
        let ticked = |page: &str, id: &str| page.contains(&format!("name=\"article\" value=\"{id}\" checked"));
        let both = [("article", first_id.as_str()), ("article", second_id.as_str()), ("key", "two")];
        let offered = |page: &str, id: &str| page.contains(&format!("name=\"article\" value=\"{id}\""));
        let page = app.post("/studio/@lundun/pushes", &both).await.assert_status(409).text();
        assert!(page.contains("这些文章已经群发过：《头条》"), "{page}");
        assert!(ticked(&page, &second_id) && !offered(&page, &first_id), "{page}");
        let path = format!("/studio/@lundun/pushes/new?article={first_id}&article={second_id}&article={gone_id}");
        let page = app.get(&path).await.assert_status(200).text();
        assert!(ticked(&page, &second_id), "{page}");
        assert!(!offered(&page, &first_id) && !offered(&page, &gone_id), "{page}");
        app.work().await;
    }

    async fn articles_are_chosen_looked_at_and_pushed_to_the_subscribers(app) {
        let (account, owner) = app.account("lundun").await;
        let first = published(app, account.id, "头条").await;
        let second = published(app, account.id, "次条").await;
        published(app, account.id, "留着").await;
        reader(app, account.id, "a@example.org").await;
        reader(app, account.id, "b@example.org").await;
        reader(app, account.id, "c@example.org").await;
        subscriber(app, account.id, "m@example.org", SubscriptionState::Active, Cadence::Muted).await;
        subscriber(app, account.id, "p@example.org", SubscriptionState::Pending, Cadence::Instant).await;
        subscriber(app, account.id, "q@example.org", SubscriptionState::Paused, Cadence::Instant).await;
        suppression::ActiveModel { id: NotSet, email: Set("c@example.org".into()), reason: Set("550 no such user".into()), created_at: Set(app.app.clock.now()) }
            .insert(app.app.db.write()).await.unwrap();
        app.sign_in(owner.id).await;
        let choose = app.get("/studio/@lundun/pushes/new").await.assert_status(200).text();
        assert!(choose.contains("头条") && choose.contains("次条") && choose.contains("留着"));
        // In the order given; "up" moves one.
        let path = format!("/studio/@lundun/pushes/last-look?article={}&article={}&up={}", second.id, first.id, first.id);
        let moved = app.get(&path).await.assert_status(303);
        let look = app.get(moved.location()).await.assert_status(200).text();
        assert!(look.find("头条").unwrap() < look.find("次条").unwrap());
        assert!(look.contains("群发给 2 人"), "{look}");
        for (label, count) in [("尚未确认邮箱", 1), ("已暂停", 1), ("信", 1)] {
            assert!(look.contains(label) || label == "信", "{label} {count}");
        }
        assert!(look.contains("头条（等 2 篇）"), "the mail's subject: {look}");
        let mail = app.get(&format!("/studio/@lundun/pushes/mail?article={}&article={}", first.id, second.id)).await.assert_status(200);
        assert!(mail.header("content-security-policy").contains("sandbox"));
        assert!(mail.text().contains("头条的摘要"));
        let (one, two) = (first.id.to_string(), second.id.to_string());
        let fields = [("article", one.as_str()), ("article", &two), ("key", &hidden(&look, "key"))];
        let sent = app.post("/studio/@lundun/pushes", &fields).await.assert_status(303);
        let push_page = sent.location().to_owned();
        app.work().await;
        deliver(app).await;
        let letters = app.take_letters();
        let mut told: Vec<_> = letters.iter().map(|letter| letter.to.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, ["a@example.org", "b@example.org"]);
        assert_eq!(letters[0].subject, "头条（等 2 篇）");
        let page = app.get(&push_page).await.assert_status(200).text();
        assert!(page.contains("a@example.org") && page.contains("已送达"), "{page}");
        assert!(!app.get("/studio/@lundun/pushes/new").await.text().contains("头条"), "pushed once");
        assert!(app.get("/studio/@lundun").await.text().contains("头条"));
        assert_eq!(count_pushes(app).await, (1, 2, 1));
    }

    async fn the_same_push_submitted_twice_is_one(app) {
        let (account, owner) = app.account("lundun").await;
        let first = published(app, account.id, "头条").await;
        let second = published(app, account.id, "次条").await;
        app.sign_in(owner.id).await;
        let id = first.id.to_string();
        let fields = [("article", id.as_str()), ("key", "form-1")];
        let sent = app.post("/studio/@lundun/pushes", &fields).await.assert_status(303);
        let again = app.post("/studio/@lundun/pushes", &fields).await.assert_status(303);
        assert_eq!(sent.location(), again.location());
        assert!(app.get(again.location()).await.text().contains("没有重复发送"));
        // Without its key, too: the articles say that it is the same.
        let other = app.post("/studio/@lundun/pushes", &[("article", &id), ("key", "form-2")]).await.assert_status(303);
        assert_eq!(sent.location(), other.location());
        // The key for another article is a mistake, and pushes nothing.
        let two = second.id.to_string();
        let wrong = app.post("/studio/@lundun/pushes", &[("article", &two), ("key", "form-1")]).await.assert_status(409);
        assert!(wrong.text().contains("次条"), "the choice is kept");
        assert_eq!(count_pushes(app).await, (1, 1, 1));
        app.work().await;
    }

    async fn an_overlapping_push_names_what_was_pushed_already(app) {
        let (account, owner) = app.account("lundun").await;
        let first = published(app, account.id, "头条").await;
        let second = published(app, account.id, "次条").await;
        pushes::create(&app.app, owner.id, account.id, &of(&[first.id])).await.unwrap();
        app.sign_in(owner.id).await;
        let (one, two) = (first.id.to_string(), second.id.to_string());
        let answer = app.post("/studio/@lundun/pushes", &[("article", &one), ("article", &two)]).await.assert_status(409);
        assert!(answer.text().contains("《头条》") && !answer.text().contains("《次条》"), "{}", answer.text());
        let look = app.get(&format!("/studio/@lundun/pushes/last-look?article={one}")).await.assert_status(409);
        assert!(look.text().contains("《头条》"));
        assert_eq!(count_pushes(app).await, (1, 1, 1));
        app.work().await;
    }

    async fn two_editors_who_push_at_once_push_once(app) {
        let (account, owner) = app.account("lundun").await;
        let editor = app.user("editor@example.org").await;
        app.member(account.id, editor.id, Role::Editor).await;
        for round in 0..5 {
            let first = published(app, account.id, &format!("头条{round}")).await.id;
            let second = published(app, account.id, &format!("次条{round}")).await.id;
            // The same two articles in either order, with keys of their own; and one that overlaps.
            let requests = [
                (owner.id, vec![first, second]), (editor.id, vec![second, first]), (owner.id, vec![first, second]),
                (editor.id, vec![first]),
            ];
            let tasks: Vec<_> = requests.into_iter().enumerate().map(|(number, (user_id, ids))| {
                let inner = app.app.clone();
                tokio::spawn(async move {
                    let new = NewPush { article_ids: ids, idempotency_key: format!("{round}-{number}") };
                    pushes::create(&inner, user_id, account.id, &new).await
                })
            }).collect();
            let mut ids = std::collections::HashSet::new();
            let mut new = 0;
            for task in tasks {
                match task.await.unwrap() {
                    Ok(created) => {
                        ids.insert(created.push.id);
                        new += usize::from(created.new);
                    }
                    Err(Error::Conflict(message)) => assert_eq!(message.key, "push-articles-pushed"),
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!((ids.len(), new), (1, 1), "round {round}");
            app.work().await;
        }
        let (count, _, events) = count_pushes(app).await;
        assert_eq!((count, events), (5, 5));
    }

    async fn only_published_articles_of_the_account_are_pushed(app) {
        let (account, owner) = app.account("lundun").await;
        let (other, _) = app.account("other").await;
        for state in [ArticleState::Draft, ArticleState::Scheduled, ArticleState::Withdrawn] {
            let row = article(app, account.id, "不行", state).await;
            let error = pushes::create(&app.app, owner.id, account.id, &of(&[row.id])).await.unwrap_err();
            let Error::Invalid(problems) = error else { panic!("{error}") };
            assert_eq!(problems.of("articles").unwrap().key, "push-article-not-published");
        }
        let theirs = published(app, other.id, "别人的").await;
        let many: Vec<i64> = {
            let mut ids = Vec::new();
            for number in 0..9 {
                ids.push(published(app, account.id, &format!("第{number}")).await.id);
            }
            ids
        };
        for (ids, key) in [
            (vec![theirs.id], "push-article-missing"),
            (vec![many[0], theirs.id], "push-article-missing"),
            (vec![-1], "push-article-missing"),
            (vec![], "push-articles-none"),
            (many.clone(), "push-articles-many"),
        ] {
            let error = pushes::create(&app.app, owner.id, account.id, &of(&ids)).await.unwrap_err();
            let Error::Invalid(problems) = error else { panic!("{error}") };
            assert_eq!(problems.of("articles").unwrap().key, key);
        }
        // One article named twice is one.
        let created = pushes::create(&app.app, owner.id, account.id, &of(&[many[0], many[0]])).await.unwrap();
        assert!(created.new);
        pushes::create(&app.app, owner.id, account.id, &of(&many[1..])).await.unwrap();
        assert_eq!(count_pushes(app).await, (2, 9, 2));
        app.work().await;
    }

    async fn a_suspended_account_pushes_nothing(app) {
        let (account, owner) = app.account("lundun").await;
        let row = published(app, account.id, "头条").await;
        accounts::suspend(&app.app, By::Console, account.id).await.unwrap();
        let error = pushes::create(&app.app, owner.id, account.id, &of(&[row.id])).await.unwrap_err();
        assert_eq!(error.status(), 403);
        app.sign_in(owner.id).await;
        app.get(&format!("/studio/@lundun/pushes/last-look?article={}", row.id)).await.assert_status(403);
        assert_eq!(count_pushes(app).await, (0, 0, 0));
    }

    async fn the_log_pages_by_reader_and_masks_addresses_for_some(app) {
        let (account, owner) = app.account("lundun").await;
        let row = published(app, account.id, "头条").await;
        for number in 0..205 {
            reader(app, account.id, &format!("r{number}@example.org")).await;
        }
        let push = pushes::create(&app.app, owner.id, account.id, &of(&[row.id])).await.unwrap().push;
        app.work().await;
        let some = delivery::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        delivery::ActiveModel {
            id: Set(some.id), state: Set(DeliveryState::Failed), attempts: Set(3),
            answer: Set(Some("550 5.1.1 <x@y>: 无此用户 <script>".into())), ..Default::default()
        }.update(app.app.db.write()).await.unwrap();
        app.sign_in(owner.id).await;
        let mut path = format!("/studio/@lundun/pushes/{}", push.id);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..3 {
            let text = app.get(&path).await.assert_status(200).text();
            let lines = text.split("<td><div>r").skip(1).map(|part| part.split('<').next().unwrap().to_owned());
            seen.extend(lines);
            let Some(next) = text.split("rel=\"next\" href=\"").nth(1) else { break };
            path = next.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
        }
        assert_eq!(seen.len(), 205);
        let failed = app.get(&format!("/studio/@lundun/pushes/{}?state=failed", push.id)).await.text();
        assert!(failed.contains("550 5.1.1") && !failed.contains("<script>"), "{failed}");
        let analyst = app.user("analyst@example.org").await;
        app.member(account.id, analyst.id, Role::Analyst).await;
        app.sign_out();
        app.sign_in(analyst.id).await;
        let masked = app.get(&format!("/studio/@lundun/pushes/{}", push.id)).await.assert_status(200).text();
        assert!(masked.contains("r***@example.org") && !masked.contains("r1@example.org"));
        // Another account's studio does not show it.
        let (_, stranger) = app.account("other").await;
        app.sign_out();
        app.sign_in(stranger.id).await;
        app.get(&format!("/studio/@other/pushes/{}", push.id)).await.assert_status(404);
        app.get(&format!("/studio/@lundun/pushes/{}", push.id)).await.assert_status(403);
        assert_eq!(delivery::Entity::find().count(app.app.db.read()).await.unwrap(), 205);
    }

    async fn pushes_are_made_and_read_by_the_api(app) {
        let (account, owner) = app.account("lundun").await;
        let first = published(app, account.id, "头条").await;
        let second = published(app, account.id, "次条").await;
        let token = api_tokens::create(&app.app, owner.id, "t", &[Scope::PushesWrite, Scope::PushesRead]).await.unwrap();
        let path = "/api/v1/accounts/lundun/pushes";
        let body = json!({ "articles": [first.id] });
        let key = [("idempotency-key", "k1")];
        let made = app.api(Method::POST, path, &token, &key, body.clone()).await.assert_status(201).json();
        let again = app.api(Method::POST, path, &token, &key, body.clone()).await.assert_status(201).json();
        assert_eq!(made["id"], again["id"]);
        let known = app.api(Method::POST, path, &token, &[], body).await.assert_status(200).json();
        assert_eq!(made["id"], known["id"]);
        let both = json!({ "articles": [first.id, second.id] });
        let conflict = app.api(Method::POST, path, &token, &[], both).await.assert_status(409);
        assert!(conflict.json()["detail"].as_str().unwrap().contains("头条"));
        app.api(Method::POST, path, &token, &[], json!({ "articles": [] })).await.assert_status(422);
        app.api(Method::POST, path, "", &[], json!({ "articles": [second.id] })).await.assert_status(401);
        let list = app.api(Method::GET, path, &token, &[], json!(null)).await.assert_status(200).json();
        assert_eq!(list["items"][0]["articles"][0]["title"], "头条");
        let one = format!("/api/v1/pushes/{}", made["id"]);
        app.api(Method::GET, &one, &token, &[], json!(null)).await.assert_status(200);
        let stranger = app.user("stranger@example.org").await;
        let theirs = api_tokens::create(&app.app, stranger.id, "t", &[Scope::PushesWrite, Scope::PushesRead]).await.unwrap();
        app.api(Method::GET, &one, &theirs, &[], json!(null)).await.assert_status(404);
        app.api(Method::GET, path, &theirs, &[], json!(null)).await.assert_status(403);
        app.api(Method::POST, path, &theirs, &[], json!({ "articles": [second.id] })).await.assert_status(403);
        assert_eq!(count_pushes(app).await, (1, 1, 1));
        app.work().await;
    }
    async fn an_article_is_published_and_pushed_in_one_go(app) {
        let (account, owner) = app.account("lundun").await;
        subscriber(app, account.id, "reader@example.org", SubscriptionState::Active, Cadence::Instant).await;
        let draft = article(app, account.id, "号外", ArticleState::Draft).await;
        app.sign_in(owner.id).await;
        let publish = format!("/studio/@lundun/articles/{}/publish", draft.id);
        assert!(app.get(&publish).await.assert_status(200).text().contains("value=\"push\""));
        let form = [("version", "1"), ("when", "push")];
        let last_look = app.post(&publish, &form).await.assert_status(303).location().to_owned();
        assert_eq!(last_look, format!("/studio/@lundun/pushes/last-look?article={}", draft.id));
        let look = app.get(&last_look).await.assert_status(200).text();
        assert!(look.contains("号外") && look.contains("群发给 1 人") && look.contains("还没有寄出"), "{look}");
        assert_eq!(count_pushes(app).await, (0, 0, 0), "nothing is sent before the last look");
        // The same form sent twice leads to the same place.
        assert_eq!(app.post(&publish, &form).await.assert_status(303).location(), last_look);
        // Whoever leaves here finds the way again.
        let edit = format!("/studio/@lundun/articles/{}", draft.id);
        assert!(app.get(&edit).await.text().contains(&last_look));
        let id = draft.id.to_string();
        app.post("/studio/@lundun/pushes", &[("article", &id), ("key", "k")]).await.assert_status(303);
        app.work().await;
        deliver(app).await;
        assert_eq!(app.take_letters().len(), 1);
        assert!(!app.get(&edit).await.text().contains(&last_look), "an article is pushed once");
    }

    async fn what_is_not_ready_is_neither_published_nor_pushed(app) {
        let (_, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let new = [("title", "没有正文"), ("body", ""), ("key", "k"), ("lang", "zh-Hans"), ("body_format", "markdown")];
        let edit = app.post("/studio/@lundun/articles", &new).await.assert_status(303).location().to_owned();
        app.post(&format!("{edit}/publish"), &[("version", "1"), ("when", "push")]).await.assert_status(422);
        app.post(&format!("{edit}/publish"), &[("version", "7"), ("when", "push")]).await.assert_status(409);
        assert_eq!(count_pushes(app).await, (0, 0, 0));
    }
}

/// Sends what is due.
async fn deliver(app: &TestApp) {
    xiangxun::delivery::sender::send_due(&app.app).await.unwrap();
}
