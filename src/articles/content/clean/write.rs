//! Content, and what has to be opened before it.

use super::stack::{Layer, Open};
use super::{Cleaner, Gap};
use crate::text::letter::is_unspaced;

/// The most wide or non-breaking spaces kept in a row.
const MAX_WIDE: usize = 8;
/// The longest text without any tag in it, in bytes; beyond it, a `<wbr>` is put, which is not seen.
/// The serializer after us searches each text to its end at each `&`.
const MAX_RUN: usize = 8_192;

impl Cleaner<'_> {
    pub fn text(&mut self, text: &str) {
        if !matches!(self.skip, super::Skip::Nothing) || self.player.is_some() {
            return;
        }
        if self.block_name() == "pre" {
            return self.preformatted(text);
        }
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(gap) = gap_of(c) {
                self.widen_gap(gap, c);
                rest = &rest[c.len_utf8()..];
            } else if is_ignored(c) {
                rest = &rest[c.len_utf8()..];
            } else {
                let end = rest.find(|c| gap_of(c).is_some() || is_ignored(c)).unwrap_or(rest.len());
                self.open_for(Some(c));
                self.push_run(&rest[..end]);
                self.last = rest[..end].chars().next_back();
                rest = &rest[end..];
            }
        }
    }

    /// Text in `pre`, as it is; browsers drop a first line break, so none is written.
    fn preformatted(&mut self, text: &str) {
        let is_empty =
            self.at_start || self.innermost_block().is_some_and(|index| !self.stack[index].is_written);
        let is_dropped = |c| matches!(c, '\n' | '\r') || is_ignored(c);
        let text = if is_empty { text.trim_start_matches(is_dropped) } else { text };
        if text.chars().all(is_ignored) {
            return;
        }
        self.open_for(None);
        for part in text.split(is_ignored) {
            self.push_run(part);
        }
    }

    /// Writes text, parted where a run of it grows too long.
    fn push_run(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(at) = self.out[self.searched..].rfind('>') {
                self.run_from = self.searched + at + 1;
            }
            self.searched = self.out.len();
            let room = MAX_RUN.saturating_sub(self.out.len() - self.run_from);
            if room == 0 {
                self.out.push_str("<wbr>");
                continue;
            }
            let end = rest.ceil_char_boundary(room.min(rest.len()));
            push_text(&mut self.out, &rest[..end]);
            rest = &rest[end..];
        }
    }

    fn widen_gap(&mut self, gap: Gap, c: char) {
        if self.at_start {
            return;
        }
        self.gap = match (std::mem::replace(&mut self.gap, Gap::None), gap) {
            (Gap::Wide(mut wide), Gap::Wide(_)) => {
                if wide.chars().count() < MAX_WIDE {
                    wide.push(c);
                }
                Gap::Wide(wide)
            }
            (Gap::Wide(wide), _) | (_, Gap::Wide(wide)) => Gap::Wide(wide),
            (Gap::Line, _) | (_, Gap::Line) => Gap::Line,
            _ => Gap::Space,
        };
    }

    pub fn line_break(&mut self) {
        if self.player.is_none() && !self.at_start {
            self.gap = Gap::None;
            self.breaks = self.breaks.saturating_add(1);
        }
    }

    /// A thematic break stands between blocks.
    pub fn rule(&mut self) {
        self.close_paragraph();
        if self.within(&["h2", "h3", "h4", "h5", "h6", "summary", "caption", "dt", "figcaption", "pre"]) {
            return self.line_break();
        }
        self.enter_cell();
        self.close_inline_from(0);
        self.write_blocks();
        self.out.push_str("<hr>");
        self.end_of_card();
    }

    /// Writes what content must stand in, and the space before it. `next` is its first character,
    /// if it is text.
    pub fn open_for(&mut self, next: Option<char>) {
        if self.is_settled && self.breaks == 0 {
            self.write_gap(next);
            self.gap = Gap::None;
            return;
        }
        self.open_implied();
        self.write_blocks();
        if self.breaks > 0 {
            self.write_breaks();
        } else if !self.at_start {
            self.write_gap(next);
        }
        self.breaks = 0;
        self.gap = Gap::None;
        self.at_start = false;
        self.write_inline();
        self.is_settled = true;
    }

    /// Writes the start tags of the blocks that are open and not written.
    pub fn write_blocks(&mut self) {
        for index in 0..self.stack.len() {
            let open = &mut self.stack[index];
            if open.layer == Layer::Block && !open.is_written {
                open.is_written = true;
                self.out.push('<');
                self.out.push_str(open.written);
                self.out.push_str(&open.kept.id);
                self.out.push_str(&open.kept.rest);
                self.out.push('>');
                self.at_start = true;
                self.last = None;
            }
        }
        if self.at_start {
            self.breaks = 0;
            self.gap = Gap::None;
        }
    }

    fn write_inline(&mut self) {
        let is_link = |open: &Open| open.layer == Layer::Inline && open.written == "a";
        let innermost_link = self.stack.iter().rposition(is_link);
        for index in 0..self.stack.len() {
            let open = &mut self.stack[index];
            // Links cannot stand in links: one from around a table is not opened in its cells again.
            if open.layer != Layer::Inline
                || open.is_written
                || (is_link(open) && innermost_link != Some(index))
            {
                continue;
            }
            if open.was_written {
                let cost = 2 * open.written.len() + open.kept.rest.len() + 5;
                if cost > self.budget {
                    continue;
                }
                self.budget -= cost;
            }
            self.out.push('<');
            self.out.push_str(open.written);
            if !open.was_written {
                self.out.push_str(&open.kept.id);
            }
            self.out.push_str(&open.kept.rest);
            self.out.push('>');
            open.is_written = true;
        }
    }

    /// Two line breaks are how some editors part paragraphs.
    fn write_breaks(&mut self) {
        match (self.block_name(), self.breaks) {
            ("pre", breaks) => (0..breaks).for_each(|_| self.out.push('\n')),
            ("p", 2..) => {
                self.close_inline_from(0);
                self.out.push_str("</p><p>");
                self.last = None;
            }
            (_, 1) => self.out.push_str("<br>"),
            _ => self.out.push_str("<br><br>"),
        }
    }

    fn write_gap(&mut self, next: Option<char>) {
        match &self.gap {
            Gap::None => {}
            Gap::Line if self.last.is_some_and(is_unspaced) && next.is_some_and(is_unspaced) => {}
            Gap::Space | Gap::Line => self.out.push(' '),
            Gap::Wide(wide) => self.out.push_str(wide),
        }
    }

    pub fn end_of_card(&mut self) {
        self.at_start = true;
        self.is_settled = false;
        self.breaks = 0;
        self.gap = Gap::None;
        self.last = None;
    }
}

/// Writes text, with the characters escaped that mean something in HTML.
pub fn push_text(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            _ => "&gt;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

fn gap_of(c: char) -> Option<Gap> {
    match c {
        ' ' | '\t' | '\u{c}' => Some(Gap::Space),
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some(Gap::Line),
        '\u{3000}' | '\u{a0}' => Some(Gap::Wide(c.to_string())),
        _ => None,
    }
}

/// Control characters, and the marks without width that editors leave about.
pub fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{feff}') || (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}
