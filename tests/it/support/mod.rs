//! What the tests stand on.

pub mod app;
pub mod belongings;
pub mod bounces;
pub mod browser;
pub mod builders;
pub mod desk;
pub mod mail_host;
pub mod name_server;
pub mod node;
pub mod outlet;
pub mod people;
pub mod python;
pub mod reader_app;
pub mod readers;
pub mod receiver;
pub mod smtp;
pub mod tools;
pub mod tour;
pub mod wait;

pub use app::{Backend, TestApp};

/// Writes each test twice: for SQLite and for PostgreSQL (`XIANGXUN_TEST_POSTGRES_URL`).
/// `both_databases! { async fn name_as_a_sentence(app) { ... } }` where `app` is a [`TestApp`].
#[macro_export]
macro_rules! both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident) $body:block)*) => {
        $(
            $(#[$meta])*
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn behaves($app: &$crate::support::TestApp) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    let app = $crate::support::TestApp::start($crate::support::Backend::Sqlite).await;
                    behaves(&app).await;
                    app.finish().await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    let app = $crate::support::TestApp::start($crate::support::Backend::Postgres).await;
                    behaves(&app).await;
                    app.finish().await;
                }
            }
        )*
    };
}

/// A test on both databases of an instance that may fetch from this machine.
#[macro_export]
macro_rules! with_outlet {
    ($(async fn $name:ident($app:ident, $outlet:ident) $body:block)*) => {
        $(
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn behaves($app: &$crate::support::TestApp, $outlet: &$crate::support::outlet::Outlet) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    run($crate::support::Backend::Sqlite).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    run($crate::support::Backend::Postgres).await;
                }

                async fn run(backend: $crate::support::Backend) {
                    let app = $crate::support::TestApp::start_with(backend, |config| config.fetch_allow_private = true).await;
                    app.allow_unfinished_jobs();
                    behaves(&app, &$crate::support::outlet::Outlet::start().await).await;
                    app.finish().await;
                }
            }
        )*
    };
}

/// The same for tests of the real binary, functions of one argument, a [`Backend`]:
/// `on_both_databases! { name_as_a_sentence another_name }`.
#[macro_export]
macro_rules! on_both_databases {
    ($($name:ident)*) => {
        $(
            mod $name {
                use $crate::support::Backend;

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    super::$name(Backend::Sqlite).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    super::$name(Backend::Postgres).await;
                }
            }
        )*
    };
}
