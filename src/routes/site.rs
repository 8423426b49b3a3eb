//! The whole site as one service: a page that is kept, else what the router answers.
//!
//! What is asked for most is kept already (see [`page_cache`]) as the router's layers have left it. To go through them
//! again costs more than all else of such an answer: each is cloned and boxed for each request.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use tower::{Service, ServiceExt, service_fn};

use super::{noted, router};
use crate::app::App;
use crate::page_cache;

/// Answers requests.
#[derive(Clone, Debug)]
pub struct Site {
    app: Arc<App>,
    routes: Router,
}

impl Site {
    pub fn new(app: Arc<App>) -> Self {
        Self { routes: router(app.clone()), app }
    }

    async fn answer(self, request: Request) -> Response {
        let Some(page) = page_cache::kept(&self.app, &request).await else {
            return self.routes.oneshot(request).await.unwrap_or_else(|never| match never {});
        };
        let mut page = Some(page);
        let give = service_fn(move |_| ready(Ok::<_, Infallible>(page.take().unwrap_or_default())));
        let given = noted().service(give).oneshot(request).await;
        given.unwrap_or_else(|never| match never {}).map(Body::new)
    }
}

impl Service<Request> for Site {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let site = self.clone();
        Box::pin(async move { Ok(site.answer(request).await) })
    }
}
