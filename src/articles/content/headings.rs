//! A body as it is shown: its headings get ids that can be linked to, and together they are its table of contents; what
//! scrolls sideways can be reached by keyboard.
//!
//! It is done when a body is shown and not when it is stored, so that articles of any age have them. An id is made
//! of the heading's words as pinyin: the same in either script, and as long as those words stay.

use std::collections::HashSet;

use super::links::ID_PREFIX;
use super::plain::{plain_text, tag_end};
use crate::text::slug;

/// Headings of one body that are looked at.
const MOST: usize = 200;
/// Bytes of an id without its prefix.
const LONGEST_ID: usize = 40;

/// Elements that scroll sideways where they are wider than the page.
const SCROLLED: [&str; 2] = ["pre", "table"];

/// A heading of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    pub id: String,
    /// Plain text on one line.
    pub text: String,
    /// It stands under another one.
    pub is_sub: bool,
}

/// A sanitised body whose headings (h2 to h4) have ids and whose wide parts take the keyboard, and those headings.
/// Where the body was converted, ids are made of the words of the `original`, to be the same in every script.
pub fn with_headings(html: &str, original: Option<&str>) -> (String, Vec<Heading>) {
    let ids = original.map_or_else(Vec::new, |original| read(original, &[]).ids);
    let Read { html, headings, .. } = read(html, &ids);
    (html, headings)
}

struct Read {
    html: String,
    headings: Vec<Heading>,
    /// Of all headings, those without words as well.
    ids: Vec<String>,
}

/// `given` are ids for its headings, one after another; what is missing is made of their words.
fn read(html: &str, given: &[String]) -> Read {
    let mut ids: Vec<String> = Vec::new();
    let mut taken: HashSet<String> =
        html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect();
    let mut out = String::with_capacity(html.len() + 256);
    let mut found: Vec<(u8, Heading)> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let Some(end) = tag_end(&rest[at..]).map(|end| at + end) else { break };
        let tag = &rest[at + 1..end];
        let after = &rest[end + 1..];
        let level = level_of(tag).filter(|_| ids.len() < MOST);
        let inner = level.and_then(|level| Some((level, after.split_once(&format!("</h{level}>"))?.0)));
        if SCROLLED
            .iter()
            .any(|name| tag == *name || tag.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))
        {
            out.push_str(&rest[..end]);
            out.push_str(" tabindex=\"0\">");
            rest = after;
            continue;
        }
        let Some((level, inner)) = inner else {
            out.push_str(&rest[..=end]);
            rest = after;
            continue;
        };
        let text = plain_text(inner).split_whitespace().collect::<Vec<_>>().join(" ");
        let id = match id_in(tag) {
            Some(id) => {
                out.push_str(&rest[..=end]);
                id.to_owned()
            }
            None => {
                let id = given.get(ids.len()).cloned().unwrap_or_else(|| free_id(&text, &mut taken));
                out.push_str(&rest[..at]);
                out.push_str(&format!("<{tag} id=\"{id}\">"));
                id
            }
        };
        ids.push(id.clone());
        if !text.is_empty() {
            found.push((level, Heading { id, text, is_sub: false }));
        }
        rest = after;
    }
    out.push_str(rest);
    let top = found.iter().map(|(level, _)| *level).min().unwrap_or_default();
    let headings = found.into_iter().map(|(level, heading)| Heading { is_sub: level > top, ..heading });
    Read { html: out, headings: headings.collect(), ids }
}

/// 2 to 4 for the start tag of a heading.
fn level_of(tag: &str) -> Option<u8> {
    let level = tag.strip_prefix('h')?;
    let (digit, more) = level.split_at_checked(1)?;
    let is_whole = more.is_empty() || more.starts_with(' ');
    digit.parse().ok().filter(|level| (2..=4).contains(level) && is_whole)
}

/// The sanitiser writes ids in double quotes, with nothing in them that would need an entity.
fn id_in(tag: &str) -> Option<&str> {
    tag.split_once(" id=\"")?.1.split('"').next().filter(|id| id.starts_with(ID_PREFIX))
}

fn free_id(text: &str, taken: &mut HashSet<String>) -> String {
    let mut base = slug::slug(text);
    if base.len() > LONGEST_ID {
        let cut = base[..=LONGEST_ID].rfind('-').unwrap_or(LONGEST_ID);
        base.truncate(cut);
    }
    let mut id = format!("{ID_PREFIX}{base}");
    let mut number = 2;
    while !taken.insert(id.clone()) {
        id = format!("{ID_PREFIX}{base}-{number}");
        number += 1;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::articles::content;

    fn headings(html: &str) -> Vec<(String, String, bool)> {
        with_headings(html, None)
            .1
            .into_iter()
            .map(|heading| (heading.id, heading.text, heading.is_sub))
            .collect()
    }

    fn row(id: &str, text: &str, is_sub: bool) -> (String, String, bool) {
        (id.into(), text.into(), is_sub)
    }

    #[test]
    fn headings_are_linked_to_by_their_words_in_either_script() {
        let hans = headings("<h2>救援<em>经过</em></h2><p>一</p><h3>第一天</h3><h2>救援经过</h2>");
        assert_eq!(
            hans,
            [
                row("text-jiu-yuan-jing-guo", "救援经过", false),
                row("text-di-yi-tian", "第一天", true),
                row("text-jiu-yuan-jing-guo-2", "救援经过", false),
            ]
        );
        assert_eq!(headings("<h3>救援經過</h3>"), [row("text-jiu-yuan-jing-guo", "救援經過", false)]);
    }

    #[test]
    fn ids_that_a_body_has_are_kept_and_never_given_twice() {
        let html = r#"<h2 lang="en" id="text-aims">Aims</h2><h2>Aims</h2><p id="text-means">x</p><h4 dir="rtl">Means</h4>"#;
        let (written, _) = with_headings(html, None);
        assert_eq!(
            written,
            r#"<h2 lang="en" id="text-aims">Aims</h2><h2 id="text-aims-2">Aims</h2><p id="text-means">x</p><h4 dir="rtl" id="text-means-2">Means</h4>"#
        );
        assert_eq!(headings(html).len(), 3);
    }

    #[test]
    fn only_headings_are_headings() {
        let html = r#"<p title="<h2>no</h2>">a</p><hr><h5>deep</h5><h2></h2><pre>&lt;h2&gt;</pre><h2>cut"#;
        let (written, found) = with_headings(html, None);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(written.replace(r#" id="text-article""#, "").replace(r#" tabindex="0""#, ""), html);
    }

    #[test]
    fn a_converted_body_has_the_ids_of_the_original() {
        let (html, found) = with_headings(
            "<h2>軟體</h2><h2><img alt=\"\"></h2><h3 id=\"text-x\">頭</h3><h2>記憶體</h2>",
            Some("<h2>软件</h2><h2><img alt=\"\"></h2><h3 id=\"text-x\">头</h3><h2>内存</h2>"),
        );
        assert!(html.starts_with("<h2 id=\"text-ruan-jian\">軟體</h2>"), "{html}");
        let ids: Vec<(&str, &str)> = found.iter().map(|one| (one.id.as_str(), one.text.as_str())).collect();
        assert_eq!(ids, [("text-ruan-jian", "軟體"), ("text-x", "頭"), ("text-nei-cun", "記憶體")]);
    }

    #[test]
    fn what_scrolls_can_be_reached_by_keyboard() {
        let (written, _) =
            with_headings(r#"<pre>a</pre><table dir="ltr"><tr><td>b</td></tr></table><p>c</p>"#, None);
        let expected =
            r#"<pre tabindex="0">a</pre><table dir="ltr" tabindex="0"><tr><td>b</td></tr></table><p>c</p>"#;
        assert_eq!(written, expected);
    }

    #[test]
    fn what_hostile_authors_write_stays_as_the_sanitiser_left_it() {
        for source in [
            "<h2 id='\"><script>alert(1)</script>'>x</h2>",
            "<h2 title=' id=\"text-x\"'>&lt;b&gt;</h2>",
            "## <img alt='> id=\"text-y\"' src='https://a.example/x'>图",
            "<h2>a<h3>b</h2>c</h3>",
        ] {
            let html = content::from_markdown(source).unwrap();
            let (written, _) = with_headings(&html, None);
            let count = |html: &str| html.matches('<').count();
            assert_eq!(count(&written), count(&html), "{written}");
            assert!(!written.contains("<script"), "{written}");
        }
    }
}
