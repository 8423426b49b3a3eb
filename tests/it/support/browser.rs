//! A real browser (Debian's chromium, driven by its chromedriver) against a real listening server.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use thirtyfour::prelude::*;

use super::TestApp;

/// A chromedriver of our own and one browser window; both end with this value.
pub struct Browser {
    pub window: WebDriver,
    driver: Child,
    /// Of the chromedriver.
    address: String,
    profile: std::path::PathBuf,
}

impl Browser {
    /// Opens a window of a phone's or a desktop's width (CSS pixels), asking for Simplified Chinese.
    pub async fn open(width: u32, height: u32) -> Self {
        let port = free_port();
        let driver = Command::new("chromedriver")
            .args([format!("--port={port}"), "--silent".into()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed (tests/run does it)");
        let profile = std::env::temp_dir().join(format!("xiangxun-browser-{:016x}", rand::random::<u64>()));
        let mut wishes = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--lang=zh-CN",
            &format!("--window-size={width},{height}"),
            &format!("--user-data-dir={}", profile.display()),
        ] {
            wishes.add_arg(argument).unwrap();
        }
        wishes
            .add_experimental_option("prefs", serde_json::json!({ "intl.accept_languages": "zh-CN,zh" }))
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let mut tries = 0;
        let window = loop {
            match WebDriver::new(&url, wishes.clone()).await {
                Ok(window) => break window,
                Err(error) if tries > 100 => panic!("no browser: {error}"),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        Self { window, driver, address: url, profile }
    }

    /// A command of the browser's own protocol (CDP), to the page in the window.
    pub async fn tell(&self, command: &str, params: serde_json::Value) -> serde_json::Value {
        let session = self.window.handle().session_id().to_string();
        let url = format!("{}/session/{session}/goog/cdp/execute", self.address);
        let body = serde_json::json!({ "cmd": command, "params": params }).to_string();
        let answer = super::node::client().post(url).body(body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{command}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Makes the page see a window of this many CSS pixels, each of them `scale` pixels wide.
    pub async fn zoom(&self, width: u32, height: u32, scale: f64) {
        let size = serde_json::json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        self.tell("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Keeps a cookie; a page of the site must be open.
    pub async fn keep_cookie(&self, name: &str, value: &str) {
        let cookie = Cookie::new(name.to_owned(), value.to_owned());
        self.window.add_cookie(cookie).await.unwrap();
    }

    /// Signs somebody in; a page of the site must be open.
    pub async fn sign_in(&self, app: &TestApp, user_id: i64) {
        let session =
            xiangxun::auth::session::open(&app.app, user_id, "chromium", "127.0.0.1").await.unwrap();
        self.keep_cookie(session.name(), session.value()).await;
    }

    /// What a script returns.
    pub async fn ask(&self, script: &str) -> serde_json::Value {
        self.window.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// Presses keys, wherever the focus is.
    pub async fn press(&self, keys: impl Into<TypingData>) {
        self.window.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Goes to an address.
    pub async fn visit(&self, url: &str) {
        self.window.goto(url).await.unwrap();
    }

    /// Types into the field of this name, in place of what stands there.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = self.one(&format!("main [name=\"{name}\"]")).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Clicks what the selector finds.
    pub async fn click(&self, selector: &str) {
        let element = self.one(selector).await;
        element.scroll_into_view().await.unwrap();
        element.click().await.unwrap();
    }

    /// The first element of a selector, waited for.
    pub async fn one(&self, selector: &str) -> WebElement {
        match self
            .window
            .query(By::Css(selector))
            .wait(Duration::from_secs(10), Duration::from_millis(50))
            .first()
            .await
        {
            Ok(element) => element,
            Err(error) => {
                panic!(
                    "no {selector} at {}: {error}\n{}",
                    self.window.current_url().await.unwrap(),
                    self.text().await
                )
            }
        }
    }

    /// What the page says.
    pub async fn text(&self) -> String {
        // Between two pages there is none.
        match self.window.find(By::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until the page says this.
    pub async fn see(&self, words: &str) {
        for _ in 0..100 {
            if self.text().await.contains(words) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("“{words}” is not at {}:\n{}", self.window.current_url().await.unwrap(), self.text().await);
    }

    pub async fn close(mut self) {
        let _ = self.window.clone().quit().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Also when a test fails half-way: neither driver nor browser outlives it.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    socket.local_addr().unwrap().port()
}
