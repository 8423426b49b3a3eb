//! All that is kept of a person: taken along as a file, and deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use xiangxun::belongings::places::{Fate, NOBODYS, PLACES, Told};
use xiangxun::belongings::{export, leaving};
use xiangxun::db::entities::delivery::DeliveryState;
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::user::{self, UserState};
use xiangxun::jobs::{self, Outcome};
use xiangxun::page::Locale;

use crate::both_databases;
use crate::support::TestApp;
use crate::support::app::Answer;
use crate::support::belongings::{
    EMAIL, ID, NAME, columns, everything, holds, person, references_to_users, run,
};
use crate::support::people::{self, PASSWORD};

/// Long enough for what was under way when somebody left.
const SETTLED: Duration = Duration::from_secs(41);

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

/// The address of the file on the settings page.
fn download_path(page: &str) -> String {
    let at = page.find("/settings/data/export/").unwrap_or_else(|| panic!("no file: {page}"));
    page[at..].split('"').next().unwrap().to_owned()
}

async fn export_of(app: &TestApp) -> Answer {
    app.post("/settings/data/export", &[]).await.assert_status(303);
    app.work().await;
    app.get(&download_path(&app.get("/settings/data").await.text())).await.assert_status(200)
}

async fn leave(app: &TestApp) {
    let answer = app.post("/settings/leave", &[("password", PASSWORD)]).await.assert_status(303);
    assert_eq!(answer.location(), "/");
}

fn files_of(app: &TestApp) -> usize {
    std::fs::read_dir(export::folder(&app.app)).map_or(0, Iterator::count)
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

        let path = download_path(&app.get("/settings/data").await.text());
        let answer = app.get(&path).await.assert_status(200);
        assert_eq!(answer.header("content-type"), "application/zip");
        assert_eq!(answer.header("cache-control"), "private, no-store");
        assert_eq!(answer.header("content-encoding"), "");
        let files = unzip(&answer.bytes);
        let document: serde_json::Value = serde_json::from_slice(&files["account.json"]).unwrap();
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

        let opml = text(&files, "subscriptions.opml");
        assert!(opml.contains("xmlUrl=\"http://xiangxun.test/@paper/feed.atom\"") && opml.contains("elsewhere.example"));
        let file = document["saved_articles"][0]["file"].as_str().unwrap();
        let index = text(&files, "saved/index.html");
        assert!(index.contains(file.trim_start_matches("saved/")) && index.contains("收着的文章"), "{index}");
        let page = text(&files, file);
        assert!(page.contains("<mark") && page.contains("我的笔记"), "{page}");
        assert!(page.contains("src=\"pictures/1-0123456789abcdef0123456789abcdef.png\""), "{page}");
        assert_eq!(files["saved/pictures/1-0123456789abcdef0123456789abcdef.png"], b"PNG!");
        assert!(text(&files, "README.txt").contains("account.json"));

        // A download that broke goes on.
        let rest = app.request(Method::GET, &path).header(header::RANGE, "bytes=100-").body(Body::empty());
        let rest = app.send(rest.unwrap()).await.assert_status(206);
        assert_eq!(rest.bytes, answer.bytes[100..]);
        assert!(rest.header("content-range").starts_with("bytes 100-"));

        // It is nobody else's, and goes after a week.
        let other = app.user("other@example.org").await;
        app.sign_out();
        app.get(&path).await.assert_status(303);
        app.sign_in(other.id).await;
        app.get(&path).await.assert_status(404);
        assert!(!app.get("/settings/data").await.text().contains("<progress"));
        app.sign_in(ID).await;
        app.app.clock.advance(export::KEPT);
        app.sign_in(ID).await;
        app.get(&path).await.assert_status(404);
        assert_eq!(files_of(app), 1);
        jobs::upkeep::run_once(&app.app).await.unwrap();
        assert_eq!(files_of(app), 0);
    }

    async fn an_export_holds_as_many_saved_articles_as_there_are(app) {
        person(app).await;
        let now = app.app.clock.now().0;
        for n in 0..530 {
            run(app, &format!(
                "INSERT INTO saved_articles (user_id, saved_at, version, url, account_handle, account_name, title, digest, \
                 author, tags, lang, letters, body_html) VALUES ({ID}, {}, 1, '/@p/{n}', 'p', 'P', '第{n}篇', '', '', '[]', \
                 'zh-Hans', '', '<p>{n}</p>')", now + n / 3)).await;
        }
        let files = unzip(&export_of(app).await.bytes);
        let document: serde_json::Value = serde_json::from_slice(&files["account.json"]).unwrap();
        assert_eq!(document["saved_articles"].as_array().unwrap().len(), 530);
        assert_eq!(files.keys().filter(|name| name.starts_with("saved/") && !name.ends_with("index.html")).count(), 530);
        assert_eq!(text(&files, "saved/index.html").matches("<li>").count(), 530);
        // Another takes its place.
        export_of(app).await;
        assert_eq!(files_of(app), 1);
        app.post("/settings/data/export/delete", &[]).await.assert_status(303);
        assert_eq!(files_of(app), 0);
    }

    async fn an_export_that_was_killed_begins_again_cleanly(app) {
        let person = person(app).await;
        let asked = export::ask(&app.app, &person, Locale::En).await.unwrap();
        let folder = export::folder(&app.app);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{}-0000.zip.part", asked.id)), b"half").unwrap();
        std::fs::write(folder.join(format!("{}-0001.zip", asked.id)), b"named, but its row was not written").unwrap();
        app.work().await;
        assert_eq!(files_of(app), 1);
        let path = download_path(&app.get("/settings/data").await.text());
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

    async fn whoever_leaves_is_nowhere_in_the_database(app) {
        let (account, _) = app.account("paper").await;
        let (second, _) = app.account("weekly").await;
        let article = app.published(account.id, "签证新规").await;
        person(app).await;
        everything(app, account.id, article.id).await;
        app.subscriber(second.id, EMAIL).await;
        export_of(app).await;
        app.allow_unfinished_jobs();
        app.take_letters();

        // The list of places is the schema's.
        let all = columns(app).await;
        let tables: BTreeSet<&str> = all.iter().map(|(table, _)| table.as_str()).collect();
        let listed: BTreeSet<&str> = PLACES.iter().map(|place| place.table).chain(NOBODYS).collect();
        let forgotten: Vec<_> = tables.difference(&listed).collect();
        assert!(forgotten.is_empty(), "{forgotten:?}: say in belongings::places what becomes of their rows");
        let is_place = |table: &str, column: &str| {
            PLACES.iter().any(|place| place.table == table && place.column == column)
        };
        let names_somebody = |column: &str| {
            column == "email" || column == "editor_id" || column.ends_with("user_id")
                || column.ends_with("_by") && column != "last_used_by"
        };
        for (table, column) in all.iter().filter(|(_, column)| names_somebody(column)) {
            assert!(is_place(table, column), "{table}.{column}: say in belongings::places what becomes of it");
        }
        for (table, column) in references_to_users(app).await {
            assert!(is_place(&table, &column), "{table}.{column}: say in belongings::places what becomes of it");
        }
        // There is something in each of them, so that the rest proves something.
        let marks = [ID.to_string(), EMAIL.to_owned(), NAME.to_owned()];
        for place in PLACES {
            let mut found = 0;
            for mark in &marks {
                found += holds(app, place.table, place.column, mark).await;
            }
            assert!(found > 0, "{}.{}: the test puts nothing there", place.table, place.column);
        }

        leave(app).await;
        app.work().await;
        app.app.clock.advance(SETTLED);
        app.work().await;
        // SQLite counts the ids that it has given.
        for (table, column) in all.iter().filter(|(table, _)| table != "sqlite_sequence") {
            for mark in &marks {
                let is_kept = PLACES.iter().any(|place| {
                    place.table == table && place.column == column && matches!(place.fate, Fate::Kept(_))
                });
                let found = holds(app, table, column, mark).await;
                assert!(is_kept || found == 0, "{table}.{column} still says {mark} {found} times");
            }
        }
        assert_eq!(files_of(app), 0);
        let letters = app.take_letters();
        assert_eq!(letters.iter().map(|letter| letter.to.as_str()).collect::<Vec<_>>(), [EMAIL]);
        // What accounts have stays: the article, its history, and that one mail was delivered.
        assert_eq!(xiangxun::db::entities::delivery::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        assert_eq!(xiangxun::db::entities::revision::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        app.get("/@paper").await.assert_status(200);
        // Done twice it is done once.
        let again = leaving::run(&app.app, ID, app.app.clock.now()).await.unwrap();
        assert_eq!(again, Outcome::Done);
    }

    async fn from_the_moment_of_the_wish_nobody_gets_in_and_nothing_goes_out(app) {
        let (account, _) = app.account("paper").await;
        let person = person(app).await;
        let article = app.published(account.id, "签证新规").await;
        app.post("/@paper/subscribe", &[]).await;
        let token = xiangxun::auth::api_tokens::create(&app.app, ID, "x", &[xiangxun::auth::Scope::AlertsRead]).await;
        let token = token.unwrap();
        let secret = xiangxun::reader_apps::create(&app.app, &person, "手机").await.unwrap();
        xiangxun::private_feeds::renew(&app.app, ID).await.unwrap();
        let feed = xiangxun::private_feeds::addresses(&app.app, ID).await.unwrap()[0].formats[0].1.clone();
        let feed = feed.trim_start_matches("http://xiangxun.test").to_owned();
        app.get(&feed).await.assert_status(200);
        // A message waits, another is being written.
        let push = app.push(account.id, &[&article]).await;
        jobs::worker::run_due(&app.app).await.unwrap();
        assert_eq!(app.deliveries(push).await[0].state, DeliveryState::Waiting);

        app.post("/settings/leave", &[("password", "nicht dieses passwort")]).await.assert_status(422);
        app.get("/settings").await.assert_status(200);
        leave(app).await;
        // Before any job has run.
        assert!(!people::is_signed_in(app).await);
        app.api(Method::GET, "/api/v1/alerts", &token, &[], serde_json::Value::Null).await.assert_status(401);
        app.get(&feed).await.assert_status(404);
        let login = format!("Email={EMAIL}&Passwd={secret}");
        let login = Request::post("/api/greader.php/accounts/ClientLogin")
            .header(header::HOST, "xiangxun.test")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(login));
        assert_eq!(app.send_alone(login.unwrap()).await.status, 401);
        app.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await.assert_status(422);
        xiangxun::delivery::sender::send_due(&app.app).await.unwrap();
        assert!(app.take_letters().is_empty());
        assert_eq!(app.deliveries(push).await[0].state, DeliveryState::Suppressed);
        // Nothing of a later push.
        let second = app.published(account.id, "第二篇").await;
        let later = app.push(account.id, &[&second]).await;
        app.work().await;
        assert!(app.deliveries(later).await.is_empty());
        app.app.clock.advance(SETTLED);
        app.work().await;
        let letters = app.take_letters();
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert!(letters[0].text.contains(EMAIL), "{}", letters[0].text);
        // The address can be used anew.
        app.post("/sign-in", &[("email", EMAIL)]).await.assert_status(303);
        app.work().await;
        assert_eq!(app.take_letters().len(), 1);
    }

    async fn a_message_in_a_senders_hands_is_waited_for(app) {
        let (account, _) = app.account("paper").await;
        let article = app.published(account.id, "签证新规").await;
        let person = person(app).await;
        app.post("/@paper/subscribe", &[]).await;
        let push = app.push(account.id, &[&article]).await;
        jobs::worker::run_due(&app.app).await.unwrap();
        let until = app.app.clock.now().0 + 60_000;
        run(app, &format!("UPDATE deliveries SET lease_until = {until}, lease_owner = 'elsewhere'")).await;
        leave(app).await;
        app.app.clock.advance(SETTLED);
        jobs::worker::run_due(&app.app).await.unwrap();
        assert!(user::Entity::find_by_id(person.id).one(app.app.db.read()).await.unwrap().is_some());
        run(app, &format!("UPDATE deliveries SET lease_until = NULL, lease_owner = NULL, answer = '451 <{EMAIL}>'")).await;
        app.app.clock.advance(SETTLED);
        app.work().await;
        assert!(user::Entity::find_by_id(person.id).one(app.app.db.read()).await.unwrap().is_none());
        let left = &app.deliveries(push).await[0];
        assert!(!left.answer.as_deref().unwrap_or_default().contains(EMAIL), "{left:?}");
        assert_eq!(left.state, DeliveryState::Suppressed);
    }

    async fn without_a_password_one_leaves_by_a_mailed_link(app) {
        let reader = app.user("reader@example.org").await;
        app.sign_in(reader.id).await;
        let page = app.get("/settings/leave").await.assert_status(200).text();
        assert!(!page.contains("type=\"password\"") && page.contains("/settings/leave/link"), "{page}");
        app.post("/settings/leave/link", &[]).await.assert_status(303);
        app.work().await;
        let letter = app.take_letters().remove(0);
        let at = letter.text.find("/settings/leave/").unwrap();
        let path = letter.text[at..].split_whitespace().next().unwrap().to_owned();
        // It is for this person, in a browser that is signed in; looking at it changes nothing.
        let page = app.get(&path).await.assert_status(200).text();
        assert!(page.contains(&format!("action=\"{path}\"")), "{page}");
        let other = app.user("other@example.org").await;
        app.sign_in(other.id).await;
        app.get(&path).await.assert_status(410);
        app.post(&path, &[]).await.assert_status(410);
        app.sign_out();
        app.get(&path).await.assert_status(303);
        app.sign_in(reader.id).await;
        app.get(&format!("{path}x")).await.assert_status(410);
        app.post(&path, &[]).await.assert_status(303);
        let state = user::Entity::find_by_id(reader.id).one(app.app.db.read()).await.unwrap().unwrap().state;
        assert_eq!(state, UserState::Leaving);
        app.app.clock.advance(SETTLED);
        app.work().await;
        assert_eq!(user::Entity::find().filter(user::COLUMN.email.eq("reader@example.org")).count(app.app.db.read()).await.unwrap(), 0);
        assert_eq!(app.take_letters().len(), 1);
        // Another's link that has grown old.
        app.sign_in(other.id).await;
        app.post("/settings/leave/link", &[]).await.assert_status(303);
        app.work().await;
        let letter = app.take_letters().remove(0);
        let path = letter.text[letter.text.find("/settings/leave/").unwrap()..].split_whitespace().next().unwrap().to_owned();
        app.app.clock.advance(leaving::LINK_LIFETIME);
        app.post(&path, &[]).await.assert_status(410);
    }

    async fn an_owner_hands_over_or_closes_before_leaving(app) {
        let (account, owner) = app.account("paper").await;
        app.sign_in(owner.id).await;
        run(app, &format!("UPDATE users SET operator = TRUE WHERE id = {}", owner.id)).await;
        let page = app.get("/settings/leave").await.assert_status(200).text();
        assert!(page.contains("/studio/@paper/members") && page.contains("xiangxun user promote"), "{page}");
        assert!(!page.contains("action=\"/settings/leave/link\""), "{page}");
        // A link that was asked for before does not lead around it.
        app.post("/settings/leave/link", &[]).await.assert_status(303);
        app.work().await;
        let letter = app.take_letters().remove(0);
        let path = letter.text[letter.text.find("/settings/leave/").unwrap()..].split_whitespace().next().unwrap().to_owned();
        app.post(&path, &[]).await.assert_status(409);
        let operator = app.user("operator@example.org").await;
        run(app, &format!("UPDATE users SET operator = TRUE WHERE id = {}", operator.id)).await;
        app.post(&path, &[]).await.assert_status(409);
        // Somebody who only writes there cannot close it, nor be its owner.
        let author = app.user("author@example.org").await;
        let member = app.member(account.id, author.id, Role::Author).await;
        app.sign_in(author.id).await;
        app.post(&format!("/settings/leave/accounts/{}/close", account.id), &[]).await.assert_status(403);
        app.sign_in(owner.id).await;
        assert!(app.get("/settings/leave").await.text().contains("/studio/@paper/members"));
        run(app, &format!("UPDATE members SET role = 'owner' WHERE id = {}", member.id)).await;
        assert!(!app.get("/settings/leave").await.text().contains("/studio/@paper/members"));
        app.post(&path, &[]).await.assert_status(303);
        // The one who is left closes it.
        app.sign_in(author.id).await;
        app.post(&format!("/settings/leave/accounts/{}/close", account.id), &[]).await.assert_status(303);
        app.get("/@paper").await.assert_status(410);
        app.post("/settings/leave/link", &[]).await.assert_status(303);
        app.work().await;
        let letters = app.take_letters();
        let letter = letters.iter().find(|letter| letter.to == "author@example.org").unwrap();
        let path = letter.text[letter.text.find("/settings/leave/").unwrap()..].split_whitespace().next().unwrap().to_owned();
        app.post(&path, &[]).await.assert_status(303);
        app.app.clock.advance(SETTLED);
        app.work().await;
        assert_eq!(user::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
    }
}
