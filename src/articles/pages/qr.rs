//! An article's address as a picture that a phone's camera reads. It is made here: nobody else learns who shares what.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use qrcode::{Color, QrCode};

use crate::app::App;
use crate::articles::queries::{self, Published};
use crate::error::Error;
use crate::path::Path;

/// Empty modules around the code, as the standard asks for.
const QUIET: usize = 4;

/// `GET /@{handle}/{slug}/qr.svg`
pub async fn show_qr(
    State(app): State<Arc<App>>,
    Path((handle, slug)): Path<(String, String)>,
) -> Result<Response, Error> {
    let path = match queries::published(app.db.read(), &handle, &slug).await? {
        Published::Here(found) => queries::path(&found.0, &found.1),
        Published::Moved(path) => {
            let location = format!("{path}/qr.svg");
            return Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response());
        }
    };
    let svg = svg(&app.config.url(&path))?;
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=3600")];
    Ok((headers, svg).into_response())
}

/// Dark on light in any theme, for not every camera reads the other way.
fn svg(address: &str) -> Result<String, Error> {
    let code = QrCode::new(address).map_err(anyhow::Error::from)?;
    let side = code.width() + 2 * QUIET;
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(code.width()).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, other| one == other) {
            if run[0] == Color::Dark {
                let (x, y, length) = (x + QUIET, y + QUIET, run.len());
                let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
            }
            x += run.len();
        }
    }
    Ok(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>"##
    ))
}
