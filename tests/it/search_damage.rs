//! What happens to the index's files while it is searched: flipped, deleted, cut short, no room for more.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use xiangxun::app::App;
use xiangxun::search::{State, follower};

use crate::both_databases;
use crate::search::{Random, another, ask, largest_file, live_index, publish, query, titles, wait_for};
use crate::support::TestApp;

/// With several segments and deleted articles.
async fn publish_forty(app: &TestApp) -> i64 {
    let (account, _) = app.account("daily").await;
    for n in 0..40 {
        publish(app, account.id, &format!("新闻{n}"), "同样的内容，颱風登陸各地停課").await;
        if n % 10 == 9 {
            follower::catch_up(&app.app).await.unwrap();
        }
    }
    account.id
}

/// Every search has an answer, even if it is that there will be one soon.
async fn assert_answers(app: &TestApp, harm: &str) {
    let queries = [
        "同样的内容",
        "\"台风登陆\"",
        "新闻 停課 -香港",
        "标题：新闻3 OR 台风",
        "from:@daily lang:zh-Hans -has:image",
    ];
    for q in queries {
        for path in [
            query(&[("q", q), ("facets", "true")]),
            query(&[("q", q), ("sort", "newest")]).replace("/api/v1", ""),
        ] {
            let answer = tokio::time::timeout(Duration::from_secs(20), app.get(&path)).await;
            let answer = answer.unwrap_or_else(|_| panic!("{harm}: {path} has no answer"));
            assert!([200, 503].contains(&answer.status.as_u16()), "{harm}: {path}: {}", answer.text());
        }
    }
}

async fn wait_long(app: &TestApp, what: &str, happened: impl Fn(&App) -> bool) {
    let started = Instant::now();
    while !happened(&app.app) {
        assert!(started.elapsed() < Duration::from_secs(60), "waited too long for {what}");
        assert_answers(app, what).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn flip(file: &Path, at: u64) {
    let file = std::fs::File::options().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x55], at).unwrap();
}

fn cut(file: &Path, length: u64) {
    std::fs::File::options().write(true).open(file).unwrap().set_len(length).unwrap();
}

both_databases! {
    async fn an_index_that_is_damaged_while_it_is_searched_is_noticed_and_built_anew(app) {
        let account = publish_forty(app).await;
        let stop = CancellationToken::new();
        let following = tokio::spawn(follower::run(app.app.clone(), stop.clone()));
        wait_for("the index", || app.app.search.state() == State::CaughtUp).await;
        type Harm = fn(&Path, &Path);
        let harms: [(&str, Harm); 8] = [
            ("the bigrams cut to nothing", |_, live| cut(&largest_file(live, "grams"), 0)),
            ("the columns cut to nothing", |_, live| cut(&largest_file(live, "fast"), 0)),
            ("the bigrams cut short", |_, live| cut(&largest_file(live, "grams"), 64)),
            ("a byte flipped", |_, live| {
                let file = largest_file(live, "grams");
                flip(&file, file.metadata().unwrap().len() / 2);
            }),
            ("the bigrams deleted", |_, live| std::fs::remove_file(largest_file(live, "grams")).unwrap()),
            ("the list of segments gone", |_, live| std::fs::remove_file(live.join("meta.json")).unwrap()),
            ("nobody knows which is live", |root, _| std::fs::remove_file(root.join("current")).unwrap()),
            ("all gone", |root, _| std::fs::remove_dir_all(root).unwrap()),
        ];
        for (n, (harm, harmed)) in harms.into_iter().enumerate() {
            let before = app.app.search.shelf().live().unwrap();
            harmed(&app.app.config.data.join("index"), &live_index(&app.app));
            assert_answers(app, harm).await;
            // What upkeep does every hour; the rest is noticed without it.
            if harm == "a byte flipped" {
                follower::check(&app.app).await;
            }
            // By who searches, by who looks after the files, or when something is published.
            publish(app, account, &format!("其后第{n}篇"), "同样的内容").await;
            wait_long(app, harm, |app| {
                let live = app.search.shelf().live().unwrap();
                !std::sync::Arc::ptr_eq(&live, &before) && live.count() == 41 + n as u64 && app.search.state() == State::CaughtUp
            })
            .await;
            assert_eq!(ask(app, &[("q", "同样的内容")]).await["total"], 41 + n, "{harm}");
            app.app.search.shelf().live().unwrap().read_through().unwrap_or_else(|error| panic!("{harm}: {error}"));
        }
        stop.cancel();
        following.await.unwrap();
        // And the next start finds a whole one.
        let node = another(app).await;
        assert_eq!(follower::catch_up(&node).await.unwrap(), 0);
        node.db.clone().close().await.unwrap();
    }

    async fn a_deleted_file_is_missed_without_anybody_asking(app) {
        publish_forty(app).await;
        let stop = CancellationToken::new();
        let following = tokio::spawn(follower::run(app.app.clone(), stop.clone()));
        wait_for("the index", || app.app.search.state() == State::CaughtUp).await;
        let before = live_index(&app.app);
        std::fs::remove_file(largest_file(&before, "grams")).unwrap();
        // The file is still open: nothing is missing from answers.
        assert_eq!(ask(app, &[("q", "同样的内容")]).await["total"], 40);
        let started = Instant::now();
        while live_index(&app.app) == before {
            assert!(started.elapsed() < Duration::from_secs(40), "the deleted file was not missed");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(ask(app, &[("q", "同样的内容")]).await["total"], 40);
        stop.cancel();
        following.await.unwrap();
    }

    async fn whatever_byte_is_flipped_every_search_has_an_answer(app) {
        publish_forty(app).await;
        let live = live_index(&app.app);
        let files: Vec<PathBuf> = std::fs::read_dir(&live)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ["grams", "fast", "idx", "term", "pos", "fieldnorm", "store", "del"].iter().any(|e| ending == *e)))
            .filter(|path| path.metadata().unwrap().len() > 0)
            .collect();
        let mut random = Random(11);
        for _ in 0..60 {
            let flipped: Vec<(&PathBuf, u64)> = (0..3)
                .map(|_| {
                    // The bigrams and columns are what searches read.
                    let chosen = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "grams" || ending == "fast"));
                    let chosen: Vec<&PathBuf> = if random.below(5) > 0 { chosen.collect() } else { files.iter().collect() };
                    let file = chosen[random.below(chosen.len())];
                    (file, random.below(file.metadata().unwrap().len() as usize) as u64)
                })
                .collect();
            flipped.iter().for_each(|(file, at)| flip(file, *at));
            assert_answers(app, &format!("{flipped:?}")).await;
            flipped.iter().for_each(|(file, at)| flip(file, *at));
        }
        assert_eq!(ask(app, &[("q", "同样的内容")]).await["total"], 40);
    }

    async fn a_full_disk_stops_neither_publishing_nor_searching_and_the_rest_follows_when_there_is_room(app) {
        let root = app.app.config.data.join("index");
        let Some(disk) = SmallDisk::mount(&root) else { return };
        let (account, _) = app.account("daily").await;
        publish(app, account.id, "满盘之前", "颱風登陸").await;
        let stop = CancellationToken::new();
        let following = tokio::spawn(follower::run(app.app.clone(), stop.clone()));
        wait_for("the index", || app.app.search.state() == State::CaughtUp).await;
        disk.fill();
        for n in 0..30 {
            publish(app, account.id, &format!("满盘之后{n}"), "颱風登陸各地停課").await;
        }
        wait_for("the index to fall behind", || app.app.search.state() == State::Behind).await;
        assert_eq!(titles(app, &[("q", "台风登陆")]).await, ["满盘之前"]);
        // A new index cannot be built either, and leaves nothing behind.
        let folders = || std::fs::read_dir(&root).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
        assert_eq!(folders(), 1);
        assert!(follower::rebuild(&app.app, |_, _| {}).await.is_err());
        assert_eq!(folders(), 1);
        // It tries again and again, and does not fill what little there is with remains.
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(titles(app, &[("q", "台风登陆")]).await, ["满盘之前"]);
        publish(app, account.id, "最后一篇", "颱風登陸").await;
        let files = std::fs::read_dir(live_index(&app.app)).unwrap().count();
        assert!(files < 100, "{files} files of an index of one commit");

        disk.free();
        wait_long(app, "the index to catch up", |app| app.search.shelf().live().unwrap().count() == 32).await;
        assert_eq!(ask(app, &[("q", "台风登陆")]).await["total"], 32);
        stop.cancel();
        following.await.unwrap();
    }
}

/// A file system in memory, with little room.
struct SmallDisk {
    root: PathBuf,
}

impl SmallDisk {
    /// None where this is not allowed: it takes root.
    fn mount(root: &Path) -> Option<SmallDisk> {
        std::fs::create_dir_all(root).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(root).output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk { root: root.to_owned() }),
            other => {
                println!("skipped: mounting a small disk takes root: {other:?}");
                None
            }
        }
    }

    fn fill(&self) {
        use std::io::Write;
        let mut ballast = std::fs::File::create(self.root.join("ballast")).unwrap();
        while ballast.write_all(&[0; 4_096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.root.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.root).status();
    }
}
