//! A push's ledger: its counts, stopping and going on, sending again, the log.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, Statement,
};
use xiangxun::db::entities::delivery::{self, DeliveryState, Provider};
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::push::PushState;
use xiangxun::db::entities::subscription::{Cadence, SubscriptionState};
use xiangxun::delivery::channel::Attempt;
use xiangxun::delivery::ledger::{self, Tried};
use xiangxun::delivery::tally::{self, Tally};
use xiangxun::jobs;
use xiangxun::pushes::steer::{self, Helm};
use xiangxun::subscriptions::{self, Change};

use crate::both_databases;
use crate::support::TestApp;

type Counts = BTreeMap<(String, String, String), i64>;

/// The tallies of a push equal its rows, by channel, provider and state.
async fn assert_counts(app: &TestApp, push: i64) {
    let mut tallied = Counts::new();
    for row in tally::of_pushes(app.app.db.read(), &[push]).await.unwrap() {
        for (state, count) in [
            ("waiting", row.waiting),
            ("held", row.held),
            ("delivered", row.delivered),
            ("failed", row.failed),
            ("suppressed", row.suppressed),
        ] {
            assert!(count >= 0, "{row:?}");
            if count > 0 {
                tallied.insert((row.channel.to_string(), row.provider.to_string(), state.into()), count);
            }
        }
    }
    let db = app.app.db.read();
    let query = format!(
        "SELECT channel, provider, state, COUNT(*) AS count FROM deliveries WHERE push_id = {push} \
         GROUP BY channel, provider, state"
    );
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), query)).await.unwrap();
    let text = |row: &sea_orm::QueryResult, name: &str| row.try_get::<String>("", name).unwrap();
    let counted: Counts = rows
        .iter()
        .map(|row| {
            (
                (text(row, "channel"), text(row, "provider"), text(row, "state")),
                row.try_get("", "count").unwrap(),
            )
        })
        .collect();
    assert_eq!(tallied, counted);
}

async fn tally_of(app: &TestApp, push: i64) -> Tally {
    let rows = tally::of_pushes(app.app.db.read(), &[push]).await.unwrap();
    rows.iter().fold(Tally::default(), |sum, row| sum.plus(Tally::from(row)))
}

async fn readers(app: &TestApp, account: i64, count: usize) {
    for number in 0..count {
        let domain = ["gmail.com", "qq.com", "163.com", "hotmail.com", "yahoo.ca", "example.org"][number % 6];
        app.subscriber(account, &format!("r{number}@{domain}")).await;
    }
}

/// Lets some deliveries end in each way there is.
async fn settle_some(app: &TestApp, count: u64) {
    let claim = ledger::claim(&app.app, "some", app.app.clock.now(), count, 0).await.unwrap();
    let holder: std::sync::Arc<str> = claim.holder.into();
    let outcome = |(number, row): (usize, delivery::Model)| {
        let attempt = match number % 6 {
            0 => Attempt::Delivered("250 ok".into()),
            1 => Attempt::Later("451 4.2.2 later".into()),
            2 => Attempt::Failed("554 no".into()),
            3 => Attempt::Unreachable {
                email: format!("gone{}@example.net", row.id),
                words: "550 5.1.1 who?".into(),
            },
            4 => Attempt::Suppressed("the reader has left".into()),
            _ => Attempt::NotMade,
        };
        Tried { row, attempt, holder: holder.clone(), server: 0 }
    };
    let tried: Vec<Tried> = claim.rows.into_iter().enumerate().map(outcome).collect();
    ledger::settle(&app.app, "some", &tried).await.unwrap();
    // Written back twice is written back once.
    ledger::settle(&app.app, "some", &tried).await.unwrap();
}

both_databases! {
    async fn counts_equal_the_ledger_whatever_happens(app) {
        let (account, owner) = app.account("daily").await;
        readers(app, account.id, 60).await;
        xiangxun::delivery::suppress(app.app.db.write(), app.app.clock.now(), "r0@gmail.com", "550 gone").await.unwrap();
        let article = app.published(account.id, "账目").await;
        let push = app.push(account.id, &[&article]).await;
        let helm = Helm { user_id: owner.id, account_id: account.id, push_id: push };
        jobs::worker::run_due(&app.app).await.unwrap();
        assert_counts(app, push).await;
        assert_eq!(tally_of(app, push).await, Tally { waiting: 59, suppressed: 1, ..Tally::default() });
        settle_some(app, 24).await;
        assert_counts(app, push).await;
        assert!(tally_of(app, push).await.failed == 8);
        steer::stop(&app.app, helm).await.unwrap();
        jobs::worker::run_due(&app.app).await.unwrap();
        assert_counts(app, push).await;
        assert_eq!(tally_of(app, push).await.waiting, 0);
        steer::send_again(&app.app, helm).await.unwrap();
        jobs::worker::run_due(&app.app).await.unwrap();
        assert_counts(app, push).await;
        assert_eq!(tally_of(app, push).await.failed, 0);
        steer::resume(&app.app, helm).await.unwrap();
        jobs::worker::run_due(&app.app).await.unwrap();
        assert_counts(app, push).await;
        settle_some(app, 24).await;
        assert_counts(app, push).await;
        app.app.clock.advance(std::time::Duration::from_secs(120));
        app.work().await;
        assert_counts(app, push).await;
        assert_eq!(app.push_state(push).await, PushState::Sent);
        assert_eq!(tally_of(app, push).await.total(), 60);
        // Failed ones of a finished push open it again.
        steer::send_again(&app.app, helm).await.unwrap();
        jobs::worker::run_due(&app.app).await.unwrap();
        assert_eq!(app.push_state(push).await, PushState::Sending);
        app.work().await;
        assert_counts(app, push).await;
        assert_eq!((tally_of(app, push).await.failed, app.push_state(push).await), (0, PushState::Sent));
        assert!(steer::send_again(&app.app, helm).await.is_err(), "nothing has failed");
        assert!(steer::stop(&app.app, helm).await.is_err(), "everybody has been told");
    }

    async fn a_stopped_push_tells_nobody_until_it_goes_on(app) {
        let (account, owner) = app.account("daily").await;
        readers(app, account.id, 30).await;
        let first = app.published(account.id, "停下").await;
        let push = app.push(account.id, &[&first]).await;
        let helm = Helm { user_id: owner.id, account_id: account.id, push_id: push };
        // Before its rows are written: they are written on hold.
        steer::stop(&app.app, helm).await.unwrap();
        steer::stop(&app.app, helm).await.unwrap();
        app.work().await;
        assert!(app.take_letters().is_empty());
        assert_eq!(tally_of(app, push).await, Tally { held: 30, ..Tally::default() });
        // Others go on.
        let second = app.published(account.id, "照常").await;
        let other = app.push(account.id, &[&second]).await;
        app.work().await;
        assert_eq!(app.take_letters().len(), 30);
        assert_eq!(app.push_state(other).await, PushState::Sent);
        steer::resume(&app.app, helm).await.unwrap();
        // Stopped again before the job ran: the job looks at the push as it is.
        steer::stop(&app.app, helm).await.unwrap();
        app.work().await;
        assert!(app.take_letters().is_empty());
        steer::resume(&app.app, helm).await.unwrap();
        app.work().await;
        assert_eq!(app.take_letters().len(), 30);
        assert_eq!(app.push_state(push).await, PushState::Sent);
        assert_counts(app, push).await;
    }

    async fn who_is_not_told_is_counted_by_reason(app) {
        let (account, owner) = app.account("daily").await;
        for (name, change) in [("muted", Change::Mute), ("paused", Change::Pause), ("left", Change::Leave)] {
            let row = app.subscriber(account.id, &format!("{name}@example.org")).await;
            subscriptions::change(&app.app, row.id, change).await.unwrap();
        }
        for (name, state, cadence) in [
            ("pending", SubscriptionState::Pending, Cadence::Instant),
            ("daily1", SubscriptionState::Active, Cadence::Daily),
            ("daily2", SubscriptionState::Active, Cadence::Daily),
            ("weekly", SubscriptionState::Active, Cadence::Weekly),
        ] {
            let mut row = app.subscriber(account.id, &format!("{name}@example.org")).await.into_active_model();
            (row.state, row.cadence) = (Set(state), Set(cadence));
            row.update(app.app.db.write()).await.unwrap();
        }
        app.subscriber(account.id, "told@example.org").await;
        let article = app.published(account.id, "没收到").await;
        let push = app.push(account.id, &[&article]).await;
        app.work().await;
        app.sign_in(owner.id).await;
        let page = app.get(&format!("/studio/@daily/pushes/{push}")).await.assert_status(200).text();
        for words in ["1 人尚未确认邮箱", "1 人已暂停", "1 人只在时间线上阅读", "2 人每天收一次", "1 人每周收一次"] {
            assert!(page.contains(words), "{words}: {page}");
        }
    }

    async fn a_delivery_knows_the_provider_of_its_address(app) {
        let (account, _) = app.account("daily").await;
        readers(app, account.id, 6).await;
        let article = app.published(account.id, "服务商").await;
        let push = app.push(account.id, &[&article]).await;
        app.work().await;
        let providers: Vec<_> = app.deliveries(push).await.into_iter().map(|row| row.provider).collect();
        use Provider::{Gmail, Netease, Other, Outlook, Qq, Yahoo};
        assert_eq!(providers, [Gmail, Qq, Netease, Outlook, Yahoo, Other]);
    }

    async fn a_push_is_steered_from_its_page_by_those_who_may(app) {
        let (account, owner) = app.account("daily").await;
        readers(app, account.id, 4).await;
        let article = app.published(account.id, "掌舵").await;
        let push = app.push(account.id, &[&article]).await;
        let path = format!("/studio/@daily/pushes/{push}");
        let analyst = app.user("analyst@example.org").await;
        app.member(account.id, analyst.id, Role::Analyst).await;
        app.sign_in(analyst.id).await;
        app.post(&format!("{path}/stop"), &[]).await.assert_status(403);
        let page = app.get(&path).await.assert_status(200).text();
        assert!(!page.contains("/stop") && !page.contains("name=\"q\" value"), "{page}");
        app.sign_out();
        app.sign_in(owner.id).await;
        assert!(app.get(&path).await.text().contains("/stop"));
        app.post(&format!("{path}/stop"), &[]).await.assert_status(303);
        app.work().await;
        let page = app.get(&path).await.text();
        assert!(page.contains("已停止") && page.contains("/resume") && !page.contains("/stop"), "{page}");
        app.post(&format!("{path}/resume"), &[]).await.assert_status(303);
        app.work().await;
        let page = app.get(&path).await.text();
        assert!(!page.contains("/stop") && !page.contains("data-live"), "it is over: {page}");
        app.post(&format!("{path}/stop"), &[]).await.assert_status(409);
        app.post(&format!("{path}/again"), &[]).await.assert_status(409);
        // Another account's push is not found.
        let (_, stranger) = app.account("other").await;
        app.sign_out();
        app.sign_in(stranger.id).await;
        app.post(&format!("/studio/@other/pushes/{push}/stop"), &[]).await.assert_status(404);
    }

    async fn the_log_is_searched_by_address_and_answer(app) {
        let (account, owner) = app.account("daily").await;
        readers(app, account.id, 12).await;
        let article = app.published(account.id, "查找").await;
        let push = app.push(account.id, &[&article]).await;
        app.work().await;
        delivery::Entity::update_many()
            .col_expr(delivery::Column::Answer, sea_orm::sea_query::Expr::value("550 100% Frequency_limited"))
            .col_expr(delivery::Column::State, sea_orm::sea_query::Expr::value(DeliveryState::Failed))
            .filter(delivery::COLUMN.provider.eq(Provider::Qq))
            .exec(app.app.db.write())
            .await
            .unwrap();
        app.sign_in(owner.id).await;
        for (sought, found) in [
            ("r3@hotmail.com", 1), ("R3@", 1), ("gmail", 2), ("frequency_", 2), ("100%25", 2), ("%25%25", 0), ("_____", 0),
            ("nobody", 0), ("", 12), ("!", 0), ("';%20drop", 0),
        ] {
            let page = app.get(&format!("/studio/@daily/pushes/{push}?q={sought}")).await.assert_status(200).text();
            assert_eq!(page.matches("<td><div>r").count(), found, "{sought}");
        }
        let failed = app.get(&format!("/studio/@daily/pushes/{push}?state=failed&q=r7")).await.text();
        assert_eq!(failed.matches("<td><div>r").count(), 1);
    }

    async fn the_live_stream_says_how_far_it_is_and_when_it_is_over(app) {
        let (account, owner) = app.account("daily").await;
        readers(app, account.id, 5).await;
        let article = app.published(account.id, "直播").await;
        let push = app.push(account.id, &[&article]).await;
        jobs::worker::run_due(&app.app).await.unwrap();
        app.sign_in(owner.id).await;
        let page = app.get(&format!("/studio/@daily/pushes/{push}")).await.text();
        assert!(page.contains(&format!("data-live=\"/studio/@daily/pushes/{push}/live\"")), "{page}");
        assert!(page.contains("http-equiv=\"refresh\""), "without JavaScript it is reloaded");
        let live = format!("/studio/@daily/pushes/{push}/live");
        let (stream, ()) = tokio::join!(app.get(&live), async {
            tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
            app.work().await;
        });
        assert_eq!(stream.header("content-type"), "text/event-stream");
        let text = stream.text();
        assert!(text.starts_with("event: progress\n"), "{text}");
        assert!(text.contains("已处理 0 / 5") && text.contains("event: done"), "{text}");
        // What the tabs of the log say comes with it.
        assert!(text.contains("data-all=\"5\" data-delivered=\"0\" data-waiting=\"5\""), "{text}");
        assert!(page.contains("data-count=\"waiting\">5<"), "{page}");
        app.sign_out();
        app.get(&live).await.assert_status(303);
    }
}
