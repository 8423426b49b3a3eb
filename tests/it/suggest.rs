//! Suggestions: what is typed in either script or in pinyin finds accounts, tags and titles; what was
//! withdrawn is not suggested; near misses lead to what was meant.

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use xiangxun::accounts::{self, By, NewAccount};
use xiangxun::app::App;
use xiangxun::articles::{self, NewArticle, content};
use xiangxun::outbox::{self, Event};
use xiangxun::search::suggest::{self, Suggestion, follower};
use xiangxun::text::{fold, pinyin};

use crate::both_databases;
use crate::support::{Backend, TestApp};

async fn open(app: &App, handle: &str, name: &str) -> i64 {
    let new =
        NewAccount { handle: handle.into(), name: name.into(), bio: String::new(), lang: "zh-Hans".into() };
    accounts::open(app, By::Console, None, &new).await.unwrap().id
}

/// Publishes titles, the last one newest.
async fn publish(app: &App, account_id: i64, titles: &[&str]) -> Vec<i64> {
    let now = app.clock.now();
    let article = |(at, title): (usize, &&str)| {
        let html = content::from_plain_text("正文。");
        let mut article = NewArticle::new(account_id, &format!("{title}-{at}"), title, html);
        article.tags = vec!["民生觀察".into()];
        article.published_at = Some(now - Duration::from_secs(600 - at as u64));
        article
    };
    let batch = titles.iter().enumerate().map(article).collect();
    let tx = app.db.begin().await.unwrap();
    let written = articles::insert_imported(&tx, now, batch).await.unwrap().inserted;
    tx.commit().await.unwrap();
    written
}

async fn texts(app: &TestApp, typed: &str) -> Vec<String> {
    let found = suggest::suggest(&app.app, typed, 8).await.unwrap();
    found.into_iter().map(|one: Suggestion| one.text).collect()
}

const TITLES: [&str; 8] = [
    "重庆银行行长谈长三角一体化",
    "國務院新聞辦公室舉行發布會",
    "西安地铁新线开通",
    "先行示范区五年回顾",
    "5G 手机出货量创新高",
    "OpenAI 发布新模型",
    "人民币汇率走强",
    "女排姑娘的绿色旅程",
];

async fn outlet(app: &TestApp) -> Vec<i64> {
    let daily = open(&app.app, "people-daily", "人民日报").await;
    open(&app.app, "zaobao", "聯合早報").await;
    let written = publish(&app.app, daily, &TITLES).await;
    follower::load(&app.app).await.unwrap();
    written
}

both_databases! {
    async fn what_is_typed_finds_names_tags_and_titles_in_any_form(app) {
        outlet(app).await;
        for (typed, wanted) in [
            ("人民日", "人民日报"), ("人民日報", "人民日报"), ("renminribao", "人民日报"), ("rmrb", "人民日报"),
            ("rénmín rì", "人民日报"), ("ren2min2ri4", "人民日报"), ("人min日报", "人民日报"), ("people", "人民日报"),
            ("renmrb", "人民日报"), ("rminribao", "人民日报"), ("日报", "人民日报"),
            ("联合", "聯合早報"), ("lianhezaobao", "聯合早報"), ("lhzb", "聯合早報"),
            ("民生观", "民生觀察"), ("minshengguancha", "民生觀察"), ("msgc", "民生觀察"),
            ("chongqingyinhanghangzhang", TITLES[0]), ("cqyhhz", TITLES[0]), ("changsanjiao", TITLES[0]),
            ("国务院新闻", TITLES[1]), ("guowuyuanxin", TITLES[1]), ("gwyxw", TITLES[1]), ("fabuhui", TITLES[1]),
            ("xian", TITLES[2]), ("xi'an", TITLES[2]), ("xian", TITLES[3]), ("西an地tie", TITLES[2]),
            ("5gshouji", TITLES[4]), ("5G手机", TITLES[4]), ("５ｇ手", TITLES[4]), ("sjchl", TITLES[4]),
            ("openai", TITLES[5]), ("openaifabu", TITLES[5]), ("rmb", TITLES[6]), ("renminbihui", TITLES[6]),
            ("nvpai", TITLES[7]), ("nüpai", TITLES[7]), ("lvse", TITLES[7]),
        ] {
            let found = texts(app, typed).await;
            assert!(found.iter().any(|text| text == wanted), "{typed}: {found:?}");
        }
        assert_eq!(texts(app, "rmrb").await[0], "人民日报", "an account whose name matches comes first");
        assert!(!texts(app, "xi'an").await.contains(&TITLES[3].to_owned()), "xi'an is two syllables");
        for nothing in ["", " ", "，。", "zzzzzz", "'", "%", "\u{0}", "𠮷𠮷"] {
            assert!(texts(app, nothing).await.is_empty(), "{nothing:?}");
        }
        for any in ["a".repeat(5_000), "人".repeat(3_000), "xianxianxian".repeat(200), "\u{FFFD}'\"<b>".into()] {
            texts(app, &any).await;
        }
    }

    async fn suggestions_follow_what_is_published_and_withdrawn(app) {
        let written = outlet(app).await;
        let stop = CancellationToken::new();
        let following = tokio::spawn(follower::run(app.app.clone(), stop.clone()));
        // Its own load is over when the new title is there.
        let account = open(&app.app, "nanfang", "南方周末").await;
        publish(&app.app, account, &["台风登陆海南"]).await;
        until(app, "tfdl", |found| found.contains(&"台风登陆海南".to_owned())).await;
        until(app, "nfzm", |found| found.contains(&"南方周末".to_owned())).await;
        accounts::suspend(&app.app, By::Console, account).await.unwrap();
        assert!(texts(app, "台风").await.is_empty(), "at once, whatever the node has in memory");
        assert!(texts(app, "nanfang").await.is_empty());
        accounts::reinstate(&app.app, By::Console, account).await.unwrap();
        until(app, "nfzm", |found| found.contains(&"南方周末".to_owned())).await;
        // A title that was changed is found by the new one only.
        retitle(app, written[2], "咸阳地铁新线开通").await;
        until(app, "xianyangditie", |found| found == ["咸阳地铁新线开通"]).await;
        assert!(texts(app, "xianditie").await.is_empty());
        stop.cancel();
        following.await.unwrap();
    }

    async fn the_api_and_the_box_answer_every_string(app) {
        outlet(app).await;
        let answer = app.api(Method::GET, "/api/v1/suggest?q=rmrb", "", &[], Value::Null).await.assert_status(200).json();
        assert_eq!(answer["query"], "rmrb");
        let first = &answer["items"][0];
        assert_eq!(first["kind"], "account");
        assert_eq!(first["text"], "人民日报");
        assert_eq!(first["detail"], "@people-daily");
        assert_eq!(first["url"], "http://xiangxun.test/@people-daily");
        let tag = app.get("/api/v1/suggest?q=msgc").await.json();
        assert_eq!((&tag["items"][0]["kind"], &tag["items"][0]["detail"]), (&"tag".into(), &Value::Null));
        let two = app.get("/api/v1/suggest?q=min&limit=1").await.json();
        assert_eq!(two["items"].as_array().unwrap().len(), 1);
        for odd in ["", "?q=", "?q=%FF%00", "?q=a&limit=none", "?q=a&limit=99999999999999", "?limit=0&q=%E4%BA%BA"] {
            app.get(&format!("/api/v1/suggest{odd}")).await.assert_status(200);
            app.get(&format!("/search/suggestions{odd}")).await.assert_status(200);
        }
        let options = app.get("/search/suggestions?q=guowuyuan").await.assert_status(200);
        assert!(options.header("content-type").starts_with("text/html"));
        let options = options.text();
        assert_eq!(options.matches("role=\"option\"").count(), 1, "{options}");
        assert!(options.contains("國務院新聞辦公室舉行發布會") && options.contains("data-href=\"/@people-daily/"), "{options}");
        assert!(!options.contains("<html"), "only the options");
    }
}

/// Waits until suggestions are as wanted.
async fn until(app: &TestApp, typed: &str, wanted: impl Fn(&[String]) -> bool) {
    let started = Instant::now();
    loop {
        let found = texts(app, typed).await;
        if wanted(&found) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{typed}: {found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn retitle(app: &TestApp, id: i64, title: &str) {
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
    use xiangxun::db::entities::article;
    let tx = app.app.db.begin().await.unwrap();
    let row = article::Entity::find_by_id(id).one(&*tx).await.unwrap().unwrap();
    let account_id = row.account_id;
    let mut row = row.into_active_model();
    row.title = Set(title.to_owned());
    row.update(&*tx).await.unwrap();
    let event = Event::ArticleRevised { account_id, article_id: id };
    outbox::record(&tx, app.app.clock.now(), event).await.unwrap();
    tx.commit().await.unwrap();
}

/// The right answer among the first five, for 95 of 100: names and titles of the demo by full pinyin,
/// initials of four letters and more, and mixed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_titles_are_among_the_first_five_by_pinyin() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.allow_unfinished_jobs();
    xiangxun::demo::seed::seed(&app.app).await.unwrap();
    follower::load(&app.app).await.unwrap();
    let db = app.app.db.read();
    let mut names: Vec<String> =
        suggest::queries::accounts(db).await.unwrap().into_iter().map(|row| row.name).collect();
    names.extend(suggest::queries::titles(db, 10_000).await.unwrap().into_iter().map(|row| row.title));
    assert!(names.len() > 300);
    let (mut asked, mut found, mut missed) = (0, 0, Vec::new());
    for name in &names {
        for typed in forms(name) {
            asked += 1;
            let five: Vec<String> = texts(&app, &typed).await.into_iter().take(5).collect();
            if five.contains(name) {
                found += 1;
            } else {
                missed.push((typed, name.clone(), five));
            }
        }
    }
    println!("{found} of {asked}; {:?}", &missed[..missed.len().min(40)]);
    assert!(found * 100 >= asked * 95, "{found} of {asked}");
    app.finish().await;
}

/// Full, the first six characters, initials of eight and of all, and mixed.
fn forms(name: &str) -> Vec<String> {
    let read = pinyin::read(&fold::fold(name));
    let text =
        |read: &pinyin::Read| read.sound.map_or(read.letter.to_string(), |sound| sound.text().to_owned());
    let initial = |read: &pinyin::Read| read.sound.map_or(read.letter, |sound| sound.initial());
    let full: String = read.iter().map(text).collect();
    let six: String = read.iter().take(6).map(text).collect();
    let eight: String = read.iter().take(8).map(initial).collect();
    let initials: String = read.iter().map(initial).collect();
    let mixed = |(at, read): (usize, &pinyin::Read)| match at % 3 {
        0 => read.letter.to_string(),
        1 => text(read),
        _ => initial(read).to_string(),
    };
    let mixed: String = read.iter().take(8).enumerate().map(mixed).collect();
    vec![full, six, eight, initials, mixed]
}
