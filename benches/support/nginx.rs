//! nginx with some files, as fast as it goes: what a page can be compared with.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::free_port;

pub struct Nginx {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Nginx {
    /// With files by their names, each of them packed by gzip too.
    pub fn start(files: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("xiangxun-bench-nginx-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("www"))?;
        for (name, text) in files {
            std::fs::write(folder.join("www").join(name), text)?;
            let mut packed = GzEncoder::new(Vec::new(), Compression::new(6));
            packed.write_all(text.as_bytes())?;
            std::fs::write(folder.join("www").join(format!("{name}.gz")), packed.finish()?)?;
        }
        let port = free_port();
        let at = folder.display();
        // Workers of root become nobody, who may not look into every temporary folder.
        let user = if Command::new("id").arg("-u").output()?.stdout == b"0\n" { "user root;" } else { "" };
        let settings = format!(
            "{user} daemon off; worker_processes auto; pid {at}/pid; error_log {at}/error.log;
             events {{ worker_connections 1024; }}
             http {{
               access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
               open_file_cache max=10; gzip_static on; default_type 'text/html; charset=utf-8'; types {{}}
               client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;
               uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;
               server {{ listen 127.0.0.1:{port}; root {at}/www; }}
             }}"
        );
        std::fs::write(folder.join("nginx.conf"), settings)?;
        let program =
            if std::path::Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
        let child = Command::new(program)
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .arg("-e")
            .arg(folder.join("error.log"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting nginx (Debian's package nginx)")?;
        std::thread::sleep(Duration::from_millis(500));
        Ok(Self { child, folder, port })
    }

    pub fn url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked to stop, it stops its workers too; killed, it would leave them.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
