//! A site of the bench's own: the release binary on SQLite, with an archive imported.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use xiangxun::accounts::{self, By, NewAccount};
use xiangxun::app::App;
use xiangxun::auth::users::{self, NewUser};
use xiangxun::auth::{Address, Scope, api_tokens};
use xiangxun::config::Config;
use xiangxun::page::Locale;

use super::free_port;

/// How many searches are taken in turn.
const QUERIES: usize = 500;

pub struct Site {
    server: Child,
    folder: PathBuf,
    port: u16,
    http: reqwest::Client,
    token: String,
    queries: Vec<String>,
}

/// An article's page.
pub struct ArticlePage {
    pub path: String,
    pub html: String,
}

impl Site {
    /// Imports the archive (the demo's articles without one) and starts to serve.
    pub async fn start(archive: Option<&str>) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("xiangxun-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let archive = match archive {
            Some(path) => PathBuf::from(path),
            None => demo_archive(&folder)?,
        };
        let port = free_port();
        println!("xiangxun import articles {} --account-by outlet", archive.display());
        let imported = command(&folder, port)
            .args(["import", "articles"])
            .arg(&archive)
            .args(["--account-by", "outlet"])
            .status()?;
        if !imported.success() {
            bail!("the import failed");
        }
        println!();
        let token = bench_token(&folder).await?;
        let server = command(&folder, port).arg("serve").stdout(Stdio::null()).spawn()?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build()?;
        let site = Self { server, folder, port, http, token, queries: queries(&archive)? };
        site.wait_until_ready().await?;
        Ok(site)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The searches, as addresses.
    pub fn searches(&self, path: &str) -> Vec<String> {
        let escape =
            |query: &String| url::form_urlencoded::byte_serialize(query.as_bytes()).collect::<String>();
        self.queries.iter().map(|query| self.url(&format!("{path}{}", escape(query)))).collect()
    }

    /// Paths of so many articles of all accounts, newest first.
    pub async fn articles(&self, count: usize) -> anyhow::Result<Vec<String>> {
        let mut paths = Vec::new();
        let mut address = self.url("/api/v1/search?q=after:2000&sort=newest&limit=100");
        while paths.len() < count {
            let answer: Value = serde_json::from_str(&self.get(&address).await?)?;
            let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            for url in items.iter().filter_map(|item| item["url"].as_str()) {
                paths.push(url::Url::parse(url)?.path().to_owned());
            }
            let Some(next) = answer["next_cursor"].as_str() else { break };
            address = self.url(&format!("/api/v1/search?q=after:2000&sort=newest&limit=100&cursor={next}"));
        }
        paths.truncate(count);
        Ok(paths)
    }

    /// The article of median length among those that a search for each query finds first.
    pub async fn typical_article(&self) -> anyhow::Result<ArticlePage> {
        let mut pages = Vec::new();
        for address in self.searches("/api/v1/search?limit=1&q=").iter().take(41) {
            let answer: Value = serde_json::from_str(&self.get(address).await?)?;
            let Some(url) = answer["items"][0]["url"].as_str() else { continue };
            let path = url::Url::parse(url)?.path().to_owned();
            let html = self.get(&self.url(&path)).await?;
            pages.push(ArticlePage { path, html });
        }
        pages.sort_by_key(|page| page.html.len());
        let middle = pages.len() / 2;
        pages.into_iter().nth(middle).context("no search finds anything")
    }

    /// Publishes articles one after the other; how long after the answer each was found.
    pub async fn publish_and_find(&self, count: usize) -> anyhow::Result<Vec<Duration>> {
        let mut waits = Vec::new();
        for number in 0..count {
            // Two ideographs that stand together in no other article.
            let mark = format!("甪{}龘", char::from_u32(0x5000 + number as u32).unwrap_or('乡'));
            let article =
                json!({ "title": format!("新闻 {mark}"), "body": "刚刚发布的一篇文章。", "publish": true });
            self.post("/api/v1/accounts/bench/articles", &article).await?;
            let published = Instant::now();
            let query: String =
                url::form_urlencoded::byte_serialize(format!("\"{mark}\"").as_bytes()).collect();
            let address = self.url(&format!("/api/v1/search?q={query}"));
            loop {
                let found: Value = serde_json::from_str(&self.get(&address).await?)?;
                if found["total"] == 1 {
                    break;
                }
                if published.elapsed() > Duration::from_secs(10) {
                    bail!("{mark} was not found within 10 s");
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            waits.push(published.elapsed());
        }
        Ok(waits)
    }

    /// Sends JSON as somebody who may publish; returns the answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.post(self.url(path)).header("content-type", "application/json");
        let answer = request.bearer_auth(&self.token).body(body.to_string()).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{path}: {status} {text}");
        }
        Ok(serde_json::from_str(&text)?)
    }

    pub async fn get(&self, address: &str) -> anyhow::Result<String> {
        let answer = self.http.get(address).send().await?;
        if !answer.status().is_success() {
            bail!("{address}: {}", answer.status());
        }
        Ok(answer.text().await?)
    }

    async fn wait_until_ready(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        while self.get(&self.url("/readyz")).await.is_err() {
            if started.elapsed() > Duration::from_secs(120) {
                bail!("the server was not ready in time");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The binary with the bench's settings and nobody else's.
fn command(folder: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xiangxun"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("XIANGXUN_")) {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .env("XIANGXUN_DATA", folder)
        .env("XIANGXUN_LISTEN", format!("127.0.0.1:{port}"))
        .env("XIANGXUN_BASE_URL", format!("http://127.0.0.1:{port}"))
        .env("XIANGXUN_LOG", "warn");
    command
}

/// An account of the bench's, and a token to publish in it.
async fn bench_token(folder: &Path) -> anyhow::Result<String> {
    let app = App::open(Config { data: folder.to_owned(), ..Config::default() }).await?;
    let address = Address::parse("bench@example.org").map_err(|_| anyhow::anyhow!("an address"))?;
    let new =
        NewUser { address, name: String::new(), password_hash: None, operator: false, locale: Locale::En };
    let user = users::create(&app, new).await?;
    let new = NewAccount {
        handle: "bench".into(),
        name: "Bench".into(),
        bio: String::new(),
        lang: "zh-Hans".into(),
    };
    accounts::open(&app, By::Console, Some(user.id), &new).await?;
    let token = api_tokens::create(&app, user.id, "bench", &[Scope::ArticlesWrite]).await?;
    app.db.clone().close().await?;
    Ok(token)
}

/// The demo's articles in the shape that `import articles` reads.
fn demo_archive(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("demo.jsonl");
    let mut file = std::fs::File::create(&path)?;
    for line in lines(Path::new("demo/articles.jsonl.zst"))? {
        let row: Value = serde_json::from_str(&line?)?;
        let article = json!({
            "id": row["external_id"], "title": row["title"], "body": row["body"], "outlet": row["account"],
            "lang": row["lang"], "author": row["author"], "tags": row["tags"], "url": row["url"],
        });
        writeln!(file, "{article}")?;
    }
    Ok(path)
}

/// Beginnings of titles, spread over the archive: what somebody might type.
fn queries(archive: &Path) -> anyhow::Result<Vec<String>> {
    let mut titles = Vec::new();
    for line in lines(archive)? {
        let row: Value = serde_json::from_str(&line?)?;
        titles.extend(row["title"].as_str().map(str::to_owned));
    }
    let step = (titles.len() / QUERIES).max(1);
    let cut = |(number, title): (usize, &String)| title.chars().take(2 + number % 7).collect::<String>();
    Ok(titles.iter().step_by(step).enumerate().map(cut).filter(|query| query.trim().len() > 1).collect())
}

fn lines(archive: &Path) -> anyhow::Result<impl Iterator<Item = std::io::Result<String>>> {
    let file = std::fs::File::open(archive).with_context(|| format!("opening {}", archive.display()))?;
    let text: Box<dyn Read> = if archive.extension().is_some_and(|kind| kind == "zst") {
        Box::new(zstd::Decoder::new(file)?)
    } else {
        Box::new(file)
    };
    Ok(BufReader::new(text).lines())
}
