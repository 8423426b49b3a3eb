//! The text of a body, for the index, excerpts and mail.

use crate::text::count;

/// The opening of sanitised HTML, which may have been cut anywhere, as plain text of at most `most`
/// characters; see [`count::excerpt`].
pub fn excerpt(html: &str, most: usize) -> String {
    let whole_tags = match html.rfind('<') {
        Some(at) if !html[at..].contains('>') => &html[..at],
        _ => html,
    };
    count::excerpt(&plain_text(whole_tags), most)
}

/// The text of sanitised HTML, a line for each paragraph.
///
/// What is not part of the running text is left out, so that a quoted phrase is found across it:
/// ruby readings, footnote marks and the arrows back from footnotes.
pub fn plain_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.bytes().position(|b| b == b'<' || b == b'&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            rest = push_entity(&mut out, rest);
            continue;
        }
        let Some(end) = tag_end(rest) else {
            out.push_str(rest);
            rest = "";
            break;
        };
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(closing) = skipped_until(tag) {
            rest = rest.split_once(closing).map_or("", |(_, after)| after);
        } else if parts_lines(tag) {
            end_line(&mut out);
        }
    }
    out.push_str(rest);
    out.truncate(out.trim_end().len());
    out
}

/// Where the tag that `rest` begins with ends; a `>` in quotes does not end it.
pub fn tag_end(rest: &str) -> Option<usize> {
    let mut quote = None;
    rest.bytes().position(|b| match (quote, b) {
        (None, b'>') => true,
        (None, b'"' | b'\'') => {
            quote = Some(b);
            false
        }
        (Some(q), b) if q == b => {
            quote = None;
            false
        }
        _ => false,
    })
}

/// The end tag of an element whose text is left out.
pub fn skipped_until(tag: &str) -> Option<&'static str> {
    match name(tag) {
        "rt" => Some("</rt>"),
        "rp" => Some("</rp>"),
        "sup" if tag.contains("footnote-ref") => Some("</sup>"),
        "a" if tag.contains("class=\"footnote-backref\"") => Some("</a>"),
        "iframe" => Some("</iframe>"),
        _ => None,
    }
}

fn parts_lines(tag: &str) -> bool {
    matches!(
        name(tag.strip_prefix('/').unwrap_or(tag)),
        "p" | "br"
            | "li"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "blockquote"
            | "pre"
            | "figure"
            | "figcaption"
            | "table"
            | "tr"
            | "td"
            | "th"
            | "caption"
            | "ul"
            | "ol"
            | "dl"
            | "dt"
            | "dd"
            | "hr"
            | "details"
            | "summary"
            | "section"
            | "div"
    )
}

fn name(tag: &str) -> &str {
    let end = tag.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(tag.len());
    &tag[..end]
}

fn end_line(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// Decodes the entity that `rest` begins with; returns what follows it.
fn push_entity<'a>(out: &mut String, rest: &'a str) -> &'a str {
    let end = rest.bytes().take(12).position(|b| b == b';');
    let decoded = end.and_then(|end| {
        let c = match &rest[1..end] {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" | "#39" => '\'',
            "nbsp" => '\u{a0}',
            number => numeric(number)?,
        };
        Some((c, end))
    });
    match decoded {
        Some((c, end)) => {
            out.push(c);
            &rest[end + 1..]
        }
        None => {
            out.push('&');
            &rest[1..]
        }
    }
}

fn numeric(entity: &str) -> Option<char> {
    let digits = entity.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_plain_text_however_the_html_was_cut() {
        let html = "<h2>一</h2><p>二<em>三</em> &lt;四&gt;</p><p class=\"a>b\">五</p><p cla";
        assert_eq!(excerpt(html, 100), "一 二三 <四> 五");
        assert_eq!(excerpt("<p>一二三四</p><p titl", 3), "一二…");
        assert_eq!(excerpt("<p>一</p><", 9), "一");
    }
}
