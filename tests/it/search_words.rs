//! Words in searches: Latin ones and numbers are whole, and some words mean the same.

use axum::body::Body;
use axum::http::Method;
use xiangxun::search::follower;

use crate::both_databases;
use crate::search::{ask, publish, titles};

both_databases! {
    async fn latin_words_and_numbers_are_whole_unless_quoted(app) {
        let (account, _) = app.account("daily").await;
        for (title, body) in [
            ("生成式AI工具上线", "模型会写文章，AI不会 paint。"),
            ("Bernard Haitink 逝世", "指挥家离开了 via India 的舞台。"),
            ("C++ 之父来访", "他讲了C++的历史。"),
            ("Act one", "A cat acts."),
            ("第 5 号台风", "5G手机可以收到预警。"),
            ("第15号台风", "15G 流量免费送。"),
        ] {
            publish(app, account.id, title, body).await;
        }
        follower::catch_up(&app.app).await.unwrap();
        for (query, found) in [
            ("AI", &["生成式AI工具上线"][..]),
            ("ａi", &["生成式AI工具上线"]),
            ("\"AI\"", &["Bernard Haitink 逝世", "生成式AI工具上线"]),
            ("AI工具", &["生成式AI工具上线"]),
            ("title:ai", &["生成式AI工具上线"]),
            ("via", &["Bernard Haitink 逝世"]),
            ("C++", &["C++ 之父来访"]),
            ("\"c＋＋\"", &["C++ 之父来访"]),
            ("C", &["C++ 之父来访"]),
            ("act", &["Act one"]),
            ("5G", &["第 5 号台风"]),
            ("台风 -(15)", &["第 5 号台风"]),
            ("AI -haitink", &["生成式AI工具上线"]),
        ] {
            // By date, nothing is added that only shares some letters.
            let mut all = titles(app, &[("q", query), ("sort", "newest")]).await;
            all.sort();
            assert_eq!(all, found, "{query}");
        }
        let answer = ask(app, &[("q", "AI")]).await;
        assert_eq!(answer["items"][0]["snippet_html"], "模型会写文章，<mark>AI</mark>不会 paint。");
    }

    async fn words_that_mean_the_same_are_found_after_what_was_typed(app) {
        let (account, _) = app.account("daily").await;
        for (title, body) in [
            ("中国人民银行宣布降准", "中国人民银行今天公布。"),
            ("央行宣布降准", "消息刚刚公布。"),
            ("中國人民銀行降准", "中國人民銀行今日公佈。"),
            ("人民医院扩建", "银行街的中国医生都来了。"),
        ] {
            publish(app, account.id, title, body).await;
        }
        follower::catch_up(&app.app).await.unwrap();
        // By date, nothing is added that only shares some letters.
        let exact = async |query: &str| titles(app, &[("q", query), ("sort", "newest")]).await.len();
        assert_eq!(exact("央行").await, 3);
        assert_eq!(exact("央行降准").await, 1, "the rephrased run stands in one");
        assert_eq!(exact("中国人民银行").await, 3);
        assert_eq!(exact("\"央行\"").await, 1);
        assert_eq!(exact("-央行").await, 3, "what is not wanted is not widened");
        assert_eq!(titles(app, &[("q", "央行")]).await[0], "央行宣布降准");
        let page = app.get("/search?q=%E5%A4%AE%E8%A1%8C").await.assert_status(200).text();
        assert!(page.contains("中国人民银行。加上引号就只找原词。"), "{page}");
        let request = app.request(Method::GET, "/search?q=%E5%A4%AE%E8%A1%8C").header("accept-language", "zh-Hant");
        let page = app.send(request.body(Body::empty()).unwrap()).await.text();
        assert!(page.contains("中國人民銀行。"), "in the reader's script: {page}");
        let answer = ask(app, &[("q", "央行 -宣布")]).await;
        assert_eq!(answer["total"], 1);
        assert_eq!(answer["items"][0]["snippet_html"], "<mark>中國人民銀行</mark>今日公佈。");
    }
}
