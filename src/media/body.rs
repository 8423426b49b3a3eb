//! The pictures of an article's body as they are shown; the body that is kept stays as it was written, so articles of any
//! age have them.

use super::on_page::{self, BODY_SIZES, Shown};
use crate::articles::content::tag_end;
use crate::page::Page;

/// Bytes of a body before its first picture, where that is seen without scrolling.
const EARLY: usize = 600;
/// The width of the text where there is room, in pixels: 40rem.
const TEXT_WIDTH: i64 = 640;

/// The addresses of a sanitised body's pictures, in order.
pub fn addresses(html: &str) -> Vec<String> {
    tags(html, "<img ").filter_map(|(_, tag)| source(tag)).collect()
}

/// Whether a body begins with the picture at an address, so that it is not to be shown above it too.
pub fn begins_with(html: &str, address: &str) -> bool {
    let first = tags(html, "<img ").next();
    first.is_some_and(|(at, tag)| at < EARLY && source(tag).as_deref() == Some(address))
}

fn source(tag: &str) -> Option<String> {
    let src = attributes(tag).find(|(name, _)| *name == "src")?.1;
    Some(src.replace("&amp;", "&"))
}

/// Start tags of one kind with their places. The sanitiser writes no `<` but of tags.
fn tags<'a>(html: &'a str, start: &'static str) -> impl Iterator<Item = (usize, &'a str)> {
    html.match_indices(start).filter_map(move |(at, _)| Some((at, &html[at..=at + tag_end(&html[at..])?])))
}

/// Names and values as they are written: in double quotes, and none holds one.
fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag.find(' ').map_or("", |at| &tag[at..]);
    std::iter::from_fn(move || {
        let (name, after) = rest.trim_start().split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        rest = after;
        Some((name, value))
    })
}

/// A body with renditions and sizes for its pictures, or without pictures for a reader who saves data. `is_first` where no
/// picture stands above it.
pub fn shown(html: &str, page: &Page, is_first: bool) -> String {
    let has_video = page.look.saves_data && html.contains("<video ");
    if !has_video && !html.contains("<img ") {
        return html.to_owned();
    }
    if page.look.saves_data { without_pictures(html, page) } else { with_pictures(html, page, is_first) }
}

fn with_pictures(html: &str, page: &Page, is_first: bool) -> String {
    let mut out = String::with_capacity(html.len() * 2);
    let mut from = 0;
    for (number, (at, tag)) in tags(html, "<img ").enumerate() {
        out.push_str(&html[from..at]);
        from = at + tag.len();
        let is_lead = is_first && number == 0 && at < EARLY;
        match source(tag).as_deref().and_then(|address| page.pictures.get(address)) {
            Some(shown) => out.push_str(&picture(tag, shown, is_lead)),
            None => out.push_str(tag),
        }
    }
    out.push_str(&html[from..]);
    out
}

/// An author's size stands; where it tells one side only, the other follows from the picture. A narrow one needs no file
/// as wide as the text.
fn picture(tag: &str, shown: &Shown, is_lead: bool) -> String {
    let number = |wanted: &str| {
        let value = attributes(tag).find(|(name, _)| *name == wanted)?.1;
        value.parse::<i64>().ok().filter(|value| *value > 0)
    };
    let (real_width, real_height) = (i64::from(shown.width.max(1)), i64::from(shown.height.max(1)));
    let (width, height) = match (number("width"), number("height")) {
        (Some(width), Some(height)) => (width, height),
        (Some(width), None) => (width, (width * real_height / real_width).max(1)),
        (None, Some(height)) => ((height * real_width / real_height).max(1), height),
        (None, None) => (real_width, real_height),
    };
    let is_narrow = width < TEXT_WIDTH && (number("width").is_some() || number("height").is_some());
    let sizes = if is_narrow { format!("{width}px") } else { BODY_SIZES.to_owned() };
    let mut img = format!(r#"<img src="{}""#, shown.url);
    for (name, value) in attributes(tag) {
        let is_ours = matches!(name, "src" | "width" | "height" | "class" | "referrerpolicy");
        if !is_ours && (!is_lead || name != "loading") {
            img.push_str(&format!(r#" {name}="{value}""#));
        }
    }
    img.push_str(&format!(r#" width="{width}" height="{height}""#));
    if is_lead {
        img.push_str(r#" fetchpriority="high""#);
    }
    if !shown.tone.is_empty() {
        img.push_str(&format!(r#" class="{}""#, shown.tone));
    }
    format!("<picture>{}{img}></picture>", shown.sources(&sizes))
}

/// Words and links in the place of pictures. A link within a link is none, so one of a linked picture follows it.
fn without_pictures(html: &str, page: &Page) -> String {
    let mut out = String::with_capacity(html.len());
    let mut is_in_link = false;
    let mut waiting = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let Some(end) = tag_end(&rest[at..]).map(|end| at + end) else { break };
        let tag = &rest[at..=end];
        out.push_str(&rest[..at]);
        rest = &rest[end + 1..];
        if tag.starts_with("<img ") {
            let alt = attributes(tag).find(|(name, _)| *name == "alt").map_or("", |(_, alt)| alt);
            let src = attributes(tag).find(|(name, _)| *name == "src").map_or("", |(_, src)| src);
            let shown = source(tag).and_then(|address| page.pictures.get(&address));
            let link = on_page::unseen(page, shown, src, alt);
            if is_in_link {
                out.push_str(if alt.is_empty() { "🖼" } else { alt });
                waiting.push_str(&link);
            } else {
                out.push_str(&link);
            }
            continue;
        }
        match tag {
            "</a>" => is_in_link = false,
            _ if tag.starts_with("<a ") || tag == "<a>" => is_in_link = true,
            _ => {}
        }
        if tag.starts_with("<video ") {
            out.push_str("<video");
            for (name, value) in attributes(tag).filter(|(name, _)| *name != "poster") {
                out.push_str(&format!(r#" {name}="{value}""#));
            }
            out.push('>');
        } else {
            out.push_str(tag);
        }
        if !is_in_link {
            out.push_str(&std::mem::take(&mut waiting));
        }
    }
    out.push_str(rest);
    out.push_str(&waiting);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_order_and_read_as_they_were_meant() {
        let html = r#"<p><img src="/media/1/a.jpg" alt="&lt;img src=&quot;x&quot;&gt;"> 1 &lt; 2 <img src="https://e.example/x?a=1&amp;b=2" alt="width="></p>"#;
        assert_eq!(addresses(html), ["/media/1/a.jpg", "https://e.example/x?a=1&b=2"]);
        assert!(begins_with(html, "/media/1/a.jpg") && !begins_with(html, "https://e.example/x?a=1&b=2"));
        assert!(!begins_with(&format!("{}{html}", "字".repeat(400)), "/media/1/a.jpg"));
        let (_, tag) = tags(html, "<img ").nth(1).unwrap();
        assert_eq!(attributes(tag).last(), Some(("alt", "width=")));
        assert!(addresses("<img src=\"cut").is_empty());
    }
}
