//! Bytes to text, when the declared charset may be missing, unknown or a lie.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

use super::Repair;
use crate::import::markup::is_allowed;

/// How far into a document its own declaration is looked for.
const DECLARATION_WINDOW: usize = 2048;

/// Decodes a document: byte order mark, then its own declaration and the HTTP header, each believed
/// only when the bytes bear it out, then UTF-8, then what the bytes look like.
///
/// Control characters that XML forbids are left out. What had to be put right is added to `repairs`.
pub fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>, repairs: &mut Vec<Repair>) -> Cow<'a, str> {
    let (text, faulty) = decode_text(bytes, content_type, repairs);
    if faulty {
        repairs.push(Repair::BadBytes);
    }
    if text.chars().all(is_allowed) {
        return text;
    }
    repairs.push(Repair::ControlCharacters);
    Cow::Owned(text.chars().filter(|c| is_allowed(*c)).collect())
}

fn decode_text<'a>(
    bytes: &'a [u8],
    content_type: Option<&str>,
    repairs: &mut Vec<Repair>,
) -> (Cow<'a, str>, bool) {
    if let Some(wide) = utf_32(bytes) {
        return (Cow::Owned(wide), false);
    }
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let (text, faulty) = encoding.decode_without_bom_handling(&bytes[length..]);
        return (text, faulty);
    }
    if let Some(encoding) = utf_16_without_mark(bytes) {
        let (text, faulty) = encoding.decode_without_bom_handling(bytes);
        return (text, faulty);
    }
    let declared = [declared_inside(bytes), declared_by_header(content_type)];
    for encoding in declared.iter().flatten().copied() {
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes)
            && is_believable(encoding, bytes)
        {
            return (text, false);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        if declared.iter().flatten().any(|e| *e != UTF_8) {
            repairs.push(Repair::WrongCharset);
        }
        return (Cow::Borrowed(text), false);
    }
    let encoding = guess(bytes, &declared);
    if declared.iter().flatten().any(|e| *e != encoding) {
        repairs.push(Repair::WrongCharset);
    }
    let (text, faulty) = encoding.decode_without_bom_handling(bytes);
    (text, faulty)
}

/// Most charsets decode most bytes without an error, so bytes that are valid UTF-8 refute them: by chance
/// that happens only to a word or two.
fn is_believable(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    if encoding == UTF_16LE || encoding == UTF_16BE {
        // Wide text without a byte order mark has been looked for before.
        return false;
    }
    let high = bytes.iter().filter(|b| !b.is_ascii()).count();
    let enough = if encoding.is_single_byte() { 1 } else { 12 };
    encoding == UTF_8 || high < enough || std::str::from_utf8(bytes).is_err()
}

/// The charset to decode with when nothing fits without errors. A few bad bytes in a document of the
/// declared charset (or of UTF-8) are likelier than a wholly different charset.
fn guess(bytes: &[u8], declared: &[Option<&'static Encoding>]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guessed = detector.guess(None, Utf8Detection::Allow);
    let candidates = declared.iter().flatten().copied().chain([UTF_8, guessed]);
    let mut best = (usize::MAX, guessed);
    for encoding in candidates {
        let encoding = if encoding == GBK { GB18030 } else { encoding };
        let (text, _) = encoding.decode_without_bom_handling(bytes);
        let faults = text.matches('\u{fffd}').count() + implausible(encoding, &text);
        if faults < best.0 {
            best = (faults, encoding);
        }
    }
    best.1
}

/// Half of the high bytes turning into Latin letters with accents is how Chinese looks in a
/// single-byte charset.
fn implausible(encoding: &'static Encoding, text: &str) -> usize {
    if !encoding.is_single_byte() {
        return 0;
    }
    let high = text.chars().filter(|c| !c.is_ascii()).count();
    let letters = text.chars().filter(|c| c.is_ascii_alphabetic()).count();
    if high > letters / 4 && encoding == WINDOWS_1252 { high } else { 0 }
}

/// `<?xml encoding=".."?>`, or a `<meta charset>` of a page.
fn declared_inside(bytes: &[u8]) -> Option<&'static Encoding> {
    let window = &bytes[..bytes.len().min(DECLARATION_WINDOW)];
    let head: String = window.iter().map(|b| char::from(*b).to_ascii_lowercase()).collect();
    let declaration = head.find("<?xml").map(|at| &head[at..]).map(|d| &d[..d.find('>').unwrap_or(d.len())]);
    declaration
        .and_then(|d| label_after(d, "encoding"))
        .or_else(|| head.contains("<meta").then(|| label_after(&head, "charset"))?)
}

fn declared_by_header(content_type: Option<&str>) -> Option<&'static Encoding> {
    label_after(&content_type?.to_ascii_lowercase(), "charset")
}

/// The charset named after `key`, `=` (or `:`, as some servers write) and an optional quote.
fn label_after(text: &str, key: &str) -> Option<&'static Encoding> {
    let rest = text[text.find(key)? + key.len()..].trim_start();
    let rest = rest.strip_prefix(['=', ':'])?.trim_start().trim_start_matches(['"', '\'']);
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).unwrap_or(rest.len());
    let encoding = Encoding::for_label(&rest.as_bytes()[..end])?;
    // The three names are used for one another; the largest of them reads all.
    Some(if encoding == GBK { GB18030 } else { encoding })
}

/// UTF-32, which encoding_rs leaves out: by its mark, or by the pattern of `<` and zero bytes.
fn utf_32(bytes: &[u8]) -> Option<String> {
    let (big, skip) = match bytes {
        [0, 0, 0xfe, 0xff, ..] => (true, 4),
        [0xff, 0xfe, 0, 0, ..] => (false, 4),
        [0, 0, 0, b'<' | b'{', ..] => (true, 0),
        [b'<' | b'{', 0, 0, 0, ..] => (false, 0),
        _ => return None,
    };
    let units = bytes[skip..].chunks(4).map(|unit| {
        let unit = <[u8; 4]>::try_from(unit).unwrap_or([0, 0, 0xff, 0xfd]);
        let code = if big { u32::from_be_bytes(unit) } else { u32::from_le_bytes(unit) };
        char::from_u32(code).unwrap_or('\u{fffd}')
    });
    Some(units.collect())
}

fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0, b'<' | b'{', ..] => Some(UTF_16BE),
        [b'<' | b'{', 0, ..] => Some(UTF_16LE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], content_type: Option<&str>) -> (String, Vec<Repair>) {
        let mut repairs = Vec::new();
        let text = decode(bytes, content_type, &mut repairs).into_owned();
        (text, repairs)
    }

    const SAMPLE: &str =
        "<rss><title>乡讯：今天的新闻和明天的天气</title><p>记者从会议上了解到，这里的人们说中文。</p></rss>";

    #[test]
    fn chinese_charsets_are_read_by_their_declaration() {
        for (label, encoding) in
            [("gb2312", GBK), ("gbk", GBK), ("GB18030", GB18030), ("big5", encoding_rs::BIG5)]
        {
            let source = format!("<?xml version=\"1.0\" encoding=\"{label}\"?><title>中文新聞</title>");
            let source = if label == "big5" { source } else { source.replace('聞', "闻") };
            let (bytes, _, _) = encoding.encode(&source);
            assert_eq!(read(&bytes, None).0, source);
        }
    }

    #[test]
    fn a_lying_declaration_gives_way_to_the_bytes() {
        let (gbk, _, _) = GBK.encode(SAMPLE);
        let declared = [b"<?xml version=\"1.0\" encoding=\"utf-8\"?>", &gbk[..]].concat();
        let (text, repairs) = read(&declared, Some("text/xml; charset=utf-8"));
        assert!(text.ends_with(SAMPLE));
        assert_eq!(repairs, [Repair::WrongCharset]);
        let (text, _) = read(SAMPLE.as_bytes(), Some("text/xml; charset=iso-8859-1"));
        assert_eq!(text, SAMPLE);
        let (text, _) = read(SAMPLE.as_bytes(), Some("text/xml; charset=gb2312"));
        assert_eq!(text, SAMPLE);
    }

    #[test]
    fn undeclared_charsets_are_guessed() {
        let (gbk, _, _) = GBK.encode(SAMPLE);
        assert_eq!(read(&gbk, None).0, SAMPLE);
    }

    #[test]
    fn wide_charsets_are_read_with_and_without_a_mark() {
        let wide: Vec<u8> = SAMPLE.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(read(&wide, None).0, SAMPLE);
        let wider: Vec<u8> = SAMPLE.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        assert_eq!(read(&wider, None).0, SAMPLE);
    }

    #[test]
    fn a_few_bad_bytes_in_utf8_do_not_change_the_charset() {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        bytes.insert(30, 0xff);
        let (text, repairs) = read(&bytes, Some("text/xml; charset=utf-8"));
        assert_eq!(text.replace('\u{fffd}', ""), SAMPLE);
        assert_eq!(repairs, [Repair::BadBytes]);
    }

    #[test]
    fn control_characters_are_left_out() {
        let (text, repairs) = read("<a>甲\u{0}\u{b}乙\n</a>".as_bytes(), None);
        assert_eq!(text, "<a>甲乙\n</a>");
        assert_eq!(repairs, [Repair::ControlCharacters]);
    }
}
