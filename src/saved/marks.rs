//! Where a highlight stands in an article. It is known by its words and by what stands around them, compared as
//! folded letters: so it is found again in the other script, and after small changes of the text.

use std::ops::Range;

use crate::articles::content::{skipped_until, tag_end};
use crate::text::fold;

/// Occurrences of the same words that are compared by what stands around them.
const MOST_OCCURRENCES: usize = 1_000;
/// Letters of what stands before and after that are enough to find a passage whose own words have changed.
const SURE: usize = 8;

/// What is looked for, as plain text.
#[derive(Clone, Copy, Debug)]
pub struct Passage<'a> {
    pub quote: &'a str,
    pub before: &'a str,
    pub after: &'a str,
}

/// The place of a passage in `letters`, the folded letters of an article, in bytes.
pub fn locate(letters: &str, passage: Passage<'_>) -> Option<Range<usize>> {
    let [quote, before, after] = [passage.quote, passage.before, passage.after].map(fold::letters);
    if quote.is_empty() {
        return None;
    }
    let alike = |start: usize| {
        let (left, right) = (&letters[..start], &letters[start + quote.len()..]);
        let same = |pair: &(char, char)| pair.0 == pair.1;
        let before = left.chars().rev().zip(before.chars().rev()).take_while(same).count();
        before + right.chars().zip(after.chars()).take_while(same).count()
    };
    let mut best: Option<(usize, usize)> = None;
    for (start, _) in letters.match_indices(&quote).take(MOST_OCCURRENCES) {
        let score = alike(start);
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, start));
        }
    }
    match best {
        Some((_, start)) => Some(start..start + quote.len()),
        None => between(letters, &quote, &before, &after),
    }
}

/// Where the words themselves have changed: what stands between those that were around them.
fn between(letters: &str, quote: &str, before: &str, after: &str) -> Option<Range<usize>> {
    if before.chars().count() < SURE || after.chars().count() < SURE {
        return None;
    }
    let start = letters.find(before)? + before.len();
    let end = start + letters[start..].find(after)?;
    let (found, wanted) = (letters[start..end].chars().count(), quote.chars().count());
    (found > 0 && found <= wanted * 2 && found * 2 >= wanted).then_some(start..end)
}

/// Puts `<mark>` around places in sanitised HTML, each with an id of `h` and a number. Places are in the folded
/// letters of its plain text; where two overlap, the first one counts.
pub fn mark(html: &str, places: &[(i64, Range<usize>)]) -> String {
    let mut places: Vec<(i64, Range<usize>)> = places.to_vec();
    places.sort_by_key(|(_, place)| (place.start, place.end));
    let mut end = 0;
    for (_, place) in &mut places {
        place.start = place.start.max(end);
        end = end.max(place.end);
    }
    places.retain(|(_, place)| place.start < place.end);
    let mut marker = Marker {
        out: String::with_capacity(html.len() + 64 * places.len()),
        places,
        letters: 0,
        begun: None,
    };
    let mut rest = html;
    while !rest.is_empty() {
        let at = rest.find('<').unwrap_or(rest.len());
        marker.text(&rest[..at]);
        rest = &rest[at..];
        let Some(close) = tag_end(rest) else { break };
        let tag = &rest[1..close];
        let mut whole = close + 1;
        // What is no part of the running text has no letters here either.
        if let Some(closing) = skipped_until(tag) {
            whole = rest[whole..].find(closing).map_or(rest.len(), |at| whole + at + closing.len());
        }
        marker.out.push_str(&rest[..whole]);
        rest = &rest[whole..];
    }
    marker.out.push_str(rest);
    marker.out
}

struct Marker {
    out: String,
    places: Vec<(i64, Range<usize>)>,
    /// Bytes of letters that have passed.
    letters: usize,
    /// The place whose id has been given away.
    begun: Option<i64>,
}

impl Marker {
    /// Text between two tags, with its entities.
    fn text(&mut self, raw: &str) {
        let (text, sources) = decode(raw);
        let folded = fold::mapped_letters(&text);
        let here = self.letters..self.letters + folded.text.len();
        self.letters = here.end;
        let mut written = 0;
        for (id, place) in &self.places {
            let (start, end) = (place.start.max(here.start), place.end.min(here.end));
            if start >= end {
                continue;
            }
            let source = folded.source(start - here.start..end - here.start);
            let from = sources[source.start];
            let to = sources.get(source.end).copied().unwrap_or(raw.len());
            self.out.push_str(&raw[written..from]);
            if self.begun == Some(*id) {
                self.out.push_str("<mark>");
            } else {
                self.out.push_str(&format!("<mark id=\"h{id}\">"));
                self.begun = Some(*id);
            }
            self.out.push_str(&raw[from..to]);
            self.out.push_str("</mark>");
            written = to;
        }
        self.out.push_str(&raw[written..]);
    }
}

/// Text with its entities decoded, and for each byte of it where that comes from.
fn decode(raw: &str) -> (String, Vec<usize>) {
    let mut text = String::with_capacity(raw.len());
    let mut sources = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(c) = raw[at..].chars().next() {
        let entity = if c == '&' { raw[at..].bytes().take(12).position(|b| b == b';') } else { None };
        let (decoded, length) = match entity {
            Some(end) => {
                let decoded = crate::articles::content::plain_text(&raw[at..=at + end]);
                let mut chars = decoded.chars();
                match (chars.next(), chars.next()) {
                    (Some(one), None) => (one, end + 1),
                    _ => (c, 1),
                }
            }
            None => (c, c.len_utf8()),
        };
        text.push(decoded);
        sources.resize(text.len(), at);
        at += length;
    }
    (text, sources)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::articles::content::plain_text;

    fn marked(html: &str, quote: &str, before: &str, after: &str) -> Option<String> {
        let letters = fold::letters(&plain_text(html));
        let place = locate(&letters, Passage { quote, before, after })?;
        Some(mark(html, &[(7, place)]))
    }

    #[test]
    fn a_passage_is_found_across_tags_entities_and_scripts() {
        let html = "<p>甲<ruby>乙<rt>yi</rt></ruby>丙 &amp; <em>丁&lt;戊</em>。</p><p>頭髮很長</p>";
        assert_eq!(
            marked(html, "丙 & 丁", "", "").unwrap(),
            "<p>甲<ruby>乙<rt>yi</rt></ruby><mark id=\"h7\">丙</mark> &amp; <em><mark>丁</mark>&lt;戊</em>。</p><p>頭髮很長</p>"
        );
        assert!(
            marked(html, "戊。\n头发", "", "")
                .unwrap()
                .ends_with("&lt;<mark id=\"h7\">戊</mark></em>。</p><p><mark>頭髮</mark>很長</p>")
        );
        assert_eq!(marked(html, "乙丙", "", "").unwrap().matches("<mark").count(), 2);
        assert_eq!(marked(html, "己", "", ""), None);
        assert_eq!(marked(html, "！", "", ""), None);
    }

    #[test]
    fn what_stands_around_decides_and_finds_what_has_changed() {
        let html = "<p>第一次登陆广东。第二次登陆福建。第三次登陆浙江。</p>";
        assert!(
            marked(html, "登陆", "广东。第二次", "福建")
                .unwrap()
                .contains("第二次<mark id=\"h7\">登陆</mark>福建")
        );
        let revised = "<p>今天上午国务院新闻办公室举行了发布会，介绍全年经济运行情况。</p>";
        let found = marked(revised, "举行发布会", "今天上午国务院新闻办公室", "介绍全年经济运行情况");
        assert!(found.unwrap().contains("<mark id=\"h7\">举行了发布会</mark>，介绍"));
        assert_eq!(marked(revised, "取消发布会并且推迟到明年再说", "国务院新闻", "经济"), None);
    }

    #[test]
    fn places_that_overlap_do_not_cross() {
        let html = "<p>一二三四五六</p>";
        let letters = fold::letters(&plain_text(html));
        let place = |quote| locate(&letters, Passage { quote, before: "", after: "" }).unwrap();
        let shown = mark(html, &[(2, place("二三四")), (1, place("一二三")), (3, place("三四"))]);
        assert_eq!(shown, "<p><mark id=\"h1\">一二三</mark><mark id=\"h2\">四</mark>五六</p>");
    }
}
