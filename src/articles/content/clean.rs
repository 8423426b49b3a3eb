//! Writes a new document out of whatever HTML comes in: listed elements only, properly nested, no
//! deeper than [`MAX_BLOCKS`], paragraphs where pages have `div`s and line breaks, and nothing
//! empty. Editors' debris (WeChat's sections and late images, Word's spans) does not survive it.
//!
//! It reads tokens, not a tree. Elements are opened on a stack and written only when content
//! comes, blocks first, then inline elements; those are closed at the end of a block and opened
//! again in the next. What is opened again is paid from a budget, so that a short input cannot
//! make a long output, and browsers (and ammonia after us) find nothing to repair, which is where
//! hostile input makes HTML parsers slow.

mod card;
mod stack;
mod tables;
mod write;

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};
use url::Url;

use super::attributes::{self, Kept};
use super::elements::{self, Kind};
use super::embed::Embed;
use super::{links, styles};
use stack::{Layer, Open};
pub use write::push_text;

/// How many blocks may stand inside each other.
const MAX_BLOCKS: usize = 40;
/// How many elements may be open at once, written or not.
const MAX_OPEN: usize = 200;
/// How many inline elements may be open at once.
const MAX_INLINE: usize = 20;

/// The document as we would have written it. `base` is what relative URLs are relative to.
pub fn clean(html: &str, base: Option<&Url>) -> String {
    let sink = Sink(RefCell::new(Cleaner::new(html.len(), base)));
    let tokenizer = Tokenizer::new(sink, Default::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut cleaner = tokenizer.sink.0.into_inner();
    cleaner.finish_player();
    cleaner.close_to(0);
    cleaner.out
}

struct Sink<'a>(RefCell<Cleaner<'a>>);

impl TokenSink for Sink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut cleaner = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => cleaner.start(&tag),
            Token::TagToken(tag) => {
                cleaner.end(&tag.name);
                TokenSinkResult::Continue
            }
            Token::CharacterTokens(text) => {
                cleaner.text(&text);
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

/// What is being left out.
enum Skip {
    Nothing,
    /// The text up to the end tag of this name.
    Raw(String),
    /// A drawing or formula: its name, and how many of the kind are open.
    Foreign(String, usize),
}

/// An audio or video element whose sources are being read.
struct Player {
    name: &'static str,
    attributes: String,
    secure: Option<String>,
    any: Option<String>,
}

/// White space that has been read and will be written if something follows in the same block.
#[derive(Clone, PartialEq, Eq)]
enum Gap {
    None,
    Space,
    /// A line break in the source: a space, but nothing between Chinese characters.
    Line,
    /// Wide or non-breaking spaces, kept as they are.
    Wide(String),
}

struct Cleaner<'a> {
    base: Option<&'a Url>,
    out: String,
    stack: Vec<Open>,
    skip: Skip,
    player: Option<Player>,
    gap: Gap,
    /// Line breaks read and not yet written.
    breaks: u8,
    /// Nothing has been written into the innermost block yet.
    at_start: bool,
    last: Option<char>,
    /// Where in `out` the last tag ended, as far as it has been searched.
    run_from: usize,
    searched: usize,
    /// Everything on the stack that is to be written is written.
    is_settled: bool,
    /// Bytes that may still be spent on opening elements again.
    budget: usize,
}

impl<'a> Cleaner<'a> {
    fn new(length: usize, base: Option<&'a Url>) -> Self {
        Self {
            base,
            out: String::with_capacity(length),
            stack: Vec::new(),
            skip: Skip::Nothing,
            player: None,
            gap: Gap::None,
            breaks: 0,
            at_start: true,
            last: None,
            run_from: 0,
            searched: 0,
            is_settled: false,
            budget: length + 4_096,
        }
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if let Skip::Foreign(root, depth) = &mut self.skip {
            if !elements::breaks_out(name) {
                *depth += usize::from(root == name && !tag.self_closing);
                return TokenSinkResult::Continue;
            }
            self.skip = Skip::Nothing;
        }
        if self.player.is_some() {
            self.add_source(tag);
            return TokenSinkResult::Continue;
        }
        match elements::kind(name) {
            Kind::Dropped => return self.drop_content(tag),
            Kind::Replaced => return self.replace(tag),
            Kind::Container if name == "section" && attributes::get(tag, "class") == Some("footnotes") => {
                self.start_block(tag, "section");
            }
            Kind::Container => self.start_container(name),
            Kind::Block => self.start_listed_block(tag),
            Kind::Inline(written) => self.start_inline(tag, written),
            Kind::Transparent => self.start_span(tag),
            Kind::Void => self.void(tag),
            Kind::Unknown => {}
        }
        TokenSinkResult::Continue
    }

    fn end(&mut self, name: &str) {
        match &mut self.skip {
            Skip::Raw(until) => {
                if until == name {
                    self.skip = Skip::Nothing;
                }
                return;
            }
            Skip::Foreign(root, depth) => {
                if root == name {
                    *depth -= 1;
                    if *depth == 0 {
                        self.skip = Skip::Nothing;
                    }
                }
                return;
            }
            Skip::Nothing => {}
        }
        if let Some(player) = &self.player {
            if player.name == name {
                self.finish_player();
            }
            return;
        }
        match elements::kind(name) {
            Kind::Container | Kind::Block => self.end_block(name),
            Kind::Inline("ruby") => {
                self.end_ruby_part();
                self.end_inline(name);
            }
            Kind::Inline(_) | Kind::Transparent => self.end_inline(name),
            Kind::Void if name == "br" => self.line_break(),
            _ => {}
        }
    }

    fn drop_content(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if tag.self_closing {
            return TokenSinkResult::Continue;
        }
        if matches!(name, "svg" | "math") {
            self.skip = Skip::Foreign(name.to_owned(), 1);
            return TokenSinkResult::Continue;
        }
        self.skip = Skip::Raw(name.to_owned());
        TokenSinkResult::RawData(match name {
            "script" => RawKind::ScriptData,
            "title" | "textarea" => RawKind::Rcdata,
            _ => RawKind::Rawtext,
        })
    }

    /// A task list keeps its marks; other inputs leave nothing.
    fn replace_checkbox(&mut self, tag: &Tag) {
        if attributes::get(tag, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("checkbox")) {
            let checked = attributes::get(tag, "checked").is_some();
            self.text(if checked { "☑ " } else { "☐ " });
        }
    }

    fn replace(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        match &*tag.name {
            "video" => self.start_player(tag, "video"),
            "audio" => self.start_player(tag, "audio"),
            "input" => self.replace_checkbox(tag),
            "object" | "embed" | "iframe" => {
                self.replace_frame(tag);
                if &*tag.name == "iframe" && !tag.self_closing {
                    self.skip = Skip::Raw("iframe".to_owned());
                    return TokenSinkResult::RawData(RawKind::Rawtext);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn start_player(&mut self, tag: &Tag, name: &'static str) {
        let attributes = attributes::player(tag, self.base);
        self.player = Some(Player { name, attributes, secure: None, any: None });
        self.add_source(tag);
        if tag.self_closing {
            self.finish_player();
        }
    }

    fn add_source(&mut self, tag: &Tag) {
        let Some(player) = &mut self.player else { return };
        if !matches!(&*tag.name, "video" | "audio" | "source") {
            return;
        }
        if let Some(source) = attributes::get(tag, "src").or_else(|| attributes::get(tag, "data-src")) {
            player.secure = player.secure.take().or_else(|| links::secure_file(source, self.base));
            player.any = player.any.take().or_else(|| links::file(source, self.base));
        }
    }

    /// Writes the player that was being read, or a link where its file is not behind https.
    fn finish_player(&mut self) {
        let Some(player) = self.player.take() else { return };
        if let Some(source) = player.secure {
            self.open_for(None);
            self.out.push('<');
            self.out.push_str(player.name);
            attributes::push(&mut self.out, "src", &source);
            self.out.push_str(&player.attributes);
            self.out.push_str("></");
            self.out.push_str(player.name);
            self.out.push('>');
            self.last = None;
        } else if let Some(source) = player.any.and_then(|source| Url::parse(&source).ok()) {
            self.card(&Embed::of(&source), "");
        }
    }

    fn start_container(&mut self, name: &str) {
        self.close_paragraph();
        self.part_lines();
        self.push(Open::new(name, Layer::Container, "", Kept::default()));
    }

    fn start_span(&mut self, tag: &Tag) {
        let meaning = attributes::get(tag, "style").and_then(styles::meaning);
        let kept = attributes::keep(tag, "span", self.base);
        match meaning {
            Some(written) => self.push_inline(Open::new(&tag.name, Layer::Inline, written, kept)),
            None if kept.rest.is_empty() => self.push(Open::new(&tag.name, Layer::Span, "", Kept::default())),
            None => self.push_inline(Open::new(&tag.name, Layer::Inline, "span", kept)),
        }
    }

    fn start_inline(&mut self, tag: &Tag, written: &'static str) {
        match written {
            "a" => self.end_link(),
            "rt" | "rp" | "rb" | "rtc" => self.end_ruby_part(),
            _ => {}
        }
        let kept = attributes::keep(tag, written, self.base);
        let is_empty_link = written == "a" && kept.rest.is_empty() && kept.id.is_empty();
        let layer = if is_empty_link { Layer::Span } else { Layer::Inline };
        self.push_inline(Open::new(&tag.name, layer, written, kept));
    }

    fn void(&mut self, tag: &Tag) {
        match &*tag.name {
            "br" => self.line_break(),
            "hr" => self.rule(),
            "wbr" => {
                if !self.at_start {
                    self.open_for(None);
                    self.out.push_str("<wbr>");
                }
            }
            _ => {
                if let Some(sign) = attributes::emoji(tag) {
                    let sign = sign.to_owned();
                    self.text(&sign);
                } else if let Some(image) = attributes::image(tag, self.base) {
                    self.open_for(None);
                    self.out.push_str("<img");
                    self.out.push_str(&image);
                    self.out.push('>');
                    self.last = None;
                }
            }
        }
    }

    fn start_listed_block(&mut self, tag: &Tag) {
        let name = &*tag.name;
        match name {
            "table" | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th" | "caption" => {
                return self.start_table_part(tag);
            }
            "li" => self.start_item(&["ul", "ol"], &["li"], "ul"),
            "dt" | "dd" => self.start_item(&["dl"], &["dt", "dd"], "dl"),
            "p" if self.within(&["h2", "h3", "h4", "h5", "h6", "summary", "caption", "dt", "pre"]) => {
                return self.start_container(name);
            }
            "figcaption" if !self.within(&["figure"]) => return self.start_container(name),
            "summary" if !self.within(&["details"]) => return self.start_container(name),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" if self.within(&["h2", "h3", "h4", "h5", "h6"]) => {
                let heading = self.innermost_block();
                self.close_to(heading.unwrap_or(0));
            }
            _ => {}
        }
        self.start_block(tag, elements::block(name));
    }

    /// Opens a block of this tag, to be written as `written` once it has content.
    fn start_block(&mut self, tag: &Tag, written: &'static str) {
        self.close_paragraph();
        self.enter_cell();
        if self.stack.iter().filter(|open| open.layer == Layer::Block).count() >= MAX_BLOCKS {
            return self.start_container(&tag.name);
        }
        let kept = attributes::keep(tag, written, self.base);
        self.push_block(Open::new(&tag.name, Layer::Block, written, kept));
    }

    /// Ends the item before this one, or begins a list where there is none.
    fn start_item(&mut self, lists: &[&str], items: &[&str], implied: &'static str) {
        let found = self.stack.iter().rposition(|open| {
            open.layer == Layer::Block
                && (lists.contains(&open.written)
                    || items.contains(&open.written)
                    || matches!(open.written, "td" | "th" | "table" | "blockquote" | "figure"))
        });
        match found {
            Some(index) if items.contains(&self.stack[index].written) => self.close_to(index),
            Some(index) if lists.contains(&self.stack[index].written) => self.close_paragraph(),
            _ => {
                self.close_paragraph();
                self.enter_cell();
                self.push_block(Open::implied(implied));
            }
        }
    }
}
