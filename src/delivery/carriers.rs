//! Which mail servers carry which pushes: those of an account with servers of its own go by these alone,
//! everything else by the servers that are nobody's.

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect,
    RelationDef,
};

use crate::app::App;
use crate::db::entities::push::{self, PushState};
use crate::db::entities::{account, account_handle};

/// Some of the deliveries, by what they are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushes {
    /// Those of these pushes.
    Only(Vec<i64>),
    /// All but those of these pushes.
    But(Vec<i64>),
}

impl Pushes {
    pub const ALL: Self = Self::But(Vec::new());
}

/// What some of the servers carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Their places.
    pub servers: Vec<usize>,
    pub pushes: Pushes,
}

/// Shares the deliveries out to the servers that are `awake`; those of pushes that are `stopped` go to none.
pub async fn shares<C: ConnectionTrait>(
    app: &App,
    db: &C,
    awake: &[usize],
    stopped: Vec<i64>,
) -> Result<Vec<Share>, DbErr> {
    let relays = app.mailer.relays();
    let shared: Vec<usize> =
        awake.iter().copied().filter(|place| relays[*place].accounts.is_empty()).collect();
    if relays.iter().all(|relay| relay.accounts.is_empty()) {
        return Ok(vec![Share { servers: shared, pushes: Pushes::But(stopped) }]);
    }
    let own_pushes = own_pushes(app, db).await?;
    let mut elsewhere = stopped.clone();
    let mut own: BTreeMap<Vec<usize>, Vec<i64>> = BTreeMap::new();
    for (push_id, handles) in own_pushes {
        elsewhere.push(push_id);
        let is_its = |place: &usize| relays[*place].accounts.iter().any(|handle| handles.contains(handle));
        let servers: Vec<usize> = awake.iter().copied().filter(is_its).collect();
        if !servers.is_empty() && !stopped.contains(&push_id) {
            own.entry(servers).or_default().push(push_id);
        }
    }
    let own = own.into_iter().map(|(servers, ids)| Share { servers, pushes: Pushes::Only(ids) });
    Ok(own.chain([Share { servers: shared, pushes: Pushes::But(elsewhere) }]).collect())
}

/// The places of the servers that carry a push under way.
pub async fn of_push<C: ConnectionTrait>(app: &App, db: &C, push_id: i64) -> Result<Vec<usize>, DbErr> {
    let relays = app.mailer.relays();
    let any_own = relays.iter().any(|relay| !relay.accounts.is_empty());
    let handles = if any_own { own_pushes(app, db).await?.remove(&push_id) } else { None };
    let carries = |place: &usize| match &handles {
        Some(handles) => relays[*place].accounts.iter().any(|handle| handles.contains(handle)),
        None => relays[*place].accounts.is_empty(),
    };
    Ok((0..relays.len()).filter(carries).collect())
}

/// Pushes under way of accounts with servers of their own, with the account's handles, former ones too.
async fn own_pushes<C: ConnectionTrait>(app: &App, db: &C) -> Result<BTreeMap<i64, Vec<String>>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        handle: String,
    }
    let named: Vec<&str> =
        app.mailer.relays().iter().flat_map(|relay| &relay.accounts).map(String::as_str).collect();
    let under_way = || {
        push::Entity::find()
            .select_only()
            .column(push::Column::Id)
            .filter(push::Column::State.is_in([PushState::FanningOut, PushState::Sending]))
    };
    let present: RelationDef = push::Entity::belongs_to(account::Entity)
        .from(push::Column::AccountId)
        .to(account::Column::Id)
        .into();
    let former: RelationDef = push::Entity::belongs_to(account_handle::Entity)
        .from(push::Column::AccountId)
        .to(account_handle::Column::AccountId)
        .into();
    let by_present = under_way()
        .column(account::Column::Handle)
        .join(JoinType::InnerJoin, present)
        .filter(account::Column::Handle.is_in(named.iter().copied()));
    let by_former = under_way()
        .column(account_handle::Column::Handle)
        .join(JoinType::InnerJoin, former)
        .filter(account_handle::Column::Handle.is_in(named.iter().copied()));
    let mut pushes: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for select in [by_present, by_former] {
        for Row { id, handle } in select.into_model().all(db).await? {
            pushes.entry(id).or_default().push(handle);
        }
    }
    Ok(pushes)
}
