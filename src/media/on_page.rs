//! Pictures as pages show them: with their renditions, their size, and a colour that stands in for them, so that nothing
//! moves while they load. Those of a page are looked up at once, before it is rendered; the rest is text.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use sea_orm::DbErr;

use super::rendition::AVATAR_WIDTHS;
use super::{covers, queries, render};
use crate::app::App;
use crate::db::entities::media::{self, Renditions};
use crate::page::Page;

/// Pictures of one page that are looked up.
const MOST: usize = 200;
/// Pictures that a node remembers, of a few hundred bytes each.
const REMEMBERED: u64 = 20_000;
/// How long one is remembered that nobody looks at.
const IDLE: Duration = Duration::from_secs(3_600);

/// How wide pictures are shown, as `sizes` has it; see `.thumb`, `.cover` and `.prose` in `app.css`.
const THUMB_SIZES: &str = "(min-width: 46rem) 13rem, 9rem";
pub const COVER_SIZES: &str = "(min-width: 42rem) 40rem, 100vw";
pub const BODY_SIZES: &str = "(min-width: 42rem) 40rem, calc(100vw - 2rem)";
/// The rendition that is loaded where a reader who saves data asks for a picture, in pixels.
const LIGHT: u32 = 640;

/// A kept picture as pages show it.
#[derive(Debug)]
pub struct Shown {
    /// Its own file.
    pub url: String,
    pub width: i32,
    pub height: i32,
    /// A class for its colour, or nothing.
    pub tone: String,
    key: String,
    renditions: Renditions,
}

impl Shown {
    fn new(row: &media::Model) -> Self {
        Self {
            url: super::url(row),
            width: row.width,
            height: row.height,
            tone: row.tone.clone().unwrap_or_default(),
            key: row.key.clone(),
            renditions: row.renditions.clone().unwrap_or_default(),
        }
    }

    /// The `<source>`s of a `<picture>`, the best format first.
    pub fn sources(&self, sizes: &str) -> String {
        let mut out = String::new();
        for (kind, widths) in [("avif", &self.renditions.avif), ("webp", &self.renditions.webp)] {
            if widths.is_empty() {
                continue;
            }
            let files: Vec<String> = widths.iter().map(|width| self.candidate(*width, kind)).collect();
            let _ =
                write!(out, r#"<source type="image/{kind}" srcset="{}" sizes="{sizes}">"#, files.join(", "));
        }
        out
    }

    fn candidate(&self, width: u32, kind: &str) -> String {
        format!("/media/{} {width}w", render::key_of(&self.key, width, kind))
    }

    /// A file of few bytes that every browser of today reads.
    pub fn light_url(&self) -> String {
        let widths = &self.renditions.webp;
        let width = widths.iter().rev().find(|width| **width <= LIGHT).or(widths.first());
        match width {
            Some(width) => format!("/media/{}", render::key_of(&self.key, *width, "webp")),
            None => self.url.clone(),
        }
    }
}

/// The pictures of one page, by the addresses that its articles give.
#[derive(Clone, Debug, Default)]
pub struct Pictures(HashMap<String, Arc<Shown>>);

impl Pictures {
    pub fn get(&self, address: &str) -> Option<&Shown> {
        self.0.get(address).map(Arc::as_ref)
    }
}

/// This node's memory of pictures whose renditions are made: they never change again.
#[derive(Debug)]
pub struct Remembered(Cache<String, Arc<Shown>>);

impl Default for Remembered {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(REMEMBERED).time_to_idle(IDLE).build())
    }
}

/// Looks pictures up by their addresses, on this site or elsewhere; those that we have not kept are left out.
pub async fn look_up(app: &App, addresses: Vec<&str>) -> Result<Pictures, DbErr> {
    let mut found = HashMap::new();
    // By what the database knows them.
    let (mut keys, mut hashes) = (HashMap::new(), HashMap::new());
    for address in addresses.into_iter().take(MOST) {
        if found.contains_key(address) {
            continue;
        }
        if let Some(shown) = app.pictures.0.get(address).await {
            found.insert(address.to_owned(), shown);
        } else if let Some(key) = address.strip_prefix("/media/") {
            keys.insert(key.to_owned(), address);
        } else if address.starts_with("http") {
            hashes.insert(covers::hash(address), address);
        }
    }
    let db = app.db.read();
    let own = queries::by_keys(db, keys.keys().cloned().collect()).await?;
    let own = own.into_iter().filter_map(|row| Some((*keys.get(&row.key)?, row)));
    let fetched = queries::by_covers(db, hashes.keys().cloned().collect()).await?;
    let fetched = fetched.into_iter().filter_map(|(hash, row)| Some((*hashes.get(&hash)?, row)));
    for (address, row) in own.chain(fetched) {
        let shown = Arc::new(Shown::new(&row));
        if row.renditions.is_some() {
            app.pictures.0.insert(address.to_owned(), shown.clone()).await;
        }
        found.insert(address.to_owned(), shown);
    }
    Ok(Pictures(found))
}

/// A cover in a list; nothing for a reader who saves data, since it says nothing that the title does not.
pub fn thumb(page: &Page, address: &str) -> String {
    const SIZE: &str = r#"alt="" width="160" height="112" loading="lazy" decoding="async""#;
    if page.look.saves_data {
        return String::new();
    }
    match page.pictures.get(address) {
        Some(shown) => {
            let (sources, class) = (shown.sources(THUMB_SIZES), classes("thumb", &shown.tone));
            format!(r#"<picture>{sources}<img class="{class}" src="{}" {SIZE}></picture>"#, shown.url)
        }
        None => {
            format!(r#"<img class="thumb" src="{}" {SIZE} referrerpolicy="no-referrer">"#, escaped(address))
        }
    }
}

/// The cover of an article above its text: the first thing to load.
pub fn cover(page: &Page, address: &str) -> String {
    let shown = page.pictures.get(address);
    if page.look.saves_data {
        return unseen(page, shown, &escaped(address), "");
    }
    match shown {
        Some(shown) => {
            let class =
                if shown.tone.is_empty() { String::new() } else { format!(r#" class="{}""#, shown.tone) };
            format!(
                r#"<picture>{}<img{class} src="{}" alt="" width="{}" height="{}" fetchpriority="high"></picture>"#,
                shown.sources(COVER_SIZES),
                shown.url,
                shown.width,
                shown.height
            )
        }
        None => format!(
            r#"<img src="{}" alt="" fetchpriority="high" referrerpolicy="no-referrer">"#,
            escaped(address)
        ),
    }
}

/// The same cover as a link that names it before the page is read (RFC 8288); nothing for a reader who saves data, and
/// where an address could not stand in one. Browsers that do not read the format pass it over.
pub fn cover_link(page: &Page, address: &str) -> Option<String> {
    let can_stand = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'\\');
    if page.look.saves_data || !address.bytes().all(can_stand) {
        return None;
    }
    let Some(shown) = page.pictures.get(address) else {
        return Some(format!(
            "<{address}>; rel=preload; as=image; fetchpriority=high; referrerpolicy=no-referrer"
        ));
    };
    let formats = [("avif", &shown.renditions.avif), ("webp", &shown.renditions.webp)];
    let best = formats.into_iter().find(|(_, widths)| !widths.is_empty());
    let more = best.map_or_else(String::new, |(kind, widths)| {
        let files: Vec<String> = widths.iter().map(|width| shown.candidate(*width, kind)).collect();
        let files = files.join(", ");
        format!(r#"; type="image/{kind}"; imagesrcset="{files}"; imagesizes="{COVER_SIZES}""#)
    });
    Some(format!("<{}>; rel=preload; as=image; fetchpriority=high{more}", shown.url))
}

/// What stands in the place of a picture for a reader who saves data: what it shows, and the way to it. `static/light.js`
/// puts it in its place; without scripts it opens by itself. `address` and `alt` are escaped.
pub fn unseen(page: &Page, shown: Option<&Shown>, address: &str, alt: &str) -> String {
    let (href, size) = match shown {
        Some(shown) => {
            let size = format!(r#" data-width="{}" data-height="{}""#, shown.width, shown.height);
            (shown.light_url(), size)
        }
        None => (address.to_owned(), String::new()),
    };
    let words = if alt.is_empty() { page.t("picture") } else { alt.to_owned() };
    format!(
        r#"<a class="unseen" href="{href}"{size} data-alt="{alt}" rel="noreferrer"><span>{words}</span> <small lang="{}">{}</small></a>"#,
        page.locale.code(),
        escaped(&page.t("picture-load"))
    )
}

/// An account's picture. Its renditions are named by its address alone; where they are not made yet, or never are since
/// it is no small square, their addresses answer with the picture itself.
pub fn avatar(url: impl AsRef<str>, size: impl AsRef<str>) -> String {
    let url = url.as_ref();
    let class = classes("avatar", size.as_ref());
    let img = format!(
        r#"<img class="{class}" src="{}" alt="" width="44" height="44" loading="lazy" decoding="async">"#,
        escaped(url)
    );
    let Some(key) = url.strip_prefix("/media/").filter(|key| super::is_key(key)) else { return img };
    let sizes = if size.as_ref() == "large" { "4.5rem" } else { "2.75rem" };
    let candidate = |width: u32| format!("/media/{} {width}w", render::key_of(key, width, "webp"));
    let files = AVATAR_WIDTHS.map(candidate).join(", ");
    format!(r#"<picture><source type="image/webp" srcset="{files}" sizes="{sizes}">{img}</picture>"#)
}

fn classes(one: &str, other: &str) -> String {
    if other.is_empty() { one.to_owned() } else { format!("{one} {other}") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
