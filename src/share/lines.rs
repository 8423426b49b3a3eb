//! Breaks a title into lines: between Chinese characters, but not before what closes or after what opens, and Latin
//! words whole where they fit. Lines are made about equally long.

use crate::text::letter::{is_foreign, is_read_alone, is_unspaced};

/// Never at the start of a line, and never at its end.
const CLOSING: &str = "，。、；：？！）」』】》〉〕…—～·％”’,.;:?!)]}%»";
const OPENING: &str = "（「『【《〈〔“‘([{«";
/// Between Chinese and Latin letters, in parts of an em.
const GAP: f32 = 0.14;

/// What cannot be broken, with its width in ems.
struct Piece {
    text: String,
    width: f32,
    /// White space after it, which goes at a line's end.
    space: f32,
}

/// Lines of `text` that are at most `most` ems wide, at most `rows` of them; none where more are needed. `advance` is the
/// width of a character in ems.
pub fn lines(text: &str, most: f32, rows: usize, advance: impl Fn(char) -> f32) -> Option<Vec<String>> {
    let pieces = pieces(text, most, &advance);
    let wrapped = wrap(&pieces, most);
    if wrapped.len() > rows {
        return None;
    }
    // The narrowest width that needs no more lines: a last line of one character looks like a mistake.
    let (mut low, mut high) = (0.0, most);
    for _ in 0..12 {
        let middle = (low + high) / 2.0;
        let fits = wrap(&pieces, middle);
        if fits.len() == wrapped.len() && fits.iter().all(|(_, width)| *width <= middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(wrap(&pieces, high).into_iter().map(|(line, _)| line).collect())
}

/// The same for a text that needs more lines: the last one ends in an ellipsis.
pub fn lines_cut(text: &str, most: f32, rows: usize, advance: impl Fn(char) -> f32) -> Vec<String> {
    let wrapped = wrap(&pieces(text, most, &advance), most);
    let mut lines: Vec<String> = wrapped.into_iter().map(|(line, _)| line).collect();
    if lines.len() <= rows {
        return lines;
    }
    lines.truncate(rows);
    if let Some(last) = lines.last_mut() {
        while width(last, &advance) + advance('…') > most
            || last.ends_with(|c| OPENING.contains(c) || CLOSING.contains(c))
        {
            if last.pop().is_none() {
                break;
            }
        }
        *last = format!("{}…", last.trim_end());
    }
    lines
}

/// Of a line, with the gaps between scripts.
pub fn width(line: &str, advance: impl Fn(char) -> f32) -> f32 {
    let mut before = None;
    line.chars().fold(0.0, |sum, c| {
        let gap = gap(before, c);
        before = Some(c);
        sum + gap + advance(c)
    })
}

/// The space to leave between two neighbours, in ems.
pub fn gap(before: Option<char>, c: char) -> f32 {
    match before {
        Some(before) if is_read_alone(before) && is_foreign(c) || is_foreign(before) && is_read_alone(c) => {
            GAP
        }
        _ => 0.0,
    }
}

fn pieces(text: &str, most: f32, advance: &impl Fn(char) -> f32) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut before: Option<char> = None;
    for c in text.chars() {
        if c.is_whitespace() {
            if let Some(last) = pieces.last_mut() {
                last.space = advance(' ');
            }
            before = Some(' ');
            continue;
        }
        let joins = before.is_some_and(|before| {
            let is_word = |c: char| !is_read_alone(c) && !is_unspaced(c);
            before != ' '
                && (CLOSING.contains(c) || OPENING.contains(before) || (is_word(before) && is_word(c)))
        });
        let wide = gap(before, c) + advance(c);
        match pieces.last_mut() {
            // A word that fits on no line is broken anywhere.
            Some(last) if joins && last.width + wide <= most => {
                last.text.push(c);
                last.width += wide;
            }
            _ => pieces.push(Piece { text: c.to_string(), width: wide, space: 0.0 }),
        }
        before = Some(c);
    }
    pieces
}

fn wrap(pieces: &[Piece], most: f32) -> Vec<(String, f32)> {
    let mut lines: Vec<(String, f32)> = Vec::new();
    let mut space = 0.0;
    for piece in pieces {
        match lines.last_mut() {
            Some((line, width)) if *width + space + piece.width <= most => {
                if space > 0.0 {
                    line.push(' ');
                }
                line.push_str(&piece.text);
                *width += space + piece.width;
            }
            _ => lines.push((piece.text.clone(), piece.width)),
        }
        space = piece.space;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advance(c: char) -> f32 {
        if c.is_ascii() { 0.5 } else { 1.0 }
    }

    #[test]
    fn lines_are_about_equally_long_and_keep_marks_where_they_belong() {
        let of = |text: &str, most: f32, rows: usize| lines(text, most, rows, advance);
        assert_eq!(of("台风今晚登陆渔船回港", 8.0, 3).unwrap(), ["台风今晚登", "陆渔船回港"]);
        assert_eq!(of("台风“今晚登陆”，渔船回港", 5.0, 3).unwrap(), ["台风“今晚", "登陆”，渔", "船回港"]);
        assert_eq!(of("短", 8.0, 3).unwrap(), ["短"]);
        assert!(of("一二三四五六七八九十", 3.0, 3).is_none());
        assert!(of("", 8.0, 3).unwrap().is_empty());
    }

    #[test]
    fn latin_words_stay_whole_where_they_fit() {
        let broken = lines("用Rust写的Xiangxun上线了", 7.0, 3, advance).unwrap();
        assert!(
            broken.concat().contains("Xiangxun") && broken.iter().any(|line| line.contains("Xiangxun")),
            "{broken:?}"
        );
        let long = lines("Donaudampfschifffahrtsgesellschaft", 5.0, 9, advance).unwrap();
        assert!(long.iter().all(|line| width(line, advance) <= 5.0), "{long:?}");
        assert_eq!(lines("News from home", 4.0, 3, advance).unwrap(), ["News", "from", "home"]);
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        let cut = lines_cut("一二三四五六七，八九十一二三四五", 4.0, 2, advance);
        assert_eq!(cut, ["一二三四", "五六七…"]);
        assert_eq!(lines_cut("一二三", 4.0, 2, advance), ["一二三"]);
    }
}
