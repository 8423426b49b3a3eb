//! What search engines and link previews read of pages.

use scraper::{Html, Selector};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::Value;
use xiangxun::db::entities::account::{Link, Links};
use xiangxun::db::entities::article::Tags;

use crate::both_databases;
use crate::search::publish_as;

/// The data of a page, by type.
fn data(page: &str, kind: &str) -> Value {
    let page = Html::parse_document(page);
    let scripts = Selector::parse("script[type='application/ld+json']").unwrap();
    let texts: Vec<String> = page.select(&scripts).map(|script| script.text().collect()).collect();
    assert_eq!(texts.len(), 1);
    let data: Value = serde_json::from_str(&texts[0]).unwrap();
    assert_eq!(data["@context"], "https://schema.org");
    let graph = data["@graph"].as_array().unwrap();
    graph.iter().find(|thing| thing["@type"] == kind).unwrap_or_else(|| panic!("{kind} in {data}")).clone()
}

/// What a page's `meta` elements say of a property or name.
fn said(page: &str, name: &str) -> Vec<String> {
    let page = Html::parse_document(page);
    let metas = Selector::parse(&format!("meta[property='{name}'], meta[name='{name}']")).unwrap();
    page.select(&metas).filter_map(|meta| meta.attr("content")).map(str::to_owned).collect()
}

both_databases! {
    async fn an_article_says_what_it_is(app) {
        let (account, _) = app.account("daily").await;
        let mut row = account.clone().into_active_model();
        row.links = Set(Links(vec![Link { label: "站".into(), url: "https://daily.test/".into() }]));
        row.avatar_url = Set(Some("/media/1/a.png".into()));
        row.update(app.app.db.write()).await.unwrap();
        let title = "软件</script><b>\"\\";
        let article = publish_as(app, account.id, None, title, "内存", "zh-Hans", app.app.clock.now().0).await;
        let mut row = article.into_active_model();
        row.tags = Set(Tags(vec!["软件".into(), "&".into()]));
        row.cover_url = Set(Some("/media/1/b.jpg".into()));
        let article = row.update(app.app.db.write()).await.unwrap();
        let path = format!("/@daily/{}", article.slug);
        let page = app.get(&path).await.assert_status(200).text();
        let about = data(&page, "NewsArticle");
        let url = format!("http://xiangxun.test{path}");
        for (name, value) in [
            ("headline", title),
            ("url", &url),
            ("inLanguage", "zh-Hans"),
            ("datePublished", &article.published_at.unwrap().rfc3339()),
            ("dateModified", &article.updated_at.max(article.published_at.unwrap()).rfc3339()),
        ] {
            assert_eq!(about[name], value, "{name}");
        }
        assert_eq!(about["author"]["name"], article.author);
        assert_eq!(about["publisher"]["@id"], "http://xiangxun.test/@daily");
        assert_eq!(about["image"][0], "http://xiangxun.test/media/1/b.jpg");
        assert_eq!(about["keywords"].as_array().unwrap().len(), 2);
        let publisher = data(&page, "NewsMediaOrganization");
        assert_eq!((&publisher["name"], &publisher["sameAs"][0]), (&"daily 日报".into(), &"https://daily.test/".into()));
        let crumbs = data(&page, "BreadcrumbList");
        let crumbs: Vec<&str> = crumbs["itemListElement"].as_array().unwrap().iter().map(|crumb| crumb["name"].as_str().unwrap()).collect();
        assert_eq!(crumbs, ["乡讯", "daily 日报", title]);

        assert_eq!(said(&page, "og:type"), ["article"]);
        assert_eq!(said(&page, "og:title"), [title]);
        assert_eq!(said(&page, "og:locale"), ["zh_CN"]);
        assert_eq!(said(&page, "og:image"), ["http://xiangxun.test/media/1/b.jpg"]);
        assert_eq!(said(&page, "twitter:card"), ["summary_large_image"]);
        assert_eq!(said(&page, "article:tag"), ["软件", "&"]);
        for name in ["og:description", "og:url", "og:site_name", "og:image:alt", "article:published_time", "article:modified_time", "article:publisher", "author"] {
            assert_eq!(said(&page, name).len(), 1, "{name}");
        }

        let converted = app.get(&format!("{path}?script=hant-hk")).await.text();
        let about = data(&converted, "NewsArticle");
        assert_eq!((&about["inLanguage"], &about["url"]), (&"zh-Hant-HK".into(), &url.as_str().into()));
        assert!(about["headline"].as_str().unwrap().starts_with("軟件<"));
        assert_eq!(said(&converted, "og:locale"), ["zh_HK"]);
    }

    async fn every_page_says_what_is_on_it(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_tagged("daily", "渡轮复航", "交通").await;
        let article = format!("/@daily/{}", app.article(id).await.slug);
        app.publish_tagged("daily", "大钟重响", "交通").await;
        app.sign_out();
        let described = async |path: &str| said(&app.get(path).await.assert_status(200).text(), "description");
        let tag = xiangxun::home::tags::path(None, "交通");
        for path in [
            "/",
            &article,
            "/search",
            "/search?q=%E6%B8%A1%E8%BD%AE",
            "/sign-in",
            "/sign-up",
            "/sign-in/forgotten",
        ] {
            let said = described(path).await;
            assert!(said.len() == 1 && !said[0].is_empty(), "{path}: {said:?}");
        }
        let page = app.get(&article).await.text();
        assert_eq!(data(&page, "NewsArticle")["image"][0], said(&page, "og:image")[0]);
        for path in ["/@daily", tag.as_str()] {
            assert_eq!(described(path).await, ["大钟重响 · 渡轮复航"], "{path}");
        }
        app.keep_cookie("lang", "zh-Hant");
        assert_eq!(described(&tag).await, ["大鐘重響 · 渡輪復航"]);
    }

    async fn an_account_says_who_it_is(app) {
        let (account, _) = app.account("daily").await;
        let page = app.get("/@daily").await.assert_status(200).text();
        let about = data(&page, "NewsMediaOrganization");
        assert_eq!((&about["name"], &about["url"]), (&account.name.clone().into(), &"http://xiangxun.test/@daily".into()));
        assert_eq!(data(&page, "BreadcrumbList")["itemListElement"].as_array().unwrap().len(), 2);
        assert_eq!((said(&page, "og:type"), said(&page, "twitter:card")), (vec!["website".to_owned()], vec!["summary".to_owned()]));
        assert!(!app.get("/").await.text().contains("ld+json"));
    }

    async fn news_is_told_in_the_script_that_it_is_written_in(app) {
        let (account, _) = app.account("daily").await;
        for lang in ["zh-Hans", "zh-Hant", "zh-Hant-HK", "zh-TW", "en"] {
            publish_as(app, account.id, None, lang, "一", lang, app.app.clock.now().0).await;
        }
        let map = app.get("/sitemap/news.xml").await.assert_status(200).text();
        for (lang, language) in [("zh-Hans", "zh-cn"), ("zh-Hant", "zh-tw"), ("zh-Hant-HK", "zh-tw"), ("zh-TW", "zh-tw"), ("en", "en")] {
            let entry = map.split("<url>").find(|part| part.contains(&format!("<news:title>{lang}<"))).unwrap();
            assert!(entry.contains(&format!("<news:language>{language}<")), "{lang}: {entry}");
        }
    }
}
