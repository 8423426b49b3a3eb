//! Near misses: what was probably meant where little was found.
//!
//! Chinese is mistyped by sound (经既 for 经济) or by one character, and pinyin is typed where an input
//! method was off (`renminribao`), with sounds that many do not tell apart (zh/z, in/ing, n/l). The
//! words that are proposed are names of accounts, tags, frequent queries and words of titles: what
//! nobody wrote here is not proposed.

mod vocabulary;

pub use self::vocabulary::{Vocabulary, VocabularyBuilder};
use super::dictionary::{Dictionary, Key, code, letter_key};
use super::lookup::Fit;
use super::{Known, queries};
use crate::app::App;
use crate::error::Error;
use crate::search::find::{self, Found, Reader};
use crate::search::wanted::Wanted;
use crate::text::pinyin::typed::{Kind, Typed, typed};
use crate::text::pinyin::{self};
use crate::text::script::{self, Script};
use crate::text::{convert, fold};

/// A search that finds so many articles is taken as it is.
const FEW: usize = 3;
/// Letters of a query that is looked at.
const MOST: usize = 60;
/// Ways to read pinyin that are tried.
const WAYS: usize = 8;
/// Proposals that are tried by searching for them.
const TRIED: usize = 4;
/// Titles compared.
const TITLES: usize = 2_000;

/// Something that may be meant, and how good a guess it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub guess: Guess,
    /// How often it is written here.
    pub weight: u64,
    pub text: Text,
}

/// The kinds of guesses; the first is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guess {
    /// A name or word that is read exactly so.
    Sound,
    /// Part of a title that is read exactly so.
    TitleSound,
    /// A name with these initials.
    Initials,
    /// Part of the query is a word that is read exactly so; the longer, the better.
    PartSound {
        rest: usize,
    },
    /// A name or word that is read nearly so.
    Alike,
    PartAlike {
        rest: usize,
    },
    /// One letter or character is another.
    Letter,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    Written(String),
    /// Letters from the `at`th on of an article's title.
    Title {
        article: i64,
        at: usize,
        count: usize,
    },
}

/// What was probably meant by a search whose first page found few articles that hold all of it;
/// `None` unless that finds more. Queries that say more than words are taken as they are.
///
/// # Errors
/// As of [`find::find`].
pub async fn did_you_mean(
    app: &App,
    wanted: &Wanted,
    found: &Found,
    reader: Reader,
) -> Result<Option<String>, Error> {
    let query = wanted.q.trim().to_owned();
    let says_more = query.starts_with(['-', '－'])
        || query.contains(['"', '“', '”', ':', '：', '＂', '「', '」', '『', '』']);
    // What took too long once is not tried with other words.
    if found.partial || found.exact >= FEW || says_more || query.is_empty() || !wanted.cursor.is_empty() {
        return Ok(None);
    }
    let known = app.suggest.known();
    let proposals =
        crate::blocking::run(move || known.proposals(&query)).await.map_err(anyhow::Error::from)?;
    for proposal in proposals.into_iter().take(TRIED) {
        let Some(text) = written(app, proposal.text).await? else { continue };
        if fold::letters(&text) == fold::letters(&wanted.q) {
            continue;
        }
        let other = Wanted { q: text, limit: "1".into(), facets: false, ..wanted.clone() };
        match find::find(app, &other, reader).await {
            Ok(other_found) if other_found.exact > found.exact => {
                return Ok(Some(in_script(other.q, &wanted.q, reader.script)));
            }
            Ok(_) => {}
            // What was found is shown without a proposal.
            Err(Error::Busy { .. } | Error::Unavailable { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// A proposal in the script of what was typed, or else of the reader, where it stays the same search.
fn in_script(text: String, typed: &str, script: Script) -> String {
    let converted = convert::to(script::shown(typed).unwrap_or(script), &text);
    if fold::letters(&converted) == fold::letters(&text) { converted.into_owned() } else { text }
}

async fn written(app: &App, text: Text) -> Result<Option<String>, Error> {
    let (article, at, count) = match text {
        Text::Written(text) => return Ok(Some(text)),
        Text::Title { article, at, count } => (article, at, count),
    };
    let rows = queries::titles_of(app.db.read(), &[article]).await?;
    Ok(rows.first().and_then(|row| {
        let letters = fold::mapped_letters(&row.title);
        let byte =
            |at: usize| letters.text.char_indices().nth(at).map_or(letters.text.len(), |(byte, _)| byte);
        let part = row.title.get(letters.source(byte(at)..byte(at + count)))?;
        Some(part.to_owned()).filter(|part| !part.is_empty())
    }))
}

impl Known {
    /// What may be meant, the best first.
    pub fn proposals(&self, query: &str) -> Vec<Proposal> {
        let typed = typed(query, MOST);
        if typed.letters().len() < 2 {
            return Vec::new();
        }
        let mut found = if typed.has_latin() { self.of_pinyin(&typed) } else { self.of_chinese(query) };
        found.sort_by(|one, other| (one.guess, other.weight).cmp(&(other.guess, one.weight)));
        let mut seen = Vec::new();
        found.retain(|one| {
            let new = !seen.contains(&one.text);
            seen.push(one.text.clone());
            new
        });
        found
    }

    fn of_pinyin(&self, typed: &Typed) -> Vec<Proposal> {
        let words = &self.base.vocabulary;
        let mut found = Vec::new();
        for way in typed.syllables(WAYS) {
            let sounds: Vec<vocabulary::Sound> = way.iter().filter_map(sound_of).collect();
            found.extend(words.with_sounds(&sounds).map(|word| Proposal {
                guess: if word.exactly { Guess::Sound } else { Guess::Alike },
                weight: word.weight,
                text: Text::Written(word.shown.to_owned()),
            }));
            found.extend(words.made_of_words(&sounds).into_iter().map(|(shown, weight)| Proposal {
                guess: Guess::Alike,
                weight,
                text: Text::Written(shown),
            }));
            found.extend(self.in_titles(&way, ""));
        }
        if typed.letters().len() >= 3 {
            let named = |fit| fit == Fit::WholeInitials;
            let terms = self.base.terms.find(typed, 3).into_iter().filter(|one| named(one.fit));
            found.extend(terms.map(|one| Proposal {
                guess: Guess::Initials,
                weight: 0,
                text: Text::Written(self.base.terms.item(one).text.clone()),
            }));
            let latin: String = typed.letters().iter().collect();
            found.extend(words.with_initials(&latin).chain(words.with_one_letter_changed(&latin)).map(
                |(guess, weight, shown)| Proposal { guess, weight, text: Text::Written(shown.to_owned()) },
            ));
        }
        found
    }

    fn of_chinese(&self, query: &str) -> Vec<Proposal> {
        let words = &self.base.vocabulary;
        let folded = fold::fold(query);
        let letters = fold::letters(query);
        let way: Vec<Kind> = pinyin::read(&folded)
            .into_iter()
            .map(|read| read.sound.map_or(Kind::Letter(read.letter), Kind::Whole))
            .collect();
        let mut found: Vec<Proposal> = self.in_titles(&way, &letters).into_iter().collect();
        found.extend(self.base.titles.with_one_letter_changed(&letters));
        found.extend(words.parts(&folded).into_iter().map(|part| {
            let text: String = query_with(query, &letters, part.at, part.count, &part.shown);
            let rest = way.len() - part.count;
            let guess = match part.guess {
                Guess::Sound if rest == 0 => Guess::Sound,
                Guess::Sound => Guess::PartSound { rest },
                Guess::Alike if rest == 0 => Guess::Alike,
                Guess::Alike => Guess::PartAlike { rest },
                guess => guess,
            };
            Proposal { guess, weight: part.weight, text: Text::Written(text) }
        }));
        found
    }

    /// The part of titles that is read so most often.
    fn in_titles(&self, way: &[Kind], not: &str) -> Option<Proposal> {
        if way.len() < 2 {
            return None;
        }
        self.base.titles.read_so(way, not)
    }
}

/// The query with `count` letters from the `at`th on replaced. Spaces and punctuation elsewhere stay.
fn query_with(query: &str, letters: &str, at: usize, count: usize, part: &str) -> String {
    let mapped = fold::mapped_letters(query);
    let byte = |at: usize| letters.char_indices().nth(at).map_or(letters.len(), |(byte, _)| byte);
    let place = mapped.source(byte(at)..byte(at + count));
    format!("{}{part}{}", &query[..place.start], &query[place.end..])
}

fn sound_of(kind: &Kind) -> Option<vocabulary::Sound> {
    match kind {
        Kind::Whole(syllable) => Some(vocabulary::Sound::Syllable(*syllable)),
        Kind::Letter(letter) => Some(match pinyin::sounds(*letter).first() {
            Some(syllable) => vocabulary::Sound::Syllable(*syllable),
            None => vocabulary::Sound::Letter(*letter),
        }),
        Kind::Start(_) => None,
    }
}

impl Dictionary<i64> {
    /// The letters that are read so in most titles, unless they are `not`.
    fn read_so(&self, way: &[Kind], not: &str) -> Option<Proposal> {
        let not: Vec<u16> = not.chars().map(code).collect();
        let mut counted: std::collections::HashMap<Vec<u16>, (u64, u32)> = std::collections::HashMap::new();
        for orders in [&self.text.firsts, &self.text.inner] {
            let order = orders.by(Key::Sound);
            let mut places = 0..order.len();
            for (depth, kind) in way.iter().enumerate() {
                let key = match sound_of(kind)? {
                    vocabulary::Sound::Syllable(syllable) => syllable.0 + 1,
                    vocabulary::Sound::Letter(letter) => letter_key(code(letter)),
                };
                let inner = self.text.narrow(&order[places.clone()], Key::Sound, depth as u32, key..key + 1);
                places = places.start + inner.start..places.start + inner.end;
            }
            for &place in order[places].iter().take(TITLES) {
                let letters: Vec<u16> = (place..).take(way.len()).map(|at| self.text.letter(at)).collect();
                let said = |(kind, letter): (&Kind, &u16)| match kind {
                    Kind::Letter(wanted) => code(*wanted) == *letter,
                    _ => true,
                };
                if letters != not && way.iter().zip(&letters).all(said) {
                    counted.entry(letters).or_insert((0, place)).0 += 1;
                }
            }
        }
        let (weight, place) =
            counted.into_values().max_by_key(|(count, place)| (*count, u32::MAX - place))?;
        Some(self.part(Guess::TitleSound, weight, place, way.len()))
    }

    /// A title that goes on like the query after one other letter, which is not one of the first two.
    fn with_one_letter_changed(&self, letters: &str) -> Option<Proposal> {
        let wanted: Vec<u16> = letters.chars().map(code).collect();
        if wanted.len() < 4 {
            return None;
        }
        for orders in [&self.text.firsts, &self.text.inner] {
            let order = orders.by(Key::Letter);
            let mut places = 0..order.len();
            for (depth, letter) in wanted.iter().enumerate() {
                let inner =
                    self.text.narrow(&order[places.clone()], Key::Letter, depth as u32, *letter..*letter + 1);
                if !inner.is_empty() {
                    places = places.start + inner.start..places.start + inner.end;
                    continue;
                }
                if depth < 2 {
                    break;
                }
                let rest = &wanted[depth + 1..];
                let goes_on = |place: &&u32| {
                    self.text.letter(**place + depth as u32) != 0
                        && (**place + depth as u32 + 1..)
                            .zip(rest)
                            .all(|(at, letter)| self.text.has(at, *letter))
                };
                if let Some(&place) = order[places].iter().take(TITLES).find(goes_on) {
                    return Some(self.part(Guess::Letter, 1, place, wanted.len()));
                }
                break;
            }
        }
        None
    }

    fn part(&self, guess: Guess, weight: u64, place: u32, count: usize) -> Proposal {
        let (item, start) = self.text.span(place);
        let text = Text::Title { article: self.items[item as usize], at: (place - start) as usize, count };
        Proposal { guess, weight, text }
    }
}
