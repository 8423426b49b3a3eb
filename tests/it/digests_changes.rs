//! Changes between at once and digests: what is under way then is neither lost nor told twice.

use std::time::Duration;

use chrono_tz::Tz;
use xiangxun::db::entities::delivery::DeliveryState;
use xiangxun::db::entities::subscription::Cadence;
use xiangxun::subscriptions::{self, Change};

use crate::alerts::advance_to;
use crate::both_databases;
use crate::digests_hours::set_quiet;

const ZONE: Tz = Tz::Asia__Shanghai;
const HOUR: Duration = Duration::from_secs(60 * 60);

both_databases! {
    async fn who_turns_to_at_once_is_told_what_the_next_digest_would_have_told(app) {
        advance_to(app, ZONE, 12, 0);
        let (account, owner) = app.account("daily").await;
        let (other, author) = app.account("other").await;
        let row = app.follower(account.id, "reader@example.org", Cadence::Daily).await;
        app.follower(other.id, "reader@example.org", Cadence::Daily).await;
        app.app.clock.advance(HOUR);
        let one = app.news(&account, &owner, "一", "内容").await;
        app.push(account.id, &[&one]).await;
        let two = app.news(&account, &owner, "二", "内容").await;
        app.news(&other, &author, "别处", "内容").await;
        app.work().await;
        assert!(app.take_letters().is_empty());
        subscriptions::change(&app.app, row.id, Change::Instant).await.unwrap();
        app.work().await;
        let letters = app.take_letters();
        assert_eq!(letters.len(), 1);
        assert!(["* 一\n", "* 二\n"].iter().all(|line| letters[0].text.contains(line)), "{}", letters[0].text);
        assert!(!letters[0].text.contains("别处"), "its own time will come");
        // Pushed only now, and told already.
        app.push(account.id, &[&two]).await;
        app.work().await;
        assert!(app.take_letters().is_empty());
        let three = app.news(&account, &owner, "三", "内容").await;
        app.push(account.id, &[&three]).await;
        app.work().await;
        assert_eq!(app.take_letters().remove(0).subject, "三");
        let morning = app.morning().await;
        assert_eq!(morning.iter().map(|letter| letter.subject.as_str()).collect::<Vec<_>>(), ["每日摘要：别处"]);
    }

    async fn the_rest_waits_for_the_end_of_quiet_hours_and_nothing_is_sent_for_nothing(app) {
        advance_to(app, ZONE, 21, 0);
        let (account, owner) = app.account("daily").await;
        let row = app.follower(account.id, "reader@example.org", Cadence::Weekly).await;
        subscriptions::change(&app.app, row.id, Change::Instant).await.unwrap();
        subscriptions::change(&app.app, row.id, Change::Weekly).await.unwrap();
        app.work().await;
        assert!(app.take_letters().is_empty());
        set_quiet(app, "reader@example.org", 22, 7).await;
        app.app.clock.advance(HOUR);
        app.news(&account, &owner, "夜里", "内容").await;
        app.app.clock.advance(HOUR);
        subscriptions::change(&app.app, row.id, Change::Instant).await.unwrap();
        app.work().await;
        assert!(app.take_letters().is_empty());
        advance_to(app, ZONE, 7, 0);
        app.work().await;
        let letters = app.take_letters();
        assert!(letters.len() == 1 && letters[0].text.contains("* 夜里\n"), "{letters:?}");
    }

    async fn who_turns_to_digests_is_told_what_was_not_told_at_once(app) {
        advance_to(app, ZONE, 12, 0);
        let (account, owner) = app.account("daily").await;
        app.news(&account, &owner, "订阅之前", "内容").await;
        app.app.clock.advance(HOUR);
        let row = app.subscriber(account.id, "reader@example.org").await;
        app.app.clock.advance(HOUR);
        let told = app.news(&account, &owner, "说过", "内容").await;
        app.push(account.id, &[&told]).await;
        app.work().await;
        assert_eq!(app.take_letters().remove(0).subject, "说过");
        set_quiet(app, "reader@example.org", 22, 7).await;
        advance_to(app, ZONE, 23, 0);
        let waiting = app.news(&account, &owner, "等着", "内容").await;
        let push = app.push(account.id, &[&waiting]).await;
        let unpushed = app.news(&account, &owner, "还没群发", "内容").await;
        app.work().await;
        assert!(app.take_letters().is_empty());
        subscriptions::change(&app.app, row.id, Change::Daily).await.unwrap();
        app.app.clock.advance(HOUR);
        let letters = app.morning().await;
        assert_eq!(letters.len(), 1);
        assert!(["* 等着\n", "* 还没群发\n"].iter().all(|line| letters[0].text.contains(line)), "{}", letters[0].text);
        assert!(!letters[0].text.contains("说过") && !letters[0].text.contains("订阅之前"), "{}", letters[0].text);
        assert_eq!(app.deliveries(push).await.remove(0).state, DeliveryState::Suppressed);
        app.push(account.id, &[&unpushed]).await;
        app.work().await;
        assert!(app.take_letters().is_empty() && app.morning().await.is_empty());
    }
}
