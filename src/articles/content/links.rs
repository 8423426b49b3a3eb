//! URLs and ids in bodies.

use std::borrow::Cow;

use url::Url;

use super::addresses::is_uploaded;

/// Put before every id of a body, so that none can collide with one of the page around it.
pub const ID_PREFIX: &str = "text-";

const MAX_URL: usize = 2_048;
const MAX_ID: usize = 96;

/// The id as it appears in a body, or none if it cannot be one.
pub fn id(value: &str) -> Option<String> {
    let value = value.trim();
    let usable = !value.is_empty()
        && value.len() <= MAX_ID
        && value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '%'));
    usable.then(|| match value.starts_with(ID_PREFIX) {
        true => value.to_owned(),
        false => format!("{ID_PREFIX}{value}"),
    })
}

/// Where a link may lead: http, https, mailto, a place in the body, a path of this site.
pub fn link(value: &str, base: Option<&Url>) -> Option<String> {
    let value = tidy(value);
    if value.is_empty() || value.len() > MAX_URL {
        return None;
    }
    if let Some(fragment) = value.strip_prefix('#') {
        return id(fragment).map(|id| format!("#{id}"));
    }
    match Url::parse(&value) {
        Ok(url) => matches!(url.scheme(), "http" | "https" | "mailto")
            .then(|| url.to_string())
            .filter(|url| fits(url)),
        Err(url::ParseError::RelativeUrlWithoutBase) => relative(&value, base),
        Err(_) => None,
    }
}

/// The absolute http or https URL of an image or another file, or the path of one on this site.
pub fn file(value: &str, base: Option<&Url>) -> Option<String> {
    if base.is_none() && is_uploaded(&tidy(value)) {
        return Some(tidy(value).into_owned());
    }
    absolute(&tidy(value), base).map(String::from).filter(|url| fits(url))
}

/// As [`file`], but https only, for what a strict policy would refuse otherwise.
pub fn secure_file(value: &str, base: Option<&Url>) -> Option<String> {
    file(value, base).filter(|url| url.starts_with("https:"))
}

/// Parses an absolute http or https URL, or a relative one where there is a base.
pub fn absolute(value: &str, base: Option<&Url>) -> Option<Url> {
    let value = tidy(value);
    let url = match (Url::parse(&value), base) {
        (Ok(url), _) => url,
        (Err(url::ParseError::RelativeUrlWithoutBase), _) if value.starts_with("//") => {
            Url::parse(&format!("https:{value}")).ok()?
        }
        (Err(url::ParseError::RelativeUrlWithoutBase), Some(base)) if !value.is_empty() => {
            base.join(&value).ok()?
        }
        _ => return None,
    };
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// Whether a link is one that [`link`] could have written.
pub fn is_clean_link(value: &str) -> bool {
    value.starts_with(&format!("#{ID_PREFIX}"))
        || is_rooted(value)
        || Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto"))
}

/// Whether the address of a file is one that [`file`] could have written.
pub fn is_clean_file(value: &str) -> bool {
    is_uploaded(value) || is_absolute_http(value)
}

fn is_absolute_http(value: &str) -> bool {
    Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn relative(value: &str, base: Option<&Url>) -> Option<String> {
    if base.is_some() || value.starts_with("//") {
        return absolute(value, base).map(String::from).filter(|url| fits(url));
    }
    is_rooted(value).then(|| value.to_owned())
}

/// `/path`, but neither `//host` nor `/\host`, which browsers read as another site.
fn is_rooted(value: &str) -> bool {
    let mut chars = value.chars();
    chars.next() == Some('/')
        && !matches!(chars.next(), Some('/' | '\\'))
        && !value.contains(|c: char| c.is_control() || c == '\\' || c.is_whitespace())
}

/// Without the spaces, tabs and line breaks that browsers ignore in URLs.
fn tidy(value: &str) -> Cow<'_, str> {
    let value = value.trim_matches(|c: char| c.is_control() || c.is_whitespace());
    if value.contains(['\n', '\r', '\t']) {
        Cow::Owned(value.replace(['\n', '\r', '\t'], ""))
    } else {
        Cow::Borrowed(value)
    }
}

fn fits(url: &str) -> bool {
    url.len() <= MAX_URL
}
