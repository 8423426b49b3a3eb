//! Where log lines go and how they look.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::Config;

/// Logs as the settings say, to standard error; each line of a request carries its id.
pub fn start(config: &Config) {
    start_at(config, &config.log);
}

/// For commands that talk to a person: warnings only, unless the settings ask for something else.
pub fn start_quietly(config: &Config) {
    let usual = config.log == Config::default().log;
    start_at(config, if usual { "warn" } else { &config.log });
}

fn start_at(config: &Config, filter: &str) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
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
