//! Sessions and settings of those who have signed in.

use std::time::Duration;

use sea_orm::EntityTrait;
use xiangxun::auth::session;
use xiangxun::db::entities::session as session_row;

use crate::both_databases;
use crate::support::people::{
    PASSWORD, get_with_session, is_signed_in, link_path, session_token, user_with_password,
};

both_databases! {
    async fn signing_in_always_makes_a_new_session(app) {
        let person = user_with_password(app, "known@example.org").await;
        // A token planted by somebody else is never taken over.
        app.keep_cookie("session", "planted");
        let fields = [("email", "known@example.org"), ("password", PASSWORD)];
        let first = app.post("/sign-in", &fields).await.assert_status(303);
        assert!(!first.header("set-cookie").contains("planted"));
        assert_eq!(get_with_session(app, "/settings", "planted").await.status, 303);
        let old = session_token(&first);
        // Signing in again replaces the session that this browser had.
        app.post("/sign-in", &fields).await.assert_status(303);
        assert_eq!(get_with_session(app, "/settings", &old).await.status, 303);
        assert_eq!(session::list(&app.app, person.id).await.unwrap().len(), 1);
        // Only a hash is kept.
        let row = session_row::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!(row.token_hash.len(), 64);
    }

    async fn sessions_are_listed_and_ended(app) {
        let person = app.user("known@example.org").await;
        let other = app.user("other@example.org").await;
        let phone = session::open(&app.app, person.id, "Mozilla/5.0 (iPhone) Safari/604.1", "203.0.113.9").await.unwrap();
        let strangers = session::open(&app.app, other.id, "curl/8", "203.0.113.10").await.unwrap();
        app.sign_in(person.id).await;
        let page = app.get("/settings/sessions").await.assert_status(200).text();
        assert!(page.contains("Safari · iPhone") && page.contains("203.0.113.9") && !page.contains("203.0.113.10"), "{page}");
        let rows = session::list(&app.app, person.id).await.unwrap();
        let phones = rows.iter().find(|row| row.ip == "203.0.113.9").unwrap();
        let strangers_id = session::list(&app.app, other.id).await.unwrap()[0].id;
        app.post(&format!("/settings/sessions/{strangers_id}/end"), &[]).await.assert_status(404);
        app.post(&format!("/settings/sessions/{}/end", phones.id), &[]).await.assert_status(303);
        assert_eq!(get_with_session(app, "/settings", phone.value()).await.status, 303);
        assert_eq!(get_with_session(app, "/settings", strangers.value()).await.status, 200);
        assert!(is_signed_in(app).await);
        // Everywhere, here too.
        app.post("/settings/sessions/end", &[]).await.assert_status(303);
        assert!(session::list(&app.app, person.id).await.unwrap().is_empty());
        assert!(!is_signed_in(app).await);
    }

    async fn a_session_ends_thirty_days_after_its_last_use(app) {
        let person = app.user("known@example.org").await;
        app.sign_in(person.id).await;
        app.app.clock.advance(Duration::from_secs(29 * 24 * 3600));
        assert!(is_signed_in(app).await);
        app.app.clock.advance(Duration::from_secs(29 * 24 * 3600));
        assert!(is_signed_in(app).await);
        app.app.clock.advance(Duration::from_secs(31 * 24 * 3600));
        assert!(!is_signed_in(app).await);
    }

    async fn changing_the_password_ends_other_sessions(app) {
        let person = user_with_password(app, "known@example.org").await;
        let other = session::open(&app.app, person.id, "curl", "203.0.113.9").await.unwrap();
        app.sign_in(person.id).await;
        let wrong = [("current", "not it at all"), ("password", "another good one")];
        assert!(app.post("/settings/password", &wrong).await.assert_status(422).text().contains("aria-invalid"));
        app.post("/settings/password", &[("current", PASSWORD), ("password", "short")]).await.assert_status(422);
        assert_eq!(get_with_session(app, "/settings", other.value()).await.status, 200);
        let right = [("current", PASSWORD), ("password", "another good one")];
        app.post("/settings/password", &right).await.assert_status(303);
        assert_eq!(get_with_session(app, "/settings", other.value()).await.status, 303);
        assert!(is_signed_in(app).await);
        app.sign_out();
        app.post("/sign-in", &[("email", "known@example.org"), ("password", PASSWORD)]).await.assert_status(422);
        app.post("/sign-in", &[("email", "known@example.org"), ("password", "another good one")]).await.assert_status(303);
    }

    async fn a_forgotten_password_is_set_anew_by_a_link(app) {
        let person = user_with_password(app, "known@example.org").await;
        let other = session::open(&app.app, person.id, "curl", "203.0.113.9").await.unwrap();
        app.post("/sign-in/forgotten", &[("email", "known@example.org")]).await.assert_status(303);
        app.work().await;
        let path = link_path(app);
        app.get(&path).await.assert_status(200);
        // A password that will not do leaves the link good.
        app.post(&path, &[("password", "1234567890")]).await.assert_status(422);
        app.post(&path, &[]).await.assert_status(422);
        app.post(&path, &[("password", "another good one")]).await.assert_status(303);
        assert!(is_signed_in(app).await);
        assert_eq!(get_with_session(app, "/settings", other.value()).await.status, 303);
        app.post("/sign-in", &[("email", "known@example.org"), ("password", PASSWORD)]).await.assert_status(422);
    }

    async fn somebody_without_a_password_gets_one_by_a_link(app) {
        let person = app.user("known@example.org").await;
        app.sign_in(person.id).await;
        app.post("/settings/password", &[("current", ""), ("password", "another good one")]).await.assert_status(422);
        app.post("/settings/password/link", &[]).await.assert_status(303);
        app.work().await;
        let answer = app.post(&link_path(app), &[("password", "another good one")]).await.assert_status(303);
        assert_eq!(answer.location(), "/settings/password");
        app.sign_out();
        app.post("/sign-in", &[("email", "known@example.org"), ("password", "another good one")]).await.assert_status(303);
    }

    async fn a_sign_in_link_does_not_set_a_password(app) {
        user_with_password(app, "known@example.org").await;
        app.post("/sign-in", &[("email", "known@example.org")]).await.assert_status(303);
        app.work().await;
        app.post(&link_path(app), &[("password", "another good one"), ("name", "别人")]).await.assert_status(303);
        app.sign_out();
        app.post("/sign-in", &[("email", "known@example.org"), ("password", "another good one")]).await.assert_status(422);
        app.post("/sign-in", &[("email", "known@example.org"), ("password", PASSWORD)]).await.assert_status(303);
        assert!(app.get("/settings").await.text().contains("读者"));
    }

    async fn a_profile_is_changed_and_shows_at_once(app) {
        let person = app.user("known@example.org").await;
        app.sign_in(person.id).await;
        app.keep_cookie("lang", "zh-Hans");
        let bad = [("name", ""), ("locale", "tlh"), ("timezone", "Mars/Olympus")];
        let answer = app.post("/settings", &bad).await.assert_status(422);
        assert_eq!(answer.text().matches("class=\"error\"").count(), 3, "{}", answer.text());
        let good = [("name", "Ming"), ("locale", "en"), ("timezone", "America/Toronto")];
        app.post("/settings", &good).await.assert_status(303);
        let page = app.get("/settings").await.assert_status(200).text();
        assert!(page.contains("Saved.") && page.contains("<html lang=\"en\">"), "{page}");
        assert!(page.contains("<option selected>America/Toronto</option>"), "{page}");
    }
}
