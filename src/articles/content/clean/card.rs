//! What stands for a frame: a player to be opened, or a link.

use super::super::attributes;
use super::super::embed::{self, Embed};
use super::stack::Layer;
use super::write::{is_ignored, push_text};
use super::{Cleaner, MAX_BLOCKS};

/// The longest name of a player or link, in characters.
const MAX_LABEL: usize = 200;

impl Cleaner<'_> {
    /// Writes what stands for a frame: a block of its own where blocks can stand.
    pub fn card(&mut self, embed: &Embed, title: &str) {
        let title = label(title);
        if let Some(player) = embed.player.as_deref().filter(|_| self.in_player()) {
            // As we wrote it ourselves, read again.
            let name = if title.is_empty() { &embed.provider } else { &title };
            self.block(&frame(player, name));
            return;
        }
        let name = match title.as_str() {
            "" => embed.provider.clone(),
            title => label(&format!("{title} ({})", embed.provider)),
        };
        let inside = match &embed.player {
            Some(player) => format!(
                "<details><summary>{}</summary>{}</details>{}",
                escaped(&format!("▶ {name}")),
                frame(player, &name),
                link(&embed.page, &format!("↗ {}", embed.provider), " class=\"embed-page\"")
            ),
            None => link(&embed.page, &format!("{} {name}", if embed.is_video { '▶' } else { '↗' }), ""),
        };
        let blocks = self.stack.iter().filter(|open| open.layer == Layer::Block).count();
        match self.block_name() {
            "" | "p" | "li" | "dd" | "td" | "th" | "blockquote" | "details" | "section"
                if blocks + 3 <= MAX_BLOCKS =>
            {
                self.close_paragraph();
                let kind = if embed.is_video { "embed embed-video" } else { "embed" };
                self.block(&format!("<figure class=\"{kind}\">{inside}</figure>"));
            }
            "figure" if embed.player.is_some() && blocks + 2 <= MAX_BLOCKS => self.block(&inside),
            _ => self.inline_link(embed, &name),
        }
    }

    /// Whether this is where a player stands in what we write: in `details` of a figure.
    fn in_player(&self) -> bool {
        let mut blocks = self.stack.iter().rev().filter(|open| open.layer == Layer::Block);
        let mut is = |name| blocks.next().is_some_and(|open| open.written == name);
        is("details") && is("figure")
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

    fn inline_link(&mut self, embed: &Embed, name: &str) {
        let text = format!("{} {name}", if embed.is_video { '▶' } else { '↗' });
        self.open_for(None);
        let is_written_link =
            |open: &super::Open| open.layer == Layer::Inline && open.written == "a" && open.is_written;
        match self.stack.iter().any(is_written_link) {
            true => push_text(&mut self.out, &text),
            false => self.out.push_str(&link(&embed.page, &text, "")),
        }
    }
}

/// A name of one line, of characters that are seen.
fn label(text: &str) -> String {
    let seen: String = text.chars().map(|c| if is_ignored(c) { ' ' } else { c }).take(MAX_LABEL).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The player itself. The guard insists on the same attributes.
fn frame(player: &str, name: &str) -> String {
    let mut out = String::from("<iframe");
    for (attribute, value) in [
        ("src", player),
        ("title", name),
        ("loading", "lazy"),
        ("sandbox", embed::SANDBOX),
        ("allow", embed::ALLOW),
        ("referrerpolicy", embed::REFERRER),
    ] {
        attributes::push(&mut out, attribute, value);
    }
    out.push_str("></iframe>");
    out
}

fn link(page: &str, text: &str, class: &str) -> String {
    let mut out = String::from("<a");
    attributes::push(&mut out, "href", page);
    out.push_str(class);
    out.push('>');
    push_text(&mut out, text);
    out.push_str("</a>");
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    push_text(&mut out, text);
    out
}
