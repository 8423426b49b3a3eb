//! A reader's timeline at an address that needs no sign-in.

use axum::http::{Method, header};
use xiangxun::page::Locale;
use xiangxun::{lists, subscriptions};

use crate::both_databases;
use crate::support::TestApp;

/// The addresses on the page of settings, without the site's.
async fn addresses(app: &TestApp) -> Vec<String> {
    let page = app.get("/settings/reader-apps").await.assert_status(200).text();
    page.split("href=\"http://xiangxun.test/f/")
        .skip(1)
        .map(|rest| format!("/f/{}", rest.split('"').next().unwrap()))
        .collect()
}

both_databases! {
    async fn a_timeline_is_read_by_whoever_has_its_address_until_it_is_changed(app) {
        let user = app.user("reader@example.org").await;
        let (times, _) = app.account("times").await;
        let (post, _) = app.account("post").await;
        for account in [&times, &post] {
            subscriptions::subscribe(&app.app, &user, account.id, None, Locale::ZhHans).await.unwrap();
            app.published(account.id, &format!("{} 的文章", account.handle)).await;
        }
        let own = subscriptions::queries::of_user(app.app.db.read(), user.id, post.id).await.unwrap().unwrap();
        let list = lists::named(&app.app, user.id, "晚报").await.unwrap();
        lists::put(&app.app, user.id, own.id, Some(list.id)).await.unwrap();
        app.sign_in(user.id).await;
        assert!(addresses(app).await.is_empty());
        app.post("/settings/reader-apps/feeds", &[]).await.assert_status(303);
        let found = addresses(app).await;
        assert_eq!(found.len(), 6, "{found:?}");
        app.sign_out();
        for (at, address) in found.iter().enumerate() {
            let answer = app.get(address).await.assert_status(200);
            assert_eq!(answer.header("x-robots-tag"), "noindex, nofollow");
            assert_eq!(answer.header("cache-control"), "private, max-age=60");
            let feed = feed_rs::parser::parse(&answer.bytes[..]).unwrap_or_else(|why| panic!("{address}: {why}"));
            let mut titles: Vec<String> = feed.entries.iter().map(|e| e.title.as_ref().unwrap().content.clone()).collect();
            titles.sort();
            let wanted: &[&str] = if at < 3 { &["post 的文章", "times 的文章"] } else { &["post 的文章"] };
            assert_eq!(titles, wanted, "{address}");
            let request = app.request(Method::GET, address).header(header::IF_NONE_MATCH, answer.header("etag"));
            app.send(request.body(axum::body::Body::empty()).unwrap()).await.assert_status(304);
        }
        let forged = found[0].replacen("/f/1-", "/f/2-", 1);
        for wrong in [&*forged, "/f/x/timeline.atom", &found[0].replace(".atom", ".txt"), &found[0].replace("timeline", "list-999")] {
            app.get(wrong).await.assert_status(404);
        }
        // New addresses make the old ones worthless, and so does switching off.
        app.sign_in(user.id).await;
        app.post("/settings/reader-apps/feeds", &[]).await.assert_status(303);
        app.get(&found[0]).await.assert_status(404);
        let renewed = addresses(app).await.remove(0);
        app.get(&renewed).await.assert_status(200);
        app.post("/settings/reader-apps/feeds/revoke", &[]).await.assert_status(303);
        app.get(&renewed).await.assert_status(404);
    }
}
