//! `wrk` on some addresses in turn.

use std::fmt;
use std::process::Command;

use anyhow::{Context, bail};

/// Takes the addresses of a list one after the other, and says in the end what was measured.
const SCRIPT: &str = r#"
local paths, next_path = {}, 0
local headers = {}
if os.getenv("BENCH_PACKING") ~= "" then headers["accept-encoding"] = os.getenv("BENCH_PACKING") end
for line in io.lines(os.getenv("BENCH_PATHS")) do paths[#paths + 1] = line end
function request()
  next_path = next_path % #paths + 1
  return wrk.format("GET", paths[next_path], headers)
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"#;

pub struct Load {
    urls: Vec<String>,
    /// As `Accept-Encoding` names it; empty for none.
    packing: &'static str,
}

/// What `wrk` measured. Shown as a row of the table.
pub struct Measured {
    pub rate: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p99: f64,
}

impl Load {
    /// Of addresses on one host.
    pub fn of(urls: &[String]) -> Self {
        Self { urls: urls.to_vec(), packing: "" }
    }

    /// Asks for packed answers, as browsers do.
    pub fn packed(self, packing: &'static str) -> Self {
        Self { packing, ..self }
    }

    pub fn run(&self, connections: u32, seconds: u32) -> anyhow::Result<Measured> {
        let mark = format!("xiangxun-bench-{}", std::process::id());
        let script = std::env::temp_dir().join(format!("{mark}.lua"));
        let paths = std::env::temp_dir().join(format!("{mark}.paths"));
        let base = self.urls.first().context("no address")?;
        let root = url::Url::parse(base)?.origin().ascii_serialization();
        let lines: Vec<&str> = self.urls.iter().filter_map(|url| url.strip_prefix(&root)).collect();
        std::fs::write(&script, SCRIPT)?;
        std::fs::write(&paths, lines.join("\n"))?;
        // A second of warming up, which nobody counts.
        let run = |seconds: u32| {
            Command::new("wrk")
                .args([
                    "-t1",
                    &format!("-c{connections}"),
                    &format!("-d{seconds}s"),
                    "--timeout",
                    "10s",
                    "--latency",
                ])
                .arg("-s")
                .arg(&script)
                .arg(&root)
                .env("BENCH_PATHS", &paths)
                .env("BENCH_PACKING", self.packing)
                .output()
                .context("starting wrk (Debian's package wrk)")
        };
        run(1)?;
        let output = run(seconds)?;
        std::fs::remove_file(script)?;
        std::fs::remove_file(paths)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line =
            text.lines().find_map(|line| line.strip_prefix("RESULT ")).context("wrk measured nothing")?;
        let numbers: Vec<f64> = line.split(' ').filter_map(|number| number.parse().ok()).collect();
        let [requests, microseconds, p50, p99, errors] = numbers[..] else { bail!("wrk said: {line}") };
        if errors > 0.0 {
            bail!("{errors} of {requests} requests to {base} failed");
        }
        Ok(Measured { rate: requests / microseconds * 1e6, p50: p50 / 1e3, p99: p99 / 1e3 })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12.0} {:>7.1} ms {:>7.1} ms", self.rate, self.p50, self.p99)
    }
}
