//! Short ways to write and publish through the studio's forms.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder};
use xiangxun::db::entities::article::{self};
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::{event, revision, user};

use super::TestApp;

impl TestApp {
    /// The signed-in member writes a draft through the studio; returns its id.
    pub async fn write_draft(&self, handle: &str, title: &str, body: &str) -> i64 {
        let answer = self
            .post(
                &format!("/studio/@{handle}/articles"),
                &[("title", title), ("body", body), ("lang", "zh-Hans")],
            )
            .await
            .assert_status(303);
        id_of(answer.location())
    }

    pub async fn publish(&self, handle: &str, id: i64) {
        let version = self.article(id).await.version.to_string();
        self.post(
            &format!("/studio/@{handle}/articles/{id}/publish"),
            &[("when", "now"), ("version", &version)],
        )
        .await
        .assert_status(303);
    }

    /// The signed-in member publishes an article; returns its id.
    pub async fn publish_new(&self, handle: &str, title: &str, body: &str) -> i64 {
        let id = self.write_draft(handle, title, body).await;
        self.publish(handle, id).await;
        id
    }

    /// The same with tags, separated by commas.
    pub async fn publish_tagged(&self, handle: &str, title: &str, tags: &str) -> i64 {
        let fields = [("title", title), ("body", "正文"), ("lang", "zh-Hans"), ("tags", tags)];
        let answer = self.post(&format!("/studio/@{handle}/articles"), &fields).await.assert_status(303);
        let id = id_of(answer.location());
        self.publish(handle, id).await;
        id
    }

    pub async fn article(&self, id: i64) -> article::Model {
        article::Entity::find_by_id(id).one(self.app.db.write()).await.unwrap().expect("the article is there")
    }

    /// Kinds of all events, in order.
    pub async fn events(&self) -> Vec<String> {
        let rows =
            event::Entity::find().order_by_asc(event::COLUMN.id).all(self.app.db.read()).await.unwrap();
        rows.into_iter().map(|row| row.kind).collect()
    }

    /// Revisions of an article as (number, editor, title).
    pub async fn revisions(&self, id: i64) -> Vec<(i32, Option<i64>, String)> {
        let rows = revision::Entity::find()
            .filter(revision::COLUMN.article_id.eq(id))
            .order_by_asc(revision::COLUMN.number)
            .all(self.app.db.read())
            .await
            .unwrap();
        rows.into_iter().map(|row| (row.number, row.editor_id, row.title)).collect()
    }

    /// A member of the account with this role, signed in.
    pub async fn sign_in_as(&self, account_id: i64, role: Role) -> user::Model {
        let user = self.user(&format!("{role}-{account_id}@example.org")).await;
        self.member(account_id, user.id, role).await;
        self.sign_out();
        self.sign_in(user.id).await;
        user
    }
}

pub fn id_of(location: &str) -> i64 {
    let id = location.split("/articles/").nth(1).unwrap_or_else(|| panic!("no article in {location}"));
    id.split(['/', '?']).next().unwrap().parse().unwrap()
}
