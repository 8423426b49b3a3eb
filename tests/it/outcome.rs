//! The main job end to end, as its people do it: the real binary, a real browser, a real SMTP
//! server, an outlet's feed over HTTP, on both databases.

use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header;
use axum::routing::get;
use mail_parser::{HeaderValue, MessageParser};
use rstest::rstest;
use thirtyfour::prelude::{By, Key};

use crate::support::Backend;
use crate::support::browser::Browser;
use crate::support::node::{Instance, Node, client};
use crate::support::smtp::{SmtpSink, free_port};
use crate::support::wait::wait_for;

/// What the outlet's old site serves.
const OLD_FEED: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>旧站</title><link>https://old.example.org/</link>
<item><title>码头的旧钟楼重新敲响</title><link>https://old.example.org/clock</link><guid>clock</guid>
<pubDate>Mon, 02 Nov 2026 08:00:00 GMT</pubDate>
<description>&lt;p&gt;停摆二十年之后，码头钟楼的大钟昨日重新敲响，街坊纷纷驻足聆听。&lt;/p&gt;</description></item>
</channel></rss>"#;

const FIRST_TITLE: &str = "渡轮航线下月恢复";
const FIRST_BODY: &str = "## 每天八班\n\n中断三年的**跨海渡轮航线**将于下月一日恢复，首周免收车辆费用。";
const SECOND_TITLE: &str = "渡輪首航座無虛席";
const SECOND_BODY: &str = "首航當日，七百個座位全部售罄，不少旅客是專程回鄉探親的。";

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outlet_publishes_and_readers_find_follow_and_leave(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let outlet = serve_feed(OLD_FEED).await;
    let post = SmtpSink::start(free_port());
    let mut instance = Instance::new(backend).await;
    instance.set("XIANGXUN_SMTP_URL", &post.url());
    instance.set("XIANGXUN_MAIL_FROM", "乡讯 <news@xiangxun.example>");
    instance.set("XIANGXUN_FETCH_ALLOW_PRIVATE", "true");
    let node = instance.serve().await;

    let studio = Browser::open(1280, 900).await;
    become_the_first_user(&studio, &node).await;
    open_an_account(&studio, &node).await;
    connect_the_old_feed(&studio, &node, &outlet).await;
    let first = publish_an_article(&studio, &node, FIRST_TITLE, FIRST_BODY).await;
    assert_found_within_a_second(&node, "\"跨海渡輪航線\"", FIRST_TITLE).await;

    let reader = Browser::open(500, 900).await;
    read_and_subscribe(&reader, &node, &first).await;
    confirm_by_mail(&reader, &post).await;

    let second = publish_and_push_with_a_picture(&studio, &node).await;
    let letter = letter_about(&post, SECOND_TITLE).await;
    assert!(node.get(&second).await.contains("/media/1/"), "the picture is in the article");
    leave_with_one_click(&letter, &node).await;
    publish_an_article(&studio, &node, "码头扩建方案公示", "方案公示三十日，征求街坊意见。").await;
    push_newest(&studio, &node).await;
    assert_follower_reads_everything(&node).await;
    // Whoever left was not told of the last push: both pushes are settled by now.
    wait_for("the second push to be sent", async || node_says_sent(&studio, &node).await).await;
    assert_eq!(letters_about(&post, "码头扩建方案公示").len(), 0);

    studio.close().await;
    reader.close().await;
    assert!(node.stop(), "SIGTERM ends the server well");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suggestions_are_chosen_by_keyboard(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let instance = Instance::new(backend).await;
    let node = instance.serve().await;
    let reader = Browser::open(1280, 900).await;
    become_the_first_user(&reader, &node).await;
    open_an_account(&reader, &node).await;
    publish_an_article(&reader, &node, FIRST_TITLE, FIRST_BODY).await;
    publish_an_article(&reader, &node, SECOND_TITLE, SECOND_BODY).await;
    assert_found_within_a_second(&node, "渡輪", SECOND_TITLE).await;
    wait_for("suggestions", async || {
        node.get("/search/suggestions?q=dulun").await.contains(SECOND_TITLE).then_some(())
    })
    .await;

    reader.visit(&node.url("/search")).await;
    let field = reader.one("form.seek input[name='q']").await;
    assert_eq!(field.attr("role").await.unwrap().as_deref(), Some("combobox"));
    field.send_keys("dulun").await.unwrap();
    let shown = async || {
        let options = reader.window.find_all(By::Css("form.seek [role='option']")).await.ok()?;
        (field.attr("aria-expanded").await.ok()?.as_deref() == Some("true") && options.len() >= 2)
            .then_some(options.len())
    };
    let count = wait_for("the options", shown).await;
    // Which option is active, as a screen reader is told and as one sees it.
    let active = async || {
        let told = field.attr("aria-activedescendant").await.unwrap().unwrap_or_default();
        let seen =
            reader.window.find_all(By::Css("form.seek [role='option'][aria-selected='true']")).await.unwrap();
        match seen.first() {
            Some(option) => assert_eq!(option.attr("id").await.unwrap().unwrap_or_default(), told),
            None => assert_eq!(told, ""),
        }
        told.rsplit('-').next().and_then(|n| n.parse::<usize>().ok())
    };
    assert_eq!(active().await, None, "nothing is chosen unasked");
    for expected in (0..count).map(Some).chain([None, Some(0)]) {
        field.send_keys(Key::Down + "").await.unwrap();
        assert_eq!(active().await, expected);
    }
    field.send_keys(Key::Up + "").await.unwrap();
    assert_eq!(active().await, None, "up from the first is back in the text");
    // Escape closes and keeps what was typed; an arrow opens again.
    field.send_keys(Key::Escape + "").await.unwrap();
    assert_eq!(field.attr("aria-expanded").await.unwrap().as_deref(), Some("false"));
    assert_eq!(field.prop("value").await.unwrap().as_deref(), Some("dulun"));
    field.send_keys(Key::Down + "").await.unwrap();
    wait_for("the options again", shown).await;
    // Enter goes to the chosen one.
    field.send_keys(Key::Down + "").await.unwrap();
    let chosen = reader.one("form.seek [role='option'][aria-selected='true']").await;
    let path = chosen.attr("data-href").await.unwrap().unwrap();
    field.send_keys(Key::Enter + "").await.unwrap();
    wait_for("the chosen page", async || {
        (reader.window.current_url().await.ok()?.as_str() == node.url(&path)).then_some(())
    })
    .await;
    // Enter with none chosen searches for what was typed.
    reader.visit(&node.url("/search")).await;
    let field = reader.one("form.seek input[name='q']").await;
    field.send_keys("渡轮").await.unwrap();
    field.send_keys(Key::Enter + "").await.unwrap();
    reader.see(FIRST_TITLE).await;
    assert!(reader.window.current_url().await.unwrap().as_str().contains("/search?q="));
    reader.close().await;
    assert!(node.stop(), "SIGTERM ends the server well");
}

/// The outlet's server; returns its address.
async fn serve_feed(document: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/feed.xml", listener.local_addr().unwrap());
    let feed = async move || ([(header::CONTENT_TYPE, "application/rss+xml")], document);
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/feed.xml", get(feed))).await });
    address
}

async fn become_the_first_user(studio: &Browser, node: &Node) {
    let link = wait_for("the setup link", async || {
        let printed = node.printed();
        printed.lines().find(|line| line.starts_with(&node.base_url)).map(str::to_owned)
    })
    .await;
    studio.visit(&link).await;
    studio.fill("email", "editor@outlet.example").await;
    studio.fill("name", "值班编辑").await;
    studio.fill("password", "correct horse battery").await;
    studio.click("main form .button.primary").await;
    studio.see("退出登录").await;
    studio.visit(&node.url("/studio")).await;
}

async fn open_an_account(studio: &Browser, node: &Node) {
    studio.visit(&node.url("/studio/open")).await;
    studio.fill("name", "海港晚报").await;
    studio.fill("handle", "harbour").await;
    studio.click("form[action='/studio/open'] .button.primary").await;
    studio.see("海港晚报").await;
}

async fn connect_the_old_feed(studio: &Browser, node: &Node, feed: &str) {
    studio.visit(&node.url("/studio/@harbour/sources")).await;
    studio.fill("url", feed).await;
    studio.click("form[action$='/sources/preview'] button").await;
    studio.see("码头的旧钟楼重新敲响").await;
    studio.click("form[action$='/sources'] .button.primary").await;
    studio.see("旧站").await;
    wait_for("the old article on the account's page", async || {
        node.get("/@harbour").await.contains("码头的旧钟楼重新敲响").then_some(())
    })
    .await;
    assert_found_within_a_second(node, "碼頭鐘樓", "码头的旧钟楼重新敲响").await;
}

/// Writes in the editor and publishes; returns the article's address.
async fn publish_an_article(studio: &Browser, node: &Node, title: &str, body: &str) -> String {
    studio.visit(&node.url("/studio/@harbour/articles/new")).await;
    studio.fill("title", title).await;
    studio.fill("body", body).await;
    publish_what_is_written(studio, node, title, "now").await
}

/// Goes on from the editor to its publish page; `when` is `now`, or `push` for the last look.
async fn publish_what_is_written(studio: &Browser, node: &Node, title: &str, when: &str) -> String {
    studio.click("#editor button[name='then'][value='publish']").await;
    studio.click(&format!("form[action$='/publish'] button[name='when'][value='{when}']")).await;
    wait_for("the article on its account's page", async || {
        let page = client().get(node.url("/@harbour")).send().await.ok()?.text().await.ok()?;
        // Its head names the newest articles too.
        let page = &page[page.find("<main")?..];
        let before = &page[..page.find(title)?];
        let from = before.rfind("href=\"/@harbour/")? + "href=\"".len();
        let rest = &page[from..];
        Some(rest[..rest.find('"')?].to_owned())
    })
    .await
}

/// From the editor to the readers in one go: publish and push, a last look, send.
async fn publish_and_push_with_a_picture(studio: &Browser, node: &Node) -> String {
    studio.visit(&node.url("/studio/@harbour/articles/new")).await;
    studio.fill("title", SECOND_TITLE).await;
    studio.fill("body", SECOND_BODY).await;
    insert_a_picture(studio).await;
    let article = publish_what_is_written(studio, node, SECOND_TITLE, "push").await;
    studio.see("还没有寄出").await;
    studio.click("form[action$='/pushes'] .button.primary").await;
    studio.see("已开始群发").await;
    article
}

/// Chooses a picture under the text, as one does with a mouse; it is written into the text.
async fn insert_a_picture(studio: &Browser) {
    let file = std::env::temp_dir().join(format!("xiangxun-picture-{:016x}.png", rand::random::<u64>()));
    image::RgbImage::from_pixel(320, 200, image::Rgb([40, 90, 160])).save(&file).unwrap();
    let field = studio.one("#picture").await;
    field.send_keys(file.to_str().unwrap()).await.unwrap();
    studio.see("已插入正文").await;
    let body = studio.one("textarea[name='body']").await.prop("value").await.unwrap().unwrap();
    assert!(body.starts_with(SECOND_BODY) && body.contains("\n\n![](/media/1/"), "{body}");
    // What is no picture is refused before it is sent.
    let text = file.with_extension("txt");
    std::fs::write(&text, "not a picture").unwrap();
    field.send_keys(text.to_str().unwrap()).await.unwrap();
    studio.see("这不是 JPEG").await;
    for file in [file, text] {
        std::fs::remove_file(file).unwrap();
    }
}

async fn assert_found_within_a_second(node: &Node, query: &str, title: &str) {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let start = Instant::now();
    loop {
        let answer = node.get(&format!("/api/v1/search?q={query}")).await;
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let items = answer["items"].as_array().unwrap();
        if items.iter().any(|item| item["title"] == title) {
            return;
        }
        // A busy machine gets more than the second that a reader would wait.
        assert!(start.elapsed() < Duration::from_secs(10), "{title} is not found: {answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn read_and_subscribe(reader: &Browser, node: &Node, article: &str) {
    reader.visit(&node.url("/search")).await;
    reader.fill("q", "渡輪航線").await;
    reader.click("main form[role='search'] .button.primary").await;
    reader.see(FIRST_TITLE).await;
    reader.click(&format!("main a[href='{article}']")).await;
    for words in [FIRST_TITLE, "每天八班", "跨海渡轮航线", "海港晚报"] {
        reader.see(words).await;
    }
    reader.fill("email", "reader@abroad.example").await;
    reader.click("form[action='/@harbour/subscribe'] button").await;
    reader.see("请查收邮件").await;
}

async fn confirm_by_mail(reader: &Browser, post: &SmtpSink) {
    let link = wait_for("the confirmation mail", async || {
        let (_, raw) = post.messages().into_iter().find(|(to, _)| to == "reader@abroad.example")?;
        let mail = MessageParser::default().parse(&raw)?;
        let text = mail.body_text(0)?.into_owned();
        text.split_whitespace()
            .find(|word| word.starts_with("http") && word.contains("/s/"))
            .map(str::to_owned)
    })
    .await;
    reader.visit(&link).await;
    reader.click("form[action$='/confirm'] button").await;
    reader.one("form[action$='/leave'], a[href$='/leave']").await;
}

/// Chooses the newest article that was not pushed yet, takes the last look, and sends.
async fn push_newest(studio: &Browser, node: &Node) {
    studio.visit(&node.url("/studio/@harbour/pushes/new")).await;
    studio.click("form[action$='/last-look'] input[name='article']").await;
    studio.click("form[action$='/last-look'] .button.primary").await;
    studio.click("form[action$='/pushes'] .button.primary").await;
    studio.see("已开始群发").await;
}

async fn node_says_sent(studio: &Browser, node: &Node) -> Option<()> {
    studio.visit(&node.url("/studio/@harbour/pushes")).await;
    let text = studio.text().await;
    (text.matches("已完成").count() >= 2).then_some(())
}

fn letters_about(post: &SmtpSink, title: &str) -> Vec<Vec<u8>> {
    let holds = |raw: &Vec<u8>| {
        let mail = MessageParser::default().parse(raw).unwrap();
        mail.body_text(0).is_some_and(|text| text.contains(title))
    };
    post.messages().into_iter().map(|(_, raw)| raw).filter(holds).collect()
}

async fn letter_about(post: &SmtpSink, title: &str) -> Vec<u8> {
    wait_for("the mail of the push", async || letters_about(post, title).pop()).await
}

/// Acts as a mailbox provider does when its "unsubscribe" is pressed (RFC 8058).
async fn leave_with_one_click(raw: &[u8], node: &Node) {
    let mail = MessageParser::default().parse(raw).unwrap();
    assert_eq!(header_text(&mail, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    let list = mail.header_raw("List-Unsubscribe").unwrap().replace(['\r', '\n', ' '], "");
    let link = list.split(['<', '>']).find(|part| part.starts_with("http")).unwrap().to_owned();
    assert!(link.starts_with(&node.base_url), "{link}");
    let looked = client().get(&link).send().await.unwrap();
    assert_eq!(looked.status(), 200, "a GET shows a page and changes nothing");
    let form = [(header::CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")];
    let mut request = client().post(&link).body("List-Unsubscribe=One-Click");
    for (name, value) in form {
        request = request.header(name, value);
    }
    let left = request.send().await.unwrap();
    assert!(left.status().is_success(), "{}: {}", left.status(), left.text().await.unwrap());
}

fn header_text(mail: &mail_parser::Message, name: &str) -> String {
    match mail.header(name.to_owned()) {
        Some(HeaderValue::Text(text)) => text.trim().to_owned(),
        other => panic!("{name}: {other:?}"),
    }
}

/// Another reader follows the Atom feed in an app of their own.
async fn assert_follower_reads_everything(node: &Node) {
    let feed = feed_rs::parser::parse(node.get("/@harbour/feed.atom").await.as_bytes()).unwrap();
    let titles: Vec<String> =
        feed.entries.iter().filter_map(|entry| Some(entry.title.as_ref()?.content.clone())).collect();
    for title in [FIRST_TITLE, SECOND_TITLE, "码头的旧钟楼重新敲响"] {
        assert!(titles.iter().any(|found| found == title), "{title} is not in {titles:?}");
    }
    let first =
        feed.entries.iter().find(|entry| entry.title.as_ref().unwrap().content == FIRST_TITLE).unwrap();
    let content = first.content.as_ref().and_then(|content| content.body.clone()).unwrap();
    assert!(content.contains("<strong>跨海渡轮航线</strong>"), "{content}");
}
