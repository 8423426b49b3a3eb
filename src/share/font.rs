//! The font of share images: the one built in, or a file that the operator names.
//!
//! Built in is Noto Serif SC Bold with the characters of GB 2312, of Big5's first level and of European languages
//! (`static/vendor/noto-serif-sc`). It is read for each image and kept no longer.

use std::borrow::Cow;
use std::path::Path;

use ab_glyph::{Font, FontRef, GlyphId};
use anyhow::Context;

use crate::statics;

const BUILT_IN: &str = "vendor/noto-serif-sc/NotoSerifSC-Bold.otf";
/// The largest file that is read, in bytes.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The bytes of a font file; of the built-in one where none is named or it cannot be read.
pub fn read(file: &Path) -> anyhow::Result<Cow<'static, [u8]>> {
    if !file.as_os_str().is_empty() {
        match read_file(file) {
            Ok(bytes) => return Ok(Cow::Owned(bytes)),
            Err(error) => tracing::warn!("share_font: {error:#}; the font that is built in takes its place"),
        }
    }
    statics::bytes(BUILT_IN).context("the built-in font is missing")
}

fn read_file(file: &Path) -> anyhow::Result<Vec<u8>> {
    let size = std::fs::metadata(file).with_context(|| file.display().to_string())?.len();
    anyhow::ensure!(size <= MOST_BYTES, "{} is larger than {MOST_BYTES} bytes", file.display());
    let bytes = std::fs::read(file)?;
    FontRef::try_from_slice_and_index(&bytes, 0).with_context(|| format!("{} is no font", file.display()))?;
    Ok(bytes)
}

/// The font of a file for a language: in collections the one whose name ends as the place is called (SC, TC, HK).
pub fn of<'a>(bytes: &'a [u8], lang: &str) -> anyhow::Result<FontRef<'a>> {
    let lang = lang.to_ascii_lowercase();
    let place = match lang.as_str() {
        lang if lang.contains("hk") || lang.contains("-mo") => "HK",
        lang if lang.contains("hant") || lang.contains("tw") => "TC",
        _ => "SC",
    };
    let count = ttf_parser::fonts_in_collection(bytes).unwrap_or(1);
    let chosen = (0..count).find(|index| is_of(bytes, *index, place)).unwrap_or(0);
    Ok(FontRef::try_from_slice_and_index(bytes, chosen)?)
}

fn is_of(bytes: &[u8], index: u32, place: &str) -> bool {
    let Ok(face) = ttf_parser::Face::parse(bytes, index) else { return false };
    let mut names = face.names().into_iter().filter(|name| name.name_id == ttf_parser::name_id::FAMILY);
    names.any(|name| name.to_string().is_some_and(|name| name.trim_end().ends_with(place)))
}

/// Whether a font has a character.
pub fn has(font: &FontRef<'_>, c: char) -> bool {
    font.glyph_id(c) != GlyphId(0)
}
