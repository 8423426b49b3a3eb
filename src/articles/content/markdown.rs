//! Markdown to HTML that has yet to be sanitised.

use std::sync::LazyLock;

use comrak::{Options, markdown_to_html};

/// How many block quotes may stand inside each other; the marks of a line with more are left out.
/// Lists have such a limit in comrak.
const MAX_NESTING: usize = 60;

pub fn render(source: &str) -> String {
    match limit_nesting(source) {
        Some(limited) => markdown_to_html(&limited, &OPTIONS),
        None => markdown_to_html(source, &OPTIONS),
    }
}

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    // `**重点。**后文` is not emphasis by the letter of CommonMark, and no one writing Chinese expects that.
    options.extension.cjk_friendly_emphasis = true;
    // The sanitiser is what decides about HTML, here as elsewhere.
    options.render.r#unsafe = true;
    options
});

/// The source without the marks of lines that open too many block quotes, or none if it has no such lines.
fn limit_nesting(source: &str) -> Option<String> {
    if source.lines().all(|line| openers(line).0 <= MAX_NESTING) {
        return None;
    }
    let mut limited = String::with_capacity(source.len());
    for line in source.lines() {
        let (count, length) = openers(line);
        limited.push_str(if count > MAX_NESTING { &line[length..] } else { line });
        limited.push('\n');
    }
    Some(limited)
}

/// How many block quotes a line opens, and how many bytes their markers take.
fn openers(line: &str) -> (usize, usize) {
    let length = line.bytes().position(|b| !matches!(b, b'>' | b' ' | b'\t')).unwrap_or(line.len());
    (line.as_bytes()[..length].iter().filter(|b| **b == b'>').count(), length)
}
