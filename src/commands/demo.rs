//! `xiangxun demo`: a throw-away instance that shows the product at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use tokio::net::TcpListener;

use super::log;
use super::serve::{Node, Role, stop_signal};
use crate::app::App;
use crate::config::{Config, PREFIX};
use crate::demo::seed;

#[derive(clap::Args)]
pub struct Options {
    /// Address and port to listen on; by default 127.0.0.1:3000, or a free port if that is taken
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

pub async fn run(options: &Options) -> anyhow::Result<()> {
    let started = Instant::now();
    let listener = listen(options.listen.as_deref()).await?;
    let folder = Folder::make()?;
    let config = Config {
        base_url: format!("http://{}", listener.local_addr()?),
        data: folder.path.clone(),
        mail_from: "乡讯演示站 <news@demo.localhost>".into(),
        log: std::env::var(format!("{PREFIX}LOG")).unwrap_or_else(|_| "warn".into()),
        name_server: "none".into(),
        demo: true,
        ..Config::default()
    };
    let _lines = log::start(&config);
    let app = App::open(config).await?;
    let links = seed::seed(&app).await.context("filling the demo")?;
    let stop = stop_signal()?;
    let mut node = Node::start(app.clone(), Role::All, stop);
    greet(&app, &links, &folder, started);
    node.answer(listener).await;
    node.finish().await
}

/// Opens the address asked for; without one the usual, else any.
async fn listen(address: Option<&str>) -> anyhow::Result<TcpListener> {
    if let Some(address) = address {
        return TcpListener::bind(address).await.with_context(|| format!("listening on {address}"));
    }
    match TcpListener::bind(Config::default().listen).await {
        Ok(listener) => Ok(listener),
        Err(_) => Ok(TcpListener::bind("127.0.0.1:0").await?),
    }
}

fn greet(app: &Arc<App>, links: &seed::Links, folder: &Folder, started: Instant) {
    println!(
        "乡讯 Xiangxun, a demo with articles in both scripts (ready after {:.2} s)\n\n\
         \x20 front page         {}\n\
         \x20 as a publisher     {}\n\
         \x20 as a reader        {}\n\
         \x20 mail that it sends {}\n\n\
         The two links sign in once each; use two browsers, or a private window for one of them.\n\
         Everything is in {} and is deleted when you stop this with Ctrl-C.",
        started.elapsed().as_secs_f64(),
        app.config.url("/"),
        links.publisher,
        links.reader,
        app.config.url("/demo/mail"),
        folder.path.display()
    );
}

/// A folder of this process's own, deleted with all that is in it at the end.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("xiangxun-demo-{:08x}", rand::random::<u32>()));
        std::fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("{} was not deleted: {error}", self.path.display());
        }
    }
}
