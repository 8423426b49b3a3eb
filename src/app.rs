//! [`App`]: what every room is handed.

use std::sync::Arc;

use anyhow::Context;

use crate::alerts::watch::Watch;
use crate::articles::tags;
use crate::auth::limits::Limits;
use crate::auth::signed::Signer;
use crate::bounces::hooks::ses::Certificates;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::delivery::caps::Caps;
use crate::delivery::web_push::vapid::Vapid;
use crate::hub;
use crate::import::fetch::{FetchSettings, Fetcher};
use crate::inbox::live::Live;
use crate::mail::Mailer;
use crate::mail::dns::Dns;
use crate::media::on_page::Remembered;
use crate::page_cache::PageCache;
use crate::search::Search;
use crate::search::insight::Insight;
use crate::search::related::Related;
use crate::search::suggest::Suggest;
use crate::search::synonyms::Synonyms;
use crate::shown::Bodies;

/// The running instance; shared as `Arc<App>`, which is also the router's state.
#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub db: Db,
    pub clock: Clock,
    pub mailer: Mailer,
    /// Looks names up.
    pub dns: Dns,
    /// The most messages within a time.
    pub caps: Caps,
    /// Signs links that need no sign-in, such as "unsubscribe".
    pub signer: Signer,
    /// The one door to other people's servers.
    pub fetcher: Fetcher,
    /// Who this instance is to push services.
    pub vapid: Vapid,
    /// Certificates by which Amazon signs what it tells of bounces.
    pub certificates: Certificates,
    /// Pages as everybody gets them who is not signed in.
    pub pages: PageCache,
    /// Bodies of articles in other scripts.
    pub bodies: Bodies,
    /// Pictures that pages show.
    pub pictures: Remembered,
    /// Counts how often clients ask.
    pub limits: Limits,
    /// This node's index; `search::follower` opens it and keeps it up to date.
    pub search: Search,
    /// What was found to be related to articles lately.
    pub related: Related,
    /// This node's suggestions; `search::suggest::follower` keeps them up to date.
    pub suggest: Suggest,
    /// This node's saved searches, ready to be matched.
    pub alerts: Watch,
    /// Words that mean the same, for searches.
    pub synonyms: Arc<Synonyms>,
    /// Readers who look at their inboxes here.
    pub inbox: Live,
    /// Counts of searches that are not written yet.
    pub insight: Insight,
}

impl App {
    /// Makes the data folder, opens and migrates the database, and puts the rest around it.
    pub async fn open(config: Config) -> anyhow::Result<Arc<Self>> {
        let mailer = Mailer::from_config(&config)?;
        Self::open_with(config, mailer, Clock::default()).await
    }

    /// The same with a given mailer and clock.
    pub async fn open_with(config: Config, mailer: Mailer, clock: Clock) -> anyhow::Result<Arc<Self>> {
        std::fs::create_dir_all(&config.data)
            .with_context(|| format!("making the data folder {}", config.data.display()))?;
        let db = Db::connect(&config.database_url(), config.database_pool).await?;
        db.migrate().await.context("bringing the database up to date")?;
        tags::fill(&db).await.context("looking tags up")?;
        hub::keep_outside(&db, &config).await.context("keeping the names of outside hubs")?;
        let signer = Signer::load(&db).await.context("reading the secret key")?;
        let dns = Dns::of(&config.name_server).context("name_server (XIANGXUN_NAME_SERVER)")?;
        let limits = Limits::new(&clock);
        let settings = FetchSettings::new(&config.base_url, config.fetch_allow_private);
        let fetcher = Fetcher::new(settings).context("setting up outside fetches")?;
        let search = Search::of(&config);
        let synonyms =
            Synonyms::load(&config.synonyms).map_err(anyhow::Error::msg).context("reading synonyms")?;
        let caps = Caps::of(&config).map_err(anyhow::Error::msg).context("reading mail_caps")?;
        Ok(Arc::new(Self {
            pages: PageCache::of(&config),
            bodies: Bodies::default(),
            pictures: Remembered::default(),
            config,
            caps,
            db,
            clock,
            mailer,
            dns,
            signer,
            search,
            related: Related::default(),
            suggest: Suggest::default(),
            alerts: Watch::default(),
            synonyms: Arc::new(synonyms),
            inbox: Live::default(),
            vapid: Vapid::default(),
            insight: Insight::default(),
            fetcher,
            certificates: Certificates::default(),
            limits,
        }))
    }
}
