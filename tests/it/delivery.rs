//! Telling the subscribers of a push: each once, by real mail.

use std::time::Duration;

use mail_parser::{HeaderValue, MessageParser, MimeHeaders};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QuerySelect};
use xiangxun::db::entities::article::{self, ArticleState};
use xiangxun::db::entities::delivery::{self as delivery_row, DeliveryState};
use xiangxun::db::entities::job;
use xiangxun::db::entities::push::PushState;
use xiangxun::db::entities::subscription::Cadence;
use xiangxun::delivery::{self, ledger, queries, sender};
use xiangxun::jobs;
use xiangxun::subscriptions::{self, Change, links};

use crate::both_databases;
use crate::on_both_databases;
use crate::support::smtp::{SmtpSink, free_port};
use crate::support::{Backend, TestApp};

async fn withdraw(app: &TestApp, article: &article::Model) {
    let mut row = article.clone().into_active_model();
    row.state = Set(ArticleState::Withdrawn);
    row.update(app.app.db.write()).await.unwrap();
}

async fn fan_out(app: &TestApp) {
    jobs::worker::run_due(&app.app).await.unwrap();
}

both_databases! {
    async fn every_subscriber_of_a_push_is_told_once(app) {
        let (account, _) = app.account("daily").await;
        let (other, _) = app.account("weekly").await;
        for name in ["a", "b", "c"] {
            app.subscriber(account.id, &format!("{name}@example.org")).await;
        }
        app.subscriber(other.id, "other@example.org").await;
        for (name, change) in [("muted", Change::Mute), ("paused", Change::Pause), ("left", Change::Leave)] {
            let row = app.subscriber(account.id, &format!("{name}@example.org")).await;
            subscriptions::change(&app.app, row.id, change).await.unwrap();
        }
        delivery::suppress(app.app.db.write(), app.app.clock.now(), "gone@example.org", "550 gone").await.unwrap();
        app.subscriber(account.id, "gone@example.org").await;
        let article = app.published(account.id, "开工了").await;
        let push = app.push(account.id, &[&article]).await;
        app.work().await;
        app.work().await;
        let mut told: Vec<_> = app.take_letters().into_iter().map(|letter| letter.to).collect();
        told.sort();
        assert_eq!(told, ["a@example.org", "b@example.org", "c@example.org"]);
        assert_eq!(app.push_state(push).await, PushState::Sent);
        let rows = app.deliveries(push).await;
        assert_eq!(rows.len(), 4);
        assert_eq!((rows[3].state, rows[3].answer.as_deref()), (DeliveryState::Suppressed, Some("550 gone")));
        assert!(rows[..3].iter().all(|row| row.state == DeliveryState::Delivered && row.attempts == 1));
        let counts = queries::counts(app.app.db.read(), push).await.unwrap();
        assert_eq!(counts.iter().map(|count| count.count).sum::<i64>(), 4);
    }

    async fn a_push_without_subscribers_is_sent_at_once(app) {
        let (account, _) = app.account("daily").await;
        let article = app.published(account.id, "无人").await;
        let push = app.push(account.id, &[&article]).await;
        app.work().await;
        assert_eq!(app.push_state(push).await, PushState::Sent);
    }

    async fn a_fan_out_that_runs_twice_tells_nobody_twice(app) {
        let (account, _) = app.account("daily").await;
        for number in 0..20 {
            app.subscriber(account.id, &format!("reader{number}@example.org")).await;
        }
        let article = app.published(account.id, "一次").await;
        let push = app.push(account.id, &[&article]).await;
        // As if the first worker had died after the last batch, before it settled the job.
        delivery::fan_out::run(&app.app, push, 0).await.unwrap();
        use sea_orm::ActiveValue::Unchanged;
        let again = xiangxun::db::entities::push::ActiveModel {
            id: Unchanged(push),
            state: Set(PushState::FanningOut),
            ..Default::default()
        };
        again.update(app.app.db.write()).await.unwrap();
        app.work().await;
        assert_eq!(app.take_letters().len(), 20);
        assert_eq!(app.deliveries(push).await.len(), 20);
        assert_eq!(app.push_state(push).await, PushState::Sent);
    }

    async fn the_mail_of_a_push_has_what_mail_programs_look_for(app) {
        let (account, _) = app.account("daily").await;
        let row = app.subscriber(account.id, "reader@example.org").await;
        let first = app.published(account.id, "海外华人 <春节> & 团圆").await;
        let second = app.published(account.id, "第二篇").await;
        let push = app.push(account.id, &[&first, &second]).await;
        app.work().await;
        let letter = app.take_letters().remove(0);
        let from = "乡讯 <news@xiangxun.test>".parse().unwrap();
        let bytes = letter.compose(&from).unwrap().formatted();
        assert!(bytes.is_ascii(), "only ASCII goes over the wire");
        assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
        let mail = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(mail.subject(), Some("海外华人 <春节> & 团圆（等 2 篇）"));
        let sender = mail.from().unwrap().first().unwrap();
        assert_eq!((sender.name(), sender.address()), (Some(account.name.as_str()), Some("news@xiangxun.test")));
        assert!(mail.date().is_some());
        let delivery = app.deliveries(push).await.remove(0);
        assert_eq!(mail.message_id(), Some(format!("{}.{push}@xiangxun.test", delivery.id).as_str()));
        assert_eq!(format!("<{}>", mail.message_id().unwrap()), delivery.message_id);
        let leave = format!("http://xiangxun.test{}", links::leave_path(&app.app, row.id));
        let header = |name: &str| match mail.header(name) {
            Some(HeaderValue::Text(text)) => text.to_string(),
            Some(HeaderValue::Address(address)) => format!("{address:?}"),
            other => format!("{other:?}"),
        };
        assert!(header("List-Unsubscribe").contains(&leave), "{}", header("List-Unsubscribe"));
        let raw = String::from_utf8(bytes.clone()).unwrap();
        assert!(raw.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
        assert!(raw.contains("<daily.xiangxun.test>"), "List-Id");
        assert!(raw.contains("Auto-Submitted: auto-generated\r\n"));
        assert_eq!((mail.text_body_count(), mail.html_body_count()), (1, 1));
        for part in [mail.text_part(0).unwrap(), mail.html_part(0).unwrap()] {
            assert_eq!(part.content_type().unwrap().attribute("charset"), Some("utf-8"));
        }
        let text = mail.body_text(0).unwrap();
        let html = mail.body_html(0).unwrap();
        for article in [&first, &second] {
            let url = format!("http://xiangxun.test/@daily/{}", article.slug);
            assert!(text.contains(&article.title) && text.contains(&url) && html.contains(&url));
        }
        assert!(html.contains("海外华人 &#60;春节&#62; &#38; 团圆"), "titles are escaped");
        assert!(text.contains("第二段 & 其他。"), "the excerpt is plain text: {text}");
        assert!(text.contains(&leave) && html.contains(&leave));
        // One click, as the header promises.
        app.post(leave.strip_prefix("http://xiangxun.test").unwrap(), &[]).await.assert_status(200);
    }

    async fn a_mail_is_in_the_language_of_its_reader(app) {
        let (account, _) = app.account("daily").await;
        for (tag, words) in [("zh-Hans", "退订"), ("zh-Hant", "取消訂閱"), ("en", "Unsubscribe")] {
            let row = app.subscriber(account.id, &format!("{tag}@example.org")).await;
            let mut row = row.into_active_model();
            row.locale = Set(tag.into());
            row.update(app.app.db.write()).await.unwrap();
            let article = app.published(account.id, tag).await;
            app.push(account.id, &[&article]).await;
            app.work().await;
            let letters = app.take_letters();
            let letter = letters.iter().find(|letter| letter.to.to_lowercase().starts_with(&tag.to_lowercase())).unwrap();
            assert!(letter.text.contains(words) && letter.html.contains(words), "{tag}");
            assert!(!letter.text.contains('⟦') && !letter.html.contains('⟦'));
            assert!(letter.html.contains(&format!("<html lang=\"{tag}\">")));
        }
    }

    async fn who_leaves_after_the_fan_out_is_not_told(app) {
        let (account, _) = app.account("daily").await;
        let stays = app.subscriber(account.id, "stays@example.org").await;
        let leaves = app.subscriber(account.id, "leaves@example.org").await;
        let mutes = app.subscriber(account.id, "mutes@example.org").await;
        let article = app.published(account.id, "晚了").await;
        let push = app.push(account.id, &[&article]).await;
        fan_out(app).await;
        app.post(&links::leave_path(&app.app, leaves.id), &[]).await.assert_status(200);
        subscriptions::change(&app.app, mutes.id, Change::Mute).await.unwrap();
        app.work().await;
        assert_eq!(app.take_letters().into_iter().map(|letter| letter.to).collect::<Vec<_>>(), [stays.email]);
        let rows = app.deliveries(push).await;
        assert_eq!(rows[1].state, DeliveryState::Suppressed);
        assert_eq!(rows[1].answer.as_deref(), Some("the reader has left"));
        assert_eq!(rows[2].state, DeliveryState::Suppressed);
        assert_eq!(app.push_state(push).await, PushState::Sent);
    }

    async fn an_article_withdrawn_meanwhile_is_left_out(app) {
        let (account, _) = app.account("daily").await;
        app.subscriber(account.id, "reader@example.org").await;
        let first = app.published(account.id, "撤回的").await;
        let second = app.published(account.id, "留下的").await;
        app.push(account.id, &[&first, &second]).await;
        fan_out(app).await;
        withdraw(app, &first).await;
        app.work().await;
        let letter = app.take_letters().remove(0);
        assert_eq!(letter.subject, "留下的");
        assert!(!letter.text.contains("撤回的") && !letter.html.contains("撤回的"));
        // With nothing left there is no mail at all.
        let third = app.published(account.id, "也撤回").await;
        let push = app.push(account.id, &[&third]).await;
        fan_out(app).await;
        withdraw(app, &third).await;
        app.work().await;
        assert!(app.take_letters().is_empty());
        assert_eq!(app.deliveries(push).await[0].state, DeliveryState::Suppressed);
        assert_eq!(app.push_state(push).await, PushState::Sent);
    }

    async fn what_a_dead_sender_had_claimed_is_sent_by_another(app) {
        let (account, _) = app.account("daily").await;
        for number in 0..30 {
            app.subscriber(account.id, &format!("reader{number}@example.org")).await;
        }
        let article = app.published(account.id, "接手").await;
        let push = app.push(account.id, &[&article]).await;
        fan_out(app).await;
        let claimed = ledger::claim(&app.app, "dead", app.app.clock.now(), 12, 0).await.unwrap();
        let (claimed, holder) = (claimed.rows, std::sync::Arc::from(claimed.holder));
        assert_eq!(claimed.len(), 12);
        app.work().await;
        assert_eq!(app.take_letters().len(), 18, "the lease holds");
        assert_eq!(app.push_state(push).await, PushState::Sending);
        app.app.clock.advance(ledger::LEASE + Duration::from_secs(1));
        app.work().await;
        let letters = app.take_letters();
        assert_eq!(letters.len(), 12);
        for row in &claimed {
            assert!(letters.iter().any(|letter| letter.message_id == row.message_id), "the Message-ID is kept");
        }
        // The dead one comes back too late to say anything.
        let late = |row| ledger::Tried {
            row,
            attempt: delivery::channel::Attempt::Failed("late".into()),
            holder: std::sync::Arc::clone(&holder),
            server: 0,
        };
        let tried: Vec<_> = claimed.into_iter().map(late).collect();
        ledger::settle(&app.app, "dead", &tried).await.unwrap();
        assert!(app.deliveries(push).await.iter().all(|row| row.state == DeliveryState::Delivered));
        assert_eq!(app.push_state(push).await, PushState::Sent);
    }

    async fn a_sender_that_stops_gives_back_what_it_holds(app) {
        let (account, _) = app.account("daily").await;
        app.subscriber(account.id, "reader@example.org").await;
        let article = app.published(account.id, "归还").await;
        app.push(account.id, &[&article]).await;
        fan_out(app).await;
        let claim = ledger::claim(&app.app, "stopping", app.app.clock.now(), 10, 0).await.unwrap();
        sender::send_due(&app.app).await.unwrap();
        assert!(app.take_letters().is_empty());
        let ids: Vec<i64> = claim.rows.iter().map(|row| row.id).collect();
        ledger::release(&app.app.db, "stopping", &ids).await.unwrap();
        sender::send_due(&app.app).await.unwrap();
        assert_eq!(app.take_letters().len(), 1);
    }

    async fn leases_are_renewed_without_waiting_for_what_is_being_written_back(app) {
        let (account, _) = app.account("daily").await;
        for number in 0..3 {
            app.subscriber(account.id, &format!("reader{number}@example.org")).await;
        }
        let article = app.published(account.id, "续租").await;
        let push = app.push(account.id, &[&article]).await;
        fan_out(app).await;
        let claim = ledger::claim(&app.app, "busy", app.app.clock.now(), 10, 0).await.unwrap();
        let ids: Vec<i64> = claim.rows.iter().map(|row| row.id).collect();
        let later = app.app.clock.now() + Duration::from_secs(30);
        // SQLite has one writer at a time, and no locks of rows.
        let writing = match app.app.db.backend() {
            sea_orm::DbBackend::Postgres => {
                let tx = app.app.db.begin().await.unwrap();
                delivery_row::Entity::find_by_id(ids[1]).lock_exclusive().one(&*tx).await.unwrap();
                Some(tx)
            }
            _ => None,
        };
        let renewed = ledger::renew(&app.app.db, "busy", &ids, later);
        tokio::time::timeout(Duration::from_secs(20), renewed).await.expect("it waits for nobody").unwrap();
        let rows = app.deliveries(push).await;
        let count = rows.iter().filter(|row| row.lease_until == Some(later + ledger::LEASE)).count();
        assert_eq!(count, if writing.is_some() { 2 } else { 3 });
        drop(writing);
        ledger::release(&app.app.db, "busy", &ids).await.unwrap();
        app.work().await;
        assert_eq!(app.take_letters().len(), 3);
    }

    async fn a_running_sender_wakes_when_a_push_is_fanned_out(app) {
        let (account, _) = app.account("daily").await;
        for number in 0..50 {
            app.subscriber(account.id, &format!("reader{number}@example.org")).await;
        }
        let stop = tokio_util::sync::CancellationToken::new();
        let tasks = [
            tokio::spawn(jobs::worker::run(app.app.clone(), stop.clone())),
            tokio::spawn(sender::run(app.app.clone(), stop.clone())),
            tokio::spawn(sender::run(app.app.clone(), stop.clone())),
        ];
        let article = app.published(account.id, "醒来").await;
        let push = app.push(account.id, &[&article]).await;
        for _ in 0..300 {
            if app.push_state(push).await == PushState::Sent {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stop.cancel();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(app.take_letters().len(), 50);
        assert_eq!(app.push_state(push).await, PushState::Sent);
        assert!(job::Entity::find().all(app.app.db.read()).await.unwrap().is_empty());
    }

    async fn daily_and_weekly_readers_get_no_row_for_a_push(app) {
        let (account, _) = app.account("daily").await;
        for cadence in [Cadence::Daily, Cadence::Weekly] {
            let row = app.subscriber(account.id, &format!("{cadence}@example.org")).await;
            let mut row = row.into_active_model();
            row.cadence = Set(cadence);
            row.update(app.app.db.write()).await.unwrap();
        }
        let article = app.published(account.id, "周报").await;
        let push = app.push(account.id, &[&article]).await;
        app.work().await;
        assert!(app.deliveries(push).await.is_empty());
    }
}

/// The same against a real SMTP server.
async fn app_with_smtp(backend: Backend, port: u16) -> TestApp {
    TestApp::start_with(backend, |config| {
        config.smtp_url = format!("smtp://127.0.0.1:{port}");
        config.mail_from = "乡讯 <news@xiangxun.test>".into();
    })
    .await
}

async fn a_real_server_takes_the_mail(backend: Backend) {
    let sink = SmtpSink::start(free_port());
    let app = app_with_smtp(backend, sink.port).await;
    let (account, _) = app.account("daily").await;
    for number in 0..25 {
        app.subscriber(account.id, &format!("reader{number}@example.org")).await;
    }
    let article = app.published(account.id, "真的寄出：中文标题").await;
    let push = app.push(account.id, &[&article]).await;
    app.work().await;
    let rows = app.deliveries(push).await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered), "{rows:?}");
    assert_eq!(app.push_state(push).await, PushState::Sent);
    let messages = sink.messages();
    assert_eq!(messages.len(), 25);
    let mut recipients: Vec<_> = messages.iter().map(|(to, _)| to.clone()).collect();
    recipients.sort();
    recipients.dedup();
    assert_eq!(recipients.len(), 25, "each got one");
    for (to, bytes) in &messages {
        let mail = MessageParser::default().parse(bytes).unwrap();
        assert_eq!(mail.subject(), Some("真的寄出：中文标题"));
        assert_eq!(mail.to().unwrap().first().unwrap().address(), Some(to.as_str()));
        let id = format!("<{}>", mail.message_id().unwrap());
        assert!(rows.iter().any(|row| row.message_id == id));
        assert!(mail.body_text(0).unwrap().contains("真的寄出"));
    }
    app.finish().await;
}

async fn a_temporary_refusal_is_tried_again_with_the_same_message_id(backend: Backend) {
    let sink =
        SmtpSink::start_with(free_port(), &["-r", "RCPT", "-b", "451 4.7.1 Greylisted, come back later"]);
    let port = sink.port;
    let app = app_with_smtp(backend, port).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "reader@example.org").await;
    let article = app.published(account.id, "再试").await;
    let push = app.push(account.id, &[&article]).await;
    app.work().await;
    let first = app.deliveries(push).await.remove(0);
    assert_eq!((first.state, first.attempts), (DeliveryState::Waiting, 1));
    assert_eq!(first.answer.as_deref(), Some("451 4.7.1 Greylisted, come back later"));
    assert_eq!(app.suppressed("reader@example.org").await, None);
    assert_eq!(app.push_state(push).await, PushState::Sending);
    // Not before its time.
    app.app.clock.advance(Duration::from_secs(50));
    app.work().await;
    assert_eq!(app.deliveries(push).await[0].attempts, 1);
    drop(sink);
    app.app.clock.advance(Duration::from_secs(15));
    app.work().await;
    let second = app.deliveries(push).await.remove(0);
    assert_eq!((second.state, second.attempts), (DeliveryState::Waiting, 2), "nobody listens: {second:?}");
    assert_eq!(second.next_attempt_at.0 - second.updated_at.0, 5 * 60 * 1000);
    let sink = SmtpSink::start(port);
    app.app.clock.advance(Duration::from_secs(6 * 60));
    app.work().await;
    let third = app.deliveries(push).await.remove(0);
    assert_eq!((third.state, third.attempts), (DeliveryState::Delivered, 3), "{third:?}");
    assert_eq!((&third.message_id, &second.message_id), (&first.message_id, &first.message_id));
    let messages = sink.messages();
    let mail = MessageParser::default().parse(&messages[0].1).unwrap();
    assert_eq!(format!("<{}>", mail.message_id().unwrap()), first.message_id);
    assert_eq!(app.push_state(push).await, PushState::Sent);
    app.finish().await;
}

async fn a_refused_address_fails_and_is_not_written_to_again(backend: Backend) {
    let sink = SmtpSink::start_with(free_port(), &["-f", "RCPT", "-B", "550 5.1.1 No such user here"]);
    let app = app_with_smtp(backend, sink.port).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "nobody@example.org").await;
    let article = app.published(account.id, "退信").await;
    let push = app.push(account.id, &[&article]).await;
    app.work().await;
    let row = app.deliveries(push).await.remove(0);
    assert_eq!(
        (row.state, row.answer.as_deref()),
        (DeliveryState::Failed, Some("550 5.1.1 No such user here"))
    );
    assert_eq!(app.suppressed("nobody@example.org").await.as_deref(), Some("550 5.1.1 No such user here"));
    let next = app.published(account.id, "下一篇").await;
    let push = app.push(account.id, &[&next]).await;
    app.work().await;
    let row = app.deliveries(push).await.remove(0);
    assert_eq!((row.state, row.attempts), (DeliveryState::Suppressed, 0));
    app.finish().await;
}

async fn a_refused_message_fails_without_blaming_its_address(backend: Backend) {
    let sink = SmtpSink::start_with(free_port(), &["-f", "DATA", "-B", "554 5.7.1 Looks like spam"]);
    let app = app_with_smtp(backend, sink.port).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "reader@example.org").await;
    let article = app.published(account.id, "像广告").await;
    let push = app.push(account.id, &[&article]).await;
    app.work().await;
    let row = app.deliveries(push).await.remove(0);
    assert_eq!(
        (row.state, row.answer.as_deref()),
        (DeliveryState::Failed, Some("554 5.7.1 Looks like spam"))
    );
    assert_eq!(app.suppressed("reader@example.org").await, None);
    app.finish().await;
}

async fn a_server_that_never_comes_back_ends_in_failure_after_two_days(backend: Backend) {
    let app = app_with_smtp(backend, free_port()).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "reader@example.org").await;
    let article = app.published(account.id, "无人应答").await;
    let push = app.push(account.id, &[&article]).await;
    for _ in 0..12 {
        app.work().await;
        app.app.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    }
    let row = app.deliveries(push).await.remove(0);
    assert_eq!((row.state, row.attempts), (DeliveryState::Failed, 9));
    assert_eq!(app.suppressed("reader@example.org").await, None);
    assert_eq!(app.push_state(push).await, PushState::Sent);
    app.finish().await;
}

on_both_databases! {
    a_real_server_takes_the_mail
    a_temporary_refusal_is_tried_again_with_the_same_message_id
    a_refused_address_fails_and_is_not_written_to_again
    a_refused_message_fails_without_blaming_its_address
    a_server_that_never_comes_back_ends_in_failure_after_two_days
}
