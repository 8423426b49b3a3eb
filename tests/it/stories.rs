//! What readers come for, as they do it: each story in a real browser, on both databases.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::EntityTrait;
use serde_json::json;
use xiangxun::db::entities::subscription::{self, Cadence};
use xiangxun::db::entities::user::{self, UserState};
use xiangxun::media::picture::Use;
use xiangxun::page::Locale;
use xiangxun::subscriptions;
use xiangxun::subscriptions::timeline::queries::PAGE;

use crate::both_databases;
use crate::renditions::photo;
use crate::support::TestApp;
use crate::support::belongings::SETTLED;
use crate::support::browser::Browser;
use crate::support::people::{PASSWORD, user_with_password};
use crate::support::wait;

/// A browser at a running site.
struct Reader {
    browser: Browser,
    origin: String,
}

impl Reader {
    /// A stranger, at a desk.
    async fn stranger(app: &TestApp) -> Self {
        let reader = Self { browser: Browser::open(1280, 900).await, origin: app.listen().await };
        reader.visit("/offline").await;
        reader
    }

    /// Somebody who is signed in.
    async fn signed_in(app: &TestApp, user_id: i64) -> Self {
        let reader = Self::stranger(app).await;
        reader.browser.sign_in(app, user_id).await;
        reader
    }

    async fn visit(&self, path: &str) {
        self.browser.visit(&format!("{}{path}", self.origin)).await;
    }

    /// What stands beside the timeline, as it is folded on a phone: WebDriver sees nothing of a closed one elsewhere.
    async fn open_beside(&self) {
        self.browser.zoom(420, 900, 1.0).await;
        self.browser.click("details.narrow summary").await;
    }

    async fn path(&self) -> String {
        self.browser.window.current_url().await.unwrap().path().to_owned()
    }

    /// Waits until an expression is true of the page that is open.
    async fn until(&self, expression: &str) {
        let script = format!("return document.readyState === 'complete' && !!({expression});");
        let is_so = async || {
            // Between two pages there is nothing to ask.
            let answer = self.browser.window.execute(&script, Vec::new()).await;
            answer.is_ok_and(|answer| answer.json() == &json!(true)).then_some(())
        };
        let open = async || format!("{} at {}: {}", expression, self.path().await, self.browser.text().await);
        if wait::answer(is_so).await.is_none() {
            panic!("never so: {}", open().await);
        }
    }

    /// Waits until the articles that are listed are these.
    async fn until_listed(&self, titles: &[&str]) {
        let listed =
            "[...document.querySelectorAll('.items .headline')].map((one) => one.textContent.trim()).join()";
        self.until(&format!("{listed} === {}", json!(titles.join(",")))).await;
    }

    /// Says where files go that are downloaded.
    async fn keep_downloads(&self, app: &TestApp) -> PathBuf {
        let folder = app.app.config.data.join("downloads");
        std::fs::create_dir_all(&folder).unwrap();
        let to = json!({ "behavior": "allow", "downloadPath": folder });
        self.browser.tell("Browser.setDownloadBehavior", to).await;
        folder
    }
}

/// A file of this ending that has come into the folder as a whole.
async fn downloaded(folder: &Path, ending: &str) -> Vec<u8> {
    let find = async || {
        let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let file = files.into_iter().find(|path| path.extension().is_some_and(|found| found == ending))?;
        std::fs::read(file).ok().filter(|bytes| !bytes.is_empty())
    };
    wait::wait_for(&format!("a file .{ending}"), find).await
}

async fn follow(app: &TestApp, user: &user::Model, account_id: i64) -> subscription::Model {
    subscriptions::subscribe(&app.app, user, account_id, None, Locale::ZhHans).await.unwrap()
}

/// Articles published one minute after the other.
async fn publish(app: &TestApp, account_id: i64, titles: &[&str]) {
    for title in titles {
        app.app.clock.advance(Duration::from_secs(60));
        app.published(account_id, title).await;
    }
}

both_databases! {
    async fn an_article_is_read_in_another_script_and_as_it_was_written_in_a_browser(app) {
        let (daily, _) = app.account("daily").await;
        let path = format!("/@daily/{}", app.published(daily.id, "软件里的头发").await.slug);
        let reader = Reader::stranger(app).await;
        let (title, scripts) =
            ("document.querySelector('h1').textContent", "header form.scripts button[value=hant-tw]");
        reader.visit(&path).await;
        reader.until(&format!("{title} === '软件里的头发'")).await;
        reader.browser.click("header details.menu summary").await;
        reader.browser.click(scripts).await;
        reader.until(&format!("{title} === '軟體裡的頭髮'")).await;
        assert_eq!(reader.path().await, path);
        // One tap, there and back.
        for (shown, lang) in [("软件里的头发", "zh-Hans"), ("軟體裡的頭髮", "zh-Hant-TW")] {
            reader.browser.click(".converted a").await;
            reader.until(&format!("{title} === '{shown}'")).await;
            reader.until(&format!("document.querySelector('.prose').lang === '{lang}'")).await;
            assert_eq!(reader.path().await, path);
        }
        reader.browser.close().await;
    }

    async fn the_contents_of_a_long_article_lead_to_its_headings_in_a_browser(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let text = "这里是正文的一段话，写得很长。".repeat(80);
        let id = app
            .publish_new(
                "daily",
                "大作",
                &format!("## 起因\n\n{text}\n\n## 经过\n\n{text}\n\n## 结果\n\n{text}"),
            )
            .await;
        let reader = Reader::stranger(app).await;
        reader.visit(&format!("/@daily/{}", app.article(id).await.slug)).await;
        let top = "document.querySelector('.prose h2:last-of-type').getBoundingClientRect().top";
        reader.until(&format!("{top} > innerHeight")).await;
        reader.browser.click("nav.contents summary").await;
        reader.browser.click("nav.contents li:last-child a").await;
        reader.until(&format!("{top} >= 0 && {top} < innerHeight")).await;
        reader.browser.close().await;
    }

    async fn who_saves_data_sees_words_and_taps_for_a_picture_in_a_browser(app) {
        let (account, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let mut body = String::from("第一段。");
        for (height, words) in [(120, "桥上的早晨"), (128, "桥下的夜里")] {
            let kept = xiangxun::media::keep(&app.app, owner.id, account.id, photo(160, height), Use::Illustration);
            body.push_str(&format!("\n\n![{words}](/media/{})\n\n又一段。", kept.await.unwrap().key));
        }
        let id = app.publish_new("daily", "有图的", &body).await;
        app.work().await;
        let reader = Reader::stranger(app).await;
        reader.visit(&format!("/@daily/{}", app.article(id).await.slug)).await;
        reader.until("document.querySelectorAll('.prose img').length === 2").await;
        reader.browser.click("header details.menu summary").await;
        reader.browser.click("header .look input[name=pictures][value=never]").await;
        let are_unseen = "document.querySelectorAll('.prose .unseen').length === 2";
        reader.until(&format!("{are_unseen} && !document.querySelector('.prose img')")).await;
        reader.browser.see("桥上的早晨").await;
        reader.browser.see("桥下的夜里").await;
        reader.browser.click(".prose p:nth-of-type(2) a.unseen").await;
        reader.until("document.querySelector('.prose img')?.naturalWidth > 0").await;
        reader.until("document.querySelector('.prose img').alt === '桥上的早晨'").await;
        reader.until("document.querySelectorAll('.prose .unseen').length === 1").await;
        reader.browser.close().await;
    }

    async fn all_above_and_then_all_is_marked_as_read_in_a_browser(app) {
        let (daily, _) = app.account("daily").await;
        let user = app.user("reader@example.org").await;
        follow(app, &user, daily.id).await;
        publish(app, daily.id, &["早先的", "更早的"]).await;
        publish(app, daily.id, &["一页里的"; PAGE]).await;
        let reader = Reader::signed_in(app, user.id).await;
        reader.visit("/timeline?show=unread").await;
        reader.until(&format!("document.querySelectorAll('#timeline .item.unread').length === {PAGE}")).await;
        // What comes while the page is looked at was not above.
        publish(app, daily.id, &["刚到的"]).await;
        reader.browser.click("#mark-above").await;
        reader.until_listed(&["刚到的", "更早的", "早先的"]).await;
        publish(app, daily.id, &["最后到的"]).await;
        reader.browser.click("#mark-above + button").await;
        reader.until_listed(&["最后到的"]).await;
        reader.visit("/timeline").await;
        reader.until(&format!("document.querySelectorAll('#timeline .item.read').length === {}", PAGE - 1)).await;
        reader.browser.close().await;
    }

    async fn a_word_is_muted_and_what_it_hides_is_shown_again_in_a_browser(app) {
        let (daily, _) = app.account("daily").await;
        let user = app.user("reader@example.org").await;
        follow(app, &user, daily.id).await;
        publish(app, daily.id, &["彩票开奖", "渡轮复航"]).await;
        let reader = Reader::signed_in(app, user.id).await;
        reader.visit("/timeline").await;
        reader.until_listed(&["渡轮复航", "彩票开奖"]).await;
        reader.open_beside().await;
        reader.browser.click("details.narrow a[href='/timeline/mute']").await;
        reader.browser.fill("words", "彩票").await;
        reader.browser.click("main button.primary").await;
        reader.browser.see("有 1 篇因屏蔽词而隐藏").await;
        reader.until_listed(&["渡轮复航"]).await;
        reader.browser.click(".hidden-by-words a").await;
        reader.until_listed(&["渡轮复航", "彩票开奖"]).await;
        reader.browser.close().await;
    }

    async fn accounts_are_put_into_a_list_and_read_by_it_in_a_browser(app) {
        let user = app.user("reader@example.org").await;
        let mut home = 0;
        for (handle, title) in [("home", "家乡的"), ("money", "财经的")] {
            let (account, _) = app.account(handle).await;
            let followed = follow(app, &user, account.id).await;
            home = if handle == "home" { followed.id } else { home };
            publish(app, account.id, &[title]).await;
        }
        let reader = Reader::signed_in(app, user.id).await;
        reader.visit("/lists").await;
        reader.browser.fill("name", "早上读").await;
        reader.browser.click("form[action='/lists'] button").await;
        let form = format!("form[action='/subscriptions/{home}/list']");
        reader.browser.click(&format!("{form} option:nth-child(2)")).await;
        reader.browser.click(&format!("{form} button")).await;
        reader
            .until(&format!(
                "document.querySelector(\"{form} select\").value && document.querySelector('.flash')"
            ))
            .await;
        reader.visit("/timeline").await;
        reader.until_listed(&["财经的", "家乡的"]).await;
        reader.open_beside().await;
        reader.browser.click("details.narrow a[href^='/timeline?list=']").await;
        reader.until_listed(&["家乡的"]).await;
        reader.browser.close().await;
    }

    async fn who_is_signed_in_subscribes_by_one_tap_and_sets_the_pace_there_in_a_browser(app) {
        let (daily, _) = app.account("daily").await;
        let user = app.user("reader@example.org").await;
        let reader = Reader::signed_in(app, user.id).await;
        let row = async || subscriptions::queries::of_user(app.app.db.read(), user.id, daily.id).await.unwrap();
        reader.visit("/@daily").await;
        reader.browser.click("#subscribe button.primary").await;
        reader.browser.one("#subscribe .badge.good").await;
        assert_eq!((reader.path().await.as_str(), row().await.unwrap().cadence), ("/@daily", Cadence::Instant));
        reader.browser.click("#subscribe .cadence option[value=daily]").await;
        reader.browser.click("#subscribe .cadence button").await;
        let is_daily = async || row().await.is_some_and(|found| found.cadence == Cadence::Daily);
        wait::until("it comes daily", is_daily).await;
        reader.until("document.querySelector('#subscribe .cadence select').value === 'daily'").await;
        assert_eq!(reader.path().await, "/@daily");
        reader.browser.close().await;
    }

    async fn a_list_of_feeds_is_brought_along_and_taken_home_in_a_browser(app) {
        app.allow_unfinished_jobs();
        let user = app.user("reader@example.org").await;
        let reader = Reader::signed_in(app, user.id).await;
        let folder = reader.keep_downloads(app).await;
        reader.visit("/subscriptions/opml").await;
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/opml/feedly.opml");
        reader.browser.one("input[type=file]").await.send_keys(file).await.unwrap();
        reader.browser.click("form[action='/subscriptions/opml'] button").await;
        reader.browser.see("0 个公众号、47 个站外源").await;
        reader.browser.click("a[href='/subscriptions.opml']").await;
        let taken = String::from_utf8(downloaded(&folder, "opml").await).unwrap();
        assert_eq!(taken.matches("xmlUrl=").count(), 47, "{taken}");
        reader.browser.click("main a[href='/outside/feeds']").await;
        reader.browser.see("iOS摸鱼周报").await;
        reader.browser.close().await;
    }

    async fn what_is_kept_of_a_reader_is_asked_for_and_downloaded_in_a_browser(app) {
        app.allow_unfinished_jobs();
        let user = app.user("reader@example.org").await;
        let reader = Reader::signed_in(app, user.id).await;
        let folder = reader.keep_downloads(app).await;
        reader.visit("/settings/data").await;
        reader.browser.click("form[action='/settings/data/export'] button").await;
        reader.browser.see("正在制作：0%").await;
        reader.browser.one("#export progress").await;
        app.work().await;
        // The page that is open tells by itself.
        reader.browser.click("#export a[download]").await;
        let file = downloaded(&folder, "zip").await;
        assert!(file.starts_with(b"PK"));
        assert!(file.windows(12).any(|part| part == b"account.json"));
        reader.browser.close().await;
    }

    async fn who_leaves_is_signed_out_and_forgotten_in_a_browser(app) {
        app.allow_unfinished_jobs();
        let user = user_with_password(app, "reader@example.org").await;
        let reader = Reader::signed_in(app, user.id).await;
        reader.visit("/settings/data").await;
        let session = reader.browser.window.get_named_cookie("session").await.unwrap().value;
        reader.browser.click("a[href='/settings/leave']").await;
        reader.browser.fill("password", PASSWORD).await;
        reader.browser.click("main button.danger").await;
        reader.until("location.pathname !== '/settings/leave' && !document.querySelector('body.signed-in')").await;
        let left = async || user::Entity::find_by_id(user.id).one(app.app.db.read()).await.unwrap();
        assert_eq!(left().await.unwrap().state, UserState::Leaving);
        // Nor does the old session open anything.
        reader.browser.keep_cookie("session", &session).await;
        reader.visit("/settings").await;
        reader.until("location.pathname === '/sign-in'").await;
        app.app.clock.advance(SETTLED);
        app.work().await;
        assert!(left().await.is_none());
        reader.browser.close().await;
    }
}
