//! A real reader app, Debian's newsboat, against a real server: it syncs, and what is read, starred, added and removed
//! is so on both sides.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use xiangxun::app::App;
use xiangxun::auth::Address;
use xiangxun::auth::users::{self, NewUser};
use xiangxun::db::entities::account::{self, AccountState, Links};
use xiangxun::db::entities::article::{self, ArticleState, BodyFormat, Tags};
use xiangxun::db::entities::user;
use xiangxun::page::Locale;
use xiangxun::reader_apps::{self, shelf};
use xiangxun::{saved, subscriptions};

use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::{NotSet, Set};

use crate::on_both_databases;
use crate::support::Backend;
use crate::support::node::{Instance, Node, client};
use crate::support::wait::until;

on_both_databases! {
    newsboat_syncs_reads_stars_adds_and_removes
}

/// Presses keys in a terminal, each when a word is to be seen, as `[[word, keys], ..]`.
const PRESS: &str = r#"
import json, os, pty, select, struct, sys, termios, fcntl, time
asked = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm", LC_ALL="C.UTF-8", HOME=asked["home"])
    os.execvp("newsboat", ["newsboat"] + asked["arguments"])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
seen = ""
def look(seconds):
    global seen
    end = time.time() + seconds
    while time.time() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 65536).decode("utf-8", "replace")
            except OSError:
                return False
    return True
for word, keys in asked["steps"]:
    end = time.time() + 60
    while word not in seen:
        if time.time() > end:
            print(json.dumps({"missing": word, "seen": seen[-3000:]}))
            os.kill(pid, 9)
            sys.exit(0)
        look(0.2)
    look(0.7)
    seen = ""
    os.write(terminal, keys.encode())
look(1.5)
for _ in range(50):
    done, _status = os.waitpid(pid, os.WNOHANG)
    if done:
        break
    look(0.1)
else:
    os.kill(pid, 9)
print(json.dumps({"seen": seen[-3000:]}))
"#;

/// The key that moves on in a list.
const DOWN: &str = "\x1bOB";

/// The app's own database: feeds, and articles with their states.
const LOOK: &str = r#"
import json, sqlite3, sys
asked = json.load(sys.stdin)
db = sqlite3.connect(asked["cache"])
items = {title: [unread, flags or ""] for title, unread, flags in
         db.execute("SELECT title, unread, flags FROM rss_item WHERE deleted = 0")}
print(json.dumps({"items": items, "feeds": [row[0] for row in db.execute("SELECT title FROM rss_feed")]}))
"#;

fn python(program: &str, asked: &Value) -> Value {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = Command::new("/usr/bin/python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed (tests/run does it)");
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// newsboat with files of its own, signed in at a server.
struct Newsboat {
    home: PathBuf,
}

impl Newsboat {
    fn new(node: &Node, email: &str, password: &str) -> Self {
        let home = std::env::temp_dir().join(format!("xiangxun-newsboat-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&home).unwrap();
        let url = node.url("/api/greader.php");
        // Debian's version knows the protocol as FeedHQ's; `freshrss` came later.
        let config = format!(
            "urls-source \"feedhq\"\nfeedhq-url \"{url}\"\nfeedhq-login \"{email}\"\nfeedhq-password \"{password}\"\n\
             feedhq-flag-star \"s\"\nfeedhq-show-special-feeds no\nshow-read-feeds yes\nconfirm-exit no\nauto-reload no\n\
             article-sort-order title-asc\ngoto-first-unread no\n"
        );
        std::fs::write(home.join("config"), config).unwrap();
        std::fs::write(home.join("urls"), "").unwrap();
        Self { home }
    }

    fn arguments(&self) -> Vec<String> {
        let path = |name: &str| self.home.join(name).display().to_string();
        ["-C".into(), path("config"), "-u".into(), path("urls"), "-c".into(), path("cache.db")].to_vec()
    }

    /// Loads all feeds; returns what `print-unread` says.
    fn reload(&self) -> String {
        let output = Command::new("newsboat")
            .args(self.arguments())
            .args(["-x", "reload", "print-unread"])
            .env("HOME", &self.home)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("newsboat is installed (tests/run does it)");
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// Titles with whether they are unread and their flags.
    fn cache(&self) -> Value {
        python(LOOK, &json!({ "cache": self.home.join("cache.db") }))
    }

    fn press(&self, steps: &[(&str, &str)]) {
        let asked = json!({ "home": self.home, "arguments": self.arguments(), "steps": steps });
        let answer = python(PRESS, &asked);
        assert!(answer.get("missing").is_none(), "{answer}");
    }
}

impl Drop for Newsboat {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

async fn account(app: &App, handle: &str) -> account::Model {
    account::ActiveModel {
        id: NotSet,
        handle: Set(handle.to_owned()),
        name: Set(handle.to_uppercase()),
        bio: Set(String::new()),
        avatar_url: Set(None),
        lang: Set("zh-Hans".into()),
        links: Set(Links::default()),
        verified_at: Set(None),
        state: Set(AccountState::Active),
        created_at: Set(app.clock.now()),
        ..Default::default()
    }
    .insert(app.db.write())
    .await
    .unwrap()
}

async fn publish(app: &App, account_id: i64, title: &str, minutes_ago: u64) -> article::Model {
    let moment = app.clock.now() - Duration::from_secs(60 * minutes_ago);
    article::ActiveModel {
        account_id: Set(account_id),
        external_id: Set(None),
        slug: Set(title.to_lowercase()),
        title: Set(title.to_owned()),
        digest: Set(String::new()),
        author: Set("记者".into()),
        body_format: Set(BodyFormat::Html),
        body_source: Set(None),
        body_html: Set(format!("<p>Body of {title}, 正文。</p>")),
        cover_url: Set(None),
        tags: Set(Tags::default()),
        lang: Set("zh-Hans".into()),
        original_url: Set(None),
        state: Set(ArticleState::Published),
        version: Set(1),
        word_count: Set(10),
        created_by: Set(None),
        created_at: Set(moment),
        updated_at: Set(moment),
        publish_at: Set(None),
        published_at: Set(Some(moment)),
        withdrawn_at: Set(None),
        withdrawn_reason: Set(None),
        idempotency_key: Set(None),
        ..Default::default()
    }
    .insert(app.db.write())
    .await
    .unwrap()
}

async fn reader(app: &App) -> user::Model {
    let new = NewUser {
        address: Address::parse("reader@example.org").unwrap(),
        name: "Reader".into(),
        password_hash: None,
        operator: false,
        locale: Locale::ZhHans,
    };
    users::create(app, new).await.unwrap()
}

async fn unread(app: &App, user_id: i64) -> i64 {
    shelf::feeds::unread(app, user_id).await.unwrap().values().map(|unread| unread.count).sum()
}

/// As an app that can add feeds would: newsboat leaves that to others.
async fn edit_subscription(node: &Node, email: &str, password: &str, fields: &[(&str, &str)]) {
    let form = |fields: &[(&str, &str)]| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    };
    let post = async |path: &str, auth: &str, body: String| {
        let request = client()
            .post(node.url(&format!("/api/greader.php/{path}")))
            .header("authorization", auth)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.unwrap()
    };
    let login = post("accounts/ClientLogin", "", form(&[("Email", email), ("Passwd", password)])).await;
    let auth = login.lines().find_map(|line| line.strip_prefix("Auth=")).unwrap().to_owned();
    post("reader/api/0/subscription/edit", &format!("GoogleLogin auth={auth}"), form(fields)).await;
}

async fn newsboat_syncs_reads_stars_adds_and_removes(backend: Backend) {
    let instance = Instance::new(backend).await;
    let app = instance.open().await;
    let user = reader(&app).await;
    let (times, post) = (account(&app, "times").await, account(&app, "post").await);
    subscriptions::subscribe(&app, &user, times.id, None, Locale::ZhHans).await.unwrap();
    let first = publish(&app, times.id, "Alpha", 30).await;
    let second = publish(&app, times.id, "Bravo", 20).await;
    publish(&app, times.id, "Charlie", 10).await;
    publish(&app, post.id, "Delta", 5).await;
    let password = reader_apps::create(&app, &user, "newsboat").await.unwrap();
    let node = instance.serve().await;
    let newsboat = Newsboat::new(&node, &user.email, &password);

    // Sync.
    assert!(newsboat.reload().starts_with("3 unread"), "{}", newsboat.cache());
    let cache = newsboat.cache();
    assert_eq!(cache["feeds"].as_array().unwrap().len(), 1, "{cache}");
    assert_eq!(cache["items"]["Alpha"], json!([1, ""]));

    // Read here is read there, starred here is flagged nowhere else but kept here.
    subscriptions::timeline::mark_many(&app, user.id, &[first.id], true).await.unwrap();
    assert!(newsboat.reload().starts_with("2 unread"), "{}", newsboat.cache());
    assert_eq!(newsboat.cache()["items"]["Alpha"], json!([0, ""]));

    // Flagged there is saved here; opened there is read here.
    newsboat.press(&[
        ("TIMES", "\r"),
        ("Charlie", DOWN),
        ("", "\x05"),
        ("", "s\r"),
        ("", DOWN),
        ("", "\r"),
        ("Body of Charlie", "q"),
        ("", "q"),
        ("TIMES", "q"),
    ]);
    until("Charlie is read here", async || unread(&app, user.id).await == 1).await;
    until("Bravo is saved here", async || {
        saved::queries::is_saved(app.db.read(), user.id, second.id).await.unwrap()
    })
    .await;
    // Made unread there, and the flag taken away.
    newsboat.press(&[
        ("TIMES", "\r"),
        ("Charlie", DOWN),
        ("", "\x05"),
        ("", "\x7f\r"),
        ("", DOWN),
        ("", "N"),
        ("", "q"),
        ("TIMES", "q"),
    ]);
    until("Charlie is unread again", async || unread(&app, user.id).await == 2).await;
    until("Bravo is not saved any more", async || {
        !saved::queries::is_saved(app.db.read(), user.id, second.id).await.unwrap()
    })
    .await;
    assert!(newsboat.reload().starts_with("2 unread"), "{}", newsboat.cache());

    // Added elsewhere comes here, all of a feed is read at once, removed elsewhere goes.
    let feed = format!("feed/{}", node.url("/@post/feed.atom"));
    edit_subscription(&node, &user.email, &password, &[("ac", "subscribe"), ("s", &feed)]).await;
    assert!(newsboat.reload().starts_with("3 unread"), "{}", newsboat.cache());
    assert_eq!(newsboat.cache()["items"]["Delta"], json!([1, ""]));
    newsboat.press(&[("POST", "C"), ("", "y"), ("", "q")]);
    until("all is read", async || unread(&app, user.id).await == 0).await;
    edit_subscription(&node, &user.email, &password, &[("ac", "unsubscribe"), ("s", &feed)]).await;
    assert!(newsboat.reload().starts_with("0 unread"), "{}", newsboat.cache());
    assert!(node.stop(), "the server ended well");
}
