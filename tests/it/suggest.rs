//! Suggestions: what is typed in either script or in pinyin finds accounts, tags and titles; what was
//! withdrawn is not suggested; near misses lead to what was meant.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use xiangxun::accounts::{self, By, NewAccount};
use xiangxun::app::App;
use xiangxun::articles::{self, NewArticle, content};
use xiangxun::auth::users::{self, NewUser};
use xiangxun::auth::{Address, Client};
use xiangxun::outbox::{self, Event};
use xiangxun::page::Locale;
use xiangxun::search::insight;
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
        app.post("/script", &[("script", "hant-tw"), ("back", "/")]).await.assert_status(303);
        let options = app.get("/search/suggestions?q=nvpai").await.text();
        assert!(options.contains("lang=\"zh-Hant-TW\"><span>女排姑娘的綠色旅程</span>"), "{options}");
        let options = app.get("/search/suggestions?q=rmrb").await.text();
        assert!(options.contains("<span>人民日报</span>"), "names are as they are written: {options}");
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

both_databases! {
    async fn a_query_that_three_readers_asked_is_suggested(app) {
        outlet(app).await;
        let ask = |reader: u8, query: &'static str, total: usize| {
            let client = Client { ip: [203, 0, 113, reader].into(), user_agent: "tests".into() };
            app.app.insight.searched(app.app.clock.now(), &client, None, query, total);
        };
        for reader in 1..=3 {
            ask(reader, "降準 降息", 5);
            ask(reader, "無人寫過的事", 0);
        }
        for _ in 0..10 {
            ask(9, "只有一个人问", 5);
            ask(9, "13800138000", 5);
        }
        insight::write(&app.app).await.unwrap();
        ask(4, "降准　降息", 5);
        insight::write(&app.app).await.unwrap();
        follower::load(&app.app).await.unwrap();
        for typed in ["jiangzhun", "降准", "jzjx"] {
            assert_eq!(texts(app, typed).await, ["降準 降息"], "{typed}");
        }
        assert!(texts(app, "无人").await.is_empty(), "it finds nothing");
        assert!(texts(app, "只有").await.is_empty(), "one reader is no crowd");
        let since = insight::day_of(app.app.clock.now());
        let top = insight::queries::top(app.app.db.read(), 0, since, 10).await.unwrap();
        let counts: Vec<_> = top.iter().map(|row| (row.shown.as_str(), row.searches, row.empty)).collect();
        assert_eq!(counts, [("降準 降息", 4, 0), ("無人寫過的事", 3, 3), ("只有一个人问", 1, 0)]);
        let missing = insight::queries::not_found(app.app.db.read(), 0, since, 10).await.unwrap();
        assert_eq!(missing.len(), 1);
        // Rare ones are forgotten after a week, all after 90 days.
        app.app.clock.advance(Duration::from_secs(9 * 24 * 3600));
        insight::forget(&app.app).await.unwrap();
        assert_eq!(insight::queries::top(app.app.db.read(), 0, since, 10).await.unwrap().len(), 2);
        app.app.clock.advance(Duration::from_secs(90 * 24 * 3600));
        insight::forget(&app.app).await.unwrap();
        assert!(insight::queries::top(app.app.db.read(), 0, since, 10).await.unwrap().is_empty());
    }

    async fn operators_see_what_readers_looked_for_and_nobody_else_does(app) {
        let (account, publisher) = app.account("rmrb").await;
        let client = Client { ip: [203, 0, 113, 7].into(), user_agent: "tests".into() };
        let now = app.app.clock.now();
        app.app.insight.searched(now, &client, None, "长江<大桥>", 0);
        app.app.insight.searched(now, &client, Some(account.id), "账号内的话", 2);
        app.post("/search/clicked", &[("q", "长江<大桥>"), ("rank", "3")]).await.assert_status(204);
        app.post("/search/clicked", &[("q", "长江<大桥>"), ("rank", "3")]).await.assert_status(204);
        app.post("/search/clicked", &[("q", "长江<大桥>"), ("rank", "5000")]).await.assert_status(204);
        app.post("/search/clicked", &[("q", "a"), ("rank", "1"), ("account", "nobody")]).await.assert_status(204);
        insight::write(&app.app).await.unwrap();
        app.get("/studio/searches").await.assert_status(303);
        app.sign_in(publisher.id).await;
        app.get("/studio/searches").await.assert_status(403);
        let own = app.get("/studio/@rmrb/searches?days=7").await.assert_status(200).text();
        assert!(own.contains("账号内的话") && !own.contains("长江"), "{own}");
        app.sign_out();
        let new = NewUser {
            address: Address::parse("operator@example.org").unwrap(),
            name: "值班".into(),
            password_hash: None,
            operator: true,
            locale: Locale::ZhHans,
        };
        let operator = users::create(&app.app, new).await.unwrap();
        app.sign_in(operator.id).await;
        let site = app.get("/studio/searches").await.assert_status(200).text();
        assert!(site.contains("长江&#60;大桥&#62;") || site.contains("长江&lt;大桥&gt;"), "{site}");
        assert!(!site.contains("账号内的话"));
        assert!(site.contains("<progress max=\"1\" value=\"1\""), "one reader's clicks on a result are one: {site}");
        app.get("/studio/searches?days=abc").await.assert_status(400);
    }
}

both_databases! {
    async fn near_misses_lead_to_what_was_meant(app) {
        let daily = open(&app.app, "people-daily", "人民日报").await;
        publish(&app.app, daily, &[
            "中国经济增长超出预期", "经济增长的新动力", "中国经济稳中向好", "西藏旅游升温", "西藏铁路通车", "臺灣大選結果揭曉",
            "OpenAI 发布新模型", "OpenAI 融资", "防控疫情物资", "防控疫情通报",
        ]).await;
        xiangxun::search::follower::catch_up(&app.app).await.unwrap();
        follower::load(&app.app).await.unwrap();
        for (typed, meant) in [
            ("中国经既增长", "中国经济增长"),
            ("经既增长", "经济增长"),
            ("西葬旅游", "西藏旅游"),
            ("renminribao", "人民日报"),
            ("rmrb", "人民日报"),
            ("zhongguojingji", "中国经济"),
            ("zongguojinji", "中国经济"),
            ("xizanglvyou", "西藏旅游"),
            ("taiwandaxuan", "臺灣大選"),
            ("opnai", "OpenAI"),
            ("防空疫情物资", "防控疫情物资"),
            ("中国经济增涨超出", "中国经济增长超出"),
        ] {
            let query: String = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect();
            let answer = app.get(&format!("/api/v1/search?q={query}")).await.assert_status(200).json();
            assert_eq!(answer["did_you_mean"], meant, "{typed}: {:?}", app.app.suggest.known().proposals(typed));
        }
        for right in ["经济增长", "\"经既\"", "-经既", "龘靐齉爩", "zzz", "title:经既"] {
            let query: String = url::form_urlencoded::byte_serialize(right.as_bytes()).collect();
            let answer = app.get(&format!("/api/v1/search?q={query}")).await.assert_status(200).json();
            assert_eq!(answer["did_you_mean"], Value::Null, "{right}");
        }
        // Where nothing is found, what was meant is shown at once, and it is said so.
        let page = app.get("/search?q=zhongguojingji").await.assert_status(200).text();
        assert!(page.contains("没有找到“zhongguojingji”，以下是“中国经济”的结果。"), "{page}");
        assert!(page.contains("稳中向好"), "{page}");
        // A proposal is in the script that was typed, or else in that of the page.
        let query: String = url::form_urlencoded::byte_serialize("經既增長".as_bytes()).collect();
        let answer = app.get(&format!("/api/v1/search?q={query}")).await.json();
        assert_eq!(answer["did_you_mean"], "經濟增長");
        let request = app.request(Method::GET, "/search?q=zhongguojingji").header("accept-language", "zh-Hant");
        let page = app.send(request.body(Body::empty()).unwrap()).await.assert_status(200).text();
        assert!(page.contains("中國經濟"), "{page}");
    }

    async fn a_wrong_file_of_synonyms_is_named_by_the_settings(app) {
        let file = app.app.config.data.join("words.txt");
        std::fs::write(&file, "央行 = 中国人民银行\n美国\n").unwrap();
        let config = xiangxun::config::Config { synonyms: file.clone(), ..app.app.config.clone() };
        let problems = config.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("synonyms") && problems[0].contains("line 2"), "{problems:?}");
        std::fs::write(&file, "央行 = 中国人民银行\n").unwrap();
        assert!(config.problems().is_empty());
    }
}
