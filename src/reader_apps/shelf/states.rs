//! What apps change on a shelf: read, starred, followed, in a list. Each goes to the room that keeps it.

use url::Url;

use super::stream::Place;
use super::{FeedKey, ItemKey, feeds, split};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::user;
use crate::error::Error;
use crate::import::Preview;
use crate::lists;
use crate::outside::{self, NewFollow};
use crate::page::Locale;
use crate::saved;
use crate::subscriptions::timeline::{self, queries::Scope};
use crate::subscriptions::{self, Change};

/// Marks items as read or unread.
pub async fn mark_read(app: &App, user_id: i64, keys: &[ItemKey], is_read: bool) -> Result<(), Error> {
    let (articles, items) = split(keys.iter().copied());
    if !articles.is_empty() {
        timeline::mark_many(app, user_id, &articles, is_read).await?;
    }
    outside::mark_read(app, user_id, &items, is_read).await
}

/// Stars items or takes their stars away; starred articles are those that the reader saved. A copy with more in it
/// than the article stays without its star.
pub async fn star(app: &App, user_id: i64, keys: &[ItemKey], is_starred: bool) -> Result<(), Error> {
    let (articles, items) = split(keys.iter().copied());
    for id in articles {
        let done = if is_starred {
            saved::save(app, user_id, id).await.map(|_| ())
        } else {
            saved::unstar(app, user_id, id).await.map_err(Error::from)
        };
        match done {
            // Gone meanwhile: an app that asks again would get no further.
            Ok(()) | Err(Error::NotFound | Error::Gone(_)) => {}
            Err(error) => return Err(error),
        }
    }
    outside::star(app, user_id, &items, is_starred).await
}

/// What a place had until a moment counts as read.
pub async fn mark_all_read(app: &App, user_id: i64, place: Place, until: Timestamp) -> Result<(), Error> {
    use outside::queries::Which;
    let scope = Scope::default();
    let (scope, which) = match place {
        Place::All => (Some(scope), Some(Which::All)),
        Place::List(id) => (Some(Scope { list: Some(id), ..scope }), Some(Which::List(id))),
        Place::Feed(FeedKey::Account(id)) => (Some(Scope { account: Some(id), ..scope }), None),
        Place::Feed(FeedKey::Outside(id)) => (None, Some(Which::One(id))),
        // Starred ones are kept to be read.
        Place::Starred => (None, None),
    };
    if let Some(scope) = scope {
        timeline::mark_all_read(app, user_id, &scope, until).await?;
    }
    if let Some(which) = which {
        outside::mark_all_read(app, user_id, which, until).await?;
    }
    Ok(())
}

/// Follows what is at an address: an account of this site, or a feed elsewhere. `look` fetches it at once, so
/// that a page's address does as well as its feed's, and one without a feed is refused.
///
/// # Errors
/// Invalid with what is wrong with `url`.
pub async fn follow(
    app: &App,
    user: &user::Model,
    address: &str,
    title: &str,
    look: bool,
) -> Result<FeedKey, Error> {
    let url = crate::import::fetch::read_address(address).map_err(|why| Error::invalid("url", why.key()))?;
    if let Some(account) = feeds::account_at(app, &url).await? {
        let locale = Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans);
        subscriptions::subscribe(app, user, account.id, None, locale).await?;
        return Ok(FeedKey::Account(account.id));
    }
    let known = outside::queries::feed_at(app.db.read(), user.id, url.as_str()).await?;
    if let Some(known) = known {
        return Ok(FeedKey::Outside(known.id));
    }
    let url = if look { feed_of(app, url.as_str()).await? } else { url };
    let new = NewFollow { title: title.to_owned(), ..NewFollow::default() };
    Ok(FeedKey::Outside(outside::follow(app, user.id, &url, new).await?.feed_id))
}

/// The address of the feed at, or first named by, an address.
async fn feed_of(app: &App, address: &str) -> Result<Url, Error> {
    match outside::look(app, address).await? {
        Preview::Feed { url, .. } => Ok(url),
        Preview::Choices(found) => found
            .into_iter()
            .next()
            .map(|found| found.url)
            .ok_or_else(|| Error::invalid("url", "import-error-no-feed-on-page")),
    }
}

/// Leaves a feed.
pub async fn unfollow(app: &App, user_id: i64, feed: FeedKey) -> Result<(), Error> {
    match feed {
        FeedKey::Outside(id) => outside::unfollow(app, user_id, id).await,
        FeedKey::Account(id) => {
            let own = subscription_of(app, user_id, id).await?;
            subscriptions::change_own(app, user_id, own, Change::Leave).await?;
            Ok(())
        }
    }
}

/// Gives an outside feed the reader's own name; accounts are called as they call themselves.
pub async fn rename(app: &App, user_id: i64, feed: FeedKey, title: &str) -> Result<(), Error> {
    match feed {
        FeedKey::Outside(id) => outside::rename(app, user_id, id, title).await,
        FeedKey::Account(_) => Ok(()),
    }
}

/// Puts a feed into one of the reader's lists, made if there is none of that name, or out of its list.
pub async fn put_in_list(app: &App, user_id: i64, feed: FeedKey, name: Option<&str>) -> Result<(), Error> {
    let list_id = match name {
        Some(name) => Some(lists::named(app, user_id, name).await?.id),
        None => None,
    };
    match feed {
        FeedKey::Outside(id) => outside::put_in_list(app, user_id, id, list_id).await,
        FeedKey::Account(id) => {
            let own = subscription_of(app, user_id, id).await?;
            lists::put(app, user_id, own, list_id).await
        }
    }
}

async fn subscription_of(app: &App, user_id: i64, account_id: i64) -> Result<i64, Error> {
    let own = subscriptions::queries::of_user(app.db.read(), user_id, account_id).await?;
    own.map(|own| own.id).ok_or(Error::NotFound)
}
