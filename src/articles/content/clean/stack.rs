//! The elements that are open, and how they end.

use super::super::attributes::Kept;
use super::{Cleaner, Gap, MAX_INLINE, MAX_OPEN};

/// How an open element takes part in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    Block,
    Inline,
    /// Not written; its direct content becomes paragraphs.
    Container,
    /// Not written; only here to meet its end tag.
    Span,
}

/// An element that has begun and not ended.
#[derive(Debug)]
pub struct Open {
    /// Its name in the input.
    pub name: String,
    pub layer: Layer,
    /// Its name in the output.
    pub written: &'static str,
    pub kept: Kept,
    /// Its start tag is in the output, and its end tag is not.
    pub is_written: bool,
    /// It has been written before, in an earlier block.
    pub was_written: bool,
    /// It was not in the input: the paragraph of bare text, the cell of a table's stray content.
    pub is_implied: bool,
}

impl Open {
    pub fn new(name: &str, layer: Layer, written: &'static str, kept: Kept) -> Self {
        let name = name.to_owned();
        Self { name, layer, written, kept, is_written: false, was_written: false, is_implied: false }
    }

    pub fn implied(written: &'static str) -> Self {
        Self { is_implied: true, ..Self::new(written, Layer::Block, written, Kept::default()) }
    }

    fn is_cell(&self) -> bool {
        self.layer == Layer::Block && matches!(self.written, "td" | "th")
    }
}

impl Cleaner<'_> {
    pub fn push(&mut self, open: Open) {
        if self.stack.len() < MAX_OPEN {
            self.is_settled = false;
            self.stack.push(open);
        }
    }

    pub fn push_inline(&mut self, open: Open) {
        if self.stack.iter().filter(|open| open.layer == Layer::Inline).count() < MAX_INLINE {
            self.push(open);
        }
    }

    /// Opens a block. What is inline ends in the block before and goes on in this one.
    pub fn push_block(&mut self, open: Open) {
        self.close_inline_from(0);
        self.is_settled = false;
        self.stack.push(open);
    }

    /// The index of the innermost block.
    pub fn innermost_block(&self) -> Option<usize> {
        self.stack.iter().rposition(|open| open.layer == Layer::Block)
    }

    /// The innermost block's name, "" outside of all blocks.
    pub fn block_name(&self) -> &'static str {
        self.innermost_block().map_or("", |index| self.stack[index].written)
    }

    pub fn within(&self, names: &[&str]) -> bool {
        names.contains(&self.block_name())
    }

    /// Ends the paragraph that is open, if one is. One that was implied ends alone; with a real
    /// one end the inline elements in it.
    pub fn close_paragraph(&mut self) {
        let innermost =
            self.stack.iter().rposition(|open| matches!(open.layer, Layer::Block | Layer::Container));
        let Some(index) = innermost.filter(|index| self.stack[*index].written == "p") else { return };
        if !self.stack[index].is_implied {
            return self.close_to(index);
        }
        self.close_inline_from(0);
        let paragraph = self.stack.remove(index);
        self.end_of_block(&paragraph);
    }

    /// Ends everything from the element at `index` inwards.
    pub fn close_to(&mut self, index: usize) {
        self.close_inline_from(0);
        while self.stack.len() > index {
            // A table's empty cells hold its columns in place.
            if self.stack.last().is_some_and(|open| open.is_cell() && !open.is_written) {
                self.write_blocks();
            }
            let Some(open) = self.stack.pop() else { break };
            self.is_settled = false;
            if open.layer == Layer::Block {
                self.end_of_block(&open);
            }
        }
    }

    fn end_of_block(&mut self, open: &Open) {
        self.is_settled = false;
        self.gap = Gap::None;
        if open.is_written {
            self.write_end(open.written);
            self.at_start = true;
            self.breaks = 0;
            self.last = None;
        } else if !self.at_start {
            // An empty block is not written, but parts what is before and after it.
            self.breaks = self.breaks.max(1);
        }
    }

    /// Writes the end tags of the inline elements from `index` inwards; they stay open on the
    /// stack, to be written again when content comes.
    pub fn close_inline_from(&mut self, index: usize) {
        for at in (index..self.stack.len()).rev() {
            let open = &mut self.stack[at];
            if open.layer == Layer::Inline && open.is_written {
                open.is_written = false;
                open.was_written = true;
                let written = open.written;
                self.is_settled = false;
                self.write_end(written);
            }
        }
    }

    fn write_end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// An end tag of an inline element: it ends wherever in the block it began.
    pub fn end_inline(&mut self, name: &str) {
        for index in (0..self.stack.len()).rev() {
            let open = &self.stack[index];
            if open.is_cell() {
                return;
            }
            if matches!(open.layer, Layer::Inline | Layer::Span) && open.name == name {
                return self.remove_inline(index);
            }
        }
    }

    fn remove_inline(&mut self, index: usize) {
        if self.stack[index].is_written {
            self.close_inline_from(index);
        }
        self.is_settled = false;
        self.stack.remove(index);
    }

    /// A link ends the one before, wherever that began.
    pub fn end_link(&mut self) {
        let is_link = |open: &Open| open.layer == Layer::Inline && open.written == "a";
        if let Some(index) = self.stack.iter().rposition(is_link) {
            self.remove_inline(index);
        }
    }

    /// The next part of a ruby, or its end, ends the part before.
    pub fn end_ruby_part(&mut self) {
        let is_ruby = |open: &Open| open.layer == Layer::Inline && open.written == "ruby";
        let is_part = |open: &Open| open.layer == Layer::Inline && matches!(open.written, "rt" | "rp" | "rb");
        let from = self.stack.iter().rposition(is_ruby).unwrap_or(0);
        while let Some(index) = self.stack[from..].iter().rposition(is_part) {
            self.remove_inline(from + index);
        }
    }

    /// An end tag of a block or container, with all that is open in it.
    pub fn end_block(&mut self, name: &str) {
        let is_heading = |name: &str| matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
        let ends_cells = matches!(name, "td" | "th" | "tr" | "thead" | "tbody" | "tfoot" | "table");
        for index in (0..self.stack.len()).rev() {
            let open = &self.stack[index];
            let is_here = matches!(open.layer, Layer::Block | Layer::Container)
                && (open.name == name || (is_heading(name) && is_heading(&open.name)));
            if is_here {
                let was_container = open.layer == Layer::Container;
                self.close_to(index);
                if was_container {
                    self.part_lines();
                }
                return;
            }
            let is_table = open.layer == Layer::Block && open.written == "table";
            if (open.is_cell() && !ends_cells) || is_table {
                return;
            }
        }
    }

    /// Within a block that holds no paragraphs, a container's edge is a line break.
    pub fn part_lines(&mut self) {
        let holds_lines = matches!(
            self.block_name(),
            "h2" | "h3" | "h4" | "h5" | "h6" | "summary" | "caption" | "dt" | "figcaption" | "pre"
        );
        if holds_lines && !self.at_start {
            self.breaks = self.breaks.max(1);
        }
    }

    /// Whether text here must be put into a paragraph.
    pub fn needs_paragraph(&self) -> bool {
        let mut in_container = false;
        for open in self.stack.iter().rev() {
            match open.layer {
                Layer::Container => in_container = true,
                Layer::Block => {
                    return match open.written {
                        "blockquote" | "details" | "section" => true,
                        "li" | "dd" | "td" | "th" => in_container,
                        _ => false,
                    };
                }
                Layer::Inline | Layer::Span => {}
            }
        }
        true
    }

    /// Opens what text here must be in: a cell, an item, a paragraph.
    pub fn open_implied(&mut self) {
        self.enter_cell();
        match self.block_name() {
            "ul" | "ol" => self.push_block(Open::implied("li")),
            "dl" => self.push_block(Open::implied("dd")),
            _ => {}
        }
        if self.needs_paragraph() {
            self.push_block(Open::implied("p"));
        }
    }
}
