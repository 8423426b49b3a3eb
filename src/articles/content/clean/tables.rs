//! Tables: parts in their places, whatever order they came in.

use html5ever::tokenizer::Tag;

use super::super::attributes::{self, Kept};
use super::stack::{Layer, Open};
use super::{Cleaner, MAX_BLOCKS};

impl Cleaner<'_> {
    pub fn start_table_part(&mut self, tag: &Tag) {
        if &*tag.name == "table" {
            self.close_paragraph();
            self.enter_cell();
            if self.stack.iter().filter(|open| open.layer == Layer::Block).count() + 4 > MAX_BLOCKS {
                return self.start_container("table");
            }
            return self.push_part(tag, "table");
        }
        let Some(table) =
            self.stack.iter().rposition(|open| open.layer == Layer::Block && open.written == "table")
        else {
            return self.start_container(&tag.name);
        };
        match &*tag.name {
            "caption" => {
                self.close_to(table + 1);
                self.push_part(tag, "caption");
            }
            "thead" => self.start_section(tag, table, "thead"),
            "tbody" => self.start_section(tag, table, "tbody"),
            "tfoot" => self.start_section(tag, table, "tfoot"),
            "tr" => {
                self.close_to_row_group(table);
                self.push_part(tag, "tr");
            }
            cell => {
                let row =
                    self.stack.iter().rposition(|open| open.layer == Layer::Block && open.written == "tr");
                match row.filter(|row| *row > table) {
                    Some(row) => self.close_to(row + 1),
                    None => {
                        self.close_to_row_group(table);
                        self.push_block(Open::implied("tr"));
                    }
                }
                self.push_part(tag, if cell == "th" { "th" } else { "td" });
            }
        }
    }

    /// Where a table is open but no cell of it, opens one: text cannot stand between cells.
    pub fn enter_cell(&mut self) {
        if self.block_name() == "table" {
            self.push_block(Open::implied("tbody"));
        }
        if matches!(self.block_name(), "thead" | "tbody" | "tfoot") {
            self.push_block(Open::implied("tr"));
        }
        if self.block_name() == "tr" {
            self.push_block(Open::implied("td"));
        }
    }

    fn start_section(&mut self, tag: &Tag, table: usize, written: &'static str) {
        self.close_to(table + 1);
        self.push_part(tag, written);
    }

    /// Ends the row that is open in the table, but not the head, body or foot around it.
    fn close_to_row_group(&mut self, table: usize) {
        let group = (table + 1..self.stack.len()).find(|index| {
            self.stack[*index].layer == Layer::Block
                && matches!(self.stack[*index].written, "thead" | "tbody" | "tfoot")
        });
        match group {
            Some(group) => self.close_to(group + 1),
            None => {
                self.close_to(table + 1);
                // Browsers put rows into a body in any case.
                self.push_block(Open::implied("tbody"));
            }
        }
    }

    fn push_part(&mut self, tag: &Tag, written: &'static str) {
        let kept = match written {
            "td" | "th" | "table" => attributes::keep(tag, written, self.base),
            _ => Kept::default(),
        };
        self.push_block(Open::new(&tag.name, Layer::Block, written, kept));
    }
}
