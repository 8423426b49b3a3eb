//! Jobs: work that one node claims and does, and that is safe to run twice.
//!
//! A job carries ids, not data. Its function, in the room it belongs to, loads what it needs and
//! accepts that rows may be gone. To add one: a variant here, an arm in [`perform`], a function
//! in its room.

pub mod queue;
pub mod upkeep;
pub mod worker;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::app::App;
use crate::clock::Timestamp;
use crate::import;
use crate::inbox;
use crate::outside;
use crate::{
    accounts, alerts, articles, auth, belongings, bounces, delivery, hub, media, subscriptions, webhooks,
};

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Job {
    /// Write a delivery row for each subscriber after `after_subscription`, the cursor.
    FanOut { push_id: i64, after_subscription: i64 },
    /// Put the deliveries of a stopped push on hold, or back when it goes on.
    FollowStop { push_id: i64 },
    /// Put the failed deliveries of a push into the queue again, those after a subscription.
    SendAgain { push_id: i64, after_subscription: i64 },
    /// Mail a link to confirm a subscription, or word that there is one already.
    SendSubscriptionLetter { subscription_id: i64 },
    /// Publish a scheduled article in the name of the member who scheduled it.
    PublishArticle { article_id: i64, user_id: i64 },
    /// Mail a sign-in link.
    SendSignInLink { link_id: i64 },
    /// Tell a person by mail that they are a member of an account.
    SendInvitation { member_id: i64, new_user: bool },
    /// Fetch a source and take its new entries in.
    RefreshSource { source_id: i64 },
    /// Fetch an outside feed and keep its new items.
    RefreshOutside { feed_id: i64 },
    /// Match a new article against all saved searches.
    MatchAlerts { article_id: i64 },
    /// Tell a reader of what a saved search has found since the last time.
    GatherAlert { alert_id: i64 },
    /// Tell those who were told of an article that it was put right or taken back.
    TellCorrection { article_id: i64, version: i32, words: String, after_subscription: i64 },
    /// Ask a callback whether it wants to be told of a feed.
    VerifyCallback { request_id: i64 },
    /// Queue a message to everybody who is told of a feed with an account's articles; or only of feeds that are the
    /// account's own.
    DistributeFeed {
        account_id: i64,
        #[serde(default)]
        own_only: bool,
    },
    /// Tell a callback what has changed in its feed.
    TellCallback { lease_id: i64 },
    /// Tell a webhook what happened.
    SendWebhook { message_id: i64 },
    /// Tell an account's owners that a webhook was switched off.
    NoteBrokenWebhook { webhook_id: i64 },
    /// Tell a hub elsewhere that an account's feeds have changed.
    TellHub { account_id: i64, hub: String },
    /// Do what follows from a bounce or a complaint.
    HeedBounce { bounce_id: i64 },
    /// Make the renditions of a kept picture.
    RenderPicture { media_id: i64 },
    /// The same for the pictures after an id that have none, one after the other.
    RenderBacklog { after: i64 },
    /// Fetch covers that an account's imported articles have elsewhere.
    FetchCovers { account_id: i64 },
    /// Write all that belongs to a person into a file.
    MakeExport { export_id: i64 },
    /// Mail them word that it is there.
    TellExport { export_id: i64 },
    /// Mail a person a link by which they can leave.
    SendLeavingLink { user_id: i64 },
    /// Delete all that belongs to a person who leaves.
    RemoveUser { user_id: i64, asked_at: Timestamp },
    /// Mail somebody who has left word that nothing is kept any more.
    SendFarewell { email: String, locale: String, tries: u32 },
}

impl Job {
    /// A job with a key is never queued twice at the same time.
    pub fn unique_key(&self) -> Option<String> {
        match self {
            Self::FanOut { push_id, .. } => Some(format!("fan_out:{push_id}")),
            // Each call for it has one of its own: one that runs already may have seen the push before.
            Self::FollowStop { .. } => None,
            Self::SendAgain { push_id, .. } => Some(format!("send_again:{push_id}")),
            Self::SendSubscriptionLetter { subscription_id } => {
                Some(format!("send_subscription_letter:{subscription_id}"))
            }
            Self::SendInvitation { member_id, .. } => Some(format!("send_invitation:{member_id}")),
            Self::PublishArticle { article_id, .. } => Some(format!("publish_article:{article_id}")),
            Self::SendSignInLink { link_id } => Some(format!("send_sign_in_link:{link_id}")),
            Self::RefreshSource { source_id } => Some(format!("refresh_source:{source_id}")),
            Self::RefreshOutside { feed_id } => Some(format!("refresh_outside:{feed_id}")),
            Self::MatchAlerts { article_id } => Some(format!("match_alerts:{article_id}")),
            Self::GatherAlert { alert_id } => Some(format!("gather_alert:{alert_id}")),
            Self::TellCorrection { article_id, version, .. } => {
                Some(format!("tell_correction:{article_id}:{version}"))
            }
            Self::VerifyCallback { request_id } => Some(format!("verify_callback:{request_id}")),
            Self::SendWebhook { message_id } => Some(format!("send_webhook:{message_id}")),
            Self::NoteBrokenWebhook { webhook_id } => Some(format!("note_broken_webhook:{webhook_id}")),
            // One that runs already may have looked before the newest change.
            Self::DistributeFeed { .. } | Self::TellCallback { .. } | Self::TellHub { .. } => None,
            Self::HeedBounce { bounce_id } => Some(format!("heed_bounce:{bounce_id}")),
            Self::RenderPicture { media_id } => Some(format!("render_picture:{media_id}")),
            Self::RenderBacklog { .. } => Some("render_backlog".into()),
            Self::FetchCovers { account_id } => Some(format!("fetch_covers:{account_id}")),
            Self::MakeExport { export_id } => Some(format!("make_export:{export_id}")),
            Self::TellExport { export_id } => Some(format!("tell_export:{export_id}")),
            Self::SendLeavingLink { user_id } => Some(format!("send_leaving_link:{user_id}")),
            Self::RemoveUser { user_id, .. } => Some(format!("remove_user:{user_id}")),
            // Its key would name the address.
            Self::SendFarewell { .. } => None,
        }
    }

    /// Whether it is tried again however often it fails, for as long as what it is about is there: nothing else would
    /// ask for it anew.
    pub fn never_dies(&self) -> bool {
        matches!(
            self,
            Self::RefreshSource { .. }
                | Self::RefreshOutside { .. }
                | Self::RemoveUser { .. }
                | Self::TellCallback { .. }
        )
    }
}

/// What becomes of a job that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is finished, and its row deleted.
    Done,
    /// It is to go on as `job` at `run_at`, in the same row.
    Again { job: Job, run_at: Timestamp },
}

/// Does a job. An error is retried with growing pauses, then kept as dead.
pub async fn perform(app: &App, job: Job) -> anyhow::Result<Outcome> {
    match job {
        Job::FanOut { push_id, after_subscription } => {
            delivery::fan_out::run(app, push_id, after_subscription).await
        }
        Job::FollowStop { push_id } => delivery::hold::follow_stop(app, push_id).await,
        Job::SendAgain { push_id, after_subscription } => {
            delivery::hold::send_again(app, push_id, after_subscription).await
        }
        Job::SendSubscriptionLetter { subscription_id } => {
            subscriptions::letters::send(app, subscription_id).await
        }
        Job::SendInvitation { member_id, new_user } => {
            accounts::invitation::send(app, member_id, new_user).await
        }
        Job::PublishArticle { article_id, user_id } => articles::publish_due(app, article_id, user_id).await,
        Job::SendSignInLink { link_id } => auth::links::send(app, link_id).await,
        Job::RefreshSource { source_id } => import::refresh(app, source_id).await,
        Job::RefreshOutside { feed_id } => outside::refresh(app, feed_id).await,
        Job::MatchAlerts { article_id } => alerts::hits::find(app, article_id).await,
        Job::GatherAlert { alert_id } => alerts::hits::gather(app, alert_id).await,
        Job::TellCorrection { article_id, version, words, after_subscription } => {
            inbox::deliver::correct(app, article_id, version, words, after_subscription).await
        }
        Job::VerifyCallback { request_id } => hub::verify::run(app, request_id).await,
        Job::DistributeFeed { account_id, own_only } => hub::distribute::run(app, account_id, own_only).await,
        Job::TellCallback { lease_id } => hub::distribute::tell(app, lease_id).await,
        Job::SendWebhook { message_id } => webhooks::send::run(app, message_id).await,
        Job::NoteBrokenWebhook { webhook_id } => webhooks::note::send(app, webhook_id).await,
        Job::TellHub { account_id, hub } => hub::distribute::tell_hub(app, account_id, hub).await,
        Job::HeedBounce { bounce_id } => bounces::heed(app, bounce_id).await,
        Job::RenderPicture { media_id } => media::render::run(app, media_id).await,
        Job::RenderBacklog { after } => media::render::run_backlog(app, after).await,
        Job::FetchCovers { account_id } => media::covers::run(app, account_id).await,
        Job::MakeExport { export_id } => belongings::export::make(app, export_id).await,
        Job::TellExport { export_id } => belongings::export::tell(app, export_id).await,
        Job::SendLeavingLink { user_id } => belongings::leaving::send_link(app, user_id).await,
        Job::RemoveUser { user_id, asked_at } => belongings::leaving::run(app, user_id, asked_at).await,
        Job::SendFarewell { email, locale, tries } => {
            belongings::leaving::say_farewell(app, email, locale, tries).await
        }
    }
}
