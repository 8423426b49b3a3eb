//! A list of pages that lie beside it, as a page that needs nothing else.

use chrono_tz::Tz;

use super::page::STYLE;
use super::xhtml::text;
use crate::page::Locale;
use crate::saved::queries::Card;

pub const END: &str = "</ol>\n</body>\n</html>\n";

pub fn head(title: &str, locale: Locale) -> String {
    let title = text(title);
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
        <title>{title}</title><style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n<ol>\n",
        locale.code()
    )
}

/// The entry of a saved article, whose page is named by its id.
pub fn entry(card: &Card, locale: Locale, zone: Tz) -> String {
    let saved = locale.date(card.saved_at, zone);
    format!(
        "<li><a href=\"{}.html\" lang=\"{}\">{}</a> <span class=\"facts\">{} · {saved}</span></li>\n",
        card.id,
        text(&card.lang),
        text(&card.title),
        text(&card.account_name),
    )
}
