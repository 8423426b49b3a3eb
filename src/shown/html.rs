//! Sanitised HTML in another script. Text is gathered across inline tags and converted as one, so that a word is
//! seen whole even where it is half bold or half marked as found; the tags go back where they stood.

use std::ops::Range;

use super::Written;
use super::quotes::{Marks, Pairs};
use crate::articles::content::tag_end;
use crate::text::convert::Direction;

/// Tags that part no words.
const INLINE: [&str; 20] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "del", "dfn", "em", "font", "i", "ins", "mark", "q", "s",
    "small", "span", "strong", "u", "wbr",
];
/// Tags that part words, and no quotations.
const WITHIN_LINES: [&str; 16] = [
    "br", "code", "img", "input", "kbd", "label", "rb", "rp", "rt", "rtc", "ruby", "samp", "sub", "sup",
    "time", "var",
];
/// What holds no words of a language, but names of things and commands.
const CODE: [&str; 8] = ["code", "kbd", "pre", "samp", "script", "style", "textarea", "var"];
/// Elements without content.
const VOID: [&str; 8] = ["br", "hr", "img", "input", "link", "meta", "source", "wbr"];

/// Whether HTML may have parts that are left alone.
pub fn may_keep_parts(html: &str) -> bool {
    let is_marked = html.contains(" translate=\"no\"") || html.contains(" lang=\"");
    is_marked || CODE.iter().any(|name| html.split('<').any(|tag| tag.starts_with(name)))
}

pub fn convert(
    html: &str,
    directions: &[Direction],
    written: Written,
    marks: Option<Marks>,
    tag: &str,
) -> String {
    let mut writer = Writer {
        directions,
        written,
        tag,
        marks,
        pairs: marks.filter(|marks| marks.may_be_in(html)).map(|marks| Pairs::new(marks, true)),
        out: String::with_capacity(html.len() + html.len() / 16),
        run: String::new(),
        tags: Vec::new(),
    };
    writer.write(html);
    match writer.pairs {
        Some(pairs) => pairs.put_in(&writer.out),
        None => writer.out,
    }
}

struct Writer<'a> {
    directions: &'a [Direction],
    /// How the text is written, and the language tag that it has afterwards.
    written: Written,
    tag: &'a str,
    marks: Option<Marks>,
    /// Marks of quotation in `out`; none where there are none to replace.
    pairs: Option<Pairs>,
    out: String,
    /// Text that is not converted yet, and the inline tags in it by their places.
    run: String,
    tags: Vec<(usize, String)>,
}

impl Writer<'_> {
    fn write(&mut self, html: &str) {
        let mut rest = html;
        while !rest.is_empty() {
            let at = rest.find('<').unwrap_or(rest.len());
            self.run.push_str(&rest[..at]);
            rest = &rest[at..];
            if rest.is_empty() {
                break;
            }
            let end = tag_end(rest).map_or(rest.len(), |end| end + 1);
            let tag = &rest[..end];
            if self.is_kept(tag) {
                self.flush();
                let end = element_end(rest);
                self.keep(&rest[..end]);
                rest = &rest[end..];
                continue;
            }
            let converted = self.converted_tag(tag);
            if INLINE.contains(&name(tag)) {
                self.tags.push((self.run.len(), converted));
            } else {
                self.flush();
                self.out.push_str(&converted);
                self.end_block(name(tag));
            }
            rest = &rest[end..];
        }
        self.flush();
    }

    /// Writes an element as it is.
    fn keep(&mut self, element: &str) {
        self.out.push_str(element);
        self.end_block(name(element));
        if let Some(pairs) = &mut self.pairs {
            pairs.pass_by(element);
        }
        self.end_block(name(element));
    }

    /// Quotations end with the block that they are in.
    fn end_block(&mut self, element: &str) {
        if let Some(pairs) = &mut self.pairs
            && !INLINE.contains(&element)
            && !WITHIN_LINES.contains(&element)
        {
            pairs.end_block();
        }
    }

    /// Writes text that is converted.
    fn push(&mut self, text: &str) {
        if let Some(pairs) = &mut self.pairs {
            pairs.read(text, self.out.len());
        }
        self.out.push_str(text);
    }

    fn flush(&mut self) {
        let mut marks: Vec<usize> = self.tags.iter().map(|(at, _)| *at).collect();
        let mut text = std::mem::take(&mut self.run);
        if !text.is_ascii() {
            for direction in self.directions {
                text = direction.convert_marked(&text, &mut marks);
            }
        }
        let mut from = 0;
        for ((_, tag), at) in std::mem::take(&mut self.tags).into_iter().zip(marks) {
            self.push(&text[from..at]);
            self.out.push_str(&tag);
            from = at;
        }
        self.push(&text[from..]);
    }

    /// Whether an element is to be left alone with all it holds.
    fn is_kept(&self, tag: &str) -> bool {
        if tag.starts_with("</") {
            return false;
        }
        let is_foreign = attribute(tag, "lang").is_some_and(|lang| Written::of(lang) != Some(self.written));
        CODE.contains(&name(tag)) || attribute(tag, "translate") == Some("no") || is_foreign
    }

    /// A tag with its words converted, and the language that they have then.
    fn converted_tag(&self, tag: &str) -> String {
        let mut out = tag.to_owned();
        if !tag.contains("=\"") {
            return out;
        }
        for name in ["alt", "title"] {
            if let Some(value) = attribute(&out, name).filter(|value| !value.is_ascii()) {
                let convert = |text: String, one: &Direction| one.convert(&text).into_owned();
                let value = self.directions.iter().fold(value.to_owned(), convert);
                let value = match self.marks {
                    Some(marks) => marks.put_in(value.into()).into_owned(),
                    None => value,
                };
                out = with_attribute(&out, name, &value);
            }
        }
        if attribute(tag, "lang").is_some() {
            out = with_attribute(&out, "lang", self.tag);
        }
        out
    }
}

/// The name of the element of a tag.
fn name(tag: &str) -> &str {
    let name = tag.trim_start_matches('<').trim_start_matches('/');
    let end = name.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(name.len());
    &name[..end]
}

/// Where the value of an attribute stands. Attributes are written in double quotes, and none holds one.
fn place(tag: &str, wanted: &str) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(next) = tag[at..].find("=\"") {
        let from = at + next + 2;
        let to = from + tag[from..].find('"')?;
        if tag[at..at + next].rsplit(' ').next() == Some(wanted) {
            return Some(from..to);
        }
        at = to + 1;
    }
    None
}

fn attribute<'a>(tag: &'a str, wanted: &str) -> Option<&'a str> {
    place(tag, wanted).map(|place| &tag[place])
}

fn with_attribute(tag: &str, wanted: &str, value: &str) -> String {
    match place(tag, wanted) {
        Some(place) => format!("{}{value}{}", &tag[..place.start], &tag[place.end..]),
        None => tag.to_owned(),
    }
}

/// Where the element that `rest` begins with ends, with its end tag.
fn element_end(rest: &str) -> usize {
    let element = name(rest);
    let first = tag_end(rest).map_or(rest.len(), |end| end + 1);
    if VOID.contains(&element) {
        return first;
    }
    let (mut at, mut open) = (first, 1);
    while let Some(next) = rest[at..].find('<') {
        let tag = &rest[at + next..];
        let end = tag_end(tag).map_or(tag.len(), |end| end + 1);
        if name(&tag[..end]) == element {
            open = if tag.starts_with("</") { open - 1 } else { open + 1 };
        }
        at += next + end;
        if open == 0 {
            return at;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use crate::shown::Shown;

    fn for_taiwan(html: &str) -> String {
        Shown::HantTw.html(html, "zh-Hans").into_owned()
    }

    #[test]
    fn words_are_seen_whole_across_inline_tags() {
        assert_eq!(
            for_taiwan("<p>理<b>发</b>，头<mark>发</mark></p>"),
            "<p>理<b>髮</b>，頭<mark>髮</mark></p>"
        );
        assert_eq!(for_taiwan("<p>头</p><p>发展</p>"), "<p>頭</p><p>發展</p>");
        assert_eq!(for_taiwan("加<mark>内</mark>存"), "加<mark>記</mark>憶體");
        assert_eq!(for_taiwan("头<br>发展"), "頭<br>發展");
    }

    #[test]
    fn text_and_descriptions_are_converted_and_nothing_else() {
        let html = r##"<p title="网络">看<a href="/@后/里?q=发" title="发展" rel="x">网络</a> &lt;头发&gt; <code>后 &lt; 里</code><img src="/media/后.jpg" alt="网络 &quot;里&quot;" width="2"></p><pre><code class="language-rust">let 后 = "里";</code></pre>"##;
        let expected = r##"<p title="網路">看<a href="/@后/里?q=发" title="發展" rel="x">網路</a> &lt;頭髮&gt; <code>后 &lt; 里</code><img src="/media/后.jpg" alt="網路 &quot;裡&quot;" width="2"></p><pre><code class="language-rust">let 后 = "里";</code></pre>"##;
        assert_eq!(for_taiwan(html), expected);
    }

    #[test]
    fn what_is_marked_stays() {
        for (html, expected) in [
            (
                r#"<p>网络<span translate="no">范后里<b>里</b><span>网络</span></span>网络</p>"#,
                r#"<p>網路<span translate="no">范后里<b>里</b><span>网络</span></span>網路</p>"#,
            ),
            (r#"<p lang="ja">学校の里</p><p>里面</p>"#, r#"<p lang="ja">学校の里</p><p>裡面</p>"#),
            (r#"<p lang="zh-CN">里面</p>"#, r#"<p lang="zh-Hant-TW">裡面</p>"#),
            (r#"<q lang="zh-Hant-HK">裏面</q>里面"#, r#"<q lang="zh-Hant-HK">裏面</q>裡面"#),
            (r#"<img translate="no" alt="网络">网络"#, r#"<img translate="no" alt="网络">網路"#),
        ] {
            assert_eq!(for_taiwan(html), expected);
        }
    }

    #[test]
    fn marks_of_quotation_are_paired_across_tags_and_within_blocks() {
        for (html, expected) in [
            (
                r##"<p>他<b>说“你</b>好‘<a href="/“里”" title="“里”">吗</a>’”</p>"##,
                r##"<p>他<b>說「你</b>好『<a href="/“里”" title="「裡」">嗎</a>』」</p>"##,
            ),
            ("<p>用“<code>“里”</code>”<br>与</p>", "<p>用「<code>“里”</code>」<br>與</p>"),
            (
                r#"<p>“<span translate="no">“后里”</span>”，“x</p><p>y”</p>"#,
                r#"<p>「<span translate="no">“后里”</span>」，“x</p><p>y”</p>"#,
            ),
            ("<p>“里</p><img><p>“后”</p>", "<p>「裡</p><img><p>「後」</p>"),
            ("<pre>“里”</pre><p>it’s “a” 里</p>", "<pre>“里”</pre><p>it’s “a” 裡</p>"),
        ] {
            assert_eq!(for_taiwan(html), expected);
        }
        assert_eq!(Shown::Hans.html("<p>「<b>裡</b>」</p>", "zh-Hant"), "<p>“<b>里</b>”</p>");
        assert_eq!(Shown::HantHk.html("<p>「裡」“裡”</p>", "zh-Hant-TW"), "<p>「裏」“裏”</p>");
    }

    #[test]
    fn broken_html_is_no_trouble() {
        for html in [
            "<",
            "<p",
            "网络<",
            "<code>网络",
            "</code>网络",
            "<p title=\"网",
            "<b>网<b>络</b>",
            "<pre><pre></pre>",
        ] {
            let converted = for_taiwan(html);
            assert_eq!(
                converted.matches('<').count(),
                html.matches('<').count(),
                "{html} became {converted}"
            );
        }
    }
}
