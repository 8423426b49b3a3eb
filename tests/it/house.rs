//! The house itself: migrations, the outbox's order, the queue's leases, errors.

use std::time::Duration;

use axum::http::header;
use migrations::{Migrator, MigratorTrait};
use sea_orm::{EntityTrait, PaginatorTrait};
use xiangxun::clock::Timestamp;
use xiangxun::db::entities::event;
use xiangxun::jobs::{Job, Outcome, queue};
use xiangxun::outbox::{self, Event};

use crate::both_databases;

both_databases! {
    async fn migrations_go_down_and_up_again(app) {
        Migrator::down(app.app.db.write(), None).await.unwrap();
        Migrator::up(app.app.db.write(), None).await.unwrap();
        assert_eq!(event::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    }

    async fn an_event_that_commits_late_is_not_skipped(app) {
        // Two writers: the first begins, the second begins and would like to commit first.
        let db = app.app.db.clone();
        let now = app.app.clock.now();
        let first = db.begin().await.unwrap();
        outbox::record(&first, now, Event::AccountChanged { account_id: 1 }).await.unwrap();
        let second = tokio::spawn({
            let db = db.clone();
            async move {
                let tx = db.begin().await.unwrap();
                outbox::record(&tx, now, Event::AccountChanged { account_id: 2 }).await.unwrap();
                tx.commit().await.unwrap();
            }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        // A follower that looks now must not step over the first writer's id.
        let seen = outbox::after(db.read(), 0, 10).await.unwrap();
        let cursor = seen.last().map_or(0, |recorded| recorded.id);
        first.commit().await.unwrap();
        second.await.unwrap();
        let mut events = seen;
        events.extend(outbox::after(db.read(), cursor, 10).await.unwrap());
        let accounts: Vec<_> = events.into_iter().map(|recorded| recorded.event).collect();
        assert_eq!(accounts, [Event::AccountChanged { account_id: 1 }, Event::AccountChanged { account_id: 2 }]);
    }

    async fn a_job_that_waits_for_later_can_be_hastened(app) {
        let db = &app.app.db;
        let now = app.app.clock.now();
        let (hour, minute) = (Duration::from_secs(3_600), Duration::from_secs(60));
        let job = || Job::FetchCovers { account_id: 1 };
        queue::enqueue(db.write(), now, job(), now + hour).await.unwrap();
        queue::enqueue(db.write(), now, Job::FetchCovers { account_id: 2 }, now + hour).await.unwrap();
        // Asked for again it still waits; hastened it comes, and is never made to wait longer.
        queue::enqueue(db.write(), now, job(), now).await.unwrap();
        assert!(queue::claim(db, "a", now, 10).await.unwrap().is_empty());
        queue::hasten(db.write(), now, job(), now + minute).await.unwrap();
        queue::hasten(db.write(), now, job(), now + hour).await.unwrap();
        let claimed = queue::claim(db, "a", now + minute, 10).await.unwrap();
        assert_eq!(claimed.iter().map(|row| row.unique_key.as_deref()).collect::<Vec<_>>(), [job().unique_key().as_deref()]);
        // One that runs already is left to its worker.
        queue::hasten(db.write(), now, job(), now).await.unwrap();
        assert!(queue::claim(db, "b", now + minute, 10).await.unwrap().is_empty());
        queue::settle(db, &claimed[0], "a", now, Ok(Outcome::Done)).await.unwrap();
        queue::cancel(db.write(), &Job::FetchCovers { account_id: 2 }.unique_key().unwrap()).await.unwrap();
    }

    async fn a_job_is_claimed_by_one_worker_until_its_lease_ends(app) {
        let db = &app.app.db;
        let now = app.app.clock.now();
        queue::enqueue(db.write(), now, Job::FanOut { push_id: 1, after_subscription: 0 }, now).await.unwrap();
        queue::enqueue(db.write(), now, Job::FanOut { push_id: 1, after_subscription: 0 }, now).await.unwrap();
        let claimed = queue::claim(db, "a", now, 10).await.unwrap();
        assert_eq!(claimed.len(), 1, "one row for one key");
        assert!(queue::claim(db, "b", now, 10).await.unwrap().is_empty());
        let later = now + queue::LEASE + Duration::from_secs(1);
        let taken_over = queue::claim(db, "b", later, 10).await.unwrap();
        assert_eq!(taken_over.len(), 1);
        // The first worker comes back too late to settle it.
        queue::settle(db, &claimed[0], "a", later, Ok(Outcome::Done)).await.unwrap();
        assert_eq!(queue::unfinished(db.read()).await.unwrap(), 1);
        queue::settle(db, &taken_over[0], "b", later, Ok(Outcome::Done)).await.unwrap();
        assert_eq!(queue::unfinished(db.read()).await.unwrap(), 0);
    }

    async fn a_failed_job_waits_and_comes_again(app) {
        let db = &app.app.db;
        let now = app.app.clock.now();
        queue::enqueue(db.write(), now, Job::FanOut { push_id: 1, after_subscription: 0 }, now).await.unwrap();
        let row = queue::claim(db, "a", now, 10).await.unwrap().remove(0);
        queue::settle(db, &row, "a", now, Err(anyhow::anyhow!("no network"))).await.unwrap();
        assert!(queue::claim(db, "a", now, 10).await.unwrap().is_empty());
        let row = queue::claim(db, "a", now + Duration::from_secs(3), 10).await.unwrap().remove(0);
        assert_eq!((row.attempts, row.last_error.as_deref()), (2, Some("no network")));
        queue::settle(db, &row, "a", Timestamp(now.0), Ok(Outcome::Done)).await.unwrap();
    }

    async fn an_unknown_address_answers_404_in_the_readers_language(app) {
        for (language, words) in [("zh-CN", "这个地址"), ("zh-TW,zh;q=0.8", "這個網址"), ("en-GB", "nothing at this address")] {
            let request = app.request(axum::http::Method::GET, "/nowhere").header(header::ACCEPT_LANGUAGE, language);
            let answer = app.send(request.body(axum::body::Body::empty()).unwrap()).await.assert_status(404);
            assert!(answer.text().contains(words), "{}", answer.text());
        }
        let answer = app.get("/api/v1/nowhere").await.assert_status(404);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["status"], 404);
    }
}
