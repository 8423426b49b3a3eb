//! Uploading pictures, an account's list of them, and serving them.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::picture::Use;
use super::{queries, too_large};
use crate::accounts::roles::{self, Operation};
use crate::app::App;
use crate::db::entities::media;
use crate::error::{Error, Problems};
use crate::packing;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::studio::{Studio, Tab};

/// Text fields that one upload may carry, and their length in bytes.
const MOST_FIELDS: usize = 8;
const LONGEST_FIELD: usize = 2_000;

/// A multipart form with at most one file in its field `file`.
#[derive(Debug, Default)]
pub struct Upload {
    pub file: Vec<u8>,
    fields: Vec<(String, String)>,
}

impl Upload {
    /// # Errors
    /// Invalid `file` when it is too large or the form is broken.
    pub async fn read(mut form: Multipart) -> Result<Self, Error> {
        let mut upload = Self::default();
        while let Some(field) = form.next_field().await.map_err(|error| unreadable(&error))? {
            let name = field.name().unwrap_or_default().to_owned();
            let bytes: Bytes = field.bytes().await.map_err(|error| unreadable(&error))?;
            if name == "file" {
                upload.file = bytes.to_vec();
            } else if upload.fields.len() < MOST_FIELDS && bytes.len() <= LONGEST_FIELD {
                upload.fields.push((name, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        Ok(upload)
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn unreadable(error: &MultipartError) -> Error {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::invalid("file", too_large()),
        _ => Error::invalid("file", "media-form-broken"),
    }
}

/// Middleware of forms with a picture: whoever sends too much is told how much may be sent.
pub async fn say_how_large(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::invalid("file", too_large()).into_response(),
        _ => response,
    }
}

/// A kept picture.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MediaJson {
    /// Absolute.
    pub url: String,
    /// The same without the site's address, as pages of this site may use it.
    pub path: String,
    pub content_type: String,
    pub width: i32,
    pub height: i32,
    pub bytes: i64,
}

impl MediaJson {
    pub fn new(app: &App, row: &media::Model) -> Self {
        let path = super::url(row);
        Self {
            url: app.config.url(&path),
            path,
            content_type: row.content_type.clone(),
            width: row.width,
            height: row.height,
            bytes: row.bytes,
        }
    }
}

/// `POST /studio/@{handle}/media`: JSON for the editor's script, the list of pictures for browsers.
pub async fn upload_media(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    headers: HeaderMap,
    form: Multipart,
) -> Result<Response, Error> {
    let result = async {
        let upload = Upload::read(form).await?;
        super::keep(&app, studio.user.id, studio.account.id, upload.file, Use::Illustration).await
    };
    let result = result.await;
    if wants_json(&headers) {
        return json_answer(&app, &page, result);
    }
    match result {
        Ok(row) => {
            let path = studio.path(&format!("/media?kept={}", row.id));
            Ok(redirect_with_flash(&path, "flash-media-kept"))
        }
        Err(Error::Invalid(problems)) => {
            let list = MediaPage::load(&app, page, studio, Place::default(), problems).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(list)).into_response())
        }
        Err(error) => Err(error),
    }
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"))
}

fn json_answer(app: &App, page: &Page, result: Result<media::Model, Error>) -> Result<Response, Error> {
    match result {
        Ok(row) => Ok((StatusCode::CREATED, Json(MediaJson::new(app, &row))).into_response()),
        Err(Error::Internal(error)) => Err(Error::Internal(error)),
        Err(error) => {
            let detail = match &error {
                Error::Invalid(problems) => page.problem(problems, "file"),
                other => page.message(&other.message()),
            };
            Ok((error.status(), Json(serde_json::json!({ "detail": detail }))).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "media/list.html")]
struct MediaPage {
    page: Page,
    studio: Studio,
    /// The picture that was uploaded just now.
    kept: Option<media::Model>,
    pictures: Vec<media::Model>,
    uploads: bool,
    problems: Problems,
    older_url: String,
}

impl MediaPage {
    async fn load(
        app: &App,
        page: Page,
        studio: Studio,
        place: Place,
        problems: Problems,
    ) -> Result<Self, Error> {
        let (db, account_id) = (app.db.read(), studio.account.id);
        let kept = match place.kept {
            Some(id) => queries::one(db, account_id, id).await?,
            None => None,
        };
        let pictures = queries::of_account(db, account_id, place.before).await?;
        let older_url = match pictures.last() {
            Some(last) if pictures.len() as u64 == queries::PAGE => {
                studio.path(&format!("/media?before={}", last.id))
            }
            _ => String::new(),
        };
        let uploads = studio.allows(Operation::WriteOwnDraft);
        let page = page.titled_key("studio-media");
        Ok(Self { page, studio: studio.at(Tab::Media), kept, pictures, uploads, problems, older_url })
    }
}

/// Where in the list a page begins, and the picture that was uploaded just now.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Place {
    before: Option<i64>,
    kept: Option<i64>,
}

/// `GET /studio/@{handle}/media`
pub async fn list_media(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Query(place): Query<Place>,
) -> Result<Response, Error> {
    roles::require(app.db.read(), studio.account.id, studio.user.id, Operation::ReadStudio).await?;
    let list = MediaPage::load(&app, page, studio, place, Problems::default()).await?;
    Ok(View(list).into_response())
}

/// How long the picture itself may be kept in the place of a rendition without asking, in seconds.
const MEANWHILE: u32 = 300;

/// `GET /media/{account}/{file}`: a picture or a rendition of it, for ever the same.
pub async fn show_media(
    State(app): State<Arc<App>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let account: i64 = account.parse().map_err(|_| Error::NotFound)?;
    let name = Name::read(&file).ok_or(Error::NotFound)?;
    let etag = format!("\"{file}\"");
    if packing::known(&headers, &etag).is_some() {
        return Ok((StatusCode::NOT_MODIFIED, lasting(&etag), ()).into_response());
    }
    let folder = super::folder(&app).join(account.to_string());
    if let Some(bytes) = super::read_file(&folder.join(&file)).await? {
        let kind = [(header::CONTENT_TYPE, name.content_type)];
        return Ok((lasting(&etag), kind, bytes).into_response());
    }
    if name.is_rendition {
        return show_meanwhile(&folder, name.hash, &headers).await;
    }
    Err(Error::NotFound)
}

/// The picture itself under a rendition's address: where none is made yet, or of that width never is.
async fn show_meanwhile(
    folder: &std::path::Path,
    hash: &str,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    for (extension, content_type) in PICTURES {
        let file = format!("{hash}.{extension}");
        let Some(bytes) = super::read_file(&folder.join(&file)).await? else { continue };
        let (etag, cache) = (format!("\"{file}\""), format!("public, max-age={MEANWHILE}"));
        let known = packing::known(headers, &etag).is_some();
        let head = (HARMLESS, [(header::CACHE_CONTROL, cache), (header::ETAG, etag)]);
        return Ok(match known {
            true => (StatusCode::NOT_MODIFIED, head, ()).into_response(),
            false => (head, [(header::CONTENT_TYPE, content_type)], bytes).into_response(),
        });
    }
    Err(Error::NotFound)
}

/// Opened by itself a picture is a document of this site: it may do nothing.
const HARMLESS: [(header::HeaderName, &str); 2] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

fn lasting(etag: &str) -> impl axum::response::IntoResponseParts + use<> {
    let cache = "public, max-age=31536000, immutable".to_owned();
    (HARMLESS, [(header::CACHE_CONTROL, cache), (header::ETAG, etag.to_owned())])
}

/// Extensions and types of kept pictures, and of their renditions.
const PICTURES: [(&str, &str); 2] = [("jpg", "image/jpeg"), ("png", "image/png")];
const RENDITIONS: [(&str, &str); 2] = [("avif", "image/avif"), ("webp", "image/webp")];

/// A file's name that we gave: 32 hexadecimal digits, a rendition's width, and an extension.
struct Name<'a> {
    hash: &'a str,
    is_rendition: bool,
    content_type: &'static str,
}

impl<'a> Name<'a> {
    fn read(file: &'a str) -> Option<Self> {
        let (stem, extension) = file.split_once('.')?;
        let (hash, width) = stem.split_once('-').map_or((stem, None), |(hash, width)| (hash, Some(width)));
        let is_hash =
            hash.len() == 32 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let is_width = width
            .is_none_or(|width| (1..=4).contains(&width.len()) && width.bytes().all(|b| b.is_ascii_digit()));
        let kinds = if width.is_some() { RENDITIONS } else { PICTURES };
        let content_type = kinds.into_iter().find(|(known, _)| *known == extension)?.1;
        (is_hash && is_width).then_some(Self { hash, is_rendition: width.is_some(), content_type })
    }
}

/// Whether this is the name of a kept picture's own file.
pub fn is_picture(file: &str) -> bool {
    Name::read(file).is_some_and(|name| !name.is_rendition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_we_gave_are_read() {
        let hash = "0123456789abcdef0123456789abcdef";
        let kind = |file: &str| Name::read(file).map(|name| name.content_type);
        assert_eq!(kind(&format!("{hash}.png")), Some("image/png"));
        assert_eq!(kind(&format!("{hash}-320.webp")), Some("image/webp"));
        assert!(is_picture(&format!("{hash}.jpg")) && !is_picture(&format!("{hash}-96.avif")));
        for file in [
            "",
            "../../xiangxun.sqlite",
            "a.jpg",
            "x.part",
            &format!("{hash}.svg"),
            &format!("{hash}.webp"),
            &format!("{hash}-320.png"),
            &format!("{hash}-.webp"),
            &format!("{hash}-12345.webp"),
            &format!("{hash}-3/2.webp"),
            &format!("{hash}.jpg.part"),
        ] {
            assert_eq!(kind(file), None, "{file}");
        }
    }
}
