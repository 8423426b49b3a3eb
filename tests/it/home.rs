//! The readers' way in: front page, accounts' pages, languages, errors.

use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::{NotSet, Set};
use xiangxun::db::entities::account;
use xiangxun::db::entities::article::{self, ArticleState, BodyFormat, Tags};
use xiangxun::home::queries::PAGE;

use crate::both_databases;
use crate::support::TestApp;

/// Puts a published article into the database, `minute` minutes after an evening in January.
pub async fn published(app: &TestApp, account: &account::Model, title: &str, minute: i64) -> article::Model {
    let moment = xiangxun::clock::Timestamp(1_769_875_200_000 + minute * 60_000);
    article::ActiveModel {
        id: NotSet,
        account_id: Set(account.id),
        external_id: Set(None),
        slug: Set(title.to_lowercase().replace(' ', "-")),
        title: Set(title.to_owned()),
        digest: Set(String::new()),
        author: Set(String::new()),
        body_format: Set(BodyFormat::Html),
        body_source: Set(None),
        body_html: Set(format!("<p>{title}的<em>正文</em> &lt;b&gt;</p>")),
        cover_url: Set(None),
        tags: Set(Tags::default()),
        lang: Set("zh-Hans".into()),
        original_url: Set(None),
        state: Set(ArticleState::Published),
        version: Set(1),
        word_count: Set(900),
        created_by: Set(None),
        created_at: Set(moment),
        updated_at: Set(moment),
        publish_at: Set(None),
        published_at: Set(Some(moment)),
        withdrawn_at: Set(None),
        withdrawn_reason: Set(None),
        idempotency_key: Set(None),
    }
    .insert(app.app.db.write())
    .await
    .unwrap()
}

/// Titles linked to from a list, in order.
fn titles(html: &str) -> Vec<String> {
    html.split(r#"<h2 class="headline"><a href=""#)
        .skip(1)
        .map(|part| part.split_once('>').unwrap().1.split_once('<').unwrap().0.to_owned())
        .collect()
}

#[track_caller]
fn assert_whole(html: &str) {
    assert!(!html.contains('⟦'), "a text is missing: {html}");
    assert!(html.contains("</html>"), "the page is cut short: {html}");
    assert!(!html.contains(" style=") && !html.contains("<style"), "inline style: {html}");
}

both_databases! {
    async fn an_empty_instance_says_so_and_offers_to_open_an_account(app) {
        let html = app.get("/").await.assert_status(200).text();
        assert_whole(&html);
        assert!(html.contains("这里还没有文章") && html.contains(r#"href="/studio""#), "{html}");
    }

    async fn the_front_page_pages_through_all_accounts_newest_first(app) {
        let (first, _) = app.account("first").await;
        let (second, _) = app.account("second").await;
        for number in 0..i64::try_from(PAGE).unwrap() + 5 {
            let account = if number % 2 == 0 { &first } else { &second };
            // Pairs share a moment, so that the id must break the tie.
            published(app, account, &format!("Piece {number}"), number / 2).await;
        }
        let html = app.get("/").await.assert_status(200).text();
        assert_whole(&html);
        assert!(html.contains("的正文 &#60;b&#62;"), "the excerpt is plain text: {html}");
        let mut seen = titles(&html);
        assert_eq!(seen.len(), PAGE);
        let older = html.split(r#"rel="next" href=""#).nth(1).unwrap().split('"').next().unwrap();
        let rest = titles(&app.get(older).await.assert_status(200).text());
        seen.extend(rest);
        let all: Vec<String> = (0..PAGE + 5).rev().map(|number| format!("Piece {number}")).collect();
        assert_eq!(seen, all);
    }

    async fn an_account_page_shows_its_own_articles_and_names_its_feeds(app) {
        let (first, _) = app.account("first").await;
        let (second, _) = app.account("second").await;
        published(app, &first, "Mine", 1).await;
        published(app, &second, "Theirs", 2).await;
        let html = app.get("/@first").await.assert_status(200).text();
        assert_whole(&html);
        assert_eq!(titles(&html), ["Mine"]);
        assert!(html.contains(r#"type="application/atom+xml" title="first 日报" href="/@first/feed.atom""#));
        assert!(html.contains(r#"name="email""#), "a stranger subscribes by address");
        let reader = app.user("reader@example.org").await;
        app.sign_in(reader.id).await;
        let html = app.get("/@first").await.text();
        assert!(html.contains("reader@example.org") && !html.contains(r#"name="email""#), "{html}");
        app.get("/@nobody").await.assert_status(404);
    }

    async fn drafts_and_suspended_accounts_are_not_shown(app) {
        let (account, _) = app.account("quiet").await;
        let row = published(app, &account, "Draft", 1).await;
        let mut row: article::ActiveModel = row.into();
        row.state = Set(ArticleState::Draft);
        row.update(app.app.db.write()).await.unwrap();
        assert!(titles(&app.get("/").await.text()).is_empty());
        assert!(titles(&app.get("/@quiet").await.text()).is_empty());
        let (other, _) = app.account("banned").await;
        published(app, &other, "Banned", 1).await;
        let mut other: account::ActiveModel = other.into();
        other.state = Set(account::AccountState::Suspended);
        other.update(app.app.db.write()).await.unwrap();
        assert!(titles(&app.get("/").await.text()).is_empty());
        app.get("/@banned").await.assert_status(410);
    }

    async fn the_chosen_language_is_kept_and_leads_back(app) {
        let answer = app.post("/locale", &[("locale", "zh-Hant"), ("back", "/search?q=x")]).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/search?q=x"));
        let html = app.get("/").await.text();
        assert!(html.contains(r#"<html lang="zh-Hant">"#) && html.contains("登入"), "{html}");
        app.post("/locale", &[("locale", "en"), ("back", "//evil.example")]).await;
        let html = app.get("/").await.text();
        assert!(html.contains(r#"<html lang="en">"#) && html.contains("Sign in"), "{html}");
        app.post("/locale", &[("locale", "fr")]).await.assert_status(422);
    }

    async fn errors_are_pages_of_the_site_in_the_readers_language(app) {
        for (locale, title) in [("zh-Hans", "找不到这个页面"), ("zh-Hant", "找不到這個頁面"), ("en", "Page not found")] {
            app.keep_cookie("lang", locale);
            let html = app.get("/nothing/here").await.assert_status(404).text();
            assert_whole(&html);
            assert!(html.contains(title) && html.contains("404"), "{html}");
        }
    }
}
