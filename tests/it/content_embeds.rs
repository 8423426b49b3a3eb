//! Videos in articles: players of a few sites, shut in and asleep; of all others, links.

use rstest::rstest;
use xiangxun::articles::content::{PLAYER_HOSTS, from_html, from_markdown, plain_text};

use crate::both_databases;

/// The sources of the frames in HTML.
fn frames(html: &str) -> Vec<String> {
    let document = scraper::Html::parse_fragment(html);
    let frames = scraper::Selector::parse("iframe").unwrap();
    document.select(&frames).map(|frame| frame.attr("src").unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_video_is_a_frame_and_a_link() {
    let html = from_html(
        r#"<p>看：</p><iframe width="560" height="315" src="https://www.youtube.com/embed/dQw4w9WgXcQ?autoplay=1" title="渡轮 <首航>" onload="x()" srcdoc="<script>x()</script>" allow="camera" sandbox="allow-top-navigation" name="y" allowfullscreen></iframe><p>完。</p>"#,
    )
    .unwrap();
    let player = concat!(
        r#"<figure class="embed embed-video">"#,
        r#"<iframe src="/embed/youtube/dQw4w9WgXcQ" title="渡轮 &lt;首航&gt; (YouTube)" loading="lazy" "#,
        r#"sandbox="allow-scripts allow-same-origin allow-presentation allow-popups allow-popups-to-escape-sandbox" "#,
        r#"allow="autoplay; fullscreen; encrypted-media; picture-in-picture"></iframe>"#,
        r#"<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ" rel="noopener nofollow ugc">▶ 渡轮 &lt;首航&gt; (YouTube)</a></figure>"#,
    );
    assert_eq!(html, format!("<p>看：</p>{player}<p>完。</p>"));
    assert_eq!(from_html(&html).unwrap(), html, "the same when sanitised again");
    assert_eq!(plain_text(&html), "看：\n▶ 渡轮 <首航> (YouTube)\n完。");
    assert_eq!(from_markdown(&format!("看：\n\n{player}\n\n完。")).unwrap(), html, "also within Markdown");
}

#[rstest]
#[case::in_a_figure_as_wordpress_has_it(
    r#"<figure class="wp-block-embed"><div class="w"><iframe src="https://www.youtube.com/embed/abc"></iframe></div><figcaption>首航</figcaption></figure>"#
)]
#[case::in_a_paragraph(
    r#"<p>甲<iframe src="//player.bilibili.com/player.html?bvid=BV1xx411c7mD"></iframe>乙</p>"#
)]
#[case::in_a_list(r#"<ul><li>甲<iframe src="https://player.vimeo.com/video/76979871"></iframe></ul>"#)]
#[case::in_a_table(r#"<table><tr><td><iframe src="https://youtu.be/abc"></iframe></table>"#)]
#[case::in_a_link(r#"<a href="https://e.test/"><iframe src="https://youtu.be/abc"></iframe></a>"#)]
#[case::in_bold_text(r#"<b>甲<iframe src="https://youtu.be/abc"></iframe>乙</b>"#)]
#[case::in_a_players_place(
    r#"<figure class="embed embed-video"><iframe src="https://youtu.be/abc"></iframe></figure>"#
)]
#[case::as_we_write_it_ourselves(r#"<p>甲</p><iframe src="/embed/youtube/abc"></iframe>"#)]
#[case::as_an_object(
    r#"<object data="https://www.youtube.com/v/abc"><embed src="https://www.youtube.com/v/abc"></object>"#
)]
#[case::loaded_late_by_wechat(
    r#"<iframe data-src="https://v.qq.com/iframe/preview.html?vid=z0024k5dmzd"></iframe>"#
)]
fn one_video_is_one_player_wherever_it_stands(#[case] input: &str) {
    let html = from_html(input).unwrap();
    assert_eq!(frames(&html).len(), 1, "{html}");
    assert_eq!(html.matches("rel=\"noopener nofollow ugc\">▶ ").count(), 1, "and one link: {html}");
    assert_eq!(from_html(&html).unwrap(), html, "the same when sanitised again");
}

#[rstest]
#[case::another_site("https://evil.test/player.html")]
#[case::a_user_named_like_a_host("https://www.youtube-nocookie.com@evil.test/embed/abc")]
#[case::a_password_too("https://www.youtube-nocookie.com:443@evil.test/embed/abc")]
#[case::a_host_that_begins_alike("https://www.youtube-nocookie.com.evil.test/embed/abc")]
#[case::a_host_that_ends_alike("https://notyoutube.com/embed/abc")]
#[case::a_host_of_look_alikes("https://www.yоutube.com/embed/abc")]
#[case::a_backslash("https:\\\\evil.test\\www.youtube.com/embed/abc")]
#[case::data("data:text/html,<script>alert(1)</script>")]
#[case::script("javascript:alert(1)//www.youtube.com/embed/abc")]
#[case::script_with_breaks("java\nscript:alert(1)")]
#[case::blob("blob:https://www.youtube.com/abc")]
#[case::relative("/studio")]
#[case::nothing("")]
#[case::out_of_our_frames("/embed/youtube/../../sign-out")]
#[case::of_no_site_we_know("/embed/evil/abc")]
#[case::one_of_another_site("//evil.test/embed/youtube/abc")]
#[case::a_redirect_of_the_host("https://www.youtube.com/redirect?q=https://evil.test")]
#[case::an_id_that_leads_away("https://www.youtube.com/embed/..%2f..%2fredirect")]
#[case::an_id_that_breaks_out("https://v.qq.com/iframe/player.html?vid=x\"><script>alert(1)</script>")]
fn nothing_else_becomes_a_frame(#[case] source: &str) {
    for tag in ["iframe src", "iframe data-src", "embed src", "object data"] {
        let escaped = source.replace('"', "&quot;");
        let html = from_html(&format!("<p>甲</p><{tag}=\"{escaped}\">乙</iframe>")).unwrap();
        assert_eq!(frames(&html), Vec::<String>::new(), "{html}");
        assert!(!html.contains("<script") && !html.contains("script:"), "{html}");
        assert_eq!(from_html(&html).unwrap(), html, "the same when sanitised again");
    }
}

#[rstest]
#[case::within_another(
    "<iframe src=https://evil.test/><iframe src=https://youtu.be/abc></iframe></iframe>",
    0
)]
#[case::around_another(
    "<iframe src=https://youtu.be/abc><iframe src=https://evil.test/></iframe></iframe>",
    1
)]
#[case::with_a_script_inside("<iframe src=https://youtu.be/abc><script>alert(1)</script></iframe>", 1)]
#[case::never_closed("<iframe src=https://youtu.be/abc><p>甲<script>alert(1)</script>", 1)]
#[case::in_a_drawing("<svg><iframe src=https://youtu.be/abc></iframe></svg>", 0)]
#[case::in_a_title("<title><iframe src=https://youtu.be/abc></iframe></title>", 0)]
#[case::a_document_of_its_own("<iframe srcdoc='<script>alert(1)</script>'></iframe>", 0)]
#[case::unseen("<iframe src=https://youtu.be/abc width=0 height=0></iframe>", 0)]
#[case::as_deep_as_can_be(&deep(39), 1)]
#[case::deeper_than_can_be(&deep(60), 0)]
fn frames_in_odd_places_are_harmless(#[case] input: &str, #[case] most: usize) {
    let html = from_html(input).unwrap();
    assert!(frames(&html).len() <= most, "{html}");
    assert!(
        !html.contains("script>") && !html.contains("srcdoc") && !html.contains("evil.test/\"></iframe>"),
        "{html}"
    );
    assert_eq!(from_html(&html).unwrap(), html, "the same when sanitised again");
}

fn deep(blocks: usize) -> String {
    format!("{}<iframe src=https://youtu.be/abc></iframe>", "<blockquote>".repeat(blocks))
}

both_databases! {
    async fn a_frame_holds_a_link_to_the_player_and_nothing_of_others(app) {
        for (path, player) in [
            ("/embed/youtube/dQw4w9WgXcQ", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?autoplay=1"),
            ("/embed/bilibili/BV1xx411c7mD.2", "https://player.bilibili.com/player.html?bvid=BV1xx411c7mD&#38;p=2&#38;autoplay=1"),
        ] {
            let answer = app.get(path).await.assert_status(200);
            assert!(answer.text().contains(&format!("<a href=\"{player}\">")), "{}", answer.text());
            // Loaded by itself it asks nobody for anything but our style, and only we may frame it.
            assert_eq!(
                answer.header("content-security-policy"),
                "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
            );
            assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN");
            let others = answer.text().matches("https://").count();
            assert_eq!(others, 1, "{}", answer.text());
        }
        for path in ["/embed/youtube/%22%3E%3Cscript%3E", "/embed/evil/abc", "/embed/youtube/a.b", "/embed/youtube", "/embed/vimeo/x"] {
            app.get(path).await.assert_status(404);
        }
    }

    async fn the_policy_of_pages_allows_these_players_and_no_other_frames(app) {
        let (account, _) = app.account("times").await;
        let article = app.published(account.id, "有片").await;
        for path in ["/", "/sign-in", &format!("/@times/{}", article.slug)] {
            let answer = app.get(path).await.assert_status(200);
            let policy = answer.header("content-security-policy");
            let directive = policy.split("; ").find(|part| part.starts_with("frame-src ")).unwrap();
            let sources: Vec<&str> = directive.split(' ').skip(1).collect();
            let expected: Vec<String> = PLAYER_HOSTS.iter().map(|host| format!("https://{host}")).collect();
            assert_eq!(sources[0], "'self'");
            assert_eq!(sources[1..], expected);
            assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
        }
    }
}
