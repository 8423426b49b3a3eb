//! Soft bounces: when an address that is merely full, or slow, is not written to any more.

use std::time::Duration;

use sea_orm::{EntityTrait, QueryOrder};
use xiangxun::bounces::{self, About, Word};
use xiangxun::db::entities::bounce::BounceKind;
use xiangxun::db::entities::delivery::{self, DeliveryState};
use xiangxun::db::entities::subscription::Cadence;

use crate::bounces::{app_with, push};
use crate::on_both_databases;
use crate::support::mail_host::MailHost;
use crate::support::{Backend, TestApp};

on_both_databases! {
    an_address_that_bounces_softly_three_times_in_a_week_is_left_alone
    a_delivery_between_soft_bounces_begins_the_count_anew
    a_digest_that_arrived_between_soft_bounces_begins_the_count_anew
    a_mailbox_that_is_full_while_we_talk_to_its_server_bounces_softly_too
}

/// Three pushes a day apart, and what came back of each.
async fn three_pushes(app: &TestApp, account: i64, bounced: [bool; 4]) {
    for bounces in bounced {
        let push = push(app, account).await;
        let row = app.deliveries(push).await.remove(0);
        if row.state == DeliveryState::Suppressed {
            return;
        }
        if bounces {
            let word = Word { kind: BounceKind::Soft, words: "452 4.2.2 mailbox full".into() };
            assert!(bounces::take(&app.app, &About::Delivery(row.id), &word).await.unwrap());
        }
        app.work().await;
        app.app.clock.advance(Duration::from_secs(24 * 60 * 60));
    }
}

async fn an_address_that_bounces_softly_three_times_in_a_week_is_left_alone(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, &host).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "full@example.net").await;
    three_pushes(&app, account.id, [true, true, true, false]).await;
    assert_eq!(host.taken().len(), 3, "the fourth is not sent");
    assert_eq!(app.suppressed("full@example.net").await.as_deref(), Some("bounced: 452 4.2.2 mailbox full"));
    // Bounces of different weeks do not add up.
    let (weekly, _) = app.account("weekly").await;
    app.subscriber(weekly.id, "slow@example.net").await;
    three_pushes(&app, weekly.id, [true, true, false, false]).await;
    app.app.clock.advance(Duration::from_secs(5 * 24 * 60 * 60));
    three_pushes(&app, weekly.id, [true, false, false, false]).await;
    assert_eq!(app.suppressed("slow@example.net").await, None);
    app.finish().await;
}

async fn a_delivery_between_soft_bounces_begins_the_count_anew(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, &host).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "moody@example.net").await;
    three_pushes(&app, account.id, [true, false, true, true]).await;
    assert_eq!(app.suppressed("moody@example.net").await, None);
    three_pushes(&app, account.id, [true, false, false, false]).await;
    assert!(app.suppressed("moody@example.net").await.is_some(), "three in a row");
    app.finish().await;
}

async fn a_digest_that_arrived_between_soft_bounces_begins_the_count_anew(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, &host).await;
    let (account, owner) = app.account("daily").await;
    app.follower(account.id, "full@example.net", Cadence::Daily).await;
    for (number, is_full) in [true, false, true, true].into_iter().enumerate() {
        app.news(&account, &owner, &format!("第{number}天"), "内容").await;
        app.morning().await;
        if is_full {
            bounce_last(&app).await;
        }
    }
    assert_eq!(app.suppressed("full@example.net").await, None, "one arrived between them");
    app.news(&account, &owner, "又一天", "内容").await;
    app.morning().await;
    bounce_last(&app).await;
    assert!(app.suppressed("full@example.net").await.is_some(), "three in a row");
    app.finish().await;
}

/// Word comes back that the mailbox of the newest message is full.
async fn bounce_last(app: &TestApp) {
    let newest = delivery::Entity::find().order_by_desc(delivery::COLUMN.id).one(app.app.db.read());
    let row = newest.await.unwrap().unwrap();
    let word = Word { kind: BounceKind::Soft, words: "452 4.2.2 mailbox full".into() };
    assert!(bounces::take(&app.app, &About::Delivery(row.id), &word).await.unwrap());
    app.work().await;
}

async fn a_mailbox_that_is_full_while_we_talk_to_its_server_bounces_softly_too(backend: Backend) {
    let host = MailHost::start(|to| match to {
        "full@example.net" => Some("552 5.2.2 mailbox full"),
        "spam@example.net" => Some("554 5.7.1 looks like spam"),
        _ => None,
    })
    .await;
    let app = app_with(backend, &host).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "full@example.net").await;
    app.subscriber(account.id, "spam@example.net").await;
    for _ in 0..2 {
        push(&app, account.id).await;
        app.app.clock.advance(Duration::from_secs(60 * 60));
    }
    assert_eq!(app.suppressed("full@example.net").await, None);
    let third = push(&app, account.id).await;
    // The job that heeds it.
    app.work().await;
    assert_eq!(app.suppressed("full@example.net").await.as_deref(), Some("bounced: 552 5.2.2 mailbox full"));
    assert!(app.deliveries(third).await.iter().all(|row| row.state == DeliveryState::Failed));
    // What one server thinks of a letter is no word of the mailbox.
    assert_eq!(app.suppressed("spam@example.net").await, None);
    app.finish().await;
}
