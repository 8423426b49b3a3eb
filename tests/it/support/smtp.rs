//! A real SMTP server: Postfix's `smtp-sink`, which keeps each message that it takes in a file.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running server; it ends when this is dropped.
pub struct SmtpSink {
    process: Child,
    pub port: u16,
    folder: PathBuf,
}

impl SmtpSink {
    /// Takes every message.
    pub fn start(port: u16) -> Self {
        Self::start_with(port, &[])
    }

    /// `options` as in smtp-sink(1), such as `-f RCPT` to refuse every recipient for good.
    pub fn start_with(port: u16, options: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("xiangxun-smtp-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new("/usr/sbin/smtp-sink");
        // Run by root, it insists on becoming somebody else, who must be able to write here.
        if std::fs::metadata(&folder).unwrap().uid() == 0 {
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
            command.args(["-u", "nobody"]);
        }
        let process = command
            .args(options)
            .arg("-d")
            .arg(folder.join("%s."))
            .arg(format!("127.0.0.1:{port}"))
            .arg("100")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("smtp-sink of Debian's postfix package");
        let sink = Self { process, port, folder };
        sink.wait_until_it_listens();
        sink
    }

    fn wait_until_it_listens(&self) {
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("smtp-sink does not listen");
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The recipient of each message and when it was written down, in order of time: the server's own record.
    pub fn record(&self) -> Vec<(std::time::SystemTime, String)> {
        let mut record = Vec::new();
        for file in std::fs::read_dir(&self.folder).unwrap() {
            let path = file.unwrap().path();
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            let Some(to) = text.lines().find_map(|line| line.strip_prefix("X-Rcpt-Args: ")) else { continue };
            let at = std::fs::metadata(&path).unwrap().modified().unwrap();
            record.push((at, to.trim_matches(['<', '>', '\r']).to_owned()));
        }
        record.sort();
        record
    }

    /// Envelope recipient and text of each message taken, in no particular order.
    pub fn messages(&self) -> Vec<(String, Vec<u8>)> {
        let mut messages = Vec::new();
        for file in std::fs::read_dir(&self.folder).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            // It writes the envelope above the message as headers of its own.
            let Some(to) = text.lines().find_map(|line| line.strip_prefix("X-Rcpt-Args: ")) else { continue };
            messages.push((to.trim_matches(['<', '>', '\r']).to_owned(), bytes));
        }
        messages
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
