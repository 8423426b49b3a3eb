//! A reader app as the server sees it: it has a password of its own and no cookies.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::Value;
use xiangxun::db::entities::user;
use xiangxun::reader_apps;

use super::TestApp;
use super::app::Answer;

/// An app that speaks the Google Reader API.
pub struct ReaderApp<'a> {
    pub app: &'a TestApp,
    pub password: String,
    pub auth: String,
}

impl<'a> ReaderApp<'a> {
    /// Makes a password for a user and signs an app in by it.
    pub async fn of(app: &'a TestApp, user: &user::Model) -> Self {
        let password = reader_apps::create(&app.app, user, "test").await.unwrap();
        let answer = sign_in(app, &user.email, &password).await.assert_status(200).text();
        let auth = answer.lines().find_map(|line| line.strip_prefix("Auth=")).expect("an Auth line");
        Self { app, password, auth: auth.to_owned() }
    }

    /// `path` is below `/api/greader.php/reader/`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    pub async fn json(&self, path: &str) -> Value {
        self.get(&format!("api/0/{path}")).await.assert_status(200).json()
    }

    /// Sends a form to a path below `/api/greader.php/reader/api/0/`.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, &format!("api/0/{path}"), &body).await
    }

    pub async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/greader.php/reader/{path}"))
            .header(header::HOST, "xiangxun.test")
            .header(header::USER_AGENT, "TestReader/1.0 (tests)")
            .header(header::AUTHORIZATION, format!("GoogleLogin auth={}", self.auth))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()));
        self.app.send_alone(request.unwrap()).await
    }

    /// Titles of a stream's items, in order.
    pub async fn titles(&self, path: &str) -> Vec<String> {
        titles_of(&self.json(path).await)
    }

    /// The id of the item with a title.
    pub async fn item(&self, title: &str) -> String {
        let all = self.json("stream/contents?n=100").await;
        let item = all["items"].as_array().unwrap().iter().find(|item| item["title"] == title);
        item.unwrap_or_else(|| panic!("no {title} in {all}"))["id"].as_str().unwrap().to_owned()
    }

    /// The states of the item with a title, without `user/-/state/com.google/`.
    pub async fn states(&self, title: &str) -> Vec<String> {
        let all = self.json("stream/contents?n=100").await;
        let item = all["items"].as_array().unwrap().iter().find(|item| item["title"] == title).unwrap();
        let states = item["categories"].as_array().unwrap().iter();
        states
            .filter_map(|state| state.as_str()?.strip_prefix("user/-/state/com.google/"))
            .filter(|state| *state != "reading-list")
            .map(str::to_owned)
            .collect()
    }
}

pub fn titles_of(document: &Value) -> Vec<String> {
    let items = document["items"].as_array().unwrap_or_else(|| panic!("{document}"));
    items.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

/// What an app sends to sign in.
pub async fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("Email", email), ("Passwd", password), ("service", "reader")])
        .finish();
    let request = Request::post("/api/greader.php/accounts/ClientLogin")
        .header(header::HOST, "xiangxun.test")
        .header(header::USER_AGENT, "TestReader/1.0 (tests)")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body));
    app.send_alone(request.unwrap()).await
}
