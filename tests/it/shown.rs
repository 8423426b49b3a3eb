//! Chinese in the reader's script: on pages, in feeds and in mails, whatever script it was written in.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use xiangxun::db::entities::alert::AlertCadence;
use xiangxun::db::entities::subscription::Cadence;
use xiangxun::db::entities::{article, saved_article, user};
use xiangxun::readers;
use xiangxun::subscriptions::{self, Change};

use crate::both_databases;
use crate::search::publish_as;
use crate::support::TestApp;

const TITLE: &str = "软件里的头发";
const BODY: &str = "网络上的内存，后面还有<code>软件 里</code>。";

/// An article written in `lang`, with a body of HTML.
async fn written(app: &TestApp, account: i64, title: &str, html: &str, lang: &str) -> article::Model {
    let now = app.app.clock.now().0;
    let row = publish_as(app, account, None, title, "", lang, now).await;
    let mut changed = row.into_active_model();
    changed.body_html = Set(format!("<p>{html}</p>"));
    changed.update(app.app.db.write()).await.unwrap()
}

/// As somebody asks whose browser is set to a language.
async fn ask(app: &TestApp, path: &str, language: &str) -> String {
    let request = app.request(Method::GET, path).header("accept-language", language);
    app.send(request.body(Body::empty()).unwrap()).await.assert_status(200).text()
}

/// What stands between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap_or_else(|| panic!("{from} in {text}")).1.split_once(to).unwrap().0
}

fn prose(page: &str) -> &str {
    between(page, "<div class=\"prose\"", "</div>")
}

async fn user_now(app: &TestApp, id: i64) -> user::Model {
    user::Entity::find_by_id(id).one(app.app.db.write()).await.unwrap().unwrap()
}

both_databases! {
    async fn an_article_is_shown_in_the_readers_script(app) {
        let (account, _) = app.account("daily").await;
        let article = written(app, account.id, TITLE, BODY, "zh-Hans").await;
        let path = format!("/@daily/{}", article.slug);
        for (language, tag, title, body) in [
            ("zh-CN", "zh-Hans", TITLE, "网络上的内存，后面还有<code>软件 里</code>。"),
            ("zh-TW,zh;q=0.8", "zh-Hant-TW", "軟體裡的頭髮", "網路上的記憶體，後面還有<code>软件 里</code>。"),
            ("zh-HK", "zh-Hant-HK", "軟件裏的頭髮", "網絡上的內存，後面還有<code>软件 里</code>。"),
            ("en", "zh-Hans", TITLE, "网络上的内存，后面还有<code>软件 里</code>。"),
            ("", "zh-Hans", TITLE, "网络上的内存，后面还有<code>软件 里</code>。"),
        ] {
            let page = ask(app, &path, language).await;
            assert_eq!(prose(&page), format!(" lang=\"{tag}\"><p>{body}</p>"), "{language}");
            assert!(page.contains(&format!("<h1 lang=\"{tag}\">{title}</h1>")), "{language}");
            assert!(page.contains(&format!("<title>{title} · ")), "{language}");
            assert!(page.contains(&format!("<link rel=\"canonical\" href=\"http://xiangxun.test{path}\">")));
            for (alternate, query) in [("zh-Hans", "?script=hans"), ("zh-Hant-TW", "?script=hant-tw"), ("zh-Hant-HK", "?script=hant-hk"), ("x-default", "")] {
                assert!(page.contains(&format!("hreflang=\"{alternate}\" href=\"http://xiangxun.test{path}{query}\">")), "{alternate}");
            }
            let original = format!("href=\"{path}?script=original\"");
            assert_eq!(page.contains(&original), tag != "zh-Hans", "{language}");
        }
        let original = ask(app, &format!("{path}?script=original"), "zh-TW").await;
        assert!(prose(&original).contains("网络上的内存") && original.contains(&format!("<a href=\"{path}\">看繁體（台灣）</a>")));
        let asked = ask(app, &format!("{path}?script=hant-hk"), "en").await;
        assert!(prose(&asked).contains("網絡上的內存"));
        assert!(prose(&ask(app, &format!("{path}?script=klingon"), "zh-TW").await).contains("網路"));
    }

    async fn what_is_not_in_another_script_stays_as_it_is(app) {
        let (account, _) = app.account("daily").await;
        let english = written(app, account.id, "Hair", "Software, 软件 and 頭髮", "en").await;
        let page = ask(app, &format!("/@daily/{}", english.slug), "zh-TW").await;
        assert_eq!(prose(&page), " lang=\"en\"><p>Software, 软件 and 頭髮</p>");
        assert!(!page.contains("hreflang") && !page.contains("script=original"));
        let hong_kong = written(app, account.id, "裏面", "裏面説", "zh-Hant-HK").await;
        let path = format!("/@daily/{}", hong_kong.slug);
        assert_eq!(prose(&ask(app, &path, "zh-HK").await), " lang=\"zh-Hant-HK\"><p>裏面説</p>");
        assert_eq!(prose(&ask(app, &path, "zh-TW").await), " lang=\"zh-Hant-TW\"><p>裡面說</p>");
        assert_eq!(prose(&ask(app, &path, "zh-CN").await), " lang=\"zh-Hans\"><p>里面说</p>");
        let somewhere = written(app, account.id, "裡面", "裡面說", "zh-Hant").await;
        let path = format!("/@daily/{}", somewhere.slug);
        assert_eq!(prose(&ask(app, &path, "zh-HK").await), " lang=\"zh-Hant\"><p>裡面說</p>");
        assert_eq!(prose(&ask(app, &path, "zh-CN").await), " lang=\"zh-Hans\"><p>里面说</p>");
    }

    async fn a_visitors_choice_is_kept_and_no_page_of_another_script_is_given(app) {
        let (account, _) = app.account("daily").await;
        let article = written(app, account.id, TITLE, BODY, "zh-Hans").await;
        let path = format!("/@daily/{}", article.slug);
        assert!(ask(app, &path, "zh-CN").await.contains(TITLE));
        let back = format!("{path}?script=original&a=1");
        let answer = app.post("/script", &[("script", "hant-tw"), ("back", &back)]).await.assert_status(303);
        assert_eq!(answer.location(), format!("{path}?a=1"));
        for path in [path.as_str(), "/", "/@daily"] {
            for _ in 0..2 {
                let page = ask(app, path, "zh-CN").await;
                assert!(page.contains("軟體裡的頭髮") && page.contains("<html lang=\"zh-Hans\""), "{path}");
                let other = app.send_alone(axum::http::Request::builder().uri(path).header("host", "xiangxun.test").header("accept-language", "zh-CN").body(Body::empty()).unwrap()).await;
                assert!(other.text().contains(TITLE), "{path}");
            }
        }
        app.post("/script", &[("script", "original")]).await.assert_status(303);
        assert!(ask(app, &path, "zh-TW").await.contains(TITLE));
        app.post("/script", &[("script", "klingon")]).await.assert_status(422);
        app.post("/script", &[("script", "hans"), ("back", "//elsewhere.test/")]).await.assert_status(303);
    }

    async fn a_users_choice_is_kept_with_the_settings(app) {
        let (account, _) = app.account("daily").await;
        let article = written(app, account.id, TITLE, BODY, "zh-Hans").await;
        let path = format!("/@daily/{}", article.slug);
        let reader = app.user("mei@example.org").await;
        app.sign_in(reader.id).await;
        assert!(app.get(&path).await.text().contains(TITLE));
        app.post("/script", &[("script", "hant-hk")]).await.assert_status(303);
        assert_eq!(user_now(app, reader.id).await.script, "hant-hk");
        // In another browser, too.
        app.sign_out();
        app.sign_in(reader.id).await;
        assert!(app.get(&path).await.text().contains("軟件裏的頭髮"));
        let settings = app.get("/settings").await.assert_status(200).text();
        assert!(settings.contains("<option value=\"hant-hk\" selected>"), "{settings}");
        let profile = |script| [("name", "梅"), ("locale", "zh-Hans"), ("timezone", "Asia/Shanghai"), ("script", script)];
        app.post("/settings", &profile("hant-tw")).await.assert_status(303);
        assert!(app.get(&path).await.text().contains("軟體裡的頭髮"));
        assert!(app.post("/settings", &profile("latin")).await.assert_status(422).text().contains("请选择一种文字"));
        app.post("/settings", &profile("")).await.assert_status(303);
        assert!(app.get(&path).await.text().contains(TITLE));
    }

    async fn lists_and_results_are_in_the_readers_script_and_marks_stand_where_they_stood(app) {
        let (account, owner) = app.account("daily").await;
        let mut row = account.clone().into_active_model();
        row.bio = Set("关于软件".into());
        row.update(app.app.db.write()).await.unwrap();
        let article = written(app, account.id, TITLE, "加内存条，头发里。", "zh-Hans").await;
        xiangxun::search::follower::catch_up(&app.app).await.unwrap();
        let page = ask(app, "/@daily", "zh-TW").await;
        assert!(page.contains("關於軟體") && page.contains("軟體裡的頭髮"));
        assert!(page.contains("daily 日报"), "a name is as its owner writes it");
        let found = ask(app, "/search?q=%22%E5%A4%B4%E5%8F%91%22", "zh-TW").await;
        assert!(found.contains("軟體裡的<mark>頭髮</mark>"), "{found}");
        assert!(found.contains("<mark>頭髮</mark>裡"), "{found}");
        app.follow(&owner, account.id, Cadence::Instant).await;
        app.sign_in(owner.id).await;
        app.post("/script", &[("script", "hant-tw")]).await.assert_status(303);
        assert!(app.get("/timeline").await.text().contains(&format!("/@daily/{}\">軟體裡的頭髮", article.slug)));
    }

    async fn a_body_is_converted_anew_when_the_article_has_changed(app) {
        let (account, _) = app.account("daily").await;
        let article = written(app, account.id, TITLE, BODY, "zh-Hans").await;
        let path = format!("/@daily/{}?script=hant-tw", article.slug);
        let read = async || prose(&ask(app, &path, "zh").await).to_owned();
        assert!(read().await.contains("記憶體"));
        let mut changed = article.clone().into_active_model();
        changed.body_html = Set("<p>鼠标</p>".into());
        changed.version = Set(article.version + 1);
        changed.update(app.app.db.write()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        assert!(read().await.contains("滑鼠"));
    }

    async fn feeds_are_in_the_script_that_their_address_names(app) {
        let (account, _) = app.account("daily").await;
        let article = written(app, account.id, TITLE, BODY, "zh-Hans").await;
        xiangxun::search::follower::catch_up(&app.app).await.unwrap();
        for (feed, query) in [("/feed", "?"), ("/@daily/feed", "?"), ("/search/feed", "?q=%E8%BD%AF%E4%BB%B6&")] {
            for format in ["atom", "rss", "json"] {
                let path = format!("{feed}.{format}{}", query.trim_end_matches(['?', '&']));
                let in_script = |script: &str| format!("{feed}.{format}{query}script={script}");
                let plain = app.get(&path).await.assert_status(200);
                assert!(plain.text().contains(TITLE) && !plain.text().contains("script="), "{path}");
                let converted = app.get(&in_script("hant-tw")).await.assert_status(200);
                let text = converted.text();
                for words in ["軟體裡的頭髮", "記憶體", "软件 里", "zh-Hant-TW", &format!("{feed}.{format}?"), &format!("{}?script=hant-tw", article.slug)] {
                    assert!(text.contains(words), "{path}: {words} in {text}");
                }
                assert_ne!(plain.header("etag"), converted.header("etag"), "{path}");
                let refused = app.get(&in_script("klingon")).await.assert_status(422);
                assert!(refused.text().contains("请选择一种文字"), "{path}");
            }
        }
        // Pages name the feeds as the reader is shown what is in them; of many accounts, as the reader chose.
        for (path, language, feed) in [
            ("/@daily", "zh-TW", "/@daily/feed.atom?script=hant-tw"),
            ("/@daily", "zh-CN", "/@daily/feed.atom"),
            ("/@daily", "en", "/@daily/feed.atom"),
            ("/", "zh-TW", "/feed.atom"),
            ("/?script=hant-tw", "zh-TW", "/feed.atom?script=hant-tw"),
        ] {
            assert!(ask(app, path, language).await.contains(&format!("href=\"{feed}\"")), "{path} {language}");
        }
        assert!(ask(app, "/@daily?script=hant-hk", "zh-TW").await.contains("href=\"/@daily/feed.atom?script=hant-hk\""));
    }

    async fn mails_are_in_the_script_of_whom_they_are_written_to(app) {
        let (account, owner) = app.account("daily").await;
        app.subscriber(account.id, "hans@example.org").await;
        let hong_kong = app.subscriber(account.id, "hk@example.org").await;
        app.subscriber(account.id, "tw@example.org").await;
        let user = app.user("tw@example.org").await;
        choose(app, "hk@example.org", "hant-hk").await;
        choose(app, "tw@example.org", "hant-tw").await;
        assert_eq!(user_now(app, user.id).await.script, "hant-tw");
        let article = written(app, account.id, TITLE, BODY, "zh-Hans").await;
        app.push(account.id, &[&article]).await;
        app.work().await;
        let mut letters = app.take_letters();
        letters.sort_by(|a, b| a.to.cmp(&b.to));
        let said: Vec<(&str, &str, bool)> = letters.iter().map(|letter| (letter.to.as_str(), letter.subject.as_str(), letter.text.contains("隨時可以") || letter.html.contains("zh-Hant"))).collect();
        assert_eq!(said, [
            ("hans@example.org", TITLE, false),
            ("hk@example.org", "軟件裏的頭髮", true),
            ("tw@example.org", "軟體裡的頭髮", true),
        ]);
        assert!(letters[1].text.contains("網絡上的內存") && letters[2].text.contains("網路上的記憶體"));

        // Digests and alerts as well.
        subscriptions::change(&app.app, hong_kong.id, Change::Daily).await.unwrap();
        app.alert(&user, "软件", AlertCadence::Instant).await;
        let news = app.news(&account, &owner, "新软件", "新的软件和内存").await;
        app.work().await;
        let alert = app.take_letters().pop().unwrap();
        assert!(alert.subject.contains("新軟體") && alert.html.contains("新的<mark class=\"hit\" style=\"background:#f7e7b0;color:inherit\">軟體</mark>和記憶體"), "{}", alert.html);
        let digest = app.morning().await.into_iter().find(|letter| letter.to == "hk@example.org").unwrap();
        assert!(digest.subject.contains("新軟件") && digest.html.contains("lang=\"zh-Hant-HK\""), "{}", digest.html);
        assert_eq!(news.lang, "zh-Hans");
    }

    async fn a_marked_name_stays_as_it_is_written(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "范里", "<p>作者<span translate=\"no\">范里</span>与<b class=\"notranslate x\">后里</b>说</p>").await;
        let article = app.article(id).await;
        assert!(article.body_html.contains("<span translate=\"no\">范里</span>") && article.body_html.contains("<b translate=\"no\">后里</b>"), "{}", article.body_html);
        app.sign_out();
        let page = ask(app, &format!("/@daily/{}?script=hant-tw", article.slug), "zh").await;
        assert!(prose(&page).contains("作者<span translate=\"no\">范里</span>與<b translate=\"no\">后里</b>說"), "{}", prose(&page));
    }

    async fn marks_of_quotation_follow_the_script(app) {
        let (account, _) = app.account("daily").await;
        let body = "他说：“软<b>件‘里’”</b>，it’s <code>“里”</code>";
        let article = written(app, account.id, "“软件”里的‘头发’", body, "zh-Hans").await;
        let path = format!("/@daily/{}", article.slug);
        let page = ask(app, &path, "zh-TW").await;
        assert!(page.contains(">「軟體」裡的『頭髮』</h1>"), "{page}");
        assert!(prose(&page).contains("他說：「軟<b>體『裡』」</b>，it’s <code>“里”</code>"), "{}", prose(&page));
        assert!(prose(&ask(app, &path, "zh-CN").await).contains(body));
        let list = ask(app, "/@daily", "zh-HK").await;
        assert!(list.contains("「軟件」裏的『頭髮』") && list.contains("他説：「軟件『裏』」"), "{list}");
        let feed = app.get("/@daily/feed.json?script=hant-tw").await.assert_status(200).text();
        assert!(feed.contains("「軟體」裡的『頭髮』"), "{feed}");
        let traditional = written(app, account.id, "「裡」", "他說『好』", "zh-Hant").await;
        let page = ask(app, &format!("/@daily/{}", traditional.slug), "zh-CN").await;
        assert!(page.contains(">“里”</h1>") && prose(&page).contains("他说‘好’"), "{page}");
    }

    async fn the_articles_before_and_after_are_shown_by_their_own_language(app) {
        let (account, _) = app.account("daily").await;
        let mut slugs = Vec::new();
        for (hours, title, lang) in [(3, "头发", "zh-Hans"), (2, "Hair 头发", "en"), (1, "頭髮", "zh-Hant")] {
            let row = written(app, account.id, title, "x", lang).await;
            let mut row = row.into_active_model();
            row.published_at = Set(Some(app.app.clock.now() - Duration::from_secs(hours * 3_600)));
            slugs.push(row.update(app.app.db.write()).await.unwrap().slug);
        }
        let english = format!("/@daily/{}", slugs[1]);
        for (language, before, after) in [
            ("zh-TW", "<span lang=\"zh-Hant-TW\">頭髮</span>", "<span lang=\"zh-Hant\">頭髮</span>"),
            ("zh-CN", "<span lang=\"zh-Hans\">头发</span>", "<span lang=\"zh-Hans\">头发</span>"),
            ("", "<span lang=\"zh-Hans\">头发</span>", "<span lang=\"zh-Hant\">頭髮</span>"),
        ] {
            let page = ask(app, &english, language).await;
            assert!(between(&page, "rel=\"prev\"", "</a>").contains(before), "{language}: {page}");
            assert!(between(&page, "rel=\"next\"", "</a>").contains(after), "{language}: {page}");
        }
        let first = ask(app, &format!("/@daily/{}", slugs[0]), "zh-TW").await;
        assert!(between(&first, "rel=\"next\"", "</a>").contains("<span lang=\"en\">Hair 头发</span>"), "{first}");
    }

    async fn names_that_a_body_marks_stay_on_cards_and_in_contents(app) {
        let (account, _) = app.account("daily").await;
        let name = "<span translate=\"no\">范后里</span>";
        let sections: String = ["里", "后", "发展"]
            .iter()
            .map(|words| format!("</p><h2>{name}在{words}</h2><p>正文。"))
            .collect();
        let article = written(app, account.id, "报道", &format!("{name}在软件里说。{sections}"), "zh-Hans").await;
        let mut row = article.clone().into_active_model();
        row.word_count = Set(4_000);
        row.update(app.app.db.write()).await.unwrap();
        for path in ["/", "/@daily"] {
            let page = ask(app, path, "zh-TW").await;
            assert!(page.contains("范后里在軟體裡說。"), "{path}: {page}");
            assert!(between(&ask(app, path, "en").await, "<time ", "</time>").contains("lang=\"en\""), "{path}");
        }
        let path = format!("/@daily/{}", article.slug);
        let (written, shown) = (ask(app, &path, "zh-CN").await, ask(app, &path, "zh-TW").await);
        let contents = between(&shown, "<nav class=\"contents\"", "</nav>");
        for words in ["范后里在裡</a>", "范后里在後</a>", "范后里在發展</a>"] {
            assert!(contents.contains(words), "{contents}");
        }
        let ids = |page: &str| -> Vec<String> {
            page.split("<h2 id=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
        };
        assert_eq!((ids(&written), ids(&written).len()), (ids(&shown), 3));
        assert!(ids(&shown).iter().all(|id| contents.contains(&format!("href=\"#{id}\""))));
    }

    async fn each_script_of_a_page_names_itself_as_the_one_to_keep(app) {
        let (account, _) = app.account("daily").await;
        let article = written(app, account.id, TITLE, BODY, "zh-Hans").await;
        let path = format!("/@daily/{}", article.slug);
        for page_path in [path.as_str(), "/@daily"] {
            for (query, kept) in [
                ("", ""),
                ("?script=hans", "?script=hans"),
                ("?script=hant-tw", "?script=hant-tw"),
                ("?a=1&script=hant-hk", "?script=hant-hk"),
                ("?script=original", ""),
                ("?script=klingon", ""),
            ] {
                let page = ask(app, &format!("{page_path}{query}"), "zh-TW").await;
                let address = format!("http://xiangxun.test{page_path}{kept}");
                assert!(page.contains(&format!("<link rel=\"canonical\" href=\"{address}\">")), "{page_path}{query}");
                assert!(
                    page.contains(&format!("<meta property=\"og:url\" content=\"{address}\">")),
                    "{page_path}{query}"
                );
                assert!(
                    page.contains(&format!(
                        "hreflang=\"x-default\" href=\"http://xiangxun.test{page_path}\">"
                    )),
                    "{page_path}{query}"
                );
            }
        }
        let english = written(app, account.id, "Hair", "Hair", "en").await;
        let page = ask(app, &format!("/@daily/{}?script=hans", english.slug), "en").await;
        assert!(page.contains(&format!(
            "<link rel=\"canonical\" href=\"http://xiangxun.test/@daily/{}\">",
            english.slug
        )));
    }

    async fn the_words_of_a_withdrawal_are_in_the_readers_script(app) {
        let (account, _) = app.account("daily").await;
        let article = written(app, account.id, TITLE, BODY, "zh-Hans").await;
        let mut row = article.clone().into_active_model();
        row.state = Set(article::ArticleState::Withdrawn);
        row.withdrawn_reason = Set(Some("软件里的数字有误".into()));
        row.update(app.app.db.write()).await.unwrap();
        for (language, words) in [("zh-TW", "軟體裡的數字有誤"), ("zh-CN", "软件里的数字有误"), ("en", "软件里的数字有误")] {
            let request = app
                .request(Method::GET, &format!("/@daily/{}", article.slug))
                .header("accept-language", language);
            let page = app.send(request.body(Body::empty()).unwrap()).await.assert_status(410).text();
            assert!(page.contains(words), "{language}: {page}");
        }
    }

    async fn saved_copies_are_in_the_readers_script_with_the_way_to_how_they_were_written(app) {
        let (account, _) = app.account("daily").await;
        let address = "https://example.org/a/very/long/path/of/many/parts/index.html";
        let article =
            written(app, account.id, TITLE, &format!("{BODY}<a href=\"{address}\">{address}</a>"), "zh-Hans")
                .await;
        let reader = app.user("mei@example.org").await;
        app.sign_in(reader.id).await;
        app.post("/script", &[("script", "hant-tw")]).await.assert_status(303);
        app.post(&format!("/saved/articles/{}", article.id), &[]).await.assert_status(303);
        let saved = saved_article::Entity::find().one(app.app.db.write()).await.unwrap().unwrap();
        let path = format!("/saved/{}", saved.id);
        let copy = app.get(&path).await.assert_status(200).text();
        assert!(prose(&copy).contains("網路上的記憶體") && prose(&copy).contains("<wbr>"), "{}", prose(&copy));
        assert!(copy.contains(&format!("href=\"{path}?script=original\"")), "{copy}");
        assert!(prose(&app.get(&format!("{path}?script=original")).await.text()).contains("网络上的内存"));
        let ask = app.get(&format!("{path}/remove")).await.assert_status(200).text();
        assert!(ask.contains("<p class=\"name\" lang=\"zh-Hant-TW\">軟體裡的頭髮</p>"), "{ask}");
    }

    async fn the_link_of_a_mail_and_the_api_choose_too(app) {
        let (account, _) = app.account("daily").await;
        app.follower(account.id, "mei@example.org", Cadence::Daily).await;
        let reader = app.reader("mei@example.org").await;
        let manage = readers::links::manage_path(&app.app, reader.id);
        let form = [("timezone", "Asia/Hong_Kong"), ("cadence", "daily"), ("digest_hour", "8"), ("digest_weekday", "1"), ("script", "hant-hk")];
        app.post(&format!("{manage}/hours"), &form).await.assert_status(303);
        assert_eq!(app.reader("mei@example.org").await.script, "hant-hk");
        assert!(app.get(&manage).await.text().contains("<option value=\"hant-hk\" selected>"));
        let wrong = [&form[..4], &[("script", "wrong")]].concat();
        app.post(&format!("{manage}/hours"), &wrong).await.assert_status(422);
    }
}

/// As the owner of an address chooses behind the link of a mail.
async fn choose(app: &TestApp, email: &str, script: &str) {
    let reader = readers::queries::of_address(app.app.db.read(), &app.app.config, email).await.unwrap();
    let wish = readers::Wish { script: script.into(), ..readers::Wish::from(&reader.settings()) };
    readers::change(&app.app, email, "zh-Hans", &wish.parse().unwrap()).await.unwrap();
}
