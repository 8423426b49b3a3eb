//! The one door to other people's servers. Every fetch of an address that someone typed, or that
//! stood in a document, goes through [`Fetcher`].

mod body;
mod guard;
mod polite;
mod post;

use reqwest::header::{self, HeaderMap, HeaderName};
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

pub use body::unpack;
pub use guard::{Allowed, Lookup, check_url, is_public, system_lookup};
use guard::{GuardedResolver, NoPublicAddress};
use polite::Politeness;
pub use post::{PostRequest, PostRoom, Posted};

const MAX_REDIRECTS: usize = 5;
const VISITS: usize = 4;
const POSTS: usize = 3;
const COVERS: usize = 2;
const MAX_URL_BYTES: usize = 2_048;
const MAX_HEADERS: usize = 100;
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// How outside fetches behave.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    pub allowed: Allowed,
    /// The address of this site, named in the User-Agent so that a server's owner can find us.
    pub site_url: String,
    pub connect_timeout: Duration,
    /// For one fetch with its redirects and its body.
    pub total_timeout: Duration,
    /// The pause between two requests to one host.
    pub gap: Duration,
}

impl FetchSettings {
    pub fn new(site_url: &str, allow_private: bool) -> Self {
        Self {
            allowed: if allow_private { Allowed::Any } else { Allowed::Public },
            site_url: site_url.to_owned(),
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
            gap: if allow_private { Duration::ZERO } else { Duration::from_secs(1) },
        }
    }
}

#[derive(Debug)]
pub struct Fetcher {
    client: reqwest::Client,
    settings: FetchSettings,
    politeness: Politeness,
    /// Room for sources visited at the same time: a node has other work too, and servers may be slow.
    pub visits: Semaphore,
    /// The same for jobs that post.
    posts: Semaphore,
    /// The same for covers, which would else keep feeds waiting.
    pub covers: Semaphore,
}

/// What to fetch.
#[derive(Clone, Debug)]
pub struct FetchRequest<'a> {
    pub url: &'a Url,
    /// Media types wanted, as an Accept header.
    pub accept: &'static str,
    /// Sent as If-None-Match and If-Modified-Since.
    pub etag: Option<&'a str>,
    pub last_modified: Option<&'a str>,
    /// The longest body taken, after unpacking.
    pub max_bytes: usize,
}

pub const ACCEPT_FEEDS: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
     application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.7, */*;q=0.1";

/// A good answer.
#[derive(Debug)]
pub struct Fetched {
    /// Where the body was found, after redirects.
    pub url: Url,
    /// The new address, when the old one has permanently moved.
    pub moved_to: Option<Url>,
    /// `None` when the server says that nothing has changed (304).
    pub body: Option<Vec<u8>>,
    pub content_type: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// How long the answer may be kept, by Cache-Control.
    pub max_age: Option<Duration>,
}

/// Why a fetch failed. `key` is the message for people; `Display` adds the remote's words for them
/// and for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("not a URL")]
    Url,
    #[error("{0}: only http and https are fetched")]
    Scheme(String),
    #[error("the URL carries a name or password")]
    Credentials,
    #[error("port {0} is not one that feeds are served from")]
    Port(u16),
    #[error("{0} is not a public address")]
    PrivateAddress(String),
    #[error("no such host: {0}")]
    UnknownHost(String),
    #[error("could not connect: {0}")]
    Connect(String),
    #[error("the connection failed: {0}")]
    Network(String),
    #[error("no full answer within {0:?}")]
    Timeout(Duration),
    #[error("more than {MAX_REDIRECTS} redirects")]
    TooManyRedirects,
    #[error("a redirect that leads nowhere")]
    BadRedirect,
    #[error("HTTP {status}")]
    Status { status: u16, retry_after: Option<Duration> },
    #[error("longer than {0} bytes")]
    TooLarge(usize),
    #[error("unpacks to far more than it came as")]
    Bomb,
    #[error("packed in a way we do not know: {0}")]
    Encoding(String),
    #[error("the body is broken: {0}")]
    Broken(String),
}

impl FetchError {
    /// The translation key of the message a publisher reads.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Url | Self::BadRedirect => "import-error-url",
            Self::Scheme(_) => "import-error-scheme",
            Self::Credentials => "import-error-credentials",
            Self::Port(_) => "import-error-port",
            Self::PrivateAddress(_) => "import-error-private-address",
            Self::UnknownHost(_) => "import-error-unknown-host",
            Self::Connect(_) | Self::Network(_) => "import-error-connect",
            Self::Timeout(_) => "import-error-timeout",
            Self::TooManyRedirects => "import-error-redirects",
            Self::Status { status: 401 | 403, .. } => "import-error-forbidden",
            Self::Status { status: 404, .. } => "import-error-not-found",
            Self::Status { status: 410, .. } => "import-error-gone",
            Self::Status { status: 429, .. } => "import-error-too-many",
            Self::Status { status: 500.., .. } => "import-error-server",
            Self::Status { .. } => "import-error-status",
            Self::TooLarge(_) => "import-error-too-long",
            Self::Bomb => "import-error-bomb",
            Self::Encoding(_) | Self::Broken(_) => "import-error-broken",
        }
    }

    /// How long the server asked us to stay away.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Reads what a person typed as an address: white space around it goes, a missing scheme is https.
pub fn read_address(typed: &str) -> Result<Url, FetchError> {
    let typed = typed.trim();
    if typed.is_empty() || typed.len() > MAX_URL_BYTES {
        return Err(FetchError::Url);
    }
    let typed = typed.strip_prefix("feed:").unwrap_or(typed).trim_start_matches("//");
    let bare = !typed.contains("://") && !typed.starts_with("mailto:") && !typed.starts_with("javascript:");
    let url = if bare { Url::parse(&format!("https://{typed}")) } else { Url::parse(typed) };
    url.ok()
        .filter(|url| url.host().is_some() || !matches!(url.scheme(), "http" | "https"))
        .ok_or(FetchError::Url)
}

impl Fetcher {
    pub fn new(settings: FetchSettings) -> Result<Self, reqwest::Error> {
        Self::with_lookup(settings, system_lookup())
    }

    /// With a resolver of one's own, for tests.
    pub fn with_lookup(settings: FetchSettings, lookup: Lookup) -> Result<Self, reqwest::Error> {
        // Fails only when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let agent = format!("Xiangxun/{} (+{}; feed reader)", env!("CARGO_PKG_VERSION"), settings.site_url);
        let client = reqwest::Client::builder()
            .user_agent(agent)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .dns_resolver(GuardedResolver { lookup, allowed: settings.allowed })
            .connect_timeout(settings.connect_timeout)
            .http1_max_headers(MAX_HEADERS)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .pool_idle_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(1)
            .build()?;
        let politeness = Politeness::new(settings.gap);
        Ok(Self {
            client,
            settings,
            politeness,
            visits: Semaphore::new(VISITS),
            posts: Semaphore::new(POSTS),
            covers: Semaphore::new(COVERS),
        })
    }

    /// Whether a URL may be fetched at all, as far as it can be told without resolving its name.
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        guard::check_url(url, self.settings.allowed)
    }

    /// Whether a fetch of this URL would have to wait for another of its host.
    pub fn is_busy(&self, url: &Url) -> bool {
        self.politeness.is_busy(url.host_str().unwrap_or_default())
    }

    /// Fetches a document: guarded, bounded and polite.
    pub async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchError> {
        let mut url = request.url.clone();
        let mut moved_to = None;
        let mut permanent = true;
        for _ in 0..=MAX_REDIRECTS {
            guard::check_url(&url, self.settings.allowed)?;
            let permit = self.politeness.wait(url.host_str().unwrap_or_default()).await;
            let step = tokio::time::timeout(self.settings.total_timeout, self.step(&url, &request)).await;
            drop(permit);
            match step.map_err(|_| FetchError::Timeout(self.settings.total_timeout))?? {
                Step::Answer(fetched) => return Ok(Fetched { moved_to, ..fetched }),
                Step::Redirect { to, is_permanent } => {
                    permanent &= is_permanent;
                    if permanent {
                        moved_to = Some(to.clone());
                    }
                    url = to;
                }
            }
        }
        Err(FetchError::TooManyRedirects)
    }

    /// One request and its answer.
    async fn step(&self, url: &Url, request: &FetchRequest<'_>) -> Result<Step, FetchError> {
        let mut builder = self
            .client
            .get(url.clone())
            .header(header::ACCEPT, request.accept)
            .header(header::ACCEPT_ENCODING, "gzip, br, deflate");
        if let Some(etag) = request.etag {
            builder = builder.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(last_modified) = request.last_modified {
            builder = builder.header(header::IF_MODIFIED_SINCE, last_modified);
        }
        let response = builder.send().await.map_err(|why| failure(&why, url, self.settings.total_timeout))?;
        let status = response.status().as_u16();
        match status {
            301 | 302 | 303 | 307 | 308 => redirect(url, status, response.headers()),
            304 => Ok(Step::Answer(answer(url, response.headers(), None))),
            200..=299 => self.read_body(url, response, request.max_bytes).await,
            _ => Err(FetchError::Status { status, retry_after: retry_after(response.headers()) }),
        }
    }

    async fn read_body(
        &self,
        url: &Url,
        mut response: reqwest::Response,
        limit: usize,
    ) -> Result<Step, FetchError> {
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(FetchError::TooLarge(limit));
        }
        let mut body = body::Body::new(text(response.headers(), header::CONTENT_ENCODING).as_deref(), limit)?;
        let failed = |why: reqwest::Error| failure(&why, url, self.settings.total_timeout);
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            body.push(&piece)?;
        }
        Ok(Step::Answer(answer(url, response.headers(), Some(body.finish()?))))
    }
}

enum Step {
    Answer(Fetched),
    Redirect { to: Url, is_permanent: bool },
}

fn redirect(url: &Url, status: u16, headers: &HeaderMap) -> Result<Step, FetchError> {
    let location = headers.get(header::LOCATION).ok_or(FetchError::BadRedirect)?;
    // Servers send raw UTF-8 here, which is not a header string in the strict sense.
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| FetchError::BadRedirect)?;
    if location.len() > MAX_URL_BYTES {
        return Err(FetchError::BadRedirect);
    }
    let to = url.join(location).map_err(|_| FetchError::BadRedirect)?;
    Ok(Step::Redirect { to, is_permanent: matches!(status, 301 | 308) })
}

fn answer(url: &Url, headers: &HeaderMap, body: Option<Vec<u8>>) -> Fetched {
    Fetched {
        url: url.clone(),
        moved_to: None,
        body,
        content_type: text(headers, header::CONTENT_TYPE),
        etag: text(headers, header::ETAG).filter(|etag| etag.len() <= 500),
        last_modified: text(headers, header::LAST_MODIFIED).filter(|date| date.len() <= 100),
        max_age: text(headers, header::CACHE_CONTROL).and_then(|value| max_age(&value)),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn max_age(cache_control: &str) -> Option<Duration> {
    let mut parts = cache_control.split(',').map(str::trim);
    let seconds = parts.find_map(|part| part.strip_prefix("max-age="))?;
    Some(Duration::from_secs(seconds.trim_matches('"').parse().ok()?))
}

/// Retry-After in seconds; as a date it is read against the answer's own Date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, header::RETRY_AFTER)?;
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = chrono::DateTime::parse_from_rfc2822(&value).ok()?;
    let now = chrono::DateTime::parse_from_rfc2822(&text(headers, header::DATE)?).ok()?;
    (at - now).to_std().ok()
}

/// Names a failure of the client, looking for our own refusal among its causes.
fn failure(why: &reqwest::Error, url: &Url, total: Duration) -> FetchError {
    let host = url.host_str().unwrap_or_default().to_owned();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(why);
    let mut last = why.to_string();
    while let Some(error) = cause {
        if error.is::<NoPublicAddress>() {
            return FetchError::PrivateAddress(host);
        }
        last = error.to_string();
        cause = error.source();
    }
    if why.is_timeout() {
        FetchError::Timeout(total)
    } else if last.contains("failed to lookup address") || last.contains("Name or service not known") {
        FetchError::UnknownHost(host)
    } else if why.is_connect() {
        FetchError::Connect(last)
    } else {
        FetchError::Network(last)
    }
}
