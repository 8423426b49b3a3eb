//! Takes out of an entry's HTML what others put into it: counters, boxes of feed services,
//! signatures of blog software, campaign parameters. One pass over the tags; whatever is left is the
//! sanitiser's to judge.

use url::Url;

use super::tracker;
use crate::import::markup::{Lexer, Tag, Token, escape_into, local_name, plain_text};

const VOID: [&str; 11] =
    ["area", "br", "col", "embed", "hr", "img", "input", "source", "track", "wbr", "param"];
/// Where a script puts the address of an image that it loads late.
const IMAGE_ADDRESSES: [&str; 5] = ["src", "data-src", "data-original", "data-lazy-src", "data-actualsrc"];

pub(super) fn rewrite(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut paragraph = None;
    let mut lexer = Lexer::new(html);
    while let Some(token) = lexer.next() {
        match token {
            Token::Text(raw) => out.push_str(raw),
            Token::Cdata(raw) => escape_into(raw, &mut out),
            Token::Start(tag) => {
                if tracker::is_box(&tag) {
                    skip_element(&mut lexer, &tag);
                } else if !is_counter(&tag) {
                    if tag.name.eq_ignore_ascii_case("p") {
                        paragraph = Some(out.len());
                    }
                    write_start(&tag, &mut out);
                }
            }
            Token::End(name) => {
                let begun = paragraph.filter(|_| name.eq_ignore_ascii_case("p"));
                if let Some(start) = begun.filter(|start| tracker::is_signature(&plain_text(&out[*start..])))
                {
                    out.truncate(start);
                    continue;
                }
                out.push_str(&format!("</{name}>"));
            }
        }
    }
    out
}

fn is_counter(tag: &Tag) -> bool {
    let addresses = || IMAGE_ADDRESSES.iter().filter_map(|name| tag.attribute(name));
    tag.name.eq_ignore_ascii_case("img")
        && (tracker::is_hidden(tag)
            || addresses().any(|address| Url::parse(&address).is_ok_and(|url| tracker::counts_readers(&url))))
}

fn write_start(tag: &Tag, out: &mut String) {
    let name = local_name(tag.name);
    let href = tag.attribute("href").and_then(|href| tracker::without_campaign(&href));
    match href {
        Some(href) => {
            out.push_str(&format!("<{name}"));
            for (key, value) in &tag.attributes {
                let is_href = key.eq_ignore_ascii_case("href");
                out.push_str(&format!(" {key}=\""));
                if is_href {
                    escape_into(&href, out)
                } else {
                    out.push_str(&value.replace('"', "&quot;"))
                }
                out.push('"');
            }
            out.push('>');
        }
        None => {
            out.push_str(tag.raw);
            if !tag.raw.ends_with('>') {
                out.push('>');
            }
        }
    }
    // XHTML's empty elements, which HTML would take for ones that begin here.
    if tag.self_closing && !VOID.iter().any(|void| name.eq_ignore_ascii_case(void)) {
        out.push_str(&format!("</{name}>"));
    }
}

/// Passes over an element with what is in it.
fn skip_element(lexer: &mut Lexer, tag: &Tag) {
    if tag.self_closing || VOID.iter().any(|void| tag.name.eq_ignore_ascii_case(void)) {
        return;
    }
    let start = lexer.offset();
    let mut depth = 1usize;
    for token in lexer.by_ref() {
        match token {
            Token::Start(inner) if inner.name.eq_ignore_ascii_case(tag.name) && !inner.self_closing => {
                depth += 1
            }
            Token::End(end) if end.eq_ignore_ascii_case(tag.name) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
    // It never ends: only the tag is left out, or the rest of the article would go with it.
    lexer.rewind(start);
}
