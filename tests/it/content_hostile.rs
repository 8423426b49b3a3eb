//! Article bodies made to harm: nothing passes the sanitiser, and nothing takes it long.

use std::time::{Duration, Instant};

use rstest::rstest;
use scraper::{Html, Node};
use url::Url;
use xiangxun::articles::content::{from_html, from_markdown, plain_text};

const VECTORS: &str = include_str!("../fixtures/xss.jsonl");

/// Elements that a body may consist of; a list of its own, so that the code's can be wrong.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "audio",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "iframe",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rb",
    "rp",
    "rt",
    "rtc",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
];

fn payloads() -> Vec<(String, String)> {
    let parse = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        (row["id"].as_str().unwrap().to_owned(), row["payload"].as_str().unwrap().to_owned())
    };
    VECTORS.lines().map(parse).collect()
}

/// Parses sanitised HTML as a browser would, and looks at everything that came of it.
fn assert_harmless(id: &str, html: &str) {
    // As part of a page, as the body of a document, and where scripting is off.
    for document in [
        Html::parse_fragment(html),
        Html::parse_document(&format!("<!doctype html><body><main>{html}</main>")),
    ] {
        for node in document.tree.nodes() {
            match node.value() {
                Node::Element(element) => assert_harmless_element(id, html, element),
                Node::Comment(_) | Node::ProcessingInstruction(_) => panic!("{id}: a comment in {html}"),
                _ => {}
            }
        }
    }
}

fn assert_harmless_element(id: &str, html: &str, element: &scraper::node::Element) {
    let name = element.name();
    if matches!(name, "html" | "head" | "body" | "main") {
        assert_eq!(element.attrs().count(), 0, "{id}: attributes on {name}: {html}");
        return;
    }
    assert!(ELEMENTS.contains(&name), "{id}: <{name}> in {html}");
    for (attribute, value) in element.attrs() {
        assert!(!attribute.starts_with("on"), "{id}: {attribute} in {html}");
        assert!(
            !matches!(
                attribute,
                "style"
                    | "srcset"
                    | "srcdoc"
                    | "formaction"
                    | "action"
                    | "xlink:href"
                    | "name"
                    | "background"
            ),
            "{id}: {attribute} in {html}"
        );
        match attribute {
            "href" => assert!(is_harmless_link(value), "{id}: href {value:?} in {html}"),
            "src" if name == "iframe" => {}
            "src" | "poster" | "cite" if value.starts_with("/media/") => {
                let page = Url::parse("https://xiangxun.test/@account/article").unwrap();
                let url = page.join(value).unwrap();
                assert!(
                    url.host_str() == page.host_str() && url.path() == value && !value.contains(".."),
                    "{id}: {value:?} in {html}"
                );
            }
            "src" | "poster" | "cite" => {
                let url = Url::parse(value).unwrap_or_else(|error| panic!("{id}: {value:?} {error}: {html}"));
                assert!(matches!(url.scheme(), "http" | "https"), "{id}: {attribute} {value:?} in {html}");
            }
            "id" => assert!(value.starts_with("text-"), "{id}: id {value:?} in {html}"),
            _ => {}
        }
    }
    if name == "iframe" {
        assert_shut_in(id, html, element);
    }
    if name == "a" && element.attr("href").is_some() {
        assert_eq!(element.attr("rel"), Some("noopener nofollow ugc"), "{id}: {html}");
    }
}

/// A frame shows our own page about a video, and can do nothing to the page around it.
fn assert_shut_in(id: &str, html: &str, frame: &scraper::node::Element) {
    let source = frame.attr("src").unwrap_or_else(|| panic!("{id}: no source in {html}"));
    let page = Url::parse("https://xiangxun.test/@account/article").unwrap();
    let url = page.join(source).unwrap();
    assert!(url.host_str() == page.host_str() && url.path() == source, "{id}: {source} in {html}");
    let parts: Vec<&str> = source.split('/').collect();
    let ["", "embed", "youtube" | "youtube-list" | "vimeo" | "bilibili" | "tencent", key] = parts[..] else {
        panic!("{id}: {source} in {html}")
    };
    assert!(key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{id}: {source}");
    let allowed: Vec<&str> = frame.attr("sandbox").unwrap().split(' ').collect();
    for forbidden in
        ["allow-top-navigation", "allow-top-navigation-by-user-activation", "allow-forms", "allow-modals"]
    {
        assert!(!allowed.contains(&forbidden), "{id}: {html}");
    }
    assert_eq!(frame.attr("loading"), Some("lazy"), "{id}: {html}");
}

/// What a browser makes of a link on one of our pages.
fn is_harmless_link(value: &str) -> bool {
    let page = Url::parse("https://xiangxun.test/@account/article").unwrap();
    match page.join(value) {
        Ok(url) if url.host_str() == page.host_str() => value.starts_with('/') || value.starts_with("#text-"),
        Ok(url) => matches!(url.scheme(), "http" | "https" | "mailto"),
        Err(_) => false,
    }
}

#[test]
fn no_vector_passes_as_html() {
    let payloads = payloads();
    assert_eq!(payloads.len(), 3726);
    for (id, payload) in &payloads {
        let html = from_html(payload).unwrap();
        assert_harmless(id, &html);
        assert_eq!(from_html(&html).unwrap(), html, "{id}: not the same when sanitised again");
    }
}

#[test]
fn no_vector_passes_as_markdown() {
    for (id, payload) in payloads() {
        let places = format!(
            "[link]({payload}) ![image]({payload})\n\n<{payload}> [r][r]\n\n[r]: {payload}\n\n\
             | a |\n| - |\n| {payload} |\n\n- [x] {payload}[^1]\n\n[^1]: {payload}\n"
        );
        for document in [payload, places] {
            let html = from_markdown(&document).unwrap();
            assert_harmless(&id, &html);
            assert_eq!(from_html(&html).unwrap(), html, "{id}: not the same when sanitised again");
        }
    }
}

#[test]
fn no_vector_passes_in_places_where_parsers_change_their_minds() {
    let frames: &[(&str, &str)] = &[
        ("<svg>", "</svg>"),
        ("<math><mtext>", "</mtext></math>"),
        ("<svg><foreignObject>", "</foreignObject></svg>"),
        ("<math><annotation-xml encoding=text/html>", "</annotation-xml></math>"),
        ("<table>", "</table>"),
        ("<table><tr>", "</tr></table>"),
        ("<select>", "</select>"),
        ("<noscript>", "</noscript>"),
        ("<textarea>", "</textarea>"),
        ("<style>", "</style>"),
        ("<title>", "</title>"),
        ("<iframe>", "</iframe>"),
        ("<video><source>", "</video>"),
        ("<ruby><rt>", "</ruby>"),
        ("<pre>\n", "</pre>"),
        ("<a href='https://e.test'><b><p>", "</b></a>"),
        ("<!--", "-->"),
        ("<img alt='", "'>"),
        ("<template>", "</template>"),
        ("<form><input>", "</form>"),
    ];
    for (id, payload) in payloads().iter().step_by(7) {
        for (before, after) in frames {
            let html = from_html(&format!("{before}{payload}{after}<p>x</p>")).unwrap();
            assert_harmless(id, &html);
            assert_eq!(
                from_html(&html).unwrap(),
                html,
                "{id} in {before}: not the same when sanitised again"
            );
        }
    }
}

#[rstest]
#[case::unclosed_bold("<b>", "")]
#[case::bold_with_ids("<b id=x>", "<p>x")]
#[case::links("<a href=https://e.test/>", "")]
#[case::brackets("[", "")]
#[case::images("![", "](x)")]
#[case::quotes(">", "")]
#[case::quotes_and_lists("> - ", "")]
#[case::stars("*a ", "")]
#[case::underscores("_a", "_")]
#[case::backticks("`a", "")]
#[case::less_than("<", "")]
#[case::open_tags("<x ", "")]
#[case::attributes("<p a=1 b=2 c", "")]
#[case::entities("&amp", "")]
#[case::divs("<div>", "")]
#[case::lists("<ul><li>", "")]
#[case::tables("<table><tr><td>", "")]
#[case::stray_in_tables("<table>x<a>y", "")]
#[case::paragraphs("<p>x", "")]
#[case::closing_tags("</b>", "")]
#[case::misnested("<b><i></b></i><p>x", "")]
#[case::fonts("<font color=red><font size=1>", "")]
#[case::svg("<svg><g>", "")]
#[case::comments("<!--", "")]
#[case::cdata("<![CDATA[", "")]
#[case::footnotes("[^1]", "\n\n[^1]: x")]
#[case::pipes("|a", "\n|-")]
#[case::autolinks("https://e.test/ ", "")]
#[case::mail("a@", "")]
#[case::line_breaks("x<br><br>", "")]
#[case::spaces(" \n", "")]
#[case::ruby("<ruby>x<rt>", "")]
#[case::details("<details><summary>", "")]
#[case::text("&amp;x", "")]
#[case::guillemets("«", "")]
#[case::alternatives("<img src=https://e.test/ alt='&&&&&&&&", "")]
fn a_lot_of_anything_is_done_in_time_and_stays_shallow(#[case] unit: &str, #[case] end: &str) {
    // A megabyte in optimised builds (`cargo nextest run --release`); there each takes under a second.
    let size = if cfg!(debug_assertions) { 150_000 } else { 1_000_000 };
    let mut input = unit.repeat(size / unit.len());
    input.push_str(end);
    for render in [from_html, from_markdown] {
        let started = Instant::now();
        let html = render(&input);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(20), "{unit:?} took {took:?}");
        if let Ok(html) = html {
            assert!(depth(&html) <= 80, "{unit:?} is {} deep", depth(&html));
            plain_text(&html);
        }
    }
}

#[test]
fn attributes_on_unclosed_elements_do_not_multiply() {
    // Each element differs, so that browsers open all of them again in each paragraph.
    let mut input: String = (0..2_000).map(|n| format!("<b lang=x-{n}><font color={n}>")).collect();
    input.push_str(&"<p>x".repeat(20_000));
    let html = from_html(&input).unwrap();
    assert!(html.len() < 4 * input.len(), "{} of {}", html.len(), input.len());
}

/// The deepest nesting of elements in well-formed HTML.
fn depth(html: &str) -> usize {
    const VOID: &[&str] = &["img", "br", "hr", "wbr"];
    let (mut deepest, mut depth) = (0, 0_usize);
    for part in html.split('<').skip(1) {
        let name: String = part.chars().take_while(char::is_ascii_alphanumeric).collect();
        if part.starts_with('/') {
            depth -= 1;
        } else if !VOID.contains(&name.as_str()) {
            depth += 1;
            deepest = deepest.max(depth);
        }
    }
    assert_eq!(depth, 0, "tags do not match");
    deepest
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(400))]
    #[test]
    fn any_mixture_of_tags_is_harmless_and_settled(parts in proptest::collection::vec(fragment(), 0..24)) {
        let html = from_html(&parts.concat()).unwrap();
        assert_harmless("mixture", &html);
        depth(&html);
        proptest::prop_assert_eq!(from_html(&html).unwrap(), html);
    }
}

fn fragment() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    const NAMES: &[&str] = &[
        "p",
        "div",
        "b",
        "span",
        "a href=https://e.test/",
        "li",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "table",
        "tr",
        "td",
        "th",
        "tbody",
        "thead",
        "caption",
        "blockquote",
        "pre",
        "code",
        "h1",
        "h3",
        "figure",
        "figcaption",
        "details",
        "summary",
        "ruby",
        "rt",
        "rp",
        "section class=footnotes",
        "svg",
        "math",
        "script",
        "style",
        "iframe src=https://youtu.be/abc",
        "video src=https://e.test/v",
        "br",
        "hr",
        "img src=https://e.test/i",
        "input type=checkbox",
        "template",
        "select",
        "option",
        "title",
        "noscript",
        "font",
        "span style=font-weight:bold",
        "em id=x lang=en",
        "sup class=footnote-ref",
        "object data=https://e.test/o",
        "mark",
    ];
    let name = proptest::sample::select(NAMES);
    prop_oneof![
        3 => name.clone().prop_map(|name| format!("<{name}>")),
        2 => name.prop_map(|name| format!("</{}>", name.split(' ').next().unwrap())),
        2 => proptest::sample::select(["文", "字 ", "\n", "x", "　", "&nbsp;", "&lt;", "\u{200b}", " a\n\nb "].as_slice()).prop_map(str::to_owned),
    ]
}
