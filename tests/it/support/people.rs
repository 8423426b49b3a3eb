//! People who sign in, and how to tell whether they are.

use axum::body::Body;
use axum::http::{Request, header};
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, QueryFilter};
use xiangxun::auth::Address;
use xiangxun::auth::password::{self, Password};
use xiangxun::auth::users::{self, NewUser};
use xiangxun::db::entities::user::{self, UserState};
use xiangxun::page::Locale;

use super::TestApp;
use super::app::Answer;

pub const PASSWORD: &str = "月落乌啼霜满天江枫渔火";

/// The path of the link in the only letter sent.
pub fn link_path(app: &TestApp) -> String {
    let letters = app.take_letters();
    assert_eq!(letters.len(), 1);
    let base = "http://xiangxun.test";
    for text in [&letters[0].text, &letters[0].html] {
        assert!(text.contains(&format!("{base}/sign-in/link/")), "{text}");
    }
    let start = letters[0].text.find("/sign-in/link/").unwrap();
    letters[0].text[start..].split_whitespace().next().unwrap().to_owned()
}

pub async fn user_with_password(app: &TestApp, email: &str) -> user::Model {
    let hash = password::hash(Password::parse(PASSWORD, email).unwrap()).await.unwrap();
    let new = NewUser {
        address: Address::parse(email).unwrap(),
        name: "读者".into(),
        password_hash: Some(hash),
        operator: false,
        locale: Locale::ZhHans,
    };
    users::create(&app.app, new).await.unwrap()
}

pub async fn suspend(app: &TestApp, id: i64) {
    user::Entity::update_many()
        .col_expr(user::Column::State, Expr::value(UserState::Suspended))
        .filter(user::COLUMN.id.eq(id))
        .exec(app.app.db.write())
        .await
        .unwrap();
}

/// Whether this browser is signed in.
pub async fn is_signed_in(app: &TestApp) -> bool {
    app.get("/settings").await.status == 200
}

/// A page of another browser, which has this session.
pub async fn get_with_session(app: &TestApp, path: &str, token: &str) -> Answer {
    let request = Request::get(path)
        .header(header::HOST, "xiangxun.test")
        .header(header::COOKIE, format!("session={token}"))
        .body(Body::empty());
    app.send_alone(request.unwrap()).await
}

pub fn session_token(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie");
    cookie.strip_prefix("session=").unwrap().split(';').next().unwrap().to_owned()
}
