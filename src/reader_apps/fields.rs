//! What an app sends, however it sends it: in the address, as a form or as a form in parts.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;

use crate::app::App;

/// The most that is read of a body, in bytes.
const MOST: usize = 2 * 1024 * 1024;

/// Extractor: names and values in their order, those of the address first. What cannot be read is empty.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The first value of a name as a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.trim().parse().ok()
    }
}

impl FromRequest<Arc<App>> for Fields {
    type Rejection = Infallible;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Infallible> {
        let mut fields: Vec<(String, String)> = pairs(request.uri().query().unwrap_or_default().as_bytes());
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
            if let Ok(mut form) = Multipart::from_request(request, app).await {
                while let Ok(Some(field)) = form.next_field().await {
                    let name = field.name().unwrap_or_default().to_owned();
                    let Ok(value) = field.text().await else { break };
                    fields.push((name, value));
                }
            }
        } else if let Ok(body) = axum::body::to_bytes(request.into_body(), MOST).await {
            fields.extend(pairs(&body));
        }
        Ok(Self(fields))
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}
