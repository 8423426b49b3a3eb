//! What is handed to systemd and Docker: files that are there, and words that they understand.

use std::path::Path;
use std::process::Command;

use xiangxun::config::Reading;

use crate::support::Backend;
use crate::support::node::Instance;
use crate::support::smtp::free_port;

const UNIT: &str = include_str!("../../packaging/xiangxun.service");
const DOCKERFILE: &str = include_str!("../../Dockerfile");
const MANUAL: &str = include_str!("../../docs/operate.md");

/// The commands that set the service up, as the unit begins with them.
fn setup() -> Vec<&'static str> {
    UNIT.lines().filter_map(|line| line.strip_prefix("#   ")).collect()
}

/// Values of a key of the unit.
fn values(key: &str) -> Vec<&'static str> {
    UNIT.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// Where the setup puts files and folders.
fn installed() -> Vec<String> {
    let destination = |line: &&str| {
        let words: Vec<&str> = line.strip_prefix("install ")?.split_whitespace().collect();
        let (to, from) = (*words.last()?, *words.get(words.len() - 2)?);
        let is_into_folder = to.ends_with('/');
        let name = Path::new(from).file_name()?.to_str()?;
        Some(if is_into_folder { format!("{to}{name}") } else { to.to_owned() })
    };
    setup().iter().filter_map(destination).collect()
}

#[test]
fn the_packaged_settings_are_right() {
    let Reading { config, problems } = Reading::of(Path::new("packaging/xiangxun.toml"), std::iter::empty());
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(config.problems(), Vec::<String>::new());
    assert_eq!(config.data, Path::new("/var/lib/xiangxun"));
}

#[test]
fn every_file_that_the_unit_names_is_installed_by_its_setup() {
    let installed = installed();
    let mut named: Vec<&str> =
        values("ExecStart")[0].split(' ').filter(|word| word.starts_with('/')).collect();
    named.extend(
        values("Documentation").iter().map(|url| url.strip_prefix("file://").expect("a file of ours")),
    );
    named.extend(values("WorkingDirectory"));
    assert_eq!(named.len(), 4, "{named:?}");
    for path in named {
        assert!(installed.iter().any(|there| there == path), "{path} is not among {installed:?}");
    }
    // What is installed is there to be installed, and the manual says the same.
    for line in setup() {
        assert!(MANUAL.contains(&format!("    sudo {line}\n")), "docs/operate.md lacks: {line}");
        let ours = |word: &&str| word.starts_with("packaging/") || word.starts_with("docs/");
        for path in line.split(' ').filter(ours) {
            assert!(Path::new(path).is_file(), "{path}");
        }
    }
}

#[test]
fn systemd_understands_the_unit() {
    let Ok(found) = Command::new("systemd-analyze").arg("--version").output() else {
        println!("no systemd-analyze here (tests/run installs it): not checked");
        return;
    };
    assert!(found.status.success());
    // The program as it will be installed is not there, but the one under test is.
    let copy = std::env::temp_dir().join(format!("xiangxun-{:016x}.service", rand::random::<u64>()));
    std::fs::write(&copy, UNIT.replace("/usr/local/bin/xiangxun", env!("CARGO_BIN_EXE_xiangxun"))).unwrap();
    let checked = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).output().unwrap();
    std::fs::remove_file(&copy).unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    // It reads other units of the machine too, and has its own to say about those.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("xiangxun")).collect();
    assert!(checked.status.success() && ours.is_empty(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dockers_health_check_tells_a_live_server_from_none() {
    let check = DOCKERFILE.split("HEALTHCHECK").nth(1).unwrap().split("CMD ").nth(1).unwrap();
    let command: Vec<String> = serde_json::from_str(check.lines().next().unwrap()).unwrap();
    let healthy = |port: u16| {
        let mut asked = Command::new(&command[0]);
        asked.args(&command[1..]).env("XIANGXUN_LISTEN", format!("0.0.0.0:{port}"));
        asked.output().unwrap().status.success()
    };
    let instance = Instance::new(Backend::Sqlite).await;
    let node = instance.serve().await;
    let port = node.base_url.rsplit_once(':').unwrap().1.parse().unwrap();
    assert!(healthy(port));
    assert!(!healthy(free_port()), "nobody listens there");
    assert!(node.stop());
    assert!(!healthy(port), "it has stopped");
}
