//! Articles through the API.

use std::time::Duration;

use axum::http::Method;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::db::entities::article::{self};
use xiangxun::db::entities::idempotency_key;

use crate::both_databases;

both_databases! {
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
}
