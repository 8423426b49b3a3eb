//! What a card says of an article.

use std::borrow::Cow;
use std::fmt;

use sea_orm::sea_query::{Expr, Func, FunctionCall};
use sea_orm::{DbErr, FromQueryResult, QueryResult};

use super::{Shown, html};
use crate::articles::content;

/// How much of a body is read to make an excerpt of it, in characters of HTML.
const HEAD: usize = 1_500;
/// Length of an excerpt, in characters.
const EXCERPT: usize = 120;

/// The author's digest, or an excerpt of the beginning of the body. Of a row it is read from the columns `digest` and
/// `head`; see [`head_of`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    words: String,
    /// What the words were taken from, where a part of that is not converted.
    head: Option<String>,
}

impl Digest {
    /// Of the author's `words`, and what the body begins with.
    pub fn of(words: String, body: &str) -> Self {
        if !words.is_empty() {
            return Self { words, head: None };
        }
        let end = body.char_indices().nth(HEAD).map_or(body.len(), |(at, _)| at);
        let head = &body[..end];
        let words = content::excerpt(head, EXCERPT);
        Self { words, head: html::may_keep_parts(head).then(|| head.to_owned()) }
    }

    pub fn as_str(&self) -> &str {
        &self.words
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// As a reader is shown it. Names that the body marks stay as they are.
    pub fn in_script(&self, shown: Shown, lang: &str) -> Cow<'_, str> {
        match &self.head {
            Some(head) if shown.changes(lang) => {
                Cow::Owned(content::excerpt(&shown.html(head, lang), EXCERPT))
            }
            _ => shown.text(&self.words, lang),
        }
    }

    /// The same, to keep.
    pub fn converted(&self, shown: Shown, lang: &str) -> Self {
        Self { words: self.in_script(shown, lang).into_owned(), head: None }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl FromQueryResult for Digest {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let head: String = row.try_get(prefix, "head")?;
        Ok(Self::of(row.try_get(prefix, "digest")?, &head))
    }
}

/// What a query reads of a body for a [`Digest`].
pub fn head_of(body: impl Into<Expr>) -> FunctionCall {
    Func::cust("substr").args([body.into(), Expr::val(1), Expr::val(HEAD as i32)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_shown_in_a_script_without_the_names_that_are_marked() {
        let taiwan = Shown::HantTw;
        let body = "<p>软件在<span translate=\"no\">后里</span></p>";
        let excerpt = Digest::of(String::new(), body);
        assert_eq!((excerpt.as_str(), &*excerpt.in_script(taiwan, "zh-Hans")), ("软件在后里", "軟體在后里"));
        assert_eq!(excerpt.in_script(taiwan, "en"), "软件在后里");
        assert_eq!(excerpt.converted(taiwan, "zh-Hans").as_str(), "軟體在后里");
        let written = Digest::of("软件".into(), body);
        assert_eq!(written.in_script(taiwan, "zh-Hans"), "軟體");
        assert_eq!(Digest::of(String::new(), "<p>软件</p>").in_script(taiwan, "zh-Hans"), "軟體");
        assert!(Digest::of(String::new(), &"<br>".repeat(HEAD)).is_empty());
    }
}
