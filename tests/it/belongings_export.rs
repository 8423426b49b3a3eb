//! Exports of all that is kept of a person.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::{HeaderName, Method, header};
use sea_orm::{EntityTrait, QueryFilter};
use serde_json::Value;
use xiangxun::belongings::export;
use xiangxun::belongings::export::sections::SECTIONS;
use xiangxun::belongings::places::{PLACES, Told};
use xiangxun::db::entities::export::{self as exports, ExportState};
use xiangxun::db::entities::member;
use xiangxun::jobs::{self, Outcome};
use xiangxun::page::Locale;

use crate::both_databases;
use crate::support::TestApp;
use crate::support::app::Answer;
use crate::support::belongings::{
    EMAIL, ID, download_path, everything, export_of, exported_files, person, run,
};

/// The files of a ZIP file, read by a program of another make.
fn unzip(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let folder = std::env::temp_dir().join(format!("xiangxun-unzip-{:016x}", rand::random::<u64>()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("it.zip");
    std::fs::write(&file, bytes).unwrap();
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                  z.extractall(sys.argv[2])\nprint('\\n'.join(z.namelist()))";
    let output = std::process::Command::new("/usr/bin/python3")
        .args(["-c", script, file.to_str().unwrap(), folder.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    let files =
        names.lines().map(|name| (name.to_owned(), std::fs::read(folder.join(name)).unwrap())).collect();
    std::fs::remove_dir_all(&folder).unwrap();
    files
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files.get(name).unwrap_or_else(|| panic!("no {name}")).clone()).unwrap()
}

/// The document of an export that is made now.
async fn document(app: &TestApp) -> Value {
    serde_json::from_slice(&unzip(&export_of(app).await.bytes)["account.json"]).unwrap()
}

async fn state(app: &TestApp) -> Option<ExportState> {
    let found = exports::Entity::find().filter(exports::COLUMN.user_id.eq(ID));
    found.one(app.app.db.read()).await.unwrap().map(|export| export.state)
}

async fn part(app: &TestApp, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
    let mut request = app.request(Method::GET, path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    app.send(request.body(Body::empty()).unwrap()).await
}

async fn save(app: &TestApp, n: i64, tags: &str, html: &str) {
    let now = app.app.clock.now().0 + n / 3;
    run(app, &format!(
        "INSERT INTO saved_articles (user_id, saved_at, version, url, account_handle, account_name, title, digest, author, \
         tags, lang, letters, body_html) VALUES ({ID}, {now}, 1, '/@p/{n}', 'p', 'P', '第{n}篇', '', '', '{tags}', \
         'zh-Hans', '', '{html}')")).await;
}

/// Every list of the document with its fields, as `docs/export.md` has them.
#[test]
fn the_document_is_described_field_by_field() {
    let words =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let text = include_str!("../../docs/export.md");
    let described: BTreeMap<String, Vec<String>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(name, rest)| (name.to_owned(), words(rest)))
        .collect();
    for section in SECTIONS {
        let fields: Vec<&str> = section.fields().collect();
        let found =
            described.get(section.name).unwrap_or_else(|| panic!("{} is not described", section.name));
        assert_eq!(found, &fields, "{}", section.name);
    }
}

both_databases! {
    async fn a_person_takes_along_all_that_is_kept_of_them(app) {
        let (account, _) = app.account("paper").await;
        let article = app.published(account.id, "签证新规").await;
        person(app).await;
        everything(app, account.id, article.id).await;
        app.allow_unfinished_jobs();
        app.post("/settings/data/export", &[]).await.assert_status(303);
        assert!(app.get("/settings/data").await.text().contains("<progress"));
        app.post("/settings/data/export", &[]).await.assert_status(409);
        app.work().await;
        let letters = app.take_letters();
        assert_eq!(letters.iter().filter(|letter| letter.to == EMAIL).count(), 1, "{letters:?}");
        assert!(letters[0].text.contains("http://xiangxun.test/settings/data"), "{}", letters[0].text);

        let answer = app.get(&download_path(app).await).await.assert_status(200);
        let files = unzip(&answer.bytes);
        let document: Value = serde_json::from_slice(&files["account.json"]).unwrap();
        assert_eq!(document["format"], "xiangxun-export");
        assert_eq!(document["profile"]["email"], EMAIL);
        for place in PLACES {
            if let Told::As(section) = place.told {
                let rows = &document[section];
                let has_some = rows.is_object() || rows.as_array().is_some_and(|rows| !rows.is_empty());
                assert!(has_some, "{}.{} is nowhere under {section}: {rows}", place.table, place.column);
            }
        }
        assert_eq!(document["subscriptions"][0]["url"], "http://xiangxun.test/@paper");
        assert_eq!(document["subscriptions"][0]["cadence"], "instant");
        assert_eq!(document["subscriptions"][0]["list"], "侨乡");
        assert_eq!(document["timeline"][0]["mute_words"][0], "彩票");
        assert_eq!(document["reading"][0]["digest_hour"], 7);
        assert_eq!(document["read_marks"][0]["is_read"], true);
        assert_eq!(document["saved_articles"][0]["highlights"][0]["note"], "我的笔记");
        assert!(document["deliveries"][0]["created_at"].as_str().unwrap().ends_with('Z'));
        let whole = text(&files, "account.json");
        for secret in ["the-", "argon2", "push.example/1"] {
            assert!(!whole.contains(secret), "{secret}: {whole}");
        }
    }

    async fn an_export_can_be_read_without_this_site(app) {
        let (account, _) = app.account("paper").await;
        let article = app.published(account.id, "签证新规").await;
        person(app).await;
        everything(app, account.id, article.id).await;
        app.allow_unfinished_jobs();
        // There is no room for this one.
        run(app, &format!(
            "INSERT INTO media (account_id, key, content_type, width, height, bytes, created_at) VALUES ({}, \
             '1/fedcba9876543210fedcba9876543210.png', 'image/png', 1, 1, 2000000000, 0)", account.id)).await;
        std::fs::write(app.app.config.data.join("media/1/fedcba9876543210fedcba9876543210.png"), b"HUGE").unwrap();
        save(app, 7, "[]", "<p><img src=\"/media/1/fedcba9876543210fedcba9876543210.png\" alt=\"\"></p>").await;
        let files = unzip(&export_of(app).await.bytes);
        let document: Value = serde_json::from_slice(&files["account.json"]).unwrap();
        let opml = text(&files, "subscriptions.opml");
        assert!(opml.contains("xmlUrl=\"http://xiangxun.test/@paper/feed.atom\"") && opml.contains("elsewhere.example"));
        let file = document["saved_articles"].as_array().unwrap().iter()
            .find(|saved| saved["title"] == "收着的文章").unwrap()["file"].as_str().unwrap();
        let index = text(&files, "saved/index.html");
        assert!(index.contains(file.trim_start_matches("saved/")) && index.contains("收着的文章"), "{index}");
        let page = text(&files, file);
        assert!(page.contains("<mark") && page.contains("我的笔记"), "{page}");
        assert!(page.contains("src=\"pictures/1-0123456789abcdef0123456789abcdef.png\""), "{page}");
        assert_eq!(files["saved/pictures/1-0123456789abcdef0123456789abcdef.png"], b"PNG!");
        let other = document["saved_articles"].as_array().unwrap().iter()
            .find(|saved| saved["title"] == "第7篇").unwrap()["file"].as_str().unwrap();
        let page = text(&files, other);
        assert!(page.contains("src=\"http://xiangxun.test/media/1/fedcba9876543210fedcba9876543210.png\""), "{page}");
        assert!(!files.contains_key("saved/pictures/1-fedcba9876543210fedcba9876543210.png"));
        assert!(text(&files, "README.txt").contains("saved/index.html    收藏的文章，用浏览器打开"));
    }

    async fn a_download_goes_on_where_it_broke_and_is_nobody_elses(app) {
        person(app).await;
        let answer = export_of(app).await;
        let path = download_path(app).await;
        assert_eq!(answer.header("content-type"), "application/zip");
        assert_eq!(answer.header("cache-control"), "private, no-store");
        assert_eq!(answer.header("content-encoding"), "");
        let tag = answer.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        let size = answer.bytes.len();
        let rest = part(app, &path, &[(header::RANGE, "bytes=100-"), (header::IF_RANGE, &tag)]).await.assert_status(206);
        assert_eq!(rest.bytes, answer.bytes[100..]);
        assert_eq!(rest.header("content-range"), format!("bytes 100-{}/{size}", size - 1));
        assert_eq!(rest.header("content-length"), (size - 100).to_string());
        assert_eq!(rest.header("etag"), tag);
        let some = part(app, &path, &[(header::RANGE, "bytes=10-19")]).await.assert_status(206);
        assert_eq!(some.bytes, answer.bytes[10..20]);
        // Of another file nothing can go on.
        let whole = part(app, &path, &[(header::RANGE, "bytes=100-"), (header::IF_RANGE, "\"other\"")]).await;
        assert_eq!(whole.assert_status(200).bytes, answer.bytes);
        let behind = part(app, &path, &[(header::RANGE, &format!("bytes={size}-"))]).await.assert_status(416);
        assert_eq!(behind.header("content-range"), format!("bytes */{size}"));

        let other = app.user("other@example.org").await;
        app.sign_out();
        app.get(&path).await.assert_status(303);
        app.sign_in(other.id).await;
        app.get(&path).await.assert_status(404);
        assert!(!app.get("/settings/data").await.text().contains("<progress"));
        // It goes after a week.
        app.sign_in(ID).await;
        app.app.clock.advance(export::KEPT);
        app.sign_in(ID).await;
        app.get(&path).await.assert_status(404);
        assert_eq!(exported_files(app), 1);
        jobs::upkeep::run_once(&app.app).await.unwrap();
        assert_eq!(exported_files(app), 0);
    }

    async fn an_export_holds_as_much_as_there_is_but_not_as_often_as_one_likes(app) {
        let (account, _) = app.account("paper").await;
        person(app).await;
        run(app, &format!("INSERT INTO members (account_id, user_id, role, created_at) VALUES ({}, {ID}, 'author', 0)", account.id)).await;
        for n in 0..530 {
            save(app, n, "[]", &format!("<p>{n}</p>")).await;
        }
        for n in 0..41 {
            let article = app.published(account.id, &format!("第{n}篇")).await;
            run(app, &format!(
                "INSERT INTO autosaves (article_id, user_id, version, fields, saved_at) VALUES ({}, {ID}, 1, '{{}}', 0)", article.id)).await;
        }
        let files = unzip(&export_of(app).await.bytes);
        let document: Value = serde_json::from_slice(&files["account.json"]).unwrap();
        assert_eq!(document["saved_articles"].as_array().unwrap().len(), 530);
        assert_eq!(document["unsaved_work"].as_array().unwrap().len(), 41);
        assert_eq!(files.keys().filter(|name| name.starts_with("saved/") && !name.ends_with("index.html")).count(), 530);
        assert_eq!(text(&files, "saved/index.html").matches("<li>").count(), 530);
        // Another takes its place.
        export_of(app).await;
        assert_eq!(exported_files(app), 1);
        app.post("/settings/data/export/delete", &[]).await.assert_status(303);
        assert_eq!(exported_files(app), 0);
        export_of(app).await;
        export_of(app).await;
        app.post("/settings/data/export", &[]).await.assert_status(429);
        app.app.clock.advance(Duration::from_secs(60 * 60));
        export_of(app).await;
    }

    async fn those_who_no_longer_work_on_an_account_get_nothing_of_its_drafts(app) {
        let (account, _) = app.account("paper").await;
        let public = app.published(account.id, "签证新规").await;
        let draft = app.published(account.id, "未公开的独家报道").await;
        person(app).await;
        everything(app, account.id, draft.id).await;
        app.allow_unfinished_jobs();
        run(app, &format!("UPDATE articles SET created_by = {ID} WHERE id = {}", public.id)).await;
        run(app, &format!("UPDATE articles SET state = 'draft', slug = 'dujia' WHERE id = {}", draft.id)).await;
        // Somebody else typed last.
        run(app, "UPDATE autosaves SET fields = '{\"body\": \"同事的手稿\"}'").await;
        let whole = document(app).await.to_string();
        assert!(whole.contains("未公开的独家报道") && whole.contains("/dujia") && whole.contains("同事的手稿"), "{whole}");
        member::Entity::delete_many().filter(member::COLUMN.user_id.eq(ID)).exec(app.app.db.write()).await.unwrap();
        // What was read and saved while it was public is the reader's.
        for table in ["alert_hits", "read_marks", "inbox_items"] {
            run(app, &format!("DELETE FROM {table}")).await;
        }
        let document = document(app).await;
        let whole = document.to_string();
        for secret in ["未公开的独家报道", "dujia", "同事的手稿"] {
            assert!(!whole.contains(secret), "{secret}: {whole}");
        }
        let articles = document["articles"].as_array().unwrap();
        assert_eq!(articles.len(), 2);
        assert!(articles.iter().any(|article| article["title"] == "签证新规" && article["url"].is_string()));
        assert!(articles.iter().any(|article| article["title"].is_null() && article["url"].is_null()));
        assert_eq!(document["revisions"][0]["note"], "改了错字");
    }

    async fn an_export_that_was_killed_begins_again_cleanly(app) {
        let person = person(app).await;
        let asked = export::ask(&app.app, &person, Locale::En).await.unwrap();
        let folder = export::folder(&app.app);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{}-0000.zip.part", asked.id)), b"half").unwrap();
        std::fs::write(folder.join(format!("{}-0001.zip", asked.id)), b"named, but its row was not written").unwrap();
        app.work().await;
        assert_eq!(exported_files(app), 1);
        let path = download_path(app).await;
        assert!(unzip(&app.get(&path).await.bytes).contains_key("account.json"));
        // Killed between the file and the letter: the letter comes, the file stays.
        let Outcome::Again { .. } = export::make(&app.app, asked.id).await.unwrap() else { panic!("nobody is told") };
        app.get(&path).await.assert_status(200);
        // A job that is gone has failed, and another can be asked for.
        run(app, "UPDATE exports SET state = 'making'").await;
        app.get("/settings/data").await.assert_status(200);
        app.post("/settings/data/export", &[]).await.assert_status(303);
        app.work().await;
    }

    async fn an_export_that_is_deleted_while_it_is_made_leaves_nothing(app) {
        let person = person(app).await;
        for n in 0..300 {
            save(app, n, "[]", "<p>一二三</p>").await;
        }
        let asked = export::ask(&app.app, &person, Locale::En).await.unwrap();
        let making = tokio::spawn({
            let app = app.app.clone();
            async move { export::make(&app, asked.id).await }
        });
        while exported_files(app) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        app.post("/settings/data/export/delete", &[]).await.assert_status(303);
        assert_eq!(making.await.unwrap().unwrap(), Outcome::Done);
        assert_eq!(exported_files(app), 0);
        // Its job finds nothing to do.
        app.work().await;
        assert!(app.take_letters().is_empty());
    }

    async fn an_export_that_fails_leaves_no_half_of_a_file(app) {
        let person = person(app).await;
        save(app, 1, "{}", "<p>its tags cannot be read</p>").await;
        let asked = export::ask(&app.app, &person, Locale::En).await.unwrap();
        export::make(&app.app, asked.id).await.unwrap_err();
        assert_eq!(exported_files(app), 0);
        // Its job gives up; it says so, at once and after the upkeep, and another can be asked for.
        run(app, "DELETE FROM jobs").await;
        assert!(app.get("/settings/data").await.text().contains("class=\"error\""));
        jobs::upkeep::run_once(&app.app).await.unwrap();
        assert_eq!(state(app).await, Some(ExportState::Failed));
        assert!(app.get("/settings/data").await.text().contains("class=\"error\""));
        app.app.clock.advance(export::KEPT);
        jobs::upkeep::run_once(&app.app).await.unwrap();
        assert_eq!(state(app).await, None);
        run(app, "DELETE FROM saved_articles").await;
        app.sign_in(ID).await;
        export_of(app).await;
    }

    async fn files_that_nothing_names_are_cleared_away_when_they_are_old(app) {
        person(app).await;
        export_of(app).await;
        let folder = export::folder(&app.app);
        let kept: BTreeSet<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let id = kept.first().unwrap().file_name().unwrap().to_str().unwrap().split('-').next().unwrap().to_owned();
        let (left, young) = (folder.join(format!("{id}-00.zip.part")), folder.join("9-01.zip.part"));
        std::fs::write(&young, b"half").unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
        for path in kept.iter().chain([&left]) {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        jobs::upkeep::run_once(&app.app).await.unwrap();
        let now: BTreeSet<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(now, kept.into_iter().chain([young]).collect());
    }
}
