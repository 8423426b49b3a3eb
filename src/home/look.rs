//! How a reader wants pages to look: size of the text, typeface, width, colours. Kept in a cookie, so it needs neither an
//! account nor a script, and is in the page's first byte: nothing flickers.
//!
//! A look is one of 480, whatever a cookie says, so that pages for everybody can be kept by it.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;
use strum::{EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

use crate::app::App;
use crate::auth::LocalPath;
use crate::error::Error;
use crate::page::{Page, View};

/// The cookie that keeps a look.
pub const LOOK_COOKIE: &str = "look";

/// The size of running text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Size {
    Smallest,
    Small,
    #[default]
    Medium,
    Large,
    Largest,
}

/// The typeface of running text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Face {
    #[default]
    Hei,
    Song,
}

/// How long its lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Width {
    Narrow,
    #[default]
    Normal,
    Wide,
}

/// The colours of all pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Sepia,
    Dark,
}

/// Whether there are pictures on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Pictures {
    /// Unless the browser asks to save data.
    #[default]
    Auto,
    Always,
    /// Each where it is asked for.
    Never,
}

/// What browsers that are told to save data send: `Save-Data: on`.
const SAVE_DATA: &str = "save-data";

/// A reader's choice of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Look {
    pub size: Size,
    pub face: Face,
    pub width: Width,
    pub theme: Theme,
    pub pictures: Pictures,
    /// Pictures are to be left out: what follows from the choice and the browser's wish.
    pub saves_data: bool,
}

/// One thing to choose, for forms.
#[derive(Debug)]
pub struct Choice {
    /// The field's name; `look-{name}` is the key of its label, `look-{name}-{value}` that of a value's.
    pub name: &'static str,
    pub values: Vec<(&'static str, bool)>,
}

impl Look {
    /// That of a request's cookies; what cannot be read is as usual.
    pub fn of(jar: &CookieJar, headers: &HeaderMap) -> Self {
        let look = jar.get(LOOK_COOKIE).map(|cookie| Self::parse(cookie.value())).unwrap_or_default();
        let asks =
            || headers.get(SAVE_DATA).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"on"));
        let saves_data = match look.pictures {
            Pictures::Auto => asks(),
            Pictures::Always => false,
            Pictures::Never => true,
        };
        Self { saves_data, ..look }
    }

    /// Reads `large.song.normal.dark.never`.
    fn parse(text: &str) -> Self {
        let mut parts = text.split('.');
        let mut next = || parts.next().unwrap_or_default();
        Self {
            size: next().parse().unwrap_or_default(),
            face: next().parse().unwrap_or_default(),
            width: next().parse().unwrap_or_default(),
            theme: next().parse().unwrap_or_default(),
            pictures: next().parse().unwrap_or_default(),
            saves_data: false,
        }
    }

    /// What the stylesheet sees to.
    fn styles(self) -> [&'static str; 4] {
        [self.size.into(), self.face.into(), self.width.into(), self.theme.into()]
    }

    /// As the cookie keeps it.
    fn written(self) -> String {
        let pictures: &str = self.pictures.into();
        format!("{}.{pictures}", self.styles().join("."))
    }

    /// Classes of `<html>`: one for each style that is not the usual one.
    pub fn classes(self) -> String {
        let usual = Self::default().styles();
        let chosen = self.styles().into_iter().zip(usual).filter(|(part, usual)| part != usual);
        chosen.map(|(part, _)| format!("look-{part}")).collect::<Vec<_>>().join(" ")
    }

    pub fn choices(self) -> [Choice; 5] {
        fn choice<T: IntoEnumIterator + Into<&'static str> + PartialEq>(
            name: &'static str,
            chosen: T,
        ) -> Choice {
            let values = T::iter().map(|value| {
                let is_chosen = value == chosen;
                (value.into(), is_chosen)
            });
            Choice { name, values: values.collect() }
        }
        [
            choice("size", self.size),
            choice("face", self.face),
            choice("width", self.width),
            choice("theme", self.theme),
            choice("pictures", self.pictures),
        ]
    }

    /// The colour of the browser's own frame, where the reader has chosen colours.
    pub fn theme_colour(self) -> Option<&'static str> {
        match self.theme {
            Theme::System => None,
            Theme::Light => Some("#fdfdfb"),
            Theme::Sepia => Some("#f6efe0"),
            Theme::Dark => Some("#151618"),
        }
    }

    fn cookie(self, app: &App) -> Cookie<'static> {
        let cookie = Cookie::build((LOOK_COOKIE, self.written()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(app.config.is_https());
        // The usual look needs no cookie.
        let days = if self == Self::default() { 0 } else { 365 };
        cookie.max_age(time::Duration::days(days)).build()
    }
}

#[derive(Template)]
#[template(path = "home/look.html")]
struct LookPage {
    page: Page,
    back: LocalPath,
}

/// `?back=/where`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Back {
    back: LocalPath,
}

/// `GET /look`: the same choice as in the head, with a sample.
pub async fn show_look(page: Page, Query(asked): Query<Back>) -> Result<Response, Error> {
    let mut page = page.titled_key("look-title");
    page.noindex = true;
    Ok(View(LookPage { page, back: asked.back }).into_response())
}

/// What the form sends; what is missing or unknown is as usual.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LookForm {
    size: String,
    face: String,
    width: String,
    theme: String,
    pictures: String,
    /// Set by the button that undoes all choices.
    usual: String,
    back: LocalPath,
}

/// `POST /look`: keeps the look and goes back to the page.
pub async fn choose_look(State(app): State<Arc<App>>, Form(form): Form<LookForm>) -> Response {
    let look = match form.usual.is_empty() {
        true => Look::parse(&[form.size, form.face, form.width, form.theme, form.pictures].join(".")),
        false => Look::default(),
    };
    (CookieJar::new().add(look.cookie(&app)), Redirect::to(form.back.as_str())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cookie_is_one_of_a_few_looks() {
        let look = Look::parse("large.song.wide.dark.never");
        assert_eq!(look.classes(), "look-large look-song look-wide look-dark");
        assert_eq!(Look::parse(&look.written()), look);
        for odd in ["", "....", "huge.kai.x.y", "\"><script>", "Large.song", &"x.".repeat(4_000)] {
            let look = Look::parse(odd);
            assert!(Look::parse(&look.written()) == look && !look.classes().contains(['<', '"']), "{odd}");
        }
        assert_eq!(Look::parse("huge.song"), Look { face: Face::Song, ..Look::default() });
        assert_eq!(Look::default().classes(), "");
    }

    #[test]
    fn pictures_are_left_out_where_the_reader_or_else_the_browser_asks_for_it() {
        let look = |cookie: &'static str, header: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(SAVE_DATA, header.parse().unwrap());
            Look::of(&CookieJar::new().add(Cookie::new(LOOK_COOKIE, cookie)), &headers).saves_data
        };
        let usual = "medium.hei.normal.system";
        assert!(look(usual, "on") && look("", "On") && !look(usual, "") && !look(usual, "off"));
        assert!(look("medium.hei.normal.system.never", "") && !look("medium.hei.normal.system.always", "on"));
    }

    #[test]
    fn class_names_of_different_choices_differ() {
        let mut names: Vec<&str> = Look::default()
            .choices()
            .iter()
            .flat_map(|choice| choice.values.iter().map(|value| value.0))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
