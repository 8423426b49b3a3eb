//! Sanitised HTML written as XML, as e-books want it: every element closed, every attribute known, frames as links.

use crate::import::markup::escape_allowed_into;
use scraper::{ElementRef, Html, Node};

/// Elements without content.
const VOID: [&str; 5] = ["br", "hr", "img", "wbr", "col"];
/// What is kept of an element's attributes, besides addresses.
const KEPT: [&str; 9] = ["alt", "title", "colspan", "rowspan", "start", "cite", "datetime", "dir", "id"];

/// Says where a picture is to be found in the book; `None` where it is not in it.
pub type Pictures<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Writes a body. `base` makes paths of this site absolute.
pub fn write(html: &str, base: &str, pictures: Pictures<'_>) -> String {
    let fragment = Html::parse_fragment(html);
    let mut writer = Writer { out: String::with_capacity(html.len()), base, pictures, ids: Vec::new() };
    writer.children(fragment.root_element());
    writer.out
}

pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape_allowed_into(text, &mut out);
    out
}

struct Writer<'a> {
    out: String,
    base: &'a str,
    pictures: Pictures<'a>,
    /// Each may be there once.
    ids: Vec<String>,
}

impl Writer<'_> {
    fn children(&mut self, element: ElementRef<'_>) {
        for child in element.children() {
            match child.value() {
                Node::Text(content) => escape_allowed_into(content, &mut self.out),
                Node::Element(_) => {
                    if let Some(element) = ElementRef::wrap(child) {
                        self.element(element);
                    }
                }
                _ => {}
            }
        }
    }

    fn element(&mut self, element: ElementRef<'_>) {
        let name = element.value().name();
        match name {
            "img" => return self.picture(element),
            "iframe" | "video" | "audio" => return self.player(element),
            "source" | "track" => return,
            _ => {}
        }
        self.out.push('<');
        self.out.push_str(name);
        self.attributes(element);
        if VOID.contains(&name) {
            self.out.push_str("/>");
            return;
        }
        self.out.push('>');
        self.children(element);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn attributes(&mut self, element: ElementRef<'_>) {
        for (name, value) in element.value().attrs() {
            match name {
                "href" => {
                    let address = self.absolute(value);
                    self.attribute("href", &address);
                }
                "lang" => {
                    self.attribute("lang", value);
                    self.attribute("xml:lang", value);
                }
                // One that XML would not take, or that is there twice, leads nowhere.
                "id" if !is_name(value) || self.ids.iter().any(|known| known == value) => {}
                name if KEPT.contains(&name) => {
                    if name == "id" {
                        self.ids.push(value.to_owned());
                    }
                    self.attribute(name, value);
                }
                _ => {}
            }
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        escape_allowed_into(value, &mut self.out);
        self.out.push('"');
    }

    /// One that is in the book, or a link to where it is.
    fn picture(&mut self, element: ElementRef<'_>) {
        let source = element.value().attr("src").unwrap_or_default();
        let alt = element.value().attr("alt").unwrap_or_default();
        if let Some(file) = (self.pictures)(source) {
            self.out.push_str("<img");
            self.attribute("src", &file);
            self.attribute("alt", alt);
            self.out.push_str("/>");
        } else {
            let in_link =
                element.ancestors().filter_map(ElementRef::wrap).any(|outer| outer.value().name() == "a");
            self.link(source, if alt.is_empty() { "🖼" } else { alt }, in_link);
        }
    }

    fn player(&mut self, element: ElementRef<'_>) {
        let source = element.value().attr("src").unwrap_or_default().to_owned();
        let title = element.value().attr("title").unwrap_or("▶").to_owned();
        self.link(&source, &title, false);
    }

    fn link(&mut self, address: &str, words: &str, is_inside: bool) {
        let address = self.absolute(address);
        if is_inside || !(address.starts_with("http://") || address.starts_with("https://")) {
            escape_allowed_into(words, &mut self.out);
            return;
        }
        self.out.push_str("<a");
        self.attribute("href", &address);
        self.out.push('>');
        escape_allowed_into(words, &mut self.out);
        self.out.push_str("</a>");
    }

    fn absolute(&self, address: &str) -> String {
        if address.starts_with('/') && !address.starts_with("//") {
            format!("{}{address}", self.base)
        } else {
            address.to_owned()
        }
    }
}

fn is_name(id: &str) -> bool {
    id.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
