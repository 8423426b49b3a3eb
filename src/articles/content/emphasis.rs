//! Emphasis by script: Chinese has dots under its characters, Latin letters are slanted.

use std::borrow::Cow;

use super::plain::tag_end;
use crate::text::count::is_read_alone;

const START: &str = "<em>";
const END: &str = "</em>";

/// A sanitised body in which emphasis without any character of East Asia is marked as of no known language, so that
/// the style of the language around it leaves it alone.
pub fn with_foreign_emphasis(html: &str) -> Cow<'_, str> {
    let mut foreign = html.match_indices(START).map(|(at, _)| at + START.len()).filter(|at| {
        let inside = html[*at..].split_once(END).map_or("", |(inside, _)| inside);
        !inside.is_empty() && !has_east_asian(inside)
    });
    let Some(first) = foreign.next() else { return Cow::Borrowed(html) };
    let mut out = String::with_capacity(html.len() + 64);
    let mut from = 0;
    for at in std::iter::once(first).chain(foreign) {
        out.push_str(&html[from..at - START.len()]);
        out.push_str("<em lang=\"\">");
        from = at;
    }
    out.push_str(&html[from..]);
    Cow::Owned(out)
}

/// Whether there are such characters outside tags.
fn has_east_asian(html: &str) -> bool {
    let mut rest = html;
    while let Some((text, tag)) = rest.split_once('<') {
        if text.chars().any(is_read_alone) {
            return true;
        }
        rest = tag_end(tag).map_or("", |end| &tag[end + 1..]);
    }
    rest.chars().any(is_read_alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_letters_of_elsewhere_are_of_no_known_language() {
        for (html, shown) in [
            ("<p>作者：<em>Jessica Cherry</em>。</p>", "<p>作者：<em lang=\"\">Jessica Cherry</em>。</p>"),
            (
                "<em><a href=\"/汉\">Open <b>Source</b></a></em>与<em>重点</em>",
                "<em lang=\"\"><a href=\"/汉\">Open <b>Source</b></a></em>与<em>重点</em>",
            ),
        ] {
            assert_eq!(with_foreign_emphasis(html), shown);
        }
        for html in ["<em>GPL 许可证</em>", "<em>か</em>", "<em></em>", "<em>a", "<p>Emphasis &lt;em&gt;", ""]
        {
            assert!(matches!(with_foreign_emphasis(html), Cow::Borrowed(same) if same == html), "{html}");
        }
    }
}
