//! What stands for a frame: a player and a link, or a link alone.

use html5ever::tokenizer::Tag;

use super::super::attributes;
use super::super::embed::{self, Embed, Video};
use super::super::links;
use super::stack::{Layer, Open};
use super::write::{is_ignored, push_text};
use super::{Cleaner, MAX_BLOCKS};

/// The longest name of a player or link, in characters.
const MAX_LABEL: usize = 200;

impl Cleaner<'_> {
    /// Writes what stands for an `iframe`, `object` or `embed`.
    pub fn replace_frame(&mut self, tag: &Tag) {
        let is_beacon = |name| attributes::get(tag, name).is_some_and(|n| matches!(n.trim(), "0" | "1"));
        if is_beacon("width") || is_beacon("height") {
            return;
        }
        let title = attributes::get(tag, "title").unwrap_or_default();
        let mut sources = ["data-src", "src", "data"].iter().filter_map(|name| attributes::get(tag, name));
        let own = sources.clone().find_map(embed::own).filter(|_| self.base.is_none());
        if let Some(video) = own {
            match self.block_name() {
                // As we wrote it ourselves, read again: its link follows.
                "figure" => self.block(&frame(&video, &name_of(title, video.provider(), false))),
                _ => self.card(&video.into(), title),
            }
        } else if let Some(source) = sources.find_map(|source| links::absolute(source, self.base)) {
            self.card(&Embed::of(&source), title);
        }
    }

    /// Writes what stands for a frame: a block of its own where blocks can stand, else a link.
    pub fn card(&mut self, embed: &Embed, title: &str) {
        let name = name_of(title, &embed.provider, true);
        let text = format!("{} {name}", if embed.is_video { '▶' } else { '↗' });
        let frame = embed.video.as_ref().map(|video| frame(video, &name)).unwrap_or_default();
        let inside = format!("{frame}{}", link(&embed.page, &text));
        let has_room = self.stack.iter().filter(|open| open.layer == Layer::Block).count() < MAX_BLOCKS;
        match self.block_name() {
            "" | "p" | "li" | "dd" | "td" | "th" | "blockquote" | "details" | "section" if has_room => {
                self.close_paragraph();
                let kind = if embed.is_video { "embed embed-video" } else { "embed" };
                self.block(&format!("<figure class=\"{kind}\">{inside}</figure>"));
            }
            "figure" if embed.video.is_some() => self.block(&inside),
            _ => self.inline_link(&embed.page, &text),
        }
    }

    fn block(&mut self, html: &str) {
        self.close_inline_from(0);
        self.write_blocks();
        // Old pages have an `embed` within an `object`, both for one player.
        if !self.out.ends_with(html) {
            self.out.push_str(html);
        }
        self.end_of_card();
    }

    fn inline_link(&mut self, page: &str, text: &str) {
        self.open_for(None);
        let is_written_link =
            |open: &Open| open.layer == Layer::Inline && open.written == "a" && open.is_written;
        match self.stack.iter().any(is_written_link) {
            true => push_text(&mut self.out, text),
            false => self.out.push_str(&link(page, text)),
        }
    }
}

/// A name of one line, of characters that are seen; the provider's where there is no other.
fn name_of(title: &str, provider: &str, with_provider: bool) -> String {
    let title = line(title);
    match (title.is_empty(), with_provider) {
        (true, _) => provider.to_owned(),
        (false, true) => line(&format!("{title} ({provider})")),
        (false, false) => title,
    }
}

fn line(text: &str) -> String {
    let seen: String = text.chars().map(|c| if is_ignored(c) { ' ' } else { c }).take(MAX_LABEL).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The player itself. The guard insists on the same attributes.
fn frame(video: &Video, name: &str) -> String {
    let mut out = String::from("<iframe");
    for (attribute, value) in [
        ("src", video.path().as_str()),
        ("title", name),
        ("loading", "lazy"),
        ("sandbox", embed::SANDBOX),
        ("allow", embed::ALLOW),
    ] {
        attributes::push(&mut out, attribute, value);
    }
    out.push_str("></iframe>");
    out
}

fn link(page: &str, text: &str) -> String {
    let mut out = String::from("<a");
    attributes::push(&mut out, "href", page);
    out.push('>');
    push_text(&mut out, text);
    out.push_str("</a>");
    out
}
