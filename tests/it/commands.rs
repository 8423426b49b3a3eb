//! The binary's commands, run as a person at a terminal runs them.

use std::io::Write;
use std::time::Duration;

use serde_json::json;

use crate::on_both_databases;
use crate::support::Backend;
use crate::support::node::{Instance, Node};
use crate::support::outlet::{Outlet, Page};

on_both_databases! {
    people_and_accounts_are_managed_from_the_console
    an_archive_imported_twice_is_there_once_and_can_be_searched
    migrations_are_listed_and_taken_back
    a_feed_is_taken_in_from_a_file_and_from_an_address
    the_index_is_built_anew_from_the_database
}

async fn people_and_accounts_are_managed_from_the_console(backend: Backend) {
    let instance = Instance::new(backend).await;
    let said = instance.run(&["user", "create", "Editor@Example.org", "--operator"]);
    assert!(said.contains("editor@example.org") && said.contains("/sign-in/link/"), "{said}");
    let said = instance.run(&["user", "reset-password", "editor@example.org"]);
    assert!(said.contains("/sign-in/link/"), "{said}");
    assert!(instance.run(&["user", "promote", "editor@example.org"]).contains("may run the instance"));
    let said = refusal(&instance, &["user", "promote", "nobody@example.org"]);
    assert!(said.contains("no such user"), "{said}");

    let owner = ["--owner", "editor@example.org"];
    let said = instance.run(&[&["account", "create", "Daily", "--name", "华人日报"][..], &owner].concat());
    assert!(said.contains("/@daily"), "{said}");
    instance.run(&["account", "verify", "daily"]);
    instance.run(&["account", "suspend", "@daily"]);
    let listed = instance.run(&["account", "list"]);
    assert!(
        ["daily", "华人日报", "verified", "suspended"].iter().all(|word| listed.contains(word)),
        "{listed}"
    );
    instance.run(&["account", "suspend", "daily", "--lift"]);
    assert!(!instance.run(&["account", "list"]).contains("suspended"));
    let said = refusal(&instance, &["account", "create", "studio", "--name", "甲"]);
    assert!(said.contains("handle:"), "{said}");
}

async fn an_archive_imported_twice_is_there_once_and_can_be_searched(backend: Backend) {
    let instance = Instance::new(backend).await;
    let path = instance.data.join("archive.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    for (number, outlet) in ["甲报", "乙報", "甲报"].iter().enumerate() {
        let row = json!({
            "id": format!("old-{number}"), "title": "同一个标题", "body": format!("第 {number} 篇\n\n旧闻一则。"),
            "outlet": outlet, "lang": "zh-Hans", "published_at": "2020-03-30",
        });
        writeln!(file, "{row}").unwrap();
    }
    let arguments = ["import", "articles", path.to_str().unwrap(), "--account-by", "outlet"];
    let said = instance.run(&arguments);
    assert!(said.contains("3 read, 3 new, 0 there already; 0 lines refused"), "{said}");
    assert!(said.contains("peak memory"), "{said}");
    let said = instance.run(&arguments);
    assert!(said.contains("3 read, 0 new, 3 there already"), "{said}");

    writeln!(file, "{{\"id\": \"broken\"").unwrap();
    let said = refusal(&instance, &arguments);
    assert!(said.contains("line 4: not an article") && said.contains("1 lines were refused"), "{said}");

    let node = instance.serve().await;
    node.wait_until("/readyz", std::time::Duration::from_secs(60)).await;
    let found: serde_json::Value =
        serde_json::from_str(&node.get("/api/v1/search?q=%22旧闻一则%22").await).unwrap();
    assert_eq!(found["total"], 3, "{found}");
    assert_eq!(found["items"][0]["published_at"].as_str().map(|text| &text[..10]), Some("2020-03-29"));
    assert!(node.stop(), "SIGTERM ends it in good order");
}

const FEED: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>旧站</title><link>https://old.example.org/</link>
<item><title>码头的旧钟楼重新敲响</title><link>https://old.example.org/clock</link><guid>clock</guid>
<description>停摆二十年之后，大钟昨日重新敲响。</description></item>
<item><title>渡轮航线下月恢复</title><link>https://old.example.org/ferry</link><guid>ferry</guid>
<description>首周免收车辆费用。</description></item>
</channel></rss>"#;

/// Makes an account with an owner.
fn open_account(instance: &Instance, handle: &str) {
    instance.run(&["user", "create", "editor@example.org", "--operator"]);
    instance.run(&["account", "create", handle, "--name", "海港晚报", "--owner", "editor@example.org"]);
}

/// How many articles a node finds.
async fn found(node: &Node, query: &str) -> u64 {
    node.wait_until("/readyz", Duration::from_secs(60)).await;
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let answer = node.get(&format!("/api/v1/search?q={query}")).await;
    serde_json::from_str::<serde_json::Value>(&answer).unwrap()["total"].as_u64().unwrap()
}

async fn a_feed_is_taken_in_from_a_file_and_from_an_address(backend: Backend) {
    let mut instance = Instance::new(backend).await;
    instance.set("XIANGXUN_FETCH_ALLOW_PRIVATE", "true");
    open_account(&instance, "harbour");
    let file = instance.data.join("feed.xml");
    std::fs::write(&file, FEED).unwrap();
    let arguments = ["import", "feed", file.to_str().unwrap(), "--account", "harbour"];
    assert!(instance.run(&arguments).contains("2 entries, 2 new in @harbour"));
    assert!(instance.run(&arguments).contains("2 entries, 0 new in @harbour"));
    let said = refusal(&instance, &["import", "feed", file.to_str().unwrap(), "--account", "nobody"]);
    assert!(said.contains("there is no account nobody"), "{said}");
    std::fs::write(&file, "这不是订阅源").unwrap();
    refusal(&instance, &arguments);

    let outlet = Outlet::start().await;
    outlet.serve(
        "/feed.xml",
        Page::feed(
            FEED.replace("渡轮航线", "客轮航线")
                .replace("<guid>ferry", "<guid>liner")
                .replace("/ferry", "/liner"),
        ),
    );
    let url = outlet.url("/feed.xml");
    let said = instance.run(&["import", "feed", &url, "--account", "@harbour"]);
    assert!(said.contains(&url) && said.contains("in all in @harbour"), "{said}");
    let said = refusal(&instance, &["import", "feed", &outlet.url("/nothing.xml"), "--account", "harbour"]);
    assert!(said.contains("404"), "{said}");

    let node = instance.serve().await;
    assert_eq!(found(&node, "\"渡輪航線\"").await, 1);
    assert_eq!(found(&node, "\"客輪航線\"").await, 1);
    assert!(node.stop());
}

async fn the_index_is_built_anew_from_the_database(backend: Backend) {
    let instance = Instance::new(backend).await;
    open_account(&instance, "harbour");
    let file = instance.data.join("feed.xml");
    std::fs::write(&file, FEED).unwrap();
    instance.run(&["import", "feed", file.to_str().unwrap(), "--account", "harbour"]);
    let said = instance.run(&["reindex"]);
    assert!(said.starts_with("2 articles in "), "{said}");
    // Whatever was there is thrown away, and beside a server that uses it another is made.
    std::fs::remove_dir_all(instance.data.join("index")).unwrap();
    let node = instance.serve().await;
    assert_eq!(found(&node, "\"旧钟楼\"").await, 1);
    let said = instance.run(&["reindex"]);
    assert!(said.starts_with("2 articles in "), "{said}");
    assert_eq!(found(&node, "\"旧钟楼\"").await, 1);
    assert!(node.stop());
    let node = instance.serve().await;
    assert_eq!(found(&node, "\"旧钟楼\"").await, 1);
    assert!(node.stop());
}

async fn migrations_are_listed_and_taken_back(backend: Backend) {
    let instance = Instance::new(backend).await;
    instance.run(&["migrate"]);
    assert!(instance.run(&["migrate"]).contains("up to date"));
    assert!(!instance.run(&["migrate", "--status"]).contains("to do"));
    assert!(instance.run(&["migrate", "--down", "1"]).starts_with("undone"));
    assert!(instance.run(&["migrate", "--status"]).contains("to do"));
    instance.run(&["migrate"]);
}

#[tokio::test]
async fn a_wrong_variable_stops_every_command_and_is_named() {
    let mut instance = Instance::new(Backend::Sqlite).await;
    instance.set("XIANGXUN_LISTN", "127.0.0.1:1");
    let said = refusal(&instance, &["serve"]);
    assert!(said.contains("unknown variable `XIANGXUN_LISTN`; did you mean `XIANGXUN_LISTEN`?"), "{said}");
}

#[tokio::test]
async fn config_check_prints_the_settings_and_everything_that_is_wrong() {
    let mut instance = Instance::new(Backend::Sqlite).await;
    instance.set("XIANGXUN_SMTP_URL", "smtps://news:secret@mail.example");
    let said = instance.run(&["config", "check"]);
    assert!(
        said.contains("smtps://news:***@mail.example") && said.ends_with("the settings are right\n"),
        "{said}"
    );

    let file = instance.data.join("other.toml");
    let written = "site_name = \"海港\"\nlisen = \"127.0.0.1:1\"\nsuggest_titles = \"many\"\nbase_url = \"news.example\"\n";
    std::fs::write(&file, written).unwrap();
    instance.set("XIANGXUN_QQQ", "1");
    let arguments = ["config", "check", "--config", file.to_str().unwrap()];
    let output = instance.command(&arguments).output().unwrap();
    assert!(!output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in [
        "site_name            = \"海港\"",
        "listen               = \"127.0.0.1:3000\"",
        "unknown setting `lisen`; did you mean `listen`?",
        "`suggest_titles` must be a whole number",
        "unknown variable `XIANGXUN_QQQ`; the nearest is `XIANGXUN_",
        "wrong: base_url (XIANGXUN_BASE_URL): ",
    ] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    assert!(!printed.contains("secret"), "{printed}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("4 things are wrong with the settings"), "{said}");
    let said = refusal(&instance, &["--config", "/nonexistent.toml", "migrate"]);
    assert!(said.contains("there is no settings file /nonexistent.toml (--config)"), "{said}");
}

#[tokio::test]
async fn config_docs_prints_every_setting() {
    let instance = Instance::new(Backend::Sqlite).await;
    let printed = instance.run(&["config", "docs"]);
    for setting in xiangxun::config::SETTINGS {
        assert!(
            printed.contains(&format!("| `{}` | `{}` | ", setting.name, setting.variable())),
            "{printed}"
        );
    }
}

#[tokio::test]
async fn a_test_mail_without_a_server_is_written_to_a_file() {
    let instance = Instance::new(Backend::Sqlite).await;
    let said = instance.run(&["test-mail", "reader@example.org"]);
    assert!(said.contains("smtp_url is empty"), "{said}");
    assert_eq!(crate::support::node::letters_in(&instance.data).len(), 1);
}

/// What a command that fails prints.
fn refusal(instance: &Instance, arguments: &[&str]) -> String {
    let output = instance.command(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?} is refused");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
