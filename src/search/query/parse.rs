//! Reads what was typed into a [`Parsed`] query, and keeps how each part of it was read.

use chrono_tz::Tz;

use super::lex::{Item, Lexer, Token};
use super::reading::{Choice, Kind, Piece, Reading};
use super::{Atom, Clause, Parsed, Term};

/// More than anybody means to ask for; what is beyond is left out.
const MAX_LETTERS: usize = 1_000;
const MAX_TERMS: usize = 32;
/// Of what was typed, marks and spaces included.
const MAX_BYTES: usize = 8_000;

/// Reads `text`; days in it are those of `zone`. Every string can be read.
pub fn parse(text: &str, zone: Tz) -> Parsed {
    read(text, zone).parsed
}

/// Like [`parse`], with an account of the reading.
pub fn read(text: &str, zone: Tz) -> Reading {
    let mut reader = Reader { reading: Reading::default(), zone, room: MAX_LETTERS, terms: 0, or: false };
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    for token in Lexer::new(&text[..end], zone) {
        reader.take(token);
        if reader.reading.cut {
            break;
        }
    }
    let Reader { mut reading, or, .. } = reader;
    reading.cut |= end < text.len();
    if or && reading.pieces.is_empty() {
        // Nothing but the word: it is meant itself.
        return Reader { reading, zone, room: MAX_LETTERS, terms: 0, or: false }.word("OR");
    }
    reading
}

struct Reader {
    reading: Reading,
    zone: Tz,
    /// Letters that may still be asked for.
    room: usize,
    /// How many there are.
    terms: usize,
    /// The next choice is an alternative to the last.
    or: bool,
}

impl Reader {
    fn word(mut self, word: &str) -> Reading {
        self.item(Item::plain(word));
        self.reading
    }

    fn take(&mut self, token: Token) {
        match token {
            Token::Or => self.or = true,
            Token::Item(item) => self.item(item),
        }
    }

    fn item(&mut self, item: Item) {
        if self.room == 0 || self.terms == MAX_TERMS {
            self.reading.cut = true;
            return;
        }
        let Some(atoms) = self.atoms(&item) else { return };
        self.reading.cut |= item.value.chars().count() > self.room;
        let or = std::mem::take(&mut self.or) && !item.negated;
        let letters: usize = atoms.iter().filter_map(Atom::term).map(|term| term.text.chars().count()).sum();
        self.room = self.room.saturating_sub(letters);
        let choice = Choice {
            kind: Kind::of(&item),
            atom: atoms[0].clone(),
            value: item.value,
            quoted: item.quoted,
            note: item.note,
            typed: item.typed,
        };
        let Reading { parsed, pieces, .. } = &mut self.reading;
        if let (true, Some(clause), Some(piece)) = (or, parsed.clauses.last_mut(), pieces.last_mut())
            && !clause.negated
        {
            if !atoms.iter().all(|atom| clause.any.iter().any(|other| is_same(atom, other))) {
                clause.any.extend(atoms);
                piece.any.push(choice);
                self.terms += 1;
            }
            return;
        }
        let is_repeated = parsed.clauses.iter().any(|clause| {
            let pairs = || clause.any.iter().zip(&atoms);
            clause.negated == item.negated
                && clause.any.len() == atoms.len()
                && pairs().all(|(one, other)| is_same(one, other))
        });
        if !is_repeated {
            parsed.clauses.push(Clause { negated: item.negated, any: atoms });
            pieces.push(Piece { negated: item.negated, any: vec![choice] });
            self.terms += 1;
        }
    }

    /// What an item asks for; `None` if it holds no letter.
    fn atoms(&self, item: &Item) -> Option<Vec<Atom>> {
        match item.operator {
            // The lexer has tried it already.
            Some(operator) => operator
                .read(&item.value, item.quoted, self.room, self.zone)
                .ok()
                .flatten()
                .filter(|atoms| !atoms.is_empty()),
            None => {
                let term = Term::new(&item.value, item.quoted, self.room)?;
                Some(vec![Atom::Text(Term { gentle: item.gentle, ..term })])
            }
        }
    }
}

/// Whether two atoms ask for the same, whatever punctuation they were typed with.
fn is_same(one: &Atom, other: &Atom) -> bool {
    match (one, other) {
        (Atom::Text(one), Atom::Text(other)) => {
            (one.run(), one.quoted, one.within) == (other.run(), other.quoted, other.within)
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::operator::Note;
    use super::super::{Part, Within};
    use super::*;

    const ZONE: Tz = Tz::Asia__Shanghai;

    fn show(atom: &Atom) -> String {
        match atom {
            Atom::Text(term) => {
                let mark = if term.quoted { "\"" } else { "" };
                let within = match term.within {
                    Within::Anywhere => "",
                    Within::Title => "title:",
                    Within::Author => "author:",
                    Within::Tag => "tag:",
                };
                format!("{within}{mark}{}{mark}", term.letters)
            }
            Atom::Account { handle, .. } => format!("@{handle}"),
            Atom::Published { from, to } => {
                let day = |at: &i64| crate::clock::Timestamp(*at).rfc3339();
                format!(
                    "{}..{}",
                    from.as_ref().map_or(String::new(), day),
                    to.as_ref().map_or(String::new(), day)
                )
            }
            Atom::Lang(lang) => format!("lang:{lang}"),
            Atom::Has(part) => format!("has:{part:?}"),
        }
    }

    fn shown(parsed: &Parsed) -> Vec<String> {
        let clause = |clause: &Clause| {
            let any: Vec<String> = clause.any.iter().map(show).collect();
            format!("{}{}", if clause.negated { "-" } else { "" }, any.join("|"))
        };
        parsed.clauses.iter().map(clause).collect()
    }

    fn is_read(text: &str, clauses: &[&str]) {
        let reading = read(text, ZONE);
        assert_eq!(shown(&reading.parsed), clauses, "{text}");
        assert_eq!(shown(&parse(&reading.typed(), ZONE)), clauses, "{text} as {}", reading.typed());
    }

    #[test]
    fn terms_phrases_and_exclusions_are_told_apart() {
        for (text, terms) in [
            ("颱風 登陸", &["台风", "登陆"][..]),
            ("“十五五” 规划", &["\"十五五\"", "规划"]),
            ("谈“十五五”规划", &["谈", "十五五", "规划"]),
            ("「國務院 常務會議」 -香港", &["\"国务院常务会议\"", "-香港"]),
            ("a\"b c\"d \"e f\"", &["a", "bc", "d", "\"ef\""]),
            ("\"é OR \"éOR", &["éor"]),
            ("-\"貿易 戰\" 关税", &["-\"贸易战\"", "关税"]),
            ("-30℃，我们破雪而来", &["30c", "我们破雪而来"]),
            ("《流浪地球》-影评 新冠－肺炎", &["流浪地球", "影评", "新冠肺炎"]),
            ("新冠-19 C++ 12:30 5G手机", &["新冠19", "c", "1230", "5g手机"]),
            ("只开不关“的引号", &["只开不关", "的引号"]),
            ("5\" 屏幕", &["5", "屏幕"]),
            ("重复 重复", &["重复"]),
            ("－台風 －“登陸”", &["-台风", "-\"登陆\""]),
            ("－－ - “” 「」 ！！！ 👍", &[]),
        ] {
            is_read(text, terms);
        }
    }

    #[test]
    fn alternatives_bind_two_wanted_terms() {
        for (text, terms) in [
            ("颱風 OR 飓风 登陆", &["台风|飓风", "登陆"][..]),
            ("台风 ＯＲ 飓风 | \"热带 风暴\" ｜ tag:天气", &["台风|飓风|\"热带风暴\"|tag:天气"]),
            ("(台风 OR \"热带 风暴\") 登陆", &["台风|\"热带风暴\"", "登陆"]),
            ("社论|台风 or 飓风 ORACLE", &["社论", "台风", "or", "飓风", "oracle"]),
            ("台风 OR", &["台风"]),
            ("OR 台风 OR OR 飓风", &["台风|飓风"]),
            ("台风 OR -香港", &["台风", "-香港"]),
            ("-香港 OR 台风", &["-香港", "台风"]),
            ("台风 -(香港 OR 2024 “澳 门”) 登陆", &["台风", "-香港", "-2024", "-\"澳门\"", "登陆"]),
            ("台风 -（香港", &["台风", "-香港"]),
            ("OR", &["or"]),
            ("台风 OR 颱風", &["台风"]),
        ] {
            is_read(text, terms);
        }
    }

    #[test]
    fn operators_go_by_their_names_in_every_script_and_width() {
        for (text, clauses) in [
            ("title:台風 標題：台風 标题:登陆 ｔｉｔｌｅ：登陸", &["title:台风", "title:登陆"][..]),
            ("title:\"台風 登陸\"到 標題：「颱風」", &["title:\"台风登陆\"", "到", "title:\"台风\""]),
            ("from:@Daily_News 来自：＠daily 來自:人民日報", &["@daily_news", "@daily", "@人民日报"]),
            ("-from:@x －來自：y", &["-@x", "-@y"]),
            ("author:王小明 作者：“王 五”", &["author:王小明", "author:\"王五\""]),
            ("tag:民生 標籤：科技 标签：科技", &["tag:民生", "tag:科技"]),
            ("after:2024-01 before:2024-02-03", &["2023-12-31T16:00:00Z..", "..2024-02-02T16:00:00Z"]),
            ("之後：2024年1月 之前:２０２４／２／３", &["2023-12-31T16:00:00Z..", "..2024-02-02T16:00:00Z"]),
            ("自：2024", &["2023-12-31T16:00:00Z.."]),
            ("lang:EN 語言：英文", &["lang:en|lang:en-US|lang:en-GB"]),
            ("has:image 含：影片 含:音频 HAS:Table", &["has:Image", "has:Video", "has:Audio", "has:Table"]),
            ("has:image OR has:video 标题： 台风", &["has:Image|has:Video", "title:台风"]),
            ("title: -香港", &["title", "-香港"]),
            ("title: from:@x", &["title", "@x"]),
        ] {
            is_read(text, clauses);
        }
    }

    #[test]
    fn operators_with_nonsense_behind_them_are_text_and_said_to_be() {
        for (text, clauses, note) in [
            ("after:foo", "afterfoo", Note::NotADate),
            ("before:2024-13", "before202413", Note::NotADate),
            ("之后：大选", "之后大选", Note::NotADate),
            ("lang:xx", "langxx", Note::NotALanguage),
            ("-has:\"soul\"", "-hassoul", Note::NotAPart),
        ] {
            is_read(text, &[clauses]);
            assert_eq!(read(text, ZONE).notes().map(|(_, note)| note).collect::<Vec<_>>(), [note], "{text}");
        }
        for text in
            ["title:", "from:@", "from:", "lang:", "site:x", "after: 大选", "本文作者：王五", "：", ":"]
        {
            assert_eq!(read(text, ZONE).notes().count(), 0, "{text}");
            assert!(read(text, ZONE).parsed.handles().next().is_none());
        }
        is_read("after: 大选", &["after", "大选"]);
        is_read("作者：王五", &["author:王五"]);
    }

    #[test]
    fn pieces_can_be_taken_out_one_by_one() {
        let reading = read("谈“十五五”规划 title:\"a b\" -(2024 x) 之后：2024 甲 OR 乙", ZONE);
        assert_eq!(reading.without(1), "谈 规划 title:\"a b\" -(2024) -x 之后：2024 甲 OR 乙");
        assert_eq!(reading.without(7), "谈 十五五 规划 title:\"a b\" -(2024) -x 之后：2024");
        let kinds: Vec<Kind> = reading.pieces.iter().map(|piece| piece.any[0].kind).collect();
        assert_eq!(kinds[3..], [Kind::Title, Kind::Word, Kind::Word, Kind::After, Kind::Word]);
        assert_eq!((&*reading.pieces[3].any[0].value, reading.pieces[3].any[0].quoted), ("a b", true));
        assert_eq!(parse("has:image", ZONE).clauses[0].any, [Atom::Has(Part::Image)]);
    }

    #[test]
    fn very_long_queries_are_cut() {
        let long = read(&"字符".repeat(5_000), ZONE);
        assert_eq!(long.parsed.wanted().next().unwrap().letters.chars().count(), MAX_LETTERS);
        let many: String = (0..500).map(|n| format!("词{n} ")).collect();
        let many = read(&many, ZONE);
        assert_eq!(many.parsed.clauses.len(), MAX_TERMS);
        assert!(long.cut && many.cut && !read("台风", ZONE).cut);
        let alternatives: String = (0..500).map(|n| format!("词{n} OR ")).collect();
        assert_eq!(read(&alternatives, ZONE).pieces[0].any.len(), MAX_TERMS);
        assert!(read(&"「".repeat(100_000), ZONE).cut);
    }

    /// Strings of what the language is made of.
    fn queries() -> impl Strategy<Value = String> {
        let bits = [
            "台",
            "風",
            "a",
            "B",
            "2024",
            "1",
            " ",
            " ",
            " ",
            "\u{3000}",
            "\n",
            "-",
            "－",
            "\"",
            "“",
            "”",
            "「",
            "」",
            "『",
            "»",
            "(",
            ")",
            "（",
            "）",
            " OR ",
            "OR",
            "ＯＲ",
            "|",
            "｜",
            ":",
            "：",
            "title:",
            "標題：",
            "from:@",
            "after:",
            "之前：",
            "lang:",
            "含:",
            "tag",
            "作者",
            ",",
            "。",
            "…",
            "+",
            "/",
            "\u{301}",
            "\0",
            "é",
            "ß",
            "👍",
            "image",
            "en",
        ];
        proptest::collection::vec(proptest::sample::select(bits.to_vec()), 0..24)
            .prop_map(|bits| bits.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn any_string_is_read_and_can_be_written_again(text in any::<String>(), bits in queries()) {
            for text in [text, bits] {
                let reading = read(&text, ZONE);
                let parsed = &reading.parsed;
                prop_assert!(parsed.clauses.iter().all(|clause| !clause.any.is_empty()));
                prop_assert!(parsed.clauses.iter().flat_map(|clause| &clause.any).filter_map(Atom::term).all(|term| !term.letters.is_empty()));
                prop_assert_eq!(reading.pieces.len(), parsed.clauses.len());
                prop_assert_eq!(shown(&parse(&reading.typed(), ZONE)), shown(parsed), "as {}", reading.typed());
                for n in 0..parsed.clauses.len() {
                    let mut left = shown(parsed);
                    left.remove(n);
                    prop_assert_eq!(shown(&parse(&reading.without(n), ZONE)), left, "as {}", reading.without(n));
                }
            }
        }
    }
}
