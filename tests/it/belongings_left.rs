//! What still comes when somebody has left: word of mail servers, links of old mails, work that was under way.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use xiangxun::belongings::leaving;
use xiangxun::bounces::{self, About, Word};
use xiangxun::db::entities::alert::AlertCadence;
use xiangxun::db::entities::bounce::{self, BounceKind};
use xiangxun::db::entities::delivery::{self, DeliveryState};
use xiangxun::db::entities::subscription::SubscriptionState;
use xiangxun::db::entities::user::{self, UserState};
use xiangxun::db::entities::{job, reader, webhook_message};
use xiangxun::delivery::channel::Attempt;
use xiangxun::delivery::ledger::{self, Tried};
use xiangxun::delivery::sender;
use xiangxun::jobs::{self, Job, Outcome};

use crate::support::belongings::{
    EMAIL, ID, SETTLED, holds, is_nowhere, leave, leave_for_good, person, run, wait_for_everything,
};
use crate::support::mail_host::behind_slow_server;
use crate::support::receiver::Receiver;
use crate::support::{Backend, TestApp};
use crate::{both_databases, on_both_databases};

async fn deliveries_of_alerts(app: &TestApp) -> Vec<delivery::Model> {
    let rows = delivery::Entity::find().filter(delivery::Column::AlertId.is_not_null());
    rows.all(app.app.db.read()).await.unwrap()
}

both_databases! {
    async fn word_that_comes_back_late_brings_no_address_with_it(app) {
        let (account, _) = app.account("paper").await;
        let article = app.published(account.id, "签证新规").await;
        person(app).await;
        app.post("/@paper/subscribe", &[]).await;
        let push = app.push(account.id, &[&article]).await;
        app.work().await;
        app.take_letters();
        let row = app.deliveries(push).await.remove(0);
        assert_eq!(row.state, DeliveryState::Delivered);
        let word = Word { kind: BounceKind::Hard, words: format!("550 5.1.1 <{EMAIL}>: unknown") };
        // This one came in time, and its job is late.
        assert!(bounces::take(&app.app, &About::Delivery(row.id), &word).await.unwrap());
        run(app, "UPDATE bounces SET email = 'kept apart'").await;
        let bounce = bounce::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        run(app, &format!("UPDATE jobs SET run_at = {}", app.app.clock.now().0 + 1_000_000)).await;
        leave_for_good(app).await;
        run(app, &format!("UPDATE bounces SET email = '{EMAIL}'")).await;
        assert_eq!(bounces::heed(&app.app, bounce.id).await.unwrap(), Outcome::Done);
        run(app, "DELETE FROM bounces").await;
        // These come after it, by our return path and from a mailing service.
        assert!(!bounces::take(&app.app, &About::Delivery(row.id), &word).await.unwrap());
        let about = About::Address { email: EMAIL.into(), number: "mg-1".into() };
        assert!(!bounces::take(&app.app, &about, &word).await.unwrap());
        app.app.clock.advance(Duration::from_secs(2_000));
        app.work().await;
        is_nowhere(app).await;
        assert_eq!(app.deliveries(push).await[0].state, DeliveryState::Delivered);
    }

    async fn the_links_of_old_mails_bring_nobody_back(app) {
        let (account, owner) = app.account("paper").await;
        let article = app.published(account.id, "签证新规").await;
        person(app).await;
        app.post("/@paper/subscribe", &[]).await;
        let push = app.push(account.id, &[&article]).await;
        app.work().await;
        let letter = app.take_letters().remove(0);
        let at = letter.text.find("/s/").unwrap();
        let path = letter.text[at..].split_whitespace().next().unwrap();
        let path = format!("/s/{}", path.trim_start_matches("/s/").split('/').next().unwrap());
        app.get(&path).await.assert_status(200);
        leave_for_good(app).await;
        app.take_letters();
        app.get(&path).await.assert_status(410);
        app.get(&format!("{path}/leave")).await.assert_status(410);
        for (change, fields) in [("rejoin", vec![]), ("resume", vec![]), ("cadence", vec![("cadence", "daily")]),
            ("hours", vec![("timezone", "Europe/Rome"), ("digest_hour", "7"), ("digest_weekday", "1"), ("cadence", "daily")])] {
            app.post(&format!("{path}/{change}"), &fields).await.assert_status(410);
        }
        // A mail program that unsubscribes is told that nothing will come.
        let answer = app.post(&format!("{path}/leave"), &[]).await.assert_status(200).text();
        assert!(answer.contains("今后不会再有邮件寄来"), "{answer}");
        let row = app.subscription(app.deliveries(push).await[0].subscription_id.unwrap()).await;
        assert_eq!((row.state, row.user_id), (SubscriptionState::Ended, None));
        assert!(row.is_nobodys());
        assert_eq!(reader::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        // Who may see addresses sees that there is none.
        app.sign_in(owner.id).await;
        let log = app.get(&format!("/studio/@paper/pushes/{push}")).await.assert_status(200).text();
        assert!(log.contains("<td><div>–</div></td>") && !log.contains(&row.email), "{log}");
    }

    async fn what_a_sender_has_in_its_hands_does_not_note_the_address_afterwards(app) {
        let (account, _) = app.account("paper").await;
        let article = app.published(account.id, "签证新规").await;
        person(app).await;
        app.post("/@paper/subscribe", &[]).await;
        wait_for_everything(app, app.push(account.id, &[&article]).await, article.id, "https://push.example").await;
        run(app, "UPDATE deliveries SET lease_owner = 'elsewhere', attempts = 1 WHERE alert_id IS NOT NULL").await;
        let row = deliveries_of_alerts(app).await.remove(0);
        app.allow_unfinished_jobs();
        leave_for_good(app).await;
        let attempt = Attempt::Unreachable { email: EMAIL.into(), words: format!("550 <{EMAIL}>") };
        let tried = Tried { row, attempt, holder: "elsewhere".into(), server: 0 };
        ledger::settle(&app.app, "elsewhere", &[tried]).await.unwrap();
        is_nowhere(app).await;
    }

    async fn a_message_in_a_senders_hands_is_waited_for(app) {
        let (account, _) = app.account("paper").await;
        let article = app.published(account.id, "签证新规").await;
        let person = person(app).await;
        app.post("/@paper/subscribe", &[]).await;
        let push = app.push(account.id, &[&article]).await;
        jobs::worker::run_due(&app.app).await.unwrap();
        let until = app.app.clock.now().0 + 60_000;
        run(app, &format!("UPDATE deliveries SET lease_until = {until}, lease_owner = 'elsewhere'")).await;
        leave(app).await;
        app.app.clock.advance(SETTLED);
        jobs::worker::run_due(&app.app).await.unwrap();
        assert!(user::Entity::find_by_id(person.id).one(app.app.db.read()).await.unwrap().is_some());
        run(app, &format!("UPDATE deliveries SET lease_until = NULL, lease_owner = NULL, answer = '451 <{EMAIL}>'")).await;
        app.app.clock.advance(SETTLED);
        app.work().await;
        assert!(user::Entity::find_by_id(person.id).one(app.app.db.read()).await.unwrap().is_none());
        let left = &app.deliveries(push).await[0];
        assert!(!left.answer.as_deref().unwrap_or_default().contains(EMAIL), "{left:?}");
        assert_eq!(left.state, DeliveryState::Suppressed);
    }

    async fn jobs_name_somebody_who_leaves_no_more_and_others_as_before(app) {
        let person = person(app).await;
        let now = app.app.clock.now();
        app.post("/settings/leave/link", &[]).await.assert_status(303);
        jobs::queue::enqueue(app.app.db.write(), now, Job::VerifyCallback { request_id: 1 }, now).await.unwrap();
        jobs::queue::enqueue(app.app.db.write(), now, Job::VerifyCallback { request_id: 2 }, now).await.unwrap();
        let others = format!("550 <wang.{EMAIL}> and {EMAIL}.tw");
        run(app, &format!("UPDATE jobs SET state = 'dead', last_error = '451 {EMAIL}.' WHERE kind = 'send_leaving_link'")).await;
        run(app, &format!("UPDATE jobs SET state = 'dead', last_error = '{others}' WHERE unique_key = 'verify_callback:1'")).await;
        run(app, &format!("UPDATE jobs SET state = 'dead', last_error = 'to={EMAIL}: 550' WHERE unique_key = 'verify_callback:2'")).await;
        assert_eq!(person.state, UserState::Active);
        leave_for_good(app).await;
        let left = job::Entity::find().all(app.app.db.read()).await.unwrap();
        let errors: BTreeSet<Option<String>> = left.into_iter().map(|job| job.last_error).collect();
        assert_eq!(errors, BTreeSet::from([None, Some(others)]));
    }
}

on_both_databases! {
    a_mail_of_an_alert_that_waited_for_its_turn_is_looked_at_again
    the_webhooks_of_an_account_are_told_that_a_subscription_was_cancelled
}

async fn a_mail_of_an_alert_that_waited_for_its_turn_is_looked_at_again(backend: Backend) {
    let (may_answer, waits) = std::sync::mpsc::channel::<()>();
    let waits = Mutex::new(waits);
    let (host, app) = behind_slow_server(backend, move || waits.lock().unwrap().recv().unwrap_or(())).await;
    let (account, owner) = app.account("daily").await;
    for address in ["reader1@example.net", "reader2@example.net"] {
        let reader = app.user(address).await;
        app.alert(&reader, "台风", AlertCadence::Instant).await;
    }
    app.news(&account, &owner, "台风登陆", "来了").await;
    jobs::worker::run_due(&app.app).await.unwrap();
    let sending = tokio::spawn({
        let app = app.app.clone();
        async move { sender::send_due(&app).await }
    });
    while host.asked().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    run(&app, "UPDATE users SET state = 'leaving' WHERE email LIKE 'reader%'").await;
    tokio::time::sleep(sender::FRESH).await;
    drop(may_answer);
    sending.await.unwrap().unwrap();
    assert_eq!(host.taken().len(), 1, "the first was on its way already");
    let mut told: Vec<_> = app.told().await.into_iter().map(|row| (row.state, row.answer)).collect();
    told.sort();
    assert_eq!(told[1], (DeliveryState::Suppressed, Some("the reader has left".to_owned())), "{told:?}");
    app.finish().await;
}

async fn the_webhooks_of_an_account_are_told_that_a_subscription_was_cancelled(backend: Backend) {
    let app = TestApp::start_with(backend, |config| config.fetch_allow_private = true).await;
    let (account, owner) = app.account("times").await;
    let receiver = Receiver::start().await;
    app.sign_in(owner.id).await;
    let url = format!("{}/hook", receiver.address);
    let fields =
        [("form", "ntfy"), ("url", url.as_str()), ("target", "daily"), ("kinds", "subscription.cancelled")];
    app.post("/studio/@times/webhooks", &fields).await.assert_status(303);
    person(&app).await;
    // No push was ever sent to it, so its row goes at once.
    app.subscriber(account.id, EMAIL).await;
    leave(&app).await;
    // The job that deletes comes before the message is written.
    let Outcome::Again { .. } = leaving::run(&app.app, ID, app.app.clock.now()).await.unwrap() else {
        panic!("it is over")
    };
    assert_eq!(holds(&app, "subscriptions", "email", EMAIL).await, 1);
    app.work().await;
    assert_eq!(receiver.take().len(), 1);
    app.app.clock.advance(SETTLED);
    app.work().await;
    is_nowhere(&app).await;
    assert!(receiver.take().is_empty());

    // One that is never written holds nobody for ever.
    person(&app).await;
    app.subscriber(account.id, EMAIL).await;
    leave(&app).await;
    run(&app, "DELETE FROM jobs WHERE kind = 'send_webhook'").await;
    app.app.clock.advance(SETTLED);
    app.work().await;
    assert_eq!(holds(&app, "users", "email", EMAIL).await, 1);
    app.app.clock.advance(Duration::from_secs(10 * 60));
    app.work().await;
    is_nowhere(&app).await;
    assert_eq!(webhook_message::Entity::find().count(app.app.db.read()).await.unwrap(), 2);
    app.finish().await;
}
