//! What is saved as a file: all of it, or one article.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::auth::CurrentUser;
use crate::error::Error;
use crate::page::Page;
use crate::path::Path;
use crate::saved::export::{Book, Format};
use crate::saved::queries;

/// `GET /saved/export/saved.{epub,md,html}`
pub async fn export_all(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path(file): Path<String>,
) -> Result<Response, Error> {
    let format = format_of(&file)?;
    let title = page.t1("saved-export-book", "name", &user.name);
    let book = Book::of_reader(&app, user.id, title, page.locale, page.zone()).await?;
    hand_out(&app, book, format, "saved").await
}

/// `GET /saved/{id}/export/article.{epub,md,html}`
pub async fn export_one(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path((id, file)): Path<(i64, String)>,
) -> Result<Response, Error> {
    let format = format_of(&file)?;
    let saved = queries::get_own(app.db.read(), user.id, id).await?;
    let title = saved.title.clone();
    let book = Book::of(&app, vec![saved], title, page.locale, page.zone()).await?;
    hand_out(&app, book, format, &format!("article-{id}")).await
}

fn format_of(file: &str) -> Result<Format, Error> {
    let ending = file.rsplit_once('.').ok_or(Error::NotFound)?.1;
    ending.parse().map_err(|_| Error::NotFound)
}

async fn hand_out(app: &App, book: Book, format: Format, name: &str) -> Result<Response, Error> {
    let book = if format == Format::Epub { book.with_pictures(app).await? } else { book };
    let bytes = crate::blocking::run(move || book.write(format)).await.map_err(anyhow::Error::from)?;
    let ending: &str = format.into();
    let headers = [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{ending}\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
