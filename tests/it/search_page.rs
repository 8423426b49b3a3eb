//! The page of results: how it explains, narrows and orders.

use axum::http::Method;
use scraper::{Html, Selector};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use xiangxun::search::follower;

use crate::both_databases;
use crate::search::{ask, publish, publish_as};
use crate::support::TestApp;

fn address(pairs: &[(&str, &str)]) -> String {
    let start = "/search?";
    url::form_urlencoded::Serializer::for_suffix(start.to_owned(), start.len()).extend_pairs(pairs).finish()
}

async fn page(app: &TestApp, path: &str, language: &str) -> Html {
    let request = app.request(Method::GET, path).header("accept-language", language);
    let answer = app.send(request.body(axum::body::Body::empty()).unwrap()).await.assert_status(200);
    let text = answer.text();
    assert!(!text.contains('⟦'), "{text}");
    Html::parse_document(&text)
}

/// Text and address of the links that a selector finds.
fn links(page: &Html, selector: &str) -> Vec<(String, String)> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector)
        .map(|link| {
            let text: Vec<&str> = link.text().map(str::trim).filter(|text| !text.is_empty()).collect();
            (text.join(" "), link.attr("href").unwrap_or_default().to_owned())
        })
        .collect()
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).map(|found| found.text().collect::<String>().trim().to_owned()).collect()
}

both_databases! {
    async fn the_page_says_how_the_query_was_read_and_lets_each_part_be_taken_out(app) {
        let (account, _) = app.account("daily").await;
        publish(app, account.id, "颱風登陸", "各地停課").await;
        follower::catch_up(&app.app).await.unwrap();
        let q = "颱風 \"登陸\" -香港 title:颱風 OR 飓风 来自：@daily after:2024-01 含：图片";
        for (language, parts) in [
            ("zh-CN", ["颱風", "原样 “登陸”", "不要 香港", "标题含 颱風 或 飓风", "来自 daily 日报", "2024年1月1日 起", "含图片"]),
            ("zh-TW", ["颱風", "原樣 「登陸」", "不要 香港", "標題含 颱風 或 飓风", "來自 daily 日报", "2024年1月1日 起", "含圖片"]),
            ("en", ["颱風", "exactly “登陸”", "not 香港", "in the title: 颱風 or 飓风", "from daily 日报", "since 1 January 2024", "with image"]),
        ] {
            let page = page(app, &address(&[("q", q)]), language).await;
            let chips = links(&page, ".chips a");
            let said: Vec<&str> = chips.iter().map(|(text, _)| text.trim_end_matches(" ×")).collect();
            assert_eq!(said, parts);
            assert_eq!(chips[2].1, address(&[("q", &q.replace("-香港 ", ""))]));
        }
        // Plain words need no explanation.
        assert_eq!(links(&page(app, &address(&[("q", "颱風 登陸")]), "en").await, ".chips a").len(), 0);
        let noted = page(app, &address(&[("q", "颱風 after:foo lang:xx 来自：@nobody")]), "en").await;
        let notes = texts(&noted, ".hint");
        assert!(notes.iter().any(|note| note.contains("“after:foo”")) && notes.iter().any(|note| note.contains("“lang:xx”")), "{notes:?}");
        assert!(links(&noted, ".chips a").iter().any(|(text, _)| text.contains("there is no such account")));
    }

    async fn filters_are_shown_and_can_be_taken_off_one_by_one(app) {
        let (account, _) = app.account("daily").await;
        publish(app, account.id, "颱風登陸", "各地停課").await;
        follower::catch_up(&app.app).await.unwrap();
        let path = address(&[("q", "颱風"), ("account", "daily"), ("account", "nobody"), ("from", "2024"), ("to", "2024"), ("lang", "zh-Hant"), ("has", "image"), ("sort", "oldest")]);
        let page = page(app, &path, "en").await;
        let chips = links(&page, ".chips a");
        let said: Vec<&str> = chips.iter().map(|(text, _)| text.trim_end_matches(" ×")).collect();
        assert_eq!(said, ["from daily 日报", "from “nobody” (there is no such account)", "published in 2024", "in 繁體中文", "with image"]);
        assert_eq!(chips[2].1, path.replace("&from=2024&to=2024", ""));
        assert_eq!(chips[1].1, path.replace("&account=nobody", ""));
        // They outlive a new query.
        let hidden = page.select(&Selector::parse("form.seek input[type=hidden]").unwrap()).count();
        assert_eq!(hidden, 7);
        let wrong = self::page(app, &address(&[("q", "颱風"), ("from", "gestern")]), "en").await;
        assert_eq!(texts(&wrong, "#from-error"), ["Write a date such as 2026-01-31, 2026-01 or 2026."]);
        assert_eq!(wrong.select(&Selector::parse("details.narrow[open]").unwrap()).count(), 1);
    }

    async fn what_an_answer_holds_is_counted_and_narrows_it(app) {
        let (north, _) = app.account("north").await;
        let (south, _) = app.account("south").await;
        for (month, account, lang) in [(1, &north, "zh-Hans"), (1, &south, "zh-Hant"), (3, &north, "zh-Hans"), (3, &north, "zh-Hant")] {
            let day = format!("2024-{month:02}-15T00:00:00Z");
            let moment = chrono::DateTime::parse_from_rfc3339(&day).unwrap().timestamp_millis();
            publish_as(app, account.id, None, "颱風消息", "内容", lang, moment).await;
        }
        publish_as(app, south.id, None, "颱風旧闻", "内容", "en", 0).await;
        follower::catch_up(&app.app).await.unwrap();
        // Half a century is shown by years.
        let all = page(app, "/search?q=%E5%8F%B0%E9%A3%8E", "zh-CN").await;
        let bars = links(&all, ".bars a");
        assert_eq!(bars.iter().map(|bar| bar.1.as_str()).collect::<Vec<_>>(), ["/search?q=%E5%8F%B0%E9%A3%8E&from=1970&to=1970", "/search?q=%E5%8F%B0%E9%A3%8E&from=2024&to=2024"]);
        let year = page(app, &bars[1].1, "zh-CN").await;
        let titles: Vec<&str> = year.select(&Selector::parse(".bars [title]").unwrap()).map(|bar| bar.attr("title").unwrap()).collect();
        assert_eq!(titles, ["2024年1月：2 篇", "2024年2月：0 篇", "2024年3月：2 篇"]);
        assert_eq!(links(&year, ".chips a")[0].0, "发布于 2024 ×");
        let counts = links(&year, ".counts a");
        let labels: Vec<&str> = counts.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["north 日报 3", "south 日报 1", "简体中文 2", "繁體中文 2"]);
        let narrowed = page(app, &counts[0].1, "zh-CN").await;
        let narrowed = page(app, &links(&narrowed, ".counts a").iter().find(|(label, _)| label.starts_with("繁體")).unwrap().1, "zh-CN").await;
        assert_eq!(texts(&narrowed, ".hits h2").len(), 1);
        let chosen = links(&narrowed, ".counts a[aria-current]");
        assert_eq!(chosen.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), ["north 日报 ×", "繁體中文 ×"]);
        assert_eq!(texts(&page(app, &chosen[0].1, "zh-CN").await, ".hits h2").len(), 2);
        // Programs count too, where they ask for it.
        let answer = ask(app, &[("q", "台风"), ("facets", "true"), ("from", "2024")]).await;
        assert_eq!(answer["facets"]["accounts"][0]["account"]["handle"], "north");
        assert_eq!(answer["facets"]["months"], serde_json::json!([{"name": "2024-03", "count": 2}, {"name": "2024-01", "count": 2}]));
        assert!(ask(app, &[("q", "台风")]).await.get("facets").is_none());
    }

    async fn bars_count_in_the_readers_zone_and_filter_what_they_count(app) {
        let (account, reader) = app.account("daily").await;
        app.sign_in(reader.id).await;
        // Around New Year in Shanghai (16:00 in UTC), Toronto (5:00) and UTC itself.
        let hours = ["2024-12-31T04:30", "2024-12-31T15:30", "2024-12-31T16:30", "2024-12-31T23:30", "2025-01-01T00:30", "2025-01-01T04:30", "2025-01-01T05:30"];
        for (n, hour) in hours.iter().enumerate() {
            let moment = chrono::DateTime::parse_from_rfc3339(&format!("{hour}:00Z")).unwrap().timestamp_millis();
            publish_as(app, account.id, None, &format!("新年第{n}条"), "跨年焰火", "zh-Hans", moment).await;
        }
        follower::catch_up(&app.app).await.unwrap();
        for (zone, counts) in [("Asia/Shanghai", [2, 5]), ("UTC", [4, 3]), ("America/Toronto", [6, 1]), ("Pacific/Kiritimati", [1, 6])] {
            let mut row = reader.clone().into_active_model();
            row.timezone = Set(zone.into());
            row.update(app.app.db.write()).await.unwrap();
            let all = page(app, &address(&[("q", "\"跨年焰火\"")]), "zh-CN").await;
            let bars = Selector::parse(".bars a").unwrap();
            let titles: Vec<&str> = all.select(&bars).map(|bar| bar.attr("title").unwrap()).collect();
            assert_eq!(titles.len(), 2, "{zone}: {titles:?}");
            for (n, (_, href)) in links(&all, ".bars a").iter().enumerate() {
                assert!(titles[n].contains(&format!("：{} 篇", counts[n])), "{zone}: {titles:?}");
                assert_eq!(texts(&page(app, href, "zh-CN").await, ".hits h2").len(), counts[n], "{zone}: {href}");
            }
        }
    }

    async fn results_come_in_the_chosen_order(app) {
        let (account, _) = app.account("daily").await;
        for n in 1..=3 {
            publish_as(app, account.id, None, &format!("新闻{n}"), "内容", "zh-Hans", n * 86_400_000).await;
        }
        follower::catch_up(&app.app).await.unwrap();
        let page = page(app, "/search?q=%E5%86%85%E5%AE%B9&sort=oldest", "zh-CN").await;
        assert_eq!(texts(&page, ".hits h2"), ["新闻1", "新闻2", "新闻3"]);
        let orders = links(&page, ".orders a[href^=\"/search\"]");
        assert_eq!(orders.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(), ["最相关", "最新", "最早"]);
        assert_eq!(texts(&page, ".orders [aria-current]"), ["最早"]);
        let newest = self::page(app, &orders[1].1, "zh-CN").await;
        assert_eq!(texts(&newest, ".hits h2"), ["新闻3", "新闻2", "新闻1"]);
    }

    async fn a_report_that_several_accounts_carry_is_one_result(app) {
        let (north, _) = app.account("north").await;
        let (south, _) = app.account("south").await;
        let report: String = (0..40).map(|n| format!("第{}名救援人员在{}号公路以北{}公里处找到了失踪者。", n, n * 31, n * 7 + 3)).collect();
        publish(app, north.id, "山区救援", &report).await;
        publish(app, south.id, "山区救援（转载）", &format!("本报综合报道，{report}")).await;
        follower::catch_up(&app.app).await.unwrap();
        let page = page(app, &address(&[("q", "救援人员 失踪者")]), "zh-CN").await;
        assert_eq!(texts(&page, ".hits h2").len(), 1);
        let also = links(&page, ".hits .meta + .meta a");
        assert_eq!(also.len(), 1);
        assert!(also[0].1.starts_with("/@south/") != texts(&page, ".hits h2")[0].contains("转载"), "{also:?}");
    }

    async fn an_account_can_be_searched_from_its_own_page(app) {
        let (north, _) = app.account("north").await;
        let (south, _) = app.account("south").await;
        publish(app, north.id, "北方的颱風", "内容").await;
        publish(app, south.id, "南方的颱風", "内容").await;
        follower::catch_up(&app.app).await.unwrap();
        let home = page(app, "/@north", "zh-CN").await;
        let form = Selector::parse("form.seek input[name=account]").unwrap();
        assert_eq!(home.select(&form).next().unwrap().attr("value"), Some("north"));
        let found = page(app, &address(&[("account", "north"), ("q", "台风")]), "zh-CN").await;
        assert_eq!(texts(&found, ".hits h2"), ["北方的颱風"]);
    }

    async fn the_start_page_teaches_the_language(app) {
        for language in ["zh-CN", "zh-TW", "en"] {
            let start = page(app, "/search", language).await;
            assert_eq!(start.select(&Selector::parse("dl.language code").unwrap()).count(), 8);
            for example in texts(&start, "dl.language code") {
                let reading = xiangxun::search::query::parse::read(&example, chrono_tz::Tz::UTC);
                assert!(!reading.parsed.is_empty() && reading.notes().count() == 0, "{example}");
            }
        }
    }
}
