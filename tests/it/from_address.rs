//! An account's own sender: proven by its domain, signed with its own key.

use std::time::Duration;

use xiangxun::accounts::from_address;
use xiangxun::db::entities::member::Role;
use xiangxun::jobs::upkeep;

use crate::on_both_databases;
use crate::support::mail_host::MailHost;
use crate::support::name_server::NameServer;
use crate::support::{Backend, TestApp};

on_both_databases! {
    an_outlet_sends_by_its_own_address_once_its_domain_has_the_key
    nobody_sends_in_the_name_of_a_domain_that_has_not_their_key
    only_owners_choose_the_sender
}

async fn app_with(backend: Backend, names: &NameServer, host: &MailHost) -> TestApp {
    let (address, url) = (names.address.to_string(), host.url());
    TestApp::start_with(backend, move |config| {
        config.name_server = address;
        config.smtp_url = url;
        config.mail_from = "乡讯 <news@xiangxun.test>".into();
    })
    .await
}

async fn push(app: &TestApp, account: i64) {
    let article = app.published(account, "署名").await;
    app.push(account, &[&article]).await;
    app.work().await;
}

/// The headers of the last message.
fn head(host: &MailHost) -> String {
    let bytes = host.taken().pop().unwrap().bytes;
    String::from_utf8(bytes).unwrap().split("\r\n\r\n").next().unwrap().replace("\r\n ", " ")
}

async fn an_outlet_sends_by_its_own_address_once_its_domain_has_the_key(backend: Backend) {
    let (names, host) = (NameServer::start().await, MailHost::start(|_| None).await);
    let app = app_with(backend, &names, &host).await;
    let (account, owner) = app.account("daily").await;
    app.sign_in(owner.id).await;
    app.subscriber(account.id, "reader@example.net").await;
    let page = app.get("/studio/@daily/from").await.assert_status(200).text();
    assert!(page.contains("news@xiangxun.test"), "the site's address is named");
    app.post("/studio/@daily/from", &[("address", "Editor@Outlet.example")]).await.assert_status(303);
    let row = from_address::of_account(app.app.db.read(), account.id).await.unwrap().unwrap();
    assert_eq!((row.address.as_str(), row.domain.as_str()), ("editor@outlet.example", "outlet.example"));
    assert!(!row.secret.contains("PRIVATE KEY"), "the key is sealed");
    let (name, record) = from_address::record(&app.app, &row).unwrap();
    let page = app.get("/studio/@daily/from").await.text();
    assert!(page.contains(&name) && page.contains("v=DKIM1; k=rsa; p="), "{page}");

    push(&app, account.id).await;
    assert!(head(&host).contains("<news@xiangxun.test>"), "not before it is proven");
    app.post("/studio/@daily/from/check", &[]).await.assert_status(303);
    push(&app, account.id).await;
    assert!(head(&host).contains("<news@xiangxun.test>"), "the record is not there yet");

    names.txt(&name, &record);
    app.post("/studio/@daily/from/check", &[]).await.assert_status(303);
    push(&app, account.id).await;
    let sent = head(&host);
    assert!(sent.contains("<editor@outlet.example>") && !sent.contains("<news@xiangxun.test>"), "{sent}");
    assert!(sent.contains("d=outlet.example;") && sent.contains(&format!("s={};", row.selector)), "{sent}");
    assert_eq!(host.taken().pop().unwrap().from, "news@xiangxun.test", "bounces still come to the site");

    // Its DNS fails for a day: nothing changes. The key is taken out of it: the site's address is back.
    names.fail(&name);
    upkeep::run_once(&app.app).await.unwrap();
    push(&app, account.id).await;
    assert!(head(&host).contains("<editor@outlet.example>"));
    names.forget(&name);
    app.app.clock.advance(Duration::from_secs(24 * 60 * 60));
    upkeep::run_once(&app.app).await.unwrap();
    push(&app, account.id).await;
    assert!(head(&host).contains("<news@xiangxun.test>"));

    app.post("/studio/@daily/from/leave", &[]).await.assert_status(303);
    assert_eq!(from_address::of_account(app.app.db.read(), account.id).await.unwrap(), None);
    app.finish().await;
}

async fn nobody_sends_in_the_name_of_a_domain_that_has_not_their_key(backend: Backend) {
    let (names, host) = (NameServer::start().await, MailHost::start(|_| None).await);
    let app = app_with(backend, &names, &host).await;
    let (honest, owner) = app.account("honest").await;
    app.sign_in(owner.id).await;
    app.post("/studio/@honest/from", &[("address", "a@outlet.example")]).await.assert_status(303);
    let row = from_address::of_account(app.app.db.read(), honest.id).await.unwrap().unwrap();
    let (name, record) = from_address::record(&app.app, &row).unwrap();
    names.txt(&name, &record);
    app.post("/studio/@honest/from/check", &[]).await.assert_status(303);

    let (sly, owner) = app.account("sly").await;
    app.subscriber(sly.id, "reader@example.net").await;
    app.sign_in(owner.id).await;
    for address in
        ["news@xiangxun.test", "x@localhost", "nonsense", "a@outlet.example\r\nBcc: x@y.example", ""]
    {
        let answer = app.post("/studio/@sly/from", &[("address", address)]).await;
        assert_eq!(answer.status, 422, "{address}");
    }
    // The same domain, whose key is another account's; and a parent of it, and a child.
    for address in ["b@outlet.example", "b@example", "b@sub.outlet.example"] {
        app.post("/studio/@sly/from", &[("address", address)]).await;
        app.post("/studio/@sly/from/check", &[]).await;
        push(&app, sly.id).await;
        assert!(head(&host).contains("<news@xiangxun.test>"), "{address}");
    }
    // Proven for one domain, an address at another is not.
    app.sign_in(owner.id).await;
    app.post("/studio/@sly/from", &[("address", "me@sly.example")]).await.assert_status(303);
    let row = from_address::of_account(app.app.db.read(), sly.id).await.unwrap().unwrap();
    let (name, record) = from_address::record(&app.app, &row).unwrap();
    names.txt(&name, &record);
    app.post("/studio/@sly/from/check", &[]).await.assert_status(303);
    app.post("/studio/@sly/from", &[("address", "you@sly.example")]).await.assert_status(303);
    push(&app, sly.id).await;
    assert!(head(&host).contains("<you@sly.example>"), "the domain is proven, whoever it is there");
    app.post("/studio/@sly/from", &[("address", "a@outlet.example")]).await.assert_status(303);
    push(&app, sly.id).await;
    assert!(head(&host).contains("<news@xiangxun.test>"));
    app.finish().await;
}

async fn only_owners_choose_the_sender(backend: Backend) {
    let (names, host) = (NameServer::start().await, MailHost::start(|_| None).await);
    let app = app_with(backend, &names, &host).await;
    let (account, _) = app.account("daily").await;
    for role in [Role::Editor, Role::Author, Role::Analyst] {
        app.sign_in_as(account.id, role).await;
        app.get("/studio/@daily/from").await.assert_status(403);
        app.post("/studio/@daily/from", &[("address", "a@outlet.example")]).await.assert_status(403);
        app.post("/studio/@daily/from/check", &[]).await.assert_status(403);
        app.post("/studio/@daily/from/leave", &[]).await.assert_status(403);
    }
    app.finish().await;
}
