//! `/style`: every part of the site's pages in all its states, made by the same macros as the pages themselves. For
//! whoever changes the stylesheet; search engines are kept away.

use askama::Template;
use axum::response::{IntoResponse, Response};

use super::queries::{AccountCard, ArticleCard};
use crate::clock::Timestamp;
use crate::collections::queries::Listed;
use crate::db::entities::account::{self, AccountState, Links};
use crate::error::{Error, Problems};
use crate::page::{Page, View};
use crate::subscriptions::queries::Standing;
use crate::text::diff::{self, Piece};

/// A title that no editor should write, and some do.
const LONG: &str = "本报记者走访唐人街三十七家餐馆、十二所周末中文学校与四座社区图书馆以后写下的一个非常非常长的标题：它必须能够换行，\
    也不能把旁边的东西挤出去，哪怕里面还有 Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft 这样的词";

#[derive(Template)]
#[template(path = "home/style.html")]
struct StylePage {
    page: Page,
    articles: Vec<(&'static str, ArticleCard)>,
    people: Vec<AccountCard>,
    shelf: Vec<Listed>,
    account: account::Model,
    standing: Standing,
    changed: Vec<Piece>,
    moment: Timestamp,
    long: &'static str,
}

/// `GET /style`
pub async fn show_style(page: Page) -> Result<Response, Error> {
    let mut page = page.titled_key("style-title");
    page.noindex = true;
    Ok(View(StylePage {
        page,
        articles: articles(),
        people: vec![
            person("daily", "海外日报", "纽约、多伦多与温哥华的华人新闻。", true),
            person("a-very-long-handle-of-thirty-x", LONG, LONG, false),
        ],
        shelf: vec![
            listed("连载：海外纪事", 12),
            listed("一个标题长得要折成三行还放不下于是只好被截断的合集", 1),
            listed("空的", 0),
        ],
        account: account(),
        standing: Standing::default(),
        changed: diff::lines(
            "会议在周三开幕，共有三百人参加，其中二十人来自海外。",
            "会议在周四开幕，共有三百人参加，其中三十人来自海外和港澳。",
        ),
        moment: MOMENT,
        long: LONG,
    })
    .into_response())
}

/// When all that is shown happened.
const MOMENT: Timestamp = Timestamp(1_769_875_200_000);

fn articles() -> Vec<(&'static str, ArticleCard)> {
    let digest = "气象台说，台风今晚在沿海登陆，渔船已经全部回港，学校停课一天。";
    vec![
        ("", ArticleCard::sample("台风今晚登陆，渔船回港", digest, None)),
        ("unread", ArticleCard::sample("没有读过的一篇", digest, Some("/static/seal.svg"))),
        ("read", ArticleCard::sample("已经读过的一篇", "", None)),
        ("", ArticleCard::sample(LONG, LONG, Some("/static/seal.svg"))),
    ]
}

fn person(handle: &str, name: &str, bio: &str, verified: bool) -> AccountCard {
    AccountCard {
        handle: handle.to_owned(),
        name: name.to_owned(),
        bio: bio.to_owned(),
        lang: "zh-Hans".into(),
        avatar_url: None,
        verified_at: verified.then_some(MOMENT),
    }
}

fn listed(title: &str, count: i64) -> Listed {
    Listed { id: 0, slug: "x".into(), title: title.to_owned(), intro: String::new(), count }
}

fn account() -> account::Model {
    account::Model {
        id: 0,
        handle: "daily".into(),
        name: "海外日报".into(),
        bio: String::new(),
        avatar_url: None,
        lang: "zh-Hans".into(),
        links: Links::default(),
        region: None,
        topic: None,
        verified_at: Some(MOMENT),
        state: AccountState::Active,
        created_at: MOMENT,
    }
}

impl StylePage {
    /// A form that was refused.
    fn problem(&self) -> String {
        let mut problems = Problems::default();
        problems.add("title", "article-title-missing");
        self.page.problem(&problems, "title")
    }
}
