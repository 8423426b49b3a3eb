//! Articles through the router: writing, publishing, revising, scheduling, withdrawing; addresses;
//! roles; the JSON door.

use std::time::Duration;

use axum::http::Method;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;
use xiangxun::articles::{self, Actor, NewArticle};
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::clock::Timestamp;
use xiangxun::db::entities::article::{self, ArticleState};
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::{autosave, event, idempotency_key, revision, user};

use crate::both_databases;
use crate::support::TestApp;

const BODY: &str = "第一段**重点**。\n\n<script>alert(1)</script>\n\n- 甲\n- 乙\n";

impl TestApp {
    /// The signed-in member writes a draft through the studio; returns its id.
    async fn write_draft(&self, handle: &str, title: &str, body: &str) -> i64 {
        let answer = self
            .post(
                &format!("/studio/@{handle}/articles"),
                &[("title", title), ("body", body), ("lang", "zh-Hans")],
            )
            .await
            .assert_status(303);
        id_of(answer.location())
    }

    async fn publish(&self, handle: &str, id: i64) {
        let version = self.article(id).await.version.to_string();
        self.post(
            &format!("/studio/@{handle}/articles/{id}/publish"),
            &[("when", "now"), ("version", &version)],
        )
        .await
        .assert_status(303);
    }

    /// The signed-in member publishes an article; returns its id.
    async fn publish_new(&self, handle: &str, title: &str, body: &str) -> i64 {
        let id = self.write_draft(handle, title, body).await;
        self.publish(handle, id).await;
        id
    }

    async fn article(&self, id: i64) -> article::Model {
        article::Entity::find_by_id(id).one(self.app.db.write()).await.unwrap().expect("the article is there")
    }

    /// Kinds of all events, in order.
    async fn events(&self) -> Vec<String> {
        let rows =
            event::Entity::find().order_by_asc(event::COLUMN.id).all(self.app.db.read()).await.unwrap();
        rows.into_iter().map(|row| row.kind).collect()
    }

    /// Revisions of an article as (number, editor, title).
    async fn revisions(&self, id: i64) -> Vec<(i32, Option<i64>, String)> {
        let rows = revision::Entity::find()
            .filter(revision::COLUMN.article_id.eq(id))
            .order_by_asc(revision::COLUMN.number)
            .all(self.app.db.read())
            .await
            .unwrap();
        rows.into_iter().map(|row| (row.number, row.editor_id, row.title)).collect()
    }

    /// A member of the account with this role, signed in.
    async fn sign_in_as(&self, account_id: i64, role: Role) -> user::Model {
        let user = self.user(&format!("{role}-{account_id}@example.org")).await;
        self.member(account_id, user.id, role).await;
        self.sign_out();
        self.sign_in(user.id).await;
        user
    }
}

fn id_of(location: &str) -> i64 {
    let id = location.split("/articles/").nth(1).unwrap_or_else(|| panic!("no article in {location}"));
    id.split(['/', '?']).next().unwrap().parse().unwrap()
}

both_databases! {
    async fn a_draft_is_written_saved_published_and_read(app) {
        let (account, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        app.get("/studio/@daily/articles/new").await.assert_status(200);
        let id = app.write_draft("daily", "春天来了", BODY).await;
        let draft = app.article(id).await;
        assert_eq!((draft.state, draft.slug.as_str(), draft.account_id), (ArticleState::Draft, "chun-tian-lai-le", account.id));
        assert_eq!(draft.body_html, "<p>第一段<strong>重点</strong>。</p><ul><li>甲</li><li>乙</li></ul>");
        app.get("/@daily/chun-tian-lai-le").await.assert_status(404);
        assert!(app.get("/studio/@daily/articles").await.assert_status(200).text().contains("春天来了"));
        let editor = app.get(&format!("/studio/@daily/articles/{id}")).await.assert_status(200).text();
        assert!(editor.contains("第一段**重点**"), "{editor}");

        app.get(&format!("/studio/@daily/articles/{id}/publish")).await.assert_status(200);
        app.publish("daily", id).await;
        app.sign_out();
        let page = app.get("/@daily/chun-tian-lai-le").await.assert_status(200).text();
        assert!(page.contains("<strong>重点</strong>") && !page.contains("alert(1)"), "{page}");
        assert_eq!(app.events().await, ["article_published"]);
        assert_eq!(app.revisions(id).await, [(1, Some(owner.id), "春天来了".to_owned())]);
    }

    async fn a_form_submitted_twice_makes_one_draft_and_publishes_once(app) {
        let (account, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let fields = [("title", "一"), ("body", "二"), ("key", "same-key")];
        let (first, second) = tokio::join!(app.post("/studio/@daily/articles", &fields), app.post("/studio/@daily/articles", &fields));
        assert_eq!(first.assert_status(303).location(), second.assert_status(303).location());
        let all = article::Entity::find().filter(article::COLUMN.account_id.eq(account.id)).all(app.app.db.read()).await.unwrap();
        assert_eq!(all.len(), 1);

        let publish = format!("/studio/@daily/articles/{}/publish", all[0].id);
        let fields = [("when", "now"), ("version", "1")];
        let (first, second) = tokio::join!(app.post(&publish, &fields), app.post(&publish, &fields));
        first.assert_status(303);
        second.assert_status(303);
        assert_eq!(app.events().await, ["article_published"]);
        assert_eq!(app.revisions(all[0].id).await.len(), 1);
    }

    async fn what_is_wrong_is_said_and_nothing_is_lost(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let long = "长".repeat(201);
        let fields = [("title", long.as_str()), ("body", "我的正文"), ("cover_url", "javascript:alert(1)"), ("tags", "a,b,c,d,e,f,g,h,i,j,k")];
        let page = app.post("/studio/@daily/articles", &fields).await.assert_status(422).text();
        assert!(page.contains("最多 200 个字") && page.contains("我的正文") && page.contains("http://") && page.contains("标签最多 10 个"), "{page}");
        let huge = "x".repeat((1 << 20) + 1);
        app.post("/studio/@daily/articles", &[("title", "大"), ("body", &huge)]).await.assert_status(422);
        let id = app.write_draft("daily", "没有正文", "").await;
        let page = app.post(&format!("/studio/@daily/articles/{id}/publish"), &[("when", "now"), ("version", "1")]).await.assert_status(422).text();
        assert!(page.contains("标题和正文都要有"), "{page}");
        assert_eq!(app.events().await.len(), 0);
    }

    async fn the_second_of_two_savers_is_shown_both_texts(app) {
        let (account, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.write_draft("daily", "题", "原文").await;
        let path = format!("/studio/@daily/articles/{id}");
        app.post(&path, &[("title", "题"), ("body", "我先改"), ("version", "1")]).await.assert_status(303);
        let editor = app.sign_in_as(account.id, Role::Editor).await;
        let page = app.post(&path, &[("title", "题"), ("body", "我后改"), ("version", "1")]).await.assert_status(409).text();
        assert!(page.contains("我先改") && page.contains("我后改"), "{page}");
        assert_eq!(app.article(id).await.body_source.as_deref(), Some("我先改"));
        // The page's form carries the new version; saving the same again is no conflict.
        for _ in 0..2 {
            app.post(&path, &[("title", "题"), ("body", "合并"), ("version", "2")]).await.assert_status(303);
        }
        assert_eq!(app.article(id).await.version, 3);
        assert_ne!(editor.id, owner.id);
    }

    async fn two_saves_at_once_lose_neither_text_silently(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.write_draft("daily", "题", "原文").await;
        let path = format!("/studio/@daily/articles/{id}");
        let (one, two) = ([("title", "题"), ("body", "一"), ("version", "1")], [("title", "题"), ("body", "二"), ("version", "1")]);
        let (first, second) = tokio::join!(app.post(&path, &one), app.post(&path, &two));
        let mut codes = [first.status.as_u16(), second.status.as_u16()];
        codes.sort_unstable();
        assert_eq!(codes, [303, 409]);
        assert_eq!(app.article(id).await.version, 2);
    }

    async fn each_save_of_a_published_article_is_a_revision(app) {
        let (account, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "初版", "正文").await;
        let editor = app.sign_in_as(account.id, Role::Editor).await;
        let path = format!("/studio/@daily/articles/{id}");
        let fields = [("title", "二版"), ("body", "正文改"), ("version", "2"), ("note", "改正地名")];
        app.post(&path, &fields).await.assert_status(303);
        app.post(&path, &fields).await.assert_status(303);
        let expected = [(1, Some(owner.id), "初版".to_owned()), (2, Some(editor.id), "二版".to_owned())];
        assert_eq!(app.revisions(id).await, expected);
        assert_eq!(app.events().await, ["article_published", "article_revised"]);
        let list = app.get(&format!("{path}/revisions")).await.assert_status(200).text();
        assert!(list.contains("改正地名") && list.contains(&editor.name), "{list}");
        let old = app.get(&format!("{path}/revisions/1")).await.assert_status(200).text();
        assert!(old.contains("<p>正文</p>"), "{old}");
        // Readers cannot be left without a text.
        app.post(&path, &[("title", ""), ("body", ""), ("version", "3")]).await.assert_status(422);
        // The address stays when the title changes.
        assert!(app.get("/@daily/chu-ban").await.assert_status(200).text().contains("二版"));
    }

    async fn an_autosave_is_never_public(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "公开", "公开的正文").await;
        let path = format!("/studio/@daily/articles/{id}");
        let work = [("title", "公开"), ("body", "还没想好"), ("version", "2")];
        assert!(app.post(&format!("{path}/autosave"), &work).await.assert_status(200).json()["note"].as_str().unwrap().contains("自动保存"));
        let public = app.get("/@daily/gong-kai").await.text();
        assert!(public.contains("公开的正文") && !public.contains("还没想好"));
        assert_eq!((app.events().await.len(), app.revisions(id).await.len(), app.article(id).await.version), (1, 1, 2));
        // The editor offers it, and brings it back on request.
        let editor = app.get(&path).await.text();
        assert!(editor.contains("restore=1") && !editor.contains("还没想好"), "{editor}");
        assert!(app.get(&format!("{path}?restore=1")).await.text().contains("还没想好"));
        app.post(&format!("{path}/discard"), &[]).await.assert_status(303);
        assert!(!app.get(&path).await.text().contains("restore=1"));
        // Saving the article forgets it too.
        app.post(&format!("{path}/autosave"), &work).await.assert_status(200);
        app.post(&path, &work).await.assert_status(303);
        assert_eq!(autosave::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    }

    async fn a_scheduled_article_is_published_when_its_time_has_come(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.write_draft("daily", "明天见", "正文").await;
        let path = format!("/studio/@daily/articles/{id}");
        app.post(&format!("{path}/publish"), &[("when", "later"), ("publish_at", "2001-01-01T00:00")]).await.assert_status(422);
        app.post(&format!("{path}/publish"), &[("when", "later"), ("publish_at", "someday")]).await.assert_status(422);
        // Typed in the member's zone, Asia/Shanghai.
        let at = app.app.clock.now() + Duration::from_secs(3 * 3600);
        let typed = (at + Duration::from_secs(8 * 3600)).utc().format("%Y-%m-%dT%H:%M").to_string();
        app.post(&format!("{path}/publish"), &[("when", "later"), ("publish_at", &typed)]).await.assert_status(303);
        let scheduled = app.article(id).await;
        assert_eq!(scheduled.state, ArticleState::Scheduled);
        assert!((scheduled.publish_at.unwrap().0 - at.0).abs() <= 60_000);
        // Put off by an hour, taken off, put on again.
        let later = (at + Duration::from_secs(9 * 3600)).utc().format("%Y-%m-%dT%H:%M").to_string();
        app.post(&format!("{path}/publish"), &[("when", "later"), ("publish_at", &later)]).await.assert_status(303);
        app.app.clock.advance(Duration::from_secs(3 * 3600 + 120));
        app.work().await;
        assert_eq!(app.article(id).await.state, ArticleState::Scheduled);
        app.post(&format!("{path}/unschedule"), &[]).await.assert_status(303);
        app.app.clock.advance(Duration::from_secs(3600));
        app.work().await;
        assert_eq!(app.article(id).await.state, ArticleState::Draft);
        let at = app.app.clock.now() + Duration::from_secs(600 + 8 * 3600);
        let typed = at.utc().format("%Y-%m-%dT%H:%M").to_string();
        app.post(&format!("{path}/publish"), &[("when", "later"), ("publish_at", &typed)]).await.assert_status(303);
        app.get("/@daily/ming-tian-jian").await.assert_status(404);
        app.app.clock.advance(Duration::from_secs(700));
        app.work().await;
        app.sign_in(owner.id).await;
        app.get("/@daily/ming-tian-jian").await.assert_status(200);
        assert_eq!(app.events().await, ["article_published"]);
        assert_eq!(app.revisions(id).await, [(1, Some(owner.id), "明天见".to_owned())]);
    }

    async fn publishing_a_scheduled_article_by_hand_forgets_its_time(app) {
        let (account, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.write_draft("daily", "提前", "正文").await;
        let actor = Actor { account_id: account.id, user_id: owner.id };
        articles::schedule(&app.app, actor, id, app.app.clock.now() + Duration::from_secs(3600)).await.unwrap();
        app.publish("daily", id).await;
        app.app.clock.advance(Duration::from_secs(7200));
        app.work().await;
        assert_eq!(app.events().await, ["article_published"]);
    }

    async fn a_withdrawn_article_is_gone_until_it_is_reinstated(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "有误", "不实的内容").await;
        let path = format!("/studio/@daily/articles/{id}");
        app.get(&format!("{path}/withdraw")).await.assert_status(200);
        app.post(&format!("{path}/withdraw"), &[("reason", &"长".repeat(501))]).await.assert_status(422);
        for _ in 0..2 {
            app.post(&format!("{path}/withdraw"), &[("reason", "数字 <b>有误</b>")]).await.assert_status(303);
        }
        app.sign_out();
        let page = app.get("/@daily/you-wu").await.assert_status(410).text();
        assert!(page.contains("撤回") && page.contains("数字 &") && !page.contains("<b>有误") && !page.contains("不实的内容"), "{page}");
        app.sign_in(owner.id).await;
        app.post(&format!("{path}/reinstate"), &[]).await.assert_status(303);
        app.get("/@daily/you-wu").await.assert_status(200);
        assert_eq!(app.events().await, ["article_published", "article_withdrawn", "article_published"]);
    }

    async fn former_addresses_lead_to_the_present_one(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "旧题", "正文").await;
        let path = format!("/studio/@daily/articles/{id}");
        for (slug, version) in [("second", "2"), ("third", "3"), ("second", "4")] {
            app.post(&path, &[("title", "旧题"), ("body", "正文"), ("slug", slug), ("version", version)]).await.assert_status(303);
        }
        for old in ["jiu-ti", "third"] {
            let answer = app.get(&format!("/@daily/{old}")).await.assert_status(301);
            assert_eq!(answer.location(), "/@daily/second");
        }
        app.get("/@daily/second").await.assert_status(200);
        // Handles in capitals are redirected too; a former address is not given to another article.
        assert_eq!(app.get("/@Daily/second").await.assert_status(301).location(), "/@daily/second");
        let page = app.post("/studio/@daily/articles", &[("title", "新"), ("body", "正文"), ("slug", "third")]).await.assert_status(422).text();
        assert!(page.contains("请换一个"), "{page}");
        let other = app.publish_new("daily", "旧题", "同名").await;
        assert_eq!(app.article(other).await.slug, "jiu-ti-2");
    }

    async fn an_unchanged_article_is_not_sent_again(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "不变", "正文").await;
        app.sign_out();
        let first = app.get("/@daily/bu-bian").await.assert_status(200);
        let etag = first.header("etag").to_owned();
        let modified = first.header("last-modified").to_owned();
        assert!(modified.ends_with("GMT") && etag.starts_with('"'));
        let ask = |name: &'static str, value: &str| {
            app.request(Method::GET, "/@daily/bu-bian").header(name, value).body(axum::body::Body::empty()).unwrap()
        };
        assert!(app.send(ask("if-none-match", &etag)).await.assert_status(304).bytes.is_empty());
        app.send(ask("if-none-match", &format!("\"x\", W/{etag}"))).await.assert_status(304);
        app.send(ask("if-modified-since", &modified)).await.assert_status(304);
        app.sign_in(owner.id).await;
        app.app.clock.advance(Duration::from_secs(5));
        app.post(&format!("/studio/@daily/articles/{id}"), &[("title", "不变"), ("body", "变了"), ("version", "2")]).await.assert_status(303);
        app.sign_out();
        app.send(ask("if-none-match", &etag)).await.assert_status(200);
        app.send(ask("if-modified-since", &modified)).await.assert_status(200);
    }

    async fn roles_decide_who_may_do_what(app) {
        let (account, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let foreign = app.write_draft("daily", "主编的稿", "正文").await;
        let foreign = format!("/studio/@daily/articles/{foreign}");

        app.sign_in_as(account.id, Role::Author).await;
        let own = app.write_draft("daily", "作者的稿", "正文").await;
        let own = format!("/studio/@daily/articles/{own}");
        app.post(&own, &[("title", "作者的稿"), ("body", "改"), ("version", "1")]).await.assert_status(303);
        app.post(&foreign, &[("title", "抢"), ("body", "改"), ("version", "1")]).await.assert_status(403);
        app.post(&format!("{foreign}/autosave"), &[("body", "改"), ("version", "1")]).await.assert_status(403);
        app.post(&format!("{foreign}/delete"), &[]).await.assert_status(403);
        app.get(&format!("{own}/publish")).await.assert_status(403);
        app.post(&format!("{own}/publish"), &[("when", "now"), ("version", "2")]).await.assert_status(403);
        app.post(&format!("{own}/publish"), &[("when", "later"), ("publish_at", "2099-01-01T00:00")]).await.assert_status(403);

        app.sign_in_as(account.id, Role::Analyst).await;
        app.get(&own).await.assert_status(200);
        app.get("/studio/@daily/articles").await.assert_status(200);
        app.get("/studio/@daily/articles/new").await.assert_status(403);
        app.post("/studio/@daily/articles", &[("title", "写"), ("body", "写")]).await.assert_status(403);
        app.post(&own, &[("title", "改"), ("body", "改"), ("version", "2")]).await.assert_status(403);

        app.sign_in_as(account.id, Role::Editor).await;
        app.post(&format!("{own}/publish"), &[("when", "now"), ("version", "2")]).await.assert_status(303);
        app.post(&format!("{own}/delete"), &[]).await.assert_status(409);
        app.post(&format!("{own}/withdraw"), &[("reason", "")]).await.assert_status(303);
        app.post(&format!("{foreign}/delete"), &[]).await.assert_status(303);
        app.get(&foreign).await.assert_status(404);

        // Members of one account have nothing to say in another.
        let (_, stranger) = app.account("other").await;
        app.sign_out();
        app.sign_in(stranger.id).await;
        app.get(&own).await.assert_status(403);
        app.post(&own.replace("@daily", "@other"), &[("title", "x"), ("body", "x"), ("version", "3")]).await.assert_status(404);
        app.sign_out();
        app.post(&own, &[("title", "x")]).await.assert_status(303);
        assert_eq!(app.article(id_of(&own)).await.version, 4);
    }

    async fn the_preview_shows_what_readers_would_see(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let page = app.post("/studio/@daily/preview", &[("title", "题"), ("body", "**粗**<img src=x onerror=alert(1)>")]).await.assert_status(200).text();
        assert!(page.contains("<strong>粗</strong>") && !page.contains("onerror"), "{page}");
        let request = app
            .request(Method::POST, "/studio/@daily/preview")
            .header("origin", "http://xiangxun.test")
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from("body=*x*"));
        let json = app.send(request.unwrap()).await.assert_status(200).json();
        assert_eq!(json["html"], "<p><em>x</em></p>");
        assert_eq!(article::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    }

    async fn an_imported_batch_is_written_once_and_revised_with_a_baseline(app) {
        let (account, owner) = app.account("daily").await;
        let now = app.app.clock.now();
        let published_at = Timestamp(1_700_000_000_000);
        let batch: Vec<NewArticle> = (0..2_500)
            .map(|n| NewArticle {
                published_at: Some(published_at),
                ..NewArticle::from_plain_text(account.id, &format!("x{n}"), "国内联播快讯", &format!("第 {n} 条"))
            })
            .collect();
        for expected in [(2_500, 0), (0, 2_500)] {
            let tx = app.app.db.begin().await.unwrap();
            let imported = articles::insert_imported(&tx, now, batch.clone()).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!((imported.inserted.len(), imported.skipped), expected);
        }
        assert_eq!(app.events().await.len(), 2_500);
        app.get("/@daily/guo-nei-lian-bo-kuai-xun").await.assert_status(200);
        let row = article::Entity::find().filter(article::COLUMN.external_id.eq("x7")).one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!((row.published_at, row.word_count), (Some(published_at), 3));
        // Its source changes it, then an editor; after that the source's word counts no more.
        let change = |text: &str| NewArticle::from_plain_text(account.id, "x7", "国内联播快讯", text);
        for changed in [true, false] {
            let tx = app.app.db.begin().await.unwrap();
            assert_eq!(articles::revise_imported(&tx, now, row.id, change("改过")).await.unwrap().is_some(), changed);
            tx.commit().await.unwrap();
        }
        assert_eq!(app.revisions(row.id).await.iter().map(|row| (row.0, row.1)).collect::<Vec<_>>(), [(1, None), (2, None)]);
        app.sign_in(owner.id).await;
        let fields = [("title", "本站改题"), ("body", "<p>改过</p>"), ("body_format", "html"), ("version", "2")];
        app.post(&format!("/studio/@daily/articles/{}", row.id), &fields).await.assert_status(303);
        let tx = app.app.db.begin().await.unwrap();
        assert!(articles::revise_imported(&tx, now, row.id, change("又改")).await.is_err());
        drop(tx);
        assert_eq!(app.article(row.id).await.title, "本站改题");
    }

    async fn the_json_door_opens_to_tokens_with_the_right_scope(app) {
        let (account, owner) = app.account("daily").await;
        let token = api_tokens::create(&app.app, owner.id, "test", &[Scope::ArticlesRead, Scope::ArticlesWrite]).await.unwrap();
        let reading = api_tokens::create(&app.app, owner.id, "reading", &[Scope::ArticlesRead]).await.unwrap();
        let path = "/api/v1/accounts/daily/articles";
        let body = json!({ "title": "接口", "body": "正文 <script>x</script>", "tags": ["新闻", "本地"], "publish": true });
        app.api(Method::POST, path, "", &[], body.clone()).await.assert_status(401);
        app.api(Method::POST, path, &reading, &[], body.clone()).await.assert_status(403);
        let key = [("idempotency-key", "once-only")];
        let first = app.api(Method::POST, path, &token, &key, body.clone()).await.assert_status(201).json();
        let again = app.api(Method::POST, path, &token, &key, body).await.assert_status(201);
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.json(), first);
        app.api(Method::POST, path, &token, &key, json!({ "title": "别的" })).await.assert_status(422);
        assert_eq!(article::Entity::find().filter(article::COLUMN.account_id.eq(account.id)).count(app.app.db.read()).await.unwrap(), 1);
        assert_eq!((first["state"].as_str(), first["slug"].as_str(), first["url"].as_str()), (Some("published"), Some("jie-kou"), Some("http://xiangxun.test/@daily/jie-kou")));
        assert_eq!(first["body_html"], "<p>正文</p>");

        let one = format!("/api/v1/articles/{}", first["id"]);
        let changed = app.api(Method::PATCH, &one, &token, &[], json!({ "title": "接口二", "version": 2 })).await.assert_status(200).json();
        assert_eq!((changed["title"].as_str(), changed["tags"][1].as_str(), changed["version"].as_i64()), (Some("接口二"), Some("本地"), Some(3)));
        app.api(Method::PATCH, &one, &token, &[], json!({ "title": "过时", "version": 2 })).await.assert_status(409);
        let problem = app.api(Method::PATCH, &one, &token, &[], json!({ "cover_url": "data:x" })).await.assert_status(422);
        assert_eq!(problem.header("content-type"), "application/problem+json");
        assert_eq!(problem.json()["errors"][0]["field"], "cover_url");
        app.api(Method::PATCH, &one, &token, &[], json!({ "titel": "x" })).await.assert_status(422);

        let draft = app.api(Method::POST, path, &token, &[], json!({ "title": "草稿" })).await.assert_status(201).json();
        let draft_path = format!("/api/v1/articles/{}", draft["id"]);
        app.api(Method::GET, &draft_path, "", &[], json!(null)).await.assert_status(404);
        app.api(Method::GET, &draft_path, &reading, &[], json!(null)).await.assert_status(200);
        app.api(Method::POST, &format!("{draft_path}/publish"), &token, &[], json!(null)).await.assert_status(422);
        app.api(Method::PATCH, &draft_path, &token, &[], json!({ "body": "有了" })).await.assert_status(200);
        let at = (app.app.clock.now() + Duration::from_secs(3600)).rfc3339();
        let scheduled = app.api(Method::POST, &format!("{draft_path}/schedule"), &token, &[], json!({ "publish_at": at })).await.assert_status(200).json();
        assert_eq!((scheduled["state"].as_str(), scheduled["publish_at"].as_str()), (Some("scheduled"), Some(at.as_str())));
        app.api(Method::POST, &format!("{draft_path}/schedule"), &token, &[], json!({ "publish_at": null })).await.assert_status(200);
        app.api(Method::POST, &format!("{draft_path}/publish"), &token, &[], json!(null)).await.assert_status(200);

        let list = app.api(Method::GET, &format!("{path}?limit=1"), "", &[], json!(null)).await.assert_status(200).json();
        assert_eq!((list["items"][0]["title"].as_str(), list["items"][0]["body"].as_str()), (Some("草稿"), None));
        let next = format!("{path}?limit=1&cursor={}", list["next_cursor"].as_str().unwrap());
        let list = app.api(Method::GET, &next, "", &[], json!(null)).await.assert_status(200).json();
        assert_eq!((list["items"][0]["title"].as_str(), list["next_cursor"].as_str()), (Some("接口二"), None));
        app.api(Method::GET, &format!("{path}?state=draft"), "", &[], json!(null)).await.assert_status(403);
        app.api(Method::GET, &format!("{path}?cursor=x"), "", &[], json!(null)).await.assert_status(422);

        app.api(Method::POST, &format!("{one}/withdraw"), &token, &[], json!({ "reason": "有误" })).await.assert_status(200);
        app.api(Method::GET, &one, "", &[], json!(null)).await.assert_status(410);
        assert_eq!(app.api(Method::GET, &one, &token, &[], json!(null)).await.assert_status(200).json()["withdrawn_reason"], "有误");
    }

    async fn an_article_whose_answer_was_lost_to_a_crash_is_not_made_again(app) {
        let (_, owner) = app.account("daily").await;
        let token = api_tokens::create(&app.app, owner.id, "test", &[Scope::ArticlesWrite]).await.unwrap();
        let path = "/api/v1/accounts/daily/articles";
        let body = json!({ "title": "断电之前", "body": "正文", "publish": true });
        let key = [("idempotency-key", "lost-answer")];
        let first = app.api(Method::POST, path, &token, &key, body.clone()).await.assert_status(201).json();
        // What a crash leaves: the article, but no answer kept under the key.
        idempotency_key::Entity::delete_many().exec(app.app.db.write()).await.unwrap();
        let again = app.api(Method::POST, path, &token, &key, body).await.assert_status(201).json();
        assert_eq!((&again["id"], &again["state"]), (&first["id"], &first["state"]));
        assert_eq!(article::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
    }

    async fn hostile_bodies_do_not_reach_the_page(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let vectors: Vec<String> = include_str!("../fixtures/xss.jsonl")
            .lines()
            .step_by(400)
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["payload"].as_str().unwrap().to_owned())
            .collect();
        for (format, id) in [("markdown", "md"), ("html", "ht")] {
            let body = vectors.join("\n\n");
            let fields = [("title", "<script>alert('题')</script>"), ("digest", "\"><img src=x onerror=alert(1)>"), ("author", "<b>x"), ("tags", "<i>"), ("slug", id), ("body_format", format), ("body", &body)];
            let draft = id_of(app.post("/studio/@daily/articles", &fields).await.assert_status(303).location());
            app.publish("daily", draft).await;
            for path in [format!("/@daily/{id}"), format!("/studio/@daily/articles/{draft}"), format!("/studio/@daily/articles/{draft}/revisions/1"), "/studio/@daily/articles?state=published".to_owned()] {
                let page = app.get(&path).await.assert_status(200).text();
                let document = scraper::Html::parse_document(&page);
                for node in document.tree.nodes() {
                    let Some(element) = node.value().as_element() else { continue };
                    assert!(element.attrs().all(|(name, _)| !name.starts_with("on") && name != "style"), "{path}: {element:?}");
                    if element.name() == "script" {
                        assert!(element.attr("src").is_some_and(|src| src.starts_with("/static/")), "{path}: {element:?}");
                    }
                    assert!(!matches!(element.name(), "iframe" | "object" | "embed" | "base"), "{path}: {element:?}");
                }
            }
        }
    }
}
