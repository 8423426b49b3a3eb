//! Looks computed from words: the stand-in picture of an account that has none, reading times.

/// How many `.hue-N` colours `static/app.css` has.
const HUES: u32 = 6;

/// The character shown in place of a picture: the first letter or ideograph of a name.
pub fn initial(name: &str) -> String {
    name.chars()
        .find(|c| c.is_alphanumeric())
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_else(|| "乡".to_owned())
}

/// Which of the stylesheet's colours a name gets: always the same one, spread evenly (FNV-1a).
pub fn hue(name: &str) -> u32 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 8) % HUES
}

/// Minutes it takes to read so many words, a Chinese character counting as one; at least one.
pub fn minutes(words: i32) -> i32 {
    (words.max(0) + 200) / 400 + i32::from(words < 200)
}

/// The opening of a body of sanitised HTML, which may have been cut anywhere, as plain text.
pub fn excerpt(html: &str, max_chars: usize) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let tag = &rest[start..];
        let name = tag[1..].trim_start_matches('/');
        if !INLINE.iter().any(|inline| name.starts_with(inline)) {
            text.push(' ');
        }
        rest = tag.find('>').map_or("", |end| &tag[end + 1..]);
    }
    text.push_str(rest);
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&nbsp;", " ");
    let text = text.replace("&amp;", "&");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

/// Openings of tags that do not part words.
const INLINE: &[&str] =
    &["a>", "a ", "b>", "em", "i>", "strong", "code", "span", "sup", "sub", "ruby", "rt", "rp"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initial_skips_brackets_and_is_upper_case() {
        assert_eq!(initial("《读者》"), "读");
        assert_eq!(initial("lctt"), "L");
        assert_eq!(initial("——"), "乡");
    }

    #[test]
    fn a_name_keeps_its_colour() {
        assert_eq!(hue("华人周报"), hue("华人周报"));
        assert!(hue("") < HUES);
    }

    #[test]
    fn reading_takes_a_minute_at_least() {
        assert_eq!([0, 1, 250, 400, 1000, 4000].map(minutes), [1, 1, 1, 1, 3, 10]);
    }

    #[test]
    fn an_excerpt_is_plain_text_however_the_html_was_cut() {
        assert_eq!(excerpt("<h2>一</h2><p>二<em>三</em> &lt;四&gt;</p><p cla", 100), "一 二三 <四>");
        assert_eq!(excerpt("<p>一二三四</p>", 2), "一二…");
    }
}
