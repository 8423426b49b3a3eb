//! Articles: written as drafts, published, revised, withdrawn.

pub mod content;
