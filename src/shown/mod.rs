//! In what script Chinese is shown to a reader, whatever language the interface speaks: as it was written, in
//! Simplified, or in Traditional as in Taiwan or Hong Kong.
//!
//! Titles, summaries and bodies are converted, with their marks of quotation; names of accounts and people are as their
//! owners write them, and two that differ only by script stay apart. Nothing is written to a table here: a user's
//! choice is kept by `auth::users`, an address's by `readers`.
//!
//! Templates write `{{ page.shown(card.title, card.lang) }}` beside `lang="{{ page.shown_lang(card.lang) }}"`, and
//! [`Bodies`] keeps whole articles; [`Digest`] is what cards say of them.

mod bodies;
mod digest;
mod html;
pub mod pages;
mod quotes;

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use strum::{EnumString, IntoStaticStr};

use crate::app::App;
use crate::db::entities::user;
use crate::page::Locale;
use crate::text::convert::Direction;
use crate::text::script::Script;
use quotes::Marks;

pub use bodies::{Bodies, body_in};
pub use digest::{Digest, head_of};

/// The cookie that keeps a visitor's choice, and the parameter of addresses that goes before it.
pub const COOKIE: &str = "script";
pub const PARAMETER: &str = "script";

/// How Chinese is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Shown {
    /// As it was written.
    #[default]
    Original,
    Hans,
    /// With the words of Taiwan.
    HantTw,
    /// With the words of Hong Kong.
    HantHk,
}

/// How a text is written, by its language tag. Traditional of no place may be of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Hans,
    Hant,
    Tw,
    Hk,
}

impl Written {
    /// None for languages other than Chinese.
    fn of(lang: &str) -> Option<Self> {
        let mut parts = lang.trim().split(['-', '_']);
        let is = |part: &str, names: &[&str]| names.iter().any(|name| part.eq_ignore_ascii_case(name));
        if !is(parts.next()?, &["zh", "cmn"]) {
            return None;
        }
        let (mut script, mut place) = (None, None);
        for part in parts {
            if is(part, &["hans", "chs"]) {
                script = Some(Self::Hans);
            } else if is(part, &["hant", "cht"]) {
                script = Some(Self::Hant);
            } else if is(part, &["tw"]) {
                place = Some(Self::Tw);
            } else if is(part, &["hk", "mo"]) {
                place = Some(Self::Hk);
            }
        }
        Some(match (script, place) {
            (Some(Self::Hans), _) | (None, None) => Self::Hans,
            (_, Some(place)) => place,
            (Some(script), None) => script,
        })
    }
}

impl Shown {
    /// The choices in the order of menus.
    pub const ALL: [Self; 4] = [Self::Original, Self::Hans, Self::HantTw, Self::HantHk];

    /// As in cookies, addresses and the database.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The choice of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        code.trim().to_ascii_lowercase().parse().ok()
    }

    /// The key of its name; a name of a script is the same in every language, and written in it.
    pub fn text_key(self) -> &'static str {
        match self {
            Self::Original => "script-as-written",
            Self::Hans => "script-hans",
            Self::HantTw => "script-hant-tw",
            Self::HantHk => "script-hant-hk",
        }
    }

    /// The key of the words that say that a text was converted.
    pub fn converted_key(self) -> &'static str {
        match self {
            Self::Original => "script-is-original",
            Self::Hans => "script-converted-hans",
            Self::HantTw => "script-converted-hant-tw",
            Self::HantHk => "script-converted-hant-hk",
        }
    }

    /// The language tag of what is converted; none where nothing is.
    pub fn tag(self) -> Option<&'static str> {
        match self {
            Self::Original => None,
            Self::Hans => Some("zh-Hans"),
            Self::HantTw => Some("zh-Hant-TW"),
            Self::HantHk => Some("zh-Hant-HK"),
        }
    }

    /// What readers of a language read unless they chose. English tells nothing of it.
    pub fn usual(locale: Locale) -> Self {
        match locale {
            Locale::ZhHans => Self::Hans,
            Locale::ZhHant => Self::HantTw,
            Locale::En => Self::Original,
        }
    }

    /// Of somebody who is written to: a user's choice, or, of one who is none, what was chosen for
    /// the address; else what is usual.
    pub fn chosen(user: Option<&str>, reader: Option<&str>, locale: Locale) -> Self {
        user.or(reader).and_then(Self::from_code).unwrap_or_else(|| Self::usual(locale))
    }

    /// For searches: the script to write in, where nothing that was typed tells.
    pub fn script(self, locale: Locale) -> Script {
        match self {
            Self::Original => locale.script(),
            Self::Hans => Script::Hans,
            Self::HantTw | Self::HantHk => Script::Hant,
        }
    }

    /// What has to be done with a text of a language: nothing where it is so already, is not Chinese, or is
    /// Traditional of no named place and wanted in Traditional, since readers of one place read the other's, and
    /// few outlets keep to either standard. Between Taiwan and Hong Kong the way is by Traditional as OpenCC writes
    /// it: by Simplified 乾, 幹 and 干 would become one, and not three again.
    fn directions(self, written: Option<Written>) -> &'static [Direction] {
        use Direction::*;
        match (written, self) {
            (None, _) | (_, Self::Original) => &[],
            (Some(Written::Hans), Self::Hans) => &[],
            (Some(Written::Hans), Self::HantTw) => &[S2twp],
            (Some(Written::Hans), Self::HantHk) => &[S2hkp],
            // Characters of both places; words of either may be names in the other.
            (Some(Written::Hant), Self::Hans) => &[Hk2t, Tw2s],
            (Some(Written::Hant), _) => &[],
            (Some(Written::Tw), Self::Hans) => &[Tw2sp],
            (Some(Written::Tw), Self::HantTw) => &[],
            (Some(Written::Tw), Self::HantHk) => &[Tw2t, T2hk],
            (Some(Written::Hk), Self::Hans) => &[Hk2sp],
            (Some(Written::Hk), Self::HantTw) => &[Hk2t, T2tw],
            (Some(Written::Hk), Self::HantHk) => &[],
        }
    }

    /// What marks of quotation become.
    fn marks(self, written: Written) -> Option<Marks> {
        match (written, self) {
            (Written::Hans, Self::HantTw | Self::HantHk) => Some(Marks::Corners),
            (Written::Hant | Written::Tw | Written::Hk, Self::Hans) => Some(Marks::Curly),
            _ => None,
        }
    }

    /// Whether texts of a language look different.
    pub fn changes(self, lang: &str) -> bool {
        !self.directions(Written::of(lang)).is_empty()
    }

    /// The language tag of a text as it is shown.
    pub fn lang(self, lang: &str) -> Cow<'_, str> {
        match self.tag().filter(|_| self.changes(lang)) {
            Some(tag) => Cow::Borrowed(tag),
            None => Cow::Owned(lang.to_owned()),
        }
    }

    /// A plain text of a language.
    pub fn text<'a>(self, text: &'a str, lang: &str) -> Cow<'a, str> {
        let written = Written::of(lang);
        let text = match self.directions(written) {
            [] => Cow::Borrowed(text),
            [one] => one.convert(text),
            directions => Cow::Owned(
                directions.iter().fold(text.to_owned(), |text, one| one.convert(&text).into_owned()),
            ),
        };
        match written.and_then(|written| self.marks(written)) {
            Some(marks) => marks.put_in(text),
            None => text,
        }
    }

    /// Sanitised HTML of a language: its text, and the descriptions of pictures. Code, and what is marked by
    /// `translate="no"` or as another language, stays as it is.
    pub fn html<'a>(self, html: &'a str, lang: &str) -> Cow<'a, str> {
        let written = Written::of(lang);
        match (self.directions(written), written, self.tag()) {
            ([], ..) | (_, None, _) | (.., None) => Cow::Borrowed(html),
            (directions, Some(written), Some(tag)) => {
                Cow::Owned(html::convert(html, directions, written, self.marks(written), tag))
            }
        }
    }
}

/// A language as link previews name it, by a place that speaks it.
pub fn preview_locale(lang: &str) -> &'static str {
    match Written::of(lang) {
        Some(Written::Hans) => "zh_CN",
        Some(Written::Hant | Written::Tw) => "zh_TW",
        Some(Written::Hk) => "zh_HK",
        None => "en_GB",
    }
}

/// Whether a text of a language is Traditional Chinese.
pub fn is_traditional(lang: &str) -> bool {
    matches!(Written::of(lang), Some(Written::Hant | Written::Tw | Written::Hk))
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    /// How this answer is to be written.
    pub shown: Shown,
    /// The same without the address's parameter: how the reader usually reads.
    pub usual: Shown,
    /// Somebody chose it, here or earlier.
    pub is_chosen: bool,
}

impl Choice {
    /// The address's parameter, else the cookie, else the user's settings, else what the reader's language tells.
    /// Who asks for no language gets what was written: robots, and links that are looked at from afar.
    pub(crate) fn of_request(
        jar: &CookieJar,
        headers: &HeaderMap,
        query: Option<&str>,
        user: Option<&user::Model>,
    ) -> Self {
        let kept = jar.get(COOKIE).and_then(|cookie| Shown::from_code(cookie.value()));
        let kept = kept.or_else(|| user.and_then(|user| Shown::from_code(&user.script)));
        let by_language = || match Locale::asked(jar, headers, user) {
            Some(Locale::ZhHant) if reads_as_in_hong_kong(headers) => Shown::HantHk,
            Some(locale) => Shown::usual(locale),
            None => Shown::Original,
        };
        let usual = kept.unwrap_or_else(by_language);
        let asked = query.and_then(of_query);
        Self { shown: asked.unwrap_or(usual), usual, is_chosen: asked.or(kept).is_some() }
    }
}

/// The parameter of an address's query.
pub fn of_query(query: &str) -> Option<Shown> {
    let mut parameters = url::form_urlencoded::parse(query.as_bytes());
    parameters.find(|(name, _)| name == PARAMETER).and_then(|(_, code)| Shown::from_code(&code))
}

/// Whether the first Chinese language that a browser names is of Hong Kong or Macau.
fn reads_as_in_hong_kong(headers: &HeaderMap) -> bool {
    let value =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut tags = value.split(',').map(|part| part.split(';').next().unwrap_or_default());
    tags.find_map(Written::of) == Some(Written::Hk)
}

/// The cookie that keeps a choice for a year.
pub fn cookie(app: &App, shown: Shown) -> Cookie<'static> {
    Cookie::build((COOKIE, shown.code()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.config.is_https())
        .max_age(time::Duration::days(365))
        .build()
}

/// Takes the choice of this browser away.
pub fn forgetting_cookie() -> Cookie<'static> {
    Cookie::build((COOKIE, "")).path("/").max_age(time::Duration::ZERO).build()
}

/// A path with the parameter for a script, instead of any other.
pub fn path_in(path: &str, shown: Option<Shown>) -> String {
    let (path, fragment) = path.split_once('#').map_or((path, None), |(path, rest)| (path, Some(rest)));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let is_ours = |part: &&str| part.split('=').next() == Some(PARAMETER);
    let mut parts: Vec<String> =
        query.split('&').filter(|part| !part.is_empty() && !is_ours(part)).map(str::to_owned).collect();
    parts.extend(shown.map(|shown| format!("{PARAMETER}={}", shown.code())));
    let query = if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{path}{query}{fragment}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_read_by_script_and_place() {
        for (lang, written) in [
            ("zh-Hans", Some(Written::Hans)),
            ("zh", Some(Written::Hans)),
            ("zh-CN", Some(Written::Hans)),
            ("zh_SG", Some(Written::Hans)),
            ("zh-Hans-HK", Some(Written::Hans)),
            ("zh-Hant", Some(Written::Hant)),
            ("zh-TW", Some(Written::Tw)),
            ("zh-hant-tw", Some(Written::Tw)),
            ("zh-Hant-HK", Some(Written::Hk)),
            ("zh-MO", Some(Written::Hk)),
            ("en", None),
            ("ja", None),
            ("yue-HK", None),
            ("", None),
        ] {
            assert_eq!(Written::of(lang), written, "{lang}");
        }
    }

    #[test]
    fn a_text_is_converted_to_what_it_is_not_yet() {
        for (shown, lang, text, expected, tag) in [
            (Shown::HantTw, "zh-Hans", "软件里的头发", "軟體裡的頭髮", "zh-Hant-TW"),
            (Shown::HantHk, "zh-Hans", "软件里的头发", "軟件裏的頭髮", "zh-Hant-HK"),
            (Shown::Hans, "zh-Hant", "衞生署裡看著臺北的網路", "卫生署里看着台北的网路", "zh-Hans"),
            (Shown::Hans, "zh-Hant-TW", "網路與軟體", "网络与软件", "zh-Hans"),
            (Shown::HantHk, "zh-Hant-TW", "在台灣乾杯，裡面說幹活", "在台灣乾杯，裏面説幹活", "zh-Hant-HK"),
            (Shown::HantTw, "zh-Hant-HK", "裏面説幹活，乾杯", "裡面說幹活，乾杯", "zh-Hant-TW"),
            (Shown::HantTw, "zh-Hans", "他说：“里”", "他說：「裡」", "zh-Hant-TW"),
            (Shown::Hans, "zh-Hant-HK", "他説『好』", "他说‘好’", "zh-Hans"),
            (Shown::HantTw, "zh-Hant", "裏面説", "裏面説", "zh-Hant"),
            (Shown::Hans, "zh-Hans", "後面的头发", "後面的头发", "zh-Hans"),
            (Shown::HantTw, "en", "头发 hair", "头发 hair", "en"),
            (Shown::Original, "zh-Hant", "頭髮", "頭髮", "zh-Hant"),
        ] {
            assert_eq!(shown.text(text, lang), expected, "{shown:?} {lang}");
            assert_eq!(shown.lang(lang), tag);
            assert_eq!(shown.changes(lang), text != expected, "{shown:?} {lang}");
        }
    }

    #[test]
    fn an_address_names_one_script_at_most() {
        assert_eq!(path_in("/@a/b", Some(Shown::HantTw)), "/@a/b?script=hant-tw");
        assert_eq!(
            path_in("/search?q=a&script=hans&p=2#x", Some(Shown::Original)),
            "/search?q=a&p=2&script=original#x"
        );
        assert_eq!(path_in("/?script=hans", None), "/");
        assert_eq!(of_query("q=1&script=Hant-HK"), Some(Shown::HantHk));
        assert_eq!((of_query("script=klingon"), of_query("q=script")), (None, None));
        assert!(Shown::ALL.iter().all(|shown| Shown::from_code(shown.code()) == Some(*shown)));
    }
}
