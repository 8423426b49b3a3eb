//! Short ways to put published articles, subscribers and pushes into a test.

use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{EntityTrait, QueryFilter};
use xiangxun::db::entities::article::{self, ArticleState, BodyFormat, Tags};
use xiangxun::db::entities::delivery;
use xiangxun::db::entities::push::{self, PushState};
use xiangxun::db::entities::subscription::{self, Cadence, SubscriptionState};
use xiangxun::db::entities::{push_article, suppression};
use xiangxun::outbox::{self, Event};

use super::TestApp;

impl TestApp {
    /// An article published now.
    pub async fn published(&self, account_id: i64, title: &str) -> article::Model {
        let now = self.app.clock.now();
        article::ActiveModel {
            id: NotSet,
            account_id: Set(account_id),
            external_id: Set(None),
            slug: Set(format!("{:012x}", rand::random::<u64>())),
            title: Set(title.to_owned()),
            digest: Set(String::new()),
            author: Set("本报记者".into()),
            body_format: Set(BodyFormat::Html),
            body_source: Set(None),
            body_html: Set(format!("<p>{title}的第一段，写在<em>这里</em>。</p><p>第二段 &amp; 其他。</p>")),
            cover_url: Set(None),
            tags: Set(Tags::default()),
            lang: Set("zh-Hans".into()),
            original_url: Set(None),
            state: Set(ArticleState::Published),
            version: Set(1),
            word_count: Set(800),
            created_by: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            publish_at: Set(None),
            published_at: Set(Some(now)),
            withdrawn_at: Set(None),
            withdrawn_reason: Set(None),
            idempotency_key: Set(None),
        }
        .insert(self.app.db.write())
        .await
        .unwrap()
    }

    /// An active subscription by address, told at once.
    pub async fn subscriber(&self, account_id: i64, email: &str) -> subscription::Model {
        let now = self.app.clock.now();
        subscription::ActiveModel {
            id: NotSet,
            account_id: Set(account_id),
            user_id: Set(None),
            email: Set(email.to_owned()),
            state: Set(SubscriptionState::Active),
            cadence: Set(Cadence::Instant),
            locale: Set("zh-Hans".into()),
            created_at: Set(now),
            confirmed_at: Set(Some(now)),
            ended_at: Set(None),
            asked_at: Set(None),
            read_until: Set(None),
            told: Set(None),
            list_id: Set(None),
        }
        .insert(self.app.db.write())
        .await
        .unwrap()
    }

    /// Pushes articles, with the event that starts the fan-out; nothing is sent before the next work.
    pub async fn push(&self, account_id: i64, articles: &[&article::Model]) -> i64 {
        let now = self.app.clock.now();
        let tx = self.app.db.begin().await.unwrap();
        let push = push::ActiveModel {
            id: NotSet,
            account_id: Set(account_id),
            created_by: Set(None),
            idempotency_key: Set(format!("{:016x}", rand::random::<u64>())),
            state: Set(PushState::FanningOut),
            created_at: Set(now),
            finished_at: Set(None),
            stopped_at: Set(None),
            untold: Set(None),
        }
        .insert(&*tx)
        .await
        .unwrap();
        for (position, article) in articles.iter().enumerate() {
            push_article::ActiveModel {
                id: NotSet,
                push_id: Set(push.id),
                article_id: Set(article.id),
                position: Set(position as i32),
            }
            .insert(&*tx)
            .await
            .unwrap();
        }
        outbox::record(&tx, now, Event::PushCreated { account_id, push_id: push.id }).await.unwrap();
        tx.commit().await.unwrap();
        push.id
    }

    pub async fn push_state(&self, push_id: i64) -> PushState {
        push::Entity::find_by_id(push_id).one(self.app.db.read()).await.unwrap().unwrap().state
    }

    /// The deliveries of a push in the order of their subscriptions.
    pub async fn deliveries(&self, push_id: i64) -> Vec<delivery::Model> {
        let mut rows = delivery::Entity::find()
            .filter(delivery::COLUMN.push_id.eq(push_id))
            .all(self.app.db.read())
            .await
            .unwrap();
        rows.sort_by_key(|row| row.subscription_id);
        rows
    }

    pub async fn subscription(&self, id: i64) -> subscription::Model {
        subscription::Entity::find_by_id(id).one(self.app.db.read()).await.unwrap().unwrap()
    }

    /// Why an address is not written to, if it is not.
    pub async fn suppressed(&self, email: &str) -> Option<String> {
        let row = suppression::Entity::find()
            .filter(suppression::COLUMN.email.eq(email))
            .one(self.app.db.read())
            .await
            .unwrap();
        row.map(|row| row.reason)
    }
}
