//! The operators' page of all messages: who sees it, what is found on it and how, and that it never reads the whole
//! ledger.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use xiangxun::db::entities::alert::AlertCadence;
use xiangxun::db::entities::subscription::Cadence;
use xiangxun::db::entities::user;
use xiangxun::jobs;

use crate::both_databases;
use crate::support::TestApp;
use crate::support::belongings::{EMAIL, person, run};
use crate::support::people::PASSWORD;

const PATH: &str = "/studio/messages";

async fn sign_in_as_operator(app: &TestApp) -> user::Model {
    let operator = app.user("operator@example.net").await;
    run(app, &format!("UPDATE users SET operator = TRUE WHERE id = {}", operator.id)).await;
    app.sign_out();
    app.sign_in(operator.id).await;
    operator
}

/// The addresses on a page, in its order.
fn addresses(page: &str) -> Vec<&str> {
    let parts = page.split("<td><div class=\"name\">").skip(1);
    parts.map(|part| part.split('<').next().unwrap()).collect()
}

/// The addresses that are found.
async fn found(app: &TestApp, query: &str) -> Vec<String> {
    let page = app.get(&format!("{PATH}?{query}")).await.assert_status(200).text();
    addresses(&page).into_iter().map(ToOwned::to_owned).collect()
}

/// Where the link to older messages leads.
fn next(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("rel=\"next\" href=\"")?;
    Some(rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&"))
}

/// All addresses from a page on to the last, and the number of pages.
async fn to_the_last(app: &TestApp, query: &str) -> (Vec<String>, usize) {
    let (mut path, mut all, mut pages) = (Some(format!("{PATH}?{query}")), Vec::new(), 0);
    while let Some(here) = path {
        let page = app.get(&here).await.assert_status(200).text();
        all.extend(addresses(&page).into_iter().map(ToOwned::to_owned));
        pages += 1;
        assert!(pages < 20, "{here}");
        path = next(&page);
    }
    (all, pages)
}

/// Deliveries of a push whose readers nobody knows any more.
async fn fill(app: &TestApp, push: i64, count: usize, state: &str) {
    let now = app.app.clock.now().0;
    run(
        app,
        &format!(
            "INSERT INTO deliveries (push_id, channel, provider, state, attempts, next_attempt_at, message_id, created_at, updated_at) \
             WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count}) \
             SELECT {push}, 'email', 'other', '{state}', 1, {now}, '', {now}, {now} FROM numbers"
        ),
    )
    .await;
}

both_databases! {
    async fn only_operators_see_all_messages(app) {
        let (account, owner) = app.account("daily").await;
        app.subscriber(account.id, "anna@example.org").await;
        app.get(PATH).await.assert_status(303);
        app.sign_in(owner.id).await;
        let refused = app.get(&format!("{PATH}?q=anna")).await.assert_status(403).text();
        assert!(!refused.contains("anna@"));
        assert!(!app.get("/studio").await.text().contains(PATH));
        sign_in_as_operator(app).await;
        let empty = app.get(PATH).await.assert_status(200).text();
        assert!(empty.contains("还没有寄送记录") && !empty.contains("<table"), "{empty}");
        assert!(app.get("/studio").await.text().contains("href=\"/studio/messages\""));
        let article = app.published(account.id, "头条").await;
        app.push(account.id, &[&article]).await;
        app.work().await;
        let page = app.get(PATH).await.assert_status(200).text();
        assert_eq!(addresses(&page), ["anna@example.org"]);
        for words in ["daily 日报", "头条", "群发", "邮件", "已送达"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        // Who is an operator no more.
        run(app, "UPDATE users SET operator = FALSE").await;
        app.get(PATH).await.assert_status(403);
    }

    async fn a_message_of_each_kind_is_found_by_its_address(app) {
        let (account, owner) = app.account("daily").await;
        app.subscriber(account.id, "anna@example.org").await;
        app.subscriber(account.id, "anna.b@example.org").await;
        app.follower(account.id, "bob@xn--fsqu00a.xn--fiqs8s", Cadence::Daily).await;
        let carla = app.user("carla@example.org").await;
        app.alert(&carla, "台风", AlertCadence::Instant).await;
        let article = app.news(&account, &owner, "台风登陆", "学校停课。").await;
        app.push(account.id, &[&article]).await;
        app.work().await;
        app.morning().await;
        sign_in_as_operator(app).await;
        let page = app.get(PATH).await.assert_status(200).text();
        let mut all = addresses(&page);
        assert_eq!(all[0], "bob@xn--fsqu00a.xn--fiqs8s", "the newest is first: {page}");
        all.sort_unstable();
        assert_eq!(all, ["anna.b@example.org", "anna@example.org", "bob@xn--fsqu00a.xn--fiqs8s", "carla@example.org"]);
        for (query, expected) in [
            ("q=anna%40example.org", vec!["anna@example.org"]),
            ("q=%20ANNA%40Ex", vec!["anna@example.org"]),
            ("q=ａｎｎａ＠ｅ", vec!["anna@example.org"]),
            ("q=anna.", vec!["anna.b@example.org"]),
            ("q=bob%40例子.中国", vec!["bob@xn--fsqu00a.xn--fiqs8s"]),
            ("q=bob&kind=digest&state=delivered", vec!["bob@xn--fsqu00a.xn--fiqs8s"]),
            ("q=bob&kind=push", vec![]),
            ("q=carla&kind=alert", vec!["carla@example.org"]),
            ("q=carla&state=failed", vec![]),
            ("q=nna", vec![]),
            ("q=%25", vec![]),
            ("q=_", vec![]),
            ("kind=digest", vec!["bob@xn--fsqu00a.xn--fiqs8s"]),
            ("kind=alert", vec!["carla@example.org"]),
            ("kind=alert&state=delivered", vec!["carla@example.org"]),
            ("kind=alert&state=failed", vec![]),
            ("state=waiting", vec![]),
            ("state=suppressed&kind=digest", vec![]),
        ] {
            assert_eq!(found(app, query).await, expected, "{query}");
        }
        let mut two = found(app, "q=ann&kind=all&state=all").await;
        two.sort();
        assert_eq!(two, ["anna.b@example.org", "anna@example.org"]);
        let digest = app.get(&format!("{PATH}?q=bob")).await.text();
        assert!(digest.contains("每日摘要") && digest.contains("共 1 篇"), "{digest}");
        assert!(app.get(&format!("{PATH}?q=carla")).await.text().contains("台风"));
        // What no address begins with, and what no filter is.
        for typed in ["a%20b", "%3Cscript%3E", "a%40b%40c", &"a".repeat(3_000)] {
            let page = app.get(&format!("{PATH}?q={typed}")).await.assert_status(422).text();
            assert!(page.contains("没有邮箱会这样开头") && addresses(&page).is_empty(), "{page}");
            assert!(!page.contains("<script>"));
        }
        for query in ["kind=letter", "state=lost", "before=x", "kind="] {
            app.get(&format!("{PATH}?{query}")).await.assert_status(400);
        }
        assert!(found(app, "before=-1").await.is_empty());
        let none = app.get(&format!("{PATH}?q=nobody%40example.org")).await.assert_status(200).text();
        assert!(none.contains("没有符合条件的记录"), "{none}");
    }

    async fn pages_lead_to_the_last_message_with_and_without_filters(app) {
        let (account, _) = app.account("daily").await;
        for number in 0..120 {
            app.subscriber(account.id, &format!("r{number:03}@example.org")).await;
        }
        let article = app.published(account.id, "头条").await;
        app.push(account.id, &[&article]).await;
        app.work().await;
        run(app, "UPDATE deliveries SET state = 'failed', answer = '550 <b>no</b>' WHERE subscription_id % 2 = 0").await;
        sign_in_as_operator(app).await;
        let (all, pages) = to_the_last(app, "").await;
        assert_eq!((all.len(), pages), (120, 3));
        let mut each = all.clone();
        each.sort();
        each.dedup();
        assert_eq!(each.len(), 120, "each once");
        for (query, count, many) in [
            ("kind=push", 120, 3), ("state=failed", 60, 2), ("state=failed&kind=push", 60, 2),
            ("state=delivered", 60, 2), ("q=r1", 20, 1), ("q=r00", 10, 1), ("state=failed&q=r00", 5, 1),
        ] {
            let (some, pages) = to_the_last(app, query).await;
            assert_eq!((some.len(), pages), (count, many), "{query}");
            let in_order: Vec<_> = all.iter().filter(|address| some.contains(address)).cloned().collect();
            assert_eq!(some, in_order, "{query}");
        }
        let failed = app.get(&format!("{PATH}?state=failed")).await.text();
        assert!(failed.contains("550 &#60;b&#62;no&#60;/b&#62;") || failed.contains("550 &lt;b&gt;no&lt;/b&gt;"), "{failed}");
        // More addresses begin so than are looked up at once; it is said.
        assert!(app.get(&format!("{PATH}?q=r")).await.text().contains("这样开头的邮箱很多"));
        let second = next(&app.get(&format!("{PATH}?state=failed")).await.text()).unwrap();
        let second = app.get(&second).await.text();
        assert!(second.contains("rel=\"prev\" href=\"/studio/messages?state=failed\""), "{second}");
    }

    async fn what_no_index_leads_to_is_looked_for_a_stretch_at_a_time(app) {
        let (account, owner) = app.account("daily").await;
        app.subscriber(account.id, "first@example.org").await;
        let carla = app.user("carla@example.org").await;
        app.alert(&carla, "台风", AlertCadence::Instant).await;
        let article = app.news(&account, &owner, "台风登陆", "学校停课。").await;
        let push = app.push(account.id, &[&article]).await;
        app.work().await;
        app.app.clock.advance(Duration::from_secs(3_600));
        fill(app, push, 45_000, "suppressed").await;
        sign_in_as_operator(app).await;
        let page = app.get(&format!("{PATH}?state=delivered")).await.assert_status(200).text();
        assert!(page.contains("这一段里没有符合条件的记录") && page.contains("继续查找"), "{page}");
        let (all, pages) = to_the_last(app, "state=delivered").await;
        assert_eq!((all.len(), pages), (2, 3));
        // What an index leads to is there at once, however far back.
        for query in ["kind=alert", "kind=alert&state=delivered", "q=carla", "q=first&state=delivered"] {
            assert_eq!(to_the_last(app, query).await.1, 1, "{query}");
            assert_eq!(found(app, query).await.len(), 1, "{query}");
        }
        run(app, "UPDATE deliveries SET state = 'failed' WHERE subscription_id IS NOT NULL").await;
        assert_eq!(found(app, "state=failed&kind=push").await, ["first@example.org"]);
        run(app, "UPDATE deliveries SET state = 'waiting' WHERE subscription_id IS NOT NULL").await;
        assert_eq!(found(app, "state=waiting").await, ["first@example.org"]);
        run(app, "UPDATE deliveries SET state = 'held' WHERE subscription_id IS NOT NULL").await;
        assert_eq!(found(app, "state=waiting&kind=push").await, ["first@example.org"]);
        assert!(found(app, "state=waiting&kind=alert").await.is_empty());
        run(app, "UPDATE deliveries SET state = 'waiting'").await;
        assert_eq!(found(app, "state=waiting&kind=alert").await, ["carla@example.org"]);
        assert_eq!(found(app, "state=waiting&q=first").await, ["first@example.org"]);
        run(app, "DELETE FROM deliveries").await;
    }

    async fn whoever_has_left_the_site_is_a_dash(app) {
        let (account, _) = app.account("paper").await;
        let article = app.published(account.id, "签证新规").await;
        person(app).await;
        app.post("/@paper/subscribe", &[]).await;
        app.push(account.id, &[&article]).await;
        app.work().await;
        app.take_letters();
        let left = app.post("/settings/leave", &[("password", PASSWORD)]).await.assert_status(303);
        assert_eq!(left.location(), "/");
        jobs::worker::run_due(&app.app).await.unwrap();
        app.app.clock.advance(Duration::from_secs(41));
        app.work().await;
        sign_in_as_operator(app).await;
        let page = app.get(PATH).await.assert_status(200).text();
        assert_eq!(addresses(&page), ["–"]);
        assert!(!page.contains(EMAIL) && !page.contains("left-"), "{page}");
        assert!(found(app, "q=left").await.is_empty());
        assert!(found(app, &format!("q={}", &EMAIL[..8])).await.is_empty());
        // On the push's own page too.
        let operator = app.user("owner@example.net").await;
        app.member(account.id, operator.id, xiangxun::db::entities::member::Role::Owner).await;
        app.sign_out();
        app.sign_in(operator.id).await;
        let page = app.get("/studio/@paper/pushes/1").await.assert_status(200).text();
        assert!(page.contains("<td><div>–</div></td>") && !page.contains("left-"), "{page}");
    }

    async fn addresses_are_looked_up_by_an_index(app) {
        let db = app.app.db.read();
        if db.get_database_backend() != DbBackend::Postgres {
            return;
        }
        let plan = |sql: &'static str| async move {
            run(app, "ANALYZE subscriptions").await;
            let sql = format!("EXPLAIN {sql}");
            let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
            rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect::<Vec<_>>().join("\n")
        };
        let (account, _) = app.account("daily").await;
        run(
            app,
            &format!(
                "INSERT INTO subscriptions (account_id, email, state, cadence, locale, created_at) \
                 SELECT {}, 'r' || i || '@example.org', 'active', 'instant', 'en', 0 FROM generate_series(1, 20000) i",
                account.id
            ),
        )
        .await;
        // A beginning, and, now that this index goes by bytes, a whole address.
        for sql in [
            "SELECT email FROM subscriptions WHERE email ~>=~ 'r77' AND email ~<~ 'r78' LIMIT 400",
            "SELECT id FROM subscriptions WHERE email = 'r77@example.org'",
        ] {
            let plan = plan(sql).await;
            assert!(plan.contains("ix_subscriptions_email"), "{plan}");
        }
    }
}
