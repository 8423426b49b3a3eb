//! Search: what is published is found, what is taken back is not; the follower and its index.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::Method;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use xiangxun::app::App;
use xiangxun::articles::content;
use xiangxun::db::entities::account::{self, AccountState};
use xiangxun::db::entities::article::{self, ArticleState, BodyFormat, Tags};
use xiangxun::mail::Mailer;
use xiangxun::outbox::{self, Event};
use xiangxun::search::index::{Progress, WriterSize};
use xiangxun::search::{State, follower};
use xiangxun::text::convert;
use xiangxun::text::script::Script;

use crate::both_databases;
use crate::support::TestApp;

/// A passage of `tests/fixtures/search/wiki.jsonl`.
#[derive(serde::Deserialize)]
struct Passage {
    id: String,
    title: String,
    body: String,
    lang: String,
}

fn passages() -> Vec<Passage> {
    let lines = include_str!("../fixtures/search/wiki.jsonl");
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Puts a published article and its event into the database, as publishing does.
pub async fn publish(app: &TestApp, account_id: i64, title: &str, body: &str) -> article::Model {
    let lang = if content_is_traditional(body) { "zh-Hant" } else { "zh-Hans" };
    publish_as(app, account_id, None, title, body, lang, app.app.clock.now().0).await
}

fn content_is_traditional(text: &str) -> bool {
    xiangxun::text::script::detect(text) == xiangxun::text::script::Script::Hant
}

pub async fn publish_as(
    app: &TestApp,
    account_id: i64,
    external_id: Option<&str>,
    title: &str,
    body: &str,
    lang: &str,
    published_at: i64,
) -> article::Model {
    let now = app.app.clock.now();
    let tx = app.app.db.begin().await.unwrap();
    let article = article::ActiveModel {
        id: NotSet,
        account_id: Set(account_id),
        external_id: Set(external_id.map(str::to_owned)),
        slug: Set(format!("a-{:016x}", rand::random::<u64>())),
        title: Set(title.to_owned()),
        digest: Set(String::new()),
        author: Set("本报记者 王小明".into()),
        body_format: Set(BodyFormat::Html),
        body_source: Set(None),
        body_html: Set(content::from_plain_text(body)),
        cover_url: Set(None),
        tags: Set(Tags(vec!["民生".into()])),
        lang: Set(lang.to_owned()),
        original_url: Set(None),
        state: Set(ArticleState::Published),
        version: Set(1),
        word_count: Set(1),
        created_by: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        publish_at: Set(None),
        published_at: Set(Some(xiangxun::clock::Timestamp(published_at))),
        withdrawn_at: Set(None),
        withdrawn_reason: Set(None),
        idempotency_key: Set(None),
    };
    let article = article.insert(&*tx).await.unwrap();
    let event = Event::ArticlePublished { account_id, article_id: article.id, news: false };
    outbox::record(&tx, now, event).await.unwrap();
    tx.commit().await.unwrap();
    article
}

/// Changes an article, with or without telling of it.
pub async fn change(
    app: &TestApp,
    article: &article::Model,
    event: Option<Event>,
    change: impl FnOnce(&mut article::ActiveModel),
) {
    let tx = app.app.db.begin().await.unwrap();
    let mut row = article.clone().into_active_model();
    change(&mut row);
    row.update(&*tx).await.unwrap();
    if let Some(event) = event {
        outbox::record(&tx, app.app.clock.now(), event).await.unwrap();
    }
    tx.commit().await.unwrap();
}

pub async fn change_account(
    app: &TestApp,
    account: &account::Model,
    change: impl FnOnce(&mut account::ActiveModel),
) {
    let tx = app.app.db.begin().await.unwrap();
    let mut row = account.clone().into_active_model();
    change(&mut row);
    row.update(&*tx).await.unwrap();
    let event = Event::AccountChanged { account_id: account.id };
    outbox::record(&tx, app.app.clock.now(), event).await.unwrap();
    tx.commit().await.unwrap();
}

pub fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::from("/api/v1/search?")).extend_pairs(pairs).finish()
}

pub async fn ask(app: &TestApp, pairs: &[(&str, &str)]) -> Value {
    app.get(&query(pairs)).await.assert_status(200).json()
}

/// Titles found, in order.
pub async fn titles(app: &TestApp, pairs: &[(&str, &str)]) -> Vec<String> {
    let answer = ask(app, pairs).await;
    answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["title"].as_str().unwrap().to_owned())
        .collect()
}

/// Another node's app, or another process, on the same database and data folder.
pub async fn another(app: &TestApp) -> Arc<App> {
    let letters = Arc::new(Mutex::new(Vec::new()));
    App::open_with(app.app.config.clone(), Mailer::memory(letters), app.app.clock.clone()).await.unwrap()
}

/// The folder of the live index.
pub fn live_index(app: &App) -> PathBuf {
    let root = app.config.data.join("index");
    root.join(std::fs::read_to_string(root.join("current")).unwrap())
}

pub fn largest_file(folder: &Path, ending: &str) -> PathBuf {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|e| e == ending));
    files.max_by_key(|path| path.metadata().unwrap().len()).unwrap()
}

both_databases! {
    async fn what_is_published_is_found_and_what_is_withdrawn_is_not(app) {
        let (account, _) = app.account("daily").await;
        let article = publish(app, account.id, "颱風登陸臺灣東部", "中央氣象署今日發布海上颱風警報，請民眾注意安全。").await;
        follower::catch_up(&app.app).await.unwrap();
        let answer = ask(app, &[("q", "台风登陆")]).await;
        assert_eq!((answer["query"].as_str(), answer["total"].as_i64()), (Some("台风登陆"), Some(1)));
        assert!(answer["took_ms"].as_f64().unwrap() >= 0.0 && answer["next_cursor"].is_null());
        let item = &answer["items"][0];
        assert_eq!(item["id"], article.id);
        assert_eq!(item["external_id"], Value::Null);
        assert_eq!(item["url"], format!("http://xiangxun.test/@daily/{}", article.slug));
        assert_eq!(item["account"], serde_json::json!({ "handle": "daily", "name": "daily 日报" }));
        assert_eq!((item["author"].as_str(), item["lang"].as_str()), (Some("本报记者 王小明"), Some("zh-Hant")));
        assert!(item["published_at"].as_str().unwrap().ends_with('Z') && item["score"].as_f64().unwrap() > 0.0);

        let revised = Event::ArticleRevised { account_id: account.id, article_id: article.id };
        change(app, &article, Some(revised), |row| row.title = Set("颱風轉向".into())).await;
        follower::catch_up(&app.app).await.unwrap();
        assert_eq!(titles(app, &[("q", "\"登陆\"")]).await, [""; 0]);
        assert_eq!(titles(app, &[("q", "颱风转向")]).await, ["颱風轉向"]);

        let withdrawn = Event::ArticleWithdrawn { account_id: account.id, article_id: article.id };
        change(app, &article, Some(withdrawn), |row| row.state = Set(ArticleState::Withdrawn)).await;
        follower::catch_up(&app.app).await.unwrap();
        assert_eq!(titles(app, &[("q", "台风转向")]).await, [""; 0]);
        assert_eq!(app.app.search.shelf().live().unwrap().count(), 0);
    }

    async fn what_readers_may_not_see_is_not_shown_even_if_the_index_lags(app) {
        let (account, _) = app.account("daily").await;
        let mut articles = Vec::new();
        for n in 0..30 {
            articles.push(publish(app, account.id, &format!("春运第{n}天"), "旅客平安返乡。").await);
        }
        follower::catch_up(&app.app).await.unwrap();
        for article in &articles[..12] {
            change(app, article, None, |row| row.state = Set(ArticleState::Withdrawn)).await;
        }
        let answer = ask(app, &[("q", "平安返乡"), ("limit", "10")]).await;
        assert_eq!(answer["items"].as_array().unwrap().len(), 10);
        let gone: Vec<i64> = articles[..12].iter().map(|article| article.id).collect();
        let items = answer["items"].as_array().unwrap();
        assert!(items.iter().all(|item| !gone.contains(&item["id"].as_i64().unwrap())));
    }

    async fn an_accounts_name_and_state_reach_all_of_its_articles(app) {
        let (account, _) = app.account("daily").await;
        publish(app, account.id, "第一篇", "内容甲").await;
        publish(app, account.id, "第二篇", "内容乙").await;
        follower::catch_up(&app.app).await.unwrap();
        change_account(app, &account, |row| row.name = Set("海外華僑報".into())).await;
        follower::catch_up(&app.app).await.unwrap();
        assert_eq!(titles(app, &[("q", "华侨报")]).await.len(), 2);
        change_account(app, &account, |row| row.state = Set(AccountState::Suspended)).await;
        follower::catch_up(&app.app).await.unwrap();
        assert_eq!(titles(app, &[("q", "内容")]).await.len(), 0);
        assert_eq!(app.app.search.shelf().live().unwrap().count(), 0);
        change_account(app, &account, |row| row.state = Set(AccountState::Active)).await;
        follower::catch_up(&app.app).await.unwrap();
        assert_eq!(titles(app, &[("q", "内容")]).await.len(), 2);
    }

    async fn every_quoted_run_of_either_script_finds_its_article(app) {
        let (account, _) = app.account("wiki").await;
        let passages = passages();
        for passage in &passages {
            publish_as(app, account.id, Some(&passage.id), &passage.title, &passage.body, &passage.lang, 0).await;
        }
        follower::catch_up(&app.app).await.unwrap();
        let mut random = Random(7);
        let mut asked = 0;
        while asked < 150 {
            let passage = &passages[random.below(passages.len())];
            let letters: Vec<char> = passage.body.chars().collect();
            let length = 2 + random.below(11);
            let start = random.below(letters.len() - length);
            let run: String = letters[start..start + length].iter().collect();
            if run.contains(['"', '“', '”', '＂', '«', '»']) || xiangxun::text::fold::letters(&run).chars().count() < 2 {
                continue;
            }
            asked += 1;
            let other = if passage.lang == "zh-Hant" { Script::Hans } else { Script::Hant };
            for run in [convert::to(other, &run).into_owned(), run] {
                let answer = ask(app, &[("q", &format!("\"{run}\"")), ("limit", "100")]).await;
                let found = answer["items"].as_array().unwrap().iter();
                let ids: Vec<&str> = found.map(|item| item["external_id"].as_str().unwrap()).collect();
                assert!(ids.contains(&passage.id.as_str()), "{run} of {}: {ids:?}", passage.id);
                let folded = xiangxun::text::fold::letters(&run);
                for id in ids {
                    let hit = passages.iter().find(|p| p.id == id).unwrap();
                    let text = xiangxun::text::fold::letters(&format!("{}\n{}", hit.title, hit.body));
                    assert!(text.contains(&folded), "{run} is not in {id}");
                }
            }
        }
    }

    async fn paging_visits_every_result_once_in_every_order(app) {
        let (account, _) = app.account("daily").await;
        for n in 0..57 {
            let text = format!("经济新闻第{n}条，{}", "增长".repeat(n % 7));
            publish_as(app, account.id, None, &format!("经济新闻{n}"), &text, "zh-Hans", n as i64 % 10 * 1_000).await;
        }
        follower::catch_up(&app.app).await.unwrap();
        for sort in ["relevance", "newest", "oldest"] {
            let (mut seen, mut cursor, mut pages, mut last) = (BTreeSet::new(), String::new(), 0, f64::MAX);
            loop {
                let answer = ask(app, &[("q", "经济 新闻"), ("limit", "10"), ("sort", sort), ("cursor", &cursor)]).await;
                assert_eq!(answer["total"], 57);
                for item in answer["items"].as_array().unwrap() {
                    assert!(seen.insert(item["id"].as_i64().unwrap()), "twice: {item}");
                    let published = || chrono::DateTime::parse_from_rfc3339(item["published_at"].as_str().unwrap()).unwrap().timestamp() as f64;
                    let key = match sort {
                        "newest" => published(),
                        "oldest" => -published(),
                        _ => item["score"].as_f64().unwrap(),
                    };
                    assert!(key <= last);
                    last = key;
                }
                pages += 1;
                match answer["next_cursor"].as_str() {
                    Some(next) => cursor = next.to_owned(),
                    None => break,
                }
            }
            assert_eq!((seen.len(), pages), (57, 6));
        }
    }

    async fn filters_narrow_by_account_time_and_language(app) {
        let (north, _) = app.account("north").await;
        let (south, _) = app.account("south").await;
        let day = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
        publish_as(app, north.id, None, "北方小麦", "农业消息", "zh-Hans", day("2026-01-31T15:00:00Z")).await;
        publish_as(app, south.id, None, "南方稻米", "農業消息", "zh-Hant", day("2026-02-01T01:00:00Z")).await;
        follower::catch_up(&app.app).await.unwrap();
        let both = ["南方稻米", "北方小麦"];
        assert_eq!(titles(app, &[("q", "农业"), ("sort", "newest")]).await, both);
        for (filter, found) in [
            (("account", "@north"), &both[1..]),
            (("account", "SOUTH"), &both[..1]),
            (("account", "nobody"), &[]),
            (("lang", "zh-Hant"), &both[..1]),
            (("from", "2026-02"), &both[..1]),
            (("to", "2026-01-31"), &both[1..]),
            (("to", "2026-02-01"), &both[..]),
            (("from", "2026"), &both[..]),
        ] {
            assert_eq!(titles(app, &[("q", "农业"), ("sort", "newest"), filter]).await, found, "{filter:?}");
        }
        // Without words a filter alone lists what it lets through.
        assert_eq!(titles(app, &[("account", "north")]).await, ["北方小麦"]);
        for wrong in [("from", "gestern"), ("cursor", "x"), ("limit", "many"), ("sort", "best")] {
            let answer = app.get(&query(&[("q", "农业"), wrong])).await.assert_status(422);
            assert_eq!(answer.json()["errors"][0]["field"], wrong.0);
        }
    }

    async fn any_query_gets_an_answer_on_page_and_api(app) {
        let (account, _) = app.account("daily").await;
        publish(app, account.id, "<script>alert(1)</script> & 臺灣", "颱風“登陸”<b>了</b>").await;
        follower::catch_up(&app.app).await.unwrap();
        let long = format!("q={}", "%E5%AD%97".repeat(850));
        for raw in [
            "", "q=", "q=%00%ff%fe", "q=%22", "q=%22%22", "q=-", "q=--", "q=-%22a", "q=%E2%80%9C", "q=AND+OR+NOT", "q=*", "q=a:b^2~",
            "q=(((((", "q=%F0%9F%91%8D", "q=%E8%87%BA", "q=a&q=b", "%&&==", "q=%EF%BF%BF", "q=-%E8%87%BA", &long,
        ] {
            app.get(&format!("/api/v1/search?{raw}")).await.assert_status(200);
            app.get(&format!("/search?{raw}")).await.assert_status(200);
            app.get(&format!("/search/feed.json?{raw}")).await.assert_status(200);
        }
        let page = app.get(&query(&[("q", "台湾 登陆")]).replace("/api/v1", "")).await.assert_status(200).text();
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; <mark>臺灣</mark>"), "{page}");
        assert!(page.contains("<mark>登陸</mark>”&lt;b&gt;了") && !page.contains("⟦"), "{page}");
        for language in ["zh-CN", "zh-TW", "en"] {
            for path in ["/search", "/search?q=qqq", "/search?q=臺灣&from=x", "/search?q=臺灣&account=daily"] {
                let path = path.replace("臺灣", "%E8%87%BA%E7%81%A3");
                let request = app.request(Method::GET, &path).header("accept-language", language);
                let page = app.send(request.body(axum::body::Body::empty()).unwrap()).await.assert_status(200);
                assert!(!page.text().contains("⟦"), "{}", page.text());
            }
        }
    }

    async fn a_running_follower_makes_articles_searchable_within_a_second(app) {
        let (account, _) = app.account("daily").await;
        let node = another(app).await;
        let stop = CancellationToken::new();
        assert_eq!(app.get("/readyz").await.status, 503);
        let here = tokio::spawn(follower::run(app.app.clone(), stop.clone()));
        wait_for("the index", || app.app.search.state() == State::CaughtUp).await;
        assert_eq!(app.get("/readyz").await.status, 200);
        let started = Instant::now();
        let article = publish(app, account.id, "即时新闻", "刚刚发生").await;
        loop {
            if ask(app, &[("q", "即时新闻")]).await["total"] == 1 {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(1), "not searchable after a second");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Rebuilding from elsewhere swaps the index under the running follower.
        let before = live_index(&app.app);
        follower::rebuild(&node, |_, _| {}).await.unwrap();
        assert_ne!(live_index(&app.app), before);
        wait_for("the swap", || app.app.search.shelf().live().unwrap().name() == live_index(&app.app).file_name().unwrap().to_str().unwrap()).await;
        assert_eq!(ask(app, &[("q", "即时新闻")]).await["total"], 1);
        let withdrawn = Event::ArticleWithdrawn { account_id: account.id, article_id: article.id };
        change(app, &article, Some(withdrawn), |row| row.state = Set(ArticleState::Withdrawn)).await;
        wait_for("the withdrawal", || app.app.search.shelf().live().unwrap().count() == 0).await;
        wait_for("the old index to go", || !before.exists()).await;
        stop.cancel();
        here.await.unwrap();
        node.db.clone().close().await.unwrap();
    }

    async fn work_that_was_not_committed_is_done_again_and_nothing_twice(app) {
        let (account, _) = app.account("daily").await;
        let mut articles = Vec::new();
        for n in 0..20 {
            articles.push(publish(app, account.id, &format!("新闻{n}"), "同样的内容").await);
        }
        follower::catch_up(&app.app).await.unwrap();
        let volume = app.app.search.shelf().live().unwrap();
        let cursor = volume.progress().unwrap().cursor;
        assert_eq!(cursor, outbox::latest(app.app.db.read()).await.unwrap());
        for n in 20..30 {
            articles.push(publish(app, account.id, &format!("新闻{n}"), "同样的内容").await);
        }
        // A follower dies before its commit: neither its articles nor its cursor are there.
        let rows = xiangxun::search::queries::published_after(app.app.db.read(), 0, 100).await.unwrap();
        let entries: Vec<_> = rows.into_iter().map(|row| row.into_entry()).collect();
        let writer = volume.writer(WriterSize::Small).unwrap();
        entries.iter().for_each(|entry| writer.upsert(entry).unwrap());
        drop(writer);
        let node = another(app).await;
        follower::catch_up(&node).await.unwrap();
        assert_eq!(node.search.shelf().live().unwrap().count(), 30);
        // One comes back that had committed articles, but an older cursor: all is done again.
        let volume = node.search.shelf().live().unwrap();
        let mut writer = volume.writer(WriterSize::Small).unwrap();
        entries.iter().for_each(|entry| writer.upsert(entry).unwrap());
        writer.commit(Progress::default()).unwrap();
        writer.finish().unwrap();
        assert_eq!(follower::catch_up(&app.app).await.unwrap(), 30);
        assert_eq!(app.app.search.shelf().live().unwrap().count(), 30);
        assert_eq!(ask(app, &[("q", "\"同样的内容\"")]).await["total"], 30);
        node.db.clone().close().await.unwrap();
    }

    async fn a_damaged_missing_or_old_index_is_built_anew(app) {
        let (account, _) = app.account("daily").await;
        for n in 0..20 {
            publish(app, account.id, &format!("新闻{n}"), "同样的内容").await;
        }
        follower::catch_up(&app.app).await.unwrap();
        let root = app.app.config.data.join("index");
        type Harm = fn(&Path, &Path);
        let harms: [(&str, Harm); 11] = [
            ("another database's", |_, live| {
                let meta = std::fs::read_to_string(live.join("meta.json")).unwrap();
                std::fs::write(live.join("meta.json"), meta.replace("\\\"at\\\":", "\\\"at\\\":1")).unwrap();
            }),
            ("a byte flipped", |_, live| {
                let file = largest_file(live, "idx");
                let mut bytes = std::fs::read(&file).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x55;
                std::fs::write(&file, bytes).unwrap();
            }),
            ("a file cut short", |_, live| {
                let file = largest_file(live, "term");
                let bytes = std::fs::read(&file).unwrap();
                std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
            }),
            ("a file deleted", |_, live| std::fs::remove_file(largest_file(live, "pos")).unwrap()),
            ("a byte of the bigrams flipped", |_, live| {
                let file = largest_file(live, "grams");
                let mut bytes = std::fs::read(&file).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x55;
                std::fs::write(&file, bytes).unwrap();
            }),
            ("the bigrams cut short", |_, live| {
                let file = largest_file(live, "grams");
                let bytes = std::fs::read(&file).unwrap();
                std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
            }),
            ("the bigrams deleted", |_, live| std::fs::remove_file(largest_file(live, "grams")).unwrap()),
            ("no meta", |_, live| std::fs::write(live.join("meta.json"), "{").unwrap()),
            ("another version", |root, _| std::fs::write(root.join("current"), "v0-9").unwrap()),
            ("its folder deleted", |_, live| std::fs::remove_dir_all(live).unwrap()),
            ("all deleted", |root, _| std::fs::remove_dir_all(root).unwrap()),
        ];
        for (harm, harmed) in harms {
            harmed(&root, &live_index(&app.app));
            let node = another(app).await;
            follower::catch_up(&node).await.unwrap_or_else(|error| panic!("{harm}: {error:#}"));
            assert_eq!(node.search.shelf().live().unwrap().count(), 20, "{harm}");
            node.db.clone().close().await.unwrap();
        }
    }
}

pub async fn wait_for(what: &str, happened: impl Fn() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < Duration::from_secs(10), "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// xorshift: the same runs each time.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
