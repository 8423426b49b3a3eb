//! Whose mailboxes are behind a domain: learned from its MX records.

use std::time::Duration;

use xiangxun::clock::Timestamp;
use xiangxun::db::entities::delivery::{DeliveryState, Provider};
use xiangxun::delivery::domains;

use crate::on_both_databases;
use crate::support::mail_host::MailHost;
use crate::support::name_server::NameServer;
use crate::support::{Backend, TestApp};

on_both_databases! {
    a_companys_own_domain_counts_for_the_provider_that_hosts_it
    an_answer_is_kept_for_a_month_and_its_absence_for_an_hour
    a_push_does_not_wait_for_name_servers_that_say_nothing
}

async fn app_with(
    backend: Backend,
    server: &NameServer,
    change: impl FnOnce(&mut xiangxun::config::Config),
) -> TestApp {
    let address = server.address.to_string();
    TestApp::start_with(backend, |config| {
        config.name_server = address;
        config.mail_from = "乡讯 <news@xiangxun.test>".into();
        change(config);
    })
    .await
}

async fn push_to(app: &TestApp, emails: &[&str]) -> i64 {
    let (account, _) = app.account("daily").await;
    for email in emails {
        app.subscriber(account.id, email).await;
    }
    let article = app.published(account.id, "几家邮箱").await;
    app.push(account.id, &[&article]).await
}

async fn a_companys_own_domain_counts_for_the_provider_that_hosts_it(backend: Backend) {
    let names = NameServer::start().await;
    names.mx("company.example", 10, "alt1.aspmx.l.google.com").mx("company.example", 1, "aspmx.l.google.com");
    names.mx("outlet.example", 5, "mxbiz1.qq.com").mx("own.example", 10, "mail.own.example");
    names.fail("silent.example");
    let host = MailHost::start(|_| None).await;
    let url = host.url();
    let app = app_with(backend, &names, |config| {
        config.smtp_url = url;
        config.mail_caps = "gmail=2/1h".into();
    })
    .await;
    let emails = [
        "a@company.example",
        "b@company.example",
        "c@gmail.com",
        "d@outlet.example",
        "e@own.example",
        "f@silent.example",
        "g@nowhere.example",
    ];
    let push = push_to(&app, &emails).await;
    app.work().await;
    let rows = app.deliveries(push).await;
    let providers: Vec<Provider> = rows.iter().map(|row| row.provider).collect();
    use Provider::{Gmail, Other, Qq};
    assert_eq!(providers, [Gmail, Gmail, Gmail, Qq, Other, Other, Other]);
    let gmail = rows.iter().filter(|row| row.provider == Gmail && row.state == DeliveryState::Delivered);
    assert_eq!(gmail.count(), 2, "the cap is of all mailboxes that Google keeps");
    assert_eq!(names.asked("gmail.com"), 0, "what is known from the start is not looked up");
    assert_eq!(names.asked("company.example"), 1);
    app.finish().await;
}

/// How far off the next look-up is.
async fn asks_in(app: &TestApp, domain: &str) -> (Provider, Duration) {
    let (provider, ask_at) = domains::known(&app.app, domain).await.unwrap().expect("it was looked up");
    let Timestamp(left) = ask_at.expect("it was learned");
    (provider, Duration::from_millis((left - app.app.clock.now().0).unsigned_abs()))
}

async fn an_answer_is_kept_for_a_month_and_its_absence_for_an_hour(backend: Backend) {
    let names = NameServer::start().await;
    names.mx("company.example", 1, "aspmx.l.google.com").fail("silent.example");
    let app = app_with(backend, &names, |_| {}).await;
    push_to(&app, &["a@company.example", "b@silent.example"]).await;
    app.work().await;
    let day = Duration::from_secs(24 * 60 * 60);
    let (provider, left) = asks_in(&app, "company.example").await;
    assert!(provider == Provider::Gmail && left > 29 * day && left <= 30 * day, "{left:?}");
    let (provider, left) = asks_in(&app, "silent.example").await;
    assert!(provider == Provider::Other && left <= day / 24, "{left:?}");
    // It answers again; the company has moved, and nobody knows it yet.
    names.forget("silent.example").mx("silent.example", 1, "silent-example.mail.protection.outlook.com");
    names.forget("company.example").mx("company.example", 1, "company-example.mail.protection.outlook.com");
    app.app.clock.advance(day / 12);
    domains::learn_again(&app.app).await.unwrap();
    assert_eq!(asks_in(&app, "silent.example").await.0, Provider::Outlook);
    assert_eq!(asks_in(&app, "company.example").await.0, Provider::Gmail);
    app.app.clock.advance(30 * day);
    names.forget("silent.example").fail("silent.example");
    domains::learn_again(&app.app).await.unwrap();
    assert_eq!(asks_in(&app, "company.example").await.0, Provider::Outlook);
    assert_eq!(asks_in(&app, "silent.example").await.0, Provider::Outlook, "what was known stays");
    app.finish().await;
}

async fn a_push_does_not_wait_for_name_servers_that_say_nothing(backend: Backend) {
    // Bound, and never answered.
    let deaf = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = deaf.local_addr().unwrap().to_string();
    let app = TestApp::start_with(backend, |config| config.name_server = address).await;
    let emails: Vec<String> = (0..60).map(|number| format!("r@d{number}.example")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    let push = push_to(&app, &emails).await;
    let began = std::time::Instant::now();
    app.work().await;
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    assert!(app.deliveries(push).await.iter().all(|row| row.state == DeliveryState::Delivered));
    app.finish().await;
}
