//! Articles and searches that arrive together, at a steady rate: how soon what is published is found, and
//! what is withdrawn is gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::Site;

/// Of articles, and of searches.
pub const A_SECOND: u32 = 50;
/// One article in so many is withdrawn again.
const WITHDRAWN: u32 = 10;
/// Between looks whether an article is found, or gone.
const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(30);
/// What all of these articles hold, and no other does.
const MARK: &str = "甪里先生閗";

/// What was measured. The searches that look whether an article is there are not among `searches`, but
/// come on top of them.
#[derive(Default)]
pub struct Paced {
    /// From the answer to "publish" to the first search that finds it.
    pub found: Vec<Duration>,
    /// From the answer to "withdraw" to the first search that does not.
    pub gone: Vec<Duration>,
    pub searches: Vec<Duration>,
}

/// Publishes and searches for so many seconds.
pub async fn pace(site: Arc<Site>, seconds: u32) -> anyhow::Result<Paced> {
    let paced = Arc::new(Mutex::new(Paced::default()));
    let waiting: Arc<Mutex<BTreeMap<i64, Instant>>> = Arc::default();
    let looking = tokio::spawn(look(site.clone(), waiting.clone(), paced.clone(), seconds * A_SECOND));
    let mut tasks: JoinSet<anyhow::Result<()>> = JoinSet::new();
    let addresses = site.searches("/api/v1/search?q=");
    let mut ticks = interval(Duration::from_secs(1) / A_SECOND);
    // Those that are late are not left out.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..seconds * A_SECOND {
        let due = ticks.tick().await.into_std();
        let address = addresses[number as usize % addresses.len()].clone();
        let (searched, kept) = (site.clone(), paced.clone());
        tasks.spawn(async move {
            searched.get(&address).await?;
            kept.lock().expect("no panic").searches.push(due.elapsed());
            Ok(())
        });
        let (site, waiting, kept) = (site.clone(), waiting.clone(), paced.clone());
        tasks.spawn(async move {
            let article = json!({
                "title": format!("快讯{number}"), "publish": true,
                "body": format!("第{number}篇：{MARK}今日抵达，各界人士到场迎接，交通一切如常。"),
            });
            let made = site.post("/api/v1/accounts/bench/articles", &article).await?;
            let published = Instant::now();
            let id = made["id"].as_i64().unwrap_or_default();
            waiting.lock().expect("no panic").insert(id, published);
            if number % WITHDRAWN == 0 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                site.post(&format!("/api/v1/articles/{id}/withdraw"), &json!({ "reason": "误发" })).await?;
                let gone = until_gone(&site, number).await?;
                kept.lock().expect("no panic").gone.push(gone);
            }
            Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    looking.await??;
    Ok(std::mem::take(&mut *paced.lock().expect("no panic")))
}

async fn until_gone(site: &Site, number: u32) -> anyhow::Result<Duration> {
    let withdrawn = Instant::now();
    let query: String =
        url::form_urlencoded::byte_serialize(format!("\"第{number}篇：{MARK}\"").as_bytes()).collect();
    loop {
        let answer: Value =
            serde_json::from_str(&site.get(&site.url(&format!("/api/v1/search?q={query}"))).await?)?;
        if answer["total"] == 0 {
            return Ok(withdrawn.elapsed());
        }
        if withdrawn.elapsed() > PATIENCE {
            bail!("article {number} is still found: {answer}");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks at the newest that are found. An index takes articles in the order of their events: with one all
/// before it are found.
async fn look(
    site: Arc<Site>,
    waiting: Arc<Mutex<BTreeMap<i64, Instant>>>,
    paced: Arc<Mutex<Paced>>,
    count: u32,
) -> anyhow::Result<()> {
    let query: String = url::form_urlencoded::byte_serialize(format!("\"{MARK}\"").as_bytes()).collect();
    let address = site.url(&format!("/api/v1/search?q={query}&sort=newest&limit=5"));
    let mut last = Instant::now();
    let mut found = 0;
    while found < count {
        let answer: Value = serde_json::from_str(&site.get(&address).await?)?;
        let now = Instant::now();
        let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(newest) = items.iter().filter_map(|item| item["id"].as_i64()).max() {
            let mut waiting = waiting.lock().expect("no panic");
            let left = waiting.split_off(&(newest + 1));
            let arrived = std::mem::replace(&mut *waiting, left);
            if !arrived.is_empty() {
                last = now;
            }
            found += arrived.len() as u32;
            paced.lock().expect("no panic").found.extend(arrived.values().map(|at| now.duration_since(*at)));
        }
        if last.elapsed() > PATIENCE {
            bail!("{found} of {count} articles were found");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
