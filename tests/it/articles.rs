//! Articles: writing, saving, publishing, schedules, roles, imports.

use std::time::Duration;

use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use xiangxun::articles::{self, Actor, NewArticle};
use xiangxun::clock::Timestamp;
use xiangxun::db::entities::article::{self, ArticleState};
use xiangxun::db::entities::autosave;
use xiangxun::db::entities::member::Role;

use crate::both_databases;
use crate::support::desk::id_of;

const BODY: &str = "第一段**重点**。\n\n<script>alert(1)</script>\n\n- 甲\n- 乙\n";

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
}
