//! What stands around an article's text: contents, ways to pass it on, what changed, what is related.

use std::time::Duration;

use scraper::{Html, Selector};
use tokio_util::sync::CancellationToken;
use xiangxun::articles::{NewArticle, insert_imported};
use xiangxun::search::{follower, related};

use crate::both_databases;
use crate::search::publish;
use crate::support::TestApp;

/// Texts of what a selector finds.
fn texts(html: &str, selector: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    let selector = Selector::parse(selector).unwrap();
    document.select(&selector).map(|element| element.text().collect::<String>().trim().to_owned()).collect()
}

fn attributes(html: &str, selector: &str, name: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    let selector = Selector::parse(selector).unwrap();
    document.select(&selector).filter_map(|element| element.attr(name).map(str::to_owned)).collect()
}

/// The version that is edited next, saved with a note.
async fn revise(app: &TestApp, id: i64, title: &str, body: &str, more: &[(&str, &str)]) {
    let version = app.article(id).await.version.to_string();
    let mut fields =
        vec![("title", title), ("body", body), ("lang", "zh-Hans"), ("version", version.as_str())];
    fields.extend_from_slice(more);
    app.post(&format!("/studio/@daily/articles/{id}"), &fields).await.assert_status(303);
}

both_databases! {
    async fn a_long_piece_with_headings_has_a_table_of_contents(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let text = "这里是正文的一段话，写得很长。".repeat(60);
        let body = format!("## 起因\n\n{text}\n\n## 经过\n\n{text}\n\n### 第一天\n\n短。\n\n## 经过\n\n短。");
        app.publish_new("daily", "大作", &body).await;
        app.publish_new("daily", "短文", "## 一\n\n短。\n\n## 二\n\n短。\n\n## 三\n\n短。").await;
        app.publish_new("daily", "没有小标题", &text.repeat(3)).await;
        app.sign_out();
        let page = app.get("/@daily/da-zuo").await.assert_status(200).text();
        assert_eq!(texts(&page, "nav.contents li"), ["起因", "经过", "第一天", "经过"]);
        assert_eq!(texts(&page, "nav.contents li.sub"), ["第一天"]);
        let links = attributes(&page, "nav.contents a", "href");
        assert_eq!(links, ["#text-qi-yin", "#text-jing-guo", "#text-di-yi-tian", "#text-jing-guo-2"]);
        let ids = attributes(&page, ".prose h2, .prose h3", "id");
        assert_eq!(ids, links.iter().map(|link| &link[1..]).collect::<Vec<_>>(), "each leads to its heading");
        for slug in ["duan-wen", "mei-you-xiao-biao-ti"] {
            let page = app.get(&format!("/@daily/{slug}")).await.assert_status(200).text();
            assert!(texts(&page, "nav.contents").is_empty(), "{slug}");
        }
        let page = app.get("/@daily/duan-wen").await.text();
        assert_eq!(attributes(&page, ".prose h2", "id"), ["text-yi", "text-er", "text-san"], "headings can be linked to anyway");
    }

    async fn an_article_is_passed_on_without_asking_another_site(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        app.publish_new("daily", "分享 & <我>", "正文").await;
        app.sign_out();
        let page = app.get("/@daily/fen-xiang-wo").await.assert_status(200).text();
        assert_eq!(attributes(&page, "#share-url", "value"), ["http://xiangxun.test/@daily/fen-xiang-wo"]);
        assert!(attributes(&page, ".share [src]", "src").iter().all(|src| src.starts_with('/')));
        let code = app.get("/@daily/fen-xiang-wo/qr.svg").await.assert_status(200);
        assert_eq!(code.header("content-type"), "image/svg+xml");
        assert!(code.text().starts_with("<svg ") && code.text().contains("h7v1h-7z"), "the corners' squares are seven wide");
        assert_eq!(app.get("/@Daily/fen-xiang-wo/qr.svg").await.assert_status(301).location(), "/@daily/fen-xiang-wo/qr.svg");
        app.get("/@daily/nothing/qr.svg").await.assert_status(404);
    }

    async fn readers_can_see_what_changed_since_publication(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.write_draft("daily", "旧题", "草稿里的话。").await;
        revise(app, id, "旧题", "会议在周三开幕。共有三百人参加，其中二十人来自海外。\n\n第二段没有动。", &[]).await;
        app.publish("daily", id).await;
        let path = "/@daily/jiu-ti/changes";
        let page = app.get(path).await.assert_status(200).text();
        assert!(page.contains("发布以来没有改动") && !page.contains("草稿里的话"), "drafts are nobody's affair");
        app.app.clock.advance(Duration::from_secs(7_200));
        let body = "会议在周三开幕。共有四百人参加，其中二十人来自海外。\n\n第二段没有动。";
        revise(app, id, "旧题", body, &[("note", "编辑部内部：改数字")]).await;
        revise(app, id, "新题", body, &[("note", "标题有误，<b>特此更正</b>"), ("show_note", "1")]).await;
        revise(app, id, "新题", &format!("{body}![图](https://pictures.example/a.jpg)"), &[]).await;
        app.sign_out();
        let page = app.get(path).await.assert_status(200).text();
        assert_eq!(texts(&page, ".changes > li").len(), 3);
        assert!(page.contains("标题有误，&#60;b&#62;特此更正") && !page.contains("编辑部内部"), "only what is for readers: {page}");
        let (del, ins) = (texts(&page, ".changes del").concat(), texts(&page, ".changes ins").concat());
        assert!(del.contains('三') && ins.contains('四') && del.contains('旧') && ins.contains('新'), "{del} {ins}");
        assert!(!del.contains("海外") && page.contains("1 段没有改动") && page.contains("文字没有改动"), "{page}");
        // In the reader's script, as whole phrases.
        let hant = app.get(&format!("{path}?script=hant-tw")).await.assert_status(200).text();
        let changed = texts(&hant, ".changes p[lang=zh-Hant-TW]").concat();
        assert!(changed.contains("會議在週三開幕") && changed.contains("來自海外"), "{hant}");
        assert_eq!(texts(&hant, ".changes del").concat().chars().count(), del.chars().count());
        assert!(texts(&hant, "head title").concat().contains("新題"), "{hant}");
        // The article names its corrections and leads there.
        let article = app.get("/@daily/jiu-ti").await.assert_status(200).text();
        assert_eq!(texts(&article, ".corrections p").len(), 1);
        assert!(article.contains(&format!("href=\"{path}\"")));
        app.get("/@daily/nothing/changes").await.assert_status(404);
        app.sign_in(owner.id).await;
        app.post(&format!("/studio/@daily/articles/{id}/withdraw"), &[]).await.assert_status(303);
        app.sign_out();
        app.get(path).await.assert_status(410);
    }

    async fn a_note_for_readers_needs_words(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "题", "正文").await;
        let fields = [("title", "题"), ("body", "正文改了"), ("version", "2"), ("show_note", "1")];
        app.post(&format!("/studio/@daily/articles/{id}"), &fields).await.assert_status(422);
        assert_eq!(app.revisions(id).await.len(), 1);
    }

    async fn many_changes_are_read_page_by_page(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "题", "正文第一版。").await;
        for number in 2..=13 {
            revise(app, id, "题", &format!("正文第 {number} 版。"), &[]).await;
        }
        app.sign_out();
        let (mut path, mut seen) = ("/@daily/ti/changes".to_owned(), Vec::new());
        loop {
            let page = app.get(&path).await.assert_status(200).text();
            seen.extend(attributes(&page, ".changes > li", "id"));
            match attributes(&page, "a[rel=next]", "href").pop() {
                Some(next) => path = next,
                None => break,
            }
        }
        assert_eq!(seen, (2..=13).rev().map(|number| format!("change-{number}")).collect::<Vec<_>>());
    }

    async fn related_articles_tell_of_the_same_things_and_are_no_reprints(app) {
        let (daily, _) = app.account("daily").await;
        let (other, _) = app.account("other").await;
        let report: String = (0..12)
            .map(|n| format!("气象台说，第{n}号台风将在福建沿海登陆，{}艘渔船已经回港，防汛部门要求各地做好准备。", n * 31 + 7))
            .collect();
        let article = publish(app, daily.id, "台风逼近福建沿海渔船回港", &report).await;
        let reprint = publish(app, other.id, "台风逼近福建：沿海渔船全部回港", &report).await;
        let later: String = (0..12).map(|n| format!("台风过后，福建第{n}座港口恢复，渔船出海，渔民清点损失{}万元。", n * 17 + 3)).collect();
        let related = publish(app, other.id, "台风过后福建渔船重新出海", &later).await;
        let traditional: String = (0..12).map(|n| format!("颱風警報解除，福建漁船第{n}批離港，氣象局提醒海面風浪仍有{}米。", n + 2)).collect();
        let hant = publish(app, other.id, "颱風警報解除福建漁船離港", &traditional).await;
        let bank: String = (0..12).map(|n| format!("央行宣布第{n}次降息，银行股价上涨百分之{}。", n * 3 + 1)).collect();
        publish(app, daily.id, "央行宣布降息银行股上涨", &bank).await;
        follower::catch_up(&app.app).await.unwrap();
        // A page that nobody has asked for before does not wait until all is looked at; the next one has it.
        let path = format!("/@daily/{}", article.slug);
        app.get(&path).await.assert_status(200);
        let mut named = Vec::new();
        for _ in 0..50 {
            let page = app.get(&path).await.assert_status(200).text();
            named = attributes(&page, ".related h3 a", "href");
            if !named.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        named.sort();
        let mut expected = [related, hant].map(|row| format!("/@other/{}", row.slug));
        expected.sort();
        assert_eq!(named, expected, "not the reprint {}", reprint.slug);
    }

    async fn news_has_what_is_related_at_its_first_reader_and_never_what_was_withdrawn(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        // What an index holds when it is built is no news.
        follower::catch_up(&app.app).await.unwrap();
        let after: String =
            (0..12).map(|n| format!("台风过后，福建第{n}座港口恢复，渔船出海，渔民清点损失{}万元。", n * 17 + 3)).collect();
        let clear: String =
            (0..12).map(|n| format!("台风警报解除，福建渔船第{n}批离港，气象局提醒海面风浪仍有{}米。", n + 2)).collect();
        let report: String = (0..12)
            .map(|n| format!("气象台说，第{n}号台风将在福建沿海登陆，{}艘渔船已经回港，防汛部门要求各地做好准备。", n * 31 + 7))
            .collect();
        let old = app.publish_new("daily", "台风过后福建渔船重新出海", &after).await;
        let other = app.publish_new("daily", "台风警报解除福建渔船离港", &clear).await;
        let new = app.publish_new("daily", "台风逼近福建沿海渔船回港", &report).await;
        follower::catch_up(&app.app).await.unwrap();
        // What this node's task does for each of the news that the index has come to know.
        let stop = CancellationToken::new();
        let looking = tokio::spawn(related::run(app.app.clone(), stop.clone()));
        for _ in 0..200 {
            if app.app.related.is_known(new).await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stop.cancel();
        looking.await.unwrap();
        let slug = async |id| app.article(id).await.slug;
        let path = format!("/@daily/{}", slug(new).await);
        let first = app.get(&path).await.assert_status(200).text();
        let mut named = attributes(&first, ".related h3 a", "href");
        named.sort();
        let mut expected = [format!("/@daily/{}", slug(old).await), format!("/@daily/{}", slug(other).await)];
        expected.sort();
        assert_eq!(named, expected);
        app.post(&format!("/studio/@daily/articles/{old}/withdraw"), &[]).await.assert_status(303);
        let next = app.get(&path).await.assert_status(200).text();
        assert_eq!(attributes(&next, ".related h3 a", "href"), [format!("/@daily/{}", slug(other).await)]);
        // An answer that has become old is given out until there is another.
        app.app.clock.advance(Duration::from_secs(3_600));
        let later = app.get(&path).await.assert_status(200).text();
        assert_eq!(attributes(&later, ".related h3 a", "href").len(), 1);
    }
}

both_databases! {
    async fn an_imported_article_that_its_source_changed_says_so(app) {
        let (account, _) = app.account("daily").await;
        let now = app.app.clock.now();
        let new = |text: &str| NewArticle::from_plain_text(account.id, "x", "外稿", text);
        let tx = app.app.db.begin().await.unwrap();
        let id = insert_imported(&tx, now, vec![new("第一版的话。")]).await.unwrap().inserted[0];
        tx.commit().await.unwrap();
        let tx = app.app.db.begin().await.unwrap();
        xiangxun::articles::revise_imported(&tx, now, id, new("第二版的话。")).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let page = app.get("/@daily/wai-gao/changes").await.assert_status(200).text();
        assert!(texts(&page, ".changes ins").concat().contains('二'), "{page}");
    }
}
