//! The last gate: ammonia with our lists. Nothing reaches a page that did not pass here.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::{elements, embed, links};

/// The HTML in `canonical` that is on the lists, as ammonia's parser reads and writes it.
pub fn pass(canonical: &str) -> String {
    GUARD.clean(canonical).to_string()
}

static GUARD: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut guard = Builder::empty();
    guard
        .tags(elements::ALLOWED.iter().copied().collect())
        .clean_content_tags(HashSet::from(["script", "style", "noscript", "svg", "math", "title"]))
        .generic_attributes(HashSet::from(["lang", "dir", "id", "translate"]))
        .tag_attributes(tag_attributes())
        // However a frame got here, it is shut in.
        .set_tag_attribute_values(HashMap::from([(
            "iframe",
            HashMap::from([("loading", "lazy"), ("sandbox", embed::SANDBOX), ("allow", embed::ALLOW)]),
        )]))
        .allowed_classes(allowed_classes())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("noopener nofollow ugc"))
        .attribute_filter(|element: &str, attribute: &str, value: &str| {
            let keep = match (element, attribute) {
                (_, "id") => value.starts_with(links::ID_PREFIX),
                (_, "translate") => value == "no",
                ("a", "href") => links::is_clean_link(value),
                ("iframe", "src") => embed::own(value).is_some(),
                (_, "src" | "poster" | "cite") => links::is_clean_file(value),
                _ => true,
            };
            keep.then(|| value.to_owned().into())
        });
    guard
});

fn tag_attributes() -> HashMap<&'static str, HashSet<&'static str>> {
    HashMap::from([
        ("a", HashSet::from(["href", "title"])),
        ("abbr", HashSet::from(["title"])),
        ("audio", HashSet::from(["src", "controls", "preload"])),
        ("blockquote", HashSet::from(["cite"])),
        ("del", HashSet::from(["datetime"])),
        ("iframe", HashSet::from(["src", "title", "loading", "sandbox", "allow"])),
        (
            "img",
            HashSet::from([
                "src",
                "alt",
                "title",
                "width",
                "height",
                "loading",
                "decoding",
                "referrerpolicy",
            ]),
        ),
        ("ins", HashSet::from(["datetime"])),
        ("ol", HashSet::from(["start", "reversed"])),
        ("q", HashSet::from(["cite"])),
        ("td", HashSet::from(["colspan", "rowspan", "align"])),
        ("th", HashSet::from(["colspan", "rowspan", "align", "scope"])),
        ("time", HashSet::from(["datetime"])),
        ("video", HashSet::from(["src", "controls", "preload", "poster", "width", "height"])),
    ])
}

fn allowed_classes() -> HashMap<&'static str, HashSet<&'static str>> {
    elements::CLASSES.iter().map(|(element, classes)| (*element, classes.iter().copied().collect())).collect()
}
