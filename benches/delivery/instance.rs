//! A site of the bench's own: a database with one account, its articles and its subscriptions, and the
//! program that serves it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use sea_orm::{ConnectionTrait, EntityTrait};
use xiangxun::accounts::{self, By, NewAccount};
use xiangxun::app::App;
use xiangxun::articles::{self, Actor, ArticleForm, Content};
use xiangxun::auth::Address;
use xiangxun::auth::users::{self, NewUser};
use xiangxun::config::Config;
use xiangxun::db::entities::push::{self, PushState};
use xiangxun::delivery::{preview, tally};
use xiangxun::jobs;
use xiangxun::page::Locale;
use xiangxun::pushes::{self, NewPush};

use crate::support::free_port;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    /// A server's URL.
    Postgres(String),
}

impl Database {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

pub struct Instance {
    pub app: Arc<App>,
    folder: PathBuf,
    database: Database,
    port: u16,
    pub user: i64,
    account: i64,
    articles: Vec<i64>,
    page: String,
    settings: Vec<(String, String)>,
}

impl Instance {
    /// An account with three articles and that many subscribers, at the providers that readers abroad
    /// have.
    pub async fn create(database: &Database, subscribers: u64) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("xiangxun-bench-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&folder)?;
        let port = free_port();
        let database_url = match database {
            Database::Sqlite => String::new(),
            Database::Postgres(server) => make_database(server).await?,
        };
        let config = Config {
            data: folder.clone(),
            database_url,
            base_url: format!("http://127.0.0.1:{port}"),
            mail_from: "乡讯 <news@xiangxun.test>".into(),
            name_server: "none".into(),
            ..Config::default()
        };
        let app = App::open(config).await?;
        let address = Address::parse("bench@example.org").map_err(|_| anyhow::anyhow!("an address"))?;
        let new = NewUser {
            address,
            name: String::new(),
            password_hash: None,
            operator: false,
            locale: Locale::ZhHans,
        };
        let user = users::create(&app, new).await?;
        let new = NewAccount {
            handle: "bench".into(),
            name: "伦敦华人圈".into(),
            bio: String::new(),
            lang: "zh-Hans".into(),
        };
        let account = accounts::open(&app, By::Console, Some(user.id), &new).await?;
        let mut ids = Vec::new();
        let mut page = String::new();
        for title in [
            "唐人街春节巡游路线公布，市中心多条道路临时封闭",
            "留学生毕业后如何申请工作签证：律师逐条解答",
            "移民局更新续签办法，网上预约本周开放",
        ] {
            let body = "本报讯：主办方昨日公布了今年巡游的路线和时间，预计将有三十支队伍参加，沿途设有医疗站和饮水处。警方提醒市民尽量乘坐公共交通前往，并留意临时改道的巴士线路。\n\n".repeat(6);
            let form = ArticleForm {
                title: title.into(),
                body,
                body_format: "markdown".into(),
                lang: "zh-Hans".into(),
                ..ArticleForm::default()
            };
            let actor = Actor { account_id: account.id, user_id: user.id };
            let article = articles::create(&app, actor, Content::parse(&form)?, None).await?;
            let article = articles::publish(&app, actor, article.id, None).await?;
            page = format!("/@bench/{}", article.slug);
            ids.push(article.id);
        }
        let instance = Self {
            app,
            folder,
            database: database.clone(),
            port,
            user: user.id,
            account: account.id,
            articles: ids,
            page,
            settings: Vec::new(),
        };
        instance.subscribe(subscribers).await?;
        Ok(instance)
    }

    async fn subscribe(&self, count: u64) -> anyhow::Result<()> {
        let (numbers, text) = match self.database {
            Database::Sqlite => (
                format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"),
                "CAST(i AS TEXT)",
            ),
            Database::Postgres(_) => {
                (format!("WITH n(i) AS (SELECT generate_series(1, {count}))"), "CAST(i AS text)")
            }
        };
        let account = self.account;
        self.app
            .db
            .write()
            .execute_unprepared(&format!(
                "INSERT INTO subscriptions (account_id, email, state, cadence, locale, created_at, confirmed_at) \
                 {numbers} SELECT {account}, 'reader' || {text} || CASE i % 10 WHEN 0 THEN '@qq.com' WHEN 1 THEN \
                 '@163.com' WHEN 2 THEN '@outlook.com' WHEN 3 THEN '@yahoo.ca' WHEN 4 THEN '@example.org' \
                 WHEN 5 THEN '@hotmail.com' ELSE '@gmail.com' END, 'active', 'instant', CASE i % 3 WHEN 0 THEN \
                 'zh-Hant' ELSE 'zh-Hans' END, 1, 1 FROM n"
            ))
            .await?;
        let tidy = if self.database == Database::Sqlite {
            "PRAGMA wal_checkpoint(TRUNCATE)"
        } else {
            "VACUUM ANALYZE"
        };
        self.app.db.write().execute_unprepared(tidy).await?;
        Ok(())
    }

    pub fn set(&mut self, variable: &str, value: &str) {
        self.settings.push((variable.to_owned(), value.to_owned()));
    }

    /// Fills a cap of one message.
    pub async fn take_the_one_place(&self) -> anyhow::Result<()> {
        let until = self.app.clock.now().0 + 86_400_000;
        self.app
            .db
            .write()
            .execute_unprepared(&format!(
                "INSERT INTO mail_reservations (scope, holder, span, count, until) \
                 VALUES ('all/{}', '', 1, 1, {until})",
                31 * 86_400
            ))
            .await?;
        Ok(())
    }

    /// Makes keys and lets messages be signed with them.
    pub fn sign_with(&mut self, kinds: &[&str]) -> anyhow::Result<()> {
        if kinds.is_empty() {
            return Ok(());
        }
        let keys = self.folder.join("dkim");
        let made = Command::new(env!("CARGO_BIN_EXE_xiangxun"))
            .args(["mail", "keygen", "--domain", "xiangxun.test", "--folder"])
            .arg(&keys)
            .stdout(Stdio::null())
            .current_dir(&self.folder)
            .status()?;
        ensure!(made.success(), "keygen failed");
        for file in std::fs::read_dir(&keys)? {
            let path = file?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if !kinds.iter().any(|kind| name.contains(kind)) {
                std::fs::remove_file(path)?;
            }
        }
        self.set("XIANGXUN_DKIM_KEYS", &keys.display().to_string());
        Ok(())
    }

    pub async fn bytes_of_a_message(&self) -> anyhow::Result<usize> {
        use xiangxun::db::entities::{account, user};
        let account =
            account::Entity::find_by_id(self.account).one(self.app.db.read()).await?.context("account")?;
        let user = user::Entity::find_by_id(self.user).one(self.app.db.read()).await?.context("user")?;
        let letter = preview::letter(&self.app, &account, &self.articles, &user, Locale::ZhHans)
            .await
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let message = letter.compose(&self.app.mailer.from)?.formatted();
        Ok(message.len())
    }

    pub async fn push(&self) -> anyhow::Result<i64> {
        let new = NewPush { article_ids: self.articles.clone(), idempotency_key: String::new() };
        let created = pushes::create(&self.app, self.user, self.account, &new).await;
        Ok(created.map_err(|error| anyhow::anyhow!("{error:?}"))?.push.id)
    }

    /// Does the job here, with nobody sending.
    pub async fn fan_out(&self, push: i64) -> anyhow::Result<()> {
        jobs::worker::run_due(&self.app).await?;
        self.wait_until_fanned_out(push).await
    }

    pub async fn wait_until_fanned_out(&self, push: i64) -> anyhow::Result<()> {
        self.wait(push, |state, _| state != PushState::FanningOut).await
    }

    pub async fn wait_until_sent(&self, push: i64) -> anyhow::Result<()> {
        self.wait(push, |state, _| state == PushState::Sent).await
    }

    /// How many were sent when it was noticed that some were.
    pub async fn wait_until_some_are_sent(&self, push: i64) -> anyhow::Result<(u64, Instant)> {
        let mut sent = 0;
        self.wait(push, |_, delivered| {
            sent = delivered;
            delivered > 0
        })
        .await?;
        Ok((sent, Instant::now()))
    }

    async fn wait(&self, id: i64, mut is_over: impl FnMut(PushState, u64) -> bool) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let row =
                push::Entity::find_by_id(id).one(self.app.db.read()).await?.context("the push is gone")?;
            let tallies = tally::of_pushes(self.app.db.read(), &[id]).await?;
            let delivered = tallies.iter().map(|tally| tally.delivered).sum::<i64>();
            if is_over(row.state, delivered as u64) {
                return Ok(());
            }
            if began.elapsed() > Duration::from_secs(300) {
                bail!("not over after 300 s: {row:?}, {delivered} delivered");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every subscriber has one row, and the tallies say the same as the rows.
    pub async fn assert_counts(&self, push: i64, expected: u64) -> anyhow::Result<()> {
        let tallies = tally::of_pushes(self.app.db.read(), &[push]).await?;
        let told: i64 = tallies.iter().map(|row| tally::Tally::from(row).total()).sum();
        let rows: i64 = xiangxun::delivery::queries::counts(self.app.db.read(), push)
            .await?
            .iter()
            .map(|row| row.count)
            .sum();
        ensure!(
            told as u64 == expected && rows == told,
            "{told} by tallies, {rows} rows, {expected} expected"
        );
        Ok(())
    }

    pub async fn serve(&self) -> anyhow::Result<Server> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xiangxun"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("XIANGXUN_")) {
            command.env_remove(name);
        }
        let child = command
            .arg("serve")
            .current_dir(&self.folder)
            .env("XIANGXUN_DATA", &self.folder)
            .env("XIANGXUN_DATABASE_URL", self.app.config.database_url())
            .env("XIANGXUN_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("XIANGXUN_BASE_URL", &self.app.config.base_url)
            .env("XIANGXUN_MAIL_FROM", &self.app.config.mail_from)
            .env("XIANGXUN_NAME_SERVER", "none")
            .env("XIANGXUN_LOG", "warn")
            .envs(self.settings.iter().cloned())
            .stdout(Stdio::null())
            .spawn()?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build()?;
        let server = Server { child, http, page: format!("http://127.0.0.1:{}{}", self.port, self.page) };
        let began = Instant::now();
        while server.ask().await.is_err() {
            ensure!(began.elapsed() < Duration::from_secs(60), "the server was not ready in time");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(server)
    }

    pub async fn remove(self) -> anyhow::Result<()> {
        let url = self.app.config.database_url();
        self.app.db.clone().close().await?;
        std::fs::remove_dir_all(&self.folder)?;
        if let (Database::Postgres(server), Some((_, name))) = (&self.database, url.rsplit_once('/')) {
            let admin = sea_orm::Database::connect(server).await?;
            admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        }
        Ok(())
    }
}

async fn make_database(server: &str) -> anyhow::Result<String> {
    let name = format!("bench_{:016x}", rand::random::<u64>());
    let admin = sea_orm::Database::connect(server).await.context("connecting to PostgreSQL")?;
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
    let (base, _) = server.rsplit_once('/').context("the URL names a database")?;
    Ok(format!("{base}/{name}"))
}

/// The program at work; killed when dropped.
pub struct Server {
    child: Child,
    http: reqwest::Client,
    page: String,
}

impl Server {
    async fn ask(&self) -> anyhow::Result<()> {
        let answer = self.http.get(&self.page).send().await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await?;
        Ok(())
    }

    /// Asks for the article's page over and over, a hundred times a second at most.
    pub fn probe(&self) -> Probe {
        let stop = Arc::new(AtomicBool::new(false));
        let (http, page, stopped) = (self.http.clone(), self.page.clone(), stop.clone());
        let task = tokio::spawn(async move {
            let mut times = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let began = Instant::now();
                if let Ok(answer) = http.get(&page).send().await {
                    let _ = answer.bytes().await;
                    times.push(began.elapsed());
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            times
        });
        Probe { stop, task }
    }

    /// The most memory that the process ever had resident, in MB.
    pub fn peak_memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    }

    /// Processor time so far, of the system's included.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        (ticks(11) + ticks(12)) / 100.0
    }

    pub fn stop(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Probe {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Vec<Duration>>,
}

/// Times of requests, sorted.
pub struct Times(Vec<Duration>);

impl Probe {
    pub async fn finish(self) -> Times {
        self.stop.store(true, Ordering::Relaxed);
        let mut times = self.task.await.unwrap_or_default();
        times.sort_unstable();
        Times(times)
    }
}

impl Times {
    pub fn at(&self, share: f64) -> Duration {
        match self.0.len() {
            0 => Duration::ZERO,
            count => self.0[((count - 1) as f64 * share) as usize],
        }
    }
}
