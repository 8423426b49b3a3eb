//! What one search may take, and how many search at once.

use axum::body::Body;
use axum::http::Method;
use rstest::rstest;
use xiangxun::search::follower;

use crate::search::{ask, publish, query};
use crate::support::app::Answer;
use crate::support::{Backend, TestApp};

const LANGUAGES: [&str; 3] = ["zh-CN", "zh-TW", "en"];

async fn get(app: &TestApp, path: &str, language: &str) -> Answer {
    let request = app.request(Method::GET, path).header("accept-language", language);
    app.send(request.body(Body::empty()).unwrap()).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_whose_time_is_up_shows_what_it_has_and_says_so(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let app = TestApp::start_with(backend, |config| config.search_time = 0).await;
    let (account, _) = app.account("daily").await;
    for n in 0..30 {
        publish(&app, account.id, &format!("台风第{n}号"), "各地停课停工").await;
    }
    follower::catch_up(&app.app).await.unwrap();
    for q in ["台风", "\"停课停工\"", "台风 OR 停课 -香港", "台风 停电"] {
        let answer = ask(&app, &[("q", q), ("facets", "true")]).await;
        assert_eq!(answer["partial"], true, "{q}: {answer}");
        assert!(answer["total"].as_i64().unwrap() <= 30);
        for (language, words) in
            LANGUAGES.into_iter().zip(["没能看完全部文章", "沒能看完全部文章", "Not all articles"])
        {
            let page = get(&app, &query(&[("q", q)]).replace("/api/v1", ""), language).await;
            let text = page.assert_status(200).text();
            assert!(text.contains(words), "{q} in {language}: {text}");
            // It does not say that there is nothing.
            assert!(!text.contains("没有找到") && !text.contains("沒有找到"), "{q} in {language}: {text}");
        }
    }
    app.finish().await;

    let app = TestApp::start(backend).await;
    let (account, _) = app.account("daily").await;
    publish(&app, account.id, "台风第1号", "各地停课停工").await;
    follower::catch_up(&app.app).await.unwrap();
    let answer = ask(&app, &[("q", "台风")]).await;
    assert_eq!((answer["partial"].as_bool(), answer["total"].as_i64()), (Some(false), Some(1)));
    app.finish().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_too_many_search_the_next_is_told_when_to_come_back(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let app = TestApp::start_with(backend, |config| {
        config.searches_at_once = 1;
        config.searches_waiting = 0;
    })
    .await;
    let (account, _) = app.account("daily").await;
    publish(&app, account.id, "台风登陆", "各地停课").await;
    follower::catch_up(&app.app).await.unwrap();
    let path = query(&[("q", "台风")]);
    let page = path.replace("/api/v1", "");
    let turn = app.app.search.turns().take().await.unwrap();
    for (language, words) in
        LANGUAGES.into_iter().zip(["此刻搜索的人太多", "此刻搜尋的人太多", "Too many are searching"])
    {
        let refused = get(&app, &page, language).await.assert_status(503);
        assert!(refused.text().contains(words) && refused.text().contains("5"), "{}", refused.text());
        assert_eq!(refused.header("retry-after"), "5");
        let refused = get(&app, &path, language).await.assert_status(503);
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert!(refused.json()["detail"].as_str().unwrap().contains(words), "{}", refused.text());
        assert_eq!(refused.header("retry-after"), "5");
    }
    drop(turn);
    get(&app, &page, "en").await.assert_status(200);
    assert_eq!(ask(&app, &[("q", "台风")]).await["total"], 1);
    app.finish().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_is_made_with_the_least_memory_that_can_be_set(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let app = TestApp::start_with(backend, |config| config.index_memory = 30).await;
    assert_eq!(app.app.config.problems(), [""; 0]);
    let (account, _) = app.account("daily").await;
    for n in 0..50 {
        publish(&app, account.id, &format!("新闻{n}"), "同样的内容").await;
    }
    follower::catch_up(&app.app).await.unwrap();
    follower::rebuild(&app.app, |_, _| {}).await.unwrap();
    assert_eq!(ask(&app, &[("q", "同样的内容")]).await["total"], 50);
    // Each commit is a segment; at the end of bulk work a small index is one.
    for n in 50..53 {
        publish(&app, account.id, &format!("新闻{n}"), "同样的内容").await;
        follower::catch_up(&app.app).await.unwrap();
    }
    let segments = || app.app.search.shelf().live().unwrap().view().segments.len();
    assert!(segments() > 1);
    follower::settle(&app.app).await.unwrap();
    assert_eq!(segments(), 1);
    assert_eq!(ask(&app, &[("q", "同样的内容")]).await["total"], 53);
    app.finish().await;
}
