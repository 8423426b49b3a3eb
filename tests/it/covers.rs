//! Covers of imported articles: fetched once, kept and shown from here; what is hostile stays where it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use xiangxun::articles::Actor;
use xiangxun::db::entities::imported_cover::{self, CoverState};
use xiangxun::db::entities::source::{self, SourceMode};
use xiangxun::db::entities::{account, article, media, user};
use xiangxun::error::Error;
use xiangxun::media::picture::Use;
use xiangxun::{import, media as pictures};

use crate::renditions::photo;
use crate::support::TestApp;
use crate::support::outlet::{Outlet, Page};
use crate::with_outlet;

/// A feed whose entries have these covers.
fn feed(covers: &[String]) -> Page {
    let items: String = covers
        .iter()
        .enumerate()
        .map(|(number, cover)| {
            format!("<item><guid isPermaLink=\"false\">{number}</guid><title>第{number}条</title><pubDate>Fri, 02 Jan 2026 08:00:0{number} +0800</pubDate><description><![CDATA[<p>正文{number}</p><img src=\"{cover}\">]]></description></item>")
        })
        .collect();
    Page::feed(format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>报</title>{items}</channel></rss>"
    ))
}

async fn connect(app: &TestApp, outlet: &Outlet) -> (account::Model, user::Model, source::Model) {
    let (account, owner) = app.account("times").await;
    let actor = Actor { account_id: account.id, user_id: owner.id };
    let url = outlet.url("/feed").parse().unwrap();
    let source = import::connect(&app.app, actor, &url, "", SourceMode::Publish).await.unwrap();
    app.work().await;
    (account, owner, source)
}

/// Lets what waits fall due.
async fn pass(app: &TestApp, seconds: u64) {
    app.app.clock.advance(Duration::from_secs(seconds));
    app.work().await;
}

/// Reads the feed again, which has other entries now, and then what it names.
async fn read_again(app: &TestApp, source: &source::Model, owner: &user::Model) {
    let actor = Actor { account_id: source.account_id, user_id: owner.id };
    import::refresh_now(&app.app, actor, source.id).await.unwrap();
    app.work().await;
    pass(app, 11).await;
}

/// An address on this machine where somebody picks up and says nothing, and how often they did.
async fn silent_host() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    // No secure connection comes about.
    let address = format!("https://{}", listener.local_addr().unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    tokio::spawn(async move {
        while let Ok((call, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            std::mem::drop(call);
        }
    });
    (address, calls)
}

async fn rows(app: &TestApp) -> Vec<imported_cover::Model> {
    let all = imported_cover::Entity::find().order_by_asc(imported_cover::COLUMN.id);
    all.all(app.app.db.read()).await.unwrap()
}

with_outlet! {
    async fn a_cover_is_fetched_once_and_shown_from_here(app, outlet) {
        let cover = outlet.url("/img/a.png");
        outlet.serve("/img/a.png", Page::new("image/jpeg", photo(400, 60)));
        outlet.serve("/feed", feed(&[cover.clone(), cover.clone()]));
        let (account, owner, source) = connect(app, outlet).await;
        // The articles are there first, with the picture where it is.
        let row = article::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert!(app.get("/@times").await.text().contains(&format!("<img class=\"thumb\" src=\"{cover}\"")));
        assert!(outlet.requests("/img/a.png").is_empty());
        pass(app, 11).await;
        let kept = media::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!((kept.account_id, kept.user_id, kept.imported, kept.width), (account.id, None, true, 400));
        let page = app.get(&format!("/@times/{}", row.slug)).await.assert_status(200).text();
        assert!(page.contains(&format!("/media/{}\"", kept.key)) && !page.contains(&cover), "{page}");
        assert!(page.contains("320w") && page.contains("width=\"400\" height=\"60\""), "{page}");
        let list = app.get("/@times").await.text();
        assert!(list.contains("<picture>") && !list.contains(&cover), "{list}");
        // The article is as its outlet wrote it, so nothing of it changed; and one fetch was enough.
        let after = article::Entity::find_by_id(row.id).one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!(after, row);
        let wait = source::Entity::find_by_id(source.id).one(app.app.db.read()).await.unwrap().unwrap().next_fetch_at.0 - app.app.clock.now().0;
        pass(app, u64::try_from(wait / 1000).unwrap() + 1).await;
        pass(app, 60).await;
        xiangxun::media::covers::run(&app.app, account.id).await.unwrap();
        assert_eq!(outlet.requests("/img/a.png").len(), 1);
        assert!(outlet.requests("/img/a.png")[0].get("accept").unwrap().to_str().unwrap().contains("image/"));
        app.sign_in(owner.id).await;
        let sources = app.get("/studio/@times/sources").await.assert_status(200).text();
        assert!(sources.contains("已存到本站的封面：1 张。没有遗漏。"), "{sources}");
    }

    async fn hostile_covers_stay_where_they_are_and_harm_nothing(app, outlet) {
        let mut bomb = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;".to_vec();
        bomb.resize(200, 0);
        let endless = Page { pause: Duration::from_millis(1), ..Page::new("image/png", vec![0; 13 * 1024 * 1024]) };
        let cases: [(&str, Page); 7] = [
            ("/bomb.gif", Page::new("image/gif", bomb)),
            ("/drawing.png", Page::new("image/png", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")),
            ("/page.jpg", Page::new("image/jpeg", "<html><script>alert(1)</script></html>")),
            ("/endless.png", endless),
            ("/gone.png", Page::status(404)),
            ("/mail.png", Page::redirect(302, "http://127.0.0.1:25/")),
            ("/round.png", Page::redirect(302, "/round.png")),
        ];
        let mut covers = Vec::new();
        for (path, page) in cases {
            outlet.serve(path, page);
            covers.push(outlet.url(path));
        }
        outlet.serve("/good.png", Page::new("image/jpeg", photo(60, 60)));
        covers.push(outlet.url("/good.png"));
        outlet.serve("/feed", feed(&covers));
        let (_, owner, _) = connect(app, outlet).await;
        pass(app, 11).await;
        let rows = rows(app).await;
        for row in &rows {
            let expected = if row.url.ends_with("good.png") { CoverState::Kept } else { CoverState::Refused };
            assert_eq!(row.state, expected, "{row:?}");
            assert_eq!(row.reason.is_some(), expected == CoverState::Refused, "{row:?}");
        }
        assert_eq!(rows.len(), 8);
        assert_eq!(media::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        let list = app.get("/@times").await.assert_status(200).text();
        assert!(list.contains("/bomb.gif\"") && !list.contains("/good.png"), "{list}");
        app.sign_in(owner.id).await;
        let sources = app.get("/studio/@times/sources").await.assert_status(200).text();
        assert!(sources.contains("已存到本站的封面：1 张。取不到或不是图片、仍用原地址的：7 张。"), "{sources}");
        // None of them is asked for again.
        pass(app, 3_600).await;
        assert_eq!(outlet.requests("/gone.png").len(), 1);
    }

    async fn a_server_that_is_ill_is_asked_again_later_and_not_for_ever(app, outlet) {
        outlet.serve("/ill.png", Page::status(503));
        outlet.serve("/dead.png", Page::status(503));
        outlet.serve("/feed", feed(&[outlet.url("/ill.png"), outlet.url("/dead.png")]));
        connect(app, outlet).await;
        pass(app, 11).await;
        assert!(rows(app).await.iter().all(|row| row.state == CoverState::Waiting && row.attempts == 1));
        outlet.serve("/ill.png", Page::new("image/jpeg", photo(60, 60)));
        pass(app, 120).await;
        assert_eq!(outlet.requests("/ill.png").len(), 1, "it has not had its rest");
        for _ in 0..8 {
            pass(app, 86_400).await;
        }
        let states: Vec<_> = rows(app).await.iter().map(|row| (row.url.ends_with("ill.png"), row.state, row.attempts)).collect();
        assert!(states.contains(&(true, CoverState::Kept, 2)) && states.contains(&(false, CoverState::Refused, 5)), "{states:?}");
    }

    async fn a_cover_that_failed_does_not_hold_up_those_that_come_after_it(app, outlet) {
        outlet.serve("/ill.png", Page::status(503).with("retry-after", "36000"));
        outlet.serve("/feed", feed(&[outlet.url("/ill.png")]));
        let (_, owner, source) = connect(app, outlet).await;
        pass(app, 11).await;
        assert_eq!((rows(app).await[0].state, rows(app).await[0].attempts), (CoverState::Waiting, 1));
        outlet.serve("/good.png", Page::new("image/jpeg", photo(60, 60)));
        outlet.serve("/feed", feed(&[outlet.url("/ill.png"), outlet.url("/good.png")]));
        read_again(app, &source, &owner).await;
        let states: Vec<_> = rows(app).await.iter().map(|row| (row.url.ends_with("ill.png"), row.state)).collect();
        assert_eq!(states, [(true, CoverState::Waiting), (false, CoverState::Kept)]);
        assert_eq!(outlet.requests("/ill.png").len(), 1);
    }

    async fn a_host_that_does_not_answer_is_asked_for_one_of_its_covers(app, outlet) {
        let (address, calls) = silent_host().await;
        let mut covers: Vec<String> = (0..4).map(|number| format!("{address}/{number}.png")).collect();
        outlet.serve("/good.png", Page::new("image/jpeg", photo(60, 60)));
        covers.push(outlet.url("/good.png"));
        outlet.serve("/feed", feed(&covers));
        connect(app, outlet).await;
        pass(app, 11).await;
        // What is left of the run has its turn a little later.
        pass(app, 6).await;
        let (good, silent): (Vec<_>, Vec<_>) = rows(app).await.into_iter().partition(|row| row.url.ends_with("good.png"));
        assert_eq!(good[0].state, CoverState::Kept);
        assert!(silent.iter().all(|row| row.state == CoverState::Waiting && row.attempts == 1 && row.reason.is_some()), "{silent:?}");
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        for _ in 0..5 {
            pass(app, 86_400).await;
        }
        let silent: Vec<_> = rows(app).await.into_iter().filter(|row| !row.url.ends_with("good.png")).collect();
        assert!(silent.iter().all(|row| row.state == CoverState::Refused && row.attempts == 5), "{silent:?}");
        assert_eq!(calls.load(Ordering::SeqCst), 5);
    }

    async fn covers_and_uploads_have_room_of_their_own(app, outlet) {
        outlet.serve("/a.png", Page::new("image/jpeg", photo(60, 60)));
        outlet.serve("/b.png", Page::new("image/jpeg", photo(60, 61)));
        outlet.serve("/feed", feed(&[outlet.url("/a.png")]));
        let fill = async |imported: bool, bytes: i64| {
            let all = media::Entity::update_many().col_expr(media::Column::Bytes, Expr::value(bytes));
            all.filter(media::COLUMN.imported.eq(imported)).exec(app.app.db.write()).await.unwrap();
        };
        let (account, owner, source) = connect(app, outlet).await;
        let upload = async |height: u32| {
            pictures::keep(&app.app, owner.id, account.id, photo(50, height), Use::Illustration).await
        };
        // Members have used theirs up, which is nothing to covers.
        upload(50).await.unwrap();
        fill(false, 4 << 30).await;
        let Err(Error::Invalid(problems)) = upload(51).await else { panic!("there is no room") };
        assert_eq!(problems.of("file").unwrap().key, pictures::FULL);
        pass(app, 11).await;
        assert_eq!(rows(app).await[0].state, CoverState::Kept);
        // And the other way round: nothing is fetched for which there is no room, and nothing is given up.
        fill(false, 1_000).await;
        fill(true, 4 << 30).await;
        outlet.serve("/feed", feed(&[outlet.url("/a.png"), outlet.url("/b.png")]));
        read_again(app, &source, &owner).await;
        let full = rows(app).await.remove(1);
        assert_eq!((full.state, full.attempts, full.reason.as_deref()), (CoverState::Waiting, 0, Some(pictures::FULL)));
        assert!(outlet.requests("/b.png").is_empty());
        upload(51).await.unwrap();
        fill(true, 1_000).await;
        pass(app, 86_400).await;
        assert!(rows(app).await.iter().all(|row| row.state == CoverState::Kept && row.reason.is_none()));
    }

    async fn a_picture_that_several_accounts_have_is_looked_up_once(app, outlet) {
        let url = outlet.url("/a.png");
        outlet.serve("/a.png", Page::new("image/jpeg", photo(60, 60)));
        let mut ids = Vec::new();
        for handle in ["times", "post", "globe"] {
            let (account, _) = app.account(handle).await;
            let tx = app.app.db.begin().await.unwrap();
            pictures::covers::want(&tx, app.app.clock.now(), account.id, [url.as_str()]).await.unwrap();
            tx.commit().await.unwrap();
            pass(app, 11).await;
            ids.push(account.id);
        }
        assert_eq!(outlet.requests("/a.png").len(), 3, "once for each account");
        let found = pictures::queries::by_covers(app.app.db.read(), vec![pictures::covers::hash(&url)]).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|(_, row)| row.account_id).collect();
        assert_eq!(found, ids[..1]);
    }

    async fn covers_of_a_feed_that_comes_as_a_file_are_fetched_too(app, outlet) {
        outlet.serve("/a.png", Page::new("image/jpeg", photo(400, 60)));
        let (account, _) = app.account("times").await;
        let document = feed(&[outlet.url("/a.png")]).body;
        let done = import::file::import_file(&app.app, &account, &document, SourceMode::Publish).await.unwrap();
        assert_eq!(done.inserted, 1);
        pass(app, 11).await;
        assert_eq!(rows(app).await[0].state, CoverState::Kept);
        let list = app.get("/@times").await.text();
        assert!(list.contains("<picture>") && !list.contains(&outlet.url("/a.png")), "{list}");
    }
}

/// Where private addresses are not allowed, the outlet on this machine is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_address_is_not_asked() {
    let app = TestApp::start(crate::support::Backend::Sqlite).await;
    let outlet = Outlet::start().await;
    outlet.serve("/a.png", Page::new("image/jpeg", photo(60, 60)));
    let (account, _) = app.account("times").await;
    let tx = app.app.db.begin().await.unwrap();
    let url = outlet.url("/a.png");
    xiangxun::media::covers::want(
        &tx,
        app.app.clock.now(),
        account.id,
        [url.as_str(), "data:image/png;base64,x"],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    pass(&app, 11).await;
    let rows = rows(&app).await;
    assert_eq!((rows.len(), rows[0].state), (1, CoverState::Refused), "{rows:?}");
    assert!(outlet.requests("/a.png").is_empty());
    app.finish().await;
}
