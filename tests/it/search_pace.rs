//! Search keeps up: articles that arrive while others search are found, and soon.

use std::time::{Duration, Instant};

use sea_orm::ActiveValue::Set;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use xiangxun::db::entities::article::ArticleState;
use xiangxun::outbox::Event;
use xiangxun::search::{State, follower};

use crate::both_databases;
use crate::search::{ask, change, publish, wait_for};
use crate::support::TestApp;

/// Articles published, and searches made.
const COUNT: usize = 150;
/// One of each; 50 a second.
const EVERY: Duration = Duration::from_millis(20);
const WITHDRAWN: usize = 30;

/// When the live index first held so many articles, or so few.
async fn watch(app: &TestApp, mut counts: Vec<u64>, reached: impl Fn(u64, u64) -> bool) -> Vec<Instant> {
    let mut moments = Vec::new();
    let started = Instant::now();
    counts.reverse();
    while let Some(count) = counts.last() {
        let now = app.app.search.shelf().live().unwrap().count();
        if reached(now, *count) {
            moments.push(Instant::now());
            counts.pop();
            continue;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{now} articles in the index, not {count}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    moments
}

fn quantiles(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{what}: p50 {:.0} ms, p99 {:.0} ms of {}", at(0.5), at(0.99), times.len());
}

both_databases! {
    async fn articles_that_arrive_while_others_search_are_found_and_what_is_withdrawn_is_gone(app) {
        let (account, _) = app.account("daily").await;
        let stop = CancellationToken::new();
        let following = tokio::spawn(follower::run(app.app.clone(), stop.clone()));
        wait_for("the index", || app.app.search.state() == State::CaughtUp).await;
        let publishing = async {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut published = Vec::new();
            for n in 0..COUNT {
                ticks.tick().await;
                let article = publish(app, account.id, &format!("快讯第{n}条"), "台风登陆之后各地陆续复工复课。").await;
                published.push((article, Instant::now()));
            }
            published
        };
        let searching = async {
            let mut ticks = interval(EVERY);
            let (mut times, mut most) = (Vec::new(), 0);
            for _ in 0..COUNT {
                ticks.tick().await;
                let asked = Instant::now();
                let answer = ask(app, &[("q", "\"陆续复工\"")]).await;
                times.push(asked.elapsed());
                let total = answer["total"].as_i64().unwrap();
                assert!(total >= most, "articles were lost: {total} after {most}");
                most = total;
            }
            times
        };
        let (published, searches, found) =
            futures::join!(publishing, searching, watch(app, (1..=COUNT as u64).collect(), |now, count| now >= count));
        quantiles("a search", searches);
        quantiles("published -> searchable", published.iter().zip(&found).map(|((_, at), found)| found.saturating_duration_since(*at)).collect());
        assert_eq!(ask(app, &[("q", "\"陆续复工\"")]).await["total"], COUNT);

        let withdrawing = async {
            let mut moments = Vec::new();
            for (article, _) in &published[..WITHDRAWN] {
                let event = Event::ArticleWithdrawn { account_id: account.id, article_id: article.id };
                change(app, article, Some(event), |row| row.state = Set(ArticleState::Withdrawn)).await;
                moments.push(Instant::now());
            }
            moments
        };
        let left = (COUNT - WITHDRAWN) as u64..COUNT as u64;
        let (withdrawn, gone) = futures::join!(withdrawing, watch(app, left.rev().collect(), |now, count| now <= count));
        quantiles("withdrawn -> gone", withdrawn.iter().zip(&gone).map(|(at, gone)| gone.saturating_duration_since(*at)).collect());
        assert_eq!(ask(app, &[("q", "\"陆续复工\"")]).await["total"], COUNT - WITHDRAWN);
        stop.cancel();
        following.await.unwrap();
    }
}
