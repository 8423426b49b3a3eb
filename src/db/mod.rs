//! The database: connecting, transactions, and word of changes to those who wait for them.
//!
//! SQLite gets one writing connection and a pool of readers, so that a reader never waits for a
//! writer; PostgreSQL gets one pool for both.

pub mod entities;

use std::ops::Deref;
use std::time::Duration;

use anyhow::Context;
use migrations::MigratorTrait;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::watch;

/// A handle to the database, cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    read: DatabaseConnection,
    write: DatabaseConnection,
    changes: watch::Sender<u64>,
}

impl Db {
    /// Opens the database of a `sqlite://` or `postgres://` URL; a SQLite file is made if it is missing.
    ///
    /// # Errors
    /// When the URL is of another kind, or the database cannot be reached.
    pub async fn connect(url: &str, pool_size: u32) -> anyhow::Result<Self> {
        let (read, write) = if url.starts_with("sqlite:") {
            let write =
                Database::connect(sqlite_options(url, 1, false)).await.context("opening the SQLite file")?;
            let read =
                Database::connect(sqlite_options(url, pool_size, true)).await.context("opening readers")?;
            (read, write)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let mut options = ConnectOptions::new(url);
            options.max_connections(pool_size).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
            let pool = Database::connect(options).await.context("connecting to PostgreSQL")?;
            (pool.clone(), pool)
        } else {
            anyhow::bail!("the database URL must begin with sqlite:// or postgres://");
        };
        Ok(Self { read, write, changes: watch::Sender::new(0) })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        migrations::Migrator::up(&self.write, None).await
    }

    /// For reads of committed rows.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For single-statement writes that record no event; all else goes through [`Db::begin`].
    pub fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    pub fn backend(&self) -> DbBackend {
        self.write.get_database_backend()
    }

    /// Opens a writing transaction. On SQLite it takes the write lock at once, so that it can
    /// never fail half-way because another process wrote first.
    pub async fn begin(&self) -> Result<Tx, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let inner = self.write.begin_with_options(options).await?;
        Ok(Tx { inner, changes: Some(self.changes.clone()) })
    }

    /// Like [`Db::begin`], for what changes many times a second and nobody waits for.
    pub async fn begin_unnoticed(&self) -> Result<Tx, DbErr> {
        let tx = self.begin().await?;
        Ok(Tx { changes: None, ..tx })
    }

    /// Tells of each commit made through this process; other nodes' commits are found by polling.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// How many commits were made through this process, unnoticed ones aside.
    pub fn commits(&self) -> u64 {
        *self.changes.borrow()
    }

    /// Closes all connections, having written SQLite's log back into its file.
    pub async fn close(self) -> Result<(), DbErr> {
        if self.backend() == DbBackend::Sqlite {
            self.read.close().await?;
        }
        self.write.close().await
    }
}

/// A writing transaction; it is rolled back when dropped without [`Tx::commit`].
#[derive(Debug)]
pub struct Tx {
    inner: DatabaseTransaction,
    changes: Option<watch::Sender<u64>>,
}

impl Tx {
    /// Makes the changes lasting, then wakes followers and workers.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.inner.commit().await?;
        if let Some(changes) = self.changes {
            changes.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    pub async fn rollback(self) -> Result<(), DbErr> {
        self.inner.rollback().await
    }
}

impl Deref for Tx {
    type Target = DatabaseTransaction;
    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

fn sqlite_options(url: &str, pool_size: u32, readers: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    // A transaction waits for the one writer; a bulk import may hold it for a while.
    options
        .max_connections(pool_size)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(false);
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30))
            .pragma("journal_mode", "WAL")
            // FULL: a publication that was confirmed survives a power cut.
            .pragma("synchronous", "FULL")
            // What readers map of the file would count as resident once for each of them.
            .pragma("mmap_size", "0")
            // The writer keeps the pages of a long transaction in memory of its own; readers share the system's.
            .pragma("cache_size", if readers { "-2048" } else { "-8192" })
            .pragma("query_only", if readers { "ON" } else { "OFF" })
    });
    options
}
