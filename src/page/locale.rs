//! Languages of the interface: their texts, how they write dates and numbers, and which of them a request asks for.

use std::borrow::{Borrow, Cow};

use axum::http::{HeaderMap, header};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use chrono_tz::Tz;
use fluent_templates::fluent_bundle::{FluentArgs, FluentValue};
use fluent_templates::{LanguageIdentifier, Loader, langid, static_loader};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::user;
use crate::text::script::Script;

static_loader! {
    static TEXTS = {
        locales: "./locales",
        fallback_language: "en",
        // No marks around arguments; `NUMBER(..)` groups digits by thousands.
        customise: |bundle| {
            bundle.set_use_isolating(false);
            bundle.add_function("NUMBER", number).expect("no other function is called NUMBER");
        },
    };
}

fn number<'a>(args: &[FluentValue<'a>], _: &FluentArgs<'_>) -> FluentValue<'a> {
    match args.first() {
        Some(FluentValue::Number(number)) => FluentValue::from(grouped(number.value as i64)),
        Some(FluentValue::String(text)) => FluentValue::String(text.clone()),
        _ => FluentValue::Error,
    }
}

/// `1234567` as `1,234,567`; templates have it by reference.
pub fn grouped(number: impl Borrow<i64>) -> String {
    let number = *number.borrow();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// A language of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Locale {
    ZhHans,
    ZhHant,
    En,
}

impl Locale {
    /// BCP 47, as in `<html lang>`, cookies and the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::ZhHans => "zh-Hans",
            Self::ZhHant => "zh-Hant",
            Self::En => "en",
        }
    }

    /// Its own name for itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::ZhHans => "简体中文",
            Self::ZhHant => "繁體中文",
            Self::En => "English",
        }
    }

    /// The locale that a language tag asks for: zh-TW and zh-HK read Traditional.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let tag = tag.trim().to_ascii_lowercase();
        let mut parts = tag.split(['-', '_']);
        match parts.next()? {
            "zh" if parts.any(|part| matches!(part, "hant" | "tw" | "hk" | "mo")) => Some(Self::ZhHant),
            "zh" => Some(Self::ZhHans),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// `2026年1月31日` / `31 January 2026`
    pub fn date(self, moment: Timestamp, zone: Tz) -> String {
        let format = if self == Self::En { "%-d %B %Y" } else { "%Y年%-m月%-d日" };
        moment.utc().with_timezone(&zone).format(format).to_string()
    }

    /// The date and `08:30`, as browsers write it.
    pub fn date_time(self, moment: Timestamp, zone: Tz) -> String {
        let between = if self == Self::En { " at " } else { " " };
        let time = moment.utc().with_timezone(&zone).format("%H:%M");
        format!("{}{between}{time}", self.date(moment, zone))
    }

    /// The script of its readers; English tells nothing of it.
    pub fn script(self) -> Script {
        match self {
            Self::ZhHans => Script::Hans,
            Self::ZhHant => Script::Hant,
            Self::En => Script::Other,
        }
    }

    fn langid(self) -> LanguageIdentifier {
        match self {
            Self::ZhHans => langid!("zh-Hans"),
            Self::ZhHant => langid!("zh-Hant"),
            Self::En => langid!("en"),
        }
    }

    /// The text of a key; a missing one shows as `⟦key⟧`, which tests look for.
    pub fn text(self, key: &str) -> String {
        self.text_with(key, &[])
    }

    /// The text of a key with arguments; those that are whole numbers choose plural forms.
    pub fn text_with(self, key: &str, args: &[(&'static str, String)]) -> String {
        let args = args
            .iter()
            .map(|(name, value)| {
                let value = match value.parse::<i64>() {
                    // 007 is not 7.
                    Ok(number) if number.to_string() == *value => FluentValue::from(number),
                    _ => FluentValue::from(value.clone()),
                };
                (Cow::Borrowed(*name), value)
            })
            .collect();
        TEXTS.try_lookup_with_args(&self.langid(), key, &args).unwrap_or_else(|| format!("⟦{key}⟧"))
    }

    /// The reader's choice (cookie), else their profile's, else the browser's, else the instance's.
    pub(crate) fn of_request(
        app: &App,
        jar: &CookieJar,
        headers: &HeaderMap,
        user: Option<&user::Model>,
    ) -> Self {
        Self::asked(jar, headers, user).or_else(|| Self::from_tag(&app.config.locale)).unwrap_or(Self::ZhHans)
    }

    /// The same; none where the request says nothing of it.
    pub(crate) fn asked(jar: &CookieJar, headers: &HeaderMap, user: Option<&user::Model>) -> Option<Self> {
        let chosen = jar.get(LOCALE_COOKIE).and_then(|cookie| Self::from_tag(cookie.value()));
        chosen.or_else(|| user.and_then(|user| Self::from_tag(&user.locale))).or_else(|| accepted(headers))
    }
}

/// The cookie that keeps a visitor's language.
pub const LOCALE_COOKIE: &str = "lang";

/// The best of `Accept-Language`, by its q values.
fn accepted(headers: &HeaderMap) -> Option<Locale> {
    let value = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut wishes: Vec<(f32, Locale)> = value
        .split(',')
        .filter_map(|part| {
            let (tag, quality) = part.split_once(";q=").unwrap_or((part, "1"));
            Some((quality.trim().parse().ok()?, Locale::from_tag(tag)?))
        })
        .collect();
    wishes.sort_by(|a, b| b.0.total_cmp(&a.0));
    wishes.first().map(|wish| wish.1)
}

/// The cookie that keeps a visitor's choice of language for a year.
pub fn locale_cookie(app: &App, locale: Locale) -> Cookie<'static> {
    Cookie::build((LOCALE_COOKIE, locale.code()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.config.is_https())
        .max_age(time::Duration::days(365))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            [0, 999, 1000, 1_234_567, -4321].map(grouped),
            ["0", "999", "1,000", "1,234,567", "-4,321"]
        );
    }
}
