use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::search::query::{Atom, Clause, Part, Term, Within};
use crate::search::schema::Entry;
use crate::text::fold;

fn entry(title: &str, body: &str) -> Entry {
    Entry {
        id: 1,
        account: 7,
        published_at: 1_000,
        lang: "zh-Hans".into(),
        has: vec![Part::Image],
        title: title.into(),
        body: body.into(),
        account_name: "乡讯日报".into(),
        account_handle: "xiangxun".into(),
        author: "记者甲".into(),
        tags: vec!["气象".into(), "灾害".into()],
    }
}

fn term(text: &str) -> Term {
    Term::new(text, false, 100).unwrap()
}

fn text(text: &str) -> Atom {
    Atom::Text(term(text))
}

fn within(text: &str, within: Within) -> Atom {
    Atom::Text(Term { within, ..term(text) })
}

fn quoted(text: &str) -> Atom {
    Atom::Text(Term { quoted: true, ..term(text) })
}

fn wanted(any: Vec<Atom>) -> Clause {
    Clause { negated: false, any }
}

fn query(clauses: Vec<Clause>) -> Parsed {
    Parsed { clauses }
}

fn matches(query: &Parsed, entry: &Entry) -> bool {
    let mut percolator = Percolator::default();
    percolator.insert(1, query);
    !percolator.matches(&Article::new(entry)).is_empty()
}

#[test]
fn each_kind_of_clause_holds_as_in_search() {
    let entry = entry("颱風登陸", "強颱風在廣東登陸，\n學校停課。");
    for (atom, holds) in [
        (text("台风登陆"), true),
        (text("登陆广东"), false),
        (text("学校停课"), true),
        (text("停"), true),
        (text("乡讯"), true),
        (text("xiangxun"), true),
        (text("记者甲"), true),
        (text("气象"), true),
        (text("气象灾害"), false),
        (quoted("广东登陆学校"), true),
        (quoted("乡讯"), false),
        (quoted("气象"), false),
        (within("登陆", Within::Title), true),
        (within("广东", Within::Title), false),
        (within("甲", Within::Author), true),
        (within("灾害", Within::Tag), true),
        (within("台风", Within::Tag), false),
        (Atom::Account { handle: "x".into(), id: Some(7) }, true),
        (Atom::Account { handle: "x".into(), id: Some(8) }, false),
        (Atom::Account { handle: "Xiangxun".into(), id: None }, true),
        (Atom::Account { handle: "other".into(), id: None }, false),
        (Atom::Account { handle: "鄉訊日報".into(), id: None }, true),
        (Atom::Account { handle: "鄉訊".into(), id: None }, false),
        (Atom::Published { from: Some(1_000), to: None }, true),
        (Atom::Published { from: None, to: Some(1_000) }, false),
        (Atom::Lang("zh-Hans".into()), true),
        (Atom::Lang("zh-Hant".into()), false),
        (Atom::Has(Part::Image), true),
        (Atom::Has(Part::Video), false),
    ] {
        assert_eq!(matches(&query(vec![wanted(vec![atom.clone()])]), &entry), holds, "{atom:?}");
        let not = Clause { negated: true, any: vec![atom.clone()] };
        assert_eq!(matches(&query(vec![not.clone()]), &entry), !holds, "not {atom:?}");
        assert_eq!(matches(&query(vec![wanted(vec![text("台风")]), not]), &entry), !holds, "not {atom:?}");
        let either = wanted(vec![text("没有这个"), atom.clone()]);
        assert_eq!(matches(&query(vec![either]), &entry), holds, "or {atom:?}");
    }
}

#[test]
fn queries_come_change_and_go() {
    let article = Article::new(&entry("台风", "来了"));
    let mut percolator = Percolator::default();
    for (id, word) in [(1, "台风"), (2, "来了"), (3, "走了")] {
        percolator.insert(id, &query(vec![wanted(vec![text(word)])]));
    }
    assert_eq!(percolator.matches(&article), [1, 2]);
    percolator.insert(3, &query(vec![wanted(vec![text("台风")])]));
    percolator.insert(1, &query(vec![wanted(vec![Atom::Lang("en".into())])]));
    percolator.remove(2);
    percolator.remove(2);
    assert_eq!((percolator.matches(&article), percolator.len()), (vec![3], 2));
    percolator.insert(4, &query(vec![wanted(vec![Atom::Account { handle: "x".into(), id: Some(7) }])]));
    percolator.remove(3);
    assert_eq!(percolator.matches(&article), [4]);
    [1, 4].into_iter().for_each(|id| percolator.remove(id));
    assert!(percolator.is_empty() && percolator.by_pair.is_empty() && percolator.by_account.is_empty());
    assert!(percolator.rest.is_empty());
}

#[test]
fn a_query_is_filed_under_its_rarest_letters() {
    let mut frequencies = Frequencies::default();
    for body in ["中国经济", "中国体育", "中国文化和经济", "中国"] {
        frequencies.count(&Article::new(&entry("", body)));
    }
    let mut percolator = Percolator::new(frequencies);
    percolator.insert(1, &query(vec![wanted(vec![text("中国")]), wanted(vec![text("经济"), text("体育")])]));
    percolator.insert(2, &query(vec![wanted(vec![text("中国经济")])]));
    let met = |body: &str| percolator.count_candidates(&Article::new(&entry("", body)));
    assert_eq!([met("中国"), met("体育"), met("国经"), met("中国体育经济")], [0, 1, 1, 1]);
}

/// What the clauses say, without any of the shortcuts.
fn plainly(query: &Parsed, entry: &Entry) -> bool {
    let holds = |atom: &Atom| match atom {
        Atom::Text(term) => {
            let own = [&entry.title, &entry.body];
            let around = [&entry.account_name, &entry.account_handle, &entry.author];
            let texts: Vec<&String> = match term.within {
                Within::Title => vec![&entry.title],
                Within::Author => vec![&entry.author],
                Within::Tag => entry.tags.iter().collect(),
                Within::Anywhere if term.quoted => own.to_vec(),
                Within::Anywhere => own.into_iter().chain(around).chain(&entry.tags).collect(),
            };
            texts.iter().any(|text| stands_in(term, text))
        }
        Atom::Lang(lang) => *lang == entry.lang,
        _ => false,
    };
    query.clauses.iter().all(|clause| clause.any.iter().any(holds) != clause.negated)
}

/// A run stands in a text letter by letter; an unquoted one does not begin or end in the middle of a
/// Latin word, nor are its own words two there.
fn stands_in(term: &Term, text: &str) -> bool {
    // Each letter, and whether it goes on a word.
    let mut letters: Vec<(char, bool)> = Vec::new();
    let mut last = ' ';
    for c in fold::fold(text).chars() {
        if c.is_alphanumeric() {
            letters.push((c, c.is_ascii() && last.is_ascii_alphanumeric()));
        }
        last = c;
    }
    let wanted: Vec<char> = term.letters.chars().collect();
    let goes_on = |at: usize| letters.get(at).is_some_and(|letter| letter.1);
    (0..letters.len()).any(|at| {
        let one_word = || {
            (1..wanted.len()).all(|n| !wanted[n].is_ascii() || !wanted[n - 1].is_ascii() || goes_on(at + n))
        };
        let is_there =
            (0..wanted.len()).all(|n| letters.get(at + n).is_some_and(|letter| letter.0 == wanted[n]));
        is_there && (term.quoted || !goes_on(at) && !goes_on(at + wanted.len()) && one_word())
    })
}

fn atoms() -> impl Strategy<Value = Atom> {
    let places = [Within::Anywhere, Within::Anywhere, Within::Title, Within::Author, Within::Tag];
    let run = ("[甲乙丙臺台a]{1,3}", proptest::sample::select(places.to_vec()), any::<bool>())
        .prop_map(|(text, within, quoted)| Atom::Text(Term { within, quoted, ..term(&text) }));
    prop_oneof![8 => run, 1 => Just(Atom::Lang("zh-Hans".into())), 1 => Just(Atom::Lang("en".into()))]
}

fn queries() -> impl Strategy<Value = Parsed> {
    let clause = (proptest::bool::weighted(0.2), proptest::collection::vec(atoms(), 1..3));
    let clause = clause.prop_map(|(negated, any)| Clause { negated, any });
    proptest::collection::vec(clause, 1..4).prop_map(query)
}

proptest! {
    #[test]
    fn the_shortcuts_change_no_answer(
        queries in proptest::collection::vec(queries(), 1..30),
        texts in proptest::collection::vec(("[甲乙丙台A，]{0,4}", "[甲乙丙臺a。]{0,12}", "[甲乙]{0,2}"), 1..6),
    ) {
        let entries: Vec<Entry> = texts
            .iter()
            .map(|(title, body, author)| Entry { author: author.clone(), ..entry(title, body) })
            .collect();
        let mut frequencies = Frequencies::default();
        entries.iter().step_by(2).for_each(|entry| frequencies.count(&Article::new(entry)));
        let mut percolator = Percolator::new(frequencies);
        queries.iter().enumerate().for_each(|(id, query)| percolator.insert(id as i64, query));
        for entry in &entries {
            let found: BTreeSet<i64> = percolator.matches(&Article::new(entry)).into_iter().collect();
            let plain = queries.iter().enumerate().filter(|(_, query)| plainly(query, entry));
            prop_assert_eq!(found, plain.map(|(id, _)| id as i64).collect());
        }
    }
}
