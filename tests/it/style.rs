//! `/style` shows every part of pages that the stylesheet knows.

use std::collections::BTreeSet;

use scraper::{Html, Selector};

use crate::both_databases;

const SHEET: &str = include_str!("../../static/app.css");

/// What is of a whole page and cannot stand on another one: the player, a letter in its frame, and the editor, which
/// makes its page wider.
const PAGES: [&str; 3] = ["player", "letter-frame", "editor"];

/// Without what stands between these two.
fn without(text: &str, from: &str, to: &str) -> String {
    let mut pieces = text.split(from);
    let first = pieces.next().unwrap_or_default();
    pieces.fold(first.to_owned(), |kept, piece| kept + piece.split_once(to).map_or("", |(_, rest)| rest))
}

/// The classes that a selector names.
fn named(selector: &str) -> impl Iterator<Item = &str> {
    selector.split('.').skip(1).filter_map(|piece| {
        let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(piece.len());
        Some(&piece[..end]).filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    })
}

/// The classes of the stylesheet that a page can show: no tones but one, and nothing of `<html>` (see home/look.rs).
fn classes() -> BTreeSet<String> {
    let sheet = without(SHEET, "/*", "*/");
    let rules = sheet.split('{').map(|piece| piece.rsplit(['}', ';']).next().unwrap_or_default());
    let names = rules.flat_map(named).filter(|name| !PAGES.contains(name) && !name.starts_with("look-"));
    names.map(|name| if name.starts_with("tone-") { "tone-266" } else { name }.to_owned()).collect()
}

both_databases! {
    async fn the_page_of_components_shows_every_class_of_the_stylesheet_in_each_language(app) {
        let all = classes();
        assert!(all.len() > 150 && all.contains("suggests") && all.contains("sub"), "{all:?}");
        let (account, owner) = app.account("daily").await;
        app.published(account.id, "一篇").await;
        app.sign_in(owner.id).await;
        for language in ["zh-Hans", "zh-Hant", "en"] {
            app.keep_cookie("lang", language);
            let page = app.get("/style").await.assert_status(200).text();
            let page = Html::parse_document(&page);
            let any = Selector::parse("[class]").unwrap();
            let shown: BTreeSet<String> =
                page.select(&any).flat_map(|one| one.value().classes().map(str::to_owned)).collect();
            let missing: Vec<_> = all.difference(&shown).collect();
            assert!(missing.is_empty(), "templates/home/style.html shows nothing of these: {missing:?}");
        }
    }
}
