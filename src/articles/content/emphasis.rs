//! Emphasis by script: Chinese has dots under its characters, Latin letters are slanted.

use std::borrow::Cow;

use super::plain::{plain_text, tag_end};
use super::with_inserted;
use crate::text::letter::is_read_alone;

/// A sanitised body in which emphasis without any character of East Asia is marked as of no known language, so that
/// the style of the language around it leaves it alone.
pub fn with_foreign_emphasis(html: &str) -> Cow<'_, str> {
    let (mut places, mut at) = (Vec::new(), 0);
    while let Some(start) = html[at..].find('<').map(|start| at + start) {
        let Some(end) = tag_end(&html[start..]).map(|end| start + end) else { break };
        at = end + 1;
        if is_emphasis(&html[start..end]) {
            let inside = html[at..].split_once("</em>").map_or("", |(inside, _)| inside);
            if !inside.is_empty() && !plain_text(inside).chars().any(is_read_alone) {
                places.push(end);
            }
        }
    }
    with_inserted(html, &places, " lang=\"\"")
}

/// Whether a start tag, without its end, is of emphasis that names no language of its own.
fn is_emphasis(tag: &str) -> bool {
    tag.strip_prefix("<em")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' ') && !rest.contains(" lang="))
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
            ("汉<em dir=\"ltr\" title=\"<em>\">a</em>", "汉<em dir=\"ltr\" title=\"<em>\" lang=\"\">a</em>"),
        ] {
            assert_eq!(with_foreign_emphasis(html), shown);
        }
        for html in [
            "<em>GPL 许可证</em>",
            "<em lang=\"fr\">a</em>",
            "<p title=\"<em>a\">汉</p>",
            "<em>か</em>",
            "<em></em>",
            "<em>a",
            "<p>Emphasis &lt;em&gt;",
            "",
        ] {
            assert!(matches!(with_foreign_emphasis(html), Cow::Borrowed(same) if same == html), "{html}");
        }
    }
}
