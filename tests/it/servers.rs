//! Several mail servers: who carries what, how one that takes nothing is left alone, and caps of each.

use std::time::Duration;

use xiangxun::config::Config;
use xiangxun::db::entities::delivery::DeliveryState;
use xiangxun::db::entities::push::PushState;
use xiangxun::delivery::{rests, sender};
use xiangxun::mail::servers::{MailServer, MailServers};

use crate::on_both_databases;
use crate::support::mail_host::{MailHost, Taken};
use crate::support::smtp::{SmtpSink, free_port};
use crate::support::{Backend, TestApp};

on_both_databases! {
    mail_is_shared_out_by_weight_and_the_next_rank_stands_by
    a_server_that_closes_its_door_rests_and_the_others_carry_on
    a_server_that_is_not_there_costs_no_message_an_attempt
    a_server_that_comes_back_is_used_again
    no_window_of_a_servers_cap_is_exceeded_by_one
    the_record_of_real_servers_proves_that_no_window_was_exceeded
    a_servers_cap_holds_over_a_restart_and_spills_to_the_next_rank
    a_new_server_is_warmed_up_day_by_day
    a_new_domain_is_warmed_up_over_all_servers
    a_letter_goes_by_the_next_server_when_the_first_takes_none
    an_account_with_servers_of_its_own_sends_by_them_alone
    a_renamed_account_keeps_its_servers
}

fn server(name: &str, url: &str) -> MailServer {
    MailServer { name: name.into(), ..MailServer::only(url) }
}

async fn app_with(backend: Backend, servers: Vec<MailServer>, change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::start_with(backend, |config| {
        config.mail_servers = MailServers(servers);
        config.mail_from = "乡讯 <news@xiangxun.test>".into();
        change(config);
        assert_eq!(config.problems(), Vec::<String>::new());
    })
    .await
}

/// A push to so many readers at a domain, fanned out.
async fn push_to(app: &TestApp, domain: &str, count: usize) -> i64 {
    let (account, _) = app.account("daily").await;
    push_of(app, account.id, domain, count).await
}

/// The same, of an account that is there.
async fn push_of(app: &TestApp, account_id: i64, domain: &str, count: usize) -> i64 {
    for number in 0..count {
        app.subscriber(account_id, &format!("r{number}@{domain}")).await;
    }
    let article = app.published(account_id, "几条路").await;
    let push = app.push(account_id, &[&article]).await;
    xiangxun::jobs::worker::run_due(&app.app).await.unwrap();
    push
}

/// That every reader was told exactly once, whoever told them.
fn assert_told_once(hosts: &[&MailHost], count: usize) {
    let mut told: Vec<String> = hosts.iter().flat_map(|host| host.taken()).map(|one| one.to).collect();
    told.sort();
    told.dedup();
    let all: usize = hosts.iter().map(|host| host.taken().len()).sum();
    assert_eq!((told.len(), all), (count, count));
}

async fn mail_is_shared_out_by_weight_and_the_next_rank_stands_by(backend: Backend) {
    let (one, two, spare) =
        (MailHost::start(|_| None).await, MailHost::start(|_| None).await, MailHost::start(|_| None).await);
    let servers = vec![
        MailServer { weight: 3, ..server("one", &one.url()) },
        server("two", &two.url()),
        MailServer { rank: 2, ..server("spare", &spare.url()) },
    ];
    let app = app_with(backend, servers, |_| {}).await;
    let push = push_to(&app, "example.org", 80).await;
    app.work().await;
    assert_eq!((one.taken().len(), two.taken().len(), spare.taken().len()), (60, 20, 0));
    assert_told_once(&[&one, &two], 80);
    assert_eq!(app.push_state(push).await, PushState::Sent);
    app.finish().await;
}

async fn a_server_that_closes_its_door_rests_and_the_others_carry_on(backend: Backend) {
    let (one, two) = (MailHost::start(|_| None).await, MailHost::start(|_| None).await);
    one.sulk(true);
    let servers = vec![server("one", &one.url()), server("two", &two.url())];
    let app = app_with(backend, servers, |_| {}).await;
    let push = push_to(&app, "example.org", 60).await;
    app.work().await;
    assert_eq!((one.taken().len(), two.taken().len()), (0, 60));
    let rows = app.deliveries(push).await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered && row.attempts == 1), "{rows:?}");
    let resting = rests::resting(app.app.db.read(), app.app.clock.now()).await.unwrap();
    assert_eq!(resting.len(), 1);
    assert_eq!((resting[0].name.as_str(), resting[0].refusals), ("one", 1));
    assert!(resting[0].answer.starts_with("421 4.3.2 host is busy"), "{}", resting[0].answer);
    app.finish().await;
}

async fn a_server_that_is_not_there_costs_no_message_an_attempt(backend: Backend) {
    let two = MailHost::start(|_| None).await;
    let servers =
        vec![server("gone", &format!("smtp://127.0.0.1:{}", free_port())), server("two", &two.url())];
    let app = app_with(backend, servers, |_| {}).await;
    let push = push_to(&app, "gmail.com", 60).await;
    app.work().await;
    assert_told_once(&[&two], 60);
    assert!(app.deliveries(push).await.iter().all(|row| row.attempts == 1));
    app.finish().await;
}

async fn a_server_that_comes_back_is_used_again(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, vec![server("one", &host.url())], |_| {}).await;
    host.sulk(true);
    let (daily, owner) = app.account("daily").await;
    let push = push_of(&app, daily.id, "example.org", 30).await;
    app.work().await;
    let tried =
        |rows: &[xiangxun::db::entities::delivery::Model]| rows.iter().filter(|row| row.attempts > 0).count();
    let rows = app.deliveries(push).await;
    let first = tried(&rows);
    assert!(first > 0 && first <= 2 * 8, "only those under way were tried: {first}");
    // The outlet sees why nothing goes out.
    app.sign_in(owner.id).await;
    let page = app.get(&format!("/studio/@{}/pushes/{push}", daily.handle)).await.assert_status(200).text();
    assert!(page.contains("邮件服务器现在不接收邮件") && page.contains("host is busy"), "{page}");
    // Nothing is asked of it before its rest is over, and the rest of an unkind one doubles.
    app.app.clock.advance(Duration::from_secs(25));
    app.work().await;
    assert_eq!(tried(&app.deliveries(push).await), first);
    app.app.clock.advance(Duration::from_secs(10));
    app.work().await;
    let now = app.app.clock.now();
    let resting = rests::resting(app.app.db.read(), now).await.unwrap();
    assert_eq!(resting[0].refusals, 2);
    assert!(resting[0].until > now + Duration::from_secs(50));
    host.sulk(false);
    app.app.clock.advance(Duration::from_secs(60 * 60));
    app.work().await;
    assert_told_once(&[&host], 30);
    assert_eq!(app.push_state(push).await, PushState::Sent);
    let rests = rests::resting(app.app.db.read(), now).await.unwrap();
    assert!(rests.is_empty(), "it starts anew");
    app.finish().await;
}

/// The most messages within any stretch of this length, as the server saw them.
fn most_within(taken: &[Taken], span: Duration) -> usize {
    let mut times: Vec<_> = taken.iter().map(|one| one.at).collect();
    times.sort_unstable();
    let count_from = |start: usize| times[start..].iter().take_while(|at| **at - times[start] < span).count();
    (0..times.len()).map(count_from).max().unwrap_or(0)
}

async fn no_window_of_a_servers_cap_is_exceeded_by_one(backend: Backend) {
    let (one, two) = (MailHost::start(|_| None).await, MailHost::start(|_| None).await);
    let servers = vec![
        MailServer { caps: "all=9/1s".into(), ..server("one", &one.url()) },
        MailServer { caps: "gmail=5/1s, all=30/2s".into(), ..server("two", &two.url()) },
    ];
    let app = app_with(backend, servers, |config| config.mail_caps = "gmail=13/1s".into()).await;
    let push = push_to(&app, "gmail.com", 60).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let task = tokio::spawn(sender::run(app.app.clone(), stop.clone()));
    for _ in 0..600 {
        if app.push_state(push).await == PushState::Sent {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    task.await.unwrap();
    assert_told_once(&[&one, &two], 60);
    let second = Duration::from_secs(1);
    // As a rule it is used up, but the cap of all may come first.
    assert!((7..=9).contains(&most_within(&one.taken(), second)));
    assert!((4..=5).contains(&most_within(&two.taken(), second)));
    let both: Vec<Taken> = one.taken().into_iter().chain(two.taken()).collect();
    assert!(most_within(&both, second) <= 13, "together they keep to the cap of all");
    app.finish().await;
}

async fn the_record_of_real_servers_proves_that_no_window_was_exceeded(backend: Backend) {
    let (one, two) = (SmtpSink::start(free_port()), SmtpSink::start(free_port()));
    let servers = vec![
        MailServer { caps: "all=12/1s, qq=4/1s".into(), ..server("one", &one.url()) },
        MailServer { caps: "qq=6/2s".into(), ..server("two", &two.url()) },
    ];
    let app = app_with(backend, servers, |config| config.mail_caps = "gmail=10/1s, all=30/1s".into()).await;
    let (account, _) = app.account("daily").await;
    for number in 0..30 {
        for domain in ["gmail.com", "qq.com", "example.org"] {
            app.subscriber(account.id, &format!("r{number}@{domain}")).await;
        }
    }
    let article = app.published(account.id, "几条路").await;
    let push = app.push(account.id, &[&article]).await;
    xiangxun::jobs::worker::run_due(&app.app).await.unwrap();
    // Two nodes, of which each claims what it can.
    let stop = tokio_util::sync::CancellationToken::new();
    let nodes = [0, 1].map(|_| tokio::spawn(sender::run(app.app.clone(), stop.clone())));
    for _ in 0..1_200 {
        if app.push_state(push).await == PushState::Sent {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    for node in nodes {
        node.await.unwrap();
    }
    let (one, two) = (one.record(), two.record());
    let both: Vec<_> = one.iter().chain(&two).cloned().collect();
    let mut told: Vec<&String> = both.iter().map(|(_, to)| to).collect();
    told.sort();
    told.dedup();
    assert_eq!((told.len(), both.len()), (90, 90), "every reader once");
    let second = Duration::from_secs(1);
    assert!(most_recorded(&one, second, "") <= 12);
    assert!(most_recorded(&one, second, "@qq.com") <= 4);
    assert!(most_recorded(&two, 2 * second, "@qq.com") <= 6);
    assert!(most_recorded(&both, second, "@gmail.com") <= 10);
    assert!(most_recorded(&both, second, "") <= 30);
    println!("{backend:?}: one {}, two {} messages", one.len(), two.len());
    app.finish().await;
}

/// The most messages of a kind within any stretch of this length, less what a file's time may be off by.
fn most_recorded(record: &[(std::time::SystemTime, String)], span: Duration, domain: &str) -> usize {
    let mut times: Vec<_> = record.iter().filter(|(_, to)| to.ends_with(domain)).map(|(at, _)| *at).collect();
    times.sort();
    let span = span - Duration::from_millis(5);
    let since = |at: std::time::SystemTime, start: usize| at.duration_since(times[start]).unwrap_or_default();
    let count_from = |start: usize| times[start..].iter().take_while(|at| since(**at, start) < span).count();
    (0..times.len()).map(count_from).max().unwrap_or(0)
}

async fn a_servers_cap_holds_over_a_restart_and_spills_to_the_next_rank(backend: Backend) {
    let (one, two) = (MailHost::start(|_| None).await, MailHost::start(|_| None).await);
    let servers = vec![
        MailServer { caps: "all=10/1h".into(), ..server("one", &one.url()) },
        MailServer { rank: 2, caps: "all=15/1h".into(), ..server("two", &two.url()) },
    ];
    let app = app_with(backend, servers, |_| {}).await;
    push_to(&app, "example.org", 40).await;
    app.work().await;
    let counts = || (one.taken().len(), two.taken().len());
    assert_eq!(counts(), (10, 15));
    let config = app.app.config.clone();
    let mailer = xiangxun::mail::Mailer::from_config(&config).unwrap();
    let again = xiangxun::app::App::open_with(config, mailer, app.app.clock.clone()).await.unwrap();
    sender::send_due(&again).await.unwrap();
    app.app.clock.advance(Duration::from_secs(3_590));
    sender::send_due(&again).await.unwrap();
    assert_eq!(counts(), (10, 15), "a node started anew knows it from the database");
    app.app.clock.advance(Duration::from_secs(20));
    sender::send_due(&again).await.unwrap();
    assert_eq!(counts(), (20, 20));
    assert_told_once(&[&one, &two], 40);
    again.db.clone().close().await.unwrap();
    app.finish().await;
}

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// Tomorrow, as settings write it.
fn tomorrow() -> String {
    let tomorrow = xiangxun::clock::Clock::default().now().0 + DAY;
    chrono::DateTime::from_timestamp_millis(tomorrow).unwrap().format("%Y-%m-%d").to_string()
}

/// Lets it be noon of [`tomorrow`].
fn wait_for_noon(app: &TestApp) {
    let now = app.app.clock.now().0;
    let noon = (now / DAY + 1) * DAY + DAY / 2;
    app.app.clock.advance(Duration::from_millis((noon - now).unsigned_abs()));
}

async fn a_new_server_is_warmed_up_day_by_day(backend: Backend) {
    let (new, known) = (MailHost::start(|_| None).await, MailHost::start(|_| None).await);
    let first_day = tomorrow();
    let servers = vec![
        MailServer { warm_up: format!("{first_day}: 5, 12"), ..server("new", &new.url()) },
        MailServer { rank: 2, caps: "all=1/1d".into(), ..server("known", &known.url()) },
    ];
    let app = app_with(backend, servers, |_| {}).await;
    wait_for_noon(&app);
    push_to(&app, "example.org", 60).await;
    app.work().await;
    assert_eq!((new.taken().len(), known.taken().len()), (5, 1));
    // The window slides: what was sent yesterday at this hour has just made room again.
    app.app.clock.advance(Duration::from_secs(24 * 60 * 60 + 100));
    app.work().await;
    assert_eq!(new.taken().len(), 17);
    app.app.clock.advance(Duration::from_secs(24 * 60 * 60 + 100));
    app.work().await;
    assert_eq!(new.taken().len() + known.taken().len(), 60, "the ramp is over");
    app.finish().await;
}

async fn a_new_domain_is_warmed_up_over_all_servers(backend: Backend) {
    let (one, two) = (MailHost::start(|_| None).await, MailHost::start(|_| None).await);
    let first_day = tomorrow();
    let servers = vec![server("one", &one.url()), server("two", &two.url())];
    let app = app_with(backend, servers, |config| config.mail_warm_up = format!("{first_day}: 8")).await;
    wait_for_noon(&app);
    push_to(&app, "example.org", 20).await;
    app.work().await;
    assert_eq!((one.taken().len(), two.taken().len()), (4, 4));
    app.app.clock.advance(Duration::from_secs(24 * 60 * 60 + 100));
    app.work().await;
    assert_told_once(&[&one, &two], 20);
    app.finish().await;
}

async fn a_letter_goes_by_the_next_server_when_the_first_takes_none(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let servers = vec![
        server("gone", &format!("smtp://127.0.0.1:{}", free_port())),
        MailServer { rank: 2, ..server("two", &host.url()) },
    ];
    let app = app_with(backend, servers, |_| {}).await;
    let letter = xiangxun::mail::Letter {
        to: "reader@example.org".into(),
        subject: "登录".into(),
        ..Default::default()
    };
    xiangxun::delivery::letter::send(&app.app, &letter).await.unwrap();
    assert_eq!(host.taken().len(), 1);
    app.finish().await;
}

async fn an_account_with_servers_of_its_own_sends_by_them_alone(backend: Backend) {
    let (shared, own, spare) =
        (MailHost::start(|_| None).await, MailHost::start(|_| None).await, MailHost::start(|_| None).await);
    let of_metro = |name: &str, host: &MailHost| MailServer {
        accounts: vec!["metro".into()],
        ..server(name, &host.url())
    };
    let servers = vec![
        server("shared", &shared.url()),
        of_metro("own", &own),
        MailServer { rank: 2, ..of_metro("spare", &spare) },
    ];
    let app = app_with(backend, servers, |_| {}).await;
    let counts = || (shared.taken().len(), own.taken().len(), spare.taken().len());
    let (metro, _) = app.account("metro").await;
    let (daily, _) = app.account("daily").await;
    push_of(&app, metro.id, "example.org", 30).await;
    push_of(&app, daily.id, "example.net", 20).await;
    app.work().await;
    assert_eq!(counts(), (20, 30, 0));
    // Both of its own take nothing: its mail waits, and that of others goes on.
    own.sulk(true);
    spare.sulk(true);
    let waiting = push_of(&app, metro.id, "example.org", 0).await;
    let other = push_of(&app, daily.id, "example.net", 0).await;
    app.work().await;
    assert_eq!(counts(), (40, 30, 0));
    assert_eq!(
        (app.push_state(other).await, app.push_state(waiting).await),
        (PushState::Sent, PushState::Sending)
    );
    assert!(app.deliveries(waiting).await.iter().all(|row| row.state == DeliveryState::Waiting));
    let now = app.app.clock.now();
    assert!(rests::of_push(&app.app, waiting, now).await.unwrap().is_some());
    assert!(rests::of_push(&app.app, other, now).await.unwrap().is_none(), "a server of all goes on");
    spare.sulk(false);
    app.app.clock.advance(Duration::from_secs(60 * 60));
    own.sulk(false);
    app.work().await;
    assert_eq!(app.push_state(waiting).await, PushState::Sent);
    assert_eq!((counts().0, counts().1 + counts().2), (40, 60));
    // Letters of the site do not go by an account's servers.
    shared.sulk(true);
    let letter = xiangxun::mail::Letter {
        to: "reader@example.org".into(),
        subject: "登录".into(),
        ..Default::default()
    };
    assert!(xiangxun::delivery::letter::send(&app.app, &letter).await.is_err());
    assert_eq!(counts().1 + counts().2, 60);
    app.finish().await;
}

async fn a_renamed_account_keeps_its_servers(backend: Backend) {
    let (shared, own) = (MailHost::start(|_| None).await, MailHost::start(|_| None).await);
    let servers = vec![
        server("shared", &shared.url()),
        MailServer { accounts: vec!["metro".into()], ..server("own", &own.url()) },
    ];
    let app = app_with(backend, servers, |_| {}).await;
    let (account, owner) = app.account("metro").await;
    app.subscriber(account.id, "reader@example.org").await;
    xiangxun::accounts::rename(&app.app, owner.id, account.id, "metro-news").await.unwrap();
    let article = app.published(account.id, "新名字").await;
    app.push(account.id, &[&article]).await;
    app.work().await;
    assert_eq!((shared.taken().len(), own.taken().len()), (0, 1));
    app.finish().await;
}
