//! The editor: a form that works alone, and that `static/editor.js` makes live.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;
use serde_json::json;

use super::{ArticlePath, actor, article_path, state_key};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::articles::{self, ArticleForm, Note, queries};
use crate::auth;
use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState};
use crate::error::{Error, Problems};
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::pushes::queries as pushes;
use crate::studio::{Studio, Tab};

/// What the editor's form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EditorForm {
    title: String,
    digest: String,
    author: String,
    body_format: String,
    body: String,
    cover_url: String,
    tags: String,
    lang: String,
    original_url: String,
    slug: String,
    /// The version of the article that was edited.
    version: i32,
    /// Of a new article: makes two submits of one form one draft.
    key: String,
    /// Why it was changed.
    note: String,
    /// Ticked where readers are to find the note with the article.
    show_note: String,
    /// Ticked where readers are to be told what the note says.
    #[serde(default)]
    correct: String,
    /// Where to go on: `publish`, or back to the editor.
    then: String,
}

impl EditorForm {
    pub(super) fn article(&self) -> ArticleForm {
        let form = self.clone();
        ArticleForm {
            title: form.title,
            digest: form.digest,
            author: form.author,
            body_format: form.body_format,
            // Browsers send line ends as CR LF.
            body: form.body.replace("\r\n", "\n"),
            cover_url: form.cover_url,
            tags: form.tags,
            lang: form.lang,
            original_url: form.original_url,
            slug: form.slug,
        }
    }
}

/// Unsaved work that the editor offers to bring back.
struct Unsaved {
    saved_at: Timestamp,
    by: String,
    /// The article has been saved since by somebody else.
    is_behind: bool,
}

#[derive(Template)]
#[template(path = "articles/editor.html")]
struct EditorPage {
    page: Page,
    studio: Studio,
    article: Option<article::Model>,
    form: ArticleForm,
    problems: Problems,
    version: i32,
    key: String,
    note: String,
    unsaved: Option<Unsaved>,
    restored: bool,
    preview: String,
    revisions: u64,
    /// Published, not pushed yet, and this member may push it.
    pushable: bool,
}

impl EditorPage {
    fn new(page: Page, studio: Studio, form: ArticleForm) -> Self {
        Self {
            page,
            studio: studio.at(Tab::Articles),
            article: None,
            form,
            problems: Problems::default(),
            version: 0,
            key: String::new(),
            note: String::new(),
            unsaved: None,
            restored: false,
            preview: String::new(),
            revisions: 0,
            pushable: false,
        }
    }

    fn error(&self, field: &str) -> String {
        self.page.problem(&self.problems, field)
    }

    fn action(&self) -> String {
        match &self.article {
            Some(article) => article_path(&self.studio, article.id, ""),
            None => self.studio.path("/articles"),
        }
    }

    fn url(&self, rest: &str) -> String {
        self.article.as_ref().map(|article| article_path(&self.studio, article.id, rest)).unwrap_or_default()
    }

    fn push_query(&self) -> String {
        self.article.as_ref().map(|article| format!("?article={}", article.id)).unwrap_or_default()
    }

    fn state(&self) -> ArticleState {
        self.article.as_ref().map_or(ArticleState::Draft, |article| article.state)
    }

    fn state_name(&self) -> String {
        self.page.t(state_key(self.state()))
    }

    fn is(&self, state: &str) -> bool {
        self.state().to_string() == state
    }

    fn can_edit(&self) -> bool {
        match &self.article {
            Some(article) => articles::may_edit(self.studio.role, self.studio.user.id, article),
            None => self.studio.allows(Operation::WriteOwnDraft),
        }
    }

    fn can_publish(&self) -> bool {
        self.studio.allows(Operation::Publish)
    }

    fn was_public(&self) -> bool {
        self.article.as_ref().is_some_and(|article| article.published_at.is_some())
    }

    /// The languages offered; an article in another keeps it.
    fn languages(&self) -> Vec<(String, String)> {
        let mut languages = vec![
            ("zh-Hans".to_owned(), "简体中文".to_owned()),
            ("zh-Hant".to_owned(), "繁體中文".to_owned()),
            ("en".to_owned(), "English".to_owned()),
        ];
        if !languages.iter().any(|(code, _)| *code == self.form.lang) {
            languages.push((self.form.lang.clone(), self.form.lang.clone()));
        }
        languages
    }
}

/// `GET /studio/@{handle}/articles/new`
pub async fn new_article(page: Page, studio: Studio) -> Result<Response, Error> {
    if !studio.allows(Operation::WriteOwnDraft) {
        return Err(Error::forbidden());
    }
    let form = ArticleForm {
        author: studio.user.name.clone(),
        lang: studio.account.lang.clone(),
        body_format: "markdown".into(),
        ..ArticleForm::default()
    };
    let mut editor = EditorPage::new(page.titled_key("article-new"), studio, form);
    editor.key = auth::token::new();
    Ok(View(editor).into_response())
}

/// `POST /studio/@{handle}/articles`
pub async fn create_article(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    headers: HeaderMap,
    Form(sent): Form<EditorForm>,
) -> Result<Response, Error> {
    let wants_json = accepts_json(&headers);
    let form = sent.article();
    let key = Some(sent.key.as_str()).filter(|key| (1..=100).contains(&key.len()));
    let created = match form.clone().parse().await {
        Ok(content) => articles::create(&app, actor(&studio), content, key).await,
        Err(error) => Err(error),
    };
    match created {
        Ok(article) if wants_json => {
            let edit = article_path(&studio, article.id, "");
            let note = page.t1("article-draft-saved-at", "time", page.time(&article.updated_at));
            Ok(Json(json!({ "edit": edit, "version": article.version, "note": note })).into_response())
        }
        Ok(article) => Ok(after_saving(&studio, &article, &sent.then)),
        Err(Error::Invalid(problems)) if !wants_json => {
            let mut editor = EditorPage::new(page.titled_key("article-new"), studio, form);
            editor.key = sent.key;
            editor.problems = problems;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(editor)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// `?restore=1`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Restore {
    restore: String,
}

/// `GET /studio/@{handle}/articles/{id}`
pub async fn edit_article(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<ArticlePath>,
    Query(restore): Query<Restore>,
) -> Result<Response, Error> {
    let db = app.db.read();
    let article = queries::of_account(db, studio.account.id, path.id).await?;
    let revisions = queries::count_revisions(db, article.id).await?;
    let unsaved = queries::unsaved(db, article.id).await?;
    let mut editor = EditorPage::new(page.titled_key("article-edit"), studio, ArticleForm::of(&article));
    editor.preview = article.body_html.clone();
    editor.version = article.version;
    editor.revisions = revisions;
    editor.pushable = article.state == ArticleState::Published
        && editor.studio.may_push()
        && !pushes::is_pushed(db, article.id).await?;
    if let Some((row, by)) =
        unsaved.filter(|_| articles::may_edit(editor.studio.role, editor.studio.user.id, &article))
    {
        if restore.restore == "1" {
            editor.form = serde_json::from_value(row.fields).map_err(anyhow::Error::from)?;
            editor.version = row.version;
            editor.restored = true;
            if let Ok(content) = editor.form.clone().parse().await {
                editor.preview = content.body_html;
            }
        } else {
            editor.unsaved =
                Some(Unsaved { saved_at: row.saved_at, by, is_behind: row.version != article.version });
        }
    }
    editor.article = Some(article);
    Ok(View(editor).into_response())
}

/// `POST /studio/@{handle}/articles/{id}`
pub async fn save_article(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<ArticlePath>,
    Form(sent): Form<EditorForm>,
) -> Result<Response, Error> {
    let form = sent.article();
    let saved = match form.clone().parse().await {
        Ok(content) => {
            let note = Note {
                words: sent.note.trim(),
                show: !sent.show_note.is_empty(),
                tell: !sent.correct.is_empty(),
            };
            articles::save(&app, actor(&studio), path.id, sent.version, content, note).await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(article) => Ok(after_saving(&studio, &article, &sent.then)),
        Err(Error::Conflict(message)) if message.key == "article-conflict" => {
            let theirs = queries::of_account(app.db.read(), studio.account.id, path.id).await?;
            Ok(show_conflict(page, studio, form, theirs))
        }
        Err(Error::Invalid(problems)) => {
            let article = queries::of_account(app.db.read(), studio.account.id, path.id).await?;
            let mut editor = EditorPage::new(page.titled_key("article-edit"), studio, form);
            editor.preview = article.body_html.clone();
            editor.version = sent.version;
            editor.note = sent.note;
            editor.article = Some(article);
            editor.problems = problems;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(editor)).into_response())
        }
        Err(error) => Err(error),
    }
}

fn after_saving(studio: &Studio, article: &article::Model, then: &str) -> Response {
    match (then, article.state) {
        ("publish", ArticleState::Draft | ArticleState::Scheduled) => {
            axum::response::Redirect::to(&article_path(studio, article.id, "/publish")).into_response()
        }
        (_, ArticleState::Published) => {
            redirect_with_flash(&article_path(studio, article.id, ""), "flash-article-revised")
        }
        _ => redirect_with_flash(&article_path(studio, article.id, ""), "flash-article-saved"),
    }
}

#[derive(Template)]
#[template(path = "articles/conflict.html")]
struct ConflictPage {
    page: Page,
    studio: Studio,
    mine: ArticleForm,
    theirs: ArticleForm,
    article: article::Model,
}

impl ConflictPage {
    fn url(&self) -> String {
        article_path(&self.studio, self.article.id, "")
    }
}

/// Two people saved: the second is shown both texts and decides.
fn show_conflict(page: Page, studio: Studio, mine: ArticleForm, article: article::Model) -> Response {
    let theirs = ArticleForm::of(&article);
    let page = page.titled_key("article-conflict-title");
    let view = View(ConflictPage { page, studio: studio.at(Tab::Articles), mine, theirs, article });
    (StatusCode::CONFLICT, view).into_response()
}

/// `POST /studio/@{handle}/articles/{id}/autosave`
pub async fn autosave_article(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<ArticlePath>,
    Form(sent): Form<EditorForm>,
) -> Result<Response, Error> {
    let saved_at = articles::autosave(&app, actor(&studio), path.id, sent.version, &sent.article()).await?;
    let note = page.t1("article-autosaved-at", "time", page.time(&saved_at));
    Ok(Json(json!({ "note": note })).into_response())
}

/// `POST /studio/@{handle}/articles/{id}/discard`
pub async fn discard_autosave(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<ArticlePath>,
) -> Result<Response, Error> {
    articles::discard_autosave(&app, actor(&studio), path.id).await?;
    Ok(redirect_with_flash(&article_path(&studio, path.id, ""), "flash-article-discarded"))
}

pub(super) fn accepts_json(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}
