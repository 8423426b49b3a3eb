//! Article bodies: what the sanitiser keeps.

use rstest::rstest;
use url::Url;
use xiangxun::articles::content::{from_html, from_html_at, from_markdown, from_plain_text, plain_text};

#[rstest]
#[case::text("你好", "<p>你好</p>")]
#[case::divs("<div>一</div><div>二</div>", "<p>一</p><p>二</p>")]
#[case::double_breaks("一<br><br>二<br>三", "<p>一</p><p>二<br>三</p>")]
#[case::indents("<p>　　正文</p><p>&nbsp;</p><p><br></p>", "<p>正文</p>")]
#[case::source_lines("<p>中文\n  断行 and\nEnglish</p>", "<p>中文断行 and English</p>")]
#[case::heading("<h1>题</h1>文", "<h2>题</h2><p>文</p>")]
#[case::misnested("<p><b>a<i>b</b>c</i></p>", "<p><b>a<i>b</i></b><i>c</i></p>")]
#[case::block_in_inline("<b><p>x</p><p>y</p></b>", "<p><b>x</b></p><p><b>y</b></p>")]
#[case::unclosed_list(
    "<ul><li>a<li>b<ul><li>c</ul></ul>d",
    "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>d</p>"
)]
#[case::dl("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt><dd>d</dd></dl>")]
#[case::table("<table><tr><td>a<td><tr><th scope=row colspan=2>b</table>", r#"<table><tbody><tr><td>a</td><td></td></tr><tr><th colspan="2" scope="row">b</th></tr></tbody></table>"#)]
#[case::stray_text_in_table(
    "<table>x<tr><td>y</table>",
    "<table><tbody><tr><td>x</td></tr><tr><td>y</td></tr></tbody></table>"
)]
#[case::ruby("<ruby>漢<rp>(<rt>かん<rp>)</ruby>", "<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby></p>")]
#[case::edits(
    "<del>a</del><ins>b</ins><sub>c</sub><sup>d</sup><mark>e</mark>",
    "<p><del>a</del><ins>b</ins><sub>c</sub><sup>d</sup><mark>e</mark></p>"
)]
#[case::language(
    r#"<p lang="ja">日本</p><span lang=en>x</span>"#,
    r#"<p lang="ja">日本</p><p><span lang="en">x</span></p>"#
)]
#[case::word_language("<span lang=EN-US>x<o:p></o:p></span>", "<p>x</p>")]
#[case::details(
    "<details open><summary>a</summary>b</details>",
    "<details><summary>a</summary><p>b</p></details>"
)]
#[case::pre("<pre>\n\n a\n  b</pre>", "<pre> a\n  b</pre>")]
#[case::rooted_link(
    r#"<a href="/@a/b" target=_blank>x</a>"#,
    r#"<p><a href="/@a/b" rel="noopener nofollow ugc">x</a></p>"#
)]
#[case::other_site_by_slashes(
    r#"<a href="//e.test/x">x</a>"#,
    r#"<p><a href="https://e.test/x" rel="noopener nofollow ugc">x</a></p>"#
)]
#[case::page_id(
    r##"<p id="search">x <a href="#search">y</a></p>"##,
    r##"<p id="text-search">x <a href="#text-search" rel="noopener nofollow ugc">y</a></p>"##
)]
fn html_is_put_in_order(#[case] input: &str, #[case] output: &str) {
    assert_eq!(from_html(input).unwrap(), output);
    assert_eq!(from_html(output).unwrap(), output);
}

#[test]
fn figures_images_and_captions_are_kept() {
    let input = r#"<figure style="x"><img class="a" src="https://e.test/1.jpg" alt="桥" width="640" height="480px" onload=x srcset="y">
        <figcaption>一座桥</figcaption></figure><img src="data:image/gif;base64,R0lG"><img src="https://e.test/t.gif" width=1 height=1>"#;
    assert_eq!(
        from_html(input).unwrap(),
        r#"<figure><img src="https://e.test/1.jpg" alt="桥" width="640" height="480" loading="lazy" decoding="async" referrerpolicy="no-referrer"><figcaption>一座桥</figcaption></figure>"#
    );
}

#[test]
fn the_debris_of_wechat_is_cleared_away() {
    let input = r#"<section style="box-sizing: border-box;"><section data-role="outer" style="margin:0"><section>
        <p style="text-indent: 2em;"><span style="font-size: 15px;color: rgb(63, 63, 63);">　　第一段</span><span style="font-weight: bold;">重点</span>。</p></section>
        <p><img class="rich_pages" data-src="https://mmbiz.qpic.cn/mmbiz_jpg/x/640?wx_fmt=jpeg" data-ratio="0.5" data-w="1080" src="data:image/svg+xml,x"></p>
        <p><br  /></p><section><span><br></span></section>
        <iframe class="video_iframe" data-src="https://v.qq.com/iframe/preview.html?vid=z0024k5dmzd&amp;width=500" allowfullscreen></iframe>
        <mpvoice name="x"></mpvoice></section></section>"#;
    assert_eq!(
        from_html(input).unwrap(),
        concat!(
            "<p>第一段<strong>重点</strong>。</p>",
            r#"<p><img src="https://mmbiz.qpic.cn/mmbiz_jpg/x/640?wx_fmt=jpeg" alt="" width="1080" height="540" loading="lazy" decoding="async" referrerpolicy="no-referrer"></p>"#,
            r#"<figure class="embed embed-video"><iframe src="/embed/tencent/z0024k5dmzd" title="腾讯视频" loading="lazy" sandbox="allow-scripts allow-same-origin allow-presentation allow-popups allow-popups-to-escape-sandbox" allow="autoplay; fullscreen; encrypted-media; picture-in-picture"></iframe><a href="https://v.qq.com/x/page/z0024k5dmzd.html" rel="noopener nofollow ugc">▶ 腾讯视频</a></figure>"#,
        )
    );
}

#[test]
fn the_debris_of_word_is_cleared_away() {
    let input = r#"<!--[if gte mso 9]><xml><w:WordDocument></w:WordDocument></xml><![endif]--><style>p.MsoNormal{margin:0}</style>
        <p class=MsoNormal style='mso-margin-top-alt:auto'><b style='mso-bidi-font-weight:normal'><span lang=ZH-CN style='font-family:宋体'>通知</span></b><span lang=EN-US><o:p></o:p></span></p>
        <p class=MsoNormal><![if !supportLists]>1.<![endif]><a name="_Toc1"></a>内容</p>"#;
    assert_eq!(from_html(input).unwrap(), "<p><b>通知</b></p><p>1.内容</p>");
}

#[test]
fn players_are_kept_with_secure_files_only_and_never_start_alone() {
    assert_eq!(
        from_html(r#"<video autoplay src="http://e.test/a.mp4" poster="https://e.test/a.jpg"><source src="https://e.test/b.mp4">old browser</video><audio src="http://e.test/c.mp3"></audio>"#).unwrap(),
        concat!(
            r#"<p><video src="https://e.test/b.mp4" controls="" preload="none" poster="https://e.test/a.jpg"></video></p>"#,
            r#"<figure class="embed"><a href="http://e.test/c.mp3" rel="noopener nofollow ugc">↗ e.test</a></figure>"#,
        )
    );
}

#[test]
fn relative_addresses_are_taken_from_the_page_they_came_from() {
    let base = Url::parse("https://news.test/2026/a.html").unwrap();
    assert_eq!(
        from_html_at(r#"<a href="b.html">b</a><img src="/img/1.png">"#, Some(&base)).unwrap(),
        r#"<p><a href="https://news.test/2026/b.html" rel="noopener nofollow ugc">b</a><img src="https://news.test/img/1.png" alt="" loading="lazy" decoding="async" referrerpolicy="no-referrer"></p>"#
    );
    assert_eq!(from_html(r#"<a href="b.html">b</a><img src="/img/1.png">"#).unwrap(), "<p>b</p>");
}

#[test]
fn an_uploaded_picture_is_written_as_a_path_of_this_site() {
    let html = from_markdown("![桥](/media/1/0123456789abcdef0123456789abcdef.jpg)").unwrap();
    assert!(
        html.starts_with(r#"<p><img src="/media/1/0123456789abcdef0123456789abcdef.jpg" alt="桥""#),
        "{html}"
    );
    assert_eq!(from_html(&html).unwrap(), html);
    for other in [
        "/media/../sign-out",
        "/media/%2e%2e/sign-out",
        "/media//e.test/x.jpg",
        "/sign-out",
        "//media/1/x.jpg?",
    ] {
        let html = from_html(&format!("<p>x<img src=\"{other}\"></p>")).unwrap();
        assert!(html == "<p>x</p>" || html.contains("src=\"https://media/1/x.jpg?\""), "{html}");
    }
    // In a feed it is a path of the feed's site.
    let base = Url::parse("https://news.test/feed.xml").unwrap();
    let html = from_html_at("<img src=/media/1/x.jpg>", Some(&base)).unwrap();
    assert!(html.contains("src=\"https://news.test/media/1/x.jpg\""), "{html}");
}

#[test]
fn markdown_has_tables_tasks_footnotes_and_chinese_emphasis() {
    let html = from_markdown(
        "# 题\n\n**重点。**后文~~删~~[^a]，https://e.test/x 。\n换行\n\n| 甲 | 乙 |\n| :-: | --- |\n| 1 | 2 |\n\n- [x] 做了\n- [ ] 没做\n\n```rust\nlet x = 1 < 2;\n```\n\n[^a]: 注。\n",
    )
    .unwrap();
    insta::assert_snapshot!(html.replace("><", ">\n<"), @r##"
    <h2>题</h2>
    <p>
    <strong>重点。</strong>后文<del>删</del>
    <sup class="footnote-ref">
    <a id="text-fnref-a" href="#text-fn-a" rel="noopener nofollow ugc">1</a>
    </sup>，<a href="https://e.test/x" rel="noopener nofollow ugc">https://e.test/x</a> 。换行</p>
    <table>
    <thead>
    <tr>
    <th align="center">甲</th>
    <th>乙</th>
    </tr>
    </thead>
    <tbody>
    <tr>
    <td align="center">1</td>
    <td>2</td>
    </tr>
    </tbody>
    </table>
    <ul>
    <li>☑ 做了</li>
    <li>☐ 没做</li>
    </ul>
    <pre>
    <code class="language-rust">let x = 1 &lt; 2;
    </code>
    </pre>
    <section class="footnotes">
    <ol>
    <li id="text-fn-a">
    <p>注。 <a href="#text-fnref-a" class="footnote-backref" rel="noopener nofollow ugc">↩</a>
    </p>
    </li>
    </ol>
    </section>
    "##);
}

#[test]
fn plain_text_is_what_a_reader_reads() {
    let html = from_markdown("# 题\n\n甲<ruby>乙<rp>(</rp><rt>yi</rt><rp>)</rp></ruby>丙[^1]丁 &lt;b&gt; &amp;amp;\n\n- 一\n- 二\n\n| a | b |\n|---|---|\n| c | d |\n\n[^1]: 注\n").unwrap();
    assert_eq!(plain_text(&html), "题\n甲乙丙丁 <b> &amp;\n一\n二\na\nb\nc\nd\n注");
    assert_eq!(plain_text(&from_plain_text("　　a < b\n\nc & d")), "a < b\nc & d");
    assert_eq!(plain_text("x &#x4e2d;&#25991; &unknown; & <unclosed"), "x 中文 &unknown; & <unclosed");
}

#[test]
fn a_body_over_the_limit_is_refused() {
    assert!(from_markdown(&"x".repeat((1 << 20) + 1)).is_err());
    assert!(from_html(&"x".repeat((1 << 20) + 1)).is_err());
}
