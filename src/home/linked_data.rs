//! What search engines read of a page besides its text: schema.org's words in JSON-LD.

use serde_json::{Map, Value, json};

use crate::app::App;
use crate::db::entities::{account, article};
use crate::page::Page;

/// Search engines show no more of a headline, in characters.
const HEADLINE: usize = 110;

/// Data that can stand in a page: no part of it can end the element around it.
#[derive(Clone, Debug)]
pub struct LinkedData(String);

impl LinkedData {
    fn of(graph: Vec<Value>) -> Self {
        let text = json!({ "@context": "https://schema.org", "@graph": graph }).to_string();
        let mut safe = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                // Within JSON's strings only, where an escape says the same.
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    safe.push_str(&format!("\\u{:04x}", u32::from(c)))
                }
                c => safe.push(c),
            }
        }
        Self(safe)
    }
}

impl std::fmt::Display for LinkedData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Of an account's page.
pub fn of_account(app: &App, site_name: &str, account: &account::Model) -> LinkedData {
    let path = format!("/@{}", account.handle);
    let crumbs = [(site_name, app.config.url("/")), (&account.name, app.config.url(&path))];
    LinkedData::of(vec![organization(app, account), breadcrumbs(&crumbs)])
}

/// Of an article's page, as it is shown there. Without a cover its picture is that of previews.
pub fn of_article(app: &App, page: &Page, account: &account::Model, article: &article::Model) -> LinkedData {
    let account_url = app.config.url(&format!("/@{}", account.handle));
    let url = format!("{account_url}/{}", article.slug);
    let crumbs = [
        (page.site_name.as_str(), app.config.url("/")),
        (&account.name, account_url.clone()),
        (&article.title, url.clone()),
    ];
    let publisher = json!({ "@id": account_url });
    let author = match article.author.trim() {
        "" => publisher.clone(),
        author => json!({ "@type": "Person", "name": author }),
    };
    let mut about = json!({
        "@type": "NewsArticle",
        "@id": format!("{url}#article"),
        "url": url,
        "mainEntityOfPage": url,
        "headline": short(&article.title),
        "description": page.description,
        "inLanguage": article.lang,
        "dateModified": article.updated_at.max(article.published_at.unwrap_or_default()).rfc3339(),
        "author": author,
        "publisher": publisher,
        "wordCount": article.word_count,
        "isAccessibleForFree": true,
    });
    if let Value::Object(members) = &mut about {
        put(members, "datePublished", article.published_at.map(|moment| json!(moment.rfc3339())));
        let cover = article.cover_url.as_ref().map(|cover| app.config.absolute(cover));
        let image = cover.or(Some(page.image.clone()).filter(|image| !image.is_empty()));
        put(members, "image", image.map(|image| json!([image])));
        put(
            members,
            "keywords",
            Some(&article.tags.0).filter(|tags| !tags.is_empty()).map(|tags| json!(tags)),
        );
        put(members, "isBasedOn", article.original_url.as_ref().map(|original| json!(original)));
    }
    LinkedData::of(vec![about, organization(app, account), breadcrumbs(&crumbs)])
}

fn organization(app: &App, account: &account::Model) -> Value {
    let url = app.config.url(&format!("/@{}", account.handle));
    let mut organization = json!({
        "@type": "NewsMediaOrganization",
        "@id": url,
        "name": account.name,
        "url": url,
    });
    if let Value::Object(members) = &mut organization {
        put(members, "description", Some(&account.bio).filter(|bio| !bio.is_empty()).map(|bio| json!(bio)));
        let logo = |url: &String| json!({ "@type": "ImageObject", "url": app.config.absolute(url) });
        put(members, "logo", account.avatar_url.as_ref().map(logo));
        let links: Vec<&str> = account.links.0.iter().map(|link| link.url.as_str()).collect();
        put(members, "sameAs", Some(links).filter(|links| !links.is_empty()).map(|links| json!(links)));
    }
    organization
}

fn breadcrumbs(crumbs: &[(&str, String)]) -> Value {
    let items: Vec<Value> = crumbs
        .iter()
        .enumerate()
        .map(|(index, (name, url))| json!({ "@type": "ListItem", "position": index + 1, "name": name, "item": url }))
        .collect();
    json!({ "@type": "BreadcrumbList", "itemListElement": items })
}

fn put(members: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        members.insert(name.to_owned(), value);
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= HEADLINE {
        return text.to_owned();
    }
    text.chars().take(HEADLINE - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_element_around_it() {
        let text = "</script><!-- & \u{2028} \" \\";
        let data = LinkedData::of(vec![json!({ "name": text })]).to_string();
        assert!(!data.contains(['<', '>', '&', '\u{2028}']), "{data}");
        let read: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(read["@graph"][0]["name"], text);
    }
}
