//! Articles as Markdown (CommonMark with tables), one after another, each with its facts and what was marked in it.

use scraper::{ElementRef, Html, Node};

use super::{Book, Piece};

pub fn write(book: &Book) -> String {
    let mut out = String::new();
    if book.pieces.len() > 1 {
        out.push_str(&format!("# {}\n\n", one_line(&book.title)));
    }
    for piece in &book.pieces {
        push_article(&mut out, book, piece);
    }
    out
}

fn push_article(out: &mut String, book: &Book, piece: &Piece) {
    let saved = &piece.saved;
    let level = if book.pieces.len() > 1 { "##" } else { "#" };
    out.push_str(&format!(
        "{level} {}\n\n{}  \n<{}>\n\n",
        one_line(&saved.title),
        one_line(&book.facts(piece)),
        book.absolute(&saved.url)
    ));
    if let Some(cover) = &saved.cover_url {
        out.push_str(&format!("![]({})\n\n", address(&book.absolute(cover))));
    }
    out.push_str(&of_html(&saved.body_html, &book.base_url));
    if !piece.highlights.is_empty() {
        out.push_str(&format!("{level}# {}\n\n", book.locale.text("highlight-title")));
    }
    for row in &piece.highlights {
        push_quoted(out, &escape(&row.quote));
        if !row.note.is_empty() {
            out.push_str(&format!("{}\n\n", escape(&row.note)));
        }
    }
}

/// A body as Markdown, ended by an empty line.
pub fn of_html(html: &str, base: &str) -> String {
    let fragment = Html::parse_fragment(html);
    let mut writer = Writer { base };
    let mut out = String::new();
    writer.blocks(fragment.root_element(), &mut out);
    out
}

struct Writer<'a> {
    base: &'a str,
}

impl Writer<'_> {
    fn blocks(&mut self, element: ElementRef<'_>, out: &mut String) {
        let mut line = String::new();
        for child in element.children() {
            match child.value() {
                Node::Text(content) => line.push_str(&escape(content)),
                Node::Element(_) => {
                    let Some(inner) = ElementRef::wrap(child) else { continue };
                    if is_inline(inner.value().name()) {
                        self.inline_element(inner, &mut line);
                    } else {
                        end_paragraph(&mut line, out);
                        self.block(inner, out);
                    }
                }
                _ => {}
            }
        }
        end_paragraph(&mut line, out);
    }

    fn block(&mut self, element: ElementRef<'_>, out: &mut String) {
        match element.value().name() {
            name @ ("h1" | "h2" | "h3" | "h4" | "h5" | "h6") => {
                // Below the article's own title.
                let level = name[1..].parse::<usize>().unwrap_or(1).clamp(3, 6);
                out.push_str(&format!("{} {}\n\n", "#".repeat(level), one_line(&self.inline(element))));
            }
            "blockquote" => {
                let mut inner = String::new();
                self.blocks(element, &mut inner);
                push_quoted(out, inner.trim_end());
            }
            "ul" => self.list(element, out, |_| "- ".to_owned()),
            "ol" => {
                let start = element.value().attr("start").and_then(|text| text.parse().ok()).unwrap_or(1);
                self.list(element, out, |at| format!("{}. ", start + at));
            }
            "pre" => {
                let code: String = element.text().collect();
                let fence = "`".repeat(longest_run(&code).max(2) + 1);
                out.push_str(&format!("{fence}\n{}\n{fence}\n\n", code.trim_end_matches('\n')));
            }
            "hr" => out.push_str("---\n\n"),
            "table" => self.table(element, out),
            "iframe" | "video" | "audio" => {
                if let Some(source) = element.value().attr("src") {
                    let source = self.absolute(source);
                    out.push_str(&format!("<{}>\n\n", address(&source)));
                }
            }
            _ => self.blocks(element, out),
        }
    }

    fn list(&mut self, element: ElementRef<'_>, out: &mut String, sign: impl Fn(usize) -> String) {
        let items = element.child_elements().filter(|item| item.value().name() == "li");
        for (at, item) in items.enumerate() {
            let mut inner = String::new();
            self.blocks(item, &mut inner);
            let sign = sign(at);
            let pad = " ".repeat(sign.len());
            for (number, line) in inner.trim_end().lines().enumerate() {
                match (number, line.is_empty()) {
                    (0, _) => out.push_str(&sign),
                    (_, false) => out.push_str(&pad),
                    _ => {}
                }
                out.push_str(line);
                out.push('\n');
            }
        }
        out.push('\n');
    }

    fn table(&mut self, element: ElementRef<'_>, out: &mut String) {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for row in
            element.descendants().filter_map(ElementRef::wrap).filter(|inner| inner.value().name() == "tr")
        {
            let cells = row.child_elements().filter(|cell| matches!(cell.value().name(), "td" | "th"));
            rows.push(cells.map(|cell| one_line(&self.inline(cell))).collect());
        }
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        if width == 0 {
            return;
        }
        for (at, row) in rows.iter().enumerate() {
            let cell = |column: usize| row.get(column).map_or("", String::as_str);
            let cells: Vec<&str> = (0..width).map(cell).collect();
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
            if at == 0 {
                out.push_str(&format!("|{}\n", " --- |".repeat(width)));
            }
        }
        out.push('\n');
    }

    fn inline(&mut self, element: ElementRef<'_>) -> String {
        let mut line = String::new();
        for child in element.children() {
            match child.value() {
                Node::Text(content) => line.push_str(&escape(content)),
                Node::Element(_) => {
                    if let Some(inner) = ElementRef::wrap(child) {
                        self.inline_element(inner, &mut line);
                    }
                }
                _ => {}
            }
        }
        line
    }

    fn inline_element(&mut self, element: ElementRef<'_>, line: &mut String) {
        let attribute = |name| element.value().attr(name).unwrap_or_default();
        match element.value().name() {
            "br" => line.push_str("  \n"),
            "strong" | "b" => push_around(line, "**", &self.inline(element)),
            "em" | "i" => push_around(line, "*", &self.inline(element)),
            "del" | "s" => push_around(line, "~~", &self.inline(element)),
            "code" => {
                let code: String = element.text().collect();
                let fence = "`".repeat(longest_run(&code) + 1);
                let pad = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
                line.push_str(&format!("{fence}{pad}{code}{pad}{fence}"));
            }
            "a" => {
                let words = self.inline(element);
                let target = self.absolute(attribute("href"));
                if target.is_empty() || target.starts_with('#') {
                    line.push_str(&words);
                } else {
                    line.push_str(&format!("[{words}]({})", address(&target)));
                }
            }
            "img" => {
                let source = self.absolute(attribute("src"));
                line.push_str(&format!("![{}]({})", escape(attribute("alt")), address(&source)));
            }
            "rp" => {}
            "rt" => line.push_str(&format!("（{}）", self.inline(element))),
            _ => line.push_str(&self.inline(element)),
        }
    }

    fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') && !path.starts_with("//") {
            format!("{}{path}", self.base)
        } else {
            path.to_owned()
        }
    }
}

fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "a" | "abbr"
            | "b"
            | "bdi"
            | "bdo"
            | "br"
            | "cite"
            | "code"
            | "data"
            | "del"
            | "dfn"
            | "em"
            | "i"
            | "img"
            | "ins"
            | "kbd"
            | "mark"
            | "q"
            | "rp"
            | "rt"
            | "ruby"
            | "s"
            | "samp"
            | "small"
            | "span"
            | "strong"
            | "sub"
            | "sup"
            | "time"
            | "u"
            | "var"
            | "wbr"
    )
}

fn end_paragraph(line: &mut String, out: &mut String) {
    let text = std::mem::take(line);
    let text = text.trim();
    if !text.is_empty() {
        let safe = if starts_a_block(text) { format!("\\{text}") } else { text.to_owned() };
        out.push_str(&format!("{safe}\n\n"));
    }
}

/// Would the text be read as a list, a heading or a quotation?
fn starts_a_block(text: &str) -> bool {
    ["- ", "+ ", "#", "---", "==="].iter().any(|sign| text.starts_with(sign))
}

fn push_quoted(out: &mut String, text: &str) {
    for line in text.lines() {
        out.push_str(if line.is_empty() { ">" } else { "> " });
        out.push_str(line);
        out.push('\n');
    }
    out.push('\n');
}

/// Marks that stand close around what they mark.
fn push_around(line: &mut String, mark: &str, text: &str) {
    let inner = text.trim();
    if inner.is_empty() {
        line.push_str(text);
        return;
    }
    let start = text.len() - text.trim_start().len();
    line.push_str(&text[..start]);
    line.push_str(&format!("{mark}{inner}{mark}"));
    line.push_str(&text[start + inner.len()..]);
}

/// Text in which nothing is a sign, on one line where it was.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '|' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' | '\t' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An address that cannot end its brackets.
fn address(url: &str) -> String {
    url.replace(' ', "%20").replace('(', "%28").replace(')', "%29").replace('<', "%3C").replace('>', "%3E")
}

fn longest_run(code: &str) -> usize {
    code.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::of_html;

    #[test]
    fn a_body_is_markdown() {
        let html = "<h2>一、<em>二</em></h2><p>甲<strong> 乙 </strong>*丙*<br>丁 <a href=\"/@a/b\">链接</a></p>\
            <ul><li>一<ul><li>二</li></ul></li><li><p>三</p><p>四</p></li></ul><blockquote><p>引</p><p>文</p></blockquote>\
            <pre><code>let a = `b`;\n</code></pre><table><tr><th>a|b</th><th>c</th></tr><tr><td>1</td></tr></table>\
            <p><img src=\"https://e.test/a (1).png\" alt=\"图\"></p><p># 不是标题</p>";
        assert_eq!(
            of_html(html, "https://x.test"),
            "### 一、*二*\n\n甲 **乙** \\*丙\\*  \n丁 [链接](https://x.test/@a/b)\n\n- 一\n\n  - 二\n- 三\n\n  四\n\n\
            > 引\n>\n> 文\n\n```\nlet a = `b`;\n```\n\n| a\\|b | c |\n| --- | --- |\n| 1 |  |\n\n\
            ![图](https://e.test/a%20%281%29.png)\n\n\\# 不是标题\n\n"
        );
    }
}
