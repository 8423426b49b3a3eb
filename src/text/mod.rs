//! Text as this product needs it, Chinese first: pure functions without state of their own.
//!
//! - [`fold`]: the form in which text is compared, with offsets back into the original.
//! - [`script`]: is this text Simplified, Traditional, or neither?
//! - [`convert`]: Simplified in Traditional and the other way, with the words of Taiwan or Hong Kong.
//! - [`spelled`]: words of scripts with spaces, in letters without.
//! - [`segment`]: words, by dictionary.
//! - [`pinyin`]: how Chinese is read, and Chinese typed as pinyin.
//! - [`letter`]: which characters are read alone, and which stand without spaces.
//! - [`count`]: word count, reading time and excerpts that are right for Chinese.
//! - [`slug`]: an address for a title.
//! - [`diff`]: what changed between two versions.

pub mod convert;
pub mod count;
pub mod diff;
pub mod fold;
pub mod letter;
pub mod pinyin;
pub mod script;
pub mod segment;
pub mod slug;
pub mod spelled;
