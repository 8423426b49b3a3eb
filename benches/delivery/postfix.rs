//! Postfix's test programs: `smtp-sink` takes mail and forgets it, `smtp-source` sends it.

use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::support::free_port;

pub struct Sink {
    process: Child,
    port: u16,
}

impl Sink {
    pub fn start() -> anyhow::Result<Self> {
        let port = free_port();
        let mut command = Command::new("/usr/sbin/smtp-sink");
        // Run by root, it insists on becoming somebody else.
        if std::fs::metadata("/proc/self")?.uid() == 0 {
            command.args(["-u", "nobody"]);
        }
        let process = command
            .arg(format!("127.0.0.1:{port}"))
            .arg("1000")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting smtp-sink of Debian's postfix package")?;
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(Self { process, port });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("smtp-sink does not listen")
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Messages a second of `smtp-source`, its connections kept open.
pub fn source(sink: &Sink, messages: u64, connections: u32, bytes: usize) -> anyhow::Result<f64> {
    let began = Instant::now();
    let status = Command::new("/usr/sbin/smtp-source")
        .args([
            "-4",
            "-d",
            "-s",
            &connections.to_string(),
            "-m",
            &messages.to_string(),
            "-l",
            &bytes.to_string(),
        ])
        .args(["-f", "news@xiangxun.test", "-t", "reader@example.org"])
        .arg(format!("127.0.0.1:{}", sink.port))
        .status()
        .context("starting smtp-source of Debian's postfix package")?;
    if !status.success() {
        bail!("smtp-source failed");
    }
    Ok(messages as f64 / began.elapsed().as_secs_f64())
}
