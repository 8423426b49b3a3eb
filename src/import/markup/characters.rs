//! Characters as markup writes them: references, escapes, and those that it may not hold.

use std::borrow::Cow;

/// Replaces character references: the five of XML, those of HTML, and numeric ones (with the
/// Windows-1252 reading of 128..159 that every browser gives them). Others stay as written.
pub fn decode(raw: &str) -> Cow<'_, str> {
    let Some(first) = raw.find('&') else { return Cow::Borrowed(raw) };
    let mut text = String::with_capacity(raw.len());
    text.push_str(&raw[..first]);
    let mut rest = &raw[first..];
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        // The longest HTML name has 31 characters.
        let end = rest.bytes().take(34).position(|b| b == b';');
        match end.and_then(|end| Some((end, resolve(&rest[1..end], &mut text)?))) {
            Some((end, ())) => rest = &rest[end + 1..],
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn resolve(name: &str, text: &mut String) -> Option<()> {
    let Some(number) = name.strip_prefix('#') else {
        text.push_str(quick_xml::escape::resolve_html5_entity(name)?);
        return Some(());
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    match code {
        0x80..=0x9f => {
            let byte = [u8::try_from(code).ok()?];
            text.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0);
        }
        // Control characters are left out, as they are everywhere else.
        _ => text.extend(char::from_u32(code).filter(|c| is_allowed(*c))),
    }
    Some(())
}

/// Whether XML 1.0 and our own pages allow this character.
pub fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
        || c == '\u{85}'
}

/// Escapes text for element content and for attributes in double quotes.
pub fn escape_into(text: &str, out: &mut String) {
    escape(text.chars(), out);
}

/// The same for XML that is strict: characters that it may not hold are left out.
pub fn escape_allowed_into(text: &str, out: &mut String) {
    escape(text.chars().filter(|c| is_allowed(*c)), out);
}

fn escape(text: impl Iterator<Item = char>, out: &mut String) {
    for c in text {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_once_and_unknown_ones_stay() {
        assert_eq!(
            decode("&amp;lt; &copy; &#20320;&#x597d; &#146; &nope; R&D &#0; &#x110000;"),
            "&lt; © 你好 ’ &nope; R&D  "
        );
    }
}
