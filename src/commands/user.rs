//! `xiangxun user`: people who sign in.

use std::io::BufRead;

use anyhow::{Context, bail};

use super::{Said, open_app};
use crate::app::App;
use crate::auth::links::{self, LinkPurpose};
use crate::auth::users::{self, NewUser};
use crate::auth::{Address, LocalPath, password};
use crate::page::Locale;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Create a user, and print a link that signs them in once
    Create {
        /// Their email address
        email: String,
        /// Their name; by default what stands before the @
        #[arg(long, default_value = "")]
        name: String,
        /// Let them run the instance
        #[arg(long)]
        operator: bool,
        /// Give them the password read from standard input, one line; no link is printed
        #[arg(long)]
        password_stdin: bool,
    },
    /// Let a user run the instance: open, verify and suspend any account
    Promote {
        /// Their email address
        email: String,
    },
    /// Print a link, good once and for 15 minutes, that asks for a new password
    ResetPassword {
        /// Their email address
        email: String,
    },
}

pub async fn run(command: Command) -> anyhow::Result<()> {
    let app = open_app().await?;
    match command {
        Command::Create { email, name, operator, password_stdin } => {
            create(&app, &email, name, operator, password_stdin).await?;
        }
        Command::Promote { email } => {
            let user = users::promote(&app, &address(&email)?).await.said("no such user")?;
            println!("{} may run the instance", user.email);
        }
        Command::ResetPassword { email } => reset_password(&app, &email).await?,
    }
    app.db.clone().close().await?;
    Ok(())
}

async fn create(
    app: &App,
    email: &str,
    name: String,
    operator: bool,
    password_stdin: bool,
) -> anyhow::Result<()> {
    let address = address(email)?;
    let password_hash = if password_stdin { Some(read_password(&address).await?) } else { None };
    let locale = Locale::from_tag(&app.config.locale).unwrap_or(Locale::ZhHans);
    let new = NewUser { address: address.clone(), name, password_hash, operator, locale };
    let user = users::create(app, new).await.said("the user was not created")?;
    println!("created user {} ({}){}", user.id, user.email, if operator { ", an operator" } else { "" });
    if !password_stdin {
        println!("sign in within 15 minutes: {}", link(app, &address, LinkPurpose::SignIn).await?);
    }
    Ok(())
}

async fn reset_password(app: &App, email: &str) -> anyhow::Result<()> {
    let address = address(email)?;
    if users::find(app, &address).await?.is_none() {
        bail!("there is no user {address}");
    }
    println!(
        "choose a new password within 15 minutes: {}",
        link(app, &address, LinkPurpose::ResetPassword).await?
    );
    Ok(())
}

async fn link(app: &App, address: &Address, purpose: LinkPurpose) -> anyhow::Result<String> {
    links::create(app, address, purpose, &LocalPath::new("/"), links::LIFETIME).await.said("no link was made")
}

fn address(text: &str) -> anyhow::Result<Address> {
    Address::parse(text).map_err(|message| anyhow::anyhow!("{text}: {}", message.text(Locale::En)))
}

async fn read_password(address: &Address) -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("reading the password")?;
    let password = password::Password::parse(line.trim_end_matches(['\r', '\n']), address.as_str())
        .map_err(|message| anyhow::anyhow!("{}", message.text(Locale::En)))?;
    password::hash(password).await.said("hashing the password")
}
