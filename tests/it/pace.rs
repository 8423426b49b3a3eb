//! At whose pace mail goes out: caps that no window exceeds, and providers that ask to be left alone.

use std::time::Duration;

use xiangxun::db::entities::delivery::{DeliveryState, Provider};
use xiangxun::db::entities::push::PushState;
use xiangxun::delivery::{ledger, letter, sender};

use crate::on_both_databases;
use crate::support::mail_host::{MailHost, Taken};
use crate::support::{Backend, TestApp};

on_both_databases! {
    no_window_of_a_cap_is_exceeded_by_one
    a_cap_holds_over_a_restart_and_for_two_nodes
    letters_wait_for_no_cap_and_pushes_leave_them_their_places
    a_provider_that_asks_for_it_is_left_alone_and_others_go_on
    a_server_that_asks_for_text_after_a_refusal_gets_along
    a_server_without_pipelining_is_served_too
}

async fn app_with(backend: Backend, url: String, caps: &str) -> TestApp {
    let caps = caps.to_owned();
    TestApp::start_with(backend, move |config| {
        config.smtp_url = url;
        config.mail_from = "乡讯 <news@xiangxun.test>".into();
        config.mail_caps = caps;
    })
    .await
}

/// A push to so many readers at each of these domains.
async fn push_to(app: &TestApp, domains: &[&str], each: usize) -> i64 {
    let (account, _) = app.account("daily").await;
    for number in 0..each {
        for domain in domains {
            app.subscriber(account.id, &format!("r{number}@{domain}")).await;
        }
    }
    let article = app.published(account.id, "节奏").await;
    let push = app.push(account.id, &[&article]).await;
    xiangxun::jobs::worker::run_due(&app.app).await.unwrap();
    push
}

async fn until_sent(app: &TestApp, push: i64) {
    for _ in 0..600 {
        if app.push_state(push).await == PushState::Sent {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it was not sent in time");
}

/// The most messages within any stretch of this length, as the server saw them.
fn most_within(taken: &[Taken], span: Duration, is_one: impl Fn(&str) -> bool) -> usize {
    let mut times: Vec<_> = taken.iter().filter(|one| is_one(&one.to)).map(|one| one.at).collect();
    times.sort_unstable();
    let count_from = |start: usize| times[start..].iter().take_while(|at| **at - times[start] < span).count();
    (0..times.len()).map(count_from).max().unwrap_or(0)
}

async fn no_window_of_a_cap_is_exceeded_by_one(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, host.url(), "gmail=7/1s, qq=11/2s, all=25/1s").await;
    let push = push_to(&app, &["gmail.com", "qq.com", "example.org"], 24).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let task = tokio::spawn(sender::run(app.app.clone(), stop.clone()));
    until_sent(&app, push).await;
    stop.cancel();
    task.await.unwrap();
    let taken = host.taken();
    assert_eq!(taken.len(), 72);
    assert_eq!(most_within(&taken, Duration::from_secs(1), |to| to.ends_with("@gmail.com")), 7);
    assert_eq!(most_within(&taken, Duration::from_secs(2), |to| to.ends_with("@qq.com")), 11);
    assert!(most_within(&taken, Duration::from_secs(1), |_| true) <= 25);
    app.finish().await;
}

async fn a_cap_holds_over_a_restart_and_for_two_nodes(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, host.url(), "gmail=10/1h").await;
    let push = push_to(&app, &["gmail.com"], 40).await;
    // One that claims and dies takes its places with it, for it may have used them.
    let dead = ledger::claim(&app.app, "dead", app.app.clock.now(), 4, 0).await.unwrap();
    assert_eq!(dead.rows.len(), 4);
    let (one, other) = tokio::join!(sender::send_due(&app.app), sender::send_due(&app.app));
    one.unwrap();
    other.unwrap();
    assert_eq!(host.taken().len(), 6);
    // A node started anew knows it from the database.
    let config = app.app.config.clone();
    let mailer = app.app.mailer.clone();
    let again = xiangxun::app::App::open_with(config, mailer, app.app.clock.clone()).await.unwrap();
    sender::send_due(&again).await.unwrap();
    assert_eq!(host.taken().len(), 6);
    app.app.clock.advance(Duration::from_secs(3_590));
    sender::send_due(&again).await.unwrap();
    assert_eq!(host.taken().len(), 6, "the hour is not over");
    app.app.clock.advance(Duration::from_secs(20));
    sender::send_due(&again).await.unwrap();
    assert_eq!(host.taken().len(), 12, "the dead one's lease came on top of its hour");
    app.app.clock.advance(Duration::from_secs(61));
    sender::send_due(&again).await.unwrap();
    assert_eq!(host.taken().len(), 16);
    for _ in 0..4 {
        app.app.clock.advance(Duration::from_secs(3_700));
        sender::send_due(&again).await.unwrap();
    }
    assert_eq!(host.taken().len(), 40);
    assert_eq!(app.push_state(push).await, PushState::Sent);
    again.db.clone().close().await.unwrap();
    app.finish().await;
}

async fn letters_wait_for_no_cap_and_pushes_leave_them_their_places(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, host.url(), "all=5/1h, qq=3/1h").await;
    let letter =
        |to: &str| xiangxun::mail::Letter { to: to.into(), subject: "登录".into(), ..Default::default() };
    for _ in 0..2 {
        letter::send(&app.app, &letter("somebody@QQ.com")).await.unwrap();
    }
    push_to(&app, &["qq.com", "gmail.com"], 10).await;
    app.work().await;
    let count =
        |domain: &str| host.taken().iter().filter(|one| one.to.to_lowercase().ends_with(domain)).count();
    assert_eq!((count("@qq.com"), count("@gmail.com")), (3, 2), "one of each cap's places was left to each");
    letter::send(&app.app, &letter("somebody@qq.com")).await.unwrap();
    assert_eq!(host.taken().len(), 6);
    // With a little more: places are given back in steps of a thousandth of the time.
    app.app.clock.advance(Duration::from_secs(3_610) + ledger::LEASE);
    app.work().await;
    assert_eq!(host.taken().len(), 11);
    app.finish().await;
}

async fn a_provider_that_asks_for_it_is_left_alone_and_others_go_on(backend: Backend) {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let is_angry = Arc::new(AtomicBool::new(true));
    let angry = is_angry.clone();
    let host = MailHost::start(move |to| {
        let refuses = to.ends_with("@qq.com") && angry.load(Ordering::Relaxed);
        refuses.then_some("550 Domain frequency limited. http://service.mail.qq.com/cgi-bin/help?subtype=1")
    })
    .await;
    let app = app_with(backend, host.url(), "").await;
    let push = push_to(&app, &["qq.com", "gmail.com"], 300).await;
    app.work().await;
    let taken = host.taken();
    assert_eq!(taken.len(), 300, "the others were told");
    let asked = || host.asked().iter().filter(|to| to.ends_with("@qq.com")).count();
    let refused = asked();
    assert!(refused <= 2 * 8, "only those under way were tried: {refused}");
    let rows = app.deliveries(push).await;
    let tried = rows.iter().filter(|row| row.provider == Provider::Qq && row.attempts > 0).count();
    assert_eq!(tried, refused, "what was given back was not tried");
    assert!(rows.iter().all(|row| row.provider != Provider::Qq || row.state == DeliveryState::Waiting));
    // Not before the pause is over; then again, for twice as long.
    app.app.clock.advance(Duration::from_secs(25));
    app.work().await;
    assert_eq!(asked(), refused);
    app.app.clock.advance(Duration::from_secs(10));
    app.work().await;
    let second = asked();
    assert!(second > refused && second <= refused + 2 * 8, "{second}");
    app.app.clock.advance(Duration::from_secs(55));
    app.work().await;
    assert_eq!(asked(), second);
    is_angry.store(false, Ordering::Relaxed);
    app.app.clock.advance(Duration::from_secs(60 * 60));
    app.work().await;
    assert_eq!(host.taken().len(), 600);
    assert_eq!(app.push_state(push).await, PushState::Sent);
    app.finish().await;
}

async fn a_server_that_asks_for_text_after_a_refusal_gets_along(backend: Backend) {
    let host = MailHost::start(|to| to.starts_with("r1@").then_some("550 5.1.1 who?")).await;
    let app = app_with(backend, host.url(), "").await;
    let push = push_to(&app, &["example.org", "example.net"], 20).await;
    app.work().await;
    let rows = app.deliveries(push).await;
    assert_eq!(rows.iter().filter(|row| row.state == DeliveryState::Failed).count(), 2);
    assert_eq!(host.taken().len(), 38, "a refusal does not spoil the line for the next");
    app.finish().await;
}

async fn a_server_without_pipelining_is_served_too(backend: Backend) {
    let host = MailHost::start_with("", |to| to.starts_with("r1@").then_some("550 5.1.1 who?")).await;
    let app = app_with(backend, host.url(), "").await;
    push_to(&app, &["example.org"], 20).await;
    app.work().await;
    assert_eq!(host.taken().len(), 19);
    app.finish().await;
}
