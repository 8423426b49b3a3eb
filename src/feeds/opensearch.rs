//! `/opensearch.xml`: tells browsers how to search this site from their own search box.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::xml::Xml;
use crate::app::App;
use crate::page::Locale;

/// The longest short name that the format allows.
const SHORT_NAME: usize = 16;

/// `GET /opensearch.xml`
pub async fn show_description(State(app): State<Arc<App>>) -> Response {
    let locale = Locale::from_tag(&app.config.locale).unwrap_or(Locale::ZhHans);
    let name: String = app.config.site_name_in(locale).chars().take(SHORT_NAME).collect();
    let mut xml = Xml::new("OpenSearchDescription", &[("xmlns", "http://a9.com/-/spec/opensearch/1.1/")]);
    xml.text("ShortName", &name);
    xml.text("Description", &locale.text("search-start-title"));
    for (kind, path) in [
        ("text/html", "/search?q={searchTerms}"),
        ("application/atom+xml", "/search/feed.atom?q={searchTerms}"),
        ("application/rss+xml", "/search/feed.rss?q={searchTerms}"),
    ] {
        xml.empty("Url", &[("type", kind), ("template", &app.config.url(path))]);
    }
    xml.text_with(
        "Image",
        &[("type", "image/svg+xml")],
        &app.config.url(&crate::statics::url("favicon.svg")),
    );
    xml.text("Language", locale.code());
    xml.text("InputEncoding", "UTF-8");
    xml.text("OutputEncoding", "UTF-8");
    let headers = [
        (header::CONTENT_TYPE, "application/opensearchdescription+xml; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, xml.finish()).into_response()
}
