//! The guarded client against servers that mean no good.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use url::Url;
use xiangxun::import::fetch::{
    ACCEPT_FEEDS, Allowed, FetchError, FetchRequest, FetchSettings, Fetched, Fetcher, Lookup, system_lookup,
};

use crate::support::outlet::{Outlet, Page};

/// Stands for a public address; 127.0.0.1 stays what it is.
const OUTSIDE: &str = "127.0.0.2";

fn settings() -> FetchSettings {
    let outside: IpAddr = OUTSIDE.parse().unwrap();
    FetchSettings {
        allowed: Allowed::PublicAnd(outside),
        total_timeout: Duration::from_secs(2),
        gap: Duration::ZERO,
        ..FetchSettings::new("https://xiangxun.test", false)
    }
}

fn fetcher(lookup: Lookup) -> Fetcher {
    Fetcher::with_lookup(settings(), lookup).unwrap()
}

async fn get(fetcher: &Fetcher, url: &str) -> Result<Fetched, FetchError> {
    let url = Url::parse(url).map_err(|_| FetchError::Url)?;
    let request = FetchRequest {
        url: &url,
        accept: ACCEPT_FEEDS,
        etag: None,
        last_modified: None,
        max_bytes: 1_000_000,
    };
    fetcher.fetch(request).await
}

async fn outside() -> Outlet {
    Outlet::start_at(OUTSIDE.parse().unwrap()).await
}

fn spellings() -> Vec<String> {
    let list = std::fs::read_to_string("tests/fixtures/hostile/ssrf.txt").unwrap();
    list.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect()
}

#[tokio::test]
async fn no_spelling_of_a_private_address_is_fetched_directly_or_by_a_redirect() {
    let outlet = outside().await;
    let inside = Outlet::start().await;
    inside.serve("/", Page::feed("secret"));
    let port = inside.address.rsplit(':').next().unwrap().to_owned();
    let fetcher = fetcher(system_lookup());
    for spelling in spellings() {
        let spelling = spelling.replace("8089", &port);
        assert!(get(&fetcher, &spelling).await.is_err(), "{spelling}");
        for status in [301, 302, 303, 307, 308] {
            outlet.serve("/away", Page::redirect(status, &percent(&spelling)));
            let answer = get(&fetcher, &outlet.url("/away")).await;
            assert!(answer.is_err(), "{status} to {spelling}: {answer:?}");
        }
    }
    assert!(inside.requests("/").is_empty(), "a private address was reached");
}

/// Header values are ASCII here; the URL parser undoes this in a host.
fn percent(url: &str) -> String {
    url.chars()
        .map(|c| {
            if c.is_ascii() {
                c.to_string()
            } else {
                c.to_string().bytes().map(|b| format!("%{b:02X}")).collect()
            }
        })
        .collect()
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_the_second_time_is_refused_then() {
    let outlet = outside().await;
    let inside = Outlet::start().await;
    let port = outlet.address.rsplit(':').next().unwrap().to_owned();
    outlet.serve("/feed", Page::feed("ok").with("connection", "close"));
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move { Ok(vec![if first { OUTSIDE } else { "127.0.0.1" }.parse().unwrap()]) })
    });
    let fetcher = fetcher(lookup);
    let url = format!("http://rebinding.example.org:{port}/feed");
    assert_eq!(get(&fetcher, &url).await.unwrap().body.as_deref(), Some(&b"ok"[..]));
    let second = get(&fetcher, &url).await;
    assert_eq!(second.err(), Some(FetchError::PrivateAddress("rebinding.example.org".into())));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(inside.requests("/feed").is_empty());
}

#[tokio::test]
async fn of_several_addresses_only_the_public_ones_are_connected_to() {
    let outlet = outside().await;
    let port = outlet.address.rsplit(':').next().unwrap().to_owned();
    outlet.serve("/", Page::feed("ok"));
    let lookup: Lookup = Arc::new(|_| {
        Box::pin(async {
            Ok(vec!["127.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap(), OUTSIDE.parse().unwrap()])
        })
    });
    let answer = get(&fetcher(lookup), &format!("http://mixed.example.org:{port}/")).await;
    assert_eq!(answer.unwrap().body.as_deref(), Some(&b"ok"[..]));
}

#[tokio::test]
async fn slow_long_looping_and_odd_answers_end_in_time_with_their_reason() {
    let outlet = outside().await;
    outlet.serve("/slow", Page { pause: Duration::from_millis(1_500), ..Page::feed(vec![b'x'; 100_000]) });
    outlet.serve("/long", Page::feed(vec![b'x'; 1_000_001]));
    outlet.serve("/endless", Page { pause: Duration::from_micros(1), ..Page::feed(vec![b'x'; 3_000_000]) });
    outlet.serve("/loop", Page::redirect(302, "/loop"));
    outlet.serve("/nowhere", Page::status(302));
    outlet.serve("/packed", Page::feed("?").with("content-encoding", "zstd"));
    outlet.serve("/torn", Page::feed("not gzip").with("content-encoding", "gzip"));
    outlet.serve("/busy", Page::status(429).with("retry-after", "120"));
    let fetcher = fetcher(system_lookup());
    let started = Instant::now();
    for (path, key) in [
        ("/slow", "import-error-timeout"),
        ("/long", "import-error-too-long"),
        ("/endless", "import-error-too-long"),
        ("/loop", "import-error-redirects"),
        ("/nowhere", "import-error-url"),
        ("/packed", "import-error-broken"),
        ("/torn", "import-error-broken"),
        ("/busy", "import-error-too-many"),
        ("/missing", "import-error-not-found"),
    ] {
        let error = get(&fetcher, &outlet.url(path)).await.expect_err(path);
        assert_eq!(error.key(), key, "{path}: {error}");
    }
    assert_eq!(outlet.requests("/loop").len(), 6);
    let busy = get(&fetcher, &outlet.url("/busy")).await.unwrap_err();
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(120)));
    assert!(started.elapsed() < Duration::from_secs(10));
    let nobody = get(&fetcher, "http://no-such-host.invalid/").await.unwrap_err();
    assert_eq!(nobody.key(), "import-error-unknown-host", "{nobody}");
}

#[tokio::test]
async fn a_gzip_bomb_goes_off_nowhere() {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![b' '; 1024 * 1024];
    for _ in 0..200 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 250_000);
    let outlet = outside().await;
    outlet.serve("/bomb", Page::feed(bomb.clone()).with("content-encoding", "gzip"));
    outlet.serve("/file.gz", Page::new("application/gzip", bomb));
    let fetcher = fetcher(system_lookup());
    for path in ["/bomb", "/file.gz"] {
        let error = get(&fetcher, &outlet.url(path)).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLarge(_) | FetchError::Bomb), "{error}");
    }
}

#[tokio::test]
async fn the_client_says_who_it_is_and_what_it_has() {
    let outlet = outside().await;
    outlet
        .serve("/feed", Page::feed("x").with("etag", "\"v1\"").with("cache-control", "public, max-age=600"));
    let fetcher = fetcher(system_lookup());
    let first = get(&fetcher, &outlet.url("/feed")).await.unwrap();
    assert_eq!((first.etag.as_deref(), first.max_age), (Some("\"v1\""), Some(Duration::from_secs(600))));
    let url = Url::parse(&outlet.url("/feed")).unwrap();
    let request = FetchRequest {
        url: &url,
        accept: ACCEPT_FEEDS,
        etag: first.etag.as_deref(),
        last_modified: None,
        max_bytes: 10,
    };
    assert!(fetcher.fetch(request).await.unwrap().body.is_none());
    let headers = &outlet.requests("/feed")[0];
    let agent = headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("Xiangxun/") && agent.contains("https://xiangxun.test"), "{agent}");
    assert_eq!(headers["accept-encoding"], "gzip, br, deflate");
    assert!(headers.get("referer").is_none() && headers.get("cookie").is_none());
}
