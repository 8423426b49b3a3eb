//! What an editor sends: [`ArticleForm`], as typed; [`Content`], checked and sanitised.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

use super::content;
use crate::db::entities::article::{self, BodyFormat, Tags};
use crate::error::{Error, Message, Problems};
use crate::text;

/// The most tags an article may have.
pub const MAX_TAGS: usize = 10;
const MAX_TITLE: usize = 200;
const MAX_DIGEST: usize = 500;
const MAX_AUTHOR: usize = 100;
const MAX_TAG: usize = 30;
const MAX_URL: usize = 2_000;

/// An article's fields as typed, in the studio's editor, the API and autosaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArticleForm {
    pub title: String,
    pub digest: String,
    pub author: String,
    /// `markdown` or `html`.
    pub body_format: String,
    pub body: String,
    pub cover_url: String,
    /// Parted by commas, also full-width ones.
    pub tags: String,
    pub lang: String,
    pub original_url: String,
    /// Empty: made from the title.
    pub slug: String,
}

impl ArticleForm {
    /// The form that shows an article as it is.
    pub fn of(article: &article::Model) -> Self {
        Self {
            title: article.title.clone(),
            digest: article.digest.clone(),
            author: article.author.clone(),
            body_format: article.body_format.to_string(),
            body: article.body_source.clone().unwrap_or_else(|| article.body_html.clone()),
            cover_url: article.cover_url.clone().unwrap_or_default(),
            tags: article.tags.0.join(", "),
            lang: article.lang.clone(),
            original_url: article.original_url.clone().unwrap_or_default(),
            slug: article.slug.clone(),
        }
    }

    /// Checks and sanitises what was typed. Long bodies take a while, so it is done off the
    /// threads that serve requests.
    pub async fn parse(self) -> Result<Content, Error> {
        crate::blocking::run(move || Content::parse(&self)).await.map_err(anyhow::Error::from)?
    }

    pub fn is_markdown(&self) -> bool {
        self.body_format != "html"
    }
}

/// An article's fields, fit to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub title: String,
    pub digest: String,
    pub author: String,
    pub body_format: BodyFormat,
    pub body_source: Option<String>,
    pub body_html: String,
    pub word_count: i32,
    pub cover_url: Option<String>,
    pub tags: Tags,
    pub lang: String,
    pub original_url: Option<String>,
    /// The slug that was asked for, as a slug.
    pub slug: Option<String>,
}

impl Content {
    /// # Errors
    /// [`Error::Invalid`], naming each field that cannot be stored. An empty title or body is fine
    /// for a draft: see [`Self::check_complete`].
    pub fn parse(form: &ArticleForm) -> Result<Self, Error> {
        let mut problems = Problems::default();
        let title = line(&form.title, "title", MAX_TITLE, &mut problems);
        let digest = line(&form.digest, "digest", MAX_DIGEST, &mut problems);
        let author = line(&form.author, "author", MAX_AUTHOR, &mut problems);
        let body_format = parse_format(&form.body_format, &mut problems);
        let body_html = parse_body(body_format, &form.body, &mut problems);
        let cover_url = match form.cover_url.trim() {
            path if content::is_uploaded(path) => Some(path.to_owned()),
            address => web_address(address, "cover_url", &mut problems),
        };
        let original_url = web_address(&form.original_url, "original_url", &mut problems);
        let tags = parse_tags(&form.tags, &mut problems);
        let lang = parse_lang(&form.lang, &mut problems);
        problems.check()?;
        let slug = form.slug.trim();
        Ok(Self {
            word_count: words(&body_html),
            body_source: (body_format == BodyFormat::Markdown).then(|| form.body.replace("\r\n", "\n")),
            slug: (!slug.is_empty()).then(|| text::slug::slug(slug)),
            title,
            digest,
            author,
            body_format,
            body_html,
            cover_url,
            tags,
            lang,
            original_url,
        })
    }

    /// Fails unless there is a title and a body: what readers are shown has both.
    pub fn check_complete(&self) -> Result<(), Error> {
        check_complete(&self.title, &self.body_html)
    }

    /// Whether an article has these fields already; the slug aside.
    pub fn is_of(&self, article: &article::Model) -> bool {
        self.title == article.title
            && self.digest == article.digest
            && self.author == article.author
            && self.body_format == article.body_format
            && self.body_source == article.body_source
            && self.body_html == article.body_html
            && self.cover_url == article.cover_url
            && self.tags == article.tags
            && self.lang == article.lang
            && self.original_url == article.original_url
    }
}

/// The same for an article as it is stored.
pub fn check_complete(title: &str, body_html: &str) -> Result<(), Error> {
    let mut problems = Problems::default();
    if title.is_empty() {
        problems.add("title", "article-title-missing");
    }
    if body_html.is_empty() {
        problems.add("body", "article-body-missing");
    }
    problems.check()
}

/// Words of a body: Chinese characters and words of other scripts, each one.
pub fn words(body_html: &str) -> i32 {
    i32::try_from(text::count::words(&content::plain_text(body_html))).unwrap_or(i32::MAX)
}

/// One line of text: line ends and other controls become spaces, runs of spaces one.
fn line(value: &str, field: &'static str, most: usize, problems: &mut Problems) -> String {
    let spaced: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let value =
        spaced.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").trim().to_owned();
    let length = value.chars().count();
    if length > most {
        problems.add(field, Message::from("article-too-long").with("most", most).with("length", length));
    }
    value
}

fn parse_format(value: &str, problems: &mut Problems) -> BodyFormat {
    if value.is_empty() {
        return BodyFormat::Markdown;
    }
    BodyFormat::from_str(value).unwrap_or_else(|_| {
        problems.add("body_format", "article-format-unknown");
        BodyFormat::Markdown
    })
}

fn parse_body(format: BodyFormat, body: &str, problems: &mut Problems) -> String {
    let html = match format {
        BodyFormat::Markdown => content::from_markdown(body),
        BodyFormat::Html => content::from_html(body),
    };
    html.unwrap_or_else(|content::TooLong| {
        problems.add(
            "body",
            Message::from("article-body-too-long").with("kilobytes", content::MAX_SOURCE / 1024),
        );
        String::new()
    })
}

fn web_address(value: &str, field: &'static str, problems: &mut Problems) -> Option<String> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url.map(String::from).filter(|url| url.len() <= MAX_URL) {
        Some(url) => Some(url),
        None => {
            problems.add(field, "article-url-wrong");
            None
        }
    }
}

fn parse_tags(value: &str, problems: &mut Problems) -> Tags {
    let mut tags: Vec<String> = Vec::new();
    for tag in value.split([',', '，', '、', ';', '；', '\n']) {
        let tag = line(tag.trim().trim_start_matches(['#', '＃']), "tags", MAX_TAG, problems);
        if !tag.is_empty() && !tags.iter().any(|other| other.to_lowercase() == tag.to_lowercase()) {
            tags.push(tag);
        }
    }
    if tags.len() > MAX_TAGS {
        problems.add("tags", Message::from("article-tags-too-many").with("most", MAX_TAGS));
    }
    Tags(tags)
}

fn parse_lang(value: &str, problems: &mut Problems) -> String {
    let value = value.trim();
    if value.is_empty() {
        return "zh-Hans".into();
    }
    let is_tag = (2..=35).contains(&value.len())
        && value
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if !is_tag {
        problems.add("lang", "article-lang-wrong");
    }
    value.to_owned()
}
