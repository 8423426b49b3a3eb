//! Providers: who keeps the mailboxes, and how one that asks us to come back later is left alone, while
//! all others go on.

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, Func, JoinType, OnConflict, SelectStatement};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
};

use crate::clock::Timestamp;
use crate::db::entities::delivery::Provider;
use crate::db::entities::{mail_domain, provider_pause};
use crate::mail::is_too_much;

/// After the first refusal; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Joins the table of domains by the domain of an address in SQL; [`of_row`] is then its provider.
pub fn join_domains(select: &mut SelectStatement, backend: DbBackend, email: Expr) {
    let at = || Expr::val("@");
    let domain: Expr = match backend {
        DbBackend::Sqlite => {
            let place = Func::cust("instr").args([email.clone(), at()]);
            Func::cust("substr").args([email, Expr::from(place).add(1)]).into()
        }
        _ => Func::cust("split_part").args([email, at(), Expr::val(2)]).into(),
    };
    let is_its = Expr::col((mail_domain::Entity, mail_domain::Column::Domain)).eq(domain);
    select.join(JoinType::LeftJoin, mail_domain::Entity, is_its);
}

/// The provider of a row of [`join_domains`].
pub fn of_row() -> Expr {
    let known = Expr::col((mail_domain::Entity, mail_domain::Column::Provider));
    Func::coalesce([known, Expr::val(Provider::Other)]).into()
}

/// Whether a temporary answer is about the provider as a whole, and not about one mailbox of it. The
/// many servers behind [`Provider::Other`] have nothing to do with each other.
pub fn is_refusal(provider: Provider, answer: &str) -> bool {
    let mut words = answer.split([' ', '-']);
    let code = words.next().unwrap_or_default();
    let enhanced = words.next().unwrap_or_default();
    if provider == Provider::Other || code.len() != 3 {
        return false;
    }
    if is_too_much(answer) {
        return true;
    }
    code.starts_with('4')
        && code != "452"
        // 4.2: this mailbox, full or disabled for a while.
        && !enhanced.starts_with("4.2.")
}

/// Those that are to be left alone at `now`, and until when.
pub async fn paused<C: ConnectionTrait>(db: &C, now: Timestamp) -> Result<Vec<(Provider, Timestamp)>, DbErr> {
    Ok(pauses(db, now).await?.into_iter().map(|row| (row.provider, row.until)).collect())
}

/// The same with what they said.
pub async fn pauses<C: ConnectionTrait>(db: &C, now: Timestamp) -> Result<Vec<provider_pause::Model>, DbErr> {
    provider_pause::Entity::find().filter(provider_pause::COLUMN.until.gt(now)).all(db).await
}

/// Leaves a provider alone for a while. Refusals within a pause are of messages that were under way
/// when it began, and make it no longer.
pub async fn pause(
    tx: &DatabaseTransaction,
    provider: Provider,
    answer: &str,
    now: Timestamp,
) -> Result<(), DbErr> {
    let known =
        provider_pause::Entity::find().filter(provider_pause::COLUMN.provider.eq(provider)).one(tx).await?;
    if known.as_ref().is_some_and(|row| row.until > now) {
        return Ok(());
    }
    let refusals = known.map_or(1, |row| row.refusals.saturating_add(1));
    let pause = FIRST_PAUSE.saturating_mul(1 << (refusals - 1).clamp(0, 10)).min(LONGEST_PAUSE);
    let row = provider_pause::ActiveModel {
        id: NotSet,
        provider: Set(provider),
        until: Set(now + pause),
        refusals: Set(refusals),
        answer: Set(answer.to_owned()),
    };
    let columns =
        [provider_pause::Column::Until, provider_pause::Column::Refusals, provider_pause::Column::Answer];
    provider_pause::Entity::insert(row)
        .on_conflict(OnConflict::column(provider_pause::Column::Provider).update_columns(columns).to_owned())
        .exec_without_returning(tx)
        .await?;
    tracing::info!(%provider, refusals, "left alone for {} s: {answer}", pause.as_secs());
    Ok(())
}

/// Providers that took a message after their pause start anew.
pub async fn forgive(tx: &DatabaseTransaction, took: &[Provider], now: Timestamp) -> Result<(), DbErr> {
    for row in provider_pause::Entity::find().all(tx).await? {
        if row.until <= now && took.contains(&row.provider) {
            provider_pause::Entity::delete_by_id(row.id).exec(tx).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Provider::Gmail, "421 4.7.28 Our system has detected an unusual rate", true)]
    #[case(Provider::Qq, "550 Domain frequency limited. http://service.mail.qq.com/cgi-bin/help", true)]
    #[case(Provider::Qq, "550 Mailbox unavailable or access denied", false)]
    #[case(Provider::Qq, "450 4.7.1 Mail content or frequency limited", true)]
    #[case(Provider::Netease, "451 DT:SPM please try again later", true)]
    #[case(Provider::Outlook, "452 4.2.2 mailbox full", false)]
    #[case(Provider::Gmail, "450 4.2.1 The user is receiving mail too quickly", false)]
    #[case(Provider::Other, "451 4.7.1 Greylisted", false)]
    #[case(Provider::Gmail, "no answer within 60 s", false)]
    #[case(Provider::Gmail, "550 5.7.1 refused", false)]
    fn a_provider_is_left_alone_for_what_it_says_of_itself(
        #[case] provider: Provider,
        #[case] answer: &str,
        #[case] refused: bool,
    ) {
        assert_eq!(is_refusal(provider, answer), refused);
    }
}
