//! Where log lines go and how they look.

use std::io::{self, BufWriter, IsTerminal};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::config::Config;

/// For a server: logs as the settings say, to standard error; each line of a request carries its id. A thread of its own
/// writes the lines, several at once where many come, so that no request waits for them. What is left is written when
/// the guard is dropped.
pub fn start(config: &Config) -> WorkerGuard {
    let (lines, guard) = NonBlockingBuilder::default().lossy(false).finish(BufWriter::new(io::stderr()));
    start_at(config, &config.log, BoxMakeWriter::new(lines));
    guard
}

/// For commands that talk to a person: warnings only, unless the settings ask for something else.
pub fn start_quietly(config: &Config) {
    let usual = config.log == Config::default().log;
    start_at(config, if usual { "warn" } else { &config.log }, BoxMakeWriter::new(io::stderr));
}

fn start_at(config: &Config, filter: &str, lines: BoxMakeWriter) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(lines)
        .with_ansi(io::stderr().is_terminal());
    if config.log_format == "json" {
        subscriber.json().flatten_event(true).with_span_list(false).init();
    } else {
        subscriber.init();
    }
    // A panic is a log line like others, with the id of its request.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic: {}", panic.payload_as_str().unwrap_or("of an unknown kind"));
    }));
}
