//! The passage of an article that answers a query, with what was asked for marked.
//!
//! Made from the article's own text, so it is in the article's own script whatever the query's;
//! the offsets of folding lead from one to the other.

use std::ops::Range;

use super::passage::{cut_short, end_after, widen};
use super::query::{Parsed, Term, Within};
use crate::text::fold::{self, Folded};
use crate::text::{segment, spelled};

/// Articles are searched whole, but passages are looked for in so much of the text only.
const MAX_BODY_BYTES: usize = 400_000;
/// Places of one run of letters that are looked at.
const MAX_PLACES: usize = 200;

/// What to mark, made once for a query and used for all of its articles.
#[derive(Debug, Default)]
pub struct Highlighter {
    /// Longest first.
    needles: Vec<Needle>,
}

#[derive(Debug)]
struct Needle {
    letters: String,
    weight: f32,
    /// Marked in titles only.
    title: bool,
    /// A Latin word or a number counts only where it is one.
    whole: bool,
}

impl Highlighter {
    pub fn new(query: &Parsed) -> Highlighter {
        let mut highlighter = Highlighter::default();
        let wanted = || query.wanted().filter(|term| matches!(term.within, Within::Anywhere | Within::Title));
        for term in wanted() {
            highlighter.add(&term.letters, 2.0, term);
            term.others.iter().for_each(|other| highlighter.add(other, 2.0, term));
        }
        // Parts are marked where the whole does not stand.
        for term in wanted().filter(|term| !term.quoted && term.within == Within::Anywhere) {
            for part in parts(&term.text) {
                highlighter.add(&part, 1.0, term);
            }
        }
        highlighter.needles.sort_by_key(|needle| std::cmp::Reverse(needle.letters.len()));
        highlighter
    }

    /// Long runs weigh more: they are rarer.
    fn add(&mut self, letters: &str, weight: f32, term: &Term) {
        let (title, whole) = (term.within == Within::Title, !term.quoted);
        match self.needles.iter_mut().find(|needle| needle.letters == letters) {
            Some(needle) => (needle.title, needle.whole) = (needle.title && title, needle.whole && whole),
            None if letters.is_empty() => {}
            None => {
                let weight = weight * (letters.chars().count() as f32).sqrt();
                self.needles.push(Needle { letters: letters.to_owned(), weight, title, whole });
            }
        }
    }

    /// A whole short text (a title, a name), as HTML with `<mark>`.
    pub fn mark(&self, text: &str) -> String {
        let marks = merged(self.find(text, true));
        html(text, 0..text.len(), &marks)
    }

    /// The passage of about `chars` characters that holds most of what was asked for, as HTML; the
    /// beginning of the text if it holds nothing.
    pub fn passage(&self, text: &str, chars: usize) -> String {
        let text = cut(text, MAX_BODY_BYTES);
        let found = self.find(text, false);
        let window = best_window(text, &found, chars);
        let window = widen(text, window, chars);
        let marked = html(text, window.clone(), &merged(found));
        let [before, behind] = cut_short(text, window).map(|cut| if cut { "…" } else { "" });
        format!("{before}{}{behind}", marked.trim())
    }

    /// Every place of every needle, in order; places inside a longer needle's are left out.
    fn find(&self, text: &str, title: bool) -> Vec<Match> {
        let folded = fold::mapped_letters(text);
        let mut taken: Vec<Range<usize>> = Vec::new();
        let mut matches = Vec::new();
        for (n, needle) in self.needles.iter().enumerate().filter(|(_, needle)| title || !needle.title) {
            let before = taken.len();
            for at in places(&folded, &needle.letters) {
                let range = at..at + needle.letters.len();
                let inside = |t: &Range<usize>| t.start <= range.start && range.end <= t.end;
                if !taken[..before].iter().any(inside) {
                    let source = folded.source(range.clone());
                    if let Some(weight) = needle.weight_at(text, &source) {
                        matches.push(Match { needle: n, weight, source });
                        taken.push(range);
                    }
                }
            }
        }
        matches.sort_by_key(|m| (m.source.start, m.source.end));
        matches
    }
}

impl Needle {
    /// Parts of Latin words count little, where at all.
    fn weight_at(&self, text: &str, place: &Range<usize>) -> Option<f32> {
        match is_inside_word(text, place.start) || is_inside_word(text, place.end) {
            true if self.whole || self.letters.len() == 1 => None,
            true => Some(self.weight * 0.3),
            false => Some(self.weight),
        }
    }
}

/// Does a Latin word or a number go on here?
fn is_inside_word(text: &str, at: usize) -> bool {
    let folded = |c: char| fold::fold(c.encode_utf8(&mut [0; 4])).chars().next();
    let before = text[..at].chars().next_back().and_then(folded);
    let behind = text[at..].chars().next().and_then(folded);
    before.zip(behind).is_some_and(|(before, behind)| spelled::joins(before, behind))
}

/// A needle's place, in bytes of the original.
#[derive(Debug)]
struct Match {
    needle: usize,
    weight: f32,
    source: Range<usize>,
}

fn places<'a>(folded: &'a Folded, letters: &'a str) -> impl Iterator<Item = usize> + 'a {
    folded.text.match_indices(letters).map(|(at, _)| at).take(MAX_PLACES)
}

/// The stretch of at most `chars` characters with the greatest weight of different needles, the
/// earliest of equals. The same again counts next to nothing, and does not make it longer: the room is
/// for whole sentences.
fn best_window(text: &str, found: &[Match], chars: usize) -> Range<usize> {
    let mut best = (0.0, 0..0);
    for (n, first) in found.iter().enumerate() {
        let reach = end_after(text, first.source.start, chars);
        let mut weight = 0.0;
        let mut seen: Vec<usize> = Vec::new();
        let mut end = first.source.end;
        for m in found[n..].iter().take_while(|m| m.source.end <= reach).take(64) {
            if seen.contains(&m.needle) {
                weight += m.weight * 0.02;
            } else {
                weight += m.weight;
                seen.push(m.needle);
                end = end.max(m.source.end);
            }
        }
        if weight > best.0 {
            best = (weight, first.source.start..end);
        }
    }
    best.1
}

/// The words of an unquoted term. What the dictionary does not know comes as single characters, and
/// those that stand together are one: 新冠疫苗 is 新冠 and 疫苗.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut single = false;
    for word in segment::words(text) {
        let letters = fold::letters(word);
        let is_single = letters.chars().nth(1).is_none();
        match parts.last_mut() {
            Some(last) if single && is_single && !letters.is_empty() => last.push_str(&letters),
            _ => parts.push(letters.clone()),
        }
        single = is_single && !letters.is_empty();
    }
    parts.retain(|part| part.chars().nth(1).is_some());
    parts
}

fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Ranges in order that neither overlap nor touch.
fn merged(found: Vec<Match>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for m in found {
        match ranges.last_mut() {
            Some(last) if m.source.start <= last.end => last.end = last.end.max(m.source.end),
            _ => ranges.push(m.source),
        }
    }
    ranges
}

/// A part of a text as HTML: escaped, on one line, with the marked ranges in `<mark>`.
fn html(text: &str, part: Range<usize>, marks: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(part.len() + 64);
    let mut at = part.start;
    for mark in marks {
        let (start, end) = (mark.start.max(part.start), mark.end.min(part.end));
        if start >= end {
            continue;
        }
        escape(&text[at..start], &mut out);
        out.push_str("<mark>");
        escape(&text[start..end], &mut out);
        out.push_str("</mark>");
        at = end;
    }
    escape(&text[at..part.end], &mut out);
    out
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::query::parse::parse;

    fn highlighter(query: &str) -> Highlighter {
        Highlighter::new(&parse(query, chrono_tz::Tz::UTC))
    }

    #[test]
    fn marks_are_in_the_articles_own_script() {
        assert_eq!(highlighter("台湾").mark("臺灣大學"), "<mark>臺灣</mark>大學");
        assert_eq!(highlighter("\"計畫\"").mark("这个计划"), "这个<mark>计划</mark>");
        assert_eq!(highlighter("5ｇ手机").mark("５Ｇ 手機"), "<mark>５Ｇ 手機</mark>");
    }

    #[test]
    fn wholes_are_marked_before_parts_and_parts_where_no_whole_is() {
        let marks = highlighter("出席东盟商务峰会");
        assert_eq!(marks.mark("他出席东盟的商务会议"), "他<mark>出席东盟</mark>的<mark>商务</mark>会议");
        assert_eq!(highlighter("\"商务峰会\"").mark("商务会议"), "商务会议");
    }

    #[test]
    fn html_of_an_article_is_text_here() {
        assert_eq!(
            highlighter("script").mark("<script>alert('x' & \"y\")</script>"),
            "&lt;<mark>script</mark>&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/<mark>script</mark>&gt;"
        );
    }

    #[test]
    fn the_passage_is_where_most_of_the_query_stands() {
        let filler = "这一句话里什么都没有说到。".repeat(30);
        let text = format!("{filler}颱風來了。{filler}\n\n中央氣象臺發佈颱風登陸預警，\n各地停課。{filler}");
        let passage = highlighter("台风 登陆 预警").passage(&text, 30);
        assert!(passage.starts_with("中央氣象臺發佈<mark>颱風登陸預警</mark>， 各地停課。"), "{passage}");
        let cut = highlighter("台风")
            .passage(&format!("{}颱風{}", "没有标点".repeat(40), "没有标点".repeat(40)), 30);
        assert!(cut.starts_with('…') && cut.ends_with('…'), "{cut}");
        let marked = highlighter("新冠疫苗").mark("新冠病毒的疫苗");
        assert_eq!(marked, "<mark>新冠</mark>病毒的<mark>疫苗</mark>");
    }

    #[test]
    fn without_a_match_the_passage_is_the_beginning() {
        assert_eq!(highlighter("无").passage("第一句。第二句。", 100), "第一句。第二句。");
        let long = "第一句很长很长很长。".repeat(20);
        assert!(highlighter("无").passage(&long, 25).starts_with("第一句"));
        assert_eq!(highlighter("").passage("", 25), "");
    }

    proptest! {
        #[test]
        fn passages_of_any_text_are_safe_html(query in "[台a字\"é ]{0,8}", text in "[臺A字<&é\u{301}㎏\n。 \u{0}]{0,80}", chars in 0usize..40) {
            let html = highlighter(&query).passage(&text, chars);
            let bare = html.replace("<mark>", "").replace("</mark>", "");
            prop_assert!(!bare.contains(['<', '>', '"', '\0']));
            prop_assert_eq!(html.matches("<mark>").count(), html.matches("</mark>").count());
        }
    }
}
