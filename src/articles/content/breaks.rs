//! Where long words may break. A line of Chinese is justified, and an address that does not fit behind it would pull its
//! characters apart.

use std::borrow::Cow;

use super::plain::tag_end;
use super::with_inserted;

/// Bytes of a word that needs no help.
const SHORT: usize = 20;

/// A sanitised body with `<wbr>` in long words of ASCII, most of them addresses: where an address has its parts. Text in
/// `<pre>` keeps its lines.
pub fn with_breaks(html: &str) -> Cow<'_, str> {
    let mut places = Vec::new();
    let (mut at, mut is_kept) = (0, false);
    while at < html.len() {
        let rest = &html[at..];
        let length = if rest.starts_with('<') {
            let end = tag_end(rest).map_or(rest.len(), |end| end + 1);
            match &rest[..end] {
                "</pre>" => is_kept = false,
                tag if tag.starts_with("<pre>") || tag.starts_with("<pre ") => is_kept = true,
                _ => {}
            }
            end
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            if !is_kept {
                places.extend(places_in(&rest[..end]).map(|place| at + place));
            }
            end
        };
        at += length;
    }
    with_inserted(html, &places, "<wbr>")
}

/// Offsets of breaks in a text.
fn places_in(text: &str) -> impl Iterator<Item = usize> {
    let between = |c: char| !c.is_ascii_graphic();
    let mut next = 0;
    let words = text.split_inclusive(between).map(move |word| {
        let start = next;
        next += word.len();
        (start, word.trim_end_matches(between).as_bytes())
    });
    words.filter(|(_, word)| word.len() > SHORT).flat_map(|(start, word)| {
        (1..word.len()).filter(|at| parts(word[at - 1], word[*at])).map(move |at| start + at)
    })
}

/// Whether a word may break between two of its characters: behind what ends a part of an address (`;` ends `&amp;`), or
/// before what begins one.
fn parts(before: u8, after: u8) -> bool {
    let ends = matches!(before, b'/' | b'.' | b'?' | b'=' | b'-' | b'_' | b',' | b';');
    let begins = matches!(after, b'%' | b'#' | b'&');
    (ends || begins) && !matches!(after, b'/' | b'.' | b',' | b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_breaks_where_its_parts_meet() {
        let html = r#"<p>见<a href="https://example.org/a/long/address?b=c&amp;d=e">https://example.org/a/long-address/%E5%8F%B0?b=c&amp;d=e#f</a>。</p>"#;
        let shown = "https://<wbr>example.<wbr>org/<wbr>a/<wbr>long-<wbr>address/<wbr>%E5<wbr>%8F<wbr>%B0?<wbr>b=<wbr>c<wbr>&amp;<wbr>d=<wbr>e<wbr>#f";
        assert_eq!(
            with_breaks(html),
            format!(r#"<p>见<a href="https://example.org/a/long/address?b=c&amp;d=e">{shown}</a>。</p>"#)
        );
    }

    #[test]
    fn what_is_short_or_kept_in_its_lines_stays() {
        for html in [
            "<p>见example.org/a，3.14与a/b。</p>",
            "<pre><code>https://example.org/a/long/address/of/code</code></pre>",
            "<p>没有一个长词，只有一句很长很长很长很长很长的话。</p>",
            r#"<p><img src="https://example.org/a/long/address.jpg" alt=""></p>"#,
            "",
        ] {
            assert!(matches!(with_breaks(html), Cow::Borrowed(same) if same == html), "{html}");
        }
        let after = "<pre>a</pre><p>https://example.org/address</p>";
        assert_eq!(with_breaks(after), "<pre>a</pre><p>https://<wbr>example.<wbr>org/<wbr>address</p>");
    }
}
