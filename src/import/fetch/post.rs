//! Posting to other people's servers: callbacks, webhooks, push services. As guarded as a fetch is, but
//! no redirect is followed, and whatever the server answers is an answer.

use std::time::Duration;

use reqwest::header::{self, HeaderMap};
use tokio::sync::SemaphorePermit;
use url::Url;

use super::polite::Permit;
use super::{FetchError, Fetcher, failure, guard, retry_after};

/// For one message and its answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest answer that is looked at.
const MAX_ANSWER: usize = 4 * 1024;

/// What is posted.
#[derive(Clone, Debug)]
pub struct PostRequest<'a> {
    pub url: &'a Url,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// What the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub status: u16,
    /// How long it asked us to stay away.
    pub retry_after: Option<Duration>,
    /// The beginning of its answer.
    pub words: String,
}

impl Posted {
    /// Whether it took the message.
    pub fn is_taken(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Status and words, for logs.
    pub fn line(&self) -> String {
        let words: String = self.words.chars().filter(|c| !c.is_control()).take(200).collect();
        format!("{} {words}", self.status).trim_end().to_owned()
    }
}

/// The right to post to a host, until dropped.
pub struct PostRoom<'a> {
    _room: SemaphorePermit<'a>,
    _turn: Permit,
}

impl Fetcher {
    /// Room for a job that posts to this host, if there is any: few post at the same time, and one to each host, so
    /// that slow servers do not keep all other work waiting.
    pub fn room_to_post(&self, url: &Url) -> Option<PostRoom<'_>> {
        let room = self.posts.try_acquire().ok()?;
        let turn = self.politeness.take(&post_turn(url))?;
        Some(PostRoom { _room: room, _turn: turn })
    }

    /// Posts a message, guarded and bounded.
    ///
    /// # Errors
    /// When the address is refused, or there is no whole answer.
    pub async fn post(&self, request: PostRequest<'_>) -> Result<Posted, FetchError> {
        guard::check_url(request.url, self.settings.allowed)?;
        let answering = self.post_unbounded(request);
        tokio::time::timeout(TIMEOUT, answering).await.map_err(|_| FetchError::Timeout(TIMEOUT))?
    }

    async fn post_unbounded(&self, request: PostRequest<'_>) -> Result<Posted, FetchError> {
        let agent = format!("Xiangxun/{} (+{})", env!("CARGO_PKG_VERSION"), self.settings.site_url);
        let failed = |why: reqwest::Error| failure(&why, request.url, TIMEOUT);
        let mut response = self
            .client
            .post(request.url.clone())
            .header(header::USER_AGENT, agent)
            .headers(request.headers)
            .body(request.body)
            .send()
            .await
            .map_err(failed)?;
        let mut answer = Vec::new();
        // A server that breaks off its answer has said whether it took the message.
        while let Ok(Some(piece)) = response.chunk().await {
            answer.extend_from_slice(&piece[..piece.len().min(MAX_ANSWER - answer.len())]);
            if answer.len() >= MAX_ANSWER {
                break;
            }
        }
        Ok(Posted {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers()),
            words: String::from_utf8_lossy(&answer).into_owned(),
        })
    }
}

/// Posts and fetches of one host do not wait for each other.
fn post_turn(url: &Url) -> String {
    format!("post {}", url.host_str().unwrap_or_default())
}
