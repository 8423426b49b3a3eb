//! Every page that can be opened by an address: whole, in the reader's language, without a raw
//! text key and without anything that the content security policy would refuse.

use scraper::{Html, Selector};
use xiangxun::page::Locale;

use crate::both_databases;
use crate::home::published;
use crate::support::TestApp;

/// For anyone.
const OPEN: [&str; 14] = [
    "/",
    "/@paper",
    "/@paper/piece",
    "/@paper/piece/changes",
    "/@paper/collections",
    "/look?back=%2F%40paper",
    "/style",
    "/@paper/subscribe",
    "/search",
    "/search?q=%E6%AD%A3%E6%96%87",
    "/sign-in",
    "/sign-in/forgotten",
    "/sign-in/sent",
    "/sign-up",
];

/// For someone signed in, who is an owner of `@paper` and an operator.
const SIGNED_IN: [&str; 33] = [
    "/",
    "/@paper",
    "/timeline",
    "/timeline?show=unread",
    "/timeline?account=paper",
    "/timeline/mute",
    "/lists",
    "/saved",
    "/subscriptions",
    "/settings",
    "/settings/password",
    "/settings/sessions",
    "/settings/tokens",
    "/studio",
    "/studio/open",
    "/studio/accounts",
    "/studio/messages",
    "/studio/messages?q=r&kind=alert&state=waiting",
    "/studio/@paper",
    "/studio/@paper/articles",
    "/studio/@paper/articles?state=published",
    "/studio/@paper/articles/new",
    "/studio/@paper/articles/1",
    "/studio/@paper/articles/1/revisions",
    "/studio/@paper/articles/1/withdraw",
    "/studio/@paper/collections",
    "/studio/@paper/media",
    "/studio/@paper/pushes",
    "/studio/@paper/pushes/new",
    "/studio/@paper/pushes/last-look?article=1",
    "/studio/@paper/sources",
    "/studio/@paper/members",
    "/studio/@paper/settings",
];

/// What is wrong with a page, if anything.
fn faults(html: &str, locale: Locale) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(start) = html.find('⟦') {
        let key: String = html[start..].chars().take_while(|c| *c != '⟧').collect();
        faults.push(format!("no text for {key}⟧"));
    }
    let document = Html::parse_document(html);
    let count = |selector: &str| document.select(&Selector::parse(selector).unwrap()).count();
    for (selector, expected) in [
        (format!(r#"html[lang="{}"]"#, locale.code()), 1),
        ("main#main".into(), 1),
        ("h1".into(), 1),
        (r#"[style], style, script:not([src]):not([type="application/ld+json"]), [onclick], [onload], [onsubmit]"#.into(), 0),
        ("img:not([alt])".into(), 0),
        ("main ul > :not(li), main ol > :not(li), main p p, main a a, main form form".into(), 0),
    ] {
        let found = count(&selector);
        if found != expected {
            faults.push(format!("{found} × {selector}"));
        }
    }
    let id = |element: scraper::ElementRef<'_>| element.value().id().unwrap().to_owned();
    let mut ids: Vec<String> = document.select(&Selector::parse("[id]").unwrap()).map(id).collect();
    ids.sort();
    for pair in ids.windows(2).filter(|pair| pair[0] == pair[1]) {
        faults.push(format!("two elements are called {}", pair[0]));
    }
    let label = Selector::parse("label[for]").unwrap();
    for label in document.select(&label) {
        let target = label.value().attr("for").unwrap();
        if ids.binary_search(&target.to_owned()).is_err() {
            faults.push(format!("a label is for {target}, which is not there"));
        }
    }
    faults
}

async fn look_at(app: &TestApp, paths: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths {
        for tag in ["zh-Hans", "zh-Hant", "en"] {
            app.keep_cookie("lang", tag);
            let answer = app.get(path).await;
            if answer.status != 200 {
                found.push(format!("{path} {tag}: {}", answer.status));
                continue;
            }
            let locale = Locale::from_tag(tag).unwrap();
            found.extend(
                faults(&answer.text(), locale).into_iter().map(|fault| format!("{path} {tag}: {fault}")),
            );
        }
    }
    found
}

both_databases! {
    async fn every_page_is_whole_in_every_language(app) {
        let (account, owner) = app.account("paper").await;
        published(app, &account, "Piece", 1).await;
        let mut found = look_at(app, &OPEN).await;
        let mut owner: xiangxun::db::entities::user::ActiveModel = owner.into();
        owner.operator = sea_orm::ActiveValue::Set(true);
        let owner = sea_orm::ActiveModelTrait::update(owner, app.app.db.write()).await.unwrap();
        app.sign_in(owner.id).await;
        found.extend(look_at(app, &SIGNED_IN).await);
        assert!(found.is_empty(), "{found:#?}");
    }

    async fn a_site_without_a_name_of_its_own_is_named_in_the_readers_script(app) {
        for (tag, name) in [("zh-Hans", "乡讯"), ("zh-Hant", "鄉訊"), ("en", "Xiangxun")] {
            app.keep_cookie("lang", tag);
            let page = app.get("/").await.assert_status(200).text();
            assert!(page.contains(&format!("<meta property=\"og:site_name\" content=\"{name}\">")), "{tag}: {page}");
        }
        let named = app.get("/opensearch.xml").await.assert_status(200).text();
        assert!(named.contains("<ShortName>乡讯</ShortName>"), "{named}");
        let config = xiangxun::config::Config { site_name: "海港晚报".into(), ..Default::default() };
        assert_eq!(config.site_name_in(Locale::ZhHant), "海港晚报", "the operator's name is left alone");
    }
}
