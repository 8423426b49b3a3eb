//! Caps: the most messages within any stretch of time, of all mail or of one provider's, by one mail server
//! or by all; exact, kept in the database, so they hold over restarts and for all nodes together.
//!
//! A message counts from its claim on. Once its sender has written back what came of it, it counts for
//! the cap's time from then, which is later than when it really went out; if the sender dies, for that
//! time from the end of its lease. So whatever window one looks through on the wire, each place of the
//! cap was used at most once in it. The price is that a place stays taken a little too long.

use std::str::FromStr;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, Func, OnConflict, Query};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter,
};

use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::db::entities::delivery::Provider;
use crate::db::entities::mail_reservation::{self, Column};
use crate::delivery::ledger::LEASE;
use crate::delivery::ramp::Ramp;

/// The most messages, to one provider or to all, within any stretch of a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// None for all of them.
    pub provider: Option<Provider>,
    pub most: Most,
    pub span: Duration,
    /// The mail server whose messages it counts, by its place; none for those of all.
    pub server: Option<usize>,
    /// The server's name, by which the database remembers it; empty for all.
    name: String,
}

/// How many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Most {
    Always(u32),
    /// As many as the day allows.
    Ramp(Ramp),
}

/// Every cap of an instance: `gmail=500/1h, qq=20/1m, all=50000/1d`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caps(pub Vec<Cap>);

impl FromStr for Caps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(read_cap).collect::<Result<_, _>>().map(Self)
    }
}

fn read_cap(text: &str) -> Result<Cap, String> {
    let wrong = || format!("`{text}` is not like gmail=500/1h");
    let (who, rate) = text.split_once('=').ok_or_else(wrong)?;
    let (most, span) = rate.split_once('/').ok_or_else(wrong)?;
    let provider = match who.trim() {
        "all" => None,
        "163" => Some(Provider::Netease),
        name => {
            Some(name.parse().ok().filter(|provider: &Provider| provider.is_mail()).ok_or_else(|| {
                format!("`{name}` is none of all, gmail, outlook, qq, netease, yahoo, other")
            })?)
        }
    };
    let most = most.trim().parse().ok().filter(|most| *most > 0).ok_or_else(wrong)?;
    let span = span.trim();
    let (number, unit) = span.split_at(span.len() - span.chars().last().map_or(0, char::len_utf8));
    let number: u64 = if number.is_empty() { 1 } else { number.parse().map_err(|_| wrong())? };
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let seconds = number.checked_mul(unit).filter(|span| (1..=31 * 24 * 60 * 60).contains(span));
    let span = Duration::from_secs(seconds.ok_or_else(wrong)?);
    Ok(Cap { provider, most: Most::Always(most), span, server: None, name: String::new() })
}

/// Messages that were claimed together and go the same way.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// Of the claim.
    pub holder: &'a str,
    pub provider: Provider,
    /// The mail server's place.
    pub server: usize,
}

impl Cap {
    /// How its messages are marked in the database.
    fn scope(&self) -> String {
        let who = self.provider.map_or("all", Into::into);
        let span = self.span.as_secs();
        match (self.name.as_str(), &self.most) {
            ("", Most::Always(_)) => format!("{who}/{span}"),
            (name, Most::Always(_)) => format!("{name}:{who}/{span}"),
            (name, Most::Ramp(_)) => format!("{name}:warm-up/{span}"),
        }
    }

    /// How many places it has at a moment.
    fn places(&self, now: Timestamp) -> i64 {
        match &self.most {
            Most::Always(most) => i64::from(*most),
            Most::Ramp(ramp) => ramp.most(now).map_or(i64::MAX, i64::from),
        }
    }

    /// When messages sent by `now` stop counting: after its time, and up to a thousandth of it more, so
    /// that a thousand rows are enough to remember them by.
    fn end_after(&self, now: Timestamp) -> Timestamp {
        let span = i64::try_from(self.span.as_millis()).unwrap_or(i64::MAX);
        let step = std::cmp::max(span / 1_000, 1);
        Timestamp((now.0.saturating_add(span) / step + 1) * step)
    }

    fn concerns(&self, provider: Provider, server: usize) -> bool {
        self.provider.is_none_or(|own| own == provider) && self.server.is_none_or(|own| own == server)
    }
}

impl Caps {
    /// All of the settings: those of all mail, those of each server, and those that grow while they warm up.
    ///
    /// # Errors
    /// Words for those who wrote them.
    pub fn of(config: &Config) -> Result<Self, String> {
        let mut caps: Self = config.mail_caps.parse()?;
        caps.0.extend(warm_up(&config.mail_warm_up)?);
        for (place, server) in config.mail_servers.0.iter().enumerate() {
            let Self(own) = server.caps.parse()?;
            for cap in own.into_iter().chain(warm_up(&server.warm_up)?) {
                caps.0.push(Cap { server: Some(place), name: server.name.clone(), ..cap });
            }
        }
        Ok(caps)
    }

    /// Lets one node at a time look how much room there is, until it commits. The number only has to
    /// be ours.
    pub async fn lock(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        if !self.0.is_empty() && tx.get_database_backend() == DbBackend::Postgres {
            tx.execute_unprepared("SELECT pg_advisory_xact_lock(7403)").await?;
        }
        Ok(())
    }

    /// How many messages each cap has room for now, in the order of the caps.
    pub async fn room(&self, tx: &DatabaseTransaction, now: Timestamp) -> Result<Room<'_>, DbErr> {
        let mut left = Vec::new();
        if !self.0.is_empty() {
            mail_reservation::Entity::delete_many()
                .filter(mail_reservation::COLUMN.until.lte(now))
                .exec(tx)
                .await?;
            mail_reservation::Entity::delete_many()
                .filter(mail_reservation::COLUMN.count.lte(0))
                .exec(tx)
                .await?;
        }
        for cap in &self.0 {
            left.push(cap.places(now).saturating_sub(used(tx, &cap.scope()).await?));
        }
        Ok(Room { caps: self, left, now })
    }

    /// Messages of a claim that have been handed over: from now on they count for the caps' time.
    pub async fn sent(
        &self,
        tx: &DatabaseTransaction,
        whose: Whose<'_>,
        count: i64,
        now: Timestamp,
    ) -> Result<(), DbErr> {
        self.give_back(tx, whose, count).await?;
        self.count(tx, (whose.provider, whose.server), count, now).await
    }

    /// Messages to a provider by a server that hold no places, or none any more: they count for the caps' time from
    /// `now` on, whether there is room or not.
    pub async fn count(
        &self,
        tx: &DatabaseTransaction,
        (provider, server): (Provider, usize),
        count: i64,
        now: Timestamp,
    ) -> Result<(), DbErr> {
        for cap in self.0.iter().filter(|cap| cap.concerns(provider, server)) {
            reserve(tx, cap, "", count, cap.end_after(now)).await?;
        }
        Ok(())
    }

    /// Messages of a claim that will not be handed over.
    pub async fn give_back(
        &self,
        tx: &DatabaseTransaction,
        Whose { holder, provider, server }: Whose<'_>,
        count: i64,
    ) -> Result<(), DbErr> {
        for cap in self.0.iter().filter(|cap| cap.concerns(provider, server)) {
            mail_reservation::Entity::update_many()
                .col_expr(Column::Count, Expr::col(Column::Count).sub(count))
                .filter(mail_reservation::COLUMN.scope.eq(cap.scope()))
                .filter(mail_reservation::COLUMN.holder.eq(holder))
                .exec(tx)
                .await?;
        }
        Ok(())
    }
}

/// The cap of a domain or server that is being warmed up.
fn warm_up(text: &str) -> Result<Option<Cap>, String> {
    let ramp = Ramp::parse(text)?;
    let span = Duration::from_secs(24 * 60 * 60);
    let cap = |ramp| Cap { provider: None, most: Most::Ramp(ramp), span, server: None, name: String::new() };
    Ok(ramp.map(cap))
}

/// What a node may still claim.
#[derive(Debug)]
pub struct Room<'a> {
    caps: &'a Caps,
    left: Vec<i64>,
    now: Timestamp,
}

impl Room<'_> {
    /// How many messages to a provider by these servers, if nothing else is claimed.
    pub fn of(&self, provider: Provider, servers: &[usize]) -> u64 {
        if self.caps.0.is_empty() {
            return if servers.is_empty() { 0 } else { u64::MAX };
        }
        let own = servers.iter().map(|server| self.free(provider, *server, |cap| cap.server.is_some()));
        let all = self.free(provider, 0, |cap| cap.server.is_none());
        std::cmp::min(all, own.fold(0, u64::saturating_add))
    }

    /// What caps of a kind leave to a provider and a server.
    fn free(&self, provider: Provider, server: usize, is_asked: impl Fn(&Cap) -> bool) -> u64 {
        let caps = self.caps.0.iter().zip(&self.left);
        let caps = caps.filter(|(cap, _)| is_asked(cap) && cap.concerns(provider, server));
        caps.map(|(_, left)| u64::try_from(*left).unwrap_or(0)).min().unwrap_or(u64::MAX)
    }

    /// Shares claimed messages, no more than there is room for, out to these servers, and takes their
    /// places. Returns the server of each.
    pub async fn take(
        &mut self,
        tx: &DatabaseTransaction,
        app: &App,
        holder: &str,
        provider: Provider,
        count: usize,
        servers: &[usize],
    ) -> Result<Vec<usize>, DbErr> {
        let mut chosen = Vec::with_capacity(count);
        while chosen.len() < count {
            let may = |server| servers.contains(&server) && self.free(provider, server, |_| true) > 0;
            // There is room for all; which server is of no matter if there were none.
            let server = app.mailer.next_relay(may).unwrap_or_default();
            for (_, left) in
                self.caps.0.iter().zip(&mut self.left).filter(|(cap, _)| cap.concerns(provider, server))
            {
                *left -= 1;
            }
            chosen.push(server);
        }
        for cap in &self.caps.0 {
            let count = chosen.iter().filter(|server| cap.concerns(provider, **server)).count() as i64;
            if count > 0 {
                reserve(tx, cap, holder, count, self.now + LEASE + cap.span).await?;
            }
        }
        Ok(chosen)
    }
}

/// Keeps what the claims of an owner hold for as long as their leases now last. Holders are named after
/// their owner.
pub async fn renew<C: ConnectionTrait>(db: &C, owner: &str, now: Timestamp) -> Result<(), DbErr> {
    let end = now + LEASE;
    mail_reservation::Entity::update_many()
        .col_expr(Column::Until, Expr::col(Column::Span).add(end.0))
        .filter(mail_reservation::COLUMN.holder.starts_with(format!("{owner}/")))
        .exec(db)
        .await?;
    Ok(())
}

/// When the next place may become free, if some are taken.
pub async fn next_free<C: ConnectionTrait>(db: &C) -> Result<Option<Timestamp>, DbErr> {
    use sea_orm::{QueryOrder, QuerySelect};
    mail_reservation::Entity::find()
        .select_only()
        .column(Column::Until)
        .order_by_asc(Column::Until)
        .limit(1)
        .into_tuple::<Timestamp>()
        .one(db)
        .await
}

async fn used(tx: &DatabaseTransaction, scope: &str) -> Result<i64, DbErr> {
    #[derive(FromQueryResult)]
    struct Sum {
        used: Option<i64>,
    }
    let query = Query::select()
        .expr_as(Func::sum(Expr::col(Column::Count)).cast_as("bigint"), "used")
        .from(mail_reservation::Entity)
        .and_where(Expr::col(Column::Scope).eq(scope))
        .take();
    let sum = Sum::find_by_statement(tx.get_database_backend().build(&query)).one(tx).await?;
    Ok(sum.and_then(|sum| sum.used).unwrap_or(0))
}

async fn reserve(
    tx: &DatabaseTransaction,
    cap: &Cap,
    holder: &str,
    count: i64,
    until: Timestamp,
) -> Result<(), DbErr> {
    let row = mail_reservation::ActiveModel {
        id: NotSet,
        scope: Set(cap.scope()),
        holder: Set(holder.to_owned()),
        span: Set(i64::try_from(cap.span.as_millis()).unwrap_or(i64::MAX)),
        count: Set(count),
        until: Set(until),
    };
    let sum =
        Expr::col((mail_reservation::Entity, Column::Count)).add(Expr::col(("excluded", Column::Count)));
    let known = OnConflict::columns([Column::Scope, Column::Holder, Column::Until])
        .value(Column::Count, sum)
        .to_owned();
    mail_reservation::Entity::insert(row).on_conflict(known).exec_without_returning(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_are_read_as_people_write_them() {
        let caps: Caps = " gmail=500/1h, 163=20/m ,all=50000/1d,".parse().unwrap();
        let read: Vec<_> = caps.0.iter().map(|cap| (cap.scope(), cap.places(Timestamp(0)))).collect();
        let expected = [("gmail/3600", 500), ("netease/60", 20), ("all/86400", 50_000)];
        assert_eq!(read, expected.map(|(scope, most)| (scope.to_owned(), most)));
        assert_eq!("".parse::<Caps>().unwrap(), Caps::default());
        for wrong in [
            "gmail",
            "gmail=5",
            "gmail=0/1h",
            "gmail=5/1w",
            "gmail=5/0s",
            "hotmale=5/1h",
            "qq=5/ü",
            "qq=5/99d",
            "qq=5/",
        ] {
            assert!(wrong.parse::<Caps>().is_err(), "{wrong}");
        }
    }
}
