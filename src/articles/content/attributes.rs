//! Which attributes of an element are kept, and how they are written.

use html5ever::tokenizer::Tag;
use url::Url;

use super::{elements, links};

/// The longest description of an image kept, in characters.
const MAX_ALT: usize = 500;

/// The value of an attribute.
pub fn get<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

/// An element's kept attributes, as written.
#[derive(Debug, Default)]
pub struct Kept {
    /// ` id="..."`, for the first time that the element is written.
    pub id: String,
    /// All others.
    pub rest: String,
}

/// What is kept of a block's or an inline element's attributes; `name` is what it is written as.
pub fn keep(tag: &Tag, name: &str, base: Option<&Url>) -> Kept {
    let mut rest = String::new();
    match name {
        "a" => {
            push_some(&mut rest, "href", get(tag, "href").and_then(|href| links::link(href, base)));
            push_short(&mut rest, tag, "title");
        }
        "abbr" => push_short(&mut rest, tag, "title"),
        "blockquote" | "q" => {
            push_some(&mut rest, "cite", get(tag, "cite").and_then(|cite| links::file(cite, base)))
        }
        "del" | "ins" | "time" => push_some(&mut rest, "datetime", get(tag, "datetime").and_then(datetime)),
        "ol" => {
            push_some(
                &mut rest,
                "start",
                get(tag, "start").and_then(|n| n.trim().parse::<i32>().ok()).map(|n| n.to_string()),
            );
            if get(tag, "reversed").is_some() {
                push(&mut rest, "reversed", "");
            }
        }
        "td" | "th" => {
            for name in ["colspan", "rowspan"] {
                push_some(&mut rest, name, number(get(tag, name), 2, 200));
            }
            push_one_of(&mut rest, tag, "align", &["left", "center", "right"]);
            if name == "th" {
                push_one_of(&mut rest, tag, "scope", &["row", "col", "rowgroup", "colgroup"]);
            }
        }
        _ => {}
    }
    push_classes(&mut rest, tag, name);
    push_some(&mut rest, "lang", lang(tag));
    push_one_of(&mut rest, tag, "dir", &["ltr", "rtl", "auto"]);
    if is_untranslated(tag) {
        push(&mut rest, "translate", "no");
    }
    Kept { id: id_of(tag, name), rest }
}

/// Whether an element's words are to stay as they are, a name for example; also in the way that translators knew
/// before there was an attribute for it.
pub fn is_untranslated(tag: &Tag) -> bool {
    let is_no = |value: &str| value.trim().eq_ignore_ascii_case("no");
    let is_class = |class: &str| class.split_ascii_whitespace().any(|name| name == "notranslate");
    get(tag, "translate").is_some_and(is_no) || get(tag, "class").is_some_and(is_class)
}

/// The language of an element, unless it is Word's, which marks every word (`lang=EN-US`).
pub fn lang(tag: &Tag) -> Option<String> {
    let lang = get(tag, "lang").or_else(|| get(tag, "xml:lang"))?.trim();
    let is_tag = (2..=35).contains(&lang.len())
        && lang
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    let is_word = lang.contains('-') && lang.bytes().all(|b| b == b'-' || b.is_ascii_uppercase());
    (is_tag && !is_word).then(|| lang.to_owned())
}

/// The attributes of an image, or none when it has no address of its own or counts readers.
///
/// WeChat and other sites that load images late keep the address in `data-src` and the like, and
/// a placeholder in `src`.
pub fn image(tag: &Tag, base: Option<&Url>) -> Option<String> {
    const LATE: [&str; 6] =
        ["data-src", "data-original", "data-actualsrc", "data-lazy-src", "data-original-src", "_src"];
    let source = LATE
        .iter()
        .chain(&["src"])
        .filter_map(|name| get(tag, name))
        .find_map(|source| links::file(source, base))?;
    let (width, height) = size(tag);
    if matches!((width, height), (Some(0..=2), Some(0..=2))) {
        return None;
    }
    let mut out = String::new();
    push(&mut out, "src", &source);
    let alt: String = get(tag, "alt").unwrap_or_default().trim().chars().take(MAX_ALT).collect();
    push(&mut out, "alt", alt.trim_end());
    push_short(&mut out, tag, "title");
    push_some(&mut out, "width", width.map(|n| n.to_string()));
    push_some(&mut out, "height", height.map(|n| n.to_string()));
    // Some hosts refuse pictures to other sites by referrer, and none needs to know the reader's page.
    out.push_str(r#" loading="lazy" decoding="async" referrerpolicy="no-referrer""#);
    Some(out)
}

/// The sign that an image stands for, where it is an emoji drawn as a picture.
pub fn emoji(tag: &Tag) -> Option<&str> {
    let class = get(tag, "class")?;
    let alt = get(tag, "alt")?.trim();
    let is_emoji =
        class.split_ascii_whitespace().any(|name| matches!(name, "emoji" | "wp-smiley" | "twemoji"));
    (is_emoji && !alt.is_empty() && alt.chars().count() <= 8).then_some(alt)
}

/// The attributes of a player for an audio or video file, less its source.
pub fn player(tag: &Tag, base: Option<&Url>) -> String {
    let mut out = String::from(r#" controls="" preload="none""#);
    if &*tag.name == "video" {
        push_some(&mut out, "poster", get(tag, "poster").and_then(|poster| links::file(poster, base)));
        push_some(&mut out, "width", number(get(tag, "width"), 1, 20_000));
        push_some(&mut out, "height", number(get(tag, "height"), 1, 20_000));
    }
    out
}

/// Writes one attribute.
pub fn push(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn push_some(out: &mut String, name: &str, value: Option<String>) {
    if let Some(value) = value {
        push(out, name, &value);
    }
}

fn push_short(out: &mut String, tag: &Tag, name: &str) {
    if let Some(value) =
        get(tag, name).map(str::trim).filter(|value| !value.is_empty() && value.len() <= 1_000)
    {
        push(out, name, value);
    }
}

fn push_one_of(out: &mut String, tag: &Tag, name: &str, choices: &[&str]) {
    if let Some(value) = get(tag, name) {
        let value = value.trim().to_ascii_lowercase();
        if choices.contains(&value.as_str()) {
            push(out, name, &value);
        }
    }
}

fn push_classes(out: &mut String, tag: &Tag, name: &str) {
    let Some(class) = get(tag, "class") else { return };
    let Some((_, allowed)) = elements::CLASSES.iter().find(|(element, _)| *element == name) else { return };
    let mut kept: Vec<&str> = Vec::new();
    for class in class.split_ascii_whitespace() {
        if allowed.contains(&class) && !kept.contains(&class) {
            kept.push(class);
        }
    }
    if !kept.is_empty() {
        push(out, "class", &kept.join(" "));
    }
}

/// The id of an element; an old-fashioned `<a name>` is one too.
fn id_of(tag: &Tag, name: &str) -> String {
    let mut out = String::new();
    let value = get(tag, "id").or_else(|| get(tag, "name").filter(|_| name == "a"));
    push_some(&mut out, "id", value.and_then(links::id));
    out
}

/// Width and height of an image; WeChat gives `data-w` and `data-ratio`.
fn size(tag: &Tag) -> (Option<u32>, Option<u32>) {
    let width = pixels(get(tag, "width"));
    let height = pixels(get(tag, "height"));
    if width.is_some() || height.is_some() {
        return (width, height);
    }
    let width = pixels(get(tag, "data-w"));
    let ratio = get(tag, "data-ratio").and_then(|ratio| ratio.trim().parse::<f64>().ok());
    match (width, ratio) {
        (Some(width), Some(ratio)) if ratio > 0.0 && ratio < 100.0 => {
            (Some(width), Some((f64::from(width) * ratio).round().min(20_000.0) as u32))
        }
        _ => (None, None),
    }
}

fn pixels(value: Option<&str>) -> Option<u32> {
    let value = value?.trim();
    value.strip_suffix("px").unwrap_or(value).parse::<u32>().ok().filter(|n| *n <= 20_000)
}

fn number(value: Option<&str>, least: u32, most: u32) -> Option<String> {
    pixels(value).filter(|n| (least..=most).contains(n)).map(|n| n.to_string())
}

fn datetime(value: &str) -> Option<String> {
    let value = value.trim();
    let fits = (1..=40).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':' | b'.' | b'+' | b' '));
    fits.then(|| value.to_owned())
}
