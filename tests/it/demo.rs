//! `xiangxun demo`, run as a process: what it prints is followed as a person would.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};

use crate::support::Backend;
use crate::support::node::{Instance, Node, client};

/// What stands behind a heading in the demo's greeting.
async fn printed(node: &Node, heading: &str) -> String {
    let started = Instant::now();
    loop {
        let printed = node.printed();
        let line = printed.lines().find_map(|line| line.trim().strip_prefix(heading));
        if let Some(line) = line {
            return line.trim().to_owned();
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no {heading:?} in {printed}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Presses the button behind a link that signs in; returns the session and where it led.
async fn sign_in(node: &Node, link: &str) -> (String, String) {
    let page = client().get(link).send().await.unwrap();
    assert_eq!(page.status(), 200, "the link shows a button");
    let press = async || {
        let form = client().post(link).header(ORIGIN, &node.base_url).body("");
        form.header(CONTENT_TYPE, "application/x-www-form-urlencoded").send().await.unwrap()
    };
    let done = press().await;
    assert_eq!(done.status(), 303, "{}", done.text().await.unwrap());
    let location = done.headers()[LOCATION].to_str().unwrap().to_owned();
    let cookies = done.headers().get_all(SET_COOKIE).iter();
    let cookies: Vec<String> =
        cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned()).collect();
    assert!(press().await.status().is_client_error(), "a link is good once");
    (cookies.join("; "), location)
}

async fn page(node: &Node, path: &str, session: &str) -> String {
    let answer = client().get(node.url(path)).header(COOKIE, session).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demos_links_sign_in_and_its_mail_can_be_read() {
    let instance = Instance::new(Backend::Sqlite).await;
    let node = instance.demo().await;
    assert_eq!(printed(&node, "front page").await, node.url("/"));
    assert!(node.get("/").await.contains("/@gewu"), "the front page shows accounts");

    let (publisher, studio) = sign_in(&node, &printed(&node, "as a publisher").await).await;
    assert_eq!(studio, "/studio");
    let shown = page(&node, "/studio", &publisher).await;
    assert!(shown.contains("/studio/@gewu") && shown.contains("/studio/@wenshi"), "{shown}");
    page(&node, "/studio/@gewu/articles", &publisher).await;

    let (reader, timeline) = sign_in(&node, &printed(&node, "as a reader").await).await;
    assert_eq!(timeline, "/timeline");
    let shown = page(&node, "/timeline", &reader).await;
    assert!(shown.contains("href=\"/@gewu/"), "{shown}");
    let refused = client().get(node.url("/studio/@gewu")).header(COOKIE, &reader).send().await.unwrap();
    assert_eq!(refused.status(), 403, "the reader is no publisher");

    let mail = printed(&node, "mail that it sends").await;
    assert_eq!(mail, node.url("/demo/mail"));
    let letter = first_letter(&node).await;
    assert!(node.get(&letter).await.contains("<iframe"), "a letter is shown in a frame");
    assert!(node.get(&format!("{letter}/html")).await.contains("href="));

    let folder = printed(&node, "Everything is in ").await;
    let folder = PathBuf::from(folder.split(" and is deleted").next().unwrap());
    assert!(folder.is_dir());
    assert!(node.stop(), "SIGTERM ends it in good order");
    assert!(!folder.exists(), "nothing is left of it");
}

/// The path of a letter, once one was sent.
async fn first_letter(node: &Node) -> String {
    let started = Instant::now();
    loop {
        let list = node.get("/demo/mail").await;
        if let Some((_, rest)) = list.split_once("href=\"/demo/mail/") {
            return format!("/demo/mail/{}", rest.split('"').next().unwrap());
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no letter: {list}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elsewhere_there_is_no_demo() {
    let instance = Instance::new(Backend::Sqlite).await;
    let node = instance.serve().await;
    for path in ["/demo/mail", "/demo/mail/1", "/demo/mail/1/html"] {
        assert_eq!(client().get(node.url(path)).send().await.unwrap().status(), 404, "{path}");
    }
    assert!(node.stop());
}
