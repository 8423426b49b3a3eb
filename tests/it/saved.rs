//! Saved articles: copies that stay, search inside, highlights, and taking all of it along.

use std::time::Duration;

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use xiangxun::db::entities::article::{self, ArticleState};
use xiangxun::db::entities::saved_article;
use xiangxun::error::Error;
use xiangxun::saved::export::{Book, Format, MOST};
use xiangxun::saved::highlights::{self, NewHighlight};
use xiangxun::saved::{self, queries};

use crate::both_databases;
use crate::support::TestApp;
use crate::support::python::ask_python;

const BODY: &str = "<h2>一、<em>开头</em></h2><p>国务院新闻办公室今天上午举行发布会，<ruby>介绍<rt>jièshào</rt></ruby>全年经济运行情况。</p>\
    <p>头发很长 &amp; 生成式AI工具<br>第二行 <a href=\"/@daily/other\">链接</a></p><ul><li>其一</li><li>其二</li></ul>\
    <blockquote><p>引文</p></blockquote><table><tbody><tr><th>甲</th><th>乙</th></tr><tr><td>1</td><td>2</td></tr></tbody></table>\
    <figure><img src=\"https://e.test/a.jpg\" alt=\"远处的图\"><figcaption>图说</figcaption></figure><hr><pre><code>let a = 1 &lt; 2;</code></pre>";

async fn article(app: &TestApp, account_id: i64, title: &str) -> article::Model {
    let mut row = app.published(account_id, title).await.into_active_model();
    row.body_html = Set(BODY.into());
    row.tags = Set(article::Tags(vec!["財經".into()]));
    row.update(app.app.db.write()).await.unwrap()
}

fn quoted(quote: &str, note: &str) -> NewHighlight {
    NewHighlight { quote: quote.into(), note: note.into(), ..NewHighlight::default() }
}

both_databases! {
    async fn a_saved_article_stays_as_it_was(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let piece = article(app, daily.id, "旧标题").await;
        let draft = article(app, daily.id, "草稿").await;
        let mut row = draft.clone().into_active_model();
        row.state = Set(ArticleState::Draft);
        row.update(app.app.db.write()).await.unwrap();
        let kept = saved::save(&app.app, reader.id, piece.id).await.unwrap();
        assert_eq!(saved::save(&app.app, reader.id, piece.id).await.unwrap().id, kept.id);
        assert!(matches!(saved::save(&app.app, reader.id, draft.id).await, Err(Error::NotFound)));
        assert!(queries::is_saved(app.app.db.read(), reader.id, piece.id).await.unwrap());
        assert_eq!(queries::fate(app.app.db.read(), &kept).await.unwrap(), queries::Fate::Same);

        app.sign_in(reader.id).await;
        let mut row = piece.clone().into_active_model();
        row.title = Set("新标题".into());
        row.version = Set(2);
        row.update(app.app.db.write()).await.unwrap();
        let page = app.get(&format!("/saved/{}", kept.id)).await.assert_status(200).text();
        assert!(page.contains("旧标题") && page.contains("更新副本") && !page.contains("新标题"), "{page}");
        app.post(&format!("/saved/{}/refresh", kept.id), &[]).await.assert_status(303);
        assert!(app.get(&format!("/saved/{}", kept.id)).await.text().contains("新标题"));

        // A cover that the text begins with is shown once, as in the article.
        let mut row = piece.clone().into_active_model();
        row.body_html = Set(format!("<p><img src=\"https://e.test/first.jpg\" alt=\"\"></p>{BODY}"));
        row.cover_url = Set(Some("https://e.test/first.jpg".into()));
        row.version = Set(3);
        row.update(app.app.db.write()).await.unwrap();
        app.post(&format!("/saved/{}/refresh", kept.id), &[]).await.assert_status(303);
        let page = app.get(&format!("/saved/{}", kept.id)).await.text();
        assert_eq!(page.matches("https://e.test/first.jpg").count(), 1, "{page}");

        // Withdrawn: gone for everybody else.
        let mut row = piece.clone().into_active_model();
        row.state = Set(ArticleState::Withdrawn);
        row.update(app.app.db.write()).await.unwrap();
        let page = app.get(&format!("/saved/{}", kept.id)).await.assert_status(200).text();
        assert!(page.contains("原文已撤回") && page.contains("全年经济运行情况"), "{page}");
        assert!(app.get("/saved").await.assert_status(200).text().contains("原文已不可见"));
        app.post(&format!("/saved/{}/refresh", kept.id), &[]).await.assert_status(404);

        // Removed altogether: the copy is still there.
        article::Entity::delete_by_id(piece.id).exec(app.app.db.write()).await.unwrap();
        let known = queries::get_own(app.app.db.read(), reader.id, kept.id).await.unwrap();
        assert_eq!((known.article_id, known.title.as_str()), (None, "新标题"));
        app.get(&format!("/saved/{}", kept.id)).await.assert_status(200);
    }

    async fn what_is_saved_is_its_readers_alone(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let other = app.user("other@example.org").await;
        let piece = article(app, daily.id, "标题").await;
        let kept = saved::save(&app.app, reader.id, piece.id).await.unwrap();
        let mark = highlights::add(&app.app, reader.id, kept.id, &quoted("其一", "")).await.unwrap();
        assert_eq!(app.get("/saved").await.status, 303, "nobody is signed in");
        app.sign_in(other.id).await;
        for path in ["", "/remove", "/export/article.epub"] {
            app.get(&format!("/saved/{}{path}", kept.id)).await.assert_status(404);
        }
        for path in ["/remove", "/refresh", "/highlights"] {
            app.post(&format!("/saved/{}{path}", kept.id), &[("quote", "其一"), ("sure", "1")]).await.assert_status(404);
        }
        app.post(&format!("/saved/highlights/{mark}"), &[("note", "x")]).await.assert_status(404);
        app.post(&format!("/saved/highlights/{mark}/remove"), &[]).await.assert_status(404);
        assert!(!app.get("/saved").await.text().contains("标题</a>"));
        assert!(!queries::is_saved(app.app.db.read(), other.id, piece.id).await.unwrap());
    }

    async fn articles_are_saved_by_a_button_and_given_up_again(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let piece = article(app, daily.id, "标题").await;
        let path = format!("/@daily/{}", piece.slug);
        assert!(!app.get(&path).await.text().contains("/saved/articles/"), "for readers who are signed in");
        app.sign_in(reader.id).await;
        let page = app.get(&path).await.assert_status(200).text();
        let action = format!("/saved/articles/{}", piece.id);
        assert!(page.contains(&format!("action=\"{action}\"")), "{page}");
        let back = app.post(&action, &[("next", &path)]).await;
        assert_eq!(back.assert_status(303).location(), path);
        let page = app.get(&path).await.text();
        assert!(page.contains(&format!("action=\"{action}/remove\"")) && page.contains("已收藏"));
        app.post(&format!("{action}/remove"), &[("next", &path)]).await.assert_status(303);
        assert!(!queries::is_saved(app.app.db.read(), reader.id, piece.id).await.unwrap());
        app.post("/saved/articles/99999", &[]).await.assert_status(404);

        // With highlights in it the reader is asked first.
        app.post(&format!("{action}/highlights"), &[("quote", "引文")]).await.assert_status(303);
        let answer = app.post(&format!("{action}/remove"), &[]).await.assert_status(303);
        let question = answer.location().to_owned();
        assert!(question.ends_with("/remove"), "{question}");
        assert!(app.get(&question).await.assert_status(200).text().contains("1 处划线"));
        app.post(&question, &[("sure", "1")]).await.assert_status(303);
        assert!(!queries::is_saved(app.app.db.read(), reader.id, piece.id).await.unwrap());
    }

    async fn saved_articles_are_listed_page_by_page(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let mut expected = Vec::new();
        for number in 0..7 {
            app.app.clock.advance(Duration::from_secs(1));
            let piece = app.published(daily.id, &format!("第{number}篇")).await;
            expected.insert(0, saved::save(&app.app, reader.id, piece.id).await.unwrap().id);
        }
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let (cards, older) = queries::page(app.app.db.read(), reader.id, after, 3).await.unwrap();
            seen.extend(cards.iter().map(|card| card.id));
            after = older;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected);
        app.sign_in(reader.id).await;
        let page = app.get("/saved?after=nonsense").await.assert_status(200).text();
        assert!(page.contains("第6篇") && page.contains("第一段"), "{page}");
    }

    async fn a_search_finds_what_is_saved_even_when_it_is_gone(app) {
        let (daily, _) = app.account("daily").await;
        let (weekly, _) = app.account("weekly").await;
        let reader = app.user("reader@example.org").await;
        let gone = article(app, daily.id, "经济半年报").await;
        let plain = app.published(weekly.id, "台风登陆").await;
        let unsaved = app.published(weekly.id, "没有收藏的台风").await;
        for id in [gone.id, plain.id] {
            app.app.clock.advance(Duration::from_secs(1));
            saved::save(&app.app, reader.id, id).await.unwrap();
        }
        let mut row = gone.into_active_model();
        row.state = Set(ArticleState::Withdrawn);
        row.update(app.app.db.write()).await.unwrap();
        let found = async |query: &str| {
            let cards = saved::find::find(&app.app, reader.id, chrono_tz::UTC, query).await.unwrap();
            cards.into_iter().map(|card| card.title).collect::<Vec<_>>()
        };
        assert_eq!(found("颱風").await, ["台风登陆"]);
        assert_eq!(found("經濟運行").await, ["经济半年报"]);
        assert_eq!(found("\"頭髮很長\"").await, ["经济半年报"]);
        assert_eq!(found("AI").await, ["经济半年报"]);
        assert_eq!(found("标题：台风 OR tag:财经").await, ["台风登陆", "经济半年报"]);
        assert_eq!(found("from:@weekly").await, ["台风登陆"]);
        assert_eq!(found("段 -台风").await, Vec::<String>::new());
        assert_eq!(found("has:table").await, ["经济半年报"]);
        assert_eq!(found("100%_").await, Vec::<String>::new());
        assert!(found("  ").await.is_empty() && !found("台风").await.contains(&unsaved.title));
        app.sign_in(reader.id).await;
        let page = app.get("/saved?q=%E9%A2%B1%E9%A2%A8").await.assert_status(200).text();
        assert!(page.contains("台风登陆") && !page.contains("经济半年报") && page.contains("找到 1 篇"), "{page}");
        let answer = app.get("/search?q=%E9%A2%B1%E9%A2%A8&in=saved").await;
        assert_eq!(answer.assert_status(303).location(), "/saved?q=%E9%A2%B1%E9%A2%A8");
    }

    async fn passages_are_marked_with_notes_and_found_again_after_a_revision(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let piece = article(app, daily.id, "标题").await;
        app.sign_in(reader.id).await;
        let action = format!("/saved/articles/{}/highlights", piece.id);
        let fields = [("quote", "举行发布会，\n介绍"), ("before", "今天上午"), ("after", "全年经济运行情况"), ("note", "记一下 <b>")];
        let answer = app.post(&action, &fields).await.assert_status(303);
        let copy = answer.location().split('#').next().unwrap().to_owned();
        let page = app.get(&copy).await.assert_status(200).text();
        assert!(page.contains("举行发布会，") && page.contains("<mark id=\"h"), "{page}");
        assert!(page.contains("<ruby><mark>介绍</mark><rt>jièshào</rt></ruby>"), "{page}");
        assert!(page.contains("记一下 &#60;b&#62;") || page.contains("记一下 &lt;b&gt;"), "{page}");
        for (quote, problem) in [("没有这句话", "副本里没有这段文字"), ("，。", "请粘贴一段原文"), (&"长".repeat(2_001), "最多 2000 个字")] {
            let page = app.post(&format!("{copy}/highlights"), &[("quote", quote)]).await.assert_status(422).text();
            assert!(page.contains(problem), "{quote}: {page}");
        }
        let id: i64 = queries::highlights(app.app.db.read(), &[1]).await.unwrap()[&1][0].id;
        app.post(&format!("/saved/highlights/{id}"), &[("note", "改过的笔记")]).await.assert_status(303);
        // The words in between have changed; what stands around them has not.
        let mut row = piece.into_active_model();
        row.body_html = Set(BODY.replace("举行发布会，", "举行新闻发布会，"));
        row.version = Set(2);
        row.update(app.app.db.write()).await.unwrap();
        app.post(&format!("{copy}/refresh"), &[]).await.assert_status(303);
        let page = app.get(&copy).await.assert_status(200).text();
        assert!(page.contains("举行新闻发布会</mark>") && page.contains("改过的笔记"), "{page}");
        app.post(&format!("/saved/highlights/{id}/remove"), &[]).await.assert_status(303);
        assert!(!app.get(&copy).await.text().contains("<mark id"));
    }

    async fn a_copy_is_shown_and_marked_in_the_readers_script(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        let mut row = article(app, daily.id, "软件").await.into_active_model();
        row.body_html = Set("<p>这个软件的信息在网络上。</p>".into());
        let piece = row.update(app.app.db.write()).await.unwrap();
        app.sign_in(reader.id).await;
        app.keep_cookie("lang", "zh-Hant");
        let fields = [("quote", "軟體的資訊"), ("before", "這個"), ("after", "在網路上。")];
        let answer = app.post(&format!("/saved/articles/{}/highlights", piece.id), &fields).await.assert_status(303);
        let copy = answer.location().split('#').next().unwrap().to_owned();
        let page = app.get(&copy).await.assert_status(200).text();
        assert!(page.contains("軟體的資訊</mark>") && !page.contains("软件"), "{page}");
        app.keep_cookie("lang", "zh-Hans");
        assert!(app.get(&copy).await.text().contains("软件的信息</mark>"));
    }

    async fn a_list_says_when_a_file_takes_only_a_part_of_it(app) {
        let reader = app.user("reader@example.org").await;
        let (daily, _) = app.account("daily").await;
        let piece = article(app, daily.id, "标题").await;
        let kept = saved::save(&app.app, reader.id, piece.id).await.unwrap();
        app.sign_in(reader.id).await;
        let said = "最多导出 500 篇";
        assert!(!app.get("/saved").await.assert_status(200).text().contains(said));
        let copies = (0..MOST).map(|_| {
            let mut row = kept.clone().into_active_model().reset_all();
            (row.id, row.article_id) = (NotSet, Set(None));
            row
        });
        let copies: Vec<_> = copies.collect();
        for part in copies.chunks(100) {
            saved_article::Entity::insert_many(part.to_vec()).exec(app.app.db.write()).await.unwrap();
        }
        assert!(app.get("/saved").await.assert_status(200).text().contains(said));
        let book = app.get("/saved/export/saved.md").await.assert_status(200).text();
        assert_eq!(book.matches("\n## 标题\n").count(), MOST);
    }

    async fn saved_articles_are_taken_along(app) {
        let (daily, _) = app.account("daily").await;
        let reader = app.user("reader@example.org").await;
        for title in ["甲 & <乙>", "丙"] {
            app.app.clock.advance(Duration::from_secs(1));
            let piece = article(app, daily.id, title).await;
            let kept = saved::save(&app.app, reader.id, piece.id).await.unwrap();
            highlights::add(&app.app, reader.id, kept.id, &quoted("头发很长 & 生成式", "一条\n笔记 & 引用")).await.unwrap();
        }
        app.sign_in(reader.id).await;
        let answer = app.get("/saved/export/saved.epub").await.assert_status(200);
        assert_eq!(answer.header("content-type"), "application/epub+zip");
        assert!(answer.header("content-disposition").contains("saved.epub"));
        let checked = ask_python(CHECK_EPUB, &serde_json::json!({ "book": hex::encode(&answer.bytes) }));
        assert_eq!(checked["titles"], serde_json::json!(["丙", "甲 & <乙>"]));
        assert_eq!(checked["marks"], 2);
        let text = app.get("/saved/export/saved.md").await.assert_status(200).text();
        assert!(text.contains("## 丙\n") && text.contains("> 头发很长") && text.contains("| 甲 | 乙 |"), "{text}");
        let page = app.get("/saved/export/saved.html").await.assert_status(200).text();
        assert!(page.contains("甲 &amp; &lt;乙&gt;") && page.contains("<mark id=\"h"), "{page}");
        app.get("/saved/1/export/article.md").await.assert_status(200);
        for path in ["/saved/export/saved.pdf", "/saved/export/saved", "/saved/9/export/article.md"] {
            app.get(path).await.assert_status(404);
        }
    }
}

/// Reads an e-book as somebody else would: the container, the package, and each document as XML.
const CHECK_EPUB: &str = r#"
import sys, json, zipfile, io
import xml.etree.ElementTree as ET
book = bytes.fromhex(json.load(sys.stdin)["book"])
z = zipfile.ZipFile(io.BytesIO(book))
assert z.testzip() is None
first = z.infolist()[0]
assert first.filename == "mimetype" and first.compress_type == 0 and z.read(first) == b"application/epub+zip"
assert book[30:38] == b"mimetype"
root = ET.fromstring(z.read("META-INF/container.xml"))
path = root.find(".//{*}rootfile").get("full-path")
package = ET.fromstring(z.read(path))
assert package.get("version") == "3.0"
meta = package.find("{*}metadata")
dc = "{http://purl.org/dc/elements/1.1/}"
assert meta.find(dc + "identifier").get("id") == package.get("unique-identifier")
assert meta.find(dc + "title").text and meta.find(dc + "language").text
items = {item.get("id"): item for item in package.find("{*}manifest")}
assert sum(item.get("properties") == "nav" for item in items.values()) == 1
names = set(z.namelist()) - {"mimetype", "META-INF/container.xml", path}
assert names == {"book/" + item.get("href") for item in items.values()}, names
titles, marks = [], 0
for ref in package.find("{*}spine"):
    item = items[ref.get("idref")]
    page = ET.fromstring(z.read("book/" + item.get("href")))
    ids = [e.get("id") for e in page.iter() if e.get("id")]
    assert len(ids) == len(set(ids)), ids
    assert not [e for e in page.iter() if e.tag.split("}")[1] in ("iframe", "script", "img")]
    if item.get("properties") != "nav":
        titles.append(page.find(".//{*}h1").text)
        marks += len(list(page.iter("{http://www.w3.org/1999/xhtml}mark")))
print(json.dumps({"titles": titles, "marks": marks}))
"#;

#[tokio::test]
async fn the_same_articles_make_the_same_book() {
    let app = TestApp::start(crate::support::Backend::Sqlite).await;
    let (daily, _) = app.account("daily").await;
    let reader = app.user("reader@example.org").await;
    let piece = article(&app, daily.id, "标题").await;
    saved::save(&app.app, reader.id, piece.id).await.unwrap();
    let book =
        Book::of_reader(&app.app, reader.id, "书".into(), xiangxun::page::Locale::ZhHans, chrono_tz::UTC)
            .await
            .unwrap();
    assert_eq!(book.write(Format::Epub), book.write(Format::Epub));
    app.finish().await;
}
