//! Short ways to put people, accounts and articles into a test.

use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::{NotSet, Set};
use xiangxun::db::entities::account::{self, AccountState, Links};
use xiangxun::db::entities::member::{self, Role};
use xiangxun::db::entities::user::{self, UserState};

use super::TestApp;

impl TestApp {
    /// A user with this address.
    pub async fn user(&self, email: &str) -> user::Model {
        user::ActiveModel {
            id: NotSet,
            email: Set(email.to_owned()),
            name: Set(email.split('@').next().unwrap().to_owned()),
            password_hash: Set(None),
            operator: Set(false),
            state: Set(UserState::Active),
            locale: Set("zh-Hans".into()),
            script: Set(String::new()),
            timezone: Set("Asia/Shanghai".into()),
            created_at: Set(self.app.clock.now()),
        }
        .insert(self.app.db.write())
        .await
        .unwrap()
    }

    /// An account with this handle, owned by a new user `owner-of-<handle>@example.org`.
    pub async fn account(&self, handle: &str) -> (account::Model, user::Model) {
        let account = account::ActiveModel {
            id: NotSet,
            handle: Set(handle.to_owned()),
            name: Set(format!("{handle} 日报")),
            bio: Set(String::new()),
            avatar_url: Set(None),
            lang: Set("zh-Hans".into()),
            links: Set(Links::default()),
            region: Set(None),
            topic: Set(None),
            verified_at: Set(None),
            state: Set(AccountState::Active),
            created_at: Set(self.app.clock.now()),
        }
        .insert(self.app.db.write())
        .await
        .unwrap();
        let owner = self.user(&format!("owner-of-{handle}@example.org")).await;
        self.member(account.id, owner.id, Role::Owner).await;
        (account, owner)
    }

    /// Makes a user a member of an account.
    pub async fn member(&self, account_id: i64, user_id: i64, role: Role) -> member::Model {
        member::ActiveModel {
            id: NotSet,
            account_id: Set(account_id),
            user_id: Set(user_id),
            role: Set(role),
            created_at: Set(self.app.clock.now()),
        }
        .insert(self.app.db.write())
        .await
        .unwrap()
    }
}
