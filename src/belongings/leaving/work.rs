//! Jobs that name somebody who leaves.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::app::App;
use crate::db::entities::job;
use crate::db::entities::user;
use crate::jobs::Job;

/// Jobs that are looked at together.
const BATCH: u64 = 500;

/// Articles that they scheduled are published in nobody's name, a link that they asked for is not sent, and errors that
/// name their address are forgotten.
pub async fn clean(app: &App, user: &user::Model) -> Result<(), DbErr> {
    for kind in [Job::PublishArticle { article_id: 0, user_id: 0 }, Job::SendLeavingLink { user_id: 0 }] {
        let kind: &'static str = (&kind).into();
        let mut after = 0;
        loop {
            let jobs = after_id(after).filter(job::COLUMN.kind.eq(kind)).all(app.db.read()).await?;
            let Some(last) = jobs.last() else { break };
            after = last.id;
            for row in jobs {
                rid(app, row, user.id).await?;
            }
        }
    }
    forget_errors(app, &user.email).await
}

fn after_id(id: i64) -> sea_orm::Select<job::Entity> {
    job::Entity::find().filter(job::COLUMN.id.gt(id)).order_by_asc(job::COLUMN.id).limit(BATCH)
}

/// Rids a job of a user.
async fn rid(app: &App, row: job::Model, who: i64) -> Result<(), DbErr> {
    match serde_json::from_value(row.payload) {
        Ok(Job::PublishArticle { article_id, user_id }) if user_id == who => {
            let job = Job::PublishArticle { article_id, user_id: 0 };
            let payload = serde_json::to_value(job).unwrap_or_default();
            job::Entity::update_many()
                .col_expr(job::Column::Payload, Expr::value(payload))
                .filter(job::COLUMN.id.eq(row.id))
                .exec(app.db.write())
                .await?;
        }
        Ok(Job::SendLeavingLink { user_id }) if user_id == who => {
            job::Entity::delete_by_id(row.id).exec(app.db.write()).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Few jobs have failed, so all of these are looked through.
async fn forget_errors(app: &App, email: &str) -> Result<(), DbErr> {
    let mut after = 0;
    loop {
        let failed: Vec<(i64, String)> = after_id(after)
            .filter(Expr::col(job::Column::LastError).is_not_null())
            .select_only()
            .columns([job::Column::Id, job::Column::LastError])
            .into_tuple()
            .all(app.db.read())
            .await?;
        let Some((last, _)) = failed.last() else { return Ok(()) };
        after = *last;
        for (id, _) in failed.iter().filter(|(_, error)| names(error, email)) {
            job::Entity::update_many()
                .col_expr(job::Column::LastError, Expr::value(None::<String>))
                .filter(job::COLUMN.id.eq(*id))
                .exec(app.db.write())
                .await?;
        }
    }
}

/// Whether words name an address, and not a longer one that merely contains it.
fn names(words: &str, email: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    words.match_indices(email).any(|(at, _)| {
        let begins = !words[..at].ends_with(is_part);
        let mut rest = words[at + email.len()..].chars();
        let ends = match rest.next() {
            Some('.') => !rest.next().is_some_and(|c| c.is_ascii_alphanumeric()),
            Some(c) => !c.is_ascii_alphanumeric() && c != '-',
            None => true,
        };
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_not_found_inside_a_longer_one() {
        for words in [
            "550 <Li@qq.com>: unknown",
            "li@qq.com",
            "收件人li@qq.com不存在",
            "to='li@qq.com'",
            "no li@qq.com.",
        ] {
            assert!(names(words, "li@qq.com"), "{words}");
        }
        for words in
            ["wangli@qq.com", "wang.li@qq.com", "li@qq.com.tw", "li@qq.community", "li@qq.com-x.org", ""]
        {
            assert!(!names(words, "li@qq.com"), "{words}");
        }
    }
}
