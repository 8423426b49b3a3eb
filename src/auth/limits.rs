//! How often a client, or anybody about one address, may ask: with governor, by the app's clock.
//!
//! Memory is bounded: keys are 64-bit hashes, those at rest are forgotten, and in a flood newcomers
//! share a fixed number of them.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use strum::{EnumCount, IntoEnumIterator};

use super::{Address, Client};
use crate::app::App;
use crate::clock::Clock;
use crate::error::Error;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter, strum::EnumCount)]
pub enum Limit {
    /// Passwords tried by a client, and links opened.
    SignIn,
    /// Passwords tried for an address, by anybody.
    Password,
    /// Links that a client asks for.
    Links,
    /// Links mailed to an address.
    LinkMail,
    /// Subscriptions that a client asks for. (The room itself limits the letters to one address.)
    Subscribe,
    /// Searches of a client.
    Search,
    /// Suggestions asked for while a client types.
    Suggest,
    /// API requests of a client.
    Api,
    /// Wishes of a client to be told of feeds.
    Hub,
    /// Exports of a person's data.
    Export,
}

impl Limit {
    /// How many at once, and how long until there is one more.
    fn quota(self) -> (u32, Duration) {
        match self {
            Self::SignIn => (10, Duration::from_secs(30)),
            Self::Password => (10, Duration::from_secs(120)),
            Self::Links => (10, Duration::from_secs(60)),
            Self::LinkMail => (4, Duration::from_secs(300)),
            Self::Subscribe => (20, Duration::from_secs(30)),
            Self::Search => (60, Duration::from_millis(500)),
            Self::Suggest => (120, Duration::from_millis(100)),
            Self::Api => (240, Duration::from_millis(50)),
            Self::Hub => (60, Duration::from_secs(5)),
            Self::Export => (4, Duration::from_secs(60 * 60)),
        }
    }
}

type Limiter = RateLimiter<u64, DashMapStateStore<u64>, Clock, NoOpMiddleware<Duration>>;

/// The counters of this node.
pub struct Limits {
    limiters: Vec<Limiter>,
    hasher: RandomState,
    checks: AtomicU32,
}

/// A limiter with more keys than this is crowded.
const CROWDED: usize = 50_000;
/// Keys that newcomers share where it is crowded.
const SHARED: u64 = 1 << 14;
/// How many checks pass between two clearings.
const CLEAR_EVERY: u32 = 1_024;

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limits")
    }
}

impl governor::clock::Clock for Clock {
    type Instant = Duration;
    fn now(&self) -> Duration {
        Duration::from_millis(self.now().0.max(0).unsigned_abs())
    }
}

impl Limits {
    pub fn new(clock: &Clock) -> Self {
        let limiters = Limit::iter()
            .map(|limit| {
                let (burst, period) = limit.quota();
                let quota = Quota::with_period(period)
                    .expect("periods are not zero")
                    .allow_burst(NonZeroU32::new(burst).expect("bursts are not zero"));
                RateLimiter::dashmap_with_clock(quota, clock.clone())
            })
            .collect::<Vec<_>>();
        debug_assert_eq!(limiters.len(), Limit::COUNT);
        Self { limiters, hasher: RandomState::new(), checks: AtomicU32::new(0) }
    }

    /// Counts a request of a client.
    ///
    /// # Errors
    /// [`Error::TooMany`] with the time to wait.
    pub fn client(&self, limit: Limit, client: &Client) -> Result<(), Error> {
        self.count(limit, client.network())
    }

    /// Counts a request about an address, whoever asks.
    ///
    /// # Errors
    /// [`Error::TooMany`] with the time to wait.
    pub fn address(&self, limit: Limit, address: &Address) -> Result<(), Error> {
        self.count(limit, address.as_str())
    }

    fn count(&self, limit: Limit, key: impl Hash) -> Result<(), Error> {
        let limiter = &self.limiters[limit as usize];
        let mut key = self.hasher.hash_one(key);
        if self.checks.fetch_add(1, Ordering::Relaxed) % CLEAR_EVERY == CLEAR_EVERY - 1 {
            self.limiters.iter().for_each(RateLimiter::retain_recent);
        }
        if limiter.len() > CROWDED {
            key %= SHARED;
        }
        limiter.check_key(&key).map_err(|refusal| {
            let wait = refusal.wait_time_from(governor::clock::Clock::now(limiter.clock()));
            // Retry-After is in whole seconds: rounded up, so that who obeys is let in.
            Error::TooMany { retry_after: Duration::from_secs(wait.as_millis().div_ceil(1_000) as u64) }
        })
    }
}

/// Middleware: limits what is limited by its path alone.
///
/// Clients on this very machine are not told apart: behind a proxy whose word is not taken, one of
/// them would use up all readers' share. Signing in stays limited even so.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Error> {
    let path = request.uri().path();
    let limit = match path {
        "/search" | "/api/v1/search" => Some(Limit::Search),
        "/search/suggestions" | "/search/clicked" | "/api/v1/suggest" => Some(Limit::Suggest),
        _ if path.starts_with("/search/feed.") => Some(Limit::Search),
        "/hub" => Some(Limit::Hub),
        "/api/docs" | "/api/openapi.json" => None,
        _ if path.starts_with("/api/") => Some(Limit::Api),
        _ if path.starts_with("/@") && path.ends_with("/subscribe") => {
            (*request.method() == Method::POST).then_some(Limit::Subscribe)
        }
        _ => None,
    };
    if let Some(limit) = limit {
        let client = Client::of(&app, request.headers(), request.extensions());
        if !client.is_local() {
            app.limits.client(limit, &client)?;
        }
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_is_let_in_when_the_time_told_has_passed() {
        let clock = Clock::default();
        let limits = Limits::new(&clock);
        let reader = Address::parse("reader@example.org").unwrap();
        for _ in 0..4 {
            limits.address(Limit::LinkMail, &reader).unwrap();
        }
        let Err(Error::TooMany { retry_after }) = limits.address(Limit::LinkMail, &reader) else {
            panic!("the fifth is refused");
        };
        assert!((290..=300).contains(&retry_after.as_secs()), "{retry_after:?}");
        limits.address(Limit::LinkMail, &Address::parse("other@example.org").unwrap()).unwrap();
        clock.advance(retry_after);
        limits.address(Limit::LinkMail, &reader).unwrap();
    }

    #[test]
    fn a_flood_of_clients_takes_bounded_memory() {
        let limits = Limits::new(&Clock::default());
        for number in 0..200_000_u32 {
            let client = Client { ip: std::net::IpAddr::V4(number.into()), user_agent: String::new() };
            let _ = limits.client(Limit::SignIn, &client);
        }
        let kept = limits.limiters[Limit::SignIn as usize].len();
        assert!(kept <= CROWDED + SHARED as usize + 1, "{kept}");
    }
}
