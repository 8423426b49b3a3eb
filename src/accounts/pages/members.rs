//! `/studio/@handle/members`: who works on the account, and as what.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::invalid;
use crate::accounts::queries::{self, MemberRow};
use crate::accounts::roles::Operation;
use crate::accounts::{By, members};
use crate::app::App;
use crate::db::entities::member::Role;
use crate::error::{Error, Problems};
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::studio::{Studio, Tab};

/// A person to be added.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct MemberForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    role: String,
}

#[derive(Template)]
#[template(path = "accounts/members.html")]
struct MembersPage {
    page: Page,
    studio: Studio,
    members: Vec<MemberRow>,
    manages: bool,
    form: MemberForm,
    problems: Problems,
}

impl MembersPage {
    async fn load(
        app: &App,
        page: Page,
        studio: Studio,
        form: MemberForm,
        problems: Problems,
    ) -> Result<Self, Error> {
        let members = queries::members(app.db.read(), studio.account.id).await?;
        let manages = studio.allows(Operation::ManageMembers);
        let page = page.titled_key("studio-members");
        Ok(Self { page, studio: studio.at(Tab::Members), members, manages, form, problems })
    }

    fn roles(&self) -> [Role; 4] {
        [Role::Owner, Role::Editor, Role::Author, Role::Analyst]
    }
}

/// The key of a role's name.
pub fn role_key(role: &Role) -> &'static str {
    match role {
        Role::Owner => "role-owner",
        Role::Editor => "role-editor",
        Role::Author => "role-author",
        Role::Analyst => "role-analyst",
    }
}

/// `GET /studio/@{handle}/members`
pub async fn list_members(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
) -> Result<Response, Error> {
    let form = MemberForm { role: Role::Author.to_string(), ..MemberForm::default() };
    Ok(View(MembersPage::load(&app, page, studio, form, Problems::default()).await?).into_response())
}

fn parse_role(text: &str) -> Result<Role, Error> {
    text.parse().map_err(|_| Error::invalid("role", "member-role-wrong"))
}

/// `POST /studio/@{handle}/members`
pub async fn add_member(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Form(form): Form<MemberForm>,
) -> Result<Response, Error> {
    let result = match parse_role(&form.role) {
        Ok(role) => {
            members::add(&app, By::User(&studio.user), studio.account.id, &form.email, role).await.map(|_| ())
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => Ok(redirect_with_flash(&studio.path("/members"), "flash-member-added")),
        Err(Error::Invalid(problems)) => {
            Ok(invalid(MembersPage::load(&app, page, studio, form, problems).await?))
        }
        Err(error) => Err(error),
    }
}

/// A member's new role.
#[derive(Clone, Debug, Deserialize)]
pub struct RoleForm {
    role: String,
}

/// `POST /studio/@{handle}/members/{member}/role`
pub async fn change_member_role(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path((_, member_id)): Path<(String, i64)>,
    Form(form): Form<RoleForm>,
) -> Result<Response, Error> {
    let role = parse_role(&form.role)?;
    members::change_role(&app, By::User(&studio.user), studio.account.id, member_id, role).await?;
    Ok(redirect_with_flash(&studio.path("/members"), "flash-member-changed"))
}

/// `POST /studio/@{handle}/members/{member}/remove`
pub async fn remove_member(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path((_, member_id)): Path<(String, i64)>,
) -> Result<Response, Error> {
    members::remove(&app, By::User(&studio.user), studio.account.id, member_id).await?;
    Ok(redirect_with_flash(&studio.path("/members"), "flash-member-removed"))
}
