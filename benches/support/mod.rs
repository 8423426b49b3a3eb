//! What the benches start and read: a site of their own, nginx, `wrk`, and the machine.

pub mod load;
pub mod nginx;
pub mod pace;
pub mod site;
pub mod steady;

pub use load::Load;
pub use nginx::Nginx;
pub use site::Site;

use std::net::TcpListener;

/// Cores, processor and memory.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let read = |path: &str, name: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or("unknown").trim().to_owned()
    };
    let kilobytes = read("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0);
    format!(
        "{cores} cores of {}, {:.0} GiB of memory",
        read("/proc/cpuinfo", "model name"),
        kilobytes / 1048576.0
    )
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
