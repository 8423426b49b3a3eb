//! The form in which text is compared: Simplified = Traditional, full width = half width, case-blind.
//!
//! Folding never looks around: a character together with the combining marks behind it folds the
//! same wherever it stands, so every part of a text folds to a part of the folded text. That is
//! what lets a quoted run of characters be found in the middle of any article. Conversion for
//! display, which must look at whole words (头发 / 頭髮, 发展 / 發展), is another matter and lives
//! elsewhere.
//!
//! The steps, repeated until nothing changes: Unicode NFKC, lower case, one character for each
//! class of Simplified, Traditional and variant forms (`fold_table.txt`, from OpenCC).

use std::ops::Range;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds `text`.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// Folds `text` onto the end of `folded`.
pub fn fold_into(text: &str, folded: &mut String) {
    walk(text, |c, _, _| folded.push(c));
}

/// Folds `text` and keeps only what is compared: letters, digits and ideographs. Spaces,
/// punctuation and symbols are dropped, so that a run of characters is found across them.
pub fn letters(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    walk(text, |c, _, _| {
        if is_letter(c) {
            letters.push(c);
        }
    });
    letters
}

/// Like [`letters`], with the way back into `text`.
pub fn mapped_letters(text: &str) -> Folded {
    Folded::gather(text, is_letter)
}

/// Like [`fold`], with the way back into `text`.
pub fn mapped(text: &str) -> Folded {
    Folded::gather(text, |_| true)
}

/// Is this folded character compared, or is it only punctuation, space, or a symbol?
#[inline]
pub fn is_letter(c: char) -> bool {
    is_plain_ideograph(c) || c.is_alphanumeric()
}

/// Does this character fold together with the one before it (an accent, a voicing mark, the later
/// letters of a Hangul syllable)? Cutting a text in front of such a character changes its folding.
pub fn joins(c: char) -> bool {
    match c as u32 {
        0..0x300 | 0x2010..0x20D0 | 0x3000..0x302A | 0x3400..0xA000 | 0xFF00..0xFF9E => false,
        0x1160..0x1200 | 0x3131..0x318F | 0xD7B0..0xD800 | 0xFF9E..0xFFDD => true,
        _ => is_combining_mark(c),
    }
}

/// A folded text and where each part of it came from.
#[derive(Debug, Default)]
pub struct Folded {
    pub text: String,
    /// One for each character of `text`.
    pieces: Vec<Piece>,
}

/// A character of the folded text: its place there, and the bytes of the original it stands for.
/// Characters that came from one original character (㎏ gives k and g) share its bytes.
#[derive(Debug, Clone, Copy)]
struct Piece {
    at: u32,
    from: u32,
    to: u32,
}

impl Folded {
    fn gather(text: &str, keep: impl Fn(char) -> bool) -> Folded {
        let mut folded = String::with_capacity(text.len());
        let mut pieces = Vec::with_capacity(text.len() / 3);
        walk(text, |c, from, to| {
            if keep(c) {
                let at = folded.len() as u32;
                pieces.push(Piece { at, from: from as u32, to: to as u32 });
                folded.push(c);
            }
        });
        Folded { text: folded, pieces }
    }

    /// The bytes of the original that the given bytes of the folded text stand for. Both ends fall
    /// on character boundaries, whatever is asked for.
    pub fn source(&self, folded: Range<usize>) -> Range<usize> {
        if folded.start >= folded.end || self.pieces.is_empty() {
            let at = self.pieces.get(self.piece_at(folded.start)).map_or(0, |p| p.from as usize);
            return at..at;
        }
        let first = self.pieces[self.piece_at(folded.start)];
        let last = self.pieces[self.piece_at(folded.end - 1)];
        first.from as usize..last.to as usize
    }

    /// The piece that holds a byte of the folded text, or the last one.
    fn piece_at(&self, byte: usize) -> usize {
        self.pieces.partition_point(|p| p.at as usize <= byte).saturating_sub(1)
    }
}

/// Calls `emit(folded character, start, end)` with the original bytes each came from.
fn walk(text: &str, mut emit: impl FnMut(char, usize, usize)) {
    let table = &*TABLE;
    let mut chars = text.char_indices().peekable();
    while let Some((from, c)) = chars.next() {
        let mut to = from + c.len_utf8();
        let mut alone = true;
        while let Some(&(at, mark)) = chars.peek().filter(|(_, next)| joins(*next)) {
            alone = false;
            to = at + mark.len_utf8();
            chars.next();
        }
        match alone.then(|| fold_plain(c, table)).flatten() {
            Some(folded) => emit(folded, from, to),
            None => fold_cluster(&text[from..to], table).chars().for_each(|c| emit(c, from, to)),
        }
    }
}

/// Most of any Chinese page, without the tables of Unicode.
#[inline]
fn fold_plain(c: char, table: &Table) -> Option<char> {
    match c {
        '\0'..='\x7F' => Some(c.to_ascii_lowercase()),
        _ if is_plain_ideograph(c) => Some(table.get(c)),
        '\u{3001}'..='\u{3029}' | '“' | '”' | '‘' | '’' | '—' | '·' => Some(c),
        '！'..='～' => char::from_u32(c as u32 - 0xFEE0).map(|c| c.to_ascii_lowercase()),
        _ => None,
    }
}

/// Everything else, by the book. A few rounds reach the fixed point (lower case may undo NFKC).
fn fold_cluster(cluster: &str, table: &Table) -> String {
    let mut folded = cluster.to_owned();
    for _ in 0..4 {
        let next: String = folded
            .nfkc()
            .flat_map(char::to_lowercase)
            .map(|c| if c == 'ς' { 'σ' } else { table.get(c) })
            .nfkc()
            .collect();
        if next == folded {
            break;
        }
        folded = next;
    }
    folded
}

/// Unified ideographs of the two main blocks: NFKC and lower case leave them alone.
#[inline]
fn is_plain_ideograph(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}')
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::parse(include_str!("fold_table.txt")));

/// Character to character, in pages of 256; page 0 is kept free and means "stays as it is".
struct Table {
    page_of: Vec<u8>,
    pages: Vec<[char; 256]>,
}

impl Table {
    fn parse(lines: &str) -> Table {
        let mut table = Table { page_of: vec![0; 0x1100], pages: vec![['\0'; 256]] };
        for line in lines.lines().filter(|line| !line.starts_with('#')) {
            let mut members = line.chars();
            if let Some(stands_for_all) = members.next() {
                members.for_each(|member| table.set(member, stands_for_all));
            }
        }
        table
    }

    fn set(&mut self, from: char, to: char) {
        let page = &mut self.page_of[from as usize >> 8];
        if *page == 0 {
            *page = u8::try_from(self.pages.len()).expect("fold table: at most 255 pages");
            self.pages.push(['\0'; 256]);
        }
        self.pages[*page as usize][from as usize & 0xFF] = to;
    }

    #[inline]
    fn get(&self, c: char) -> char {
        let page = self.page_of[c as usize >> 8];
        match self.pages[page as usize][c as usize & 0xFF] {
            '\0' => c,
            to => to,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scripts_widths_and_case_compare_equal() {
        for (one, other) in [
            ("繁體中文", "繁体中文"),
            ("颱風登陸臺灣", "台风登陆台湾"),
            ("裏面 裡面", "里面 里面"),
            ("看著 看着", "看着 看着"),
            ("著作權", "着作权"),
            ("甚麼", "什么"),
            ("國務院計畫", "国务院计划"),
            ("想像", "想象"),
            ("衞生 衛生", "卫生 卫生"),
            ("乾隆 一目瞭然", "干隆 一目了然"),
            ("ＡＢＣ１２３，", "abc123,"),
            ("ﾊﾟﾝﾀﾞ", "パンダ"),
            ("Ångström É", "ångström e\u{301}"),
            ("㎏㈱①", "kg(株)1"),
            ("金", "金"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} and {other}");
        }
    }

    #[test]
    fn letters_cross_punctuation() {
        assert_eq!(letters("“十五五”规划——（2026 年）"), "十五五规划2026年");
        assert_eq!(letters("新冠-19、C++ 5G手機"), "新冠19c5g手机");
    }

    #[test]
    fn offsets_lead_back_to_whole_characters() {
        let text = "共5㎏，é\u{300}臺ﬃ灣";
        let folded = mapped_letters(text);
        assert_eq!(folded.text, "共5kgé\u{300}台ffi湾".replace('\u{300}', ""));
        let found = |part: &str| {
            let at = folded.text.find(part).unwrap();
            &text[folded.source(at..at + part.len())]
        };
        assert_eq!(found("k"), "㎏");
        assert_eq!(found("g"), "㎏");
        assert_eq!(found("5k"), "5㎏");
        assert_eq!(found("é"), "é\u{300}");
        assert_eq!(found("台f"), "臺ﬃ");
        assert_eq!(found("i湾"), "ﬃ灣");
    }

    /// Characters that fold in every one of the ways, and arbitrary ones.
    fn texts() -> impl Strategy<Value = String> {
        let odd = "臺台裏里著着ＡａΣςİıßẞﬁﬃ㎏㈱①½…“”\u{301}\u{3099}ｶﾞ각각ㄱㅏ金𠮷 \n,。\u{200d}\u{e0100}";
        let odd: Vec<char> = odd.chars().collect();
        proptest::collection::vec(prop_oneof![proptest::sample::select(odd), any::<char>()], 0..40)
            .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn parts_of_a_text_fold_to_parts_of_its_folding(a in texts(), b in texts()) {
            prop_assume!(!b.starts_with(joins));
            prop_assert_eq!(fold(&format!("{a}{b}")), fold(&a) + fold(&b).as_str());
            prop_assert_eq!(letters(&format!("{a}{b}")), letters(&a) + letters(&b).as_str());
        }

        #[test]
        fn folding_twice_changes_nothing_more(text in texts()) {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }

        #[test]
        fn offsets_are_in_bounds_on_boundaries_and_in_order(text in texts()) {
            let folded = mapped(&text);
            prop_assert_eq!(&folded.text, &fold(&text));
            let mut last = 0..0;
            for (at, c) in folded.text.char_indices() {
                let source = folded.source(at..at + c.len_utf8());
                prop_assert!(text.get(source.clone()).is_some_and(|s| !s.is_empty()));
                prop_assert!(source == last || source.start == last.end);
                prop_assert!(fold(&text[source.clone()]).contains(c));
                last = source;
            }
            prop_assert_eq!(last.end, text.len());
        }
    }
}
