//! A whole instance in a temporary folder, driven as its server does.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use sea_orm::{ConnectionTrait, Database};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};
use xiangxun::app::App;
use xiangxun::clock::Clock;
use xiangxun::config::Config;
use xiangxun::db::Db;
use xiangxun::delivery;
use xiangxun::digests;
use xiangxun::jobs;
use xiangxun::mail::{Letter, Mailer};
use xiangxun::routes::Site;
use xiangxun::server::{self, Bounds};

/// The database under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// An instance, its letters, and a browser's cookies.
pub struct TestApp {
    pub app: Arc<App>,
    letters: Arc<Mutex<Vec<Letter>>>,
    folder: std::path::PathBuf,
    /// Name and value of each cookie that this browser keeps.
    cookies: Mutex<Vec<(String, String)>>,
    unfinished_jobs_allowed: AtomicBool,
}

/// A response read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        self.header("location")
    }

    #[track_caller]
    pub fn assert_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}\n{}", self.location(), self.text());
        self
    }
}

impl TestApp {
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| {}).await
    }

    /// Starts with changed settings.
    pub async fn start_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        let folder = std::env::temp_dir().join(format!("xiangxun-test-{:016x}", rand::random::<u64>()));
        let mut config = Config {
            data: folder.clone(),
            base_url: "http://xiangxun.test".into(),
            name_server: "none".into(),
            ..Config::default()
        };
        if backend == Backend::Postgres {
            config.database_url = fresh_postgres_database().await;
            config.database_pool = 6;
        }
        change(&mut config);
        let letters = Arc::new(Mutex::new(Vec::new()));
        let mailer = match config.servers().is_empty() {
            true => Mailer::memory(letters.clone()),
            false => Mailer::from_config(&config).expect("the SMTP servers' addresses are right"),
        };
        let app = App::open_with(config, mailer, Clock::default()).await.expect("the app opens");
        Self {
            app,
            letters,
            folder,
            cookies: Mutex::default(),
            unfinished_jobs_allowed: AtomicBool::new(false),
        }
    }

    /// Does all jobs that are due, builds the digests that are, and sends all deliveries.
    pub async fn work(&self) {
        jobs::worker::run_due(&self.app).await.expect("jobs are claimed");
        digests::build_due(&self.app, &CancellationToken::new()).await.expect("digests are built");
        delivery::sender::send_due(&self.app).await.expect("deliveries are claimed");
        delivery::web_push::sender::send_due(&self.app).await.expect("notifications are claimed");
    }

    /// Letters sent since the last call.
    pub fn take_letters(&self) -> Vec<Letter> {
        let letters = std::mem::take(&mut *self.letters.lock().unwrap());
        let raw = letters.iter().find(|letter| {
            [&letter.subject, &letter.text, &letter.html].iter().any(|text| text.contains('⟦'))
        });
        assert!(raw.is_none(), "a letter shows the key of a text: {raw:?}");
        letters
    }

    /// Serves the site to browsers; returns its address.
    pub async fn listen(&self) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        self.serve(listener, CancellationToken::new());
        origin
    }

    /// Serves it there, until the stop.
    pub fn serve(&self, listener: TcpListener, stop: CancellationToken) -> JoinHandle<()> {
        tokio::spawn(server::answer(listener, Site::new(self.app.clone()), stop, Bounds::default()))
    }

    /// Says that this test may end with jobs that are not due yet.
    pub fn allow_unfinished_jobs(&self) {
        self.unfinished_jobs_allowed.store(true, Ordering::Relaxed);
    }

    /// Asserts that no work is left over, and clears away.
    pub async fn finish(self) {
        if !self.unfinished_jobs_allowed.load(Ordering::Relaxed) {
            let left = jobs::queue::unfinished(self.app.db.read()).await.unwrap();
            assert_eq!(left, 0, "the test ended with unfinished jobs");
        }
        let _ = self.app.db.clone().close().await;
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// Signs this browser in.
    pub async fn sign_in(&self, user_id: i64) {
        let cookie = xiangxun::auth::session::open(&self.app, user_id, "tests", "127.0.0.1").await.unwrap();
        self.keep_cookie(cookie.name(), cookie.value());
    }

    pub fn sign_out(&self) {
        self.cookies.lock().unwrap().clear();
    }

    pub fn keep_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap();
        cookies.retain(|(kept, _)| kept != name);
        if !value.is_empty() {
            cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form as this site's own pages do.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .request(Method::POST, path)
            .header(header::ORIGIN, self.app.config.base_url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body));
        self.send(request.unwrap()).await
    }

    /// Sends JSON with an API token and further headers.
    pub async fn api(
        &self,
        method: Method,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: serde_json::Value,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "xiangxun.test");
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await
    }

    /// A request with this browser's cookies, to be completed and given to [`Self::send`].
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "xiangxun.test");
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        request
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.send_alone(request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            if let Some((name, value)) = pair.split_once('=') {
                self.keep_cookie(name, value);
            }
        }
        answer
    }

    /// Sends as another browser would: this one's cookies stay as they are.
    pub async fn send_alone(&self, request: Request<Body>) -> Answer {
        self.send_to(Site::new(self.app.clone()), request).await
    }

    /// Sends to another site than the app's own.
    pub async fn send_to<S>(&self, site: S, request: Request<Body>) -> Answer
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible>,
    {
        let (parts, body) = site.oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        // Packed bytes can look like anything.
        let is_plain = !parts.headers.contains_key(header::CONTENT_ENCODING);
        if is_plain && kind.is_some_and(|kind| kind.starts_with("text/html")) {
            let html = String::from_utf8_lossy(&bytes);
            assert!(!html.contains('⟦'), "a page shows the key of a text: {html}");
        }
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

/// The server that tests make their databases on.
fn postgres_server() -> String {
    std::env::var("XIANGXUN_TEST_POSTGRES_URL")
        .expect("XIANGXUN_TEST_POSTGRES_URL names a PostgreSQL server (see tests/run)")
}

/// A new database with the present schema, copied from a template that the first test makes.
pub async fn fresh_postgres_database() -> String {
    use xiangxun::db::entities::setting;
    let server = postgres_server();
    let (base, _) = server.rsplit_once('/').unwrap();
    let admin = Database::connect(&server).await.expect("PostgreSQL answers");
    let newest = migrations::Migrator::migrations().last().map(|step| step.name().to_owned()).unwrap();
    let steps = migrations::Migrator::migrations().len();
    let template = format!("template_{steps}_{newest}").replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    // One maker at a time, over all test processes; the lock is held by a transaction.
    use sea_orm::TransactionTrait;
    let lock = admin.begin().await.unwrap();
    lock.execute_unprepared("SELECT pg_advisory_xact_lock(7402)").await.unwrap();
    let exists = format!("SELECT 1 AS one FROM pg_database WHERE datname = '{template}'");
    let found = lock
        .query_one_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, exists))
        .await
        .unwrap();
    if found.is_none() {
        admin.execute_unprepared(&format!("CREATE DATABASE {template}_making")).await.unwrap();
        let db = Db::connect(&format!("{base}/{template}_making"), 2).await.unwrap();
        db.migrate().await.unwrap();
        use sea_orm::EntityTrait;
        setting::Entity::delete_many().exec(db.write()).await.unwrap();
        db.close().await.unwrap();
        admin
            .execute_unprepared(&format!("ALTER DATABASE {template}_making RENAME TO {template}"))
            .await
            .unwrap();
    }
    let name = format!("test_{:016x}", rand::random::<u64>());
    admin.execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await.unwrap();
    lock.commit().await.unwrap();
    admin.close().await.unwrap();
    format!("{base}/{name}")
}

use migrations::{MigrationTrait, MigratorTrait};
#[allow(unused)]
fn step_name(step: &dyn MigrationTrait) -> String {
    step.name().to_owned()
}
