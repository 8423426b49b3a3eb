//! Word that comes back: who may bring it, how it is read, and what follows.

use std::time::Duration;

use xiangxun::bounces::return_path::{self, Addressee};
use xiangxun::bounces::{self, About, Word, report};
use xiangxun::db::entities::bounce::BounceKind;
use xiangxun::db::entities::delivery::{self, DeliveryState};
use xiangxun::db::entities::subscription::SubscriptionState;
use xiangxun::delivery::queries;
use xiangxun::subscriptions::links;

use crate::on_both_databases;
use crate::support::bounces::{Caller, fixture, listen};
use crate::support::mail_host::MailHost;
use crate::support::{Backend, TestApp};

on_both_databases! {
    a_bounce_comes_back_to_the_signed_path_and_its_address_is_not_written_to_again
    only_addresses_that_we_signed_are_taken
    a_bounce_that_comes_by_lmtp_or_twice_changes_the_ledger_once
    a_complaint_suppresses_and_unsubscribes
    a_complaint_is_traced_by_what_we_signed_and_by_nothing_else
    a_bounce_that_is_faster_than_its_sender_waits_for_it
    strangers_cannot_keep_the_listener_busy
}

pub async fn app_with(backend: Backend, host: &MailHost) -> TestApp {
    let url = host.url();
    TestApp::start_with(backend, move |config| {
        config.smtp_url = url;
        config.mail_from = "乡讯 <news@xiangxun.test>".into();
        config.bounce_domain = "bounces.xiangxun.test".into();
        config.bounce_listen = "127.0.0.1:0".into();
        assert_eq!(config.problems(), Vec::<String>::new());
    })
    .await
}

/// Pushes an article to those who follow an account; returns the push's id.
pub async fn push(app: &TestApp, account: i64) -> i64 {
    let article = app.published(account, "开工了").await;
    let push = app.push(account, &[&article]).await;
    app.work().await;
    push
}

/// The fixture of a bounce of a delivery.
fn bounce_of(app: &TestApp, name: &str, row: &delivery::Model) -> (String, Vec<u8>) {
    let path = return_path::of(&app.app, row.id).unwrap();
    let message = fixture(name, &[("RETURN_PATH", &path), ("MESSAGE_ID", &row.message_id)]);
    (path, message)
}

async fn a_bounce_comes_back_to_the_signed_path_and_its_address_is_not_written_to_again(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, &host).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "gone@example.net").await;
    app.subscriber(account.id, "reader@example.net").await;
    let first = push(&app, account.id).await;
    let row = app.deliveries(first).await.remove(0);
    let taken = host.taken();
    let sent = taken.iter().find(|one| one.to == "gone@example.net").unwrap();
    assert_eq!(
        Some(&sent.from),
        return_path::of(&app.app, row.id).as_ref(),
        "the envelope's sender is signed"
    );
    assert!(!String::from_utf8_lossy(&sent.bytes).contains(&sent.from), "the letter's sender is the site's");
    let address = listen(&app.app).await;
    // Written in capitals by some server on the way.
    let (path, message) = bounce_of(&app, "postfix-unknown", &row);
    let answer =
        Caller::call(address).await.bring("EHLO mx.example.net", &path.to_uppercase(), &message).await;
    assert!(answer.starts_with("250"), "{answer}");
    app.work().await;
    let words = "bounced: 550 5.1.1 <reader@example.net>: Recipient address rejected: User unknown in virtual \
                 mailbox table";
    let rows = app.deliveries(first).await;
    assert_eq!((rows[0].state, rows[0].answer.as_deref()), (DeliveryState::Failed, Some(words)));
    assert_eq!(rows[1].state, DeliveryState::Delivered);
    assert_eq!(app.suppressed("gone@example.net").await.as_deref(), Some(words));
    let (_, _, tally) =
        xiangxun::pushes::queries::tallies(app.app.db.read(), &[first]).await.unwrap().remove(0);
    assert_eq!((tally.delivered, tally.failed), (1, 1), "the tallies say what the ledger says");
    assert_eq!(queries::counts(app.app.db.read(), first).await.unwrap().len(), 2);
    let second = push(&app, account.id).await;
    assert_eq!(app.deliveries(second).await[0].state, DeliveryState::Suppressed);
    assert_eq!(host.taken().len(), 3);
    app.finish().await;
}

async fn only_addresses_that_we_signed_are_taken(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, &host).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "reader@example.net").await;
    let id = app.deliveries(push(&app, account.id).await).await[0].id;
    let good = return_path::of(&app.app, id).unwrap();
    assert_eq!(return_path::read(&app.app, &good), Some(Addressee::Delivery(id)));
    assert!(good.split('@').next().unwrap().len() <= 64, "{good}");
    let other = good.replacen(&format!("b-{id}-"), &format!("b-{}-", id + 1), 1);
    let (start, end) = good.split_at(good.find('@').unwrap() - 1);
    let flipped = format!("{start}{}", end.replacen(|c: char| c.is_ascii_hexdigit(), "x", 1));
    for wrong in [
        other.as_str(),
        &flipped,
        &good.replace("@bounces.", "@other."),
        &good.replace(&format!("b-{id}-"), &format!("b-+{id}-")),
        &good.replace(&format!("b-{id}-"), &format!("b-0{id}-")),
        "postmaster@bounces.xiangxun.test",
        "complaints-00000000000000000000@bounces.xiangxun.test",
        "b-1@bounces.xiangxun.test",
        "b--@bounces.xiangxun.test",
        "@",
        "",
    ] {
        assert_eq!(return_path::read(&app.app, wrong), None, "{wrong}");
    }
    let address = listen(&app.app).await;
    let mut caller = Caller::call(address).await;
    caller.say("EHLO spam.example").await;
    caller.say("MAIL FROM:<spam@spam.example>").await;
    for wrong in [other.as_str(), "somebody@example.org", "postmaster@bounces.xiangxun.test"] {
        let answer = caller.say(&format!("RCPT TO:<{wrong}>")).await;
        assert!(answer.starts_with("550 5.1.1"), "{answer}");
    }
    assert!(caller.say("DATA").await.starts_with("503"), "nobody is left to take it");
    app.finish().await;
}

async fn a_bounce_that_comes_by_lmtp_or_twice_changes_the_ledger_once(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, &host).await;
    let (account, _) = app.account("daily").await;
    for name in ["a", "b"] {
        app.subscriber(account.id, &format!("{name}@example.net")).await;
    }
    let first = push(&app, account.id).await;
    let rows = app.deliveries(first).await;
    let address = listen(&app.app).await;
    let mut caller = Caller::call(address).await;
    let greeting = caller.say("LHLO mail.example.net").await;
    assert!(greeting.contains("SIZE 1048576") && greeting.contains("PIPELINING"), "{greeting}");
    caller.say("MAIL FROM:<>").await;
    for row in &rows {
        let path = return_path::of(&app.app, row.id).unwrap();
        assert!(caller.say(&format!("RCPT TO:<{path}>")).await.starts_with("250"));
    }
    caller.say("DATA").await;
    let (_, message) = bounce_of(&app, "gmail-unknown", &rows[0]);
    caller.write(&message).await;
    let answers = [caller.say("\r\n.").await, caller.hear().await];
    assert!(answers.iter().all(|answer| answer.starts_with("250")), "LMTP answers for each: {answers:?}");
    let (path, _) = bounce_of(&app, "gmail-unknown", &rows[0]);
    assert!(caller.bring("LHLO mail.example.net", &path, &message).await.starts_with("250"));
    app.work().await;
    let kept = bounces::queries::of_address(app.app.db.read(), "a@example.net").await.unwrap();
    assert_eq!(kept.len(), 1, "said twice is as good as once");
    assert!(app.deliveries(first).await.iter().all(|row| row.state == DeliveryState::Failed));
    app.finish().await;
}

async fn a_complaint_suppresses_and_unsubscribes(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, &host).await;
    let (account, _) = app.account("daily").await;
    let reader = app.subscriber(account.id, "reader@example.net").await;
    let first = push(&app, account.id).await;
    let row = app.deliveries(first).await.remove(0);
    let address = listen(&app.app).await;
    let to = return_path::complaints(&app.app).unwrap();
    let (path, _) = bounce_of(&app, "complaint-yahoo", &row);
    let message = fixture("complaint-yahoo", &[("RETURN_PATH", &path), ("MESSAGE_ID", &row.message_id)]);
    assert!(Caller::call(address).await.bring("EHLO yahoo.example", &to, &message).await.starts_with("250"));
    app.work().await;
    let row = app.deliveries(first).await.remove(0);
    assert_eq!(row.state, DeliveryState::Delivered, "it did arrive");
    assert_eq!(row.answer.as_deref(), Some("complaint: abuse Yahoo!-Mail-Feedback/2.0"));
    assert!(app.suppressed("reader@example.net").await.unwrap().starts_with("complaint: "));
    assert_eq!(app.subscription(reader.id).await.state, SubscriptionState::Ended);
    app.finish().await;
}

async fn a_complaint_is_traced_by_what_we_signed_and_by_nothing_else(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, &host).await;
    let (account, _) = app.account("daily").await;
    let reader = app.subscriber(account.id, "reader@example.net").await;
    let other = app.subscriber(account.id, "other@example.net").await;
    let first = push(&app, account.id).await;
    let rows = app.deliveries(first).await;
    let address = listen(&app.app).await;
    let to = return_path::complaints(&app.app).unwrap();
    let leave = |id| format!("http://xiangxun.test{}", links::leave_path(&app.app, id));
    let id = &rows[0].message_id;
    // A Message-ID can be guessed; another's link does not go with it.
    for link in ["http://xiangxun.test/s/1.AAAA/leave", &leave(other.id)] {
        let message = fixture("complaint-outlook", &[("MESSAGE_ID", id), ("LEAVE", link)]);
        assert!(
            Caller::call(address).await.bring("EHLO hotmail.example", &to, &message).await.starts_with("250")
        );
        app.work().await;
        assert_eq!(app.suppressed("reader@example.net").await, None);
        assert_eq!(app.suppressed("other@example.net").await, None);
    }
    let message = fixture("complaint-outlook", &[("MESSAGE_ID", id), ("LEAVE", &leave(reader.id))]);
    assert!(
        Caller::call(address).await.bring("EHLO hotmail.example", &to, &message).await.starts_with("250")
    );
    app.work().await;
    assert_eq!(app.subscription(reader.id).await.state, SubscriptionState::Ended);
    assert!(app.suppressed("reader@example.net").await.is_some());
    app.finish().await;
}

async fn a_bounce_that_is_faster_than_its_sender_waits_for_it(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, &host).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "gone@example.net").await;
    let article = app.published(account.id, "快").await;
    let push = app.push(account.id, &[&article]).await;
    xiangxun::jobs::worker::run_due(&app.app).await.unwrap();
    let claim = delivery_claim(&app).await;
    let word = Word { kind: BounceKind::Hard, words: "550 5.1.1 who?".into() };
    bounces::take(&app.app, &About::Delivery(claim), &word).await.unwrap();
    xiangxun::jobs::worker::run_due(&app.app).await.unwrap();
    assert_eq!(app.deliveries(push).await[0].state, DeliveryState::Waiting);
    assert_eq!(app.suppressed("gone@example.net").await, None);
    // Its sender is gone; another tells, and then the bounce is heeded.
    app.app.clock.advance(Duration::from_secs(61));
    xiangxun::delivery::sender::send_due(&app.app).await.unwrap();
    app.app.clock.advance(Duration::from_secs(60));
    app.work().await;
    let row = app.deliveries(push).await.remove(0);
    assert_eq!((row.state, row.answer.as_deref()), (DeliveryState::Failed, Some("bounced: 550 5.1.1 who?")));
    app.finish().await;
}

/// The id of the one delivery, which a sender has claimed.
async fn delivery_claim(app: &TestApp) -> i64 {
    let claim = xiangxun::delivery::ledger::claim(&app.app, "slow", app.app.clock.now(), 1, 0).await.unwrap();
    claim.rows[0].id
}

async fn strangers_cannot_keep_the_listener_busy(backend: Backend) {
    let host = MailHost::start(|_| None).await;
    let app = app_with(backend, &host).await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "reader@example.net").await;
    let row = app.deliveries(push(&app, account.id).await).await.remove(0);
    let path = return_path::of(&app.app, row.id).unwrap();
    let address = listen(&app.app).await;

    let mut caller = Caller::call(address).await;
    assert!(caller.say("MAIL FROM:<>").await.starts_with("503"), "hello comes first");
    caller.say("EHLO x").await;
    for (said, answer) in [
        ("VRFY reader", "502"),
        ("AUTH PLAIN AAAA", "502"),
        ("STARTTLS", "502"),
        ("WHAT", "500"),
        ("MAIL FROM:<> SIZE=99999999", "552"),
        ("MAIL FROM reader", "501"),
        ("RCPT TO:<x>", "503"),
        ("NOOP", "250"),
        ("RSET", "250"),
    ] {
        let heard = caller.say(said).await;
        assert!(heard.starts_with(answer), "{said}: {heard}");
    }
    for _ in 0..2 {
        caller.say("WHAT").await;
    }
    assert!(caller.say("WHAT").await.starts_with("421"), "too many mistakes");
    assert_eq!(caller.say("NOOP").await, "");

    let mut caller = Caller::call(address).await;
    caller.write(&[b'x'; 5_000]).await;
    assert!(caller.hear().await.starts_with("500"), "no line is that long");

    // A message that is too large is refused and nothing of it kept; the line goes on.
    let mut caller = Caller::call(address).await;
    caller.say("EHLO x").await;
    caller.say("MAIL FROM:<>").await;
    caller.say(&format!("RCPT TO:<{path}>")).await;
    caller.say("DATA").await;
    let line = format!("{}\r\n", "x".repeat(998));
    caller.write(line.repeat(1_200).as_bytes()).await;
    let answer = caller.say(".").await;
    assert!(answer.starts_with("552"), "{answer}");
    // What looks like an end to careless servers is none.
    caller.say("MAIL FROM:<>").await;
    caller.say(&format!("RCPT TO:<{path}>")).await;
    caller.say("DATA").await;
    caller.write(b"Subject: x\r\n\r\nx\n.\nMAIL FROM:<smuggled@example.org>\n.\r\n").await;
    let answer = caller.say("\r\n.").await;
    assert!(answer.starts_with("250"), "one message, one answer: {answer}");
    assert!(caller.say("NOOP").await.starts_with("250 2.0.0 nothing done"));

    // One client has ten conversations and no more.
    let mut held = vec![caller];
    while held.len() < 10 {
        held.push(Caller::call(address).await);
    }
    let mut turned = tokio::io::BufReader::new(tokio::net::TcpStream::connect(address).await.unwrap());
    let mut answer = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut turned, &mut answer).await.unwrap();
    assert!(answer.starts_with("421 4.3.2"), "{answer}");
    drop(held);
    let found = async {
        loop {
            let mut next = tokio::io::BufReader::new(tokio::net::TcpStream::connect(address).await.unwrap());
            let mut answer = String::new();
            let _ = tokio::io::AsyncBufReadExt::read_line(&mut next, &mut answer).await;
            if answer.starts_with("220") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), found).await.expect("there is room again");
    assert_eq!(app.deliveries(row.push_id.unwrap()).await[0].state, DeliveryState::Delivered);
    app.allow_unfinished_jobs();
    app.finish().await;
}

#[test]
fn what_servers_write_is_read_as_they_mean_it() {
    let read = |name: &str| report::read(&fixture(name, &[("RETURN_PATH", "b-1-00@x.example")]), "").word;
    for (name, kind, words) in [
        ("postfix-unknown", BounceKind::Hard, "550 5.1.1 <reader@example.net>: Recipient address rejected"),
        (
            "postfix-expired",
            BounceKind::Soft,
            "connect to mail.example.net[198.51.100.7]:25: Connection timed out",
        ),
        ("exim-report", BounceKind::Hard, "550 No such user here"),
        ("exim-letter", BounceKind::Hard, "550 5.1.1 <reader@example.net>... User unknown"),
        ("exchange-unknown", BounceKind::Hard, "550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
        ("outlook-full", BounceKind::Soft, "550 5.2.2 <reader@example.net>... Mailbox Full"),
        (
            "gmail-unknown",
            BounceKind::Hard,
            "550-5.1.1 The email account that you tried to reach does not exist.",
        ),
        ("gmail-full", BounceKind::Soft, "452-4.2.2 The recipient's inbox is out of storage space."),
        ("qq", BounceKind::Hard, "550 Mailbox not found."),
        ("netease", BounceKind::Hard, "550 User not found: reader@163.com"),
        ("qmail", BounceKind::Hard, "550 5.1.1 <reader@example.net>: Recipient address rejected"),
        ("utf8", BounceKind::Hard, "550 5.1.1 <读者@例子.example>: 用户不存在"),
        ("spam-refused", BounceKind::Soft, "554 DT:SPM 163 mx11"),
        ("complaint-yahoo", BounceKind::Complaint, "abuse Yahoo!-Mail-Feedback/2.0"),
        ("complaint-outlook", BounceKind::Complaint, "complaint about message from 192.0.2.10"),
    ] {
        let word = read(name).unwrap_or_else(|| panic!("{name} says nothing"));
        assert_eq!(word.kind, kind, "{name}: {word:?}");
        assert!(word.words.starts_with(words), "{name}: {word:?}");
    }
    for name in ["postfix-delayed", "out-of-office", "authentication-failure"] {
        assert_eq!(read(name), None, "{name}");
    }
}

#[test]
fn what_is_cut_or_hostile_says_nothing_and_ends_nobody() {
    let whole = fixture("gmail-unknown", &[]);
    for length in (0..whole.len()).step_by(97) {
        report::read(&whole[..length], "");
    }
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
    let boundaries = "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n".repeat(10_000);
    for text in
        ["", "\0", nested.as_str(), &boundaries, ":", "From: postmaster@x\r\n\r\n550", "a\r\n\r\n\u{fffd}"]
    {
        report::read(text.as_bytes(), "");
    }
    // A reader's own letter is none of a server's, whatever it holds.
    let letter = "From: reader@example.net\r\nSubject: hi\r\n\r\n550 5.1.1 no such user\r\n";
    assert_eq!(report::read(letter.as_bytes(), "").word, None);
    let forged = "From: postmaster@example.net\r\nSubject: hi\r\n\r\n550 5.1.1 no such user\r\n";
    assert_eq!(report::read(forged.as_bytes(), "somebody@example.net").word, None);
}
