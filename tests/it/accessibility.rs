//! Whether everybody can use the pages: axe-core and the Nu HTML checker over each of them, by keyboard alone, and
//! magnified.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};
use thirtyfour::Key;

use crate::support::browser::Browser;
use crate::support::tour::{Sent, Stop, Tour};
use crate::support::{Backend, TestApp, tools};

const LANGUAGES: [&str; 3] = ["zh-Hans", "zh-Hant", "en"];

/// Asks axe-core for all that it finds wrong with the page.
const AXE: &str = "const done = arguments[0];
    axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations.map((one) => ({
        rule: one.id, help: one.help,
        places: one.nodes.slice(0, 3).map((node) => `${node.target.join(' ')}: ${node.html.slice(0, 200)}`),
    })))).catch((error) => done([{ rule: 'error', help: String(error), places: [] }]));";

/// Sends a form as a page of the site does; the window is marked, so that one sees when the answer has come.
const SEND: &str = "const [path, fields, file] = arguments;
    const form = document.createElement('form');
    form.method = 'post';
    form.action = path;
    const put = (name, type) => {
        const input = document.createElement('input');
        input.name = name;
        input.type = type;
        return form.appendChild(input);
    };
    for (const [name, value] of fields) put(name, 'hidden').value = value;
    if (file) {
        const files = new DataTransfer();
        files.items.add(new File([file], 'a.opml'));
        form.enctype = 'multipart/form-data';
        put('file', 'file').files = files.files;
    }
    document.body.append(form);
    window.before = true;
    form.submit();";

struct Visitor {
    browser: Browser,
    origin: String,
}

impl Visitor {
    async fn new(app: &TestApp) -> Self {
        let origin = app.listen().await;
        let browser = Browser::open(1280, 900).await;
        browser.visit(&format!("{origin}/offline")).await;
        Self { browser, origin }
    }

    /// Sends a form, and waits for the page that answers it.
    async fn send(&self, sent: &Sent) {
        self.visit("/offline").await;
        let fields = json!(sent.fields);
        let arguments = vec![json!(sent.path), fields, json!(sent.file)];
        self.browser.window.execute(SEND, arguments).await.unwrap();
        let is_there = "return !window.before && document.readyState === 'complete';";
        for _ in 0..200 {
            let answer = self.browser.window.execute(is_there, Vec::new()).await;
            if answer.is_ok_and(|answer| answer.json() == &json!(true)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} is not answered", sent.path);
    }

    async fn visit(&self, path: &str) {
        self.browser.visit(&format!("{}{path}", self.origin)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axe_finds_nothing_wrong_with_any_page_in_a_browser() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.allow_unfinished_jobs();
    let tour = Tour::of(&app).await;
    let visitor = Visitor::new(&app).await;
    let source = std::fs::read_to_string(tools::file("axe-core/axe.min.js")).unwrap();
    visitor.browser.tell("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await;

    // A page that is wrong, so that silence means something.
    visitor.visit("/offline").await;
    let spoil = "document.querySelector('main').innerHTML = '<img src=\"x\"><input>';";
    visitor.browser.ask(spoil).await;
    let found = look_at(&visitor, "light").await;
    assert!(found.iter().any(|one| one.contains("image-alt")), "{found:?}");

    let mut runs = BTreeMap::<String, usize>::new();
    let mut wrong = String::new();
    for language in LANGUAGES {
        visitor.browser.window.delete_all_cookies().await.unwrap();
        visitor.browser.keep_cookie("lang", language).await;
        let mut look = async |kind: &str, path: &str| {
            for theme in ["light", "dark"] {
                *runs.entry(format!("{kind} {language} {theme}")).or_default() += 1;
                for one in look_at(&visitor, theme).await {
                    writeln!(wrong, "{path} ({kind}, {language}, {theme}): {one}").unwrap();
                }
            }
        };
        let all = [("open", &tour.open), ("new", &tour.bare), ("own", &tour.own), ("studio", &tour.studio)];
        for (kind, stops) in all {
            match kind {
                "new" => visitor.browser.sign_in(&app, tour.newcomer.id).await,
                "own" => visitor.browser.sign_in(&app, tour.person.id).await,
                _ => {}
            }
            for (path, _) in stops {
                visitor.visit(path).await;
                look(kind, path).await;
            }
        }
        for sent in &tour.sent {
            visitor.send(sent).await;
            look("sent", sent.path).await;
        }
    }
    println!("axe-core: pages looked at {runs:?}");
    assert!(wrong.is_empty(), "{wrong}");
    visitor.browser.close().await;
    app.finish().await;
}

/// What is wrong with the page that is open, in these colours.
async fn look_at(visitor: &Visitor, theme: &str) -> Vec<String> {
    visitor.browser.ask(&format!("document.documentElement.className = 'look-{theme}';")).await;
    let found = visitor.browser.window.execute_async(AXE, Vec::new()).await.unwrap();
    found.json().as_array().unwrap().iter().map(Value::to_string).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nu_checker_finds_no_error_on_any_page() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.allow_unfinished_jobs();
    let tour = Tour::of(&app).await;
    let folder = app.app.config.data.join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    let mut names = BTreeMap::new();
    let mut put = |at: String, html: &[u8]| {
        let file = folder.join(format!("{}.html", names.len()));
        std::fs::write(&file, html).unwrap();
        names.insert(file.to_string_lossy().into_owned(), at);
    };
    put("wrong on purpose".into(), b"<!doctype html><html lang=en><title>x</title><p><div></p><b>");
    for language in LANGUAGES {
        app.keep_cookie("lang", language);
        for (path, status) in tour.own.iter().chain(&tour.studio) {
            let answer = app.get(&asked(path)).await.assert_status(*status);
            put(format!("{path} ({language})"), &answer.bytes);
        }
        for sent in &tour.sent {
            let answer = sent.send(&app).await.assert_status(sent.status);
            put(format!("POST {} ({language})", sent.path), &answer.bytes);
        }
        app.sign_in(tour.newcomer.id).await;
        for (path, status) in &tour.bare {
            let answer = app.get(&asked(path)).await.assert_status(*status);
            put(format!("{path} ({language}, new)"), &answer.bytes);
        }
        app.sign_in(tour.person.id).await;
        for (path, status) in &tour.open {
            let request = axum::http::Request::builder()
                .method(Method::GET)
                .uri(asked(path))
                .header(header::HOST, "xiangxun.test")
                .header(header::COOKIE, format!("lang={language}"));
            let answer = app.send_alone(request.body(Body::empty()).unwrap()).await.assert_status(*status);
            put(format!("{path} ({language}, signed out)"), &answer.bytes);
        }
    }
    let output = Command::new("java")
        .args(["-jar", tools::file("vnu-jar/build/dist/vnu.jar").to_str().unwrap()])
        .args(["--errors-only", "--format", "json"])
        .arg(&folder)
        .output()
        .expect("java is installed (tests/run does it)");
    let report: Value = serde_json::from_slice(&output.stderr)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let (mut wrong, mut is_awake) = (String::new(), false);
    for message in report["messages"].as_array().unwrap() {
        let file = message["url"].as_str().unwrap_or_default().trim_start_matches("file:");
        let at = names.get(file).map_or(file, String::as_str);
        if at == "wrong on purpose" {
            is_awake = true;
        } else {
            writeln!(wrong, "{at}: {} {}", message["message"], message["extract"]).unwrap();
        }
    }
    println!("Nu checker: {} pages", names.len() - 1);
    assert!(is_awake, "it has read nothing: {report}");
    assert!(wrong.is_empty(), "{wrong}");
    app.finish().await;
}

/// A path as it is sent.
fn asked(path: &str) -> String {
    url::Url::parse("http://xiangxun.test").unwrap().join(path).unwrap()[url::Position::BeforePath..]
        .to_owned()
}

/// Where the focus is: its place in the document, what it is, and whether one sees it.
const FOCUS: &str = "const here = document.activeElement;
    if (!here || here === document.body) return null;
    const all = [...document.querySelectorAll('*')];
    const box = here.getBoundingClientRect();
    const style = getComputedStyle(here);
    const shown = here.matches('input[type=radio]') ? getComputedStyle(here.nextElementSibling) : style;
    return {
        at: all.indexOf(here),
        what: `${here.tagName.toLowerCase()}${here.id ? '#' + here.id : ''} ${(here.textContent || here.name || '').trim().slice(0, 40)}`,
        seen: (shown.outlineStyle !== 'none' && parseFloat(shown.outlineWidth) > 0) || shown.boxShadow !== 'none',
        inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };";

/// How many stops there are for the tabulator.
const STOPS: &str = "const groups = new Set();
    return [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex], iframe')].filter((one) => {
        if (one.tabIndex < 0 || one.disabled || one.type === 'hidden') return false;
        if (!one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })) return false;
        if (one.type !== 'radio') return true;
        const group = one.name + (one.form ? [...document.forms].indexOf(one.form) : '');
        return !groups.has(group) && groups.add(group);
    }).length;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_is_reached_and_seen_by_keyboard_alone_in_a_browser() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.allow_unfinished_jobs();
    let tour = Tour::of(&app).await;
    let visitor = Visitor::new(&app).await;
    let browser = &visitor.browser;
    browser.keep_cookie("lang", "zh-Hans").await;

    // The first stop leads past the head.
    visitor.visit("/").await;
    browser.press(Key::Tab + "").await;
    let first = browser.ask(FOCUS).await;
    assert!(first["what"].as_str().unwrap().contains("跳到正文"), "{first}");
    assert!(first["seen"] == json!(true) && first["inside"] == json!(true), "{first}");
    browser.press(Key::Enter + "").await;
    assert_eq!(browser.window.current_url().await.unwrap().fragment(), Some("main"));
    browser.press(Key::Tab + "").await;
    let inside = "return document.querySelector('main').contains(document.activeElement);";
    assert_eq!(browser.ask(inside).await, json!(true), "{}", browser.ask(FOCUS).await);

    // Every stop in the order of the page, each of them seen.
    let article = tour.open[2].0.clone();
    for path in ["/", "/@daily", &article, "/search?q=正文", "/sign-in"] {
        walk(&visitor, path).await;
    }
    browser.sign_in(&app, tour.person.id).await;
    for path in [
        "/timeline",
        "/saved",
        "/settings",
        "/settings/hours",
        "/settings/data",
        "/settings/leave",
        "/outside/feeds",
    ] {
        walk(&visitor, path).await;
    }

    // A menu opens, is walked through, and closes.
    visitor.visit("/").await;
    let open = "return document.querySelector('details.menu').open;";
    browser.ask("document.querySelector('details.menu summary').focus();").await;
    browser.press(Key::Enter + "").await;
    assert_eq!(browser.ask(open).await, json!(true));
    browser.press(Key::Tab + "").await;
    let in_menu = "return document.querySelector('details.menu > div').contains(document.activeElement);";
    assert_eq!(browser.ask(in_menu).await, json!(true));
    browser.press(Key::Shift + "\u{e004}").await;
    browser.press(Key::Space + "").await;
    assert_eq!(browser.ask(open).await, json!(false));

    // A dialog takes the focus, keeps it, and gives it back.
    visitor.visit("/timeline").await;
    browser.press("j").await;
    let before = browser.ask(FOCUS).await;
    browser.press("?").await;
    let in_dialog =
        "return document.querySelector('dialog[open]')?.contains(document.activeElement) ?? false;";
    assert_eq!(browser.ask(in_dialog).await, json!(true));
    let is_behind = "return document.querySelector('main').contains(document.activeElement) && \
        !document.activeElement.closest('dialog');";
    for _ in 0..3 {
        browser.press(Key::Tab + "").await;
        assert_eq!(browser.ask(is_behind).await, json!(false), "{}", browser.ask(FOCUS).await);
    }
    browser.press(Key::Escape + "").await;
    assert_eq!(browser.ask(in_dialog).await, json!(false));
    assert_eq!(browser.ask(FOCUS).await["at"], before["at"]);

    // Signing in without a mouse.
    browser.window.delete_all_cookies().await.unwrap();
    visitor.visit("/sign-in").await;
    browser.ask("document.querySelector('.skip').focus();").await;
    browser.press(Key::Enter + "").await;
    browser.press(Key::Tab + "").await;
    browser.press("reader@example.org").await;
    browser.press(Key::Enter + "").await;
    browser.see("查收邮件").await;
    visitor.browser.close().await;
    app.finish().await;
}

/// Goes through a page by the tabulator, from its beginning to its end.
async fn walk(visitor: &Visitor, path: &str) {
    let browser = &visitor.browser;
    visitor.visit(path).await;
    let count = browser.ask(STOPS).await.as_u64().unwrap();
    let (mut last, mut reached) = (-1, 0);
    loop {
        browser.press(Key::Tab + "").await;
        let here = browser.ask(FOCUS).await;
        let Some(at) = here["at"].as_i64() else { break };
        if at < last {
            // Some browsers begin again.
            break;
        }
        assert!(at > last, "{path}: the focus stays at {here}");
        assert!(here["seen"] == json!(true), "{path}: nobody sees where the focus is: {here}");
        assert!(here["inside"] == json!(true), "{path}: the focus is outside of the window: {here}");
        (last, reached) = (at, reached + 1);
        assert!(reached <= count + 5, "{path}: more stops than there are");
    }
    assert_eq!(reached, count, "{path}: stops that the tabulator reaches");
}

/// What does not fit into the window, or is cut off.
const CUT: &str = "const wide = document.scrollingElement.scrollWidth > innerWidth + 1 ? [`the page is ${document.scrollingElement.scrollWidth} wide`] : [];
    const scrolls = (one) => /auto|scroll/.test(getComputedStyle(one).overflowX);
    const hidden = (one) => one.closest('.sr, .skip, [hidden], [aria-hidden=true], option, svg, dialog:not([open])');
    for (const one of document.querySelectorAll('body *')) {
        if (hidden(one) || !one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })) continue;
        const box = one.getBoundingClientRect();
        if (!box.width || !box.height) continue;
        let around = one.parentElement;
        while (around && !scrolls(around)) around = around.parentElement;
        if (!around && (box.right > innerWidth + 1 || box.left < -1)) wide.push(`outside: ${one.outerHTML.slice(0, 120)}`);
        const style = getComputedStyle(one);
        const cuts = /hidden|clip/.test(style.overflowX) && style.textOverflow !== 'ellipsis' && one.scrollWidth > one.clientWidth + 2;
        if (cuts && one.textContent.trim()) wide.push(`cut off: ${one.outerHTML.slice(0, 120)}`);
    }
    return wide.slice(0, 5);";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_cut_off_when_magnified_in_a_browser() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.allow_unfinished_jobs();
    let tour = Tour::of(&app).await;
    let visitor = Visitor::new(&app).await;
    let mut wrong = String::new();
    // 1280 pixels at 200 and at 400 %.
    for (width, scale) in [(640, 2.0), (320, 4.0)] {
        visitor.browser.zoom(width, 450, scale).await;
        for language in LANGUAGES {
            visitor.browser.window.delete_all_cookies().await.unwrap();
            visitor.browser.keep_cookie("lang", language).await;
            check(&visitor, &tour.open, width, &mut wrong).await;
            visitor.browser.sign_in(&app, tour.person.id).await;
            check(&visitor, &tour.own, width, &mut wrong).await;
            if width == 640 {
                check(&visitor, &tour.studio, width, &mut wrong).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    visitor.browser.close().await;
    app.finish().await;
}

async fn check(visitor: &Visitor, stops: &[Stop], width: u32, wrong: &mut String) {
    for (path, _) in stops {
        visitor.visit(path).await;
        for one in visitor.browser.ask(CUT).await.as_array().unwrap() {
            writeln!(wrong, "{path} at {width}: {one}").unwrap();
        }
    }
}
