//! The real binary as a process of its own: started, asked over HTTP, stopped or killed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use xiangxun::app::App;
use xiangxun::config::Config;

use super::Backend;
use super::app::fresh_postgres_database;
use super::browser::free_port;

/// What several processes of one instance share: a data folder and a database.
pub struct Instance {
    pub data: PathBuf,
    pub database_url: String,
    /// Further settings, as variables.
    pub settings: Vec<(String, String)>,
}

impl Instance {
    pub async fn new(backend: Backend) -> Self {
        let data = fresh_folder();
        let database_url = match backend {
            Backend::Sqlite => format!("sqlite://{}", data.join("xiangxun.sqlite").display()),
            Backend::Postgres => fresh_postgres_database().await,
        };
        Self { data, database_url, settings: Vec::new() }
    }

    pub fn set(&mut self, variable: &str, value: &str) {
        self.settings.push((variable.to_owned(), value.to_owned()));
    }

    /// A command of the binary, with this instance's settings and nothing of the machine's.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xiangxun"));
        command.args(arguments).current_dir(&self.data).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("XIANGXUN_")) {
            command.env_remove(name);
        }
        command.env("XIANGXUN_DATA", &self.data).env("XIANGXUN_DATABASE_URL", &self.database_url);
        command.env("XIANGXUN_NAME_SERVER", "none");
        command.envs(self.settings.iter().cloned());
        command
    }

    /// Runs a command to its end; it must succeed. Returns what it printed.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("the binary runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{arguments:?}: {}\n{printed}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        printed
    }

    /// The instance's rows, read and written from outside of its process.
    pub async fn open(&self) -> Arc<App> {
        let config = Config {
            data: self.data.clone(),
            database_url: self.database_url.clone(),
            database_pool: 3,
            name_server: "none".into(),
            ..Config::default()
        };
        App::open(config).await.expect("the instance opens")
    }

    /// Starts `serve` and waits until it answers.
    pub async fn serve(&self) -> Node {
        let (address, base_url) = free_address();
        let mut command = self.command(&["serve"]);
        command.env("XIANGXUN_LISTEN", address).env("XIANGXUN_BASE_URL", &base_url);
        Node::start(command, base_url).await
    }

    /// Starts `demo`, which shares nothing with this instance, and waits until it answers.
    pub async fn demo(&self) -> Node {
        let (address, base_url) = free_address();
        Node::start(self.command(&["demo", "--listen", &address]), base_url).await
    }

    /// Another node's part of the same instance: a data folder of its own.
    pub fn beside(&self) -> Self {
        let data = fresh_folder();
        Self { data, database_url: self.database_url.clone(), settings: self.settings.clone() }
    }
}

fn fresh_folder() -> PathBuf {
    let data = std::env::temp_dir().join(format!("xiangxun-node-{:016x}", rand::random::<u64>()));
    std::fs::create_dir_all(&data).unwrap();
    data
}

/// Where nobody listens, and the address that readers use.
fn free_address() -> (String, String) {
    let address = format!("127.0.0.1:{}", free_port());
    let base_url = format!("http://{address}");
    (address, base_url)
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// A running `xiangxun serve`; killed when dropped.
pub struct Node {
    pub base_url: String,
    process: Child,
    printed: Arc<Mutex<String>>,
}

impl Node {
    /// Starts a server and waits until it answers.
    async fn start(mut command: Command, base_url: String) -> Self {
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let printed = Arc::new(Mutex::new(String::new()));
        keep_lines(process.stdout.take().unwrap(), printed.clone());
        keep_lines(process.stderr.take().unwrap(), printed.clone());
        let node = Self { base_url, process, printed };
        node.wait_until("/healthz", Duration::from_secs(60)).await;
        node
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// All that the process has printed so far.
    pub fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    /// Waits until a path answers 200.
    pub async fn wait_until(&self, path: &str, patience: Duration) {
        let start = Instant::now();
        while start.elapsed() < patience {
            if let Ok(answer) = client().get(self.url(path)).send().await
                && answer.status().is_success()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} did not answer within {patience:?}:\n{}", self.printed());
    }

    /// The body of a page that answers 200.
    pub async fn get(&self, path: &str) -> String {
        let answer = client().get(self.url(path)).send().await.expect("the server answers");
        let status = answer.status();
        let body = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status}\n{body}");
        body
    }

    /// `kill -9`: no chance to tidy up.
    pub fn kill(mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// SIGTERM; true when it ended well by itself.
    pub fn stop(mut self) -> bool {
        let pid = self.process.id().to_string();
        Command::new("kill").arg(&pid).status().expect("kill runs");
        self.process.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An HTTP client that follows no redirect and knows no proxy.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// The letters that a file mailer has written, oldest first, as raw messages.
pub fn letters_in(data: &Path) -> Vec<Vec<u8>> {
    let Ok(folder) = std::fs::read_dir(data.join("mail")) else { return Vec::new() };
    let mut files: Vec<_> = folder
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .collect();
    files.sort_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
    files.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

fn keep_lines(stream: impl std::io::Read + Send + 'static, kept: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut kept = kept.lock().unwrap();
            kept.push_str(&line);
            kept.push('\n');
        }
    });
}
