//! How a saved search reads, in its reader's words.

use crate::page::Locale;
use crate::search::query::parse::{Choice, Kind, Piece, Reading};

/// One text for each part of the query; an article must be right for all of them.
pub fn describe(reading: &Reading, locale: Locale) -> Vec<String> {
    reading.pieces.iter().map(|piece| describe_piece(piece, locale)).collect()
}

fn describe_piece(piece: &Piece, locale: Locale) -> String {
    let any: Vec<String> = piece.any.iter().map(|choice| describe_choice(choice, locale)).collect();
    let any = any.join(&locale.text("alert-reads-or"));
    if piece.negated { locale.text_with("alert-reads-not", &[("what", any)]) } else { any }
}

fn describe_choice(choice: &Choice, locale: Locale) -> String {
    let key = match choice.kind {
        Kind::Word => return choice.value.clone(),
        Kind::Phrase => "alert-reads-phrase",
        Kind::Title => "alert-reads-title",
        Kind::From => "alert-reads-from",
        Kind::Author => "alert-reads-author",
        Kind::Tag => "alert-reads-tag",
        Kind::After => "alert-reads-after",
        Kind::Before => "alert-reads-before",
        Kind::Lang => "alert-reads-lang",
        Kind::Has => "alert-reads-has",
    };
    let value = choice.value.trim_start_matches(['@', '＠']).to_owned();
    locale.text_with(key, &[("value", value)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::query::parse::read;

    #[test]
    fn each_part_is_said_in_words() {
        let said = |query: &str, locale| describe(&read(query, chrono_tz::Tz::UTC), locale).join(" | ");
        let query = "颱風 \"登陸 廣東\" 标题:预警 -香港 来自:@daily 地震 OR 海啸";
        assert_eq!(
            said(query, Locale::ZhHans),
            "颱風 | “登陸 廣東” | 标题含预警 | 不含香港 | 来自 @daily | 地震 或 海啸"
        );
        assert_eq!(said("has:image -lang:en", Locale::En), "has image | not language en");
    }
}
